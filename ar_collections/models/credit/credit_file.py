from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

LIMIT_FIELDS = (
    "grade_id",
    "limit_mode",
    "custom_limit",
    "temporary_limit",
    "temporary_limit_end",
    "cover_amount",
)
# Collectors keep the contacts of a file; what it allows is the credit manager's.
MANAGER_FIELDS = (
    *LIMIT_FIELDS,
    "limit_expiry",
    "limit_reason",
    "parent_id",
    "group_limited",
    "group_limit",
    "next_review_date",
    "policy_id",
    "collector_id",
    "dispute_days",
    "late_charge_mode",
    "late_charge_rate",
    "hold",
    "hold_reason",
)


# States of a review that is under way: a file has one at most.
OPEN = ("draft", "submitted")
# What follows case and file when two customers become one, and what of it goes on in the case.
NOT_CLOSED = [("date_closed", "=", False)]
AGREED_MODELS = {
    "ar.payment.promise": NOT_CLOSED,
    "ar.payment.plan": NOT_CLOSED,
    "ar.dispute": NOT_CLOSED,
    "ar.placement": NOT_CLOSED,
    "ar.legal.decision": [("state", "=", "draft")],
}
FILE_MODELS = (
    "ar.credit.cover",
    "ar.credit.history",
    "ar.credit.release",
    *AGREED_MODELS,
    "ar.debt.acknowledgement",
    "ar.writeoff.request",
)


class ArCreditFile(models.Model):
    """What a company knows and decided about the credit of one customer."""

    _name = "ar.credit.file"
    _inherit = ["ar.readonly.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Credit File"
    _order = "overdue_amount desc, id"
    _rec_name = "partner_id"
    _check_company_auto = True
    _creation_fields = ("partner_id", "company_id")

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        domain=[("parent_id", "=", False)],
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Credit Grade",
        tracking=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        default=lambda self: self.env["ar.credit.grade"]._default(self.env.company.root_id),
    )
    score = fields.Float(readonly=True, tracking=True)
    policy_id = fields.Many2one(
        "ar.collection.policy",
        string="Collection Policy",
        tracking=True,
        check_company=True,
        help="For this customer only. Leave empty to follow the grade.",
    )
    collector_id = fields.Many2one("res.users", tracking=True, index=True)
    next_review_date = fields.Date(tracking=True)

    control_tick = fields.Integer(
        readonly=True, help="Counts the documents that passed the credit control under a limit."
    )

    last_contact_date = fields.Date(
        string="Last Contact", readonly=True, help="By any step or call, courtesy messages too."
    )
    dispute_days = fields.Integer(
        string="Dispute Window (days)",
        tracking=True,
        help="By contract with this customer. Zero for the window of the payment term or company.",
    )
    dunning_contact_id = fields.Many2one(
        "res.partner", help="Gets the reminders, instead of the invoice address."
    )
    payer_id = fields.Many2one("res.partner", help="Makes the payments.")
    decision_maker_id = fields.Many2one("res.partner", help="Decides what is paid and when.")
    deputy_id = fields.Many2one("res.partner", help="Signs when the decision maker is away.")
    legal_contact_id = fields.Many2one("res.partner")

    _partner_company_uniq = models.UniqueIndex(
        "(partner_id, company_id)", "This customer already has a credit file in this company."
    )

    @api.constrains("partner_id", "company_id")
    def _check_root(self):
        for file in self:
            if file.partner_id != file.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact: the credit file belongs to %(customer)s.",
                        contact=file.partner_id.display_name,
                        customer=file.partner_id.commercial_partner_id.display_name,
                    )
                )
            if file.company_id.parent_id:
                raise ValidationError(
                    self.env._(
                        "%(branch)s is a branch: the credit file belongs to %(company)s.",
                        branch=file.company_id.display_name,
                        company=file.company_id.root_id.display_name,
                    )
                )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        if any(not vals.keys().isdisjoint(MANAGER_FIELDS) for vals in vals_list):
            self._check_manager()
        files = super().create([{**self._limit_in_use(vals), **vals} for vals in vals_list])
        files._push_limit()
        files._record_history()
        return files

    @api.model
    def _limit_in_use(self, vals):
        """A credit limit that the customer has in Odoo already stays, as a custom limit."""
        company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company.root_id
        partner = (
            self.env["res.partner"].sudo().with_company(company).browse(vals.get("partner_id"))
        )
        default = partner._fields["credit_limit"].get_company_dependent_fallback(partner) or 0
        limit = partner.credit_limit
        if limit == default:
            return {}
        return {"limit_mode": "custom" if limit else "unlimited", "custom_limit": limit}

    def write(self, vals):
        if not vals.keys().isdisjoint(MANAGER_FIELDS):
            self._check_manager()
        limits = not vals.keys().isdisjoint(LIMIT_FIELDS)
        if limits:
            # The reason that is there belongs to the limit that was.
            vals = {"limit_reason": False, **vals}
        result = super().write(vals)
        if "hold" in vals and "hold_cause" not in vals:
            self._sign_hold(vals["hold"])
        if limits:
            self._push_limit()
            self._record_history()
        if not vals.keys().isdisjoint(("grade_id", "policy_id")):
            self.env["ar.collection.case"]._match_policies(self)
        return result

    @api.model
    def _for(self, partner, company, create=False):
        """The credit file of the customer, made on demand when ``create``.

        :param partner: any contact of the customer
        :param company: a company or branch
        """
        partner, company = partner.commercial_partner_id, company.root_id
        file = self.search([("partner_id", "=", partner.id), ("company_id", "=", company.id)])
        if not file and create:
            file = self.create({"partner_id": partner.id, "company_id": company.id})
        return file

    @api.model
    def _merge_customers(self, sources, target):
        """Bring the files and cases of customers that are merged under one customer.

        Of several files or open cases in one company one stays: the target's when it has one.
        """
        customers = sources | target
        cases = self.env["ar.collection.case"].search([("partner_id", "in", customers.ids)])
        for company, files in (
            self.search([("partner_id", "in", customers.ids)]).grouped("company_id").items()
        ):
            file = files.filtered(lambda file: file.partner_id == target) or files[:1]
            held = files.filtered("hold")[:1]
            if held and not file.hold:
                file._set_hold(held.hold_reason, held.hold_date, held.hold_cause)
            company_cases = cases.filtered(lambda case, company=company: case.company_id == company)
            opened = company_cases.filtered(lambda case: case.state != "closed")
            case = opened.filtered(lambda case: case.partner_id == target) or opened[:1]
            (opened - case).write(
                {
                    "state": "closed",
                    "close_reason": "cancelled",
                    "date_closed": company._ar_today(),
                }
            )
            company_cases.write({"file_id": file.id, "partner_id": target.id})
            # What is still open with a customer goes on in the case that stays.
            for model, going_on in AGREED_MODELS.items():
                self.env[model].search(
                    [("case_id", "in", (opened - case).ids), *going_on]
                ).case_id = case
            doubles = files - file
            doubles.review_ids._move_to(file)
            for model in FILE_MODELS:
                self.env[model].search([("file_id", "in", doubles.ids)]).file_id = file
            self._refresh_writeoffs(file)
            doubles.member_ids.parent_id = file
            doubles.unlink()
            file.partner_id = target
        self.env["ar.collection.action"].search([("partner_id", "in", sources.ids)]).write(
            {"partner_id": target.id}
        )

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(
                self.env._("Grade, limit, policy, collector and hold are set by a credit manager.")
            )

    # Screens

    def action_open_partner(self):
        self.ensure_one()
        return self.partner_id.get_formview_action()

    def action_open_items(self):
        """Open the unpaid receivable journal items of the customer."""
        self.ensure_one()
        return self.partner_id._ar_action_open_items(self.company_id)
