from odoo import fields, models


class ArCreditGrade(models.Model):
    _inherit = "ar.credit.grade"

    policy_id = fields.Many2one("ar.collection.policy", string="Collection Policy")
