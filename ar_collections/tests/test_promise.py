from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

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
        self._pay(self.invoice, day=3)
        self.assertEqual(promise.state, "kept")
        self.invoice.line_ids.remove_move_reconcile()
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

    def test_credit_note_keeps_it(self):
        promise = self._promise(1000, 5)
        credit = self._invoice(self.customer, 1000, due=2, move_type="out_refund")
        lines = (self.invoice | credit).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertEqual(promise.state, "kept")

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
        half = self._promise(100, 6, currency_id=self.euro.id)
        self.assertEqual(promise.state, "replaced")
        self.assertEqual(promise.replaced_by_id, half)
        self.assertAlmostEqual(self._figures().promised, item.amount_residual / 3, places=2)
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

    def test_broken_is_forgotten_after_a_year(self):
        self._promise(1000, 5)
        self._run(8)
        self.assertEqual(self.file.broken_promises, 1)
        self.env["ar.credit.file"]._count_promises(self.company, self.today + timedelta(days=371))
        self.assertEqual(self.file.broken_promises, 0)
