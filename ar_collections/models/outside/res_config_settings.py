from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_escalation_lapse_days = fields.Integer(
        related="company_id.root_id.ar_escalation_lapse_days", readonly=False
    )
