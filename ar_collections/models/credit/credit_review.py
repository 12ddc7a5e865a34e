from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, formatLang

from .credit_file_score import WAYS
from .credit_limit import LimitTerms, grade_limit
from .credit_score import grade_of, score

REASONS = [
    ("hand", "By hand"),
    ("due", "Review date"),
    ("limit_use", "Limit nearly used up"),
    ("metrics", "Payment figures changed"),
    ("broken_promise", "Broken promise"),
    ("excuse", "Excuse that is a danger sign"),
    ("warning", "Early warning"),
]


class ArCreditReview(models.Model):
    """Somebody looks at a customer's credit, proposes grade and limit; somebody else approves."""

    _name = "ar.credit.review"
    _inherit = ["ar.numbered.mixin", "ar.readonly.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Credit Review"
    _order = "date desc, id desc"
    _check_company_auto = True
    _creation_fields = ("file_id",)
    _number_prefix = "CR"

    file_id = fields.Many2one(
        "ar.credit.file",
        string="Credit File",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        related="file_id.partner_id", string="Customer", store=True, index=True
    )
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("submitted", "Submitted"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
    )
    reason = fields.Selection(
        REASONS, string="Opened By", default="hand", required=True, readonly=True
    )
    reason_note = fields.Text(
        string="Assessment", help="What matters beyond the figures, for whoever approves."
    )
    date = fields.Date(
        string="Opened On",
        required=True,
        readonly=True,
        default=lambda self: self.env.company._ar_today(),
    )
    figures_date = fields.Date(string="Figures As Of", readonly=True)
    requester_id = fields.Many2one(
        "res.users",
        string="Requested By",
        readonly=True,
        default=lambda self: self.env.user,
        help="Empty when the system opened the review.",
    )
    submitter_id = fields.Many2one("res.users", string="Submitted By", readonly=True, copy=False)
    submitted_date = fields.Date(string="Submitted On", readonly=True, copy=False)
    approver_id = fields.Many2one("res.users", string="Decided By", readonly=True, copy=False)
    decision_date = fields.Date(string="Decided On", readonly=True, index=True, copy=False)
    decision_note = fields.Text(
        string="Reason of the Decision", copy=False, help="Needed to refuse a review."
    )
    line_ids = fields.One2many("ar.credit.review.line", "review_id")
    document_ids = fields.One2many("ar.credit.review.document", "review_id")

    score = fields.Float(compute="_compute_score", store=True, aggregator="avg")
    ability_score = fields.Float(
        string="Ability to Pay", compute="_compute_score", store=True, aggregator="avg"
    )
    willingness_score = fields.Float(
        string="Willingness to Pay", compute="_compute_score", store=True, aggregator="avg"
    )
    coverage = fields.Float(
        compute="_compute_score",
        store=True,
        aggregator="avg",
        help="Weight of the criteria with a known value, as a share of the whole scorecard.",
    )
    is_graded = fields.Boolean(
        string="Enough Is Known", compute="_compute_score", store=True, help="For a grade by score."
    )
    suggested_way = fields.Selection(WAYS, compute="_compute_score", store=True)

    current_grade_id = fields.Many2one("ar.credit.grade", string="Grade So Far", readonly=True)
    proposed_grade_id = fields.Many2one(
        "ar.credit.grade", string="Grade by Score", compute="_compute_proposed_grade", store=True
    )
    grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Proposed Grade",
        compute="_compute_grade",
        store=True,
        readonly=False,
        tracking=True,
        check_company=True,
        help="Follows the score whenever an answer changes; choose another one at the end.",
    )

    current_is_limited = fields.Boolean(readonly=True)
    current_limit = fields.Monetary(
        string="Limit So Far",
        readonly=True,
        help="Effective limit of the customer, with credit cover and a temporary limit if any.",
    )
    avg_monthly_sales = fields.Monetary(string="Average Monthly Sales", readonly=True)
    is_limited = fields.Boolean(compute="_compute_proposed_limit", store=True)
    proposed_limit = fields.Monetary(
        string="Limit by Grade", compute="_compute_proposed_limit", store=True
    )
    limit_mode = fields.Selection(
        [("grade", "By grade"), ("custom", "Custom")],
        default="grade",
        required=True,
        tracking=True,
        help="A limit by grade moves with the sales of the customer; a custom limit stays.",
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
    limit_explanation = fields.Text(compute="_compute_limit_explanation", store=True)

    _one_open = models.UniqueIndex(
        "(file_id) WHERE state IN ('draft', 'submitted')",
        "This customer already has a credit review that is not decided.",
    )
    _limit = models.Constraint("CHECK(limit_amount >= 0)", "A limit cannot be negative.")

    # Computes. Only what a draft may change is among the dependencies: a review that was
    # submitted keeps its figures, whatever becomes of the scorecard, the grades and the ledger.

    @api.depends("name", "partner_id")
    def _compute_display_name(self):
        for review in self:
            number = review.name if review.id else self.env._("New review")
            review.display_name = " ".join(filter(None, (number, review.partner_id.display_name)))

    def _score(self):
        """The :class:`Score` of the answers as they are now."""
        self.ensure_one()
        return score(
            [line._answer() for line in self.line_ids], self.company_id.sudo().ar_score_coverage
        )

    @api.depends("line_ids.value", "line_ids.has_value", "line_ids.option_id")
    def _compute_score(self):
        for review in self:
            found = review._score()
            review.score = found.score or 0
            review.ability_score = found.ability or 0
            review.willingness_score = found.willingness or 0
            review.coverage = found.coverage
            review.is_graded = found.graded
            review.suggested_way = found.way

    @api.depends("score", "is_graded")
    def _compute_proposed_grade(self):
        for company, reviews in self.grouped("company_id").items():
            scale = self.env["ar.credit.file"]._grade_scale(company)
            for review in reviews:
                review.proposed_grade_id = review.is_graded and grade_of(review.score, scale)

    @api.depends("proposed_grade_id")
    def _compute_grade(self):
        for review in self:
            review.grade_id = review.proposed_grade_id

    def _limit_terms(self):
        return LimitTerms(
            avg_monthly_sales=self.avg_monthly_sales,
            default=self.company_id.sudo()._ar_default_credit_limit() if self.company_id else None,
            **self.grade_id.sudo()._limit_terms(),
        )

    @api.depends("grade_id", "avg_monthly_sales")
    def _compute_proposed_limit(self):
        for review in self:
            limit = grade_limit(review._limit_terms())
            review.is_limited = limit is not None
            # A new form has no currency before the customer is chosen.
            review.proposed_limit = review.currency_id.round(limit) if limit else 0

    @api.depends("proposed_limit", "limit_mode")
    def _compute_limit_amount(self):
        for review in self:
            if review.limit_mode == "grade":
                review.limit_amount = review.proposed_limit
            else:
                review.limit_amount = review.limit_amount or review.proposed_limit

    @api.depends("proposed_limit", "is_limited", "limit_mode", "limit_amount")
    def _compute_limit_explanation(self):
        for review in self:
            review.limit_explanation = review._explain_limit()

    def _explain_limit(self):
        """How the limit was reached, in words."""
        if not self.grade_id:
            return False

        def money(amount):
            return format_amount(self.env, amount, self.currency_id)

        terms, grade = self._limit_terms(), self.grade_id.display_name
        if terms.rule == "fixed":
            text = self.env._(
                "Grade %(grade)s has a fixed limit of %(limit)s.",
                grade=grade,
                limit=money(terms.fixed),
            )
        elif terms.rule == "months":
            sum_text = self.env._(
                "Grade %(grade)s: %(months)s months x %(sales)s average monthly sales = %(limit)s",
                grade=grade,
                months=formatLang(self.env, terms.months, digits=terms.months % 1 and 1 or 0),
                sales=money(max(terms.avg_monthly_sales, 0)),
                limit=money(max(terms.avg_monthly_sales, 0) * terms.months),
            )
            if terms.cap and terms.cap < max(terms.avg_monthly_sales, 0) * terms.months:
                text = self.env._("%(sum)s, capped at %(cap)s.", sum=sum_text, cap=money(terms.cap))
            else:
                text = self.env._("%s.", sum_text)
        elif terms.default is None:
            text = self.env._(
                "Grade %s has no limit of its own and the company has no default limit: no limit.",
                grade,
            )
        else:
            text = self.env._(
                "Grade %(grade)s has no limit of its own: the default limit of the company, "
                "%(limit)s.",
                grade=grade,
                limit=money(terms.default),
            )
        if self.limit_mode == "custom":
            text = self.env._(
                "%(rule)s Proposed instead: %(limit)s.", rule=text, limit=money(self.limit_amount)
            )
        return text

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        reviews = super().create(vals_list)
        reviews.sudo()._prepare()
        return reviews

    def write(self, vals):
        if not self.env.su:
            self.check_access("write")
            for review in self:
                review._check_editable(vals)
        return super().write(vals)

    def _check_editable(self, names):
        """What was submitted stays as it is; who decides may add the reason."""
        if self.state == "draft":
            if "decision_note" in names:
                raise UserError(self.env._("The decision follows when the review is submitted."))
            return
        manager = self.env.user.has_group("ar_collections.group_credit_manager")
        if self.state != "submitted" or not manager or set(names) - {"decision_note"}:
            raise UserError(
                self.env._(
                    "%(review)s is %(state)s: it cannot be changed any more.",
                    review=self.display_name,
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        self.state
                    ].lower(),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        for review in self:
            if review.state != "draft" or review.submitted_date:
                raise UserError(
                    self.env._(
                        "%s was submitted: it stays as a record of what was looked at. "
                        "Cancel it instead.",
                        review.display_name,
                    )
                )

    # Content

    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    def _prepare(self):
        """Give new reviews the card, what is known and the documents to ask."""
        self.with_context(tracking_disable=True)._refresh_figures()

    def action_refresh(self):
        """Read the ledger, the ratings and the last review again; what was entered here stays."""
        self.check_access("write")
        if any(review.state != "draft" for review in self):
            raise UserError(self.env._("Only a draft takes new figures."))
        for company, reviews in self.sudo().grouped("company_id").items():
            reviews._refresh_figures(company._ar_today())
        return True

    def _refresh_figures(self, date=None):
        """Fill in what is known on a date, by default the day that each review was opened."""
        for day, reviews in self.grouped(lambda review: date or review.date).items():
            reviews.line_ids._refresh(reviews, reviews.file_id._answers(day))
            for review in reviews:
                review.write(
                    {
                        "figures_date": day,
                        "avg_monthly_sales": review.file_id.avg_monthly_sales,
                        **review._current_values(),
                    }
                )
        self.document_ids._refresh(self)

    def _current_values(self):
        """What the credit file says now, to compare the proposal with."""
        file = self.file_id
        return {
            "current_grade_id": file.grade_id.id,
            "current_is_limited": file.is_limited,
            "current_limit": file.effective_limit,
        }
