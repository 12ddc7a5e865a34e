"""Late charges by the terms of each day, with the figures worked out by hand."""

from datetime import date

from hypothesis import given, settings, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError

from .late_charge_oracle import Debt, charge_by_terms, set_off, terms_stretches
from .test_late_charge import LateChargeCommon


class TestLateChargeTerms(LateChargeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The items of the other tests owe nothing here.
        (cls.invoice | cls.other).line_ids.no_followup = True

    def _accruals(self, day=0):
        accrued = self.env["ar.late.charge.accrual"]._get_accruals(
            self.company, self._day(day), self.customer
        )
        return accrued.get(self.customer.id, [])

    def _amount(self, day=0):
        return round(sum(accrual.amount for accrual in self._accruals(day)), 2)

    def _days(self, day):
        return (day - self.today).days

    def _terms(self, owner, *terms):
        """Enter terms of a grade or credit file, as ``(date or False, kind or mode, rate)``."""
        link, kind = ("grade_id", "kind") if owner == self.grade else ("file_id", "mode")
        owner.late_charge_rate_ids.unlink()
        return self.env["ar.late.charge.rate"].create(
            [{link: owner.id, "date": day, kind: value, "rate": rate} for day, value, rate in terms]
        )

    # Each day has its own rate

    def test_a_rate_counts_for_its_own_days(self):
        """10,000 due 31 March 2030 at 12 % to 1 May and 8 % from then on, until 1 June: 31 days
        and 31 days are 10,000 x (12 x 31 + 8 x 31) / 36,500 = 169.863 = 169.86 (it was 135.89:
        8 % for all 62 days). The parts are 101.92 and the rest of 67.94."""
        self._invoice(self.customer, 10000, due=self._days(date(2030, 3, 31)))
        self._terms(self.file, (False, "custom", 12), (date(2030, 5, 2), "custom", 8))
        until = self._days(date(2030, 6, 1))
        found = [
            (accrual.date_from, accrual.date_to, accrual.days, accrual.rate, accrual.amount)
            for accrual in self._accruals(until)
        ]
        self.assertEqual(
            found,
            [
                (date(2030, 4, 1), date(2030, 5, 1), 31, 12, 101.92),
                (date(2030, 5, 2), date(2030, 6, 1), 31, 8, 67.94),
            ],
        )
        self.assertEqual(self._amount(until), 169.86)

    def test_a_rate_of_the_grade_counts_for_its_own_days(self):
        self._invoice(self.customer, 10000, due=self._days(date(2030, 3, 31)))
        self._terms(self.grade, (False, "fixed", 12), (date(2030, 5, 2), "fixed", 8))
        self.assertEqual(self._amount(self._days(date(2030, 6, 1))), 169.86)

    def test_a_downgrade_charges_no_day_before_it(self):
        """10,000 overdue for 120 days. The grade so far asked for nothing, the new one asks for
        18 %: of today alone 10,000 x 18 / 36,500 = 4.93 (it was 591.78, all 120 days)."""
        good, bad = self.env["ar.credit.grade"].create(
            [
                {"code": "GOOD", "name": "Good", "late_charge_rate": 0},
                {"code": "BAD", "name": "Bad", "late_charge_rate": 18},
            ]
        )
        self.file.grade_id = good
        self.file.late_charge_rate_ids.unlink()
        self._invoice(self.customer, 10000, due=-120)
        self.assertEqual(self._accruals(), [])
        self.file.grade_id = bad
        (accrual,) = self._accruals()
        self.assertEqual((accrual.days, accrual.date_from, accrual.amount), (1, self.today, 4.93))
        # Ten days later it is eleven days: 54.25.
        self.assertEqual(self._amount(10), 54.25)
        # And back on the same day, as if nothing had been.
        self.file.sudo().grade_id = good
        self.assertEqual(self._accruals(), [])

    def test_a_change_of_the_rate_counts_from_today(self):
        """1,000 at 7.3 % for 10 days are 2.00; then 14.6 % from today: 9 days and one of 0.40."""
        self._invoice(self.customer, 1000, due=-10)
        self.assertEqual(self._amount(), 2)
        self.grade.late_charge_rate = 14.6
        self.assertEqual(self._amount(), 9 * 0.2 + 0.4)
        self.assertRecordValues(
            self.grade.late_charge_rate_ids,
            [{"date": self.today, "rate": 14.6}, {"date": False, "rate": 7.3}],
        )
        # A second change on the same day takes the place of the first.
        self.grade.late_charge_rate = 0
        self.assertEqual(self._amount(), 1.8)
        self.assertEqual(len(self.grade.late_charge_rate_ids), 2)

    def test_nothing_is_kept_where_nothing_accrues(self):
        self.company.ar_charge_from = False
        self.file.write({"late_charge_mode": "custom", "late_charge_rate": 5})
        self.assertFalse(self.file.late_charge_rate_ids)

    def test_terms_that_were_entered_ahead_are_shown_from_their_day(self):
        self._terms(self.file, (False, "custom", 12), (self._day(2), "custom", 8))
        self.assertEqual(self.file.late_charge_rate, 12)
        self.assertEqual(self.file.late_charge_rate_used, 12)
        self._run(2)
        self.assertEqual(self.file.late_charge_rate, 8)

    def test_who_enters_terms(self):
        rows = self._terms(self.file, (False, "custom", 12))
        for row in (rows, rows.browse()):
            with self.assertRaises(AccessError):
                row.with_user(self.collector).create(
                    {"file_id": self.file.id, "date": self.today, "rate": 1}
                )
        with self.assertRaises(AccessError):
            rows.with_user(self.collector).rate = 1
        with self.assertRaises(AccessError):
            rows.with_user(self.collector).unlink()
        rows.with_user(self.manager).rate = 9
        self.assertEqual(self.file.late_charge_rate, 9)
        # What RPC sends is no mark of the house.
        self.file.with_context(ar_followed=True).late_charge_rate = 3
        self.assertEqual(len(self.file.late_charge_rate_ids), 2)

    # By law

    def test_by_law_it_is_the_base_rate_of_each_day_and_the_points(self):
        """Germany: 10,000 due 30 April 2030 until 30 June; the base rate is 2.00 % from May and
        3.00 % from 1 June, 9 points above: 31 days at 11 % and 30 days at 12 % are 10,000 x (341
        + 360) / 36,500 = 192.05."""
        rule = self._own_rule("de")
        rule.due_on_working_day = False
        rule.rate_ids.unlink()
        rule.rate_ids = [
            Command.create({"date": date(2030, 1, 1), "rate": 2}),
            Command.create({"date": date(2030, 6, 1), "rate": 3}),
        ]
        self._invoice(self.customer, 10000, due=self._days(date(2030, 4, 30)))
        self._always("law")
        until = self._days(date(2030, 6, 30))
        self.assertEqual([accrual.rate for accrual in self._accruals(until)], [11, 12])
        self.assertEqual(self._amount(until), 192.05)
        # A grade by law gives the same.
        self._always("grade")
        self.grade.late_charge_kind = "law"
        self.grade.late_charge_rate_ids.unlink()
        self.assertEqual(self._amount(until), 192.05)
        self.assertEqual(self.file.late_charge_rate_used, 12)

    def test_china_takes_the_rate_of_the_day_of_the_breach(self):
        """The same item: due on 30 April, so late from 1 May: 2.00 % and 30 % of it, 2.6 %, for
        all 61 days: 10,000 x 2.6 x 61 / 36,500 = 43.45."""
        rule = self._own_rule("cn")
        rule.due_on_working_day = False
        rule.rate_ids.unlink()
        rule.rate_ids = [
            Command.create({"date": date(2030, 1, 1), "rate": 2}),
            Command.create({"date": date(2030, 6, 1), "rate": 3}),
        ]
        self._invoice(self.customer, 10000, due=self._days(date(2030, 4, 30)))
        self._always("law")
        self.assertEqual(self._amount(self._days(date(2030, 6, 30))), 43.45)

    # Days of a year

    def test_days_of_a_year(self):
        """10,000 at 12 %, due 30 November 2027, until 31 January 2028: 31 days in 2027 and 31 in
        2028, a leap year. By 365: 10,000 x 12 x 62 / 36,500 = 203.84; by 360: 206.67; by the
        days of each year: 101.918 + 101.639 = 203.56."""
        self.company.ar_charge_from = date(2027, 1, 1)
        self._invoice(self.customer, 10000, due=self._days(date(2027, 11, 30)))
        self._always("custom", 12)
        until = self._days(date(2028, 1, 31))
        rule = self._own_rule()
        words = {"365": "/ 365", "360": "/ 360", "actual": "365 or 366"}
        for kind, amount in (("365", 203.84), ("360", 206.67), ("actual", 203.56)):
            # From December on: nothing of November.
            self.company.ar_charge_from = date(2027, 12, 1)
            rule.day_count = kind
            self.assertEqual(self._amount(until), amount)
            charges = self.env["ar.late.charge"].new({"day_count": kind})
            self.assertIn(words[kind], charges._get_formula_text(self.env))

    def test_the_days_of_a_year_stand_on_the_note(self):
        self._own_rule().day_count = "360"
        self._invoice(self.customer, 1000, due=-10)
        run = self._charge_run()
        run.action_draft_notes()
        self.assertEqual(run.charge_ids.day_count, "360")
        self.assertIn("/ 360", run.move_ids.narration)

    # In time

    def test_who_pays_on_the_next_working_day_has_paid_in_time(self):
        """Due on Saturday 1 June 2030, paid on Monday 3 June: nothing where the law says so, two
        days of 0.20 where it does not. Paid on Tuesday 4 June it is one day."""
        saturday = self._days(date(2030, 6, 1))
        for day, by_law, without in ((0, 0, 0.6 - 0.2), (1, 0.2, 0.6)):
            invoice = self._invoice(self.customer, 1000, due=saturday)
            payment = self._pay(invoice, day=day)
            self._own_rule("de")
            self.assertEqual(self._amount(20), by_law)
            self._own_rule().due_on_working_day = False
            self.assertEqual(self._amount(20), round(without, 2))
            self._own_rule().due_on_working_day = True
            self._bounce(payment)
            invoice.line_ids.no_followup = True

    # What was written off

    def test_nothing_accrues_on_what_was_written_off(self):
        """10,000 at 12 % overdue for 181 days had accrued 595.07. Written off, nothing of it is
        left to charge, now or later (after 240 days 789.04 were invoiced)."""
        self._always("custom", 12)
        invoice = self._invoice(self.customer, 10000, due=-181)
        item = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        self.assertEqual(self._amount(), 595.07)
        entry = self._give_up(item, 10000)
        self.assertEqual(self._accruals(), [])
        self.assertEqual(self._accruals(59), [])
        # Taken back, all of it is owed again: 10,000 x 12 x 240 / 36,500.
        entry.line_ids.remove_move_reconcile()
        entry.button_draft()
        entry.button_cancel()
        self.assertEqual(self._amount(59), 789.04)
        # Half of it written off, the other half accrues: 297.53.
        self._give_up(item, 5000)
        self.assertEqual(self._amount(), 297.53)

    def _give_up(self, item, amount):
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self.today,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": item.account_id.id,
                            "partner_id": item.partner_id.id,
                            "balance": -amount,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_expense"].id,
                            "balance": amount,
                        }
                    ),
                ],
            }
        )
        entry.sudo().ar_write_off = True
        entry.action_post()
        (item | entry.line_ids.filtered("account_id.reconcile")).filtered(
            lambda line: line.account_id == item.account_id
        ).reconcile()
        return entry

    # Debit notes

    def test_each_note_is_large_enough(self):
        """2.00 in each of two currencies: 4.00 for the customer, but two notes of 2.00."""
        pound = self.setup_other_currency("GBP", rates=[("2020-01-01", 1)])
        self._invoice(self.customer, 1000, due=-10)
        self._invoice(self.customer, 1000, due=-10, currency=pound)
        self.company.ar_charge_minimum = 2.5
        run = self._charge_run()
        self.assertEqual((run.amount, run.amount_held), (0, 4))
        self.company.ar_charge_minimum = 2
        self.assertEqual(self._charge_run().amount, 4)

    def test_the_fiscal_position_maps_taxes_and_account(self):
        tax, foreign = (
            self.company_data["default_tax_sale"].copy({"name": name, "amount": amount})
            for name, amount in (("Charges", 10), ("Charges abroad", 0))
        )
        account = self.income.copy({"code": "IFC2", "name": "Interest abroad"})
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Abroad",
                "account_ids": [
                    Command.create(
                        {"account_src_id": self.income.id, "account_dest_id": account.id}
                    )
                ],
            }
        )
        foreign.write(
            {"fiscal_position_ids": [Command.set(position.ids)], "original_tax_ids": tax.ids}
        )
        self.company.ar_charge_tax_ids = tax
        self.customer.property_account_position_id = position
        self._invoice(self.customer, 1000, due=-10)
        run = self._charge_run()
        run.action_draft_notes()
        line = run.move_ids.invoice_line_ids
        self.assertEqual((line.tax_ids, line.account_id), (foreign, account))
        self.assertEqual(run.move_ids.fiscal_position_id, position)

    def test_the_taxes_of_the_sale(self):
        """800 at 13 % and 200 at 6 %: the charge bears 13 %, as the larger part of the price."""
        taxes = self.env["account.tax"]
        for amount in (13, 6):
            taxes |= self.company_data["default_tax_sale"].copy(
                {"name": f"VAT {amount} %", "amount": amount}
            )
        invoice = self._invoice(self.customer, 800, due=-10, post=False)
        invoice.invoice_line_ids.tax_ids = taxes[0]
        invoice.invoice_line_ids.copy({"move_id": invoice.id, "price_unit": 200}).tax_ids = taxes[1]
        invoice.action_post()
        self.company.ar_charge_tax_mode = "sale"
        run = self._charge_run()
        run.action_draft_notes()
        self.assertEqual(run.move_ids.invoice_line_ids.tax_ids, taxes[0])

    # Plans

    def test_a_plan_over_half_an_item_waives_half(self):
        """1,000 overdue for 10 days, a plan over 500 of it that is kept on the day: of 2.00 it
        waives 1.00; the other 1.00 is charged, once."""
        invoice = self._invoice(self.customer, 1000, due=-10)
        item = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        plan = self.env["ar.payment.plan"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "waive_charges": True,
                "item_ids": [Command.create({"move_line_id": item.id, "amount": 500})],
                "line_ids": [Command.create({"date": self._day(0), "amount": 500})],
            }
        )
        plan.action_propose()
        plan.sudo()._accept("Customer's director")
        self._pay(invoice, 500)
        self.assertEqual(plan.state, "done")
        waived = self._charges("waived")
        self.assertEqual((waived.amount, waived.waived_share), (1, 0.5))
        run = self._charge_run()
        self.assertEqual(run.amount, 1)
        run.action_post()
        self.assertEqual(self._amount(), 0)
        # The next day costs what is open: 500, so 0.10.
        self.assertEqual(self._amount(1), 0.1)

    # Month ends

    def _closing(self, day=-3):
        self.accrued = self.env["account.account"].create(
            {"name": "Accrued charges", "code": "ACC1", "account_type": "asset_current"}
        )
        self.company.ar_charge_accrual_account_id = self.accrued
        return self._charge_run(day=day, kind="closing")

    def test_a_month_end_accrues_and_takes_back(self):
        """1,000 due on 24 May 2030: on 31 May 7 days of 0.20 have accrued. Income of 1.40 on the
        last of May, taken back on the first of June; all ten days are charged on 3 June."""
        self._invoice(self.customer, 1000, due=-10)
        run = self._closing()
        self.assertEqual(run.amount, 1.4)
        with self.assertRaises(UserError):
            run.action_draft_notes()
        run.action_post()
        entry, back = run.move_ids.sorted("date")
        for move, day, sign in ((entry, date(2030, 5, 31), 1), (back, date(2030, 6, 1), -1)):
            self.assertEqual((move.state, move.date), ("posted", day))
            self.assertEqual(
                {line.account_id: line.balance for line in move.line_ids},
                {self.accrued: sign * 1.4, self.income: sign * -1.4},
            )
        self.assertEqual(
            (entry.line_ids.partner_id, run.charge_ids.state), (self.customer, "accrued")
        )
        notes = self._charge_run()
        self.assertEqual(notes.amount, 2)
        notes.action_post()
        # The month has its accrual, until that is cancelled.
        again = self._charge_run(day=-3, kind="closing")
        with self.assertRaisesRegex(UserError, "nothing to accrue|is the accrual of this month"):
            again.action_post()

    def test_a_month_is_accrued_once(self):
        self._invoice(self.customer, 1000, due=-10)
        first, second = self._closing(), self._charge_run(day=-3, kind="closing")
        first.action_post()
        with self.assertRaisesRegex(UserError, "is the accrual of this month"):
            second.action_post()
        first.move_ids.sudo().button_draft()
        second.action_post()
        self.assertEqual(second.state, "done")

    def test_what_a_closing_needs(self):
        self._invoice(self.customer, 1000, due=-10)
        run = self._charge_run(day=-3, kind="closing")
        with self.assertRaisesRegex(UserError, "Account of Accrued Late Charges"):
            run.action_post()

    def test_no_revenue_where_the_money_is_not_likely_to_come(self):
        """A lawyer has the case: nothing is accrued or charged by itself; who chooses the
        customer charges it all the same."""
        self._invoice(self.customer, 1000, due=-10)
        self._run(0)
        legal = self.env["ar.collection.stage"].create({"name": "Lawyer", "kind": "legal"})
        self._case().sudo().stage_id = legal
        closing = self._closing()
        self.assertEqual((closing.amount, closing.amount_held), (0, 1.4))
        everybody = self._charge_run()
        self.assertEqual((everybody.amount, everybody.amount_held), (0, 2))
        chosen = self._charge_run(partner_ids=[Command.set(self.customer.ids)])
        self.assertEqual(chosen.amount, 2)

    # Against an oracle

    rates = st.lists(
        st.tuples(st.integers(-70, 10), st.integers(0, 4000)), max_size=3, unique_by=lambda t: t[0]
    )

    @settings(max_examples=8)
    @given(
        st.lists(
            st.tuples(
                st.integers(100, 500000),
                st.integers(-60, 0),
                st.lists(st.tuples(st.integers(-65, 5), st.integers(1, 99)), max_size=2),
                st.booleans(),
            ),
            min_size=1,
            max_size=3,
        ),
        st.integers(0, 3000),
        rates,
        st.sampled_from(["365", "360", "actual"]),
        st.booleans(),
        st.integers(-5, 10),
    )
    def test_day_by_day(self, debts, first, later, day_count, by_grade, until):
        """Rates, dates, part payments and currencies, one day after the other."""
        savepoint = self.env.cr.savepoint()
        try:
            yen = self.setup_other_currency("JPY", rates=[("2000-01-01", 130)])
            self._own_rule().day_count = day_count
            owner, kind = (self.grade, "fixed") if by_grade else (self.file, "custom")
            terms = [(False, kind, first / 100)] + [
                (self._day(day), kind, rate / 100) for day, rate in sorted(later)
            ]
            self._terms(owner, *terms)
            known = [(day or date.min, rate) for day, _kind, rate in terms]
            lived, expected = [], {}
            for cents, due, payments, is_foreign in debts:
                currency = yen if is_foreign else self.company.currency_id
                amount = max(cents // 100, 2) if is_foreign else cents / 100
                invoice = self._invoice(self.customer, amount, due=due, currency=currency)
                settled, left = [], amount
                for day, percent in payments:
                    part = currency.round(amount * percent / 200)
                    if part and part < left:
                        self._pay(invoice, part, day=day, currency_id=currency.id)
                        settled.append((self._day(day), part))
                        left -= part
                line = invoice.line_ids.filtered(
                    lambda line: line.account_type == "asset_receivable"
                )
                lived.append([line, Debt(amount, self._day(due), tuple(settled)), []])
            set_off(lived)
            for line, debt, _freed in lived:
                stretch = terms_stretches(
                    debt,
                    self._day(-365),
                    self._day(until),
                    known,
                    0 if day_count == "actual" else int(day_count),
                )
                expected[line.id] = charge_by_terms(stretch, line.currency_id.rounding)
            found = dict.fromkeys(expected, 0)
            for accrual in self._accruals(until):
                found[accrual.line_id] = round(found[accrual.line_id] + accrual.amount, 2)
            self.assertEqual(found, expected)
        finally:
            savepoint.rollback()
            self.env.invalidate_all(flush=False)
