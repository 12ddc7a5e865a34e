import io
import re
import zipfile
from base64 import b64decode
from email.message import EmailMessage
from email.utils import format_datetime

import xlsxwriter
from pytz import utc

from odoo import api, fields, models
from odoo.tools import html2plaintext

UNFIT = re.compile(r"[^\w\-.()+ ]+")


def clean_name(name, taken=()):
    """A file name that every system can unpack, and that is not taken yet.

    :param taken: names in use, compared without case
    """
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 5:
        stem, extension = name, ""
    stem = UNFIT.sub("-", stem).strip(" .-")[:90] or "file"
    end = f".{UNFIT.sub('', extension)}" if extension else ""
    known = {other.lower() for other in taken}
    result, number = f"{stem}{end}", 1
    while result.lower() in known:
        number += 1
        result = f"{stem} ({number}){end}"
    return result


class ArPlacementBundle(models.AbstractModel):
    """The hand-over file: all that an agency or a court needs, in one zip with an index."""

    _name = "ar.placement.bundle"
    _description = "Hand-Over File"

    @api.model
    def _build_zip(self, placement):
        """The zip of a placement as bytes.

        Who calls it has rights on the papers, whatever else of the books the collector may see.
        """
        buffer, taken = io.BytesIO(), set()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
            for folder, name, content in self._get_files(placement):
                inside = {path.rpartition("/")[2] for path in taken if path.startswith(folder)}
                path = folder + clean_name(name, inside)
                taken.add(path)
                bundle.writestr(path, content or b"")
        return buffer.getvalue()

    @api.model
    def _get_files(self, placement):
        """``[(folder, name, content)]``, the index first."""
        index, extension = self.env["ir.actions.report"]._render(
            "ar_collections.report_placement_index", placement.ids
        )
        placement = placement.with_context(bin_size=False)
        proofs = self._get_proofs(placement)
        folders = (
            (self.env._("Invoices"), self._get_invoice_files(placement)),
            (self.env._("Letters and messages"), self._get_message_files(proofs)),
            (self.env._("Agreements"), self._get_signed_files(proofs)),
            (self.env._("Delivery and other proofs"), self._get_proof_files(placement, proofs)),
        )
        return [
            ("", "00 " + self.env._("Index") + f".{extension}", index),
            ("", "01 " + self.env._("Account") + ".xlsx", self._make_workbook(placement, proofs)),
            *((f"{folder}/", *file) for folder, files in folders for file in files),
        ]

    @api.model
    def _get_proofs(self, placement):
        """What happened between us and the customer, oldest first, read in bulk.

        :return: dict of recordsets ``actions, promises, plans, acknowledgements, disputes``
        """
        own = fields.Domain("partner_id", "=", placement.partner_id.id) & fields.Domain(
            "company_id", "=", placement.company_id.id
        )
        lines = placement.item_ids.move_line_id.ids

        def search(model, items, *domain, order):
            of_item = fields.Domain(f"{items}.move_line_id", "in", lines)
            of_case = fields.Domain("case_id", "=", placement.case_id.id or 0)
            return placement.env[model].search(
                own & (of_item | of_case) & fields.Domain(list(domain)), order=order
            )

        return {
            "actions": search(
                "ar.collection.action",
                "item_ids",
                ("state", "=", "done"),
                order="date_done, id",
            ),
            "promises": search(
                "ar.payment.promise",
                "line_ids",
                ("state", "!=", "cancelled"),
                order="date_made, id",
            ),
            "plans": search(
                "ar.payment.plan", "item_ids", ("date_accepted", "!=", False), order="id"
            ),
            "acknowledgements": search(
                "ar.debt.acknowledgement", "item_ids", ("state", "=", "signed"), order="id"
            ),
            "disputes": search("ar.dispute", "line_ids", order="date, id"),
        }

    # The files

    @api.model
    def _get_invoice_files(self, placement):
        """The legal PDF of each invoice; those that have none yet are printed together."""
        moves = placement.item_ids.move_id.filtered(lambda move: move.is_sale_document())
        kept = moves.filtered("invoice_pdf_report_id")
        files = [(f"{move.name}.pdf", move.invoice_pdf_report_id.raw) for move in kept]
        printed = moves - kept
        if printed:
            streams = self.env["ir.actions.report"]._render_qweb_pdf_prepare_streams(
                "account.account_invoices", {}, printed.ids
            )
            names = dict(zip(printed.ids, printed.mapped("name"), strict=True))
            for move_id, printout in streams.items():
                if printout["stream"]:
                    name = names.get(move_id, self.env._("All invoices"))
                    files.append((f"{name}.pdf", printout["stream"].getvalue()))
        return files

    @api.model
    def _get_message_files(self, proofs):
        """Letters as they were printed, mails and texts as they were sent."""
        files = []
        for action in proofs["actions"]:
            name = f"{action.date_done} {action.summary}"
            if action.attachment_id:
                files.append((f"{name}.pdf", action.attachment_id.raw))
            message = action.message_id
            if message.message_type == "sms":
                files.append((f"{name}.txt", html2plaintext(message.body).encode()))
            elif message:
                files.append((f"{name}.eml", self._make_mail_file(action, message)))
        return files

    @api.model
    def _make_mail_file(self, action, message):
        mail = EmailMessage()
        mail["Subject"] = message.subject or action.summary
        mail["From"] = message.email_from or ""
        mail["To"] = action.contact_id.email_formatted or action.partner_id.email_formatted or ""
        mail["Date"] = format_datetime(message.date.replace(tzinfo=utc))
        if message.message_id:
            mail["Message-Id"] = message.message_id.strip()
        mail.set_content(html2plaintext(message.body))
        mail.add_alternative(str(message.body), subtype="html")
        return mail.as_bytes()

    @api.model
    def _get_signed_files(self, proofs):
        """Papers that the customer signed."""
        files = []
        papers = [*proofs["acknowledgements"], *proofs["plans"]]
        for record in papers:
            if record.signed_document:
                name = record.signed_document_name or "signed.pdf"
                files.append((f"{record.name} {name}", b64decode(record.signed_document)))
            if record.signature:
                name = f"{record.name} {record.signed_by}.png"
                files.append((name, b64decode(record.signature)))
        return files

    @api.model
    def _get_proof_files(self, placement, proofs):
        """What is attached to the invoices, disputes and calls: delivery notes above all."""
        moves = placement.item_ids.move_id
        sources = [(move, move.name) for move in moves]
        sources += [(dispute, dispute.name) for dispute in proofs["disputes"]]
        sources += [(action, f"{action.date_done}") for action in proofs["actions"]]
        names = {(record._name, record.id): name for record, name in sources}
        known = moves.invoice_pdf_report_id | proofs["actions"].attachment_id
        attachments = self.env["ir.attachment"].search(
            fields.Domain.OR(
                fields.Domain("res_model", "=", records._name)
                & fields.Domain("res_id", "in", records.ids)
                for records in (moves, proofs["disputes"], proofs["actions"])
            )
            & fields.Domain("res_field", "=", False)
            & fields.Domain("type", "=", "binary"),
            order="id",
        )
        return [
            (f"{names[attachment.res_model, attachment.res_id]} {attachment.name}", attachment.raw)
            for attachment in attachments - known
        ]

    # The workbook

    @api.model
    def _make_workbook(self, placement, proofs):
        """Items, contacts and agreements as tables to reckon with."""
        buffer = io.BytesIO()
        workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
        bold = workbook.add_format({"bold": True, "bottom": 1})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        money = workbook.add_format({"num_format": "#,##0.00"})
        for title, heads, rows in self._get_tables(placement, proofs):
            sheet = workbook.add_worksheet(title[:31])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(heads) - 1, 18)
            sheet.write_row(0, 0, heads, bold)
            for number, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    if isinstance(value, float):
                        sheet.write_number(number, column, value, money)
                    elif hasattr(value, "year"):
                        sheet.write_datetime(number, column, value, day)
                    else:
                        sheet.write_string(number, column, value or "")
        workbook.close()
        return buffer.getvalue()

    @api.model
    def _get_tables(self, placement, proofs):
        """``[(title, column heads, rows)]`` of the workbook."""
        return [
            self._get_item_table(placement),
            self._get_contact_table(proofs),
            self._get_agreement_table(proofs),
            self._get_dispute_table(proofs),
        ]

    @api.model
    def _get_item_table(self, placement):
        heads = [
            self.env._("Number"),
            self.env._("Date"),
            self.env._("Due Date"),
            self.env._("Invoice Amount"),
            self.env._("Placed"),
            self.env._("Currency"),
            self.env._("Placed in %s", placement.currency_id.name),
            self.env._("Still Open"),
        ]
        rows = [
            (
                item.name,
                item.move_id.invoice_date or item.move_line_id.date,
                item.due_date,
                float(item.move_id.amount_total),
                float(item.amount),
                item.currency_id.name,
                float(item.amount_company),
                float(item.residual),
            )
            for item in placement.item_ids
        ]
        return self.env._("Items"), heads, rows

    @api.model
    def _get_contact_table(self, proofs):
        heads = [
            self.env._("Date"),
            self.env._("Channel"),
            self.env._("Contact"),
            self.env._("Outcome"),
            self.env._("By"),
            self.env._("Amount Asked For"),
            self.env._("Items"),
            self.env._("Note"),
        ]
        rows = [
            (
                action.date_done,
                self._get_label(action, "channel"),
                action.contact_id.name,
                self._get_label(action, "outcome"),
                action.user_id.name,
                float(action.amount),
                ", ".join(filter(None, action.item_ids.mapped("name"))),
                action.note,
            )
            for action in proofs["actions"]
        ]
        return self.env._("Contacts"), heads, rows

    @api.model
    def _get_agreement_table(self, proofs):
        heads = [
            self.env._("Date"),
            self.env._("Kind"),
            self.env._("Amount"),
            self.env._("Currency"),
            self.env._("By"),
            self.env._("Status"),
        ]
        promise, plan, paper = (
            self.env._("Promise to Pay"),
            self.env._("Payment Plan"),
            self.env._("Debt Acknowledgement"),
        )
        agreements = [
            *((one, promise, one.date_made, one.amount, one.date) for one in proofs["promises"]),
            *(
                (one, f"{plan} {one.name}", one.date_accepted, one.amount_total, one.signed_by)
                for one in proofs["plans"]
            ),
            *(
                (one, f"{paper} {one.name}", one.date_signed, one.amount, one.signed_by)
                for one in proofs["acknowledgements"]
            ),
        ]
        rows = [
            (day, kind, float(amount), one.currency_id.name, by, self._get_label(one, "state"))
            for one, kind, day, amount, by in agreements
        ]
        return self.env._("Agreements"), heads, rows

    @api.model
    def _get_dispute_table(self, proofs):
        heads = [
            self.env._("Number"),
            self.env._("Date"),
            self.env._("Reason"),
            self.env._("Amount"),
            self.env._("Status"),
            self.env._("Decision"),
        ]
        rows = [
            (
                dispute.name,
                dispute.date,
                dispute.reason_id.name,
                float(dispute.amount),
                self._get_label(dispute, "state"),
                dispute.decision_note,
            )
            for dispute in proofs["disputes"]
        ]
        return self.env._("Disputes"), heads, rows

    @api.model
    def _get_label(self, record, name):
        """The words of a selection field of a record."""
        return dict(record._fields[name]._description_selection(self.env)).get(record[name])
