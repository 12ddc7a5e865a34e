import re
from collections import defaultdict
from datetime import timedelta

from hypothesis import given, settings, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .test_letter import LetterCommon


class TestStatement(LetterCommon):
    """The statement says what the receivable accounts say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls._invoice(cls.customer, 1000, due=-100)
        cls._invoice(cls.customer, 250.25, due=-40)
        cls._invoice(cls.customer, 80, due=10)
        cls.dollars = cls._invoice(cls.customer, 300, due=-10, currency=cls.foreign)
        cls._pay(cls.first, 400, day=-20)
        cls._invoice(cls.customer, 60, due=-5, move_type="out_refund")
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)

    def _get_statement(self, date=None, start=None, file=None):
        file = (file or self.file).with_context(
            ar_statement_date=date or self.today, ar_statement_from=start
        )
        return file.env["ar.statement"]._get_statement(file)

    def _ledger(self, date, currency="USD"):
        """The balance of the receivable accounts: every booking in a currency up to the day."""
        lines = self.env["account.move.line"].search(
            [
                ("partner_id", "child_of", self.customer.id),
                ("account_id.account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("date", "<=", date),
                ("currency_id.name", "=", currency),
            ]
        )
        return round(sum(lines.mapped("amount_currency")), 2)

    def _number(self, text):
        return float(re.sub(r"[^\d.-]", "", text))

    def test_ties_to_the_ledger_on_any_day(self):
        for day in (-200, -110, -50, -21, -20, -5, 0, 30):
            date = self._day(day)
            statement = self._get_statement(date)
            totals = defaultdict(float)
            for chunk in statement["pages"]:
                if chunk.is_last:
                    totals[chunk.table.currency.name] += chunk.total
            for currency, amounts in statement["ageing"]:
                with self.subTest(day=day, currency=currency):
                    ledger = self._ledger(date, currency)
                    self.assertAlmostEqual(self._number(amounts[-1]), ledger, places=2)
                    self.assertAlmostEqual(sum(map(self._number, amounts[:-1])), ledger, places=2)
                    self.assertAlmostEqual(totals[currency], ledger, places=2)

    def test_buckets(self):
        statement = self._get_statement()
        self.assertEqual(
            statement["labels"],
            ["Not due", "1-30", "31-60", "61-90", "91-180", "> 180", "Credits", "Balance"],
        )
        rows = dict(statement["ageing"])
        self.assertEqual(
            rows["USD"],
            ["80.00", "0.00", "250.25", "0.00", "600.00", "0.00", "-60.00", "870.25"],
        )
        self.assertEqual((rows["EUR"][1], rows["EUR"][-1]), ("300.00", "300.00"))
        self.assertEqual(list(rows), ["USD", "EUR"], "in what is owed, and in nothing else")
        self.assertEqual(
            [(chunk.table.title, chunk.table.currency.name) for chunk in statement["pages"]],
            [
                ("Open items", "USD"),
                ("Open items", "EUR"),
                ("Payments and credit notes not yet allocated", "USD"),
            ],
        )

    def test_nothing_is_overdue_before_its_day(self):
        file = self.env["ar.credit.file"]._get_file(
            self._customer("Punctual"), self.company, create=True
        )
        self._invoice(file.partner_id, 12.5, due=3)
        self.assertFalse(self._get_statement(file=file)["demand"])
        statement = self._get_statement(self._day(5), file=file)
        self.assertEqual(
            (statement["demand"], statement["total"]), ("$\N{NO-BREAK SPACE}12.50",) * 2
        )

    def test_asks_for_the_net_demand_alone(self):
        """Not for what credits pay, what is in dispute, or what is agreed to be paid later."""
        file = self.env["ar.credit.file"]._get_file(
            self._customer("Careful"), self.company, create=True
        )
        invoice = self._invoice(file.partner_id, 1000, due=-20)
        note = self._invoice(file.partner_id, 1000, due=-1, move_type="out_refund")
        statement = self._get_statement(file=file)
        self.assertEqual(statement["total"], "$\N{NO-BREAK SPACE}0.00")
        self.assertFalse(statement["demand"])
        note.button_draft()
        self.env["ar.payment.promise"].create(
            {
                "partner_id": file.partner_id.id,
                "company_id": self.company.id,
                "amount": 600,
                "date": self._day(5),
            }
        )
        self.assertEqual(self._get_statement(file=file)["demand"], "$\N{NO-BREAK SPACE}400.00")
        self.env["ar.dispute"].create(
            {
                "partner_id": file.partner_id.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_quality").id,
                "line_ids": [
                    Command.create(
                        {
                            "move_line_id": invoice.line_ids.filtered("date_maturity").id,
                            "amount": 400,
                        }
                    )
                ],
            }
        )
        statement = self._get_statement(file=file)
        self.assertEqual(statement["total"], "$\N{NO-BREAK SPACE}1,000.00")
        self.assertFalse(statement["demand"])

    def test_a_foreign_debt_is_shown_in_its_currency_alone(self):
        """Paid in another currency, with a difference of exchange that is ours."""
        file = self.env["ar.credit.file"]._get_file(
            self._customer("Foreign"), self.company, create=True
        )
        invoice = self._invoice(file.partner_id, 900, due=-20, currency=self.foreign)
        self._invoice(file.partner_id, 100, due=-10, currency=self.foreign)
        self._pay(
            invoice, invoice.amount_residual_signed, day=-5, currency_id=self.company.currency_id.id
        )
        statement = self._get_statement(file=file, start=self._day(-100))
        self.assertEqual([name for name, _amounts in statement["ageing"]], ["EUR"])
        self.assertNotIn("$", statement["total"])
        balances = {
            chunk.table.currency.name: chunk.total
            for chunk in statement["pages"]
            if chunk.is_last and chunk.table.opening_label
        }
        self.assertEqual(balances, {"EUR": 100, "USD": 0})

    def test_movements_lead_from_balance_to_balance(self):
        start = self._day(-60)
        statement = self._get_statement(start=start)
        last = next(
            chunk
            for chunk in statement["pages"]
            if chunk.table.opening_label and chunk.table.currency.name == "USD" and chunk.is_last
        )
        table, total = last.table, last.total
        self.assertEqual(table.opening, self._ledger(start - timedelta(days=1)))
        self.assertEqual(total, self._ledger(self.today))
        balances = [self._number(row.cells[-1]) for row in table.rows]
        self.assertEqual(balances[-1], total, "the balance runs")
        self.assertEqual(
            sorted(self._number(row.cells[4]) for row in table.rows if row.cells[4]), [60, 400]
        )

    def test_long_movements_carry_the_balance(self):
        many = self._customer("Many")
        amounts = self._invoices(60, many, start=-60)
        file = self.env["ar.credit.file"]._get_file(many, self.company, create=True)
        pages = self._get_statement(start=self._day(-300), file=file)["pages"]
        movements = [chunk for chunk in pages if chunk.table.opening_label]
        self.assertGreater(len(movements), 1)
        done = 0
        for chunk in movements:
            self.assertEqual(chunk.brought or 0, done)
            done = round(done + sum(row.amount for row in chunk.rows), 2)
            self.assertEqual(chunk.total, done)
            self.assertEqual(self._number(chunk.rows[-1].cells[-1]), done)
        self.assertEqual(done, round(sum(amounts), 2))

    @given(
        st.lists(
            st.tuples(st.integers(1, 10**6), st.integers(-250, 20), st.booleans()), max_size=5
        ),
        st.integers(-100, 0),
    )
    @settings(max_examples=5, deadline=None)
    def test_any_bookings(self, bookings, day):
        with self.env.cr.savepoint() as savepoint:
            for cents, due, is_credit in bookings:
                self._invoice(
                    self.customer,
                    cents / 100,
                    due=due,
                    move_type="out_refund" if is_credit else "out_invoice",
                )
            date = self._day(day)
            statement = self._get_statement(date, start=self._day(-150))
            for currency, amounts in statement["ageing"]:
                ledger = self._ledger(date, currency)
                self.assertAlmostEqual(self._number(amounts[-1]), ledger, places=2)
                for chunk in statement["pages"]:
                    table = chunk.table
                    if table.opening_label and table.currency.name == currency and chunk.is_last:
                        self.assertAlmostEqual(chunk.total, ledger, places=2)
            savepoint.rollback()
        self.env.invalidate_all(flush=False)

    def test_words_in_both_languages(self):
        html = self._html("statement", self.file, ar_statement_date=self.today)
        for text in ("Statement of account", "June 3, 2030", "1 High Street", "600.00", "-60.00"):
            self.assertIn(text, html)
        self.customer.lang = "zh_CN"
        html = self._html("statement", self.file, ar_statement_date=self.today)
        self.assertIn("2030年6月3日", html)

    def test_sides_are_called_as_in_the_ledger(self):
        for side, word in (("debit", "借方"), ("credit", "贷方")):
            field = self.env.ref(f"account.field_account_move_line__{side}")
            field.with_context(lang="zh_CN").field_description = word
        file = self.file.with_context(
            lang="zh_CN", ar_statement_date=self.today, ar_statement_from=self._day(-60)
        )
        statement = file.env["ar.statement"]._get_statement(file)
        heads = [label.split()[0] for label, _number in statement["pages"][-1].table.heads]
        self.assertEqual(heads[3:5], ["借方", "贷方"])

    def test_nothing_open(self):
        nobody = self._customer("Nobody")
        file = self.env["ar.credit.file"]._get_file(nobody, self.company, create=True)
        html = self._html("statement", file)
        self.assertIn("There are no open items.", html)

    def test_items_cost_no_queries(self):
        few, many = self._customer("Few"), self._customer("Many")
        self._invoices(5, few)
        self._invoices(50, many)
        files = [
            self.env["ar.credit.file"]._get_file(partner, self.company, create=True)
            for partner in (few, many)
        ]
        for file in files:
            self._get_statement(file=file)

        def count(file):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._get_statement(file=file, start=self._day(-300))
            return self.env.cr.sql_log_count - before

        count(files[0])  # what is read once
        self.assertEqual(count(files[0]), count(files[1]))

    # From the screen

    def _wizard(self, source):
        action = source.action_statement()
        form = Form(
            self.env[action["res_model"]]
            .with_user(source.env.user)
            .with_context(**action["context"])
        )
        form.date = self.today
        return form

    def test_from_customer_file_and_case(self):
        self._run(0)
        for source in (self.customer, self.file, self._case()):
            form = self._wizard(source.with_user(self.collector))
            form.date_from = self._day(-90)
            wizard = form.save()
            action = wizard.action_print()
            self.assertIn(f"id={wizard.id}", action["url"])
            self.assertTrue(wizard.document)
        form.date_from = self._day(9)
        with self.assertRaises(UserError):
            form.save().action_print()

    def test_sent_by_mail_with_the_statement_of_that_day(self):
        lost = self._customer("Lost", email=False)
        other = self.env["ar.credit.file"]._get_file(lost, self.company, create=True)
        form = self._wizard((self.file | other).with_user(self.collector))
        form.date = self._day(-30)
        self.assertEqual(form.unreachable, "Lost")
        form.save().action_send()
        message = self.file.message_ids.filtered("attachment_ids")
        self.assertEqual(message.partner_ids, self.customer)
        self.assertIn("Statement of account", message.subject)
        self.assertEqual(len(message.attachment_ids), 1)
        self.assertIn("May 4, 2030", message.attachment_ids.raw.decode())
        self.assertFalse(other.message_ids.filtered("attachment_ids"))
        with self.assertRaises(UserError):
            self._wizard(other.with_user(self.collector)).save().action_send()

    def test_who_may(self):
        def user(login, group):
            return new_test_user(
                self.env,
                login,
                f"base.group_user,{group}",
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )

        auditor = user("statement_auditor", "ar_collections.group_auditor")
        wizard = self._wizard(self.file.with_user(auditor)).save()
        wizard.action_print()
        with self.assertRaises(AccessError):
            wizard.action_send()
        self.customer.email = False
        with self.assertRaises(AccessError):
            wizard.action_send()
        stranger = user("statement_stranger", "base.group_partner_manager")
        with self.assertRaises(AccessError):
            self.file.with_user(stranger).action_statement()
        with self.assertRaises(AccessError):
            self._html_as(stranger)

    def _html_as(self, user):
        reports = self.env["ir.actions.report"].with_user(user)
        self.env.invalidate_all()
        return reports._render_qweb_html("ar_collections.report_statement", self.file.ids)
