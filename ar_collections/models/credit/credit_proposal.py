from odoo import api, fields, models
from odoo.tools import format_amount

from ..common.optional_float import OptionalFloat
from .credit_limit import LIMIT_MODES, LimitTerms, grade_limit

# What the limit by grade depends on.
LIMIT_SOURCES = (
    "grade_id",
    "avg_monthly_sales",
    "days_unpaid",
    "equity",
    "cover_amount",
    "customer_since",
    "figures_date",
)


class ArCreditProposal(models.AbstractModel):
    """The limit that a credit review proposes, and how it is reached: part of the review.

    What it depends on is copied into the review, so that nothing changes when it was submitted.
    """

    _name = "ar.credit.proposal"
    _description = "Proposed Limit"

    currency_id = fields.Many2one("res.currency")
    avg_monthly_sales = fields.Monetary(string="Average Monthly Sales", readonly=True)
    days_unpaid = fields.Float(
        string="Usually Open (days)",
        readonly=True,
        aggregator="avg",
        help="Usual term and usual delay of the customer's invoices.",
    )
    equity = OptionalFloat(
        readonly=True, aggregator=None, help="In the latest financial statement, at its rate."
    )
    cover_amount = fields.Monetary(string="Covered", readonly=True)
    customer_since = fields.Date(readonly=True)
    is_limited = fields.Boolean(
        string="Has a Limit", compute="_compute_is_limited", store=True, help="By the proposal."
    )
    proposed_limit = fields.Monetary(
        string="Limit by Grade", compute="_compute_proposed_limit", store=True
    )
    limit_mode = fields.Selection(
        LIMIT_MODES,
        default="grade",
        required=True,
        tracking=True,
        help="What is agreed now, to begin with. A limit by grade moves with the sales of the "
        "customer; a custom limit stays.",
    )
    limit_amount = fields.Monetary(
        string="Proposed Limit",
        compute="_compute_limit_amount",
        store=True,
        readonly=False,
        tracking=True,
        aggregator="avg",
        help="In company currency. Zero means no credit at all.",
    )
    limit_currency_id = fields.Many2one(
        "res.currency",
        string="Limit Agreed In",
        help="Of a custom limit in another currency than the company's.",
    )
    limit_in_currency = fields.Monetary(
        string="Limit in That Currency", currency_field="limit_currency_id", tracking=True
    )
    limit_explanation = fields.Text(compute="_compute_limit_explanation", store=True)

    _limit = models.Constraint("CHECK(limit_amount >= 0)", "A limit cannot be negative.")

    def _limit_terms(self):
        return LimitTerms(
            avg_monthly_sales=self.avg_monthly_sales,
            days_unpaid=self.days_unpaid,
            default=self.company_id.sudo()._ar_default_credit_limit() if self.company_id else None,
            equity=None if self.equity is False else self.equity,
            cover=self.cover_amount,
            since=self.customer_since or None,
            **self.grade_id.sudo()._limit_terms(),
        )

    @api.depends(*LIMIT_SOURCES)
    def _compute_proposed_limit(self):
        for review in self:
            limit = grade_limit(review._limit_terms(), review.figures_date)
            # A new form has no currency before the customer is chosen.
            review.proposed_limit = review.currency_id.round(limit) if limit else 0

    @api.depends(*LIMIT_SOURCES, "limit_mode")
    def _compute_is_limited(self):
        for review in self:
            if review.limit_mode == "grade":
                limit = grade_limit(review._limit_terms(), review.figures_date)
                review.is_limited = limit is not None
            else:
                review.is_limited = review.limit_mode == "custom"

    @api.depends("proposed_limit", "limit_mode", "limit_currency_id", "limit_in_currency")
    def _compute_limit_amount(self):
        for review in self:
            if review.limit_mode == "grade":
                review.limit_amount = review.proposed_limit
            elif review.limit_mode == "unlimited":
                review.limit_amount = 0
            elif currency := review.limit_currency_id:
                review.limit_amount = currency._convert(
                    review.limit_in_currency,
                    review.currency_id,
                    review.company_id,
                    review.figures_date or review.date,
                )
            elif not review.limit_amount and review.file_id.limit_mode != "custom":
                # The grade's limit to start from; what is agreed may be no credit at all.
                review.limit_amount = review.proposed_limit
            else:
                review.limit_amount = review.limit_amount

    @api.depends("proposed_limit", "is_limited", "limit_mode", "limit_amount")
    def _compute_limit_explanation(self):
        for review in self:
            review.limit_explanation = review._explain_limit()

    def _explain_limit(self):
        """How the limit was reached, in words."""
        if not self.grade_id:
            return False
        text = self.grade_id._explain_limit(
            self._limit_terms(), self.currency_id, self.figures_date
        )
        if self.limit_mode == "unlimited":
            return self.env._("%(rule)s Proposed instead: no limit.", rule=text)
        if self.limit_mode == "custom":
            limit = format_amount(self.env, self.limit_amount, self.currency_id)
            if self.limit_currency_id:
                agreed = format_amount(self.env, self.limit_in_currency, self.limit_currency_id)
                limit = f"{agreed} ({limit})"
            return self.env._("%(rule)s Proposed instead: %(limit)s.", rule=text, limit=limit)
        return text
