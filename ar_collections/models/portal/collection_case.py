from odoo import api, models


class ArCollectionCase(models.Model):
    _inherit = "ar.collection.case"

    @api.readonly
    def action_statement(self):
        return self.file_id.action_statement()
