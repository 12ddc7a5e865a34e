from odoo import fields, models


class ArCreditHold(models.TransientModel):
    _name = "ar.credit.hold"
    _description = "Hold Credit"

    file_ids = fields.Many2many("ar.credit.file", required=True)
    reason = fields.Char(required=True)

    def action_hold(self):
        self.file_ids.filtered(lambda file: not file.hold).write(
            {"hold": True, "hold_reason": self.reason}
        )
