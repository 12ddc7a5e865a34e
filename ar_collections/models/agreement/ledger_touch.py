from odoo import api, models


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _follow_matching(self, lines):
        # EXTENDS ar_collections: who objects is heard before who promised
        result = super()._follow_matching(lines)
        self.env["ar.dispute"]._follow_matching(lines)
        self.env["ar.payment.promise"]._follow_matching(lines)
        self.env["ar.payment.plan"]._follow_matching(lines)
        return result
