from odoo import api, models

from odoo.addons.ar_collections.models.common.ledger_index import LedgerIndex

INDEXES = {
    # The exposure puts back what is on draft invoices only.
    "account_move_ar_draft_idx": LedgerIndex(
        "account_move",
        "(commercial_partner_id)"
        " WHERE state = 'draft' AND move_type IN ('out_invoice', 'out_refund')",
    ),
    # Of thousands of old orders it reads none.
    "sale_order_ar_open_idx": LedgerIndex(
        "sale_order",
        "(partner_invoice_id) WHERE state = 'sale' AND invoice_status IS DISTINCT FROM 'invoiced'",
    ),
}


class ArLedgerIndex(models.AbstractModel):
    _inherit = "ar.ledger.index"

    @api.model
    def _get_indexes(self):
        # EXTENDS ar_collections
        return {**super()._get_indexes(), **INDEXES}
