from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _merge_customers(self, sources, target):
        # EXTENDS ar_collections
        result = super()._merge_customers(sources, target)
        charges = self.env["ar.late.charge"].search([("partner_id", "in", sources.ids)])
        charges.partner_id = target
        return result

    @api.model
    def _follow_items(self, customers):
        # EXTENDS ar_collections
        charges = self.env["ar.late.charge"].search([("partner_id", "in", customers.ids)])
        for owner, same in charges.grouped(
            lambda charge: charge.move_line_id.partner_id.commercial_partner_id
        ).items():
            if owner:
                same.partner_id = owner
        return super()._follow_items(customers)
