from odoo import api, models

from ..figures.trade_receivable import is_trade_receivable


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _get_followed_items(self, lines):
        # EXTENDS ar_collections: loans and the like are nobody's to collect
        return super()._get_followed_items(lines) | lines.filtered(
            lambda line: line.partner_id and is_trade_receivable(line)
        )

    @api.model
    def _follow_customers(self, company, date, partners):
        # EXTENDS ar_collections: the figures first, and the holds that follow from them
        partners = super()._follow_customers(company, date, partners)
        changed = self.env["ar.credit.refresh"]._refresh_figures(
            company, date, partners, current=True
        )
        if changed:
            self.env["ar.credit.hold.rule"]._apply_hold_rules(company, date, changed)
        return changed
