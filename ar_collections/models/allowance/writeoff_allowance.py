from odoo import api, models


class ArWriteoffBooking(models.AbstractModel):
    """A write-off uses up what was set aside for the customer before it is a loss."""

    _inherit = "ar.writeoff.booking"

    @api.model
    def _get_allowance(self, request):
        # EXTENDS ar_collections
        if not request.partner_id:
            return super()._get_allowance(request)
        return self.env["ar.allowance.ledger"]._get_available(
            request.company_id, request.partner_id
        )
