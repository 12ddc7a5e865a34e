"""Invoices of orders: what lets them pass though the customer is stopped."""

from odoo import Command
from odoo.exceptions import UserError

from .common import SaleControlCommon


class TestInvoice(SaleControlCommon):
    def _confirmed(self, *amounts, **values):
        """An order from before the customer was put on hold."""
        order = self._order(*amounts, **values)
        order.action_confirm()
        self.file.sudo()._set_hold("Bankrupt", self.today)
        return order

    def _draft(self, order, **values):
        move = order._create_invoices(**values)
        move.invoice_date = self.today
        return move

    def _passes(self, move, reason):
        self.assertEqual(move._ar_credit_exemption(), reason)
        move.action_post()
        self.assertEqual(move.state, "posted")
        self.assertIn(reason, "".join(move.message_ids.mapped("body")))

    def _stopped(self, move):
        self.assertEqual(move._ar_credit_exemption(), "")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            move.action_post()

    def test_ordinary_invoice_of_an_order_is_stopped(self):
        self._stopped(self._draft(self._confirmed(100)))

    def test_transaction_of_the_invoice(self):
        move = self._draft(self._confirmed(100))
        transaction = self._transaction(99, moves=move)
        self._stopped(move)
        transaction.amount = 100
        self._passes(move, "paid in advance")

    def test_money_of_another_currency_is_not_that_much(self):
        order = self._confirmed(100)
        move = self._draft(order)
        yen = self.setup_other_currency("JPY", rates=[("2020-01-01", 100)])
        transaction = self._transaction(100, moves=move)
        transaction.currency_id = yen
        self._stopped(move)
        self.file.sudo()._lift_hold()
        move.currency_id = yen
        move.invoice_line_ids.price_unit = 100
        move.action_post()
        self._pay(move)
        self.assertEqual((move.amount_total, move.amount_residual), (100, 0))
        self.assertEqual(order._ar_credit_exemption(), "")

    def test_transaction_of_the_order(self):
        order = self._confirmed(100, 50)
        transaction = self._transaction(150, "pending", orders=order)
        move = self._draft(order)
        self._stopped(move)
        self._set_state(transaction, "authorized")
        self._passes(move, "paid in advance")

    def test_a_payment_covers_one_invoice_not_two(self):
        order = self._confirmed(100, 100)
        self._transaction(100, orders=order)
        first = self._draft(order)
        lines = first.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        lines[1].unlink()
        self._passes(first, "paid in advance")
        self._stopped(self._draft(order))

    def test_goods_are_delivered(self):
        order = self._confirmed(100, product=self.goods, quantity=10)
        order.sudo().order_line = [
            Command.create(
                {
                    "product_id": self.service.id,
                    "price_unit": 5,
                    "tax_ids": [Command.clear()],
                }
            )
        ]
        line = order.order_line[0]
        line.qty_delivered = 9
        move = self._draft(order)
        self._stopped(move)
        line.qty_delivered = 10
        move.invoice_line_ids = [
            Command.create({"name": "By hand", "price_unit": 9000, "tax_ids": [Command.clear()]})
        ]
        self._stopped(move)
        move.invoice_line_ids.filtered(lambda line: line.name == "By hand").unlink()
        self._passes(move, "goods are delivered")

    def test_order_was_released(self):
        self.file.sudo()._set_hold("Bankrupt", self.today)
        order = self._order(100)
        release = self._release(order)
        order.action_confirm()
        self.assertEqual(release.state, "used")
        order.order_line.sudo().price_unit = 101
        move = self._draft(order)
        self._stopped(move)
        move.button_cancel()
        order.order_line.price_unit = 100
        self._passes(self._draft(order), "order was released")

    def test_down_payment(self):
        order = self._confirmed(100)
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=order.ids)
            .create({"advance_payment_method": "fixed", "fixed_amount": 30})
        )
        move = wizard._create_invoices(order)
        move.invoice_date = self.today
        self._passes(move, "down payment")
        self._stopped(self._draft(order, final=True))

    def test_biller_without_rights_on_orders(self):
        order = self._confirmed(100, product=self.goods)
        order.order_line.qty_delivered = 1
        move = self._draft(order)
        self.env.invalidate_all()
        move.with_user(self.biller).action_post()
        self.assertEqual(move.state, "posted")

    def test_batch_of_one_order(self):
        """Two halves of an order under a full limit pass together."""
        order = self._order(1000, quantity=2)
        order.action_confirm()
        first = self._draft(order)
        first.invoice_line_ids.quantity = 1
        second = self._draft(order)
        (first | second).action_post()
        self.assertEqual(self._exposure(), 0)

    def test_queries_do_not_grow(self):
        counts = []
        for size in (4, 5, 30):
            orders = self.env["sale.order"].concat(
                *(self._order(1, partner=self._customer(f"C{size}{n}")) for n in range(size))
            )
            orders.action_confirm()
            moves = self.env["account.move"].concat(*(order._create_invoices() for order in orders))
            moves.invoice_date = self.today
            self.env.flush_all()
            self.env.invalidate_all()
            moves.mapped(
                "invoice_line_ids.sale_line_ids.order_id.order_line.invoice_lines.price_total"
            )
            moves.mapped("commercial_partner_id.name")
            before = self.env.cr.sql_log_count
            moves._ar_credit_demands()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts[1:])
