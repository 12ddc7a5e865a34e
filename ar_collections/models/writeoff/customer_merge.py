from odoo import api, models

from .writeoff_request import MOVED


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _merge_customers(self, sources, target):
        # EXTENDS ar_collections
        result = super()._merge_customers(sources, target)
        lines = self.env["ar.writeoff.request.line"].search([("partner_id", "in", sources.ids)])
        lines.partner_id = target
        return result

    @api.model
    def _follow_items(self, customers):
        # EXTENDS ar_collections
        lines = self.env["ar.writeoff.request.line"].search([("partner_id", "in", customers.ids)])
        for line in lines:
            line.partner_id = line.move_line_id.partner_id.commercial_partner_id or line.partner_id
        requests = lines.request_id.filtered("partner_id").with_context(ar_moved=MOVED)
        files = requests.file_id
        self._give_to_owner(requests, "line_ids")
        files |= requests.file_id
        files._refresh_writeoffs(files)
        return super()._follow_items(customers)

    @api.model
    def _bring_over(self, file, doubles, target):
        # EXTENDS ar_collections
        result = super()._bring_over(file, doubles, target)
        requests = self.env["ar.writeoff.request"].with_context(ar_moved=MOVED)
        self._move_to_file(requests, file, doubles, target)
        file._refresh_writeoffs(file)
        return result
