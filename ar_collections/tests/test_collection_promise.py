from datetime import timedelta

from hypothesis import given, settings, strategies as st
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..models.common.res_company import Clock
from .common import CollectionsCommon


class TestPromise(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency("EUR")
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.file = cls.case.file_id
        cls.collector = new_test_user(
            cls.env,
            "promise_collector",
            "base.group_user,ar_collections.group_collector",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _promise(self, amount, day, **values):
        return (
            self.env["ar.payment.promise"]
            .with_user(self.collector)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "amount": amount,
                    "date": self._day(day),
                    **values,
                }
            )
            .sudo()
        )

    def _figures(self, day=0):
        return self.env["ar.position"]._figures(self.company, self._day(day), self.customer)[
            self.company.id, self.customer.id
        ]

    def test_promised_amount_is_not_asked_for(self):
        promise = self._promise(400, 5)
        self.assertRecordValues(
            promise,
            [
                {
                    "state": "open",
                    "date_made": self.today,
                    "case_id": self.case.id,
                    "file_id": self.file.id,
                    "user_id": self.collector.id,
                }
            ],
        )
        self.assertEqual(promise.line_ids.move_line_id.move_id, self.invoice)
        self.assertRecordValues(
            self.case,
            [
                {
                    "amount_overdue": 1000,
                    "amount_promised": 400,
                    "amount_demand": 600,
                    "state": "open",
                }
            ],
        )
        figures = self._figures()
        self.assertEqual((figures.promised, figures.overdue_amount), (400, 1000))
        self.assertEqual(figures.demand_amount, 600)

    def test_everything_promised_pauses_dunning_but_not_the_case(self):
        call = self.case.action_ids.filtered(lambda action: action.state == "planned")
        self.assertEqual(call.channel, "call")
        self.file.grade_id.max_promise_days = 0
        self._promise(1000, 70)
        self.assertEqual(call.state, "cancelled")
        before = self.case.action_ids
        for day in (10, 44, 60):
            self._run(day)
        self.assertEqual(self.case.action_ids, before)
        self.assertEqual((self.case.state, self.case.waiting_for), ("open", "claimed"))

    def test_kept_in_the_transaction_of_the_payment(self):
        promise = self._promise(1000, 5)
        self._pay(self.invoice, 600, day=3)
        self.assertEqual((promise.state, promise.amount_paid), ("open", 600))
        self.assertEqual(self.case.amount_promised, 400)
        self._pay(self.invoice, 400, day=5)
        self.assertEqual((promise.state, promise.kept_share), ("kept", 1))
        self.assertEqual((self.file.promise_kept_rate, self.file.broken_promises), (1, 0))
        self.assertEqual(self.case.close_reason, "paid")

    def test_payment_that_is_undone_opens_the_promise_again(self):
        promise = self._promise(1000, 5)
        payment = self._pay(self.invoice, day=3)
        self.assertEqual(promise.state, "kept")
        self._bounce(payment)
        self.assertEqual((promise.state, promise.date_closed), ("open", False))
        self.assertEqual(self.case.amount_promised, 1000)

    def test_broken_resumes_dunning_the_same_day(self):
        promise = self._promise(1000, 5)
        self._pay(self.invoice, 300, day=4)
        self._run(7)  # the last day of grace
        self.assertEqual(promise.state, "open")
        self._run(8)
        self.assertEqual(promise.state, "broken")
        self.assertEqual((self.case.amount_demand, self.case.amount_promised), (700, 0))
        call = self.case.action_ids.filtered(
            lambda action: action.state == "planned" and action.channel == "call"
        )
        self.assertEqual(call.date_planned, self._day(8))
        self.assertIn("300", call.note)
        self.assertTrue(call.activity_id)
        self.assertEqual((self.file.broken_promises, self.file.promise_kept_rate), (1, 0))
        review = self.file.review_ids
        self.assertEqual(review.mapped("reason"), ["broken_promise"])

    def test_payment_dated_in_time_but_booked_late_keeps_it(self):
        promise = self._promise(1000, 5)
        self._run(8)
        self.assertEqual(promise.state, "broken")
        self._pay(self.invoice, day=6)
        self.assertEqual(promise.state, "kept")
        self.assertEqual(self.file.broken_promises, 0)

    def test_day_of_the_money_decides_not_of_the_matching(self):
        """Booked when the promise was broken, and matched after that; or on its way before it."""
        for day in (-1, 7):
            with self.subTest(day=day), self.env.cr.savepoint() as savepoint:
                promise = self._promise(1000, 5)
                money = self.env["account.payment"].create(
                    {
                        "partner_id": self.customer.id,
                        "partner_type": "customer",
                        "payment_type": "inbound",
                        "amount": 1000,
                        "date": self._day(day),
                    }
                )
                money.action_post()
                self._run(12)
                (self._receivable(self.invoice) | self._receivable(money.move_id)).reconcile()
                self.assertRecordValues(promise, [{"state": "kept", "amount_paid": 1000}])
                self.env.flush_all()
                savepoint.rollback()
            self.env.invalidate_all(flush=False)

    def test_payment_that_comes_late_does_not_keep_it(self):
        promise = self._promise(1000, 5)
        self._pay(self.invoice, day=9)
        self._run(10)
        self.assertEqual(promise.state, "broken")

    def test_earlier_part_payment_does_not_count(self):
        self._pay(self.invoice, 400, day=-1)
        promise = self._promise(600, 5)
        self.assertEqual(promise.amount_paid, 0)
        self._run(8)
        self.assertEqual(promise.state, "broken")

    def test_rest_that_is_paid_keeps_it_though_an_earlier_part_bounces(self):
        part = self._pay(self.invoice, 400, day=1)
        promise = self._promise(600, 5)
        self._bounce(part)
        self._pay(self.invoice, 600, day=4)
        self.assertEqual((promise.state, promise.amount_paid), ("kept", 600))

    def test_money_that_was_there_before_keeps_no_promise(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 400,
                "date": self.today,
            }
        )
        payment.action_post()
        promise = self._promise(600, 5)
        self._receivable(self.invoice | payment.move_id).reconcile()
        self.assertEqual((promise.state, promise.amount_paid), ("open", 0))
        self.assertEqual(self._figures().demand_amount, 0, "all that is left is promised still")
        self._pay(self.invoice, 600, day=4)
        self.assertEqual(promise.state, "kept")

    def test_a_cent_breaks_no_promise(self):
        self.company.ar_promise_tolerance = 0.01
        promise = self._promise(1000, 5)
        payment = self._pay(self.invoice, 989.99, day=4)
        self.assertEqual(promise.state, "open")
        self._bounce(payment)
        self._pay(self.invoice, 990, day=4)
        self.assertEqual(promise.state, "kept")

    def test_write_off_is_no_payment(self):
        promise = self._promise(1000, 5)
        expense = self.company_data["default_account_expense"]
        receivable = self.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        entry = self.env["account.move"].create(
            {
                "date": self._day(1),
                "line_ids": [
                    Command.create({"account_id": expense.id, "debit": 1000}),
                    Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "partner_id": self.customer.id,
                            "credit": 1000,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        (receivable | entry.line_ids.filtered("partner_id")).reconcile()
        self.assertEqual(promise.state, "cancelled")
        self.assertEqual((self.file.broken_promises, self.file.promise_kept_rate), (0, 0))

    def test_credit_note_takes_it_away(self):
        """Nobody has paid, and nobody has to pay any more."""
        promise = self._promise(1000, 5)
        credit = self._invoice(self.customer, 1000, due=2, move_type="out_refund")
        lines = (self.invoice | credit).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual((promise.state, promise.amount_paid), ("cancelled", 0))
        self.assertEqual((self.file.promise_kept_rate, self.file.broken_promises), (0, 0))

    def test_invoice_that_is_cancelled_takes_it_away(self):
        """A draft may be posted again, and is promised as long as it may."""
        promise = self._promise(1000, 5)
        self.invoice.button_draft()
        self.assertEqual(promise.state, "open")
        self.invoice.button_cancel()
        self.assertEqual(promise.state, "cancelled")
        self.invoice.button_draft()
        self.assertEqual(promise.state, "open")

    def test_rest_after_a_credit_note_is_paid(self):
        promise = self._promise(1000, 5)
        credit = self._invoice(self.customer, 300, due=2, move_type="out_refund")
        self._receivable(self.invoice | credit).reconcile()
        self.assertEqual(promise.state, "open")
        self._pay(self.invoice, day=4)
        self.assertEqual((promise.state, promise.amount_paid), ("kept", 700))

    def test_several_items_oldest_first(self):
        other = self._invoice(self.customer, 500, due=-30)
        later = self._invoice(self.customer, 700, due=20)
        promise = self._promise(1800, 5)
        self.assertEqual(
            [(line.move_line_id.move_id, line.amount) for line in promise.line_ids],
            [(other, 500), (self.invoice, 1000), (later, 300)],
        )
        figures = self._figures()
        self.assertEqual((figures.promised, figures.demand_amount), (1800, 0))
        # What is paid for one item more than was promised counts for the others.
        self._pay(self.invoice, day=1)
        self._pay(later, day=1)
        self.assertEqual(promise.amount_paid, 1700)
        self._pay(other, 100, day=2)
        self.assertEqual(promise.state, "kept")

    def test_one_promise_per_currency(self):
        foreign = self._invoice(self.customer, 300, due=-3, currency=self.euro)
        promise = self._promise(300, 5, currency_id=self.euro.id)
        self.assertEqual(promise.line_ids.move_line_id.move_id, foreign)
        item = foreign.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        self.assertEqual(self._figures().promised, item.amount_residual)
        half = self._promise_on(1, 100, 6, currency_id=self.euro.id)
        self.assertEqual(promise.state, "replaced")
        self.assertEqual(promise.replaced_by_id, half)
        self.assertAlmostEqual(self._figures(1).promised, item.amount_residual / 3, places=2)
        with self.assertRaises(ValidationError):
            self._promise(
                100,
                5,
                currency_id=self.euro.id,
                line_ids=[
                    Command.create(
                        {
                            "move_line_id": self.invoice.line_ids.filtered("date_maturity").id,
                            "amount": 100,
                        }
                    )
                ],
            )

    def test_past_figures_know_what_was_promised_then(self):
        promise = self._promise(1000, 5)
        self._run(8)
        self.assertEqual(promise.state, "broken")
        self.assertEqual(self._figures(7).promised, 1000)
        self.assertEqual(self._figures(8).promised, 0)
        self.assertEqual(self._figures(-1).promised, 0)

    def test_bad_promises_are_refused(self):
        for amount, day, error in (
            (0, 5, IntegrityError),
            (-5, 5, IntegrityError),
            (1000.01, 5, ValidationError),
            (100, -1, ValidationError),
        ):
            with (
                self.subTest(amount=amount, day=day),
                mute_logger("odoo.sql_db"),
                self.assertRaises(error),
            ):
                self._promise(amount, day)
        stranger = self._customer("Stranger")
        item = self._invoice(stranger, 100, due=-3).line_ids.filtered("date_maturity")
        with self.assertRaises(ValidationError):
            self._promise(
                100,
                5,
                line_ids=[Command.create({"move_line_id": item.id, "amount": 100})],
            )
        self._run(1)
        # The case is the customer's own, whatever somebody says.
        promise = self._promise(100, 5, case_id=self._case(stranger).id)
        self.assertEqual(promise.case_id, self.case)

    def test_nobody_decides_by_hand(self):
        promise = self._promise(1000, 5).with_user(self.collector)
        for values in ({"state": "kept"}, {"date": self._day(50)}, {"amount": 1}):
            with self.assertRaises(AccessError):
                promise.write(values)
        with self.assertRaises(AccessError):
            promise.line_ids.write({"amount": 1})
        with self.assertRaises(AccessError):
            self._promise(1000, 5, date_made=self._day(-30))
        with self.assertRaises(AccessError):
            promise.action_cancel()
        with self.assertRaises(AccessError):
            promise.unlink()
        with self.assertRaises(UserError):
            promise.sudo().unlink()
        promise.note = "Called twice"

    def test_new_promise_replaces_open_ones_alone(self):
        kept, broken, cancelled = (self._promise(amount, 5) for amount in (100, 200, 50))
        # A new promise for an item takes the place of the one before, which was only corrected.
        former = kept | broken
        self.assertEqual(former.mapped("state"), ["cancelled", "cancelled"])
        self.assertEqual(former.replaced_by_id, broken | cancelled)
        kept = self._promise(100, 2)
        self._pay(self.invoice, 100, day=1)
        broken = self._promise(200, 5)
        self._run(8)
        cancelled = self._promise(50, 9)
        cancelled.write({"state": "cancelled", "date_closed": self.today})
        still_open = self._promise(70, 20)
        new = self._promise(300, 30)
        self.assertRecordValues(
            kept | broken | cancelled | still_open | new,
            [
                {"state": state, "replaced_by_id": by}
                for state, by in (
                    ("kept", False),
                    ("broken", False),
                    ("cancelled", False),
                    ("cancelled", new.id),
                    ("open", False),
                )
            ],
        )
        self.assertEqual(set(former.mapped("state")), {"cancelled"})
        # What is promised of another item stays.
        other = self._invoice(self.customer, 80, due=-3)
        self._promise(
            80,
            30,
            line_ids=[Command.create({"move_line_id": self._receivable(other).id, "amount": 80})],
        )
        self.assertEqual(new.state, "open")

    def test_what_settles_is_said_by_the_journal(self):
        promise = self._promise(400, 5)
        netting, bank = (self.company_data[f"default_journal_{name}"] for name in ("misc", "bank"))
        self.assertEqual((netting.ar_settlement, bank.ar_settlement), ("none", "money"))
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": netting.id,
                "date": self._day(2),
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "partner_id": self.customer.id, side: 400}
                    )
                    for account, side in (
                        (self.company_data["default_account_receivable"], "credit"),
                        (self.company_data["default_account_expense"], "debit"),
                    )
                ],
            }
        )
        entry.action_post()
        (self._receivable(self.invoice) | self._receivable(entry)).reconcile()
        self.assertEqual((promise.state, promise.amount_paid), ("open", 0))
        for kind, state, money in (
            ("document", "kept", 0),
            ("none", "open", 0),
            ("money", "kept", 1),
        ):
            netting.ar_settlement = kind
            promise.invalidate_recordset()
            promise._judge_by_ledger(self._day(2))
            self.assertEqual(promise.state, state, kind)
            clocks = self.env["ar.limitation"]._get_clocks(
                self.company, self._day(30), self.customer
            )
            cause = clocks[self._receivable(self.invoice).id][2]
            self.assertEqual(cause == "payment", bool(money), kind)

    def test_last_day_of_grace_is_in_time(self):
        promise = self._promise(1000, 5)
        self._run(7)
        self.assertEqual(promise.state, "open")
        self._run(8)
        self.assertEqual(promise.state, "broken")

    def test_money_of_the_last_day_of_grace_is_in_time(self):
        promise = self._promise(1000, 5)
        payment = self._pay(self.invoice, day=7)
        self.assertEqual(promise.state, "kept")
        self._bounce(payment)
        self._pay(self.invoice, day=8)
        self._run(9)
        self.assertEqual(promise.state, "broken")

    def test_what_is_disputed_whole_is_passed_over(self):
        other = self._invoice(self.customer, 500, due=-3)
        self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "line_ids": [
                    Command.create(
                        {"move_line_id": self._receivable(self.invoice).id, "amount": 1000}
                    )
                ],
            }
        )
        promise = self._promise(200, 5)
        self.assertEqual(promise.line_ids.move_line_id, self._receivable(other))

    def test_only_trade_receivables_are_promised(self):
        loan = self._non_trade(self.customer, 55, day=-10)
        with self.assertRaisesRegex(ValidationError, "open item"):
            self._promise(55, 5, line_ids=[Command.create({"move_line_id": loan.id, "amount": 55})])
        with self.assertRaises(ValidationError):
            self._promise(1055, 5)

    def _promise_on(self, day, amount, until, user=None, **values):
        """A promise that is made on a day of the test."""
        return (
            self.env["ar.payment.promise"]
            .with_user(user or self.collector)
            .with_context(ar_clock=Clock(self._day(day)))
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "amount": amount,
                    "date": self._day(until),
                    **values,
                }
            )
            .sudo()
        )

    def _assert_refused(self, text, *promise):
        with self.assertRaises(UserError) as refused:
            self._promise_on(*promise)
        self.assertRegex(str(refused.exception), text)

    def _manager(self):
        return new_test_user(
            self.env,
            "promise_manager",
            "base.group_user,ar_collections.group_credit_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_what_is_put_off_was_not_kept(self):
        """Five in a chain: the first ones stay in the rate, wherever it is read."""
        self.file.grade_id.max_promise_renewals = 0
        chain = [self._promise_on(2 * number, 100, 2 * number + 5) for number in range(5)]
        corrected = self._promise_on(8, 120, 20)
        self.assertEqual([promise.state for promise in chain], ["replaced"] * 4 + ["cancelled"])
        self.assertEqual(chain[-1].replaced_by_id, corrected)
        # At once, before any run.
        self.assertRecordValues(
            self.file,
            [{"promise_count": 4, "broken_promises": 4, "promise_kept_rate": 0}],
        )
        self._pay(self.invoice, 120, day=9)
        self.assertEqual(corrected.state, "kept")
        self.assertRecordValues(
            self.file,
            [{"promise_count": 5, "broken_promises": 4, "promise_kept_rate": 0.2}],
        )
        promises = self.env["ar.payment.promise"]
        mine = [("partner_id", "=", self.customer.id)]
        self.assertEqual(promises._read_group(mine, [], ["kept_share:avg"]), [(0.2,)])
        self.assertEqual(promises.search_count([*mine, ("is_decided", "=", True)]), 5)
        # Later, what was put off is forgotten by the day on which it was, whatever was promised.
        self.company.ar_promise_memory_days = 30
        far = self._promise_on(10, 80, 60)
        self._promise_on(11, 80, 20)
        self.assertEqual(far.state, "replaced")
        self.env["ar.credit.file"]._count_promises(self.company, self._day(41))
        self.assertEqual(self.file.promise_count, 1)
        self.env["ar.credit.file"]._count_promises(self.company, self._day(51))
        self.assertEqual(self.file.promise_count, 0)

    def test_beyond_the_limits_of_the_grade(self):
        """Every path makes a promise by creating it: too far is a credit manager's, signed."""
        grade, manager = self.file.grade_id, self._manager()
        grade.write({"max_promise_days": 20, "max_promise_renewals": 1})
        other = self._customer("Other")
        self._invoice(other, 10, due=-3)
        self.assertEqual(self._promise_on(0, 100, 20).state, "open")
        for day in (21, 3650):
            with self.subTest(day=day):
                self._assert_refused("last day.*06/23/2030", 0, 100, day)
        far = self._promise_on(0, 100, 3650, manager)
        self.assertEqual(far.approved_by_id, manager)
        self.assertIn("20 days ahead", far.message_ids[0].body)
        # One renewal is the collector's, the second the manager's; others have their own.
        self.assertFalse(self._promise_on(1, 100, 9).approved_by_id)
        self._assert_refused("credit manager.*Customer.*promised 2 times", 2, 100, 9)
        # Same day: a slip of the pen is no renewal.
        self.assertFalse(self._promise_on(1, 90, 9).approved_by_id)
        self.assertEqual(self._promise_on(2, 90, 9, manager).approved_by_id, manager)
        own = self._promise_on(3, 10, 9, partner_id=other.id)
        self.assertFalse(own.approved_by_id)
        # What was broken counts as well as what was put off.
        self._run(20)
        self._assert_refused("promised 3 times", 20, 90, 25)
        grade.write({"max_promise_days": 0, "max_promise_renewals": 0})
        self.assertFalse(self._promise_on(20, 90, 900).approved_by_id)
        # Nobody signs for somebody else.
        with self.assertRaises(AccessError):
            self._promise_on(21, 90, 22, approved_by_id=manager.id)
        with self.assertRaises(AccessError):
            far.with_user(self.collector).approved_by_id = manager

    def test_limits_of_who_has_no_grade(self):
        self.file.sudo().grade_id = False
        self.company.ar_max_promise_days = 5
        self._assert_refused("5 days ahead", 0, 100, 6)
        self.assertEqual(self._promise(100, 5).state, "open")

    def test_memory_of_broken_promises_is_a_setting(self):
        self.company.ar_promise_memory_days = 30
        self._promise(1000, 5)
        self._run(8)
        for day, count in ((34, 1), (35, 0)):
            self.env["ar.credit.file"]._count_promises(self.company, self._day(day))
            self.assertEqual(self.file.broken_promises, count, day)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.company.ar_promise_memory_days = 0
            self.env.flush_all()

    def test_broken_is_forgotten_after_a_year(self):
        self._promise(1000, 5)
        self._run(8)
        self.assertEqual(self.file.broken_promises, 1)
        self.env["ar.credit.file"]._count_promises(self.company, self.today + timedelta(days=371))
        self.assertEqual(self.file.broken_promises, 0)

    def _receivable(self, move):
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def test_nobody_promises_what_it_objects_to(self):
        other = self._invoice(self.customer, 500, due=-3)
        item = self._receivable(self.invoice)
        self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "line_ids": [Command.create({"move_line_id": item.id, "amount": 900})],
            }
        )
        promise = self._promise(600, 5)
        self.assertEqual(
            [(line.move_line_id.move_id, line.amount) for line in promise.line_ids],
            [(self.invoice, 100), (other, 500)],
        )
        figures = self._figures()
        self.assertEqual((figures.disputed, figures.promised), (900, 600))
        self.assertEqual(figures.demand_amount, 0)
        with self.assertRaises(ValidationError):
            self._promise(601, 5)

    def test_nobody_adds_items_to_a_promise(self):
        promise = self._promise(400, 3)
        item = self._invoice(self.customer, 900, due=-2).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        with self.assertRaises(ValidationError):
            self.env["ar.payment.promise.line"].with_user(self.collector).create(
                {"promise_id": promise.id, "move_line_id": item.id, "amount": 900}
            )

    def test_payment_that_is_posted_again_counts_again(self):
        promise = self._promise(1000, 3)
        payment = self._pay(self.invoice, day=2)
        self._run(6)
        payment.move_id.button_draft()
        self.assertNotEqual(promise.state, "kept")
        payment.move_id.action_post()
        self.assertEqual(promise.state, "kept")

    def test_item_counts_once(self):
        item = self._receivable(self.invoice)
        line = Command.create({"move_line_id": item.id, "amount": 500})
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self._promise(1000, 5, line_ids=[line, line])

    def test_context_of_a_request_decides_nothing(self):
        promise = (
            self.env["ar.payment.promise"]
            .with_user(self.collector)
            .with_context(
                default_state="kept",
                default_date_closed=self.today,
                default_date_made=self._day(-9),
                default_settled_before=-1000,
                default_amount=300,
            )
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "date": self._day(5),
                }
            )
        )
        self.assertRecordValues(
            promise, [{"state": "open", "date_closed": False, "date_made": self.today}]
        )
        self.assertEqual((promise.amount, promise.amount_paid), (300, 0))

    def test_broken_finds_the_case_that_is_open_now(self):
        young = self._customer("Young")
        self._invoice(young, 100, due=4)
        promise = self._promise(100, 5, partner_id=young.id)
        self.assertFalse(promise.case_id)
        self._run(7)
        self._run(8)
        case = self._case(young)
        self.assertEqual((promise.state, promise.case_id), ("broken", case))
        call = case.action_ids.filtered("note")
        self.assertEqual((call.channel, call.date_planned), ("call", self._day(8)))

    def test_held_until_the_money_came(self):
        promise = self._promise(1000, 5)
        self._pay(self.invoice, day=3)
        self.assertEqual((promise.state, promise.date_closed), ("kept", self._day(3)))
        self.assertEqual(self._figures(2).promised, 1000)
        self.assertEqual(self._figures(3).promised, 0)

    def test_kept_rate_per_collector_and_customer(self):
        other = self._customer("Other")
        invoices = [self._invoice(other, 100, due=-3) for _number in range(3)]
        items = [self._receivable(invoice) for invoice in invoices]
        promises = [
            self._promise(
                100,
                day,
                partner_id=other.id,
                line_ids=[Command.create({"move_line_id": item.id, "amount": 100})],
            )
            for day, item in zip((1, 2, 60), items, strict=True)
        ]
        self._pay(invoices[0], day=0)
        self._promise(1000, 60)
        self._run(5)
        self.assertEqual([promise.state for promise in promises], ["kept", "broken", "open"])
        rates = self.env["ar.payment.promise"]._read_group(
            [("user_id", "=", self.collector.id)], ["partner_id"], ["kept_share:avg", "__count"]
        )
        # Open promises are listed and do not spoil the rate.
        self.assertCountEqual(rates, [(other, 0.5, 3), (self.customer, False, 1)])
        rates = self.env["ar.payment.promise"]._read_group(
            [("company_id", "=", self.company.id)], ["user_id"], ["kept_share:avg"]
        )
        self.assertEqual(rates, [(self.collector, 0.5)])
        self.assertEqual(self._case(other).file_id.promise_kept_rate, 0.5)

    def test_merged_customer_keeps_its_word(self):
        double = self._customer("Double")
        self._invoice(double, 50, due=-16)
        self._run(1)
        promise = self._promise(50, 5, partner_id=double.id)
        self.assertEqual(promise.case_id, self._case(double))
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (double | self.customer).ids, self.customer
        )
        self.env.invalidate_all()
        self.assertRecordValues(
            promise,
            [
                {
                    "partner_id": self.customer.id,
                    "file_id": self.file.id,
                    "case_id": self.case.id,
                    "state": "open",
                }
            ],
        )
        self.assertEqual(self._figures(1).promised, 50)
        self._run(9)
        self.assertEqual(promise.state, "broken")
        self.assertIn(self._day(9), self.case.action_ids.filtered("note").mapped("date_planned"))

    def test_queries_do_not_grow_with_promises(self):
        receivable = self._receivable(self.invoice).account_id
        count = 55
        entry = self.env["account.move"].create(
            {
                "line_ids": [
                    *(
                        Command.create(
                            {
                                "account_id": receivable.id,
                                "partner_id": self.customer.id,
                                "debit": 1,
                            }
                        )
                        for _number in range(count)
                    ),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_revenue"].id,
                            "credit": count,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        promises = self.env["ar.payment.promise"].create(
            [
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "amount": 1,
                    "date": self._day(5),
                    "line_ids": [Command.create({"move_line_id": item.id, "amount": 1})],
                }
                for item in self._receivable(entry)
            ]
        )
        queries = []
        # The first times settle what was made, and fill the caches of the registry.
        for some in (promises[:1], promises[:1], promises[:5], promises[5:]):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            some._judge_by_ledger(self._day(1))
            some.read(["display_name", "amount_paid", "state", "kept_share"])
            queries.append(self.cr.sql_log_count - before)
        self.assertEqual(queries[2], queries[3])

    @settings(max_examples=8, deadline=None)
    @given(
        st.integers(1, 30000),
        st.booleans(),
        st.integers(0, 4),
        st.lists(
            st.tuples(st.booleans(), st.booleans(), st.integers(1, 15000), st.integers(0, 12)),
            max_size=5,
        ),
        st.sets(st.integers(0, 4)),
        st.integers(0, 14),
    )
    def test_verdict_is_that_of_an_oracle(self, cents, foreign, grace, events, undone, judged):
        """Payments and credit notes, in time or not, some of them undone, of two items."""
        self.company.ar_promise_grace_days = grace
        currency = self.euro if foreign else self.company.currency_id
        customer = self._customer("Oracle")
        invoices = [self._invoice(customer, 150, due=due, currency=currency) for due in (-9, -2)]
        promise = self._promise(cents / 100, 5, partner_id=customer.id, currency_id=currency.id)
        left = [15000, 15000]
        matched, moneys = [], []
        for second, credit, amount, day in events:
            amount = min(amount, left[second])
            if not amount:
                continue
            left[second] -= amount
            invoice = invoices[second]
            if credit:
                money = self._invoice(
                    customer,
                    amount / 100,
                    due=day,
                    date_=self._day(day),
                    currency=currency,
                    move_type="out_refund",
                )
                self._receivable(invoice | money).reconcile()
            else:
                money = self._pay(invoice, amount / 100, day=day, currency_id=currency.id).move_id
            matched.append((second, credit, amount, day))
            moneys.append(money)
        for number in undone & set(range(len(matched))):
            self._receivable(moneys[number]).remove_move_reconcile()
        promise._judge_by_ledger(self._day(judged))

        # The older item comes first; money for one that is not promised does not count.
        parts = {False: min(cents, 15000), True: cents - min(cents, 15000)}
        paid = void = 0
        for second, part in parts.items():
            of_item = [
                (credit, amount, day)
                for number, (item, credit, amount, day) in enumerate(matched)
                if item == second and number not in undone and part
            ]
            ever = sum(amount for credit, amount, _day in of_item if not credit)
            paid += sum(
                amount for credit, amount, day in of_item if not credit and day <= 5 + grace
            )
            residual = 15000 - sum(amount for _credit, amount, _day in of_item)
            # Nobody has to pay more than what credit notes leave.
            void += max(part - ever - residual, 0)
        required = cents - void
        verdict = "broken" if judged > 5 + grace else "open"
        if required <= 0:
            verdict = "cancelled"
        elif paid >= required:
            verdict = "kept"
        self.assertEqual((promise.state, round(promise.kept_share)), (verdict, verdict == "kept"))
