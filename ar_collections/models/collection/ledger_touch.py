from odoo import api, models


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _follow_customers(self, company, date, partners):
        # EXTENDS ar_collections: only the day opens cases; here one shrinks, ends or opens again
        changed = super()._follow_customers(company, date, partners)
        if changed:
            self.env["ar.collection.sync"]._sync_cases(company, date, changed)
        return changed
