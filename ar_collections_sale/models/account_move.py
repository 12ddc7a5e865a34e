from odoo import models
from odoo.tools import float_compare

from .sale_order import PAID


class AccountMove(models.Model):
    _inherit = "account.move"

    # The orders' part of the exposure follows their invoices.

    def _post(self, soft=True):
        # EXTENDS account
        posted = super()._post(soft=soft)
        posted._ar_orders()._ar_refresh_exposure()
        return posted

    def _ar_follow_undone(self):
        # EXTENDS ar_collections
        result = super()._ar_follow_undone()
        self._ar_orders()._ar_refresh_exposure()
        return result

    def _ar_amount_in_exposure(self):
        # EXTENDS ar_collections: posting takes off the orders what it adds to the open items
        amount = super()._ar_amount_in_exposure()
        company = self.company_id
        # Whoever invoices need not have rights on orders.
        for order in self._ar_orders():
            if (
                order.partner_invoice_id.commercial_partner_id == self._ar_get_customer()
                and order.company_id.root_id == company.root_id
            ):
                amount += order.currency_id._convert(
                    order._ar_open_amount() - order._ar_open_amount(posting=self._origin),
                    company.currency_id,
                    company,
                    company._ar_today(),
                )
        return amount

    def _ar_credit_exemption(self):
        # EXTENDS ar_collections
        return super()._ar_credit_exemption() or self._ar_sale_exemption()

    def _ar_sale_exemption(self):
        """Why the orders behind the invoice let it pass, or an empty text."""
        move = self.sudo()
        orders = move._ar_orders()
        if move.currency_id.compare_amounts(move._ar_paid_online(orders), move.amount_total) >= 0:
            return self.env._("paid in advance")
        lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        if not orders or not all(line.sale_line_ids for line in lines):
            # What was added by hand is not what was ordered.
            return ""
        if move._is_downpayment():
            return self.env._("down payment")
        if _are_delivered(lines):
            return self.env._("goods are delivered")
        if all(order._ar_is_released() for order in orders):
            return self.env._("order was released")
        return ""

    def _ar_orders(self):
        return self.sudo().invoice_line_ids.sale_line_ids.order_id

    def _ar_paid_online(self, orders):
        """What online payments of the invoice and of its orders leave for this invoice.

        An order hands its transactions on to each of its invoices: they count once, less what
        was invoiced of the order before.
        """
        transactions = self.transaction_ids.filtered(
            lambda transaction: (
                transaction.state in PAID
                and transaction.currency_id == self.currency_id
                and not transaction.sale_order_ids & orders
            )
        )
        paid = sum(transactions.mapped("amount"))
        if orders and orders.currency_id == self.currency_id:
            paid_of_orders = sum(order._ar_amount_paid() for order in orders)
            paid += max(paid_of_orders - sum(orders.mapped("amount_invoiced")), 0)
        return paid


def _are_delivered(lines):
    """Whether there are goods, and no more of them is invoiced than was delivered."""
    goods = lines.sale_line_ids.filtered(lambda line: line.product_id.type == "consu")
    digits = lines.env["decimal.precision"].precision_get("Product Unit")
    return bool(goods) and all(
        float_compare(line.qty_delivered, line.qty_invoiced, precision_digits=digits) >= 0
        for line in goods
    )
