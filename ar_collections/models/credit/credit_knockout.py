from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class ArCreditKnockout(models.Model):
    """What caps the grade of a customer whatever the score says."""

    _name = "ar.credit.knockout"
    _description = "Knock-out Rule"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(
        required=True, translate=True, help="The reason, as reviews and credit files show it."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies.",
    )
    domain = fields.Char(
        string="Customers",
        required=True,
        default="[]",
        help="The rule applies as long as the credit file is among these.",
    )
    grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Best Grade Still Possible",
        required=True,
        ondelete="restrict",
        check_company=True,
    )
    file_model = fields.Char(compute="_compute_file_model")

    def _compute_file_model(self):
        self.file_model = "ar.credit.file"

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            try:
                self.env["ar.credit.file"].search(rule._get_domain(), limit=1)
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "The customers of rule “%(rule)s” cannot be searched: %(error)s",
                        rule=rule.name,
                        error=error,
                    )
                ) from error

    def _get_domain(self):
        """The customers that the rule is about, in any company that it is of."""
        domain = Domain(literal_eval(self.domain))
        company = self.company_id
        return domain & Domain("company_id", "=", company.id) if company else domain

    @api.model
    def _get_caps(self, files):
        """The rules that apply to the credit files: a query for each rule, whatever the number.

        :return: ``{file id: [(rule id, lowest score of its best grade)]}``, none left out
        """
        caps = {file_id: [] for file_id in files.ids}
        scope = Domain("id", "in", files.ids)
        for rule in self.sudo().search([("company_id", "in", (*files.company_id.ids, False))]):
            for file_id in files.sudo().search(scope & rule._get_domain()).ids:
                caps[file_id].append((rule.id, rule.grade_id.score_from))
        return caps
