from odoo import api, models

from .res_partner import FIGURES


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _forget_cached_values(self):
        # EXTENDS ar_collections: what contacts show of their credit file
        result = super()._forget_cached_values()
        self.env["res.partner"].invalidate_model(FIGURES, flush=False)
        return result
