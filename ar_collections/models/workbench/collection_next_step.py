from datetime import timedelta

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN

# A payment that the customer tells of may be booked a little earlier or later.
MATCH_DAYS = 10
RECALL_DAYS = 2
# Stages in which we chase by ourselves: the next of them follows without asking.
OWN_STAGES = ("reminder", "phone", "visit", "final")


class ArCollectionAction(models.Model):
    """What each excuse starts when the call is done."""

    _inherit = "ar.collection.action"

    # Promise to pay

    def _next_promise(self, date):
        if not self.promise_amount:
            self._go_on(date)

    def _go_on(self, date):
        """Who names no date and no amount goes to the next stage, as far as we chase ourselves.

        Whoever hands a case to others, or may not leave a stage yet, decides that in person.
        """
        case = self.case_id
        stages = self.env["ar.collection.stage"].search([("active", "=", True)])
        later = stages[stages.ids.index(case.stage_id.id) + 1 :] if case.stage_id in stages else []
        if later and later[0].kind in OWN_STAGES:
            try:
                case.stage_id = later[0]
                return
            except UserError as error:
                reason = str(error)
        else:
            reason = self.env._("Decide on the next stage.")
        self._tell_collector(date, self.env._("No date, no amount was promised. %s", reason))

    def _next_reorganisation(self, date):
        """Debts go along with the firm: with a day, and with the name of who pays from then on."""
        self._next_promise(date)
        self._tell_collector(
            self._working_day(date, RECALL_DAYS),
            self.env._(
                "Check the new legal entity: who owes this from now on? %s", self.note or ""
            ),
        )

    def _make_promise(self):
        return self.env["ar.payment.promise"].create(
            {
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "amount": self.promise_amount,
                "currency_id": self.promise_currency_id.id,
                "date": self.promise_date,
                "contact_id": self.contact_id.id,
                "action_id": self.id,
                "note": self.note,
            }
        )

    # Danger signs

    def _next_credit_review(self, date):
        self._open_review(date)

    def _open_review(self, date):
        note = self.env._("“%(excuse)s” %(note)s", excuse=self.excuse_id.name, note=self.note or "")
        return self.env["ar.credit.review"]._open_for(self.case_id.file_id, "excuse", note, date)

    def _next_acknowledgement_plan(self, date):
        """Real or not: in writing, in instalments, and no more credit until it is settled."""
        values = {"action_id": self.id, "contact_id": self.contact_id.id}
        self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id, **values}
        )
        for plan in self.case_id._draft_plans(**values).filtered("item_ids"):
            plan._distribute()
        # What the customer says decides on the hold, not the rights of who listens.
        file = self.case_id.file_id.sudo()
        if not file.hold:
            file._set_hold(self.excuse_id.name, date)
        self._open_review(date)

    # Disputes

    def _next_dispute(self, date):
        parts = self.env["ar.dispute.line"]._undisputed(self.disputed_item_ids)
        if not parts:
            raise UserError(self.env._("These items are paid or in dispute already."))
        self.env["ar.dispute"].create(
            {
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "reason_id": self.dispute_reason_id.id,
                "description": self.note,
                "contact_id": self.contact_id.id,
                "action_id": self.id,
                "line_ids": [
                    Command.create({"move_line_id": item.id, "amount": amount})
                    for item, amount in parts.items()
                ],
            }
        )

    # Other people

    def _next_deputy_call(self, date):
        self.case_id.file_id.deputy_id = self._other_contact()
        self._call_other(self._working_day(date, RECALL_DAYS))

    def _next_other_department(self, date):
        self._call_other(self._working_day(date, 1))

    def _call_other(self, date):
        call = self.sudo()._call_again(date)
        call.contact_id = self._other_contact()

    def _other_contact(self):
        """Who was named: a contact that is known, or a new one of the customer."""
        # Collectors note whom customers name, also without rights on the address book.
        call = self.sudo()
        if not call.other_contact_id:
            call.other_contact_id = call.env["res.partner"].create(
                {
                    "name": call.other_name,
                    "phone": call.other_phone,
                    "parent_id": call.partner_id.id,
                    "lang": call.partner_id.lang,
                }
            )
        elif not call.other_contact_id.phone:
            call.other_contact_id.phone = call.other_phone
        return self.other_contact_id

    def _call_again(self, date, note=None):
        return self.case_id._plan_call(date, note or self.note or self.summary, self.user_id)

    def _working_day(self, date, days):
        return self.company_id._ar_working_day(date, days)

    # Paid already

    def _next_payment_match(self, date):
        """Say what was found, and call again when it is not settled by then."""
        found = self._find_payments()
        note = self.env._(
            "The customer says to have paid %(amount)s on %(date)s (%(reference)s).",
            amount=format_amount(self.env, self.paid_amount, self.currency_id),
            date=format_date(self.env, self.paid_date),
            reference=self.paid_reference or self.env._("no reference"),
        )
        if found:
            names = ", ".join(line.move_name or line.name or "" for line in found.sudo())
            note += " " + self.env._("This may be it: %s.", names)
            self._tell_collector(date, note)
        self.sudo()._call_again(self._working_day(date, RECALL_DAYS), note)

    def _find_payments(self):
        """Open credits that may be the payment: amount first, then reference, then day.

        Those of this customer, and those of nobody, from the bank.

        :return: journal items, the likeliest first, five at most
        """
        if not self.paid_amount:
            return self.env["account.move.line"]
        # The collector sees the payment that is asked for, not the bank.
        lines = self.env["account.move.line"].sudo()
        domain = [
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("balance", "<", 0),
            ("company_id", "child_of", self.company_id.id),
            "|",
            "&",
            "&",
            *TRADE_RECEIVABLE_DOMAIN,
            ("partner_id", "child_of", self.partner_id.id),
            "&",
            "&",
            ("statement_line_id.is_reconciled", "=", False),
            # The bank's own line of what we paid is a credit too.
            ("statement_line_id.amount", ">", 0),
            "|",
            ("partner_id", "=", False),
            ("partner_id", "child_of", self.partner_id.id),
        ]
        if self.paid_date:
            domain += [
                ("date", ">=", self.paid_date - timedelta(days=MATCH_DAYS)),
                ("date", "<=", self.paid_date + timedelta(days=MATCH_DAYS)),
            ]
        reference = (self.paid_reference or "").strip().lower()

        def likeness(line):
            # What is on an account that is not reconciled, as a bank's suspense, has no residual.
            amounts = (
                (self.currency_id, line.amount_residual or line.balance),
                (line.currency_id, line.amount_residual_currency or line.amount_currency),
            )
            # The customer may tell the amount in its own currency.
            same = any(
                not currency.compare_amounts(abs(amount), self.paid_amount)
                for currency, amount in amounts
            )
            text = f"{line.name or ''} {line.ref or ''} {line.move_name or ''}".lower()
            return same, bool(reference) and reference in text

        found = lines.search(domain, limit=200).filtered(lambda line: any(likeness(line)))
        if self.paid_date:
            found = found.sorted(lambda line: abs((line.date - self.paid_date).days))
        found = found.sorted(likeness, reverse=True)
        return found[:5].with_env(self.env)

    # Our own part

    def _next_policy_mail(self, date):
        self._mail_to_contact("ar_collections.mail_template_credit_policy")

    def _mail_to_contact(self, template):
        """Write to who was spoken to; the message stays on the case as proof."""
        recipients = self.sudo()._recipients("email")
        contact = self.contact_id.filtered("email") or recipients[self]
        if not contact:
            raise UserError(self.env._("The customer has no e-mail address."))
        template = self.env.ref(template).sudo()
        subject = template._render_field("subject", self.ids, compute_lang=True)[self.id]
        body = template._render_field("body_html", self.ids, compute_lang=True)[self.id]
        self.case_id.message_post(
            subject=subject,
            body=body,
            partner_ids=contact.ids,
            subtype_xmlid="mail.mt_note",
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _next_resend_invoice(self, date):
        """Put the order number on the invoices and send them at once, freshly printed."""
        invoices = self.invoice_ids
        # Whoever talks to the customer need not have the right to change invoices.
        invoices.sudo().write({"ref": self.order_number})
        recipients = self.sudo()._recipients("email")
        contact = self.contact_id.filtered("email") or recipients[self]
        if not contact:
            raise UserError(self.env._("The customer has no e-mail address."))
        reports = self.env["ir.actions.report"].sudo().with_context(report_pdf_no_attachment=True)
        texts = (
            self.env.ref("account.email_template_edi_invoice")
            .sudo()
            ._generate_template(invoices.ids, ("subject", "body_html"))
        )
        for invoice in invoices.sudo():
            content, kind = reports._render("account.account_invoices", invoice.ids)
            invoice.message_post(
                subject=texts[invoice.id]["subject"],
                body=texts[invoice.id]["body_html"],
                partner_ids=contact.ids,
                attachments=[(f"{invoice.name.replace('/', '-')}.{kind}", content)],
                subtype_xmlid="mail.mt_comment",
                email_layout_xmlid="mail.mail_notification_layout_with_responsible_signature",
            )

    def _tell_collector(self, date, note):
        self.case_id.sudo().activity_schedule(
            "ar_collections.activity_task",
            date,
            summary=self.excuse_id.name,
            note=note,
            user_id=(self.case_id.collector_id or self.user_id or self.env.user).id,
        )
