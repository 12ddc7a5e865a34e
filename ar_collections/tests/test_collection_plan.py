from hypothesis import given, settings, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, new_test_user, tagged

from ..models.agreement.collection_plan import MOST_INSTALMENTS, distribute, instalments_of
from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestDistribute(BaseCase):
    @settings(max_examples=200, deadline=None)
    @given(st.integers(1, 10**9), st.integers(1, 60))
    def test_adds_up_to_the_cent(self, cents, count):
        parts = distribute(cents / 100, count, 0.01)
        self.assertEqual(len(parts), count)
        self.assertEqual(sum(round(part * 100) for part in parts), cents)
        # Nobody pays more than a cent more than another time, and the first never more.
        self.assertLess(max(parts) - min(parts), 0.015)
        self.assertEqual(parts, sorted(parts))

    @settings(max_examples=200, deadline=None)
    @given(st.integers(1, 10**7), st.integers(1, 10**7))
    def test_of_an_amount_each(self, yen, each):
        parts = instalments_of(yen, each, 1.0)
        if len(parts) <= MOST_INSTALMENTS:
            self.assertEqual(sum(parts), yen)
            self.assertEqual(parts[:-1], [each] * (len(parts) - 1))
            self.assertLessEqual(parts[-1], each)
            self.assertGreater(parts[-1], 0)
        else:
            self.assertGreater(yen, each * MOST_INSTALMENTS)

    def test_units_of_a_currency(self):
        self.assertEqual(distribute(1000, 3, 1.0), [333, 333, 334])
        self.assertEqual(distribute(1.0, 3, 0.001), [0.333, 0.333, 0.334])
        self.assertEqual(instalments_of(1000, 400, 1.0), [400, 400, 200])


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
        self.assertEqual(plan.line_ids.mapped("amount"), [400, 400, 400, 300])

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

    def test_paid_instalments_are_not_reminded(self):
        plan = self._accepted()
        self._pay(self.invoice, 500, day=2)
        for day in (4, 7, 10, 11):
            self._run(day)
        self.assertEqual(plan.line_ids.mapped("date_reminded"), [False, self._day(11), False])

    def test_no_reminder_when_the_plan_wants_none(self):
        plan = self._plan()
        plan.reminder_days = 0
        plan.action_propose()
        plan.sudo()._accept("Director")
        for day in (4, 7):
            self._run(day)
        self.assertFalse(any(plan.line_ids.mapped("date_reminded")))

    def _credit(self, move, amount, day):
        note = self._invoice(
            self.customer, amount, due=day, date_=self._day(day), move_type="out_refund"
        )
        lines = (move | note).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        return note

    def test_credit_note_takes_off_the_last_instalment(self):
        """It is no money: the first instalments are still to be paid on their days."""
        plan = self._accepted()
        total = plan.amount_total
        self._credit(self.invoice, 500, 5)
        self.assertEqual((plan.state, plan.amount_paid), ("accepted", 0))
        self._pay(self.invoice | self.other, day=6)
        self.assertEqual((plan.state, plan.amount_paid), ("done", total - 500))

    def test_credit_note_keeps_no_instalment(self):
        plan = self._accepted()
        self._credit(self.invoice, 500, 5)
        self._run(10)
        self.assertEqual(plan.state, "defaulted")

    def _give_up(self, move, amount, day):
        """Book it to an expense: nothing of it is to be paid any more."""
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self._day(day),
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "partner_id": self.customer.id, side: amount}
                    )
                    for account, side in (
                        (self.company_data["default_account_receivable"], "credit"),
                        (self.company_data["default_account_expense"], "debit"),
                    )
                ],
            }
        )
        entry.action_post()
        lines = (move | entry).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()

    def test_what_is_written_off_is_not_asked_for(self):
        plan = self._accepted()
        self._give_up(self.other, 500, day=3)
        self._pay(self.invoice, 600, day=7)
        self._pay(self.invoice, 400, day=14)
        # The third instalment fell away with the item.
        self._run(30)
        self.assertEqual(plan.state, "done")

    def _beyond(self, plan):
        """What keeps the collector from proposing the plan."""
        with self.assertRaises(UserError) as refused:
            plan.action_propose()
        return str(refused.exception)

    def test_beyond_the_limits_of_the_grade(self):
        grade = self.case.file_id.grade_id
        grade.write({"max_plan_months": 2, "min_instalment": 400})
        manager = new_test_user(
            self.env,
            "plan_manager",
            "base.group_user,ar_collections.group_credit_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        # The last instalment is due two months ahead at most.
        plan = self._plan(count=2, first=30, period="month")
        self.assertEqual(plan.line_ids[-1].date, self._day(61))
        plan.line_ids[-1].date = self._day(62)
        self.assertRegex(self._beyond(plan), "credit manager.*08/03/2030, 2 months")
        plan.line_ids[-1].date = self._day(61)
        plan.action_propose()
        self.assertFalse(plan.approved_by_id)
        # All but the last one are so large, in the currency of the company.
        plan.action_revise()
        plan.instalment_amount = 400
        plan.first_date = self._day(1)
        plan.period = "week"
        plan.action_distribute()
        self.assertEqual(plan.line_ids.mapped("amount"), [400, 400, 400, 300])
        plan.action_propose()
        plan.action_revise()
        plan.instalment_amount = 399
        plan.action_distribute()
        self.assertIn("smallest instalment is $\xa0400.00", self._beyond(plan))
        plan.with_user(manager).action_propose()
        self.assertEqual(plan.approved_by_id, manager)
        self.assertTrue([m for m in plan.message_ids if "Approved by plan_manager" in m.body])
        plan.action_revise()
        self.assertFalse(plan.approved_by_id)
        self.assertTrue(self._beyond(plan))
        grade.write({"max_plan_months": 0, "min_instalment": 0})
        plan.line_ids[-1].date = self._day(900)
        plan.action_propose()
        plan.sudo()._accept("Customer's director")
        # Who has no grade has the limits of the company.
        plan.with_user(manager).action_cancel()
        self.case.file_id.sudo().grade_id = False
        self.company.ar_min_instalment = 600
        self.assertIn("600.00", self._beyond(self._plan(count=3)))

    def test_smallest_instalment_in_another_currency(self):
        euro = self.setup_other_currency("EUR", rates=[(self._day(-90), 2.0)])
        self._invoice(self.customer, 1000, due=-3, currency=euro)
        self.case.file_id.grade_id.min_instalment = 250
        plan = self.env["ar.payment.plan"].with_user(self.collector)
        plan = plan.create({"partner_id": self.customer.id, "currency_id": euro.id})
        plan._distribute_instalments(count=2)
        plan.action_propose()
        plan.action_revise()
        plan._distribute_instalments(count=3)
        self.assertIn("250.00", self._beyond(plan))

    def test_no_instalment_is_more_than_what_is_left(self):
        plan = self._accepted(count=2)
        self._give_up(self.other, 500, day=1)
        self._give_up(self.invoice, 600, day=2)
        self._pay(self.invoice, 300, day=3)
        last = self._pay(self.invoice, 100, day=7)
        # 400 were left of the first 750.
        self._run(30)
        self.assertEqual(plan.state, "done")
        # The same when the bank tells of it long after both were due.
        self._bounce(last)
        self.assertEqual(plan.state, "defaulted")
        self._pay(self.invoice, 100, day=7)
        self.assertEqual(plan.state, "done")

    def test_paid_before_the_rest_is_given_up(self):
        plan = self._accepted()
        self._pay(self.invoice, 500, day=6)
        self._give_up(self.invoice, 500, day=8)
        self._give_up(self.other, 500, day=8)
        self._run(9)
        self.assertEqual(plan.state, "done")

    def test_nothing_was_paid_and_all_is_given_up(self):
        plan = self._accepted()
        self._give_up(self.invoice, 1000, day=2)
        self._give_up(self.other, 500, day=2)
        self._run(9)
        self.assertEqual(plan.state, "cancelled")

    def test_plan_takes_the_place_of_promises(self):
        promises = self.env["ar.payment.promise"].sudo()
        promise = promises.create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 200,
                "date": self._day(3),
                "date_made": self._day(-1),
            }
        )
        self._accepted()
        self.assertEqual(promise.state, "replaced")
        # It was put off, and counts so.
        self.assertEqual((self.case.file_id.promise_count, promise.is_decided), (1, True))
        self.assertEqual(self.case.amount_promised, 1500)

    def test_promises_of_other_items_stay(self):
        third = self._invoice(self.customer, 70, due=10)
        item = third.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 70,
                "date": self._day(12),
                "line_ids": [Command.create({"move_line_id": item.id, "amount": 70})],
            }
        )
        plan = self._accepted()
        self.assertNotIn(item, plan.item_ids.move_line_id)
        self.assertEqual(promise.state, "open")

    def test_a_plan_that_lives_again_has_no_end(self):
        plan = self._accepted()
        self._pay(self.invoice | self.other, day=6, group_payment=True)
        self.assertRecordValues(plan, [{"state": "done", "date_closed": self._day(6)}])
        (self.invoice | self.other).line_ids.remove_move_reconcile()
        self.assertRecordValues(plan, [{"state": "accepted", "date_closed": False}])

    def test_a_draft_keeps_no_item_from_another_plan(self):
        self._plan().action_propose()
        second = self.env["ar.payment.plan"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        self.assertEqual(second.amount_total, 1500)
        second.action_distribute()
        second.action_propose()
        self.assertEqual(second.state, "proposed")

    def test_only_collectors_send_an_acknowledgement(self):
        record = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        auditor = new_test_user(
            self.env,
            "plan_auditor",
            "base.group_user,ar_collections.group_auditor",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for name in ("action_send", "action_signed", "action_cancel"):
            with self.assertRaises(AccessError):
                getattr(record.with_user(auditor), name)()
        self.assertEqual(record.state, "draft")

    def test_nothing_to_acknowledge(self):
        even = self._customer("Even")
        self._invoice(even, 100, due=-3)
        self._invoice(even, 100, due=-3, move_type="out_refund")
        with self.assertRaisesRegex(UserError, "owes nothing"):
            self.env["ar.debt.acknowledgement"].create(
                {"partner_id": even.id, "company_id": self.company.id}
            )

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

    def test_not_more_instalments_than_anybody_wants(self):
        plan = self._plan()
        for values in (
            {"instalment_amount": 0.01},
            {"instalment_amount": 0, "instalment_count": 10**6},
            {"instalment_count": 0},
        ):
            plan.write(values)
            with self.assertRaises(UserError):
                plan.action_distribute()
        self.assertEqual(len(plan.line_ids), 3)

    def test_late_money_does_not_undo_a_default(self):
        plan = self._accepted()
        self._run(10)
        self.assertEqual(plan.state, "defaulted")
        self._pay(self.invoice | self.other, day=10, group_payment=False)
        self.assertEqual(plan.state, "defaulted")
        self.assertEqual(self.case.file_id.promise_kept_rate, 0)

    def test_money_that_is_booked_late_undoes_a_default(self):
        plan = self._accepted()
        self._run(10)
        self._pay(self.invoice, 500, day=9)
        self.assertEqual((plan.state, plan.date_closed), ("accepted", False))
        self.assertEqual((self.case.amount_demand, self.case.amount_promised), (0, 1000))
        self.assertEqual(self.case.file_id.broken_promises, 0)

    def test_instalment_after_its_grace_is_late_whenever_the_run_comes(self):
        plan = self._accepted()
        self._pay(self.invoice, 500, day=10)
        self._run(12)
        self.assertEqual(plan.state, "defaulted")

    def test_one_accepted_plan_for_an_item(self):
        second = self._plan()
        self._accepted()
        with self.assertRaises(ValidationError):
            second.action_propose()
        # A new one has nothing left to take.
        self.assertFalse(self._plan_without_instalments().item_ids)

    def _plan_without_instalments(self):
        action = self.case.with_user(self.collector).action_plan()
        return self.env["ar.payment.plan"].browse(action["res_id"])

    def test_one_plan_for_each_currency(self):
        yen = self.setup_other_currency("JPY", rounding=1.0, rates=[("2030-01-01", 150.0)])
        self._invoice(self.customer, 100000, due=-5, currency=yen)
        action = self.case.with_user(self.collector).action_plan()
        plans = self.env["ar.payment.plan"].search(action["domain"])
        self.assertEqual(
            [(plan.currency_id, plan.amount_total) for plan in plans.sorted("amount_total")],
            [(self.company.currency_id, 1500), (yen, 100000)],
        )
        plan = plans.filtered(lambda plan: plan.currency_id == yen)
        plan.action_distribute()
        self.assertEqual(plan.line_ids.mapped("amount"), [33333, 33333, 33334])

    def test_promise_of_a_customer_in_another_currency(self):
        euro = self.setup_other_currency("EUR")
        foreign = self._customer("Foreign")
        self._invoice(foreign, 300, due=-3, currency=euro)
        self._run(1)
        context = self._case(foreign).action_promise()["context"]
        self.assertEqual(
            (context["default_currency_id"], context["default_amount"]), (euro.id, 300)
        )

    def test_disputed_part_is_not_planned(self):
        item = self.invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "line_ids": [Command.create({"move_line_id": item.id, "amount": 400})],
            }
        )
        self.assertEqual(self._plan().amount_total, 1100)

    def test_signed_paper_is_not_replaced(self):
        plan = self._plan()
        plan.action_propose()
        plan.signed_document = "c2lnbmVk"
        plan.signed_document = "c2lnbmVkIGFnYWlu"
        plan.action_accept()
        for paper in (False, "b3RoZXI="):
            with self.assertRaises(UserError):
                plan.signed_document = paper

    def test_case_shows_what_was_agreed(self):
        self._accepted()
        self.case.action_acknowledgement()
        other = self._customer("Other")
        self._invoice(other, 10, due=-3)
        self._run(1)
        cases = (self.case | self._case(other)).with_user(self.collector)
        self.assertRecordValues(
            cases,
            [
                {
                    "promise_count": 0,
                    "plan_count": 1,
                    "dispute_count": 0,
                    "acknowledgement_count": 1,
                },
                {
                    "promise_count": 0,
                    "plan_count": 0,
                    "dispute_count": 0,
                    "acknowledgement_count": 0,
                },
            ],
        )
        case = cases[0].with_context(ar_agreements="plan_count")
        action = case.action_open_agreements()
        self.assertEqual(action["res_id"], self.case.file_id.plan_ids.id)
        with self.assertRaises(UserError):
            case.with_context(ar_agreements="res.users").action_open_agreements()
