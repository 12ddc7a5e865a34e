from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

# Signal, what it must be above, and the points that it gives then.
DEFAULT_RULES = (
    ("overdue_months", 0.5, 1),
    ("overdue_months", 1, 1),
    ("overdue_months", 2, 1),
    ("rhythm", 1, 1),
    ("rhythm", 2, 1),
    ("rhythm", 3, 1),
    ("overdue_days", 15, 1),
    ("overdue_days", 30, 1),
    ("overdue_days", 60, 1),
    ("usual_delay", 15, 1),
    ("usual_delay", 30, 1),
    ("usual_delay", 60, 1),
    ("broken_promises", 0, 2),
    ("broken_promises", 1, 1),
)
SIGNALS = [
    ("overdue_months", "Overdue in months of own sales"),
    ("rhythm", "Later than usual, in spreads"),
    ("overdue_days", "Days overdue"),
    ("usual_delay", "Average days late"),
    ("late_share", "Late payments (%)"),
    ("broken_promises", "Broken promises"),
]


class ArCreditWarningScheme(models.Model):
    """By what a company calls the risk of its customers medium or high."""

    _name = "ar.credit.warning.scheme"
    _description = "Early Warning Thresholds"
    _rec_name = "company_id"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company.root_id,
        ondelete="cascade",
    )
    medium_from = fields.Integer(string="Medium Risk From (points)", default=3)
    high_from = fields.Integer(string="High Risk From (points)", default=6)
    calm_days = fields.Integer(
        string="Falls After (days)",
        default=14,
        help="A warning rises at once. It falls when its signals have been gone for so many days.",
    )
    least_spread = fields.Float(
        string="Least Spread (days)",
        default=3,
        help="Days of delay that nobody calls a change of rhythm, however regularly a customer "
        "pays.",
    )
    rule_ids = fields.One2many(
        "ar.credit.warning.rule",
        "scheme_id",
        string="Signals",
        default=lambda self: self._get_default_rules(),
    )
    distribution = fields.Html(
        compute="_compute_distribution", help="What the daily run says, and would say by these."
    )

    _company_unique = models.Constraint(
        "UNIQUE(company_id)", "The company has thresholds of its early warning already."
    )
    _points = models.Constraint(
        "CHECK(medium_from > 0 AND high_from >= medium_from)",
        "High risk begins at as many points as medium risk, or at more.",
    )
    _days = models.Constraint(
        "CHECK(calm_days >= 0 AND least_spread > 0)",
        "A warning falls after zero days or more, and the least spread is above zero.",
    )

    @api.constrains("company_id")
    def _check_main_company(self):
        if any(scheme.company_id.parent_id for scheme in self):
            raise ValidationError(
                self.env._("Branches are judged by the thresholds of their main company.")
            )

    @api.depends(
        "company_id",
        "medium_from",
        "high_from",
        "least_spread",
        "rule_ids.signal",
        "rule_ids.threshold",
        "rule_ids.points",
    )
    @api.depends_context("lang")
    def _compute_distribution(self):
        tiers = self.env["ar.credit.file"]._fields["warning_tier"]._description_selection(self.env)
        for scheme in self:
            counts = self.env["ar.credit.warning"]._get_distribution(scheme)
            totals = [sum(column) or 1 for column in zip(*counts.values(), strict=True)]
            scheme.distribution = self.env["ir.qweb"]._render(
                "ar_collections.warning_distribution",
                {
                    "rows": [
                        (label, [*zip(counts[tier], totals, strict=True)]) for tier, label in tiers
                    ]
                },
            )

    @api.model
    def _get_default_rules(self):
        return [
            Command.create({"signal": signal, "threshold": threshold, "points": points})
            for signal, threshold, points in DEFAULT_RULES
        ]

    @api.model
    def _get_scheme(self, company):
        """The thresholds of the company; those that are shipped as long as it has none."""
        company = company.root_id
        return self.sudo().search([("company_id", "=", company.id)]) or self.sudo().new(
            {"company_id": company.id}
        )

    @api.readonly
    @api.model
    def action_open(self):
        """The thresholds of the company, to read and to change."""
        scheme = self.search([("company_id", "=", self.env.company.root_id.id)])
        return {
            "type": "ir.actions.act_window",
            "name": self._description,
            "res_model": self._name,
            "res_id": scheme.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "context": {"create": not scheme},
        }


class ArCreditWarningRule(models.Model):
    """From where on a signal gives points."""

    _name = "ar.credit.warning.rule"
    _description = "Early Warning Signal"
    _order = "scheme_id, signal, threshold, id"

    scheme_id = fields.Many2one(
        "ar.credit.warning.scheme", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="scheme_id.company_id")
    signal = fields.Selection(SIGNALS, required=True)
    threshold = fields.Float(string="Above", digits=(16, 1), required=True)
    points = fields.Integer(default=1, required=True)

    _values = models.Constraint(
        "CHECK(threshold >= 0 AND points > 0)",
        "A threshold is zero or more, and gives a point at least.",
    )
    _threshold_unique = models.Constraint(
        "UNIQUE(scheme_id, signal, threshold)",
        "A signal has each threshold once: give it more points instead.",
    )
