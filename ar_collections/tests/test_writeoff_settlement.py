"""Settlement for less: a part is paid by a day, the rest is written off as it was approved."""

from random import Random

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw

from .common_writeoff import WriteoffCommon


class TestSettlement(WriteoffCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.file = cls.case.file_id

    def _plan(self, waived=400, count=1, user=None, day=7):
        user = user or self.collector
        plan = self.env["ar.payment.plan"].browse(self.case.with_user(user).action_plan()["res_id"])
        plan = plan.with_user(user)
        plan.write(
            {
                "waived_amount": waived,
                "instalment_count": count,
                "first_date": self._day(day),
                "period": "week",
            }
        )
        plan.action_distribute()
        return plan

    def _approve(self, plan):
        request = self.env["ar.writeoff.request"].browse(plan.action_ask_waiver()["res_id"])
        request.with_user(self.manager).action_approve()
        if request.state == "submitted":
            request.with_user(self.chief).action_approve()
        return request

    def _accepted(self, **values):
        plan = self._plan(**values)
        self._approve(plan)
        plan.with_user(self.second).action_propose()
        plan.sudo()._accept("Customer's director")
        return plan

    def _post(self, request):
        companies = (self.company | self.branch).ids
        request.with_user(self.biller).with_context(allowed_company_ids=companies).action_post()

    def test_paid_in_time(self):
        plan = self._plan()
        self.assertRecordValues(
            plan, [{"amount_total": 1000, "amount_to_pay": 600, "amount_planned": 600}]
        )
        with self.assertRaisesRegex(UserError, "approved first"):
            plan.with_user(self.manager).action_propose()
        request = self._approve(plan)
        self.assertRecordValues(
            request,
            [{"state": "approved", "amount_total": 400, "is_settlement": True}],
        )
        self.assertEqual(request.reason_id.code, "settlement")
        self.assertIn("600.00", request.note)
        with self.assertRaisesRegex(UserError, "credit manager"):
            plan.action_propose()
        plan.with_user(self.second).action_propose()
        mail = plan.message_ids.filtered(lambda one: self.customer in one.partner_ids)
        self.assertIn("Read and accept the settlement", mail.body)
        self.assertIn("we waive the remaining", mail.body)
        self.assertEqual(self.case.amount_demand, 1000, "nothing is agreed yet")
        plan.sudo()._accept("Customer's director")
        self.assertEqual(self.case.amount_demand, 0, "all of it waits, not only what is paid")
        with self.assertRaisesRegex(UserError, "when the customer has paid"):
            self._post(request)
        self._pay(self.invoice, 599.99, day=7)
        with self.assertRaisesRegex(UserError, "when the customer has paid"):
            self._post(request)
        self._pay(self.invoice, 0.01, day=7)
        self.assertEqual((plan.state, request.state), ("accepted", "approved"))
        self.assertEqual(request.line_ids.mapped("amount"), [400])
        self._run(20)
        self.assertEqual(plan.state, "accepted", "paid; the rest waits for who posts it")
        self.assertEqual(self.case.amount_demand, 0, "and is not asked for")
        self._post(request)
        self.assertEqual((request.state, plan.state), ("posted", "done"))
        self.assertEqual(self.item.amount_residual, 0)
        self.assertEqual(self._balance(self.expense), 400)
        self.assertEqual(self.file.promise_kept_rate, 1)

    def test_not_paid_in_time(self):
        plan = self._accepted()
        request = plan.writeoff_id
        self._pay(self.invoice, 500, day=5)
        self._run(7)
        self._run(9)
        self.assertEqual(plan.state, "accepted", "two days of grace")
        self._run(10)
        self.assertEqual((plan.state, request.state), ("defaulted", "cancelled"))
        self.assertEqual(self.case.amount_demand, 500, "the full amount, less what was paid")
        calls = self.case.action_ids.filtered(
            lambda action: action.channel == "call" and action.state == "planned"
        )
        self.assertTrue(calls)
        with self.assertRaises(UserError):
            self._post(request)
        self._pay(self.invoice, 100, day=10)
        self.assertEqual((plan.state, request.state), ("defaulted", "cancelled"), "too late")

    def test_nearly_paid_waives_nothing(self):
        """Near enough keeps a promise; what is waived is waived for all of the money."""
        self.company.ar_promise_tolerance = 0.01
        plan = self._accepted()
        self._pay(self.invoice, 599.99, day=5)
        self._run(10)
        self.assertEqual((plan.state, plan.writeoff_id.state), ("defaulted", "cancelled"))

    def test_booked_late_but_paid_in_time(self):
        plan = self._accepted()
        request = plan.writeoff_id
        self._run(10)
        self.assertEqual((plan.state, request.state), ("defaulted", "cancelled"))
        self._pay(self.invoice, 600, day=7)
        self.assertEqual((plan.state, request.state), ("accepted", "approved"))
        self._post(request)
        self.assertEqual((plan.state, self.item.amount_residual), ("done", 0))

    def test_money_for_other_items_than_was_thought(self):
        """What is waived is spread anew over what is really open, and is not more in all."""
        other = self._invoice(self.customer, 500, due=-100)
        self._run(0)
        plan = self._accepted(waived=400, count=2)
        request = plan.writeoff_id
        self.assertEqual(request.line_ids.move_line_id.move_id, other, "the newest item waits")
        self._pay(other, 500, day=6)
        self._pay(self.invoice, 600, day=13)
        self.assertEqual((plan.state, request.state), ("accepted", "approved"))
        self.assertEqual(
            request.line_ids.mapped(lambda line: (line.move_line_id.move_id, line.amount)),
            [(self.invoice, 400)],
        )
        self.assertEqual(request.amount_total, 400)
        self._post(request)
        self.assertEqual((plan.state, self.item.amount_residual), ("done", 0))

    def test_credit_note_comes_off_what_is_waived(self):
        plan = self._accepted()
        request = plan.writeoff_id
        refund = self._invoice(self.customer, 100, due=0, move_type="out_refund")
        (self.item | self._items(refund)).reconcile()
        self._pay(self.invoice, 600, day=5)
        self.assertEqual((plan.state, request.amount_total), ("accepted", 300))
        self._post(request)
        self.assertEqual((plan.state, self.item.amount_residual), ("done", 0))

    def test_paid_in_full(self):
        plan = self._accepted()
        self._pay(self.invoice, 1000, day=5)
        self.assertEqual((plan.state, plan.writeoff_id.state), ("done", "cancelled"))

    def test_money_that_is_taken_back(self):
        plan = self._accepted()
        payment = self._pay(self.invoice, 600, day=5)
        self._post(plan.writeoff_id)
        self.assertEqual(plan.state, "done")
        self._bounce(payment)
        self._run(10)
        self.assertEqual(plan.state, "defaulted")
        self.assertIn("reverse", plan.activity_ids.mapped("summary")[-1])
        self.assertEqual(plan.writeoff_id.state, "posted")

    def test_what_is_offered_is_not_taken_back(self):
        plan = self._accepted()
        request = plan.writeoff_id
        for method in ("action_draft", "action_cancel"):
            with self.assertRaisesRegex(UserError, "revise or cancel that first"):
                getattr(request.with_user(self.manager), method)()
        with self.assertRaisesRegex(UserError, "revise or cancel that first"):
            request.with_user(self.manager).line_ids.amount = 1
        plan.with_user(self.manager).action_cancel()
        self.assertEqual((plan.state, request.state), ("cancelled", "cancelled"))
        self.assertEqual(self.case.amount_demand, 1000)

    def test_no_way_around_the_approval(self):
        plan = self._plan()
        request = self._approve(plan)
        # Another amount, another approval.
        plan.waived_amount = 500
        plan.action_distribute()
        with self.assertRaisesRegex(UserError, "something else"):
            plan.with_user(self.second).action_propose()
        again = self._approve(plan)
        self.assertEqual((request.state, again.state), ("cancelled", "approved"))
        for values in ({"writeoff_id": request.id}, {"state": "accepted"}):
            with self.assertRaises(AccessError):
                call_kw(plan, "write", [plan.ids, values], {})
        for values in ({"is_settlement": False}, {"state": "posted"}, {"plan_ids": []}):
            with self.assertRaises(AccessError):
                call_kw(again.with_user(self.collector), "write", [again.ids, values], {})
        # What a request of a client says in its context is no object.
        line = again.with_user(self.collector).line_ids
        call_kw(line, "write", [line.ids, {"amount": 450}], {"context": {"ar_settled": True}})
        self.assertEqual(again.state, "draft", "changed, so it has to be approved again")
        # A plan that is gone leaves nothing that could be posted.
        third = self._approve(plan)
        plan.unlink()
        self.assertEqual(third.state, "cancelled")
        # Who asked does not approve.
        own = self._plan(user=self.manager)
        request = self.env["ar.writeoff.request"].browse(own.action_ask_waiver()["res_id"])
        with self.assertRaises(UserError):
            request.with_user(self.manager).action_approve()

    def test_all_levels_approve(self):
        self._invoice(self.customer, 20000, due=-50)
        self._run(0)
        plan = self._plan(waived=6000)
        request = self.env["ar.writeoff.request"].browse(plan.action_ask_waiver()["res_id"])
        request.with_user(self.manager).action_approve()
        self.assertEqual(request.state, "submitted")
        with self.assertRaisesRegex(UserError, "approved first"):
            plan.with_user(self.second).action_propose()
        request.with_user(self.chief).action_approve()
        plan.with_user(self.second).action_propose()
        self.assertEqual(plan.state, "proposed")

    def test_nothing_to_pay_or_to_waive(self):
        plan = self._plan(waived=0)
        with self.assertRaisesRegex(UserError, "Enter first"):
            plan.action_ask_waiver()
        with self.assertRaises(UserError):
            self._plan(waived=1000)
        plan.action_propose()
        self.assertEqual(plan.state, "proposed", "a plan needs no approval of a write-off")

    def test_money_and_write_off_are_the_claim(self):
        """To the cent, in a currency of its own, however the money comes."""
        euro = self.setup_other_currency("EUR", rates=[("2020-01-01", 3.0), ("2030-06-05", 7.0)])
        dice = Random(5)
        for turn in range(6):
            customer = self._customer(f"Euro {turn}")
            claims = [dice.randint(1000, 99999) / 100 for _item in range(3)]
            invoices = self.env["account.move"]
            for index, amount in enumerate(claims):
                invoices |= self._invoice(customer, amount, due=-90 + index, currency=euro)
            self._run(turn + 1)
            case = self._case(customer)
            plan = self.env["ar.payment.plan"].browse(case.action_plan()["res_id"])
            total = euro.round(sum(claims))
            self.assertAlmostEqual(plan.amount_total, total)
            waived = euro.round(total * dice.choice((0.1, 0.3333, 0.77)))
            plan.write({"waived_amount": waived, "instalment_count": 1})
            plan.first_date = self._day(7)
            plan.action_distribute()
            request = self.env["ar.writeoff.request"].browse(
                plan.with_user(self.collector).action_ask_waiver()["res_id"]
            )
            request.with_user(self.manager).action_approve()
            if request.state == "submitted":
                request.with_user(self.chief).action_approve()
            approved = request.amount_total
            plan.with_user(self.second).action_propose()
            plan.sudo()._accept("Director")
            left = cents = round((total - waived) * 100)
            items = self._items(invoices)
            for item in dice.sample(list(items), len(items)):
                part = min(left, round(item.amount_residual_currency * 100))
                if part:
                    self._pay(item.move_id, part / 100, day=dice.randint(1, 7))
                    left -= part
            self.assertEqual(left, 0)
            self.assertEqual(plan.state, "accepted")
            if request.state == "submitted":
                # Another item has another rate: more in company currency is approved again.
                self.assertGreater(request.amount_total, approved)
                request.with_user(self.chief).action_approve()
            self.assertEqual(request.state, "approved")
            written = sum(round(line.amount * 100) for line in request.line_ids)
            self.assertEqual(cents + written, round(total * 100))
            self._post(request)
            self.assertEqual(plan.state, "done")
            self.assertFalse(any(items.mapped("amount_residual_currency")))
            self.assertFalse(any(items.mapped("amount_residual")))

    def test_form_and_paper(self):
        plan = self._accepted()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("ar_collections.report_payment_plan", plan.ids)[0]
            .decode()
        )
        self.assertIn("we waive the remaining", html)
        self.assertIn("lapses", html)
        with self.assertRaises(AccessError):
            call_kw(plan.with_user(self.auditor), "action_ask_waiver", [plan.ids], {})
