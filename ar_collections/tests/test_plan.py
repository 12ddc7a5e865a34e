from hypothesis import given, settings, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, new_test_user, tagged

from ..models.collection_plan import distribute
from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestDistribute(BaseCase):
    @settings(max_examples=200, deadline=None)
    @given(st.integers(1, 10**9), st.integers(1, 60))
    def test_adds_up_to_the_cent(self, cents, count):
        parts = distribute(cents / 100, count, 0.01)
        self.assertEqual(len(parts), count)
        self.assertEqual(sum(round(part * 100) for part in parts), cents)
        self.assertLess(max(parts) - min(parts), 0.01 * count + 0.005)


class TestPlan(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls.other = cls._invoice(cls.customer, 500, due=-3)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.collector = new_test_user(
            cls.env,
            "plan_collector",
            "base.group_user,ar_collections.group_collector",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _plan(self, count=3, first=7, period="week"):
        plan = self.case.with_user(self.collector).action_plan()
        plan = self.env["ar.payment.plan"].with_user(self.collector).browse(plan["res_id"])
        plan.write(
            {
                "instalment_count": count,
                "first_date": self._day(first),
                "period": period,
            }
        )
        plan.action_distribute()
        return plan

    def _accepted(self, **values):
        plan = self._plan(**values)
        plan.action_propose()
        plan.sudo()._accept("Customer's director")
        return plan

    def test_proposal_from_count_and_amount(self):
        plan = self._plan()
        self.assertRecordValues(
            plan, [{"amount_total": 1500, "amount_planned": 1500, "state": "draft"}]
        )
        self.assertEqual(
            plan.line_ids.mapped(lambda line: (line.date, line.amount)),
            [(self._day(7), 500), (self._day(14), 500), (self._day(21), 500)],
        )
        plan.instalment_amount = 400
        plan.action_distribute()
        self.assertEqual(plan.line_ids.mapped("amount"), [375] * 4)

    def test_instalments_add_up(self):
        plan = self._plan()
        plan.line_ids[0].amount = 499
        with self.assertRaises(ValidationError):
            plan.action_propose()
        plan.line_ids[0].amount = 500
        plan.line_ids[0].date = self._day(-1)
        with self.assertRaises(ValidationError):
            plan.action_propose()

    def test_proposed_plan_is_mailed_and_fixed(self):
        plan = self._plan()
        plan.action_propose()
        self.assertEqual(plan.state, "proposed")
        mail = plan.message_ids.filtered(lambda m: self.customer in m.partner_ids)
        self.assertIn("Read and accept the payment plan", mail.body)
        self.assertIn("500", mail.body)
        # Nothing is promised yet.
        self.assertEqual(self.case.amount_demand, 1500)
        with self.assertRaises(UserError):
            plan.line_ids[0].amount = 1
        with self.assertRaises(UserError):
            plan.item_ids[0].amount = 1
        with self.assertRaises(UserError):
            plan.note = "Other terms"
        with self.assertRaises(AccessError):
            plan.state = "accepted"
        with self.assertRaises(UserError):
            plan.action_accept()  # without the signed paper
        plan.signed_document = "c2lnbmVk"
        plan.action_accept()
        self.assertEqual(plan.state, "accepted")

    def test_accepted_plan_stops_dunning_until_done(self):
        plan = self._accepted()
        self.assertRecordValues(
            self.case, [{"amount_demand": 0, "amount_promised": 1500, "state": "open"}]
        )
        self.assertEqual(plan.signed_by, "Customer's director")
        before = self.case.action_ids
        self._pay(self.invoice, 500, day=7)
        self._run(10)
        self.assertEqual(plan.line_ids.mapped("state"), ["paid", "open", "open"])
        self.assertEqual((plan.next_date, plan.next_amount), (self._day(14), 500))
        self._pay(self.invoice, 500, day=14)
        self._run(20)
        self.assertEqual(self.case.action_ids, before)
        self._pay(self.other, day=20)
        self.assertEqual(plan.state, "done")
        self.assertEqual(self.case.file_id.promise_kept_rate, 1)
        self.assertEqual(self.case.state, "closed")

    def test_default_resumes_the_same_day(self):
        plan = self._accepted()
        self._pay(self.invoice, 499, day=7)
        self._run(9)
        self.assertEqual(plan.state, "accepted")
        self._run(10)
        self.assertEqual(plan.state, "defaulted")
        self.assertEqual((self.case.amount_demand, self.case.amount_promised), (1001, 0))
        self.assertEqual(self.case.file_id.broken_promises, 1)
        call = self.case.action_ids.filtered(lambda action: action.date_planned == self._day(10))
        self.assertIn(plan.name, call.filtered("note").note)

    def test_reminder_before_each_instalment_once(self):
        plan = self._accepted()
        for day in (3, 4, 5, 11, 12):
            self._run(day)
        reminders = plan.message_ids.filtered(lambda m: (m.subject or "").startswith("Instalment"))
        self.assertEqual(len(reminders), 1)
        self.assertEqual(plan.line_ids.mapped("date_reminded"), [self._day(4), False, False])

    def test_plan_takes_the_place_of_promises(self):
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 200,
                "date": self._day(3),
            }
        )
        self._accepted()
        self.assertEqual(promise.state, "replaced")
        self.assertEqual(self.case.amount_promised, 1500)

    def test_paid_between_proposal_and_acceptance(self):
        plan = self._plan()
        plan.action_propose()
        self._pay(self.invoice, 10, day=0)
        with self.assertRaises(UserError):
            plan.sudo()._accept("Director")

    def test_cancelling_needs_a_manager_once_accepted(self):
        plan = self._accepted()
        with self.assertRaises(AccessError):
            plan.action_cancel()
        plan.sudo(False).with_user(self.env.user).action_cancel()
        self.assertEqual(self.case.amount_demand, 1500)

    def test_acknowledgement(self):
        action = self.case.with_user(self.collector).action_acknowledgement()
        record = self.env["ar.debt.acknowledgement"].with_user(self.collector)
        record = record.browse(action["res_id"])
        self.assertEqual((record.amount, record.state), (1500, "draft"))
        self._pay(self.other, 100, day=0)
        record.action_send()
        self.assertEqual((record.amount, record.state), (1400, "sent"))
        with self.assertRaises(UserError):
            record.action_signed()
        with self.assertRaises(AccessError):
            record.amount = 1
        record.signed_document = "c2lnbmVk"
        record.action_signed()
        self.assertEqual((record.state, record.signed_by), ("signed", "Customer"))
        with self.assertRaises(AccessError):
            record.action_cancel()
