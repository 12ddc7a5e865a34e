import io
from datetime import date, timedelta

from openpyxl import load_workbook
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form
from odoo.tools import mute_logger

from ..models.allowance.allowance_rate import _get_rate_at
from .allowance_common import AllowanceCommon

MARCH, APRIL, MAY = date(2030, 3, 31), date(2030, 4, 30), date(2030, 5, 31)


class TestAllowance(AllowanceCommon):
    def _due(self, days_overdue, on=MAY):
        """The day of the test on which an item is due to be so late at the month's end."""
        return (on - timedelta(days=days_overdue) - self.today).days

    def _item(self, amount, days_overdue, partner=None, **values):
        return self._invoice(
            partner or self.customer,
            amount,
            due=self._due(days_overdue),
            **{"date_": MAY - timedelta(days=max(days_overdue, 0) + 30), **values},
        )

    # The matrix

    def test_every_bucket_has_its_rate(self):
        for amount, days in ((100, -5), (200, 10), (300, 45), (400, 70), (500, 120), (600, 300)):
            self._item(amount, days)
        run = self._allowance(MAY, until="computed")
        self.assertEqual(
            {name: (line.gross_amount, line.rate) for name, line in self._lines(run).items()},
            {
                "Not due": (100, 0.01),
                "1-30": (200, 0.02),
                "31-60": (300, 0.03),
                "61-90": (400, 0.05),
                "91-180": (500, 0.2),
                "> 180": (600, 0.5),
            },
        )
        self.assertEqual(run.closing, 1 + 4 + 9 + 20 + 100 + 300)
        self.assertEqual(run.gross_amount, 2100)

    def test_the_last_day_of_a_bucket_and_the_day_after(self):
        self._item(100, 30)
        self._item(100, 31)
        self.assertEqual(set(self._lines(self._allowance(MAY, "computed"))), {"1-30", "31-60"})

    def test_risk_tier_chooses_the_rates(self):
        self._item(1000, 10)
        self._run(0)
        self.customer.credit_file_id.grade_id = self.env.ref("ar_collections.credit_grade_e")
        line = self._lines(self._allowance(MAY, "computed"))["1-30"]
        self.assertEqual((line.risk_tier, line.rate, line.amount), ("high", 0.05, 50))

    def test_matrix_follows_the_ageing_of_the_company(self):
        rates = self.env["ar.allowance.rate"]
        self.assertEqual(len(rates._get_matrix(self.company)), 18)
        cell = rates.search(
            [
                ("company_id", "=", self.company.id),
                ("risk_tier", "=", "medium"),
                ("bucket_id.days_from", "=", 31),
            ]
        )
        cell.rate = 0.07
        self.company.ar_ageing_days = "45,365"
        matrix = rates._get_matrix(self.company)
        self.assertEqual(
            [
                (cell.bucket_id.display_name, cell.rate)
                for cell in matrix
                if cell.risk_tier == "medium"
            ],
            [("Not due", 0.01), ("1-45", 0.02), ("46-365", 0.07), ("> 365", 0.5)],
        )
        self.assertFalse(cell.is_used)
        self.company.ar_ageing_days = "30,60,90,180"
        rates._get_matrix(self.company)
        self.assertTrue(cell.is_used)
        self.assertEqual(cell.rate, 0.07, "the rate that was agreed comes back")

    def test_rates_are_shares(self):
        cell = self.env["ar.allowance.rate"]._get_matrix(self.company)[0]
        for rate in (-0.01, 1.01):
            with (
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                cell.sudo().rate = rate
                cell.flush_recordset()

    # Credits, cover, specific allowances and stages

    def test_credits_come_off_the_oldest_items(self):
        self._item(100, 120)
        self._item(100, 10)
        self._item(130, 40, move_type="out_refund")
        lines = self._lines(self._allowance(MAY, "computed"))
        self.assertEqual((lines["91-180"].credit_amount, lines["91-180"].amount), (100, 0))
        self.assertEqual((lines["1-30"].credit_amount, lines["1-30"].amount), (30, 1.4))

    def test_a_customer_in_credit_needs_no_allowance(self):
        self._item(100, 10)
        self._item(500, 40, move_type="out_refund")
        run = self._allowance(MAY, "computed")
        self.assertEqual((run.closing, run.credit_amount, run.exposed_amount), (0, 100, 0))

    def _cover(self, amount, share=1.0, **values):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        return (
            self.env["ar.credit.cover"]
            .sudo()
            .create(
                {
                    "file_id": file.id,
                    "amount": amount,
                    "covered_share": share,
                    "date_from": self._day(-400),
                    "currency_id": self.company.currency_id.id,
                    **values,
                }
            )
        )

    def test_cover_comes_off_before_the_rate(self):
        self._item(300, 120)
        self._item(100, 10)
        self._cover(250, 0.8)
        lines = self._lines(self._allowance(MAY, "computed"))
        self.assertEqual((lines["91-180"].covered_amount, lines["91-180"].amount), (150, 30))
        self.assertEqual((lines["1-30"].covered_amount, lines["1-30"].amount), (50, 1))

    def test_cover_is_limited_to_what_is_owed(self):
        self._item(300, 120)
        self._cover(5000)
        run = self._allowance(MAY, "computed")
        self.assertEqual((run.covered_amount, run.exposed_amount, run.closing), (300, 0, 0))

    def test_cover_of_another_time_or_sold_items_covers_nothing(self):
        self._item(300, 120)
        self._cover(300, kind="guarantee", date_to=self._day(-10))
        self._cover(300, date_from=self._day(0))
        self._cover(300, kind="financing")
        self._cover(300, active=False)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 0)

    def test_cover_counts_from_its_first_to_its_last_day(self):
        self._item(300, 120)
        last_day = self._cover(100, kind="guarantee", date_to=MAY)
        first_day = self._cover(50, kind="deposit", date_from=MAY, date_to=False)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 150)
        last_day.date_to = MAY - timedelta(days=1)
        first_day.date_from = MAY + timedelta(days=1)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 0)

    def test_insurance_is_an_indemnity(self):
        """Specific rate 50 %. Owed 50,000, insured 90 % up to 100,000: the insurer makes good
        45,000, 5,000 are at risk and 2,500 expected to be lost. Up to 40,000: 36,000, so 14,000
        and 7,000."""
        self._item(50000, 10)
        self._specific(rate=0.5)
        cover = self._cover(100000, 0.9)
        for amount, covered, allowance in ((100000, 45000, 2500), (40000, 36000, 7000)):
            with self.subTest(amount=amount):
                cover.amount = amount
                run = self._allowance(MAY, "computed")
                self.assertEqual((run.covered_amount, run.closing), (covered, allowance))

    def test_deductible(self):
        """90 % of 50,000 less 3,000: 42,000; of a small debt nothing is left."""
        move = self._item(50000, 10)
        self._cover(100000, 0.9, deductible=3000)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 42000)
        self._pay(move, 47000, day=-20)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 0)

    def test_two_covers_are_no_more_than_the_debt(self):
        self._item(1000, 10)
        self._cover(5000, 0.9)
        self._cover(800, kind="guarantee")
        run = self._allowance(MAY, "computed")
        self.assertEqual((run.covered_amount, run.closing), (1000, 0))

    def test_insured_are_invoices_of_the_policy(self):
        """Invoices are of 30 days before they are due: 40, 70 and 150 days before the month's
        end. The policy ran from day 100 to day 50 before it: 700 of the second are insured, also
        now that it has ended."""
        for amount, days in ((500, 10), (700, 40), (900, 120)):
            self._item(amount, days)
        cover = self._cover(
            5000, date_from=MAY - timedelta(days=100), date_to=MAY - timedelta(days=50)
        )
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 700)
        cover.date_from = MAY - timedelta(days=69)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 0)

    def test_what_is_disputed_is_not_insured(self):
        move = self._item(1000, 10)
        self._cover(5000, 0.9)
        item = move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        self.env["ar.dispute"].sudo().create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "date": MAY - timedelta(days=5),
                "line_ids": [Command.create({"move_line_id": item.id, "amount": 400})],
            }
        )
        # 90 % of 600.
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 540)

    def test_credits_come_off_before_the_insurance(self):
        self._item(1000, 10)
        self._item(300, 40, move_type="out_refund")
        self._cover(5000, 0.9)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 630)

    def test_stage_as_it_was_on_the_day(self):
        """The stage of today, at 80 %, does not make 800.00 of 20.00 for a month that is over."""
        self._item(1000, 16)
        self._run(-5)
        self.stages["final"].allowance_rate = 0.8
        self._run(0)
        self._case().stage_id = self.stages["final"]
        self.assertEqual(self._allowance(MAY, "computed").closing, 20)
        self._run(30)
        self.assertEqual(
            self._allowance(MAY + timedelta(days=30), "computed", today=self._day(40)).closing, 800
        )

    def test_cover_in_another_currency(self):
        euro = self.setup_other_currency("EUR", rates=[("2020-01-01", 2.0)])
        self._item(300, 120)
        self._cover(300, 0.5, currency_id=euro.id)
        self.assertEqual(self._allowance(MAY, "computed").covered_amount, 75)

    def test_odd_cents_of_cover_are_not_lost(self):
        for days in (-5, 10, 45, 70, 120, 300):
            self._item(33.33, days)
        self._cover(100)
        run = self._allowance(MAY, "computed")
        self.assertEqual(run.covered_amount, 100)
        for line in run.line_ids:
            self.assertGreaterEqual(line.exposed_amount, 0)

    def test_specific_rate_takes_the_place_of_the_matrix(self):
        self._item(300, 120)
        self._item(100, 10)
        self._specific(rate=0.85)
        run = self._allowance(MAY, "computed")
        self.assertEqual(run.closing, 340)
        self.assertEqual(set(run.line_ids.mapped("source")), {"specific"})

    def test_specific_amount_allows_for_cover_itself(self):
        self._item(300, 120)
        self._item(100, 10)
        self._cover(200)
        self._specific(kind="amount", amount=100.01)
        run = self._allowance(MAY, "computed")
        self.assertEqual((run.closing, run.covered_amount), (100.01, 0))
        self.assertEqual(self._lines(run)["91-180"].amount, 75.01)

    def test_specific_amount_is_limited_to_what_is_owed(self):
        self._item(300, 120)
        self._specific(kind="amount", amount=5000)
        self.assertEqual(self._allowance(MAY, "computed").closing, 300)

    def test_specific_allowance_of_another_time(self):
        self._item(100, 10)
        self._specific(rate=1, date_to=self._day(-20))
        self._specific(rate=1, date_from=self._day(-2))
        self.assertEqual(self._allowance(MAY, "computed").closing, 2)

    def test_specific_allowance_counts_from_its_first_to_its_last_day(self):
        self._item(100, 10)
        specific = self._specific(rate=1, date_from=MAY, date_to=MAY)
        self.assertEqual(self._allowance(MAY, "computed").closing, 100)
        specific.write({"date_from": APRIL, "date_to": MAY - timedelta(days=1)})
        self.assertEqual(self._allowance(MAY, "computed").closing, 2)

    def test_of_two_specific_allowances_the_younger_counts(self):
        """Customers that were merged may have one each."""
        self._item(100, 10)
        twin = self._customer("Twin")
        self._specific(rate=0.3, date_from=self._day(-200))
        younger = self._specific(rate=0.7, date_from=self._day(-100), partner_id=twin.id)
        self._specific(rate=0.4, date_from=self._day(-300), date_to=self._day(-201))
        self.env.cr.execute(
            "UPDATE ar_allowance_specific SET partner_id = %s WHERE id = %s",
            [self.customer.id, younger.id],
        )
        younger.invalidate_recordset()
        run = self._allowance(MAY, "computed")
        self.assertEqual((run.closing, run.line_ids.specific_id), (70, younger))

    def test_one_specific_allowance_at_a_time(self):
        self._specific(date_to=self._day(10))
        with self.assertRaises(ValidationError):
            self._specific(date_from=self._day(10))
        self._specific(date_from=self._day(11))

    def test_stage_of_the_case_raises_the_rate(self):
        self._item(1000, 16)
        self._item(100, 300)
        self._run(-3)
        self._case().stage_id.allowance_rate = 0.4
        run = self._allowance(MAY, "computed")
        lines = self._lines(run)
        self.assertEqual((lines["1-30"].source, lines["1-30"].amount), ("stage", 400))
        self.assertEqual((lines["> 180"].source, lines["> 180"].amount), ("matrix", 80))
        self.assertEqual(lines["1-30"].stage_id, self._case().stage_id)

    def test_a_case_opened_later_does_not_count_for_the_past(self):
        self._item(1000, 16)
        self._run(0)
        self._case().stage_id.allowance_rate = 0.4
        self.assertEqual(self._allowance(MAY, "computed").closing, 20)

    def test_a_case_that_was_closed_later_counts_for_the_past(self):
        invoice = self._item(1000, 16)
        self._run(-3)
        case = self._case()
        case.stage_id.allowance_rate = 0.4
        self._run(-1)
        self._pay(invoice, day=0)
        self.assertEqual(case.state, "closed")
        self.assertGreater(case.date_closed, MAY)
        self.assertEqual(self._allowance(MAY, "computed").closing, 400)
        # One that was closed on the day itself does not count any more.
        self.env["ar.case.period"].search([("case_id", "=", case.id)])[0].sudo().date_to = MAY
        self.assertEqual(self._allowance(MAY, "computed").closing, 20)

    # Dates, companies, currencies

    def test_a_past_month_is_as_it_was(self):
        invoice = self._item(100, 10)
        self._pay(invoice, day=0)
        self.assertEqual(self._allowance(MAY, "computed").closing, 2)
        self.assertEqual(self._allowance(APRIL, "computed").closing, 1, "not due then")

    def test_branches_belong_to_their_company(self):
        self._item(100, 10)
        self._item(50, 10, company=self.branch)
        self.assertEqual(self._allowance(MAY).closing, 3)
        self.assertEqual(self._balance(), 3)
        with self.assertRaises(ValidationError):
            self.env["ar.allowance.run"].create({"company_id": self.branch.id, "date": MAY})

    def test_foreign_items_count_in_company_currency(self):
        euro = self.setup_other_currency("EUR", rates=[("2020-01-01", 3.0)])
        self._item(100, 10, currency=euro)
        run = self._allowance(MAY)
        self.assertEqual((run.gross_amount, run.closing), (33.33, 0.67))

    def test_a_run_is_of_a_month_that_is_over(self):
        for day in (date(2030, 5, 30), date(2030, 6, 30)):
            with self.assertRaises(ValidationError):
                self.env["ar.allowance.run"].create({"company_id": self.company.id, "date": day})

    def test_debts_without_a_customer_are_not_forgotten(self):
        self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": MAY,
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_receivable"].id,
                            "balance": 100,
                        }
                    ),
                    Command.create({"account_id": self.expense_account.id, "balance": -100}),
                ],
            }
        ).action_post()
        run = self._allowance(MAY)
        self.assertEqual((run.gross_amount, run.closing), (100, 1))
        self.assertEqual(run.movement_ids.closing, 1)

    # The ledger

    def test_only_the_change_is_posted(self):
        invoice = self._item(1000, 10)
        april = self._allowance(APRIL)
        self.assertEqual((april.change, self._balance()), (10, 10))
        may = self._allowance(MAY)
        self.assertRecordValues(
            may,
            [
                {
                    "opening": 10,
                    "added": 10,
                    "released": 0,
                    "closing": 20,
                    "previous_id": april.id,
                    "difference": 0,
                }
            ],
        )
        self.assertRecordValues(
            may.move_id.line_ids.sorted("balance"),
            [
                {"account_id": self.allowance_account.id, "balance": -10, "partner_id": False},
                {"account_id": self.expense_account.id, "balance": 10, "partner_id": False},
            ],
        )
        self.assertEqual((may.move_id.date, may.move_id.journal_id.type), (MAY, "general"))
        self.assertEqual(self._balance(), 20)
        self._pay(invoice, day=1)
        june = self._allowance(date(2030, 6, 30), today=date(2030, 7, 2))
        self.assertEqual((june.released, june.closing, self._balance()), (20, 0, 0))

    def test_what_does_not_change_needs_no_entry(self):
        self._item(1000, -60, date_=MARCH)
        self.assertTrue(self._allowance(APRIL).move_id)
        may = self._allowance(MAY)
        self.assertEqual((may.state, may.change), ("posted", 0))
        self.assertFalse(may.move_id)
        may.with_user(self.checker).action_reverse()
        self.assertEqual(may.state, "reversed")

    def test_added_and_released_are_by_customer(self):
        late, paid = self._customer("Late"), self._customer("Paid")
        self._item(1000, 10, partner=late)
        invoice = self._item(1000, 10, partner=paid)
        self._allowance(APRIL)
        self._pay(invoice, day=-5)
        may = self._allowance(MAY)
        self.assertEqual((may.added, may.released, may.change), (10, 10, 0))
        self.assertFalse(may.move_id)

    def test_another_account_takes_the_balance_over(self):
        self._item(1000, 10)
        self._allowance(APRIL)
        self.company.ar_allowance_account_id = self.other_account
        may = self._allowance(MAY)
        self.assertEqual(self._balance(), 0)
        self.assertEqual(self._balance(self.other_account), 20)
        self.assertEqual(may.difference, 0)

    def test_accounts_are_needed(self):
        self.company.ar_allowance_account_id = False
        with self.assertRaisesRegex(UserError, "settings"):
            self._allowance(MAY)

    def test_one_run_posted_after_the_other(self):
        self._item(1000, 10)
        self._allowance(MAY)
        for month in (APRIL, MAY):
            with self.assertRaisesRegex(UserError, "posted already"):
                self._allowance(month)

    def test_what_was_approved_is_what_is_posted(self):
        self._item(1000, 10)
        may, april = self._allowance(MAY, "approved"), self._allowance(APRIL, "approved")
        april.with_user(self.checker).action_post()
        with self.assertRaisesRegex(UserError, "changed since"):
            may.with_user(self.checker).action_post()
        may.action_draft()
        may.action_compute()
        self.assertEqual((may.opening, may.change), (10, 10))

    def test_closed_books(self):
        self._item(1000, 10)
        run = self._allowance(APRIL, "approved")
        self.company.fiscalyear_lock_date = APRIL
        with self.assertRaisesRegex(UserError, "closed until"):
            run.with_user(self.checker).action_post()
        self.assertEqual((run.state, self._balance()), ("approved", 0))
        self.company.fiscalyear_lock_date = MARCH
        run.with_user(self.checker).action_post()
        self.company.fiscalyear_lock_date = APRIL
        with self.assertRaisesRegex(UserError, "closed until"):
            run.with_user(self.checker).action_reverse()

    def test_only_the_last_run_is_reversed(self):
        self._item(1000, 10)
        april, may = self._allowance(APRIL), self._allowance(MAY)
        with self.assertRaisesRegex(UserError, "only the last"):
            april.with_user(self.checker).action_reverse()
        may.with_user(self.checker).action_reverse()
        self.assertRecordValues(may, [{"state": "reversed"}])
        self.assertEqual((may.reversal_id.date, self._balance()), (MAY, 10))
        again = self._allowance(MAY)
        self.assertEqual((again.opening, again.closing, again.difference), (10, 20, 0))
        again.with_user(self.checker).action_reverse()
        april.with_user(self.checker).action_reverse()
        self.assertEqual(self._balance(), 0)

    def test_the_entry_goes_only_with_its_run(self):
        self._item(1000, 10)
        move = self._allowance(MAY).move_id
        for attempt in (
            move.button_draft,
            move.button_cancel,
            lambda: move._reverse_moves(cancel=True),
            move.with_context(force_delete=True, dynamic_unlink=True).unlink,
        ):
            with self.assertRaisesRegex(UserError, "reverse it there"), self.env.cr.savepoint():
                attempt()

    # Tie-out

    def test_entries_from_elsewhere_are_shown(self):
        self._item(1000, 10)
        run = self._allowance(MAY)
        self.assertEqual((run.difference, run.stray_ids.ids), (0, []))
        entry = self._manual_entry(7, MAY)
        run.invalidate_recordset()
        self.assertEqual((run.ledger_amount, run.expected_amount, run.difference), (27, 20, 7))
        self.assertEqual(run.stray_ids.move_id, entry)
        later = self._manual_entry(5, self.today)
        run.invalidate_recordset()
        self.assertNotIn(later, run.stray_ids.move_id)

    def test_the_first_run_takes_the_balance_over(self):
        self._manual_entry(15, MARCH)
        self._item(1000, 10)
        run = self._allowance(APRIL)
        self.assertRecordValues(
            run, [{"opening": 0, "taken_over": 15, "closing": 10, "change": -5, "difference": 0}]
        )
        self.assertEqual(self._balance(), 10)

    def test_later_entries_are_taken_over_when_wanted(self):
        self._item(1000, 10)
        self._allowance(APRIL)
        self._manual_entry(3, date(2030, 5, 20))
        may = self._allowance(MAY, "computed")
        self.assertEqual((may.difference, may.change), (3, 10))
        may.include_others = True
        self.assertEqual(may.state, "draft", "to be computed again")
        may.action_compute()
        self.assertEqual((may.taken_over, may.difference, may.change), (3, 0, 7))

    # Screens, sheet and workbook

    def test_entries_of_other_companies_on_the_account_are_theirs(self):
        """Companies may share the chart of accounts; each has an allowance of its own."""
        self._item(100, 10)
        other = self.setup_other_company(name="Sister company")["company"]
        shared = self.allowance_account | self.expense_account
        for account in shared:
            account.sudo().write(
                {
                    "company_ids": [Command.link(other.id)],
                    "code_mapping_ids": [
                        Command.create({"company_id": other.id, "code": f"S{account.code}"})
                    ],
                }
            )
        entry = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "entry",
                    "company_id": other.id,
                    "date": MAY,
                    "line_ids": [
                        Command.create({"account_id": account.id, "balance": balance})
                        for account, balance in zip(shared, (-70, 70), strict=True)
                    ],
                }
            )
        )
        entry.action_post()
        run = self._allowance(MAY)
        self.assertEqual((run.taken_over, run.closing, run.ledger_amount), (0, 2, 2))
        self.assertFalse(run.flow_ids)
        self.assertFalse(run.stray_ids)

    def test_the_allowance_account_of_another_company_is_theirs(self):
        self._item(100, 10)
        other = self.setup_other_company(name="Sister company")["company"]
        sister = self.env["ar.allowance.run"].sudo().create({"company_id": other.id, "date": APRIL})
        sister.account_id = self.other_account
        self._manual_entry(40, MAY, account=self.other_account)
        run = self._allowance(MAY)
        self.assertEqual((run.taken_over, run.closing, run.ledger_amount), (0, 2, 2))

    def test_a_rate_begins_on_its_first_day(self):
        ladder = {0: 0.01, 31: 0.03, 61: 0.05}
        found = [_get_rate_at(ladder, days) for days in (-5, 0, 30, 31, 60, 61, 900)]
        self.assertEqual(found, [0.01, 0.01, 0.01, 0.03, 0.03, 0.05, 0.05])

    def test_a_company_sees_the_entries_of_its_branches_as_its_own(self):
        self._item(100, 10)
        first = self._allowance(APRIL, today=self.today)
        move = self._manual_entry(30, MAY)
        later = self._manual_entry(40, MAY + timedelta(days=1))
        run = self._allowance(MAY, "computed")
        self.assertEqual(run.previous_id, first)
        self.assertEqual(run.stray_ids.move_id, move, "not what is booked after the date")
        self.assertNotIn(later, run.flow_ids.move_id)
        self.assertEqual(run.ledger_amount, first.closing + 30, "on the day of the run")
        run.include_others = True
        run.action_compute()
        self.assertEqual((run.taken_over, run.flow_ids.move_id), (30, move))
        self.assertFalse(run.stray_ids)

    def test_form(self):
        self._item(1000, 10)
        with Form(self.env["ar.allowance.run"].with_user(self.maker)) as form:
            self.assertEqual(form.date, MAY)
        run = form.record
        self.assertTrue(run.name.startswith("AL/2030/"))
        run.action_compute()
        with Form(run) as form:
            form.note = "As last year"
        self.assertIn("1-30", run.matrix_table)
        self.assertIn("20.00", run.movement_table)

    def test_sheet(self):
        self._item(1000, 10)
        self._item(300, 120)
        self._specific(rate=0.5)
        run = self._allowance(MAY)
        html, _kind = (
            self.env["ir.actions.report"]
            .with_user(self.checker)
            ._render_qweb_html("ar_collections.allowance_run", run.ids)
        )
        html = html.decode()
        for text in (self.customer.name, "91-180", "650.00", "Specific", run.move_id.name):
            self.assertIn(text, html)

    def test_workbook_adds_up_to_what_was_posted(self):
        self._item(333.33, 10)
        self._item(100.01, 120, partner=self._customer("Other"))
        run = self._allowance(MAY)
        book = load_workbook(io.BytesIO(self.env["ar.allowance.report"]._get_workbook(run)))
        self.assertEqual(len(book.worksheets), 4)
        for sheet in book.worksheets[:2]:
            day, currency, state = (sheet.cell(row=1, column=column).value for column in (3, 4, 5))
            self.assertEqual((day.date(), currency, state), (MAY, run.currency_id.name, "Posted"))
        rows = list(book.worksheets[0].iter_rows(min_row=4, values_only=True))
        *lines, total = rows
        self.assertEqual(len(lines), 2)
        self.assertEqual(round(sum(line[-1] for line in lines), 2), total[-1])
        self.assertEqual(total[-1], self._balance())
        self.assertEqual(book.worksheets[1].cell(row=6, column=8).value, self._balance())

    # Cost

    def test_many_customers_cost_as_much_as_few(self):
        def compute(count, name):
            for index in range(count):
                self._item(100, 10, partner=self._customer(f"{name} {index}"))
            run = self.env["ar.allowance.run"].create({"company_id": self.company.id, "date": MAY})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run.action_compute()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        compute(1, "Warm")
        few, many = compute(5, "Few"), compute(50, "Many")
        self.assertLessEqual(many, few)
