from odoo import models


class ArCollectionCase(models.Model):
    _inherit = "ar.collection.case"

    def action_statement(self):
        return self.file_id.action_statement()
