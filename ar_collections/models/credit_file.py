from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import format_amount, format_date

from .credit_grade import RISK_TIERS

LIMIT_FIELDS = (
    "grade_id",
    "limit_mode",
    "custom_limit",
    "temporary_limit",
    "temporary_limit_end",
)
# Collectors keep the contacts of a file; what it allows is the credit manager's.
MANAGER_FIELDS = (
    *LIMIT_FIELDS,
    "policy_id",
    "collector_id",
    "hold",
    "hold_reason",
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
    risk_tier = fields.Selection(
        RISK_TIERS, compute="_compute_risk_tier", store=True, index=True, tracking=True
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

    limit_mode = fields.Selection(
        [("grade", "By grade"), ("custom", "Custom"), ("unlimited", "Unlimited")],
        string="Credit Limit",
        default="grade",
        required=True,
        tracking=True,
    )
    custom_limit = fields.Monetary(tracking=True, help="Zero means no credit at all.")
    temporary_limit = fields.Monetary(
        tracking=True, help="Replaces any other limit until its end date."
    )
    temporary_limit_end = fields.Date(
        string="Temporary Limit Until", tracking=True, index="btree_not_null"
    )
    is_limited = fields.Boolean(compute="_compute_effective_limit", store=True)
    effective_limit = fields.Monetary(compute="_compute_effective_limit", store=True)

    hold = fields.Boolean(string="Credit Hold", index=True, tracking=True)
    hold_reason = fields.Char(tracking=True)
    hold_date = fields.Date(string="Held Since", readonly=True)
    hold_user_id = fields.Many2one("res.users", string="Held By", readonly=True)
    hold_automatic = fields.Boolean(
        readonly=True, help="Set by a stage: lifted when the collection case closes."
    )

    last_contact_date = fields.Date(
        string="Last Contact", readonly=True, help="By any step or call, courtesy messages too."
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
    _limits = models.Constraint(
        "CHECK(custom_limit >= 0 AND temporary_limit >= 0)", "A limit cannot be negative."
    )

    # Computes

    @api.depends("grade_id.risk_tier")
    def _compute_risk_tier(self):
        for file in self:
            file.risk_tier = file.grade_id.risk_tier

    @api.depends(
        "limit_mode",
        "custom_limit",
        "temporary_limit",
        "temporary_limit_end",
        "avg_monthly_sales",
        "grade_id.limit_rule",
        "grade_id.limit_amount",
        "grade_id.limit_months",
        "grade_id.limit_cap",
    )
    def _compute_effective_limit(self):
        defaults = {company: company._ar_default_credit_limit() for company in self.company_id}
        for file in self:
            if file.temporary_limit_end:
                limit = file.temporary_limit
            elif file.limit_mode == "unlimited":
                limit = None
            elif file.limit_mode == "custom":
                limit = file.custom_limit
            else:
                limit = file.grade_id._limit(file.avg_monthly_sales, defaults.get(file.company_id))
            file.is_limited = limit is not None
            file.effective_limit = limit or 0

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

    @api.constrains("temporary_limit", "temporary_limit_end")
    def _check_temporary_limit(self):
        for file in self:
            if file.temporary_limit and not file.temporary_limit_end:
                raise ValidationError(self.env._("A temporary limit needs an end date."))

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        if any(not vals.keys().isdisjoint(MANAGER_FIELDS) for vals in vals_list):
            self._check_manager()
        files = super().create(vals_list)
        files._push_limit()
        return files

    def write(self, vals):
        if not vals.keys().isdisjoint(MANAGER_FIELDS):
            self._check_manager()
        result = super().write(vals)
        if "hold" in vals and "hold_date" not in vals:
            self._sign_hold(vals["hold"])
        if not vals.keys().isdisjoint(LIMIT_FIELDS):
            self._push_limit()
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
                file._set_hold(held.hold_reason, held.hold_date, held.hold_automatic)
            company_cases = cases.filtered(lambda case, company=company: case.company_id == company)
            opened = company_cases.filtered(lambda case: case.state != "closed")
            case = opened.filtered(lambda case: case.partner_id == target) or opened[:1]
            doubles = opened - case
            doubles.write(
                {
                    "state": "closed",
                    "close_reason": "cancelled",
                    "date_closed": company._ar_today(),
                }
            )
            company_cases.write({"file_id": file.id, "partner_id": target.id})
            (files - file).unlink()
            file.partner_id = target
        self.env["ar.collection.action"].search([("partner_id", "in", sources.ids)]).write(
            {"partner_id": target.id}
        )

    # Limit

    def _push_limit(self):
        """Write the effective limit through to Odoo's own credit limit.

        There, zero means unlimited: no credit at all becomes the smallest amount.
        """
        for company, files in self.sudo().grouped("company_id").items():
            for branch in self.env["res.company"].sudo().search([("id", "child_of", company.id)]):
                for file in files:
                    limit = 0.0
                    if file.is_limited:
                        limit = file.effective_limit or company.currency_id.rounding
                    partner = file.partner_id.with_company(branch)
                    if partner.credit_limit != limit:
                        partner._write_credit_limit(limit)
        self._refresh_limit_use()

    def _end_temporary_limits(self, companies, date):
        """Temporary limits that ended before the date go back to the ordinary limit."""
        self.search(
            [
                ("company_id", "in", companies.ids),
                ("temporary_limit_end", "<", date),
            ]
        ).write({"temporary_limit": 0, "temporary_limit_end": False})

    # Hold

    def action_hold(self):
        self._check_manager()
        self.check_access("write")
        for file in self.filtered(lambda file: not file.hold):
            reason = self.env._("Held by hand")
            file.sudo()._set_hold(reason, file.company_id._ar_today())

    def action_release_hold(self):
        self._check_manager()
        self.check_access("write")
        self.sudo()._lift_hold()

    def _sign_hold(self, hold):
        """Note who set a hold by hand, and when; forget it all when it is lifted."""
        for company, files in self.sudo().grouped("company_id").items():
            signature = {"hold_date": company._ar_today(), "hold_user_id": self.env.uid}
            nobody = {"hold_date": False, "hold_user_id": False, "hold_reason": False}
            files.write({**(signature if hold else nobody), "hold_automatic": False})

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(
                self.env._("Grade, limit, policy, collector and hold are set by a credit manager.")
            )

    def _set_hold(self, reason, date, automatic=False):
        """Hold the customers' credit; a hold that is there stays as it is."""
        files = self.filtered(lambda file: not file.hold)
        # A first run may hold a thousand at once: one batch of log notes instead of tracking.
        files.with_context(tracking_disable=True).write(
            {
                "hold": True,
                "hold_reason": reason,
                "hold_date": date,
                "hold_user_id": self.env.uid,
                "hold_automatic": automatic,
            }
        )
        body = self.env._("Credit hold: %s", reason)
        files._message_log_batch(bodies=dict.fromkeys(files.ids, body))

    def _lift_hold(self):
        self.filtered("hold").write(
            {
                "hold": False,
                "hold_reason": False,
                "hold_date": False,
                "hold_user_id": False,
                "hold_automatic": False,
            }
        )

    # Screens

    def action_open_partner(self):
        self.ensure_one()
        return self.partner_id.get_formview_action()

    def action_open_items(self):
        """Open the unpaid receivable journal items of the customer."""
        self.ensure_one()
        return self.partner_id._ar_action_open_items(self.company_id)

    def _banner(self, amount=0.0):
        """What somebody about to give this customer more credit must see.

        :param amount: of the document at hand, company currency
        :return: ``(level, text)`` with level ``danger``, ``warning`` or ``info``, or ``None``
        """
        self.ensure_one()

        def money(value):
            return format_amount(self.env, value, self.currency_id)

        level, facts = None, []
        exposure = self.exposure + amount
        if self.overdue_amount > 0:
            level = "warning"
            facts.append(
                self.env._(
                    "%(amount)s overdue since %(days)s days.",
                    amount=money(self.overdue_amount),
                    days=self.days_overdue,
                )
            )
        if self.is_limited and self.currency_id.compare_amounts(exposure, self.effective_limit) > 0:
            level = "warning"
            facts.append(
                self.env._(
                    "Exposure with this document %(exposure)s is over the credit limit %(limit)s.",
                    exposure=money(exposure),
                    limit=money(self.effective_limit),
                )
            )
        if self.hold:
            level = "danger"
            facts.insert(
                0,
                self.env._(
                    "Credit hold since %(date)s: %(reason)s.",
                    date=format_date(self.env, self.hold_date),
                    reason=self.hold_reason,
                ),
            )
        if not facts:
            return None
        if self.grade_id:
            facts.append(self.env._("Credit grade %s.", self.grade_id.display_name))
        return level, " ".join(facts)
