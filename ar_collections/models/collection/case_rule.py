from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ArCaseRule(models.AbstractModel):
    """A rule about the cases that a domain finds."""

    _name = "ar.case.rule"
    _description = "Rule About Cases"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    domain = fields.Char(string="Cases", required=True, default="[]")
    case_model = fields.Char(compute="_compute_case_model")

    def _compute_case_model(self):
        self.case_model = "ar.collection.case"

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            try:
                self.env["ar.collection.case"].search(literal_eval(rule.domain), limit=1)
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "The cases of rule “%(rule)s” cannot be searched: %(error)s",
                        rule=rule.name,
                        error=error,
                    )
                ) from error
