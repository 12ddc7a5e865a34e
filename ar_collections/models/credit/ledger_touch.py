from odoo import api, models


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _follow_customers(self, company, date, partners):
        # EXTENDS ar_collections: the figures first, and the holds that follow from them
        partners = super()._follow_customers(company, date, partners)
        changed = self.env["ar.credit.refresh"]._refresh_figures(company, date, partners)
        if changed:
            self.env["ar.credit.hold.rule"]._apply_hold_rules(company, date, changed)
        return changed
