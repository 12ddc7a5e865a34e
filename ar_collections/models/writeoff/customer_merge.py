from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _bring_over(self, file, doubles, target):
        # EXTENDS ar_collections
        result = super()._bring_over(file, doubles, target)
        self._move_to_file(self.env["ar.writeoff.request"], file, doubles)
        file._refresh_writeoffs(file)
        return result
