from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_amount, formatLang, ormcache

from ..common.amount_scale import scale
from .credit_limit import SALES_RULES, get_caps, get_months, rule_limit
from .credit_score import Range, find_faults

RISK_TIERS = [("low", "Low"), ("medium", "Medium"), ("high", "High")]
# Rising.
TIERS = [tier for tier, _label in RISK_TIERS]
# What decides the limits of the customers of a grade.
RULE_FIELDS = (
    "limit_rule",
    "limit_amount",
    "limit_months",
    "limit_cap",
    "equity_share",
    "cover_share",
    "young_months",
    "young_limit",
)
# What the risk of a customer does by itself.
RISK_FIELDS = ("on_risk", "risk_from", "risk_limit_share")
AMOUNT_FIELDS = (
    "limit_amount",
    "limit_cap",
    "young_limit",
    "overdue_tolerance_amount",
    "hold_amount",
)
SCALE_FIELDS = ("score_from", "score_to", "is_default", "active", "company_id")
CHANGE_GROUPS = "ar_collections.group_credit_manager,ar_collections.group_auditor"
CONTROLS = [
    ("allow", "Allow"),
    ("warn", "Warn"),
    ("approve", "Ask for approval"),
    ("block", "Block"),
]


def is_risky(tier, risk_from):
    """Whether a risk tier is one at which the grade acts."""
    return bool(tier and risk_from) and TIERS.index(tier) >= TIERS.index(risk_from)


class ArCreditGrade(models.Model):
    _name = "ar.credit.grade"
    _inherit = "ar.readonly.mixin"
    _description = "Credit Grade"
    _order = "sequence, id"
    _rec_names_search = ["code", "name"]

    code = fields.Char(required=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    replaces_id = fields.Many2one(
        "ar.credit.grade",
        string="Instead Of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The shared grade in whose place this one is in its company, with amounts of its "
        "currency.",
    )
    is_default = fields.Boolean(
        string="For New Customers", help="The grade of a customer that nobody has graded yet."
    )
    score_from = fields.Float(
        help="A score from here to the end of the range earns the grade. Both zero for a grade "
        "that is only given by hand."
    )
    score_to = fields.Float()
    scale_faults = fields.Text(compute="_compute_scale_faults")
    risk_tier = fields.Selection(RISK_TIERS, default="medium", required=True)
    limit_rule = fields.Selection(
        [
            ("fixed", "Fixed amount"),
            ("months", "Months of average sales"),
            ("term", "Sales of the usual term and delay"),
            ("none", "No limit of its own"),
        ],
        default="none",
        required=True,
        help="By term: average monthly sales x (usual term + usual delay) / 30, what is open when "
        "the customer buys and pays as usual. A grade without a limit of its own leaves the "
        "company's default limit, if any.",
    )
    limit_amount = fields.Float(
        string="Fixed Limit", help="In the currency of each company. Zero means no credit at all."
    )
    limit_months = fields.Float(string="Months of Sales", default=2)
    limit_cap = fields.Float(
        string="Largest Limit", help="Cap of a limit that follows the sales; zero for no cap."
    )
    equity_share = fields.Float(
        string="At Most of the Equity",
        help="Share of the equity in the customer's latest financial statement; zero for no such "
        "cap. Customers without a statement are not capped.",
    )
    cover_share = fields.Float(
        string="At Most of the Cover",
        help="What we risk ourselves, as a share of what insurance, guarantees and deposits cover; "
        "zero for no such cap.",
    )
    young_months = fields.Integer(
        string="Young Customer for (months)",
        help="Since the first invoice, or the day in the credit file. Zero for no such cap.",
    )
    young_limit = fields.Float(
        string="Largest Limit While Young",
        help="In the currency of each company. Zero means no credit at all.",
    )
    max_term_days = fields.Integer(
        string="Longest Payment Term (days)", default=60, help="Zero allows no credit term at all."
    )
    better_term_id = fields.Many2one(
        "account.payment.term",
        string="Better Terms to Propose",
        ondelete="set null",
        help="Proposed to customers of this grade whose risk is low: a longer payment term, or one "
        "with a discount for early payment. A credit manager decides. Empty for no proposal.",
    )
    better_term_months = fields.Integer(
        string="After (months)", default=12, help="Since the first invoice of the customer."
    )
    on_limit = fields.Selection(CONTROLS, string="Over the Limit", default="warn", required=True)
    on_overdue = fields.Selection(
        CONTROLS, string="With Overdue Items", default="warn", required=True
    )
    overdue_tolerance_days = fields.Integer(string="Tolerated Days Overdue")
    overdue_tolerance_amount = fields.Float(string="Tolerated Overdue Amount")
    on_hold = fields.Selection(CONTROLS, string="On Credit Hold", default="block", required=True)
    on_promise = fields.Selection(
        CONTROLS, string="After a Broken Promise", default="allow", required=True
    )
    on_written_off = fields.Selection(
        CONTROLS,
        string="After a Write-off",
        default="warn",
        required=True,
        help="As long as the customer has not paid what was written off.",
    )
    on_expired = fields.Selection(
        CONTROLS,
        string="Review, Limit or Cover Expired",
        default="allow",
        required=True,
    )
    on_terms = fields.Selection(
        CONTROLS, string="Longer Payment Term", default="allow", required=True
    )
    on_first_sale = fields.Selection(
        CONTROLS,
        string="First Credit Sale Ungraded",
        default="allow",
        required=True,
        help="Of a grade for new customers: nothing was sold on credit to the customer before.",
    )
    on_twin = fields.Selection(
        CONTROLS,
        string="Tax Number of a Bad Customer",
        default="warn",
        required=True,
        help="Another customer with this tax number is on credit hold, is graded as a high risk, "
        "or has not paid what was written off.",
    )
    risk_from = fields.Selection(
        [("medium", "Medium Risk"), ("high", "High Risk")],
        string="Acts From",
        default="high",
        required=True,
        help="The risk tier of the customer from which on this grade does by itself what is said "
        "here. When the tier falls it ends by itself.",
    )
    on_risk = fields.Selection(CONTROLS, string="At That Risk", default="allow", required=True)
    risk_limit_share = fields.Float(
        string="Limit at That Risk",
        default=1,
        help="Share of the agreed limit that counts as long as the risk lasts; 100 % leaves it as "
        "it is. Cover is not cut, and who has no limit keeps none: ask for approval instead.",
    )
    hold_by_rule = fields.Boolean(
        string="Hold by Rule",
        help="The daily run holds the credit of who is overdue beyond these days and this amount, "
        "and lifts the hold when it is paid.",
    )
    hold_days = fields.Integer(string="Hold beyond Days Overdue")
    hold_amount = fields.Float(string="Hold beyond Overdue Amount")
    review_months = fields.Integer(string="Review Every (months)", default=12)
    change_ids = fields.One2many(
        "ar.credit.grade.change", "grade_id", readonly=True, groups=CHANGE_GROUPS
    )
    change_count = fields.Integer(compute="_compute_change_count", groups=CHANGE_GROUPS)

    _code_uniq = models.UniqueIndex(
        "(code, company_id) NULLS NOT DISTINCT", "Another grade has this code."
    )
    _score_range = models.Constraint(
        "CHECK(score_from <= score_to)", "The score range ends before it starts."
    )
    _amounts = models.Constraint(
        "CHECK(limit_amount >= 0 AND limit_months >= 0 AND limit_cap >= 0 AND equity_share >= 0"
        " AND cover_share >= 0 AND young_months >= 0 AND young_limit >= 0)",
        "A limit cannot be negative.",
    )
    _risk_limit_share = models.Constraint(
        "CHECK(risk_limit_share BETWEEN 0 AND 1)",
        "What a risk leaves of the limit is from 0 to 100 %.",
    )

    _better_term_months = models.Constraint(
        "CHECK(better_term_months >= 0)", "Months of history cannot be negative."
    )

    @api.constrains("better_term_id", "max_term_days")
    def _check_better_term(self):
        today = self.env.company._ar_today()
        for grade in self:
            days = grade.better_term_id._ar_get_days(today)
            if days > grade.max_term_days:
                raise ValidationError(
                    self.env._(
                        "“%(term)s” is %(days)s days long, grade %(grade)s allows %(longest)s.",
                        term=grade.better_term_id.display_name,
                        days=days,
                        grade=grade.display_name,
                        longest=grade.max_term_days,
                    )
                )

    @api.depends("code", "name")
    def _compute_display_name(self):
        for grade in self:
            grade.display_name = " ".join(filter(None, (grade.code, grade.name)))

    @api.depends("change_ids")
    def _compute_change_count(self):
        for grade in self:
            grade.change_count = len(grade.change_ids)

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        changes = self.env["ar.credit.grade.change"]
        defaults = changes._get_defaults({name for vals in vals_list for name in vals})
        grades = super().create(vals_list)
        changes._check_defaults(defaults)
        grades._fit_shared()
        grades._report_faults()
        return grades

    def _fit_shared(self):
        """Companies of another currency get grades of their own for shared ones with amounts."""
        # The system says itself when all of them are there.
        if not self.env.su and any(
            not grade.company_id and grade._get_scaled_values(2) for grade in self
        ):
            self.env["res.company"]._ar_fit_shared()

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def write(self, vals):
        self.env.registry.clear_cache()
        changes = self.env["ar.credit.grade.change"]
        rules, defaults = changes._get_rules(self, vals), changes._get_defaults(vals)
        result = super().write(vals)
        changes._check_rules(rules)
        changes._check_defaults(defaults)
        acts = not vals.keys().isdisjoint(RISK_FIELDS)
        if acts or not vals.keys().isdisjoint(RULE_FIELDS):
            files = self.env["ar.credit.file"].sudo().search([("grade_id", "in", self.ids)])
            files._push_limit()
            if acts:
                files._record_history(self.env._("Rule of the grade for the risk"))
                files._note_risk()
        if not vals.keys().isdisjoint((*self._get_amount_fields(), "company_id", "active")):
            self._fit_shared()
        if not vals.keys().isdisjoint(SCALE_FIELDS):
            self._report_faults()
        return result

    @api.readonly
    def action_open_changes(self):
        """What gave the customers of the grade more credit, asked for and decided."""
        self.ensure_one()
        self.env["ar.credit.grade.change"].check_access("read")
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "ar_collections.ar_credit_grade_change_action"
            ),
            "domain": [("grade_id", "=", self.id)],
        }

    @api.model
    def _get_default_grade(self, company):
        """The grade of a new customer of the company; empty when there is none."""
        return self.browse(self._default_id(company.id))

    @api.model
    @ormcache("company_id")
    def _default_id(self, company_id):
        # Every invoice that is posted asks for it.
        return self._find_default(company_id).id

    @api.model
    def _find_default(self, company_id):
        return self.sudo().search(
            [("is_default", "=", True), ("company_id", "in", (company_id, False))],
            order="company_id, sequence",
            limit=1,
        )

    @api.model
    def _get_tier_label(self, tier):
        """The risk tier as one reads it within a sentence."""
        return {
            "low": self.env._("low"),
            "medium": self.env._("medium"),
            "high": self.env._("high"),
        }[tier]

    def _get_risk_share(self, tier):
        """What of an agreed limit the grade leaves at a risk tier."""
        return self.risk_limit_share if is_risky(tier, self.risk_from) else 1.0

    def _explain_risk(self, tier):
        """What the grade does by itself at a risk tier, in words; empty for nothing."""
        if not is_risky(tier, self.risk_from):
            return ""
        risk = self._get_tier_label(tier)
        texts = []
        if self.risk_limit_share < 1:
            texts.append(
                self.env._(
                    "Limit cut to %(share)s %% while the risk is %(risk)s",
                    share=formatLang(self.env, 100 * self.risk_limit_share, digits=0),
                    risk=risk,
                )
            )
        if self.on_risk == "approve":
            texts.append(self.env._("Orders and invoices need approval while the risk is %s", risk))
        if self.on_risk == "block":
            texts.append(self.env._("Orders and invoices are blocked while the risk is %s", risk))
        return "; ".join(texts)

    def _limit_terms(self):
        """The part of :class:`LimitTerms` that the grade decides, as keyword arguments."""
        return {
            "rule": self.limit_rule or "none",
            "fixed": self.limit_amount,
            "months": self.limit_months,
            "cap": self.limit_cap,
            "equity_share": self.equity_share,
            "cover_share": self.cover_share,
            "young_months": self.young_months,
            "young_limit": self.young_limit,
        }

    def _explain_limit(self, terms, currency, date):
        """How the rule of the grade reaches a limit, in words.

        :param terms: :class:`LimitTerms` of this grade
        :param date: on which the customer may be a young one
        """
        text = self._explain_rule(terms, currency)
        caps = get_caps(terms, date)
        if not caps:
            return text
        code, amount = min(caps, key=lambda cap: cap[1])
        why = {
            "grade": self.env._("largest limit of the grade"),
            "equity": self.env._(
                "%s %% of the equity", formatLang(self.env, 100 * terms.equity_share, digits=0)
            ),
            "cover": self.env._(
                "%s %% of the cover", formatLang(self.env, 100 * terms.cover_share, digits=0)
            ),
            "young": self.env._("customer for less than %s months", terms.young_months),
        }[code]
        limit = rule_limit(terms)
        if limit is not None and limit <= amount:
            return text
        return self.env._(
            "%(rule)s Capped at %(cap)s: %(why)s.",
            rule=text,
            cap=format_amount(self.env, amount, currency),
            why=why,
        )

    def _explain_rule(self, terms, currency):
        grade = self.display_name

        def money(amount):
            return format_amount(self.env, amount, currency)

        if terms.rule == "fixed":
            return self.env._(
                "Grade %(grade)s has a fixed limit of %(limit)s.",
                grade=grade,
                limit=money(terms.fixed),
            )
        if terms.rule in SALES_RULES:
            months, sales = get_months(terms), max(terms.avg_monthly_sales, 0)
            sum_text = self.env._(
                "Grade %(grade)s: %(months)s months x %(sales)s average monthly sales = %(limit)s",
                grade=grade,
                months=formatLang(self.env, months, digits=months % 1 and 1 or 0),
                sales=money(sales),
                limit=money(sales * months),
            )
            if terms.rule == "term":
                sum_text = self.env._(
                    "%(sum)s, as an invoice is open for %(days)s days",
                    sum=sum_text,
                    days=round(terms.days_unpaid),
                )
            return self.env._("%s.", sum_text)
        if terms.default is None:
            return self.env._(
                "Grade %s has no limit of its own and the company has no default limit: no limit.",
                grade,
            )
        return self.env._(
            "Grade %(grade)s has no limit of its own: the default limit of the company, %(limit)s.",
            grade=grade,
            limit=money(terms.default),
        )

    def _count_steps_up(self, former):
        """How many grades this one is better than a former one, zero when it is not.

        Whoever is not graded stands where the risk tier says.
        """

        def get_risk(grade):
            return TIERS.index(grade.risk_tier or "medium")

        def rank(grade):
            return -grade.score_from, grade.sequence, grade.id

        steps = max(get_risk(former) - get_risk(self), 0)
        if not former or not self or former.is_default or self.is_default:
            return steps
        ladder = self | self.search(
            [
                ("is_default", "=", False),
                ("company_id", "in", (self.company_id.id, former.company_id.id, False)),
            ]
        )
        ladder = ladder._without_replaced() | former
        passed = ladder.filtered(lambda grade: rank(self) <= rank(grade) < rank(former))
        return max(steps, len(passed))

    def _get_review_date(self, date):
        """When a customer who got the grade on a date is looked at again, or ``False``."""
        return self.review_months and date + relativedelta(months=self.review_months)

    def _get_scaled_values(self, ratio):
        """Their amounts, of which there are some, in another currency."""
        self.ensure_one()
        return {name: scale(self[name], ratio) for name in self._get_amount_fields() if self[name]}

    @api.model
    def _get_amount_fields(self):
        """Hook: the fields with amounts in the currency of each company, as a tuple of names."""
        return AMOUNT_FIELDS

    def _without_replaced(self):
        """These grades but the shared ones in whose place a company of them has its own."""
        return self - self.replaces_id

    @api.model
    def _get_scale(self, company):
        """The :class:`Range` of each grade of a root company, its own grades first."""
        grades = (
            self.sudo()
            .search(
                [("is_default", "=", False), ("company_id", "in", (company.id, False))],
                order="company_id, sequence, id",
            )
            ._without_replaced()
        )
        return [Range(grade.id, grade.score_from, grade.score_to) for grade in grades]

    @api.depends("score_from", "score_to", "is_default", "active", "company_id")
    def _compute_scale_faults(self):
        company = self.env.company.root_id
        for grade in self:
            grade.scale_faults = self._describe_faults(grade.company_id.root_id or company)

    @api.model
    def _describe_faults(self, company):
        """The gaps and overlaps of the scale in words, one a line; empty when there are none."""
        gaps, overlaps = find_faults(self._get_scale(company))

        def number(value):
            return formatLang(self.env, value, digits=0 if float(value).is_integer() else 2)

        def name(grade_id):
            return self.sudo().browse(grade_id).display_name

        texts = [
            self.env._(
                "No grade is earned by a score between %(start)s and %(end)s.",
                start=number(start),
                end=number(end),
            )
            for start, end in gaps
        ]
        texts += [
            self.env._(
                "%(one)s and %(other)s overlap: the grade that begins higher counts.",
                one=name(one),
                other=name(other),
            )
            for one, other in overlaps
        ]
        return "\n".join(texts)

    def _report_faults(self):
        """Tell whoever saved a scale what is wrong with it; one range at a time is changed."""
        for company in self.company_id.root_id or self.env.company.root_id:
            if faults := self._describe_faults(company):
                self.env.user._bus_send(
                    "simple_notification",
                    {
                        "type": "warning",
                        "sticky": True,
                        "title": self.env._("Credit Grades"),
                        "message": faults,
                    },
                )
