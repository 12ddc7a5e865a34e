from odoo import api, fields, models

from .agreement_limit import Limits


class ArCreditGrade(models.Model):
    """How far promises and plans with customers of the grade may go."""

    _inherit = "ar.credit.grade"

    max_promise_days = fields.Integer(
        string="Longest Promise (days)",
        default=60,
        help="So far ahead a collector takes a promise; beyond, a credit manager. Zero for no "
        "limit.",
    )
    max_promise_renewals = fields.Integer(
        string="Renewals of a Promise",
        default=2,
        help="So often a collector lets the same item be promised anew; beyond, a credit manager. "
        "Zero for no limit.",
    )
    max_plan_months = fields.Integer(
        string="Longest Plan (months)",
        default=12,
        help="The last instalment of a plan that a collector proposes is due by then. Zero for no "
        "limit.",
    )
    min_instalment = fields.Float(
        string="Smallest Instalment",
        help="In the currency of each company. The last instalment may be smaller. Zero for no "
        "limit.",
    )

    _agreement_limits = models.Constraint(
        "CHECK(max_promise_days >= 0 AND max_promise_renewals >= 0 AND max_plan_months >= 0"
        " AND min_instalment >= 0)",
        "The limits of promises and plans cannot be negative.",
    )

    @api.model
    def _get_amount_fields(self):
        # EXTENDS ar_collections
        return (*super()._get_amount_fields(), "min_instalment")

    def _get_agreement_limits(self):
        """The :class:`Limits` of promises and plans."""
        self.ensure_one()
        return Limits(
            self.max_promise_days,
            self.max_promise_renewals,
            self.max_plan_months,
            self.min_instalment,
        )
