from odoo import fields, models


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

    _ar_score_coverage = models.Constraint(
        "CHECK(ar_score_coverage BETWEEN 0 AND 1)",
        "The least coverage of the scorecard is from 0 to 100 %.",
    )

    def _ar_default_credit_limit(self):
        """Odoo's default credit limit of the company, ``None`` when it has none."""
        self.ensure_one()
        Partner = self.env["res.partner"].with_company(self)
        limit = Partner._fields["credit_limit"].get_company_dependent_fallback(Partner)
        return limit if self.account_use_credit_limit and limit else None

    def _ar_credit_manager(self, file):
        """Who is told of a customer's credit: the company's credit manager, or the collector."""
        self.ensure_one()
        return self.ar_credit_manager_id or file.collector_id


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_score_coverage = fields.Float(related="company_id.root_id.ar_score_coverage", readonly=False)
    ar_credit_manager_id = fields.Many2one(
        related="company_id.root_id.ar_credit_manager_id", readonly=False
    )
