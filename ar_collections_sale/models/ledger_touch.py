from odoo import api, models

# Customers of whose orders something changed.
ORDERS = "orders"


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _touch_orders(self, company, partners):
        """Note down customers of a root company whose orders came, went or changed."""
        self._touch_customers(company, partners, ORDERS)

    @api.model
    def _follow_touched(self, line_ids, parts):
        # EXTENDS ar_collections: what orders add to the exposure
        result = super()._follow_touched(line_ids, parts)
        for company, partners in self._browse_part(parts, ORDERS):
            date = company._ar_get_run_date()
            self.env["ar.credit.refresh"]._refresh_orders(company, date, partners)
        return result
