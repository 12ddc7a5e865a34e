from odoo import fields, models


class ArWriteoffRefuse(models.TransientModel):
    _name = "ar.writeoff.refuse"
    _description = "Refuse Write-off"

    request_id = fields.Many2one("ar.writeoff.request", required=True)
    reason = fields.Text(required=True)

    def action_refuse(self):
        self.request_id._refuse_request(self.reason)
