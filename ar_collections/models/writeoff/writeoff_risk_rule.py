from odoo import api, fields, models

from .writeoff_risk import CAUSES, RiskRule


class ArWriteoffRiskRule(models.Model):
    """What makes a write-off dangerous, and how many points it is worth."""

    _name = "ar.writeoff.risk.rule"
    _description = "Risk of Write-offs"
    _order = "sequence, id"
    _rec_name = "code"

    code = fields.Selection(CAUSES, string="Cause", required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies.",
    )
    points = fields.Integer(required=True, default=10)
    threshold = fields.Float(help="The number in the cause: days, contacts, % or requests.")

    _code_uniq = models.UniqueIndex(
        "(code, company_id) NULLS NOT DISTINCT", "This cause has its points already."
    )
    _points = models.Constraint(
        "CHECK(points BETWEEN 0 AND 100)", "The points of a cause are from 0 to 100."
    )
    _threshold = models.Constraint("CHECK(threshold >= 0)", "A threshold cannot be negative.")

    @api.model
    def _get_rules(self, company):
        """The rules of a root company as the pure assessment takes them.

        A rule of the company goes before the shared one of the same cause.
        """
        rules = self.search([("company_id", "in", (company.id, False))])
        own = rules.filtered("company_id")
        shared = rules.filtered(lambda rule: rule.code not in own.mapped("code"))
        return [
            RiskRule(rule.code, rule.points, rule.threshold)
            for rule in (own | shared).sorted()
            if rule.points
        ]
