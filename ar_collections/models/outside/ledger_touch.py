from odoo import api, models


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _follow_matching(self, lines):
        # EXTENDS ar_collections: agencies have nothing left to collect, or have it back; what was
        # paid to them is money for all who are told after
        self.env["ar.placement.remittance"]._follow_matching(lines)
        result = super()._follow_matching(lines)
        self.env["ar.placement"]._follow_matching(lines)
        return result
