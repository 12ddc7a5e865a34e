from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    ar_escalation_lapse_days = fields.Integer(
        string="Court Before Lapse (days)",
        default=365,
        help="An old case whose first item is barred by limitation in so many days is proposed for "
        "legal action instead of an agency.",
    )

    _ar_escalation_lapse = models.Constraint(
        "CHECK(ar_escalation_lapse_days >= 0)", "Days before the lapse cannot be negative."
    )
