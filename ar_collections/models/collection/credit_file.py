from odoo import api, fields, models


class ArCreditFile(models.Model):
    """Which collection policy a customer follows."""

    _inherit = "ar.credit.file"

    policy_id = fields.Many2one(
        "ar.collection.policy",
        string="Collection Policy",
        tracking=True,
        check_company=True,
        help="For this customer only. Leave empty to follow the grade.",
    )

    def write(self, vals):
        # EXTENDS ar_collections: open cases follow when another policy fits
        result = super().write(vals)
        if not vals.keys().isdisjoint(("grade_id", "policy_id")):
            self.env["ar.collection.case"]._match_policies(self)
        return result

    @api.model
    def _get_manager_fields(self):
        # EXTENDS ar_collections: how a customer is reminded is the credit manager's
        return (*super()._get_manager_fields(), "policy_id")

    def _follow_risk_tier(self):
        # EXTENDS ar_collections: policies may be for a risk tier
        result = super()._follow_risk_tier()
        self.env["ar.collection.case"]._match_policies(self)
        return result
