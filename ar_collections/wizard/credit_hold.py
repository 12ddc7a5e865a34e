from odoo import fields, models


class ArCreditHold(models.TransientModel):
    """Why the credit of customers is held, or held no more."""

    _name = "ar.credit.hold"
    _description = "Hold Credit"

    file_ids = fields.Many2many("ar.credit.file", required=True)
    is_release = fields.Boolean()
    reason = fields.Char(required=True)

    def action_hold(self):
        self.file_ids.filtered(lambda file: not file.hold).write(
            {"hold": True, "hold_reason": self.reason}
        )

    def action_release(self):
        """Lift the holds, as far as the user may alone."""
        self.file_ids.filtered("hold").write({"hold": False, "hold_reason": self.reason})
