from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    ar_reply_pause_days = fields.Integer(
        string="Silence After a Reply (days)",
        default=3,
        help="No automatic contact for so many days after a customer has written.",
    )
    ar_recall_days = fields.Integer(
        string="Call Again After (working days)",
        default=2,
        help="So soon the customer is called again when a call ends without payment, as far as "
        "nothing else was agreed.",
    )
    ar_payment_match_days = fields.Integer(
        string="Search Payments Around (days)",
        default=10,
        help="A payment that the customer tells of may be booked so many days earlier or later.",
    )

    _ar_workbench = models.Constraint(
        "CHECK(ar_recall_days >= 0 AND ar_payment_match_days >= 0)",
        "Days of calls and payments cannot be negative.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_reply_pause_days = fields.Integer(
        related="company_id.root_id.ar_reply_pause_days", readonly=False
    )
    ar_recall_days = fields.Integer(related="company_id.root_id.ar_recall_days", readonly=False)
    ar_payment_match_days = fields.Integer(
        related="company_id.root_id.ar_payment_match_days", readonly=False
    )
