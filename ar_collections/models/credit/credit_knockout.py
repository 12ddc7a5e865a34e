from odoo import api, fields, models
from odoo.fields import Domain


class ArCreditKnockout(models.Model):
    """What caps the grade of a customer whatever the score says."""

    _name = "ar.credit.knockout"
    _inherit = "ar.credit.condition"
    _description = "Knock-out Rule"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(help="The reason, as reviews and credit files show it.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(domain=[("parent_id", "=", False)])
    grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Best Grade Still Possible",
        required=True,
        ondelete="restrict",
        check_company=True,
    )

    @api.model
    def _get_caps(self, files):
        """The rules that apply to the credit files: a query for each rule, whatever the number.

        :return: ``{file id: [(rule id, lowest score of its best grade)]}``, none left out
        """
        caps = {file_id: [] for file_id in files.ids}
        scope = Domain("id", "in", files.ids)
        # An amount is searched in no currency, or else in all of those of the records.
        everybody = files.browse().sudo()
        for rule in self.sudo().search([("company_id", "in", (*files.company_id.ids, False))]):
            for file_id in everybody.search(scope & rule._get_domain()).ids:
                caps[file_id].append((rule.id, rule.grade_id.score_from))
        return caps
