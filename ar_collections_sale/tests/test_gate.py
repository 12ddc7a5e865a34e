"""Confirming orders, on every path and as every role."""

from unittest.mock import patch

from lxml import etree

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import UserError
from odoo.tests import Form

from odoo.addons.ar_collections.models.credit.credit_control import COLLECT_STOPPED

from .common import SaleControlCommon


class TestGate(SaleControlCommon):
    def _stopped(self, function, *words):
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            function()
        for word in words:
            self.assertIn(word, str(caught.exception).replace("\xa0", " "))

    def test_limit(self):
        self._order(600).with_user(self.seller).action_confirm()
        order = self._order(401).with_user(self.seller)
        self._stopped(order.action_confirm, "1,001.00", "1,000.00", "Request Release")
        self.assertEqual(order.state, "draft")
        order.order_line.price_unit = 400
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_risk_cuts_the_limit_and_asks_approval(self):
        """A grade acts by itself while the risk is high, and gives the limit back after it."""
        self.grade.write({"risk_limit_share": 0.5, "on_risk": "allow", "on_overdue": "allow"})
        self.grade.write(dict.fromkeys(("on_hold", "on_promise", "on_expired"), "allow"))
        invoice = self._invoice(self.customer, 100, due=-200)
        self._run(0)
        order = self._order(401).with_user(self.seller)
        self._stopped(order.action_confirm, "501.00", "500.00")
        self.grade.write({"risk_limit_share": 1, "on_risk": "approve"})
        self._stopped(order.action_confirm, "The risk of the customer is high")
        self._pay(invoice)
        self._run(1)
        self._run(15)
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_zero_order_and_other_customer_pass(self):
        self.file.sudo()._set_hold("Bankrupt", self.today)
        self._order(0).action_confirm()
        self._order(100, partner=self._customer("Another")).action_confirm()
        self._stopped(self._order(1).action_confirm, "Bankrupt")

    def test_invoice_partner_is_the_debtor(self):
        other = self._customer("Payer")
        order = self._order(5000, partner_invoice_id=other.id)
        order.action_confirm()
        contact = self.env["res.partner"].create(
            {"name": "Office", "parent_id": self.customer.id, "type": "invoice"}
        )
        order = self._order(5000, partner=other, partner_invoice_id=contact.id)
        self._stopped(order.action_confirm)

    def test_currency_of_the_order(self):
        currency = self.setup_other_currency("CHF", rates=[("2020-01-01", 2)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "CHF", "currency_id": currency.id, "company_id": self.company.id}
        )
        self._order(2000, pricelist_id=pricelist.id).action_confirm()
        self._stopped(self._order(0.02).action_confirm)

    def test_payment_term(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Long",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (0, 31)
                ],
            }
        )
        order = self._order(10, payment_term_id=term.id)
        self._stopped(order.action_confirm, "31 days")
        term.line_ids[1].nb_days = 30
        order.action_confirm()

    def test_batch_passes_what_passes(self):
        orders = self._order(600) | self._order(500) | self._order(300)
        orders.with_user(self.seller).action_confirm()
        self.assertEqual(orders.mapped("state"), ["sale", "draft", "sale"])
        self.assertRecordValues(
            orders[1].ar_release_ids, [{"state": "held", "amount": 500, "control": "block"}]
        )
        self.assertFalse((orders[0] | orders[2]).ar_release_ids)

    def test_other_addons_see_only_what_passes(self):
        """An addon that was loaded later acts on all orders that it is given."""
        seen = []

        def action_confirm(orders):
            seen.extend(orders.ids)
            return True

        orders = self._order(600) | self._order(500)
        outermost = type(orders).__mro__[1]
        with patch.object(outermost, "action_confirm", action_confirm, create=True):
            orders.action_confirm()
        self.assertEqual(seen, orders[0].ids)

    def test_hook_twice_is_one_gate(self):
        self.env["sale.order"]._register_hook()
        self.env["sale.order"]._register_hook()
        self._order(600).action_confirm()
        self._stopped(self._order(500).action_confirm)

    def test_asking_the_hook(self):
        order = self._order(1500).with_user(self.seller)
        message = order._confirmation_error_message()
        self.assertIn("1,000.00", message.replace("\xa0", " "))
        self.assertFalse(order.sudo().ar_release_ids)
        self._release(order)
        self.assertFalse(order._confirmation_error_message())
        self.assertEqual(order.sudo().ar_release_ids.state, "approved", "it was not used")
        self.assertFalse(self._order(1000)._confirmation_error_message())

    def test_direct_write(self):
        order = self._order(1500).with_user(self.seller)
        self._stopped(lambda: order.write({"state": "sale"}))
        order.action_quotation_sent()
        self._stopped(lambda: order.write({"state": "sale"}))
        order.action_cancel()
        self._stopped(lambda: order.write({"state": "sale"}))
        self.assertEqual(order.state, "cancel")
        for fake in (True, ["sale.order", order.id], {"keys": [["sale.order", order.id]]}):
            faked = order.with_context(ar_credit_passed=fake, ar_credit_stopped=fake)
            self._stopped(lambda faked=faked: faked.write({"state": "sale"}))
        self._order(900).with_user(self.seller).write({"state": "sale"})

    def test_direct_create(self):
        self._order(900, state="sale")
        self._stopped(lambda: self._order(101, state="sale"), "1,001.00")
        self._order(100, state="sale")
        self.assertEqual(self.file.order_amount, 1000)

    def test_import(self):
        order = self._order(1500)
        order.env["ir.model.data"].create(
            {"module": "__test__", "name": "so", "model": "sale.order", "res_id": order.id}
        )
        result = order.load(["id", "state"], [["__test__.so", "sale"]])
        self.assertFalse(result["ids"])
        self.assertIn("credit control", result["messages"][0]["message"].lower())

    def test_paid_in_advance(self):
        self.file.sudo()._set_hold("Bankrupt", self.today)
        for state in ("done", "authorized"):
            order = self._order(1500)
            self._transaction(1500, state, order)
            order.action_confirm()
            self.assertEqual(order.state, "sale")
            self.assertIn("paid in advance", "".join(order.message_ids.mapped("body")))
        order = self._order(1500)
        self._transaction(1500, "pending", order)
        self._stopped(order.action_confirm)

    def test_prepayment_counts(self):
        order = self._order(1500, require_payment=True, prepayment_percent=0.3)
        transaction = self._transaction(499, orders=order)
        self._stopped(order.action_confirm, "1,001.00")
        transaction.amount = 500
        self.assertEqual(order._ar_credit_demands()[order].amount, 1000)
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_payment_is_never_lost(self):
        """Post-processing goes on to the payment when credit control stops the order."""
        provider = self._provider()
        self._create_dummy_payment_method_for_provider(
            provider, self.company_data["default_journal_bank"]
        )
        provider.journal_id = self.company_data["default_journal_bank"]
        for amount, state in ((450, "draft"), (1500, "sale")):
            order = self._order(1500, require_payment=True, prepayment_percent=0.3)
            transaction = self._transaction(amount, orders=order, provider=provider)
            transaction.reference += str(amount)
            transaction.with_user(SUPERUSER_ID)._post_process()
            self.assertTrue(transaction.payment_id, "the payment was booked")
            self.assertEqual(order.state, state)
            if state == "draft":
                self.assertEqual(order.ar_release_ids.state, "held")
                self.assertEqual(order.activity_ids.user_id, self.seller)
                # A booked payment is in the balance: it does not count twice.
                self.assertEqual(order._ar_credit_demands()[order].amount, 1500)

    def test_release_lets_pass_once(self):
        order = self._order(1500).with_user(self.seller)
        self._stopped(order.action_confirm)
        release = self._release(order)
        self.assertEqual(release.amount_granted, 1500)
        order.order_line.price_unit = 1501
        self._stopped(order.action_confirm)
        order.order_line.price_unit = 1499
        self._release(order) if release.state != "approved" else None
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertIn("used", order.sudo().ar_release_ids.mapped("state"))

    def test_collected(self):
        order = self._order(1500).with_context(ar_credit_stopped=COLLECT_STOPPED)
        for _time in range(2):
            self.assertTrue(order.action_confirm())
        self.assertEqual(order.state, "draft")
        self.assertEqual(len(order.activity_ids), 1, "told once")

    def test_banner(self):
        order = self._order(1500).with_user(self.seller)
        self.assertEqual(order.ar_credit_action, "block")
        self.assertIn("1,500.00", order.ar_credit_text.replace("\xa0", " "))
        with Form(order) as form:
            with form.order_line.edit(0) as line:
                line.price_unit = 10
            self.assertFalse(form.ar_credit_action)
        order.action_confirm()
        self.assertFalse(order.ar_credit_action)
        view = etree.fromstring(order.get_view(view_type="form")["arch"])
        self.assertTrue(view.xpath("//div/field[@name='ar_credit_text']"))
        former = view.xpath("//div[field[@name='partner_credit_warning']]")
        self.assertEqual([div.get("invisible") for div in former], ["1"], "one banner")

    def test_list_judges_each_alone(self):
        orders = self._order(600) | self._order(500)
        self.assertEqual(orders.mapped("ar_credit_action"), [False, False])
        cancelled = self._order(5000)
        cancelled.action_cancel()
        self.assertFalse(cancelled.ar_credit_action)

    def test_queries_do_not_grow(self):
        """The control reads a batch of five and one of fifty with the same statements."""
        customers = [self._customer(f"Customer {number}") for number in range(50)]
        for customer in customers:
            self._limited(customer)

        def count(orders):
            self.env.flush_all()
            self.env.invalidate_all()
            orders.mapped("order_line.price_total")
            orders.mapped("transaction_ids.state")
            orders.mapped("payment_term_id.line_ids.nb_days")
            orders.partner_invoice_id.mapped("commercial_partner_id.name")
            before = self.env.cr.sql_log_count
            passed = orders._ar_credit_pass()
            result = self.env.cr.sql_log_count - before
            self.assertEqual(passed, orders)
            return result

        batches = [
            self.env["sale.order"].concat(*(self._order(10, partner=one) for one in some))
            for some in (customers[:5], customers)
        ]
        count(batches[0])  # warms what is read once
        self.assertEqual(count(batches[0]), count(batches[1]))
        self.assertLessEqual(count(batches[1]), 3)

    def test_queries_of_the_refresh_do_not_grow(self):
        customers = [self._customer(f"Customer {number}") for number in range(50)]
        counts = []
        for some in (customers[:5], customers):
            orders = self.env["sale.order"].concat(*(self._order(10, partner=one) for one in some))
            orders.action_confirm()
            self.env.flush_all()
            orders.mapped("partner_invoice_id.commercial_partner_id")
            before = self.env.cr.sql_log_count
            orders._ar_refresh_exposure()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)
        self.assertLessEqual(counts[0], 2)

    def test_confirmed_order_that_grows(self):
        order = self._order(900).with_user(self.seller)
        order.action_confirm()
        line = order.order_line
        line.price_unit = 1000
        self.assertEqual(self.file.order_amount, 1000)
        self._stopped(lambda: line.write({"product_uom_qty": 2}), "2,000.00")
        self._stopped(lambda: line.write({"price_unit": 1001}))
        more = {"product_id": self.service.id, "price_unit": 1, "tax_ids": [Command.clear()]}
        self._stopped(lambda: line.create({**more, "order_id": order.id}))
        self._stopped(lambda: order.write({"order_line": [Command.create(more)]}))
        self.assertEqual(order.amount_total, 1000)
        self.file.sudo()._set_hold("Bankrupt", self.today)
        line.price_unit = 500
        self.assertEqual(self.file.order_amount, 500, "less is no credit")
        self._stopped(lambda: line.write({"price_unit": 501}), "Bankrupt")
        line.sudo().price_unit = 510

    def test_released_order_grows_up_to_its_release(self):
        order = self._order(1500).with_user(self.seller)
        self._release(order)
        order.action_confirm()
        order.order_line.price_unit = 1400
        order.order_line.price_unit = 1500
        self._stopped(lambda: order.order_line.write({"price_unit": 1501}))
