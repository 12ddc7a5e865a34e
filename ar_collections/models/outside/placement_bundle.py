import io
import re
import zipfile
from base64 import b64decode
from email.message import EmailMessage
from email.utils import format_datetime

import xlsxwriter
from pytz import utc

from odoo import fields, models
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


class ArPlacement(models.Model):
    """The hand-over file: all that an agency or a court needs, in one zip with an index."""

    _inherit = "ar.placement"

    def action_bundle(self):
        """Build the hand-over file anew, keep it with the placement and download it."""
        self.ensure_one()
        self.check_access("write")
        # The papers of the claim belong to it, whatever else of the books its collector may see.
        placement = self.sudo()
        former = placement.bundle_id
        placement.bundle_id = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": clean_name(f"{self.name} {self.partner_id.name}.zip"),
                    "raw": placement._bundle(),
                    "mimetype": "application/zip",
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
        )
        former.unlink()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{placement.bundle_id.id}?download=true",
            "target": "download",
        }

    def _bundle(self):
        """The zip as bytes."""
        buffer, taken = io.BytesIO(), set()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
            for folder, name, content in self._bundle_files():
                inside = {path.rpartition("/")[2] for path in taken if path.startswith(folder)}
                path = folder + clean_name(name, inside)
                taken.add(path)
                bundle.writestr(path, content or b"")
        return buffer.getvalue()

    def _bundle_files(self):
        """``[(folder, name, content)]``, the index first."""
        index, extension = self.env["ir.actions.report"]._render(
            "ar_collections.report_placement_index", self.ids
        )
        proofs = self.with_context(bin_size=False)._proofs()
        folders = (
            (self.env._("Invoices"), self._invoice_files()),
            (self.env._("Letters and messages"), self._message_files(proofs)),
            (self.env._("Agreements"), self._signed_files(proofs)),
            (self.env._("Delivery and other proofs"), self._proof_files(proofs)),
        )
        return [
            ("", "00 " + self.env._("Index") + f".{extension}", index),
            ("", "01 " + self.env._("Account") + ".xlsx", self._account_workbook(proofs)),
            *((f"{folder}/", *file) for folder, files in folders for file in files),
        ]

    def _proofs(self):
        """What happened between us and the customer, oldest first, read in bulk.

        :return: dict of recordsets ``actions, promises, plans, acknowledgements, disputes``
        """
        own = [("partner_id", "=", self.partner_id.id), ("company_id", "=", self.company_id.id)]
        lines = self.item_ids.move_line_id.ids

        def search(model, items, *domain, order):
            of_item = fields.Domain(f"{items}.move_line_id", "in", lines)
            of_case = fields.Domain("case_id", "=", self.case_id.id or 0)
            return self.env[model].search(
                fields.Domain(own) & (of_item | of_case) & fields.Domain(list(domain)), order=order
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

    def _invoice_files(self):
        """The legal PDF of each invoice; those that have none yet are printed together."""
        moves = self.item_ids.move_id.filtered(lambda move: move.is_sale_document())
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

    def _message_files(self, proofs):
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
                files.append((f"{name}.eml", self._mail_file(action, message)))
        return files

    def _mail_file(self, action, message):
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

    def _signed_files(self, proofs):
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

    def _proof_files(self, proofs):
        """What is attached to the invoices, disputes and calls: delivery notes above all."""
        moves = self.item_ids.move_id
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

    def _account_workbook(self, proofs):
        """Items, contacts and agreements as tables to reckon with."""
        buffer = io.BytesIO()
        workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
        bold = workbook.add_format({"bold": True, "bottom": 1})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        money = workbook.add_format({"num_format": "#,##0.00"})
        for title, heads, rows in self._account_tables(proofs):
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

    def _account_tables(self, proofs):
        """``[(title, column heads, rows)]``"""

        def label(record, name):
            return dict(record._fields[name]._description_selection(self.env)).get(record[name])

        return [
            (
                self.env._("Items"),
                [
                    self.env._("Number"),
                    self.env._("Date"),
                    self.env._("Due Date"),
                    self.env._("Invoice Amount"),
                    self.env._("Placed"),
                    self.env._("Currency"),
                    self.env._("Placed in %s", self.currency_id.name),
                    self.env._("Still Open"),
                ],
                [
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
                    for item in self.item_ids
                ],
            ),
            (
                self.env._("Contacts"),
                [
                    self.env._("Date"),
                    self.env._("Channel"),
                    self.env._("Contact"),
                    self.env._("Outcome"),
                    self.env._("By"),
                    self.env._("Amount Asked For"),
                    self.env._("Items"),
                    self.env._("Note"),
                ],
                [
                    (
                        action.date_done,
                        label(action, "channel"),
                        action.contact_id.name,
                        label(action, "outcome"),
                        action.user_id.name,
                        float(action.amount),
                        ", ".join(filter(None, action.item_ids.mapped("name"))),
                        action.note,
                    )
                    for action in proofs["actions"]
                ],
            ),
            (
                self.env._("Agreements"),
                [
                    self.env._("Date"),
                    self.env._("Kind"),
                    self.env._("Amount"),
                    self.env._("Currency"),
                    self.env._("By"),
                    self.env._("Status"),
                ],
                [
                    *(
                        (
                            promise.date_made,
                            self.env._("Promise to Pay"),
                            float(promise.amount),
                            promise.currency_id.name,
                            promise.date,
                            label(promise, "state"),
                        )
                        for promise in proofs["promises"]
                    ),
                    *(
                        (
                            plan.date_accepted,
                            self.env._("Payment Plan") + f" {plan.name}",
                            float(plan.amount_total),
                            plan.currency_id.name,
                            plan.signed_by,
                            label(plan, "state"),
                        )
                        for plan in proofs["plans"]
                    ),
                    *(
                        (
                            paper.date_signed,
                            self.env._("Debt Acknowledgement") + f" {paper.name}",
                            float(paper.amount),
                            paper.currency_id.name,
                            paper.signed_by,
                            label(paper, "state"),
                        )
                        for paper in proofs["acknowledgements"]
                    ),
                ],
            ),
            (
                self.env._("Disputes"),
                [
                    self.env._("Number"),
                    self.env._("Date"),
                    self.env._("Reason"),
                    self.env._("Amount"),
                    self.env._("Status"),
                    self.env._("Decision"),
                ],
                [
                    (
                        dispute.name,
                        dispute.date,
                        dispute.reason_id.name,
                        float(dispute.amount),
                        label(dispute, "state"),
                        dispute.decision_note,
                    )
                    for dispute in proofs["disputes"]
                ],
            ),
        ]
