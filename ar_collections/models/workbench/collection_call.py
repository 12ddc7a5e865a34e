from string import Template

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount, format_date

# What has to be known before a call with this next step is done, unless nobody was reached.
REQUIRED = {
    "credit_review": ("note",),
    "dispute": ("dispute_reason_id", "disputed_item_ids"),
    "deputy_call": ("other_name",),
    "payment_match": ("paid_date", "paid_amount"),
    "resend_invoice": ("order_number", "invoice_ids"),
    "other_department": ("other_name",),
}


class ArCollectionAction(models.Model):
    """A call: what to know before it, what was said, and what follows from it."""

    _inherit = "ar.collection.action"

    duration = fields.Integer(string="Minutes")
    call_again_date = fields.Date(string="Call Again On")
    excuse_id = fields.Many2one("ar.collection.excuse", index="btree_not_null", ondelete="restrict")
    excuse_meaning = fields.Text(related="excuse_id.meaning")
    excuse_questions = fields.Text(related="excuse_id.questions")
    excuse_script = fields.Text(string="Answer", compute="_compute_excuse_script")
    next_step = fields.Selection(related="excuse_id.next_step")
    is_own_fault = fields.Boolean(
        string="Own Fault", related="excuse_id.is_own_fault", store=True, depends=["excuse_id"]
    )
    salesperson_id = fields.Many2one(
        "res.users",
        compute="_compute_salesperson_id",
        store=True,
        help="Of the invoices, or else of the customer.",
    )
    # The answers to the questions.
    promise_date = fields.Date(string="Will Pay On")
    promise_amount = fields.Monetary(string="Will Pay", currency_field="promise_currency_id")
    promise_currency_id = fields.Many2one(
        "res.currency",
        string="Will Pay In",
        compute="_compute_promise_currency_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    dispute_reason_id = fields.Many2one(
        "ar.dispute.reason",
        compute="_compute_dispute_reason_id",
        store=True,
        readonly=False,
        ondelete="restrict",
    )
    disputed_item_ids = fields.Many2many(
        "account.move.line", "ar_action_disputed_item_rel", string="Disputed Items"
    )
    other_contact_id = fields.Many2one(
        "res.partner", string="Deputy or Colleague", ondelete="restrict"
    )
    other_name = fields.Char(
        string="Name of the Deputy or Colleague",
        compute="_compute_other_name",
        store=True,
        readonly=False,
    )
    other_phone = fields.Char(
        string="Phone of the Deputy or Colleague",
        compute="_compute_other_phone",
        store=True,
        readonly=False,
    )
    paid_date = fields.Date(string="Says to Have Paid On")
    paid_amount = fields.Monetary(string="Says to Have Paid")
    paid_reference = fields.Char(string="With Reference")
    order_number = fields.Char()
    invoice_ids = fields.Many2many("account.move", "ar_action_invoice_rel", string="Invoices")
    match_ids = fields.Many2many(
        "account.move.line", compute="_compute_match_ids", string="Payments Found"
    )
    # Before the call.
    case_item_ids = fields.Many2many(
        related="case_id.open_item_ids", string="Overdue Items", related_sudo=False
    )
    prepare_contacts = fields.Html(string="Who to Speak To", compute="_compute_prepare")
    prepare_history = fields.Html(string="What Was Said", compute="_compute_prepare")

    _positive_answers = models.Constraint(
        "CHECK(duration >= 0 AND promise_amount >= 0 AND paid_amount >= 0)",
        "Minutes and amounts cannot be negative.",
    )

    @api.depends("company_id")
    def _compute_promise_currency_id(self):
        for action in self:
            action.promise_currency_id = action.company_id.currency_id

    @api.depends("excuse_id")
    def _compute_dispute_reason_id(self):
        for action in self:
            action.dispute_reason_id = (
                action.dispute_reason_id or action.excuse_id.dispute_reason_id
            )

    @api.depends("other_contact_id")
    def _compute_other_name(self):
        for action in self:
            action.other_name = action.other_contact_id.name or action.other_name

    @api.depends("other_contact_id")
    def _compute_other_phone(self):
        for action in self:
            action.other_phone = action.other_contact_id.phone or action.other_phone

    @api.depends("partner_id", "invoice_ids")
    def _compute_salesperson_id(self):
        for action in self:
            # Who wrote the invoices that were wrong is known without rights on them.
            sellers = action.sudo().invoice_ids.invoice_user_id
            action.salesperson_id = sellers[:1] or action.partner_id.user_id

    @api.depends("excuse_id", "case_id", "contact_id")
    def _compute_excuse_script(self):
        """The answer in the customer's language, with the figures of the case."""
        for action in self:
            lang = action.partner_id.lang or self.env.lang
            excuse = action.excuse_id.with_context(lang=lang)
            case = action.case_id.with_context(lang=lang)
            names = case.open_item_ids.sudo().mapped("move_name")
            action.excuse_script = Template(excuse.script or "").safe_substitute(
                amount=format_amount(case.env, case.amount_overdue, case.currency_id),
                days=case.days_overdue,
                oldest_due=format_date(case.env, case.oldest_due_date),
                invoices=", ".join(filter(None, names[:3])),
                contact=action.contact_id.name or action.partner_id.name or "",
                company=action.company_id.name or "",
            )

    def _compute_prepare(self):
        """Who decides and who signs when away; the last promises and excuses."""
        qweb = self.env["ir.qweb"]
        for action in self:
            file, case = action.case_id.file_id, action.case_id
            partner = action.partner_id
            contacts = [
                (self.env._("Decides"), file.decision_maker_id),
                (self.env._("Signs when away"), file.deputy_id),
                (self.env._("Pays"), file.payer_id),
                (self.env._("Gets the reminders"), file.dunning_contact_id),
                (self.env._("Legal"), file.legal_contact_id),
                (self.env._("Customer"), partner),
            ]
            values = {
                "contacts": [(role, contact) for role, contact in contacts if contact],
                "case": case,
                "terms": partner.with_company(action.company_id).property_payment_term_id,
                "promises": file.promise_ids[:3],
                "calls": case.action_ids.filtered(
                    lambda other: other.state == "done" and other.channel in ("call", "visit")
                )[:3],
                "day": lambda date: format_date(self.env, date),
                "money": lambda amount, currency: format_amount(self.env, amount, currency),
            }
            action.prepare_contacts = qweb._render("ar_collections.call_contacts", values)
            action.prepare_history = qweb._render("ar_collections.call_history", values)

    @api.depends("paid_amount", "paid_date", "paid_reference", "next_step")
    def _compute_match_ids(self):
        for action in self:
            found = action.next_step == "payment_match" and action._find_payments()
            action.match_ids = found and found._filtered_access("read")

    # Doing it

    def action_done(self):
        # EXTENDS ar_collections: an excuse starts its next step
        for action in self:
            action._check_answers()
        result = super().action_done()
        for action in self:
            date = action.company_id._ar_today()
            if action.call_again_date and action.case_id:
                action.sudo()._call_again(action.call_again_date)
            if action._was_reached():
                if action.promise_amount:
                    action._make_promise()
                if action.excuse_id:
                    getattr(action, f"_next_{action.next_step}")(date)
        return result

    def action_done_and_next(self):
        """The call is done, and with it the case for today."""
        self.action_done()
        return self.case_id.action_next_case()

    def _was_reached(self):
        return self.outcome not in ("no_answer", "wrong_person")

    def _check_answers(self):
        """The next step of an excuse needs the answers to its questions."""
        if self.outcome == "call_back" and not self.call_again_date:
            raise UserError(self.env._("Enter the day on which you call again."))
        if not self.excuse_id or not self._was_reached():
            return
        if not self.case_id:
            raise UserError(self.env._("An excuse belongs to a call on a case."))
        missing = [
            self._fields[name]._description_string(self.env)
            for name in REQUIRED.get(self.next_step, ())
            if not self[name]
        ]
        if missing:
            raise UserError(
                self.env._(
                    "After “%(excuse)s” ask for: %(missing)s.",
                    excuse=self.excuse_id.name,
                    missing=", ".join(missing),
                )
            )

    @api.constrains("promise_date", "promise_amount")
    def _check_promise(self):
        for action in self:
            if bool(action.promise_date) != bool(action.promise_amount):
                raise ValidationError(self.env._("A promise needs a day and an amount."))

    @api.constrains("disputed_item_ids", "invoice_ids")
    def _check_own_items(self):
        for action in self:
            invoices = action.invoice_ids.sudo()
            items = action.disputed_item_ids.sudo() | invoices.line_ids
            if (
                items.partner_id.commercial_partner_id - action.partner_id
                or items.company_id.root_id - action.company_id
                or not all(
                    invoice.state == "posted" and invoice.is_sale_document(include_receipts=True)
                    for invoice in invoices
                )
            ):
                raise ValidationError(
                    self.env._("These are not all items of %s.", action.partner_id.display_name)
                )
