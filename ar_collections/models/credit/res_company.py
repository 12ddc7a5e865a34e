from odoo import api, fields, models

from ..common.amount_scale import scale
from .credit_tolerance import AMOUNT_FIELDS


class ResCompany(models.Model):
    """What is the company's in judging the credit of its customers."""

    _inherit = "res.company"

    ar_behaviour_date = fields.Date(
        string="Payment Behaviour As Of", help="When the behaviour of all customers was computed."
    )
    ar_score_coverage = fields.Float(
        string="Least Coverage of the Scorecard",
        default=0.5,
        help="A score carries a grade when criteria of this share of all weights are known.",
    )
    ar_credit_manager_id = fields.Many2one(
        "res.users",
        string="Credit Manager",
        domain=[("share", "=", False)],
        help="Gets the early warnings; without one the customer's collector gets them.",
    )
    ar_score_yes_from = fields.Float(
        string="Able or Willing From (points)",
        default=50,
        help="From this ability, or willingness, to pay on the suggested way counts it as a yes.",
    )
    ar_review_days_ahead = fields.Integer(
        string="Open Reviews Before Their Date (days)", default=30
    )
    ar_review_limit_use = fields.Float(
        string="Review From This Use of the Limit",
        default=0.9,
        help="Share of the limit in use above which a review is opened.",
    )
    ar_review_limit_use_days = fields.Integer(
        string="No Second Review for That Within (days)", default=90
    )
    ar_review_work_days = fields.Integer(
        string="Time to Fill in a Review (days)",
        default=7,
        help="Of a review that an event opened; one for its date is due then.",
    )
    ar_release_days = fields.Integer(
        string="Releases Are Valid For (days)",
        default=7,
        help="Unless whoever decides says otherwise.",
    )
    ar_cover_warning_days = fields.Integer(
        string="Tell of the End of a Cover Before (days)", default=30
    )
    ar_terms_again_days = fields.Integer(
        string="Propose Better Terms Again After (days)",
        default=180,
        help="When a credit manager declined them.",
    )

    _ar_score_coverage = models.Constraint(
        "CHECK(ar_score_coverage BETWEEN 0 AND 1)",
        "The least coverage of the scorecard is from 0 to 100 %.",
    )
    _ar_credit = models.Constraint(
        "CHECK(ar_review_days_ahead >= 0 AND ar_review_limit_use >= 0"
        " AND ar_review_limit_use_days >= 0 AND ar_review_work_days >= 0"
        " AND ar_release_days >= 0 AND ar_cover_warning_days >= 0 AND ar_terms_again_days >= 0)",
        "Days and shares of credit reviews, releases, covers and terms cannot be negative.",
    )
    _ar_score_yes_from = models.Constraint(
        "CHECK(ar_score_yes_from BETWEEN 0 AND 100)", "Points of the score are from 0 to 100."
    )

    def _ar_scale_amounts(self, former):
        # EXTENDS ar_collections: limits of grades and tolerances of roles
        result = super()._ar_scale_amounts(former)
        grades = self.env["ar.credit.grade"]
        made = self._ar_scale_records(
            former, grades, lambda grade, ratio: grade._get_scaled_values(ratio)
        )
        files = self.env["ar.credit.file"].sudo()
        for grade in made:
            files.search(
                [("company_id", "=", self.id), ("grade_id", "=", grade.replaces_id.id)]
            ).write({"grade_id": grade.id, "limit_reason": self.env._("Amounts of the currency")})
        tolerances = self.env["ar.credit.tolerance"].sudo()
        tolerances = tolerances.search([("company_id", "=", self.id)])
        if self == self._ar_get_first():
            tolerances |= tolerances.search([("company_id", "=", False)])
        for tolerance in tolerances:
            for name in AMOUNT_FIELDS:
                tolerance[name] = scale(tolerance[name], self.ar_amount_factor / former)
        return result

    def _ar_score_terms(self):
        """How the company scores its customers: keyword arguments of the pure ``score``."""
        # A new form has no company before its customer is chosen.
        return {"min_coverage": self.ar_score_coverage, "yes_from": self.ar_score_yes_from}

    def _ar_default_credit_limit(self):
        """Odoo's default credit limit of the company, ``None`` when it has none."""
        self.ensure_one()
        Partner = self.env["res.partner"].with_company(self)
        limit = Partner._fields["credit_limit"].get_company_dependent_fallback(Partner)
        return limit if self.account_use_credit_limit and limit else None

    def _ar_credit_manager(self, file):
        """Who is told of a customer's credit: the company's credit manager, or the collector.

        When who was named has left, it is who is next; nobody when nobody was named.
        """
        self.ensure_one()
        people = self.ar_credit_manager_id | file.collector_id
        return people and people._ar_or_next(self)


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_score_coverage = fields.Float(related="company_id.root_id.ar_score_coverage", readonly=False)
    ar_credit_manager_id = fields.Many2one(
        related="company_id.root_id.ar_credit_manager_id", readonly=False
    )
    ar_warning_distribution = fields.Html(compute="_compute_ar_warning_distribution")
    ar_score_yes_from = fields.Float(related="company_id.root_id.ar_score_yes_from", readonly=False)
    ar_review_days_ahead = fields.Integer(
        related="company_id.root_id.ar_review_days_ahead", readonly=False
    )
    ar_review_limit_use = fields.Float(
        related="company_id.root_id.ar_review_limit_use", readonly=False
    )
    ar_review_limit_use_days = fields.Integer(
        related="company_id.root_id.ar_review_limit_use_days", readonly=False
    )
    ar_review_work_days = fields.Integer(
        related="company_id.root_id.ar_review_work_days", readonly=False
    )
    ar_release_days = fields.Integer(related="company_id.root_id.ar_release_days", readonly=False)
    ar_cover_warning_days = fields.Integer(
        related="company_id.root_id.ar_cover_warning_days", readonly=False
    )
    ar_terms_again_days = fields.Integer(
        related="company_id.root_id.ar_terms_again_days", readonly=False
    )

    @api.depends("company_id")
    def _compute_ar_warning_distribution(self):
        for settings in self:
            scheme = self.env["ar.credit.warning.scheme"]._get_scheme(settings.company_id)
            settings.ar_warning_distribution = scheme.distribution
