from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    ar_reply_pause_days = fields.Integer(
        string="Silence After a Reply (days)",
        default=3,
        help="No automatic contact for so many days after a customer has written.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_reply_pause_days = fields.Integer(
        related="company_id.root_id.ar_reply_pause_days", readonly=False
    )
