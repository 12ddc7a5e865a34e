"""What confirmed orders add to the exposure, against a slow and obvious count."""

import random

from odoo import Command
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.ar_collections.models.credit.credit_facts import CONTROL_FIELDS

from .common import SaleControlCommon


class TestExposure(SaleControlCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file.sudo().limit_mode = "unlimited"
        cls.grade.write(dict.fromkeys(CONTROL_FIELDS, "allow"))

    def _invoice_order(self, order, post=True, final=False):
        move = order._create_invoices(final=final)
        move.invoice_date = self.today
        if post:
            move.action_post()
        return move

    def _down_payment(self, order, amount, post=True):
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=order.ids)
            .create({"advance_payment_method": "fixed", "fixed_amount": amount})
        )
        move = wizard._create_invoices(order)
        move.invoice_date = self.today
        if post:
            move.action_post()
        return move

    def test_life_of_an_order(self):
        order = self._order(100, 200)
        self.assertEqual(self._exposure(), 0)
        order.action_confirm()
        self.assertEqual(self._exposure(), 300)
        draft = self._invoice_order(order, post=False)
        self.assertEqual(order.invoice_status, "invoiced")
        self.assertEqual(self._exposure(), 300, "a draft does not reduce it")
        self.assertEqual(draft._ar_amount_in_exposure(), 300)
        draft.action_post()
        self.assertEqual(self._exposure(), 0)
        draft.button_draft()
        self.assertEqual(self._exposure(), 300)
        draft.button_cancel()
        self.assertEqual(self._exposure(), 300)
        order.action_unlock()
        order.action_cancel()
        self.assertEqual(self._exposure(), 0)

    def test_taxes_parts_and_deliveries(self):
        order = self._order(100, quantity=10)
        order.order_line.tax_ids = self.tax
        order.action_confirm()
        total = order.amount_total
        self.assertGreater(total, 100)
        self.assertAlmostEqual(self._exposure(), total, 2)
        move = self._invoice_order(order, post=False)
        move.invoice_line_ids.quantity = 4
        move.action_post()
        self.assertAlmostEqual(self._exposure(), total * 0.6, 2)
        order.order_line.qty_delivered = 15
        self.assertAlmostEqual(self._exposure(), total * 1.1, 2, "delivered more than ordered")

    def test_more_invoiced_than_ordered_hides_nothing(self):
        order = self._order(100, 200)
        order.action_confirm()
        move = self._invoice_order(order, post=False)
        first, second = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        first.quantity = 3
        second.unlink()
        move.action_post()
        self.assertEqual(self._exposure(), 200)

    def test_discount_line(self):
        order = self._order(100, -30)
        order.action_confirm()
        self.assertEqual(self._exposure(), 70)
        order = self._order(50)
        order.order_line = [
            Command.create(
                {
                    "product_id": self.service.id,
                    "product_uom_qty": -1,
                    "price_unit": 20,
                    "tax_ids": [Command.clear()],
                }
            )
        ]
        order.action_confirm()
        self.assertEqual(self._exposure(), 100)

    def test_cost_without_ordered_quantity(self):
        order = self._order(100)
        order.action_confirm()
        order.order_line = [
            Command.create(
                {
                    "product_id": self.service.id,
                    "product_uom_qty": 0,
                    "price_unit": 20,
                    "discount": 10,
                    "tax_ids": [Command.clear()],
                }
            )
        ]
        order.order_line[1].qty_delivered = 3
        self.assertEqual((self._exposure(), order._ar_open_amount()), (154, 154))

    def test_down_payment(self):
        order = self._order(100)
        order.action_confirm()
        down_payment = self._down_payment(order, 30, post=False)
        self.assertEqual(self._exposure(), 100)
        self.assertEqual(down_payment._ar_amount_in_exposure(), 30)
        down_payment.action_post()
        self.assertEqual(self._exposure(), 70)
        final = self._invoice_order(order, post=False, final=True)
        self.assertEqual(final.amount_total, 70)
        self.assertEqual(self._exposure(), 70)
        self.assertEqual(final._ar_amount_in_exposure(), 70)
        final.action_post()
        self.assertEqual(self._exposure(), 0)

    def test_down_payment_above_the_rest(self):
        order = self._order(100, 10)
        order.action_confirm()
        self._down_payment(order, 60)
        move = self._invoice_order(order, post=False)
        move.invoice_line_ids.filtered(lambda line: line.price_unit == 10).unlink()
        move.action_post()
        self.assertEqual(self._exposure(), 0, "never below zero")
        self._order(40).action_confirm()
        self.assertEqual(self._exposure(), 40, "and nothing is taken off another order")

    def test_unit_of_the_invoice(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self._order(240, quantity=24, product=self.goods)
        order.action_confirm()
        move = self._invoice_order(order, post=False)
        line = move.invoice_line_ids
        line.product_uom_id = dozen
        line.write({"quantity": 1, "price_unit": 120})
        self.assertEqual(self._exposure(), 240)
        self.assertEqual(move._ar_amount_in_exposure(), 120)
        move.action_post()
        self.assertEqual(self._exposure(), 120)

    def test_refund_of_the_order(self):
        order = self._order(100)
        order.action_confirm()
        move = self._invoice_order(order)
        refund = move._reverse_moves([{"invoice_date": self.today}])
        self.assertEqual(self._exposure(), 0)
        refund.action_post()
        # Goods of a credit note may be invoiced again, as Odoo has it.
        self.assertEqual(self._exposure(), 100 if order.order_line.qty_invoiced == 0 else 0)

    def test_invoice_made_out_to_somebody_else(self):
        order = self._order(100)
        order.action_confirm()
        move = self._invoice_order(order, post=False)
        bank = self._customer("Leasing bank")
        move.partner_id = bank
        self.assertEqual(self._exposure(), 0, "the debt moves along")
        self.assertEqual(self._exposure(bank), 0)
        self.assertEqual(move._ar_amount_in_exposure(), 0)

    def test_currency_with_moving_rates(self):
        currency = self.setup_other_currency(
            "CHF", rates=[("2020-01-01", 2), ("2030-06-01", 4), ("2030-06-10", 5)]
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "CHF", "currency_id": currency.id, "company_id": self.company.id}
        )
        order = self._order(100, pricelist_id=pricelist.id)
        order.action_confirm()
        for day, amount in ((-10, 50), (0, 25), (7, 20)):
            self.assertEqual(self._exposure(date=self._day(day)), amount)
        self._down_payment(order, 40)
        self.assertEqual(self._exposure(), 15)
        self.env["res.currency.rate"].search([("currency_id", "=", currency.id)]).unlink()
        self.assertEqual(self._exposure(), 60)

    def test_rates_of_other_companies_are_theirs(self):
        currency = self.setup_other_currency("CHF", rates=[])
        elsewhere = self.setup_other_company(name="Other company")["company"]
        self.env["res.currency.rate"].create(
            [
                {
                    "currency_id": currency.id,
                    "name": self._day(day),
                    "rate": rate,
                    "company_id": company.id,
                }
                for company, day, rate in (
                    (self.env["res.company"], 20, 2),
                    (elsewhere, -5, 8),
                    (elsewhere, 10, 5),
                )
            ]
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "CHF", "currency_id": currency.id, "company_id": self.company.id}
        )
        self._order(100, pricelist_id=pricelist.id).action_confirm()
        self.assertEqual(self._exposure(), 50, "the first one to come, as Odoo does")

    def test_branch_and_other_company(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.branch.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.service.id,
                            "price_unit": 70,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self.assertEqual(self._exposure(), 70)
        self.assertEqual(self.file.order_amount, 70)
        other = self.setup_other_company(name="Other company")["company"]
        rows = self.env.execute_query(self.env["ar.credit.refresh"]._orders_sql(other, self.today))
        self.assertFalse(rows)

    def test_file_follows_at_once(self):
        self._run(0)
        order, other = self._order(100), self._order(50)
        (order | other).action_confirm()
        self.assertRecordValues(self.file, [{"order_amount": 150, "exposure": 150}])
        self.file.sudo().write({"limit_mode": "custom", "custom_limit": 300})
        self.env.flush_all()
        self._invoice_order(order)
        self.assertRecordValues(
            self.file, [{"order_amount": 50, "exposure": 150, "open_amount": 100}]
        )
        other._action_cancel()
        self.assertRecordValues(self.file, [{"order_amount": 0, "exposure": 100}])
        self.assertAlmostEqual(self.file.limit_use, 1 / 3, 2)
        order.order_line.qty_delivered = 3
        self._run(1)
        self.assertRecordValues(self.file, [{"order_amount": 200, "exposure": 300}])

    def test_order_of_another_customer_now(self):
        order = self._order(100)
        order.action_confirm()
        self.assertEqual(self.file.order_amount, 100)
        other = self._customer("Other")
        other_file = self.env["ar.credit.file"]._get_file(other, self.company, create=True)
        order.partner_invoice_id = other
        self.assertEqual((self.file.order_amount, other_file.order_amount), (0, 100))
        other_file.sudo().unlink()
        again = self.env["ar.credit.file"]._get_file(other, self.company, create=True)
        self.assertEqual(again.order_amount, 100, "a new file knows the orders that are there")

    def test_state_and_amount_in_one_write(self):
        self.grade.write({"on_limit": "block"})
        self.file.sudo().write({"limit_mode": "custom", "custom_limit": 150})
        order = self._order(100)
        with self.assertRaises(UserError):
            order.write(
                {
                    "state": "sale",
                    "order_line": [Command.update(order.order_line.id, {"price_unit": 200})],
                }
            )

    def test_posting_does_not_count_twice(self):
        self.grade.write({"on_limit": "block"})
        self.file.sudo().write({"limit_mode": "custom", "custom_limit": 1000})
        order = self._order(1000)
        order.action_confirm()
        self._invoice_order(order)
        self.assertEqual(order.invoice_ids.state, "posted")

    def test_old_orders_are_not_read(self):
        """The plan begins with the partial indexes, whatever the history."""
        partner = self._customer("Old customer")
        orders = self.env["sale.order"].concat(
            *(self._order(10, partner=partner) for _number in range(40))
        )
        orders.action_confirm()
        moves = self.env["account.move"].concat(*(order._create_invoices() for order in orders))
        moves.invoice_date = self.today
        moves.action_post()
        self.env.flush_all()
        self.env.cr.execute("ANALYZE sale_order, sale_order_line, account_move, account_move_line")
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        sql = self.env["ar.credit.refresh"]._orders_sql(self.company, self.today, partner)
        plan = "\n".join(row for (row,) in self.env.execute_query(SQL("EXPLAIN %s", sql)))
        self.assertIn("sale_order_ar_open_idx", plan)
        self.assertIn("account_move_ar_draft_idx", plan)

    def test_random_histories(self):
        """SQL, the count of one order, and a count from scratch agree to the cent."""
        chance = random.Random(19)
        customers = [self.customer, self._customer("Second"), self._customer("Third")]
        orders = self.env["sale.order"].concat(
            *(self._random_order(chance, customers) for _number in range(14))
        )
        self.env.flush_all()
        self.env.invalidate_all()
        for customer in customers:
            own = orders.filtered(lambda order, one=customer: order.partner_id == one)
            expected = sum(round(self._slow(order) + 1e-9, 2) for order in own)
            self.assertAlmostEqual(self._exposure(customer), expected, 2)
            self.assertAlmostEqual(
                sum(order.currency_id.round(order._ar_open_amount()) for order in own), expected, 2
            )
        self.assertTrue(any(self._slow(order) for order in orders))

    def _slow(self, order):
        """The definition, line by line from posted documents alone."""
        if order.state != "sale":
            return 0
        total = 0
        for line in order.order_line:
            posted = line.invoice_lines.filtered(lambda item: item.parent_state == "posted")
            signs = {"out_invoice": 1, "out_refund": -1}
            if line.is_downpayment:
                total -= sum(signs[item.move_type] * item.price_total for item in posted)
            elif not line.display_type:
                quantity = sum(signs[item.move_type] * item.quantity for item in posted)
                left = max(max(line.product_uom_qty, line.qty_delivered) - quantity, 0)
                total += line.price_total / line.product_uom_qty * left
        return max(total, 0)

    def _random_order(self, chance, customers):
        order = self._order(
            *(chance.randint(100, 99999) / 100 for _line in range(chance.randint(1, 3))),
            partner=chance.choice(customers),
            quantity=chance.choice((1, 3, 7)),
        )
        if chance.random() < 0.5:
            order.order_line[0].tax_ids = self.tax
        if chance.random() < 0.3:
            order.order_line[0].discount = 12.5
        order.action_confirm()
        if chance.random() < 0.3:
            self._down_payment(order, chance.randint(1, 50), post=chance.random() < 0.7)
        for _invoice in range(chance.randint(0, 2)):
            if order.invoice_status == "to invoice":
                self._random_invoice(chance, order)
        if chance.random() < 0.3:
            goods = order.order_line.filtered(
                lambda line: not line.is_downpayment and not line.display_type
            )
            goods[:1].qty_delivered = chance.randint(1, 9)
        if chance.random() < 0.15:
            order._action_cancel()
        return order

    def _random_invoice(self, chance, order):
        move = self._invoice_order(order, post=False, final=chance.random() < 0.5)
        line = move.invoice_line_ids.filtered(lambda line: line.quantity > 0)[:1]
        if line and chance.random() < 0.6:
            line.quantity = max(line.quantity - chance.randint(0, 2), 0.5)
        action = chance.choice(("post", "post", "draft", "cancel"))
        if action == "post" and move.move_type == "out_invoice":
            move.action_post()
        elif action == "cancel":
            move.button_cancel()
