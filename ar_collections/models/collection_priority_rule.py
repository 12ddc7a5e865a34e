from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL


class ArCollectionPriorityRule(models.Model):
    """Points for the cases that a domain finds; a case's priority is the sum."""

    _name = "ar.collection.priority.rule"
    _description = "Collection Priority Rule"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    domain = fields.Char(string="Cases", required=True, default="[]")
    points = fields.Integer(required=True, default=10)
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

    @api.model
    def _apply(self, company):
        """Write the priority of all open cases of the company in one statement."""
        cases = self.env["ar.collection.case"].sudo()
        rules = self.search([("company_id", "in", (company.id, False))])
        points = SQL(" + ").join(
            SQL(
                "CASE WHEN id IN %s THEN %s ELSE 0 END",
                cases._search(
                    [
                        *literal_eval(rule.domain),
                        ("company_id", "=", company.id),
                        ("state", "!=", "closed"),
                    ]
                ).subselect(),
                rule.points,
            )
            for rule in rules
        ) or SQL("0")
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_collection_case SET priority = fresh.points
              FROM (SELECT id AS case_id, %s AS points FROM ar_collection_case
                     WHERE company_id = %s AND state <> 'closed') fresh
             WHERE id = fresh.case_id AND priority IS DISTINCT FROM fresh.points
            """,
                points,
                company.id,
            )
        )
        cases.invalidate_model(["priority"], flush=False)
