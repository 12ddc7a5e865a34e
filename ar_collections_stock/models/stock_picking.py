from odoo import api, models

from odoo.addons.ar_collections.models.credit.credit_document import Demand

OPEN = ("draft", "waiting", "confirmed", "assigned")


class StockPicking(models.Model):
    """A delivery gives no new credit: it waits only while the customer is on credit hold."""

    _name = "stock.picking"
    _inherit = ["stock.picking", "ar.credit.document"]
    # Validation in the form, of batches, by barcode and by code: all cross it.
    _ar_gated_method = "_action_done"

    def _ar_credit_demands(self):
        # EXTENDS ar_collections
        demands = super()._ar_credit_demands()
        for picking in self:
            debtor = picking._ar_debtor()
            if picking._ar_is_delivery() and debtor:
                demands[picking] = Demand(
                    partner=debtor,
                    company=picking.company_id,
                    amount=0,
                    exempt=picking._ar_credit_exemption(),
                    codes=("hold",),
                )
        return demands

    def _ar_is_delivery(self):
        """Whether goods would leave for a customer; what goes back to a supplier is a return."""
        return (
            self.picking_type_code == "outgoing"
            and self.location_dest_id.usage == "customer"
            and self.state in OPEN
            and not self.return_id
        )

    def _ar_order(self):
        """The order that is delivered, ``None`` without sales: this addon does not need them."""
        picking = self.sudo()
        if "sale_id" in picking._fields and "ar_release_ids" in picking.sale_id._fields:
            return picking.sale_id
        return None

    def _ar_debtor(self):
        """The customer who owes: not always the one at whose address the goods arrive."""
        order = self._ar_order()
        partner = order.partner_invoice_id if order else self.partner_id
        return partner.with_env(self.env).commercial_partner_id._origin

    def _ar_credit_exemption(self):
        """Why the delivery goes out in spite of a hold, or an empty text."""
        order = self._ar_order()
        if order and (reason := order._ar_credit_exemption()):
            return reason
        if order and order._ar_is_released():
            return self.env._("order was released")
        if "pos_session_id" in self._fields and self.pos_session_id:
            # The customer has left the shop with the goods; an error would lose the sale.
            return self.env._("sold at the point of sale")
        return ""

    @api.depends("partner_id", "company_id", "picking_type_id", "location_dest_id", "state")
    def _compute_ar_credit(self):
        # EXTENDS ar_collections
        return super()._compute_ar_credit()
