from odoo import fields, models


class ArCollectionPause(models.TransientModel):
    _name = "ar.collection.pause"
    _description = "Pause Collection"

    case_ids = fields.Many2many("ar.collection.case", required=True)
    reason = fields.Char(required=True)
    end = fields.Date(string="Until", required=True)

    def action_pause(self):
        self.case_ids._pause_until(self.reason, self.end)
