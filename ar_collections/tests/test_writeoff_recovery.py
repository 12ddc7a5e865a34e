import ast

from hypothesis import given, settings, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError

from .common_writeoff import WriteoffCommon


class RecoveryCommon(WriteoffCommon):
    """A euro was worth 1.1111 when it was invoiced, and 1.25 (0.8) or 1.00 when it is paid."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency(
            "EUR", rates=[("2029-01-01", 0.9), ("2030-05-01", 0.8), ("2030-06-01", 1.0)]
        )
        cls.gain = cls.company.income_currency_exchange_account_id
        cls.loss = cls.company.expense_currency_exchange_account_id
        cls.income = cls.reason.recovery_account_id

    def _lost(self, amount, currency=None, partner=None):
        """A posted write-off of one invoice."""
        move = self._invoice(partner or self.customer, amount, due=-200, currency=currency)
        self._run(0)
        return self._posted({self._items(move): amount})

    def _paid(self, amount, currency=None, day=0, partner=None):
        """The open item of a payment on account."""
        payment = self.env["account.payment"].create(
            {
                "partner_id": (partner or self.customer).id,
                "payment_type": "inbound",
                "partner_type": "customer",
                "amount": amount,
                "currency_id": (currency or self.company.currency_id).id,
                "date": self._day(day),
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return self._items(payment.move_id)

    def _recover(self, payment):
        return payment.with_user(self.biller).action_ar_recover()


class TestRecoveryCurrency(RecoveryCommon):
    def test_paid_in_full_in_its_currency(self):
        """900.00 EUR were worth 900 / 0.9 = 1,000.00; paid at 0.8 they are worth 1,125.00, at 1.0
        they are worth 900.00: recovered is the debt, the rest is exchange difference."""
        for day, worth, difference in ((-10, 1125, 125), (0, 900, -100)):
            with self.subTest(worth=worth):
                request = self._lost(900, self.euro)
                self.assertEqual(request.amount_total, 1000)
                before = {
                    account: self._balance(account) or 0
                    for account in (self.income, self.gain, self.loss)
                }
                payment = self._paid(900, self.euro, day)
                self.assertEqual(payment.amount_residual, -worth)
                # Money that came before the write-off is booked on its day.
                self._recover(payment)
                self.assertRecordValues(
                    request,
                    [{"state": "recovered", "amount_recovered": 1000, "recovery_share": 1}],
                )
                self.assertRecordValues(
                    request.recovery_ids,
                    [
                        {
                            "amount": 1000,
                            "debt_currency_id": self.euro.id,
                            "debt_amount": 900,
                            "exchange_difference": difference,
                        }
                    ],
                )
                self.assertTrue(payment.reconciled)
                self.assertFalse(payment.matched_debit_ids.exchange_move_id)
                moved = {
                    account: (self._balance(account) or 0) - balance
                    for account, balance in before.items()
                }
                self.assertEqual(moved[self.income], -1000)
                self.assertEqual(moved[self.gain] + moved[self.loss], -difference)
                self.assertEqual(moved[self.loss if difference > 0 else self.gain], 0)

    def test_paid_in_parts(self):
        """300 of 900 EUR are a third: 333.33; the last part takes what is left of 1,000.00."""
        request = self._lost(900, self.euro)
        for amount, recovered in ((300, 333.33), (300, 666.67), (400, 1000)):
            payment = self._paid(amount, self.euro)
            self._recover(payment)
            self.assertEqual(request.amount_recovered, recovered)
        self.assertEqual(request.state, "recovered")
        self.assertEqual(payment.amount_residual_currency, -100, "stays open")
        self.assertEqual(sum(request.recovery_ids.mapped("debt_amount")), 900)

    def test_paid_in_company_currency(self):
        """1,000.00 on the day of the rate 0.8 are 800.00 EUR of 900: 888.89 of the write-off."""
        request = self._lost(900, self.euro)
        payment = self._paid(1000, day=-10)
        self._recover(payment)
        self.assertTrue(payment.reconciled)
        self.assertRecordValues(
            request.recovery_ids,
            [{"debt_amount": 800, "amount": 888.89, "exchange_difference": 111.11}],
        )
        self.assertEqual(request.state, "posted")
        # 100 EUR are missing: 100 / 0.8 = 125.00 of the next payment.
        payment = self._paid(200, day=-9)
        self._recover(payment)
        self.assertEqual(request.state, "recovered")
        self.assertEqual(payment.amount_residual, -75)

    def test_rate_of_the_bank(self):
        """900.00 EUR for which the bank gave 950.00, not the 1,125.00 of the day's rate."""
        request = self._lost(900, self.euro)
        bank = self.company_data["default_journal_bank"]
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": bank.id,
                "date": self._day(-10),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": self.customer.id,
                            "currency_id": self.euro.id,
                            "amount_currency": sign * 900,
                            "balance": sign * 950,
                        }
                    )
                    for sign, account in (
                        (1, bank.default_account_id),
                        (-1, self.item.account_id),
                    )
                ],
            }
        )
        entry.action_post()
        self._recover(self._items(entry))
        self.assertEqual(request.state, "recovered")
        self.assertRecordValues(
            request.recovery_ids, [{"debt_amount": 900, "amount": 1000, "exchange_difference": -50}]
        )

    def test_debt_in_company_currency(self):
        """1,000.00 paid by 880.00 EUR at 0.8 are 1,100.00: 100.00, 80.00 EUR, stay open."""
        request = self._posted()
        payment = self._paid(880, self.euro, -10)
        self._recover(payment)
        self.assertRecordValues(
            request.recovery_ids,
            [
                {
                    "amount": 1000,
                    "debt_currency_id": self.company.currency_id.id,
                    "debt_amount": 1000,
                    "exchange_difference": 0,
                }
            ],
        )
        self.assertEqual((payment.amount_residual, payment.amount_residual_currency), (-100, -80))

    def test_two_currencies_in_one_request(self):
        """What is paid goes to the debt of its own currency first."""
        item = self._items(self._invoice(self.customer, 900, due=-200, currency=self.euro))
        request = self._posted({self.item: 1000, item: 900})
        self.assertEqual(request.amount_total, 2000)
        payment = self._paid(1350, self.euro)
        self._recover(payment)
        self.assertRecordValues(
            request.recovery_ids.sorted("id"),
            [
                {"debt_currency_id": self.euro.id, "debt_amount": 900, "amount": 1000},
                {
                    "debt_currency_id": self.company.currency_id.id,
                    "debt_amount": 450,
                    "amount": 450,
                },
            ],
        )
        self.assertTrue(payment.reconciled)
        self.assertEqual(request.amount_recovered, 1450)

    def test_account_of_the_difference_is_missing(self):
        request = self._lost(900, self.euro)
        payment = self._paid(900, self.euro)
        self.company.expense_currency_exchange_account_id = False
        with self.assertRaisesRegex(UserError, "exchange gains and losses"):
            self._recover(payment)
        self.assertFalse(request.recovery_ids)

    def test_reversed(self):
        request = self._lost(900, self.euro)
        payment = self._paid(900, self.euro)
        self._recover(payment)
        request.recovery_ids.with_user(self.biller).action_reverse()
        self.assertEqual((request.state, request.amount_recovered), ("posted", 0))
        self.assertEqual((payment.amount_residual, payment.amount_residual_currency), (-900, -900))
        self._recover(payment)
        self.assertEqual((request.state, request.amount_recovered), ("recovered", 1000))


class TestRecoveryDay(RecoveryCommon):
    def test_day_of_the_money(self):
        """Written off 30 days ago, paid 10 days ago, booked today."""
        request = self._posted(date=self._day(-30))
        payment = self._paid(400, day=-10)
        for setting, expected in {"money": self._day(-10), "booking": self.today}.items():
            with self.subTest(setting=setting):
                self.company.ar_recovery_day = setting
                self._recover(payment)
                recovery = request.recovery_ids.filtered(lambda each: each.state == "posted")
                self.assertEqual((recovery.date, recovery.move_id.date), (expected, expected))
                recovery.with_user(self.biller).action_reverse()

    def test_nothing_comes_back_before_it_was_given_up(self):
        payment = self._paid(400, day=-10)
        request = self._posted()
        self._recover(payment)
        self.assertEqual(request.recovery_ids.date, request.date_posted)

    def test_locked_day(self):
        request = self._posted(date=self._day(-30))
        payment = self._paid(400, day=-10)
        self.company.fiscalyear_lock_date = self._day(-5)
        self._recover(payment)
        self.assertGreater(request.recovery_ids.date, self._day(-5))
        self.assertEqual(request.recovery_ids.date, request.recovery_ids.move_id.date)


class TestWrittenOffDebts(RecoveryCommon):
    """What left the books stays on record: who asks for it, when it lapses, what came back."""

    def test_on_record(self):
        file = self._case().file_id
        file.collector_id = self.collector
        request = self._posted(date=self._day(-30))
        self.assertRecordValues(
            request,
            [
                {
                    "collector_id": self.collector.id,
                    "amount_missing": 1000,
                    "amount_recovered": 0,
                    "date_recovered": False,
                }
            ],
        )
        first = request.lapse_date
        self.assertEqual(
            first, self.env["ar.limitation"].search([("is_written_off", "=", True)]).lapse_date
        )
        self.assertGreater(first, self.today)
        payment = self._paid(400, day=-10)
        self._recover(payment)
        self.assertRecordValues(
            request, [{"amount_missing": 600, "date_recovered": self._day(-10)}]
        )
        request.recovery_ids.with_user(self.biller).action_reverse()
        self.assertRecordValues(request, [{"amount_missing": 1000, "date_recovered": False}])
        self._recover(payment)
        self._recover(self._paid(600))
        self.assertRecordValues(
            request, [{"state": "recovered", "amount_missing": 0, "lapse_date": False}]
        )

    def test_not_on_record(self):
        """Nobody owes what was not given up, and nobody watches cents."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_writeoff_request_action_watched"
        )
        draft, posted = self._request(), self._lost(500)
        reversed_ = self._lost(300)
        reversed_.with_user(self.biller).action_reverse()
        found = self.env["ar.writeoff.request"].search(ast.literal_eval(action["domain"]))
        self.assertEqual(found & (draft | posted | reversed_), posted)
        self.assertEqual(reversed_.amount_missing, 0)


class TestRecoveryPayer(RecoveryCommon):
    """A sister, a director, a guarantor pays: nobody has said so before."""

    def _ask(self, payment, requests, **values):
        action = self._recover(payment)
        self.assertEqual(action["res_model"], "ar.writeoff.recover")
        return (
            self.env["ar.writeoff.recover"]
            .with_user(self.biller)
            .with_context(**action["context"])
            .create({"request_ids": [Command.set(requests.ids)], **values})
        )

    def test_any_payer(self):
        request = self._posted()
        stranger = self._customer("Director")
        payment = self._paid(400, partner=stranger)
        wizard = self._ask(payment, request, date=self._day(5))
        self.assertEqual(wizard.payment_line_ids, payment)
        wizard.action_book()
        self.assertRecordValues(request, [{"state": "posted", "amount_recovered": 400}])
        self.assertEqual(request.recovery_ids.date, self._day(5), "the day that was chosen")
        self.assertTrue(payment.reconciled)
        self.assertEqual(self._balance(payment.account_id, stranger), 0)
        income = request.recovery_ids.move_id.line_ids.filtered(
            lambda line: line.account_id == self.income
        )
        self.assertEqual(income.partner_id, self.customer)

    def test_one_payment_for_two_customers(self):
        first, second = self._posted(), self._lost(500, partner=self._customer("Other"))
        payment = self._paid(1200, partner=self._customer("Director"))
        self._ask(payment, second | first).action_book()
        self.assertEqual((first.amount_recovered, second.amount_recovered), (1000, 200))
        self.assertTrue(payment.reconciled)

    def test_nothing_is_written_off(self):
        payment = self._paid(400, partner=self._customer("Director"))
        with self.assertRaisesRegex(UserError, "Nothing is written off"):
            self._recover(payment)

    def test_what_nobody_owes_is_not_chosen(self):
        """Cents and what a settlement waived, over RPC too."""
        small = self._posted(kind="small")
        payment = self._paid(400, partner=self._customer("Director"))
        self._lost(500)
        wizard = self._ask(payment, small)
        with self.assertRaisesRegex(UserError, "is owed"):
            wizard.action_book()
        self.assertFalse(payment.reconciled)

    def test_refused(self):
        request = self._posted()
        payment = self._paid(400, partner=self._customer("Director"))
        wizard = self._ask(payment, request)
        request.with_user(self.biller).action_reverse()
        with self.assertRaises(UserError):
            wizard.action_book()
        with self.assertRaises(AccessError):
            payment.with_user(self.collector).action_ar_recover()
        with self.assertRaises(AccessError):
            self.env["ar.writeoff.recover"].with_user(self.collector).create(
                {
                    "payment_line_ids": [Command.set(payment.ids)],
                    "request_ids": [Command.set(request.ids)],
                }
            )


class TestRecoveryProperty(RecoveryCommon):
    """Against plain sums: whatever is paid, in whichever currency and order."""

    @settings(max_examples=10)
    @given(
        debt=st.integers(100, 200_000),
        payments=st.lists(
            st.tuples(st.integers(100, 150_000), st.booleans(), st.sampled_from((-10, 0))),
            min_size=1,
            max_size=4,
        ),
    )
    def test_paid_off(self, debt, payments):
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            self._live(debt, payments)
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)

    def _live(self, debt, payments):
        request = self._lost(debt / 100, self.euro)
        missing = debt
        for cents, is_euro, day in payments:
            payment = self._paid(
                cents / 100, self.euro if is_euro else self.company.currency_id, day
            )
            if not missing:
                self.assertEqual(request.state, "recovered")
                break
            self._recover(payment)
            worth = cents if is_euro else round(cents * {-10: 0.8, 0: 1.0}[day])
            missing -= min(missing, worth)
            recoveries = request.recovery_ids
            self.assertEqual(
                round(sum(recoveries.mapped("debt_amount")), 2), (debt - missing) / 100
            )
            self.assertEqual(request.amount_recovered, round(sum(recoveries.mapped("amount")), 2))
            self.assertEqual(request.state, "posted" if missing else "recovered")
            self.assertEqual(payment.reconciled, not payment.amount_residual)
            if missing:
                self.assertTrue(payment.reconciled)
            else:
                self.assertEqual(request.amount_recovered, request.amount_total)
        for recovery in request.recovery_ids:
            lines = recovery.move_id.line_ids
            self.assertEqual(round(sum(lines.mapped("balance")), 2), 0)
            difference = lines.filtered(lambda line: line.account_id in (self.gain | self.loss))
            self.assertEqual(recovery.exchange_difference, -sum(difference.mapped("balance")))
