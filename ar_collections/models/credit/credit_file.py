from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_amount

from ..common.optional_float import OptionalFloat
from .credit_authority import MANAGER_FIELDS
from .credit_grade import RISK_FIELDS, RISK_TIERS, RULE_FIELDS, TIERS
from .credit_limit import (
    LIMIT_FIELDS,
    LIMIT_MODES,
    RISK_LIMIT_FIELDS,
    LimitTerms,
    agreed_limit,
    effective_limit,
    is_young,
)

# States of a review that is under way: a file has one at most.
REVIEW_OPEN = ("draft", "submitted")
SUGGESTED_WAYS = [
    ("negotiate", "Able and willing: negotiate"),
    ("instalments", "Willing, not able: instalments"),
    ("firm", "Able, not willing: be firm"),
    ("legal", "Neither: legal steps"),
]


class ArCreditFile(models.Model):
    """What a company knows and decided about the credit of one customer."""

    _name = "ar.credit.file"
    _inherit = [
        "ar.ledger.follower",
        "ar.readonly.mixin",
        "ar.credit.held",
        "ar.credit.offered",
        "mail.thread",
        "mail.activity.mixin",
    ]
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
        default=lambda self: self.env["ar.credit.grade"]._get_default_grade(
            self.env.company.root_id
        ),
    )
    collector_id = fields.Many2one("res.users", tracking=True, index=True)
    next_review_date = fields.Date(tracking=True)

    # The limit

    limit_mode = fields.Selection(
        LIMIT_MODES,
        string="Credit Limit",
        default="grade",
        required=True,
        tracking=True,
    )
    custom_limit = fields.Monetary(
        compute="_compute_custom_limit",
        store=True,
        readonly=False,
        tracking=True,
        help="Zero means no credit at all.",
    )
    limit_currency_id = fields.Many2one(
        "res.currency",
        string="Limit Agreed In",
        tracking=True,
        help="Of a custom limit in another currency than the company's: its amount follows the "
        "rate of the day.",
    )
    limit_in_currency = fields.Monetary(
        string="Limit in That Currency", currency_field="limit_currency_id", tracking=True
    )
    temporary_limit = fields.Monetary(
        tracking=True, help="Replaces any other limit until its end date."
    )
    temporary_limit_end = fields.Date(
        string="Temporary Limit Until", tracking=True, index="btree_not_null"
    )
    limit_expiry = fields.Date(
        string="Limit Valid Until",
        tracking=True,
        help="After that day the grade says what happens to documents that give credit.",
    )
    limit_reason = fields.Char(
        string="Reason of Grade and Limit",
        tracking=True,
        help="Needed to give more credit; kept in the history together with grade and limit.",
    )
    raised_alone_date = fields.Date(
        string="Raised by One Person On",
        readonly=True,
        help="Grade or limit were raised within the tolerance of a role; the next raise is decided "
        "by a credit review.",
    )
    equity = OptionalFloat(
        readonly=True, aggregator=None, help="In the latest financial statement, at its rate."
    )
    customer_since = fields.Date(
        tracking=True, help="The first invoice, where a grade asks for it and nobody says more."
    )
    is_young = fields.Boolean(compute="_compute_is_young", store=True)
    is_limited = fields.Boolean(compute="_compute_effective_limit", store=True)
    effective_limit = fields.Monetary(compute="_compute_effective_limit", store=True)
    risk_text = fields.Char(
        string="By the Risk",
        compute="_compute_risk_text",
        help="What the grade does by itself as long as the risk lasts.",
    )
    # What of that stands in the chatter.
    risk_noted = fields.Char(readonly=True, copy=False)
    cover_ids = fields.One2many("ar.credit.cover", "file_id")
    statement_ids = fields.One2many("ar.credit.statement", "file_id")
    bank_line_ids = fields.One2many("ar.credit.bank.line", "file_id")
    cover_amount = fields.Monetary(
        string="Covered", readonly=True, help="What insurance, guarantees and deposits add."
    )
    uncovered_amount = fields.Monetary(
        string="Exposure Not Covered", compute="_compute_uncovered_amount"
    )
    financed_amount = fields.Monetary(
        string="Pledged or Factored",
        compute="_compute_financed_amount",
        help="Open items that were pledged or sold to a bank or factor.",
    )
    parent_id = fields.Many2one(
        "ar.credit.file",
        string="Group",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        domain="[('company_id', '=', company_id), ('id', '!=', id), ('parent_id', '=', False)]",
        help="The credit file of the customer that leads the group.",
    )
    member_ids = fields.One2many("ar.credit.file", "parent_id", string="Group Members")
    group_limited = fields.Boolean(
        string="Has a Group Limit", tracking=True, help="Zero is a limit as well: no credit."
    )
    group_limit = fields.Monetary(tracking=True)
    group_exposure = fields.Monetary(
        compute="_compute_group_exposure", help="Of this customer and all members of the group."
    )
    control_tick = fields.Integer(
        readonly=True, help="Counts the documents that passed the credit control under a limit."
    )

    # The figures: written by one statement for all customers, never by hand

    open_amount = fields.Monetary(readonly=True)
    not_due = fields.Monetary(readonly=True)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    overdue_count = fields.Integer(string="Overdue Items", readonly=True)
    oldest_due = fields.Date(string="Oldest Due Date", readonly=True)
    days_overdue = fields.Integer(readonly=True, aggregator="max")
    unallocated = fields.Monetary(
        string="Unallocated Credit",
        readonly=True,
        help="Open payments on account and credit notes, as a negative amount.",
    )
    is_insider = fields.Boolean(
        string="Affiliate or Staff",
        compute="_compute_is_insider",
        search="_search_is_insider",
        help="A company of this database, or somebody who works for us: never asked, held or "
        "stopped for what is overdue.",
    )
    followup_amount = fields.Monetary(
        string="To Follow Up",
        readonly=True,
        help="Overdue items that are not excluded from follow-up, less open credits.",
    )
    followup_due = fields.Date(string="Oldest Due Date to Follow Up", readonly=True)
    disputed = fields.Monetary(readonly=True, help="Open disputes that stop the dunning.")
    promised = fields.Monetary(
        readonly=True, help="Open promises to pay and accepted payment plans."
    )
    demand_amount = fields.Monetary(
        string="To Ask For",
        readonly=True,
        help="What is to be followed up less what is disputed or promised.",
    )
    demand_due = fields.Date(string="Oldest Due Date to Ask For", readonly=True)
    arrears_amount = fields.Monetary(
        string="In Arrears",
        readonly=True,
        help="Overdue items to follow up, less what is disputed; promised or not.",
    )
    arrears_count = fields.Integer(string="Items in Arrears", readonly=True)
    arrears_days = fields.Integer(
        string="Days in Arrears",
        readonly=True,
        aggregator="max",
        help="Of the oldest item in arrears.",
    )
    arrears_mean_days = fields.Float(
        string="Average Days in Arrears",
        readonly=True,
        aggregator="avg",
        help="How late the items in arrears are so far, large items counting more.",
    )
    earliest_due = fields.Date(
        string="Earliest Due Date",
        readonly=True,
        help="Of the open items that may be asked for one day, due or not.",
    )
    order_amount = fields.Monetary(
        string="Orders Not Invoiced", readonly=True, help="Confirmed orders less their invoices."
    )
    exposure = fields.Monetary(readonly=True, help="Open items and orders not invoiced.")
    limit_use = fields.Float(
        readonly=True, aggregator="avg", help="Exposure as a share of the limit; 1 is all of it."
    )
    avg_days_late = fields.Float(string="Average Days Late", readonly=True, aggregator="avg")
    avg_days_early = fields.Float(
        string="Average Days Early",
        readonly=True,
        aggregator="avg",
        help="Of what was settled, by amount; what was settled late counts zero.",
    )
    settled_amount = fields.Monetary(readonly=True)
    settled_count = fields.Integer(string="Items Settled", readonly=True)
    on_time_share = fields.Float(string="Paid on Time", readonly=True, aggregator="avg")
    late_count = fields.Integer(string="Times Late", readonly=True)
    max_days_late = fields.Integer(string="Worst Delay", readonly=True, aggregator="max")
    avg_monthly_sales = fields.Monetary(string="Average Monthly Sales", readonly=True)
    last_payment_date = fields.Date(readonly=True)
    late_spread = fields.Float(
        string="Spread of Delays (days)",
        readonly=True,
        aggregator="avg",
        help="Standard deviation of the days late: how regularly the customer pays.",
    )
    sales_trend = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Sales of the last 90 days, as of a year, against those of the year: 0.1 is 10 % "
        "more. Zero when nothing was sold before these 90 days.",
    )
    avg_term_days = fields.Float(
        string="Usual Term (days)",
        readonly=True,
        aggregator="avg",
        help="Between invoice and due date, large invoices of the year counting more.",
    )
    ageing = fields.Json(compute="_compute_ageing")

    # Score, risk and history

    score = OptionalFloat(readonly=True, tracking=True, aggregator="avg")
    ability_score = OptionalFloat(string="Ability to Pay", readonly=True, aggregator="avg")
    willingness_score = OptionalFloat(string="Willingness to Pay", readonly=True, aggregator="avg")
    score_coverage = fields.Float(
        string="Coverage of the Score",
        readonly=True,
        aggregator="avg",
        help="Weight of the criteria with a known value, as a share of the whole scorecard.",
    )
    score_date = fields.Date(
        string="Scored On", readonly=True, help="When the score became what it is."
    )
    score_grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Grade by Score",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="What the score and the knock-out rules would give; the grade itself changes by a "
        "review only.",
    )
    knockout_id = fields.Many2one(
        "ar.credit.knockout",
        string="Grade Capped By",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    suggested_way = fields.Selection(
        SUGGESTED_WAYS,
        readonly=True,
        index="btree_not_null",
        help="From the ability and the willingness to pay: the settings say from how many points "
        "on they count as a yes.",
    )
    review_ids = fields.One2many("ar.credit.review", "file_id")
    review_count = fields.Integer(compute="_compute_review_count")
    twin_id = fields.Many2one(
        "res.partner",
        string="Same Tax Number As",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="A customer who is on credit hold, graded as a high risk, or has not paid what was "
        "written off.",
    )
    risk_tier = fields.Selection(
        RISK_TIERS, compute="_compute_risk_tier", store=True, index=True, tracking=True
    )
    # Control and warnings look at these; what happens above writes them.
    broken_promises = fields.Integer(
        readonly=True,
        help="Promises to pay that were broken or put off lately: the settings say in how many "
        "days.",
    )
    written_off_open = fields.Monetary(
        string="Written Off, Not Recovered",
        readonly=True,
        index="btree_not_null",
        help="What was written off less what the customer has paid since.",
    )
    warning_tier = fields.Selection(
        RISK_TIERS, string="Warning", readonly=True, index=True, help="What the signals say."
    )
    warning_points = fields.Integer(readonly=True, aggregator="max")
    warning_text = fields.Text(string="Signals", compute="_compute_warning_text")
    warning_summary = fields.Text(
        string="Signals in Short", compute="_compute_warning_text", help="For lists."
    )
    warning_since = fields.Date(readonly=True, help="Since when the warning is as it is.")
    warning_calm_since = fields.Date(readonly=True, help="Since when its signals are gone.")
    days_beyond_usual = OptionalFloat(
        string="Days Later than Usual",
        readonly=True,
        aggregator="max",
        help="Days overdue this morning less the days that the customer is late on average.",
    )
    history_ids = fields.One2many("ar.credit.history", "file_id", readonly=True)

    # People

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
    _limits = models.Constraint(
        "CHECK(custom_limit >= 0 AND temporary_limit >= 0 AND group_limit >= 0)",
        "A limit cannot be negative.",
    )

    # Computes

    @api.depends(
        "limit_mode",
        "custom_limit",
        "temporary_limit",
        "temporary_limit_end",
        "avg_monthly_sales",
        "avg_term_days",
        "avg_days_late",
        "cover_amount",
        "equity",
        "is_young",
        "risk_tier",
        *(f"grade_id.{name}" for name in (*RULE_FIELDS, *RISK_LIMIT_FIELDS)),
    )
    def _compute_effective_limit(self):
        defaults = {company: company._ar_default_credit_limit() for company in self.company_id}
        for file in self:
            limit = effective_limit(file._limit_terms(defaults.get(file.company_id)))
            file.is_limited = limit is not None
            file.effective_limit = limit or 0

    def _limit_terms(self, default):
        """The :class:`LimitTerms` of the file.

        :param default: default limit of the company, ``None`` when it has none
        """
        terms = LimitTerms(
            mode=self.limit_mode,
            custom=self.custom_limit,
            temporary=self.temporary_limit,
            temporary_end=self.temporary_limit_end,
            avg_monthly_sales=self.avg_monthly_sales,
            days_unpaid=self.avg_term_days + self.avg_days_late,
            default=default,
            cover=self.cover_amount,
            equity=None if self.equity is False else self.equity,
            risk_share=self.grade_id._get_risk_share(self.risk_tier),
            **self.grade_id._limit_terms(),
        )
        return terms if self.is_young else terms._replace(young_months=0)

    def _get_agreed_limit(self):
        """What was agreed, whatever the risk leaves of it; ``None`` for no limit."""
        self.ensure_one()
        return agreed_limit(self._limit_terms(self.company_id._ar_default_credit_limit()))

    @api.depends("risk_tier", *(f"grade_id.{name}" for name in RISK_FIELDS))
    @api.depends_context("lang")
    def _compute_risk_text(self):
        for file in self:
            file.risk_text = file.grade_id._explain_risk(file.risk_tier)

    @api.depends("customer_since", "grade_id.young_months")
    def _compute_is_young(self):
        # Who grows older is found by the daily run.
        for file in self:
            terms = LimitTerms(
                young_months=file.grade_id.young_months, since=file.customer_since or None
            )
            file.is_young = is_young(terms, file.company_id and file.company_id._ar_today())

    @api.depends("limit_currency_id", "limit_in_currency")
    def _compute_custom_limit(self):
        for file in self:
            if currency := file.limit_currency_id:
                file.custom_limit = currency._convert(
                    file.limit_in_currency,
                    file.currency_id,
                    file.company_id,
                    file.company_id._ar_today(),
                )
            else:
                file.custom_limit = file.custom_limit

    @api.depends("exposure", "cover_amount")
    def _compute_uncovered_amount(self):
        for file in self:
            file.uncovered_amount = max(file.exposure - file.cover_amount, 0)

    @api.depends("cover_ids.line_ids.amount_residual", "cover_ids.kind", "cover_ids.state")
    def _compute_financed_amount(self):
        for file in self:
            lines = file.cover_ids.filtered(lambda cover: cover.state == "active").line_ids
            file.financed_amount = sum(lines.mapped("amount_residual"))

    @api.depends("partner_id")
    def _compute_is_insider(self):
        insiders = self.env["ar.position"]._get_insiders()
        for file in self:
            file.is_insider = file.partner_id in insiders

    def _search_is_insider(self, operator, value):
        if operator != "in":
            return NotImplemented
        insiders = Domain("partner_id", "in", self.env["ar.position"]._get_insiders().ids)
        return Domain.OR(insiders if wanted else ~insiders for wanted in set(value))

    @api.depends("exposure", "member_ids.exposure")
    def _compute_group_exposure(self):
        for file in self:
            file.group_exposure = file.exposure + sum(file.member_ids.mapped("exposure"))

    def _compute_ageing(self):
        """``[[label, formatted amount, share of the positive items]]``, not due first."""
        for company, files in self.grouped("company_id").items():
            figures = self.env["ar.position"]._figures(
                company, company._ar_today(), files.partner_id
            )
            for file in files:
                buckets = figures[company.id, file.partner_id.id].buckets
                total = sum(buckets)
                file.ageing = [
                    [
                        label,
                        format_amount(self.env, amount, file.currency_id),
                        amount / total if total else 0,
                    ]
                    for label, amount in zip(company._ar_bucket_labels(), buckets, strict=True)
                ]

    @api.depends("review_ids")
    def _compute_review_count(self):
        counts = dict(
            self.env["ar.credit.review"]._read_group(
                [("file_id", "in", self.ids)], ["file_id"], ["__count"]
            )
        )
        for file in self:
            file.review_count = counts.get(file, 0)

    @api.depends("grade_id.risk_tier", "warning_tier")
    def _compute_risk_tier(self):
        for file in self:
            tiers = [tier for tier in (file.grade_id.risk_tier, file.warning_tier) if tier]
            file.risk_tier = max(tiers, key=TIERS.index, default=False)

    @api.depends("warning_tier")
    def _compute_warning_text(self):
        self.env["ar.credit.warning"]._write_texts(self)

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

    @api.constrains("parent_id")
    def _check_group(self):
        for file in self:
            if file.parent_id and (file.parent_id.parent_id or file.member_ids):
                raise ValidationError(
                    self.env._(
                        "%(customer)s cannot join the group: groups have one level, the customer "
                        "that leads them and its members.",
                        customer=file.partner_id.display_name,
                    )
                )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        guarded = self._get_manager_fields()
        if any(not vals.keys().isdisjoint(guarded) for vals in vals_list):
            self._check_manager()
        authority = self.env["ar.credit.authority"]
        in_use = [authority._get_limit_in_use(vals) for vals in vals_list]
        files = super().create(
            [{**limit, **vals} for limit, vals in zip(in_use, vals_list, strict=True)]
        )
        for file, vals in zip(files, vals_list, strict=True):
            if vals.get("grade_id") and not vals.get("next_review_date"):
                file._plan_review()
        authority._check_raise(authority._get_newcomers(files, in_use, vals_list))
        files._push_limit()
        files._record_history()
        files._note_risk()
        return files

    def write(self, vals):
        if not vals.keys().isdisjoint(self._get_manager_fields()):
            self._check_manager()
        limits = not vals.keys().isdisjoint(LIMIT_FIELDS)
        if limits:
            # The reason that is there belongs to the limit that was.
            vals = {"limit_reason": False, **vals}
        if "custom_limit" in vals:
            vals = {"limit_currency_id": False, **vals}
        regraded = self.filtered(
            lambda file: "grade_id" in vals and file.grade_id.id != vals["grade_id"]
        )
        authority = self.env["ar.credit.authority"]
        standings = authority._get_standings(self, vals)
        result = super().write(vals)
        authority._check_raise(standings)
        authority._overtake_waiting(self, vals)
        if not vals.get("next_review_date"):
            regraded._plan_review()
        if "hold" in vals and "hold_cause" not in vals:
            self._sign_hold(vals["hold"])
        if limits:
            self._push_limit()
            self._record_history()
        if regraded:
            regraded._note_risk()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_undecided(self):
        """A new file would know nothing of the hold, the grade and the limit."""
        for file in self:
            if not self.env.su and (file.hold or file._is_graded() or file.limit_mode != "grade"):
                raise UserError(
                    self.env._(
                        "%s: what was decided on the credit of a customer is kept. Change it "
                        "instead of deleting the credit file.",
                        file.partner_id.display_name,
                    )
                )

    def _is_graded(self):
        """Whether somebody has decided on the grade, which new customers wait for."""
        self.ensure_one()
        return bool(self.grade_id) and not self.grade_id.is_default

    def _plan_review(self):
        """Whose grade was given by hand is looked at again when the grade says so."""
        for file in self.sudo():
            date = file.grade_id._get_review_date(file.company_id._ar_today())
            if file.next_review_date != date:
                file.next_review_date = date

    @api.model
    def _get_manager_fields(self):
        """Hook: the fields that only a credit manager writes, as a tuple of names."""
        return MANAGER_FIELDS

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(
                self.env._("Grade, limit, policy, collector and hold are set by a credit manager.")
            )

    # Actions

    @api.readonly
    def action_open_partner(self):
        self.ensure_one()
        return self.partner_id.get_formview_action()

    @api.readonly
    def action_open_items(self):
        """Open the unpaid receivable journal items of the customer."""
        self.ensure_one()
        return self.partner_id._ar_action_open_items(self.company_id)

    @api.readonly
    def action_open_history(self):
        """What grade, score, risk and limit the customer had, as a graph and a list."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "ar_collections.ar_credit_history_action"
            ),
            "name": self.env._("Credit History of %s", self.partner_id.display_name),
            "domain": [("file_id", "=", self.id)],
            "context": {"ar_one_customer": True, "graph_measure": "effective_limit"},
        }

    @api.readonly
    def action_open_reviews(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_credit_review_action"
        )
        return {**action, "domain": [("file_id", "=", self.id)], "context": {}}

    @api.readonly
    def action_open_score_history(self):
        """Draw what the approved reviews of the customer gave, over time."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_credit_review_action_history"
        )
        return {**action, "domain": [("file_id", "=", self.id), ("state", "=", "approved")]}

    def action_start_review(self):
        """Open the customer's review that is under way, or start one."""
        self.check_access("read")
        return self._get_open_review()._get_records_action()

    def _get_open_review(self):
        """The customer's review that is under way, or a new one."""
        self.ensure_one()
        reviews = self.env["ar.credit.review"]
        review = reviews.search([("file_id", "=", self.id), ("state", "in", REVIEW_OPEN)], limit=1)
        return review or reviews.create({"file_id": self.id})

    def action_rescore(self):
        """Score the chosen customers, and let the user open reviews."""
        self.check_access("read")
        wizard = self.env["ar.credit.rescore"]._create_for_files(self)
        return {
            **wizard._get_records_action(target="new"),
            "name": self.env._("Score Customers Again"),
        }

    # Customers

    @api.model
    def _get_file(self, partner, company, create=False):
        """The credit file of the customer, made on demand when ``create``.

        :param partner: any contact of the customer
        :param company: a company or branch
        """
        partner, company = partner.commercial_partner_id, company.root_id
        file = self.search([("partner_id", "=", partner.id), ("company_id", "=", company.id)])
        if not file and create:
            file = self.create({"partner_id": partner.id, "company_id": company.id})
        return file

    # Who pays

    def _get_payers(self):
        """Who else may pay for the customers: insurers and banks that stand for them.

        Their money is of a customer when it is matched with its items. A hook: upper wings know
        of others.

        :return: ``{file: commercial partners}``
        """
        covers = (
            self.env["ar.credit.cover"]
            .sudo()
            # A claim is paid when the cover is over.
            .with_context(active_test=False)
            .search([("file_id", "in", self.ids), ("issuer_id", "!=", False)])
            .grouped(lambda cover: cover.file_id.id)
        )
        none = self.env["ar.credit.cover"]
        return {
            file: covers.get(file.id, none).issuer_id.commercial_partner_id - file.partner_id
            for file in self
        }

    # Limits

    def _push_limit(self):
        """See :meth:`ar.credit.refresh._push_limits`."""
        self.env["ar.credit.refresh"]._push_limits(self)

    # Changes

    def _record_history(self, reason=None):
        """See :meth:`ar.credit.history._record_changes`."""
        self.env["ar.credit.history"]._record_changes(self, reason)

    def _follow_risk_tier(self):
        """The early warning moved the risk tier of these files: what follows from it. A hook."""
        cut = self.filtered(lambda file: file.grade_id.risk_limit_share < 1)
        self.env.add_to_compute(self._fields["effective_limit"], cut)
        cut._push_limit()
        self._note_risk()

    def _note_risk(self):
        """Write into the chatter what the grade does by the risk, once when it begins and ends."""
        for file in self.sudo():
            grade = file.grade_id
            text = grade._explain_risk(file.risk_tier)
            noted = text and f"{grade.on_risk} {grade.risk_limit_share:g}"
            if noted == (file.risk_noted or ""):
                continue
            file.risk_noted = noted
            file._message_log(
                body=text or self.env._("The risk does not cut the limit or stop orders any more.")
            )
