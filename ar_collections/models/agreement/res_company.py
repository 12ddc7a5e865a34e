from odoo import fields, models

from ..common.amount_scale import scale
from .agreement_limit import Limits


class ResCompany(models.Model):
    """How long promises and disputes are in time, and how far agreements go without a grade."""

    _inherit = "res.company"

    ar_promise_tolerance = fields.Float(
        string="Tolerance of Promises",
        default=0.001,
        help="A promise or payment plan of which so little is missing is kept, as a share of its "
        "amount.",
    )
    ar_promise_grace_days = fields.Integer(
        string="Grace of Promises (days)",
        default=2,
        help="A payment dated this many days after the promised day still keeps the promise.",
    )
    ar_dispute_days = fields.Integer(
        string="Dispute Window (days)",
        help="Days after delivery, or else after the invoice date, in which customers may dispute "
        "an invoice. Zero for no window: every dispute is in time.",
    )

    ar_promise_memory_days = fields.Integer(
        string="Memory of Promises (days)",
        default=365,
        help="A promise or payment plan that was not kept is held against the customer for so "
        "long.",
    )

    # Of customers without a grade; a grade has its own.
    ar_max_promise_days = fields.Integer(string="Longest Promise (days)", default=60)
    ar_max_promise_renewals = fields.Integer(string="Renewals of a Promise", default=2)
    ar_max_plan_months = fields.Integer(string="Longest Plan (months)", default=12)
    ar_min_instalment = fields.Monetary(string="Smallest Instalment")

    _ar_agreement_limits = models.Constraint(
        "CHECK(ar_max_promise_days >= 0 AND ar_max_promise_renewals >= 0"
        " AND ar_max_plan_months >= 0 AND ar_min_instalment >= 0)",
        "The limits of promises and plans cannot be negative.",
    )
    _ar_promise_memory = models.Constraint(
        "CHECK(ar_promise_memory_days > 0)", "A promise is remembered for one day at least."
    )
    _ar_promise_grace = models.Constraint(
        "CHECK(ar_promise_grace_days >= 0)", "Days of grace cannot be negative."
    )
    _ar_promise_tolerance_share = models.Constraint(
        "CHECK(ar_promise_tolerance >= 0 AND ar_promise_tolerance < 1)",
        "The tolerance of promises is a share between 0 and 100 %.",
    )

    _ar_dispute = models.Constraint(
        "CHECK(ar_dispute_days >= 0)", "The dispute window cannot be negative."
    )

    def _ar_scale_amounts(self, former):
        # EXTENDS ar_collections
        result = super()._ar_scale_amounts(former)
        self.ar_min_instalment = scale(self.ar_min_instalment, self.ar_amount_factor / former)
        return result

    def _ar_get_agreement_limits(self):
        """The :class:`Limits` of promises and plans with customers who have no grade."""
        self.ensure_one()
        return Limits(
            self.ar_max_promise_days,
            self.ar_max_promise_renewals,
            self.ar_max_plan_months,
            self.ar_min_instalment,
        )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_promise_tolerance = fields.Float(
        related="company_id.root_id.ar_promise_tolerance", readonly=False
    )
    ar_promise_grace_days = fields.Integer(
        related="company_id.root_id.ar_promise_grace_days", readonly=False
    )
    ar_promise_memory_days = fields.Integer(
        related="company_id.root_id.ar_promise_memory_days", readonly=False
    )
    ar_dispute_days = fields.Integer(related="company_id.root_id.ar_dispute_days", readonly=False)
    ar_max_promise_days = fields.Integer(
        related="company_id.root_id.ar_max_promise_days", readonly=False
    )
    ar_max_promise_renewals = fields.Integer(
        related="company_id.root_id.ar_max_promise_renewals", readonly=False
    )
    ar_max_plan_months = fields.Integer(
        related="company_id.root_id.ar_max_plan_months", readonly=False
    )
    ar_min_instalment = fields.Monetary(
        related="company_id.root_id.ar_min_instalment", readonly=False
    )
