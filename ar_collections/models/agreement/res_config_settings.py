from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_promise_memory_days = fields.Integer(
        related="company_id.root_id.ar_promise_memory_days", readonly=False
    )
