from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _merge_customers(self, sources, target):
        # EXTENDS ar_collections
        result = super()._merge_customers(sources, target)
        self.env["ar.ageing.snapshot"]._merge_customers(sources, target)
        self.env["ar.allowance.specific"]._move_to_customer(sources, target)
        return result
