from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        # EXTENDS base: one credit file and one open case per company must remain
        merge = self.env["ar.customer.merge"].sudo()
        customers = (src_partners | dst_partner).commercial_partner_id
        merge._merge_customers(src_partners, dst_partner.commercial_partner_id)
        result = super()._update_foreign_keys(src_partners, dst_partner)
        self.env.invalidate_all()
        # Contacts take items along to the customer whose they are from now on.
        merge._follow_items(customers - src_partners)
        return result
