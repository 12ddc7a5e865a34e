from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    ar_writeoff_remind_days = fields.Integer(
        string="Remind Approvers Every (days)",
        default=3,
        help="Of write-offs that were not decided in time.",
    )

    _ar_writeoff_remind = models.Constraint(
        "CHECK(ar_writeoff_remind_days > 0)", "Approvers are reminded once a day at most."
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_writeoff_remind_days = fields.Integer(
        related="company_id.root_id.ar_writeoff_remind_days", readonly=False
    )
