from unittest.mock import Mock

from hypothesis import given, settings, strategies as st

from odoo import Command, api
from odoo.exceptions import LockError, UserError
from odoo.tests import tagged

from .common import CollectionsCommon
from .common_writeoff import WriteoffCommon


class TestWriteoffPosting(WriteoffCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency(
            "EUR", rates=[("2029-01-01", 2.0), ("2030-05-01", 3.0), ("2030-06-01", 0.7)]
        )
        cls.tax_account = cls.company_data["default_account_tax_sale"]

    def _taxed(self, tax, amount=1000, **line_values):
        move = self._invoice(self.customer, amount, due=-200, post=False)
        move.invoice_line_ids.write({"tax_ids": [Command.set(tax.ids)], **line_values})
        move.action_post()
        return self._items(move)

    def _debits(self, request):
        return {
            line.account_id: line.balance
            for line in request.move_id.line_ids
            if line.account_type != "asset_receivable"
        }

    def test_foreign_currency_in_full(self):
        item = self._items(self._invoice(self.customer, 100.01, due=-200, currency=self.euro))
        booked = item.amount_residual
        request = self._posted({item: 100.01})
        self.assertTrue(item.reconciled)
        self.assertEqual((item.amount_residual, item.amount_residual_currency), (0, 0))
        self.assertEqual(self._debits(request), {self.expense: booked})
        # At the rate of the books: no exchange difference comes of it.
        self.assertFalse(item.matched_credit_ids.exchange_move_id)

    def test_part_of_a_foreign_item_after_a_payment(self):
        item = self._items(self._invoice(self.customer, 100, due=-200, currency=self.euro))
        self._pay(item.move_id, 30, currency_id=self.euro.id)
        residual = item.amount_residual
        request = self._posted({item: 33.33})
        self.assertAlmostEqual(item.amount_residual_currency, 36.67)
        share = self.company.currency_id.round(residual * 33.33 / 70)
        self.assertEqual(request.amount_total, share)
        self.assertAlmostEqual(item.amount_residual, residual - share)
        rest = self._posted({item: 36.67})
        self.assertTrue(item.reconciled)
        self.assertAlmostEqual(request.amount_total + rest.amount_total, residual)

    def test_instalments(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "30/70",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 30, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 70, "nb_days": 30}),
                ],
            }
        )
        move = self._invoice(self.customer, 999.99, due=-200, post=False)
        move.invoice_payment_term_id = term
        move.action_post()
        first, last = self._items(move).sorted("date_maturity")
        self._posted({first: first.amount_residual, last: 100})
        self.assertTrue(first.reconciled)
        self.assertAlmostEqual(move.amount_residual, last.balance - 100)

    def test_tax_is_claimed_back(self):
        tags = self.env["account.account.tag"].create(
            [
                {"name": name, "applicability": "taxes", "country_id": self.company.country_id.id}
                for name in ("base", "tax")
            ]
        )
        tax = self.tax_sale_a.copy({"name": "10 % relief", "amount": 10})
        for line in tax.refund_repartition_line_ids:
            line.tag_ids = tags[line.repartition_type == "tax"]
        item = self._taxed(tax)
        self.reason.tax_treatment = "relief"
        request = self._posted({item: 550})
        tax_line, loss = request.move_id.line_ids.filtered(lambda line: line.balance > 0).sorted(
            "balance"
        )
        self.assertRecordValues(
            tax_line,
            [
                {
                    "account_id": self.tax_account.id,
                    "balance": 50,
                    "tax_line_id": tax.id,
                    "tax_tag_ids": tags[1].ids,
                }
            ],
        )
        self.assertRecordValues(
            loss,
            [
                {
                    "account_id": self.expense.id,
                    "balance": 500,
                    "tax_ids": tax.ids,
                    "tax_tag_ids": tags[0].ids,
                }
            ],
        )
        # Paid after all: the tax is due again, in proportion.
        payment = self._payment(110)
        payment.with_user(self.biller).action_ar_recover()
        income = request.recovery_ids.move_id.line_ids.filtered(lambda line: line.balance < 0)
        self.assertEqual(sorted(income.mapped("balance")), [-100, -10])
        self.assertEqual(
            self._balance(self.tax_account), -100 + 50 - 10, "tax of the invoice, less, again"
        )

    def test_tax_on_two_accounts_is_claimed_back_from_both(self):
        second = self.tax_account.copy({"code": "TAX2"})
        parts = [
            Command.create({"repartition_type": "base"}),
            *(
                Command.create(
                    {
                        "repartition_type": "tax",
                        "factor_percent": percent,
                        "account_id": account.id,
                    }
                )
                for percent, account in ((60, self.tax_account), (40, second))
            ),
        ]
        tax = self.tax_sale_a.copy(
            {
                "name": "Two accounts",
                "amount": 10,
                "invoice_repartition_line_ids": parts,
                "refund_repartition_line_ids": parts,
            }
        )
        item = self._taxed(tax)
        self.reason.tax_treatment = "relief"
        request = self._posted({item: 1100})
        self.assertEqual(
            self._debits(request), {self.expense: 1000, self.tax_account: 60, second: 40}
        )
        self._payment(110).with_user(self.biller).action_ar_recover()
        self.assertEqual([self._balance(self.tax_account), self._balance(second)], [-6, -4])

    def test_tax_stays_in_the_loss(self):
        item = self._taxed(self.tax_sale_a)
        request = self._posted({item: item.amount_residual})
        self.assertEqual(self._debits(request), {self.expense: item.balance})
        self.assertFalse(request.move_id.line_ids.tax_ids)

    def test_tax_on_a_cash_basis(self):
        waiting = self.env["account.account"].create(
            {
                "name": "Tax not due yet",
                "code": "WAIT1",
                "account_type": "liability_current",
                "reconcile": True,
            }
        )
        self.company.tax_exigibility = True
        tax = self.tax_sale_a.copy(
            {
                "name": "On payment",
                "amount": 10,
                "tax_exigibility": "on_payment",
                "cash_basis_transition_account_id": waiting.id,
            }
        )
        item = self._taxed(tax)
        self._pay(item.move_id, 220)
        self.assertEqual(self._balance(waiting), -80)
        entries = self.env["account.move"].search_count([("tax_cash_basis_rec_id", "!=", False)])
        request = self._posted({item: 880})
        self.assertEqual(self._debits(request), {self.expense: 800, waiting: 80})
        self.assertEqual(self._balance(waiting), 0)
        self.assertEqual(
            self.env["account.move"].search_count([("tax_cash_basis_rec_id", "!=", False)]), entries
        )
        self._payment(88).with_user(self.biller).action_ar_recover()
        income = request.recovery_ids.move_id.line_ids.filtered(lambda line: line.balance < 0)
        self.assertEqual(sorted(income.mapped("balance")), [-80, -8])
        self.assertEqual(income.filtered(lambda line: line.balance == -8).tax_line_id, tax)

    def test_analytic_is_kept(self):
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        one, two = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("One", "Two")]
        )
        item = self._taxed(
            self.env["account.tax"],
            analytic_distribution={str(one.id): 60, str(two.id): 40},
        )
        request = self._posted({item: 500})
        loss = request.move_id.line_ids.filtered(lambda line: line.balance > 0)
        self.assertEqual(loss.analytic_distribution, {str(one.id): 60, str(two.id): 40})

    def test_allowance_first(self):
        allowance = self.expense.copy({"code": "ALLOW1"})
        self.patch(
            type(self.env["ar.credit.file"]),
            "_get_allowance",
            lambda file: (allowance, 300.0),
        )
        request = self._posted()
        self.assertEqual(self._debits(request), {allowance: 300, self.expense: 700})
        self.assertEqual(request.amount_allowance, 300)

    def test_allowance_covers_what_a_discount_leaves(self):
        """However the discount of an invoice is analysed, its allowance is used to the end."""
        allowance = self.expense.copy({"code": "ALLOW1"})
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        project = self.env["account.analytic.account"].create(
            {"name": "Project", "plan_id": plan.id}
        )
        for available, covered in ((0, 0), (500, 500), (2000, 900)):
            with self.subTest(available=available):
                self.patch(
                    type(self.env["ar.credit.file"]),
                    "_get_allowance",
                    lambda file, left=available: (allowance if left else allowance.browse(), left),
                )
                move = self._invoice(self.customer, 1000, due=-200, post=False)
                discount = {
                    "name": "Discount",
                    "price_unit": -100,
                    "tax_ids": [Command.clear()],
                    "analytic_distribution": {str(project.id): 100},
                }
                move.invoice_line_ids = [Command.create(discount)]
                move.action_post()
                request = self._posted({self._items(move): 900})
                self.assertEqual(request.amount_allowance, covered)
                booked = request.move_id.line_ids.grouped("account_id")
                balances = {
                    account: sum(lines.mapped("balance")) for account, lines in booked.items()
                }
                self.assertEqual(balances.get(allowance, 0), covered)
                self.assertEqual(balances.get(self.expense, 0), 900 - covered)

    # Dates

    def test_lock_date_is_shown_before(self):
        request = self._approved(date=self._day(-40))
        self.assertEqual((request.posting_date, request.is_date_moved), (self._day(-40), False))
        self.company.fiscalyear_lock_date = self._day(-10)
        request.invalidate_recordset()
        self.assertTrue(request.is_date_moved)
        shown = request.posting_date
        self.assertGreater(shown, self._day(-10))
        request.with_user(self.biller).action_post()
        self.assertEqual(request.move_id.date, shown)
        # The invoice itself is in the locked year.
        self.assertTrue(self.item.reconciled)

    # What changed since

    def test_payment_since_approval_stops(self):
        request = self._approved()
        self._pay(self.invoice, 1)
        with self.assertRaisesRegex(UserError, "999.00"):
            request.with_user(self.biller).action_post()
        self.assertFalse(request.move_id)
        request.action_draft()
        request.line_ids.amount = 999
        request.action_submit()
        self._pay(self.invoice, 1)
        with self.assertRaisesRegex(UserError, "998.00"):
            request.with_user(self.manager).action_approve()

    def test_item_reset_to_draft_stops(self):
        request = self._approved()
        self.invoice.button_draft()
        with self.assertRaisesRegex(UserError, "not posted any more"):
            request.with_user(self.biller).action_post()

    def test_item_of_another_customer_stops(self):
        request = self._approved()
        self.env.cr.execute(
            "UPDATE account_move_line SET partner_id = %s WHERE id = %s",
            [self._customer("Other").id, self.item.id],
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "is of Other now"):
            request.with_user(self.biller).action_post()

    def test_of_two_posters_one_wins(self):
        request = self._approved()
        # The other one has the lock.
        self.patch(
            type(request), "lock_for_update", Mock(side_effect=LockError("Cannot grab a lock"))
        )
        with self.assertRaises(LockError):
            request.with_user(self.biller).action_post()
        self.assertFalse(request.move_id)
        self.assertFalse(self.item.reconciled)

    def test_posted_once(self):
        request = self._posted()
        with self.assertRaises(UserError):
            request.with_user(self.biller).action_post()

    # Branches

    def test_branch(self):
        item = self._items(self._invoice(self.customer, 300, due=-200, company=self.branch))
        request = self._posted({item: 300})
        self.assertEqual(request.company_id, self.company)
        self.assertEqual(request.move_id.company_id, self.branch)
        self.assertTrue(item.reconciled)
        both = self._posted(
            {
                self.item: 1000,
                self._items(self._invoice(self.customer, 50, due=-200, company=self.branch)): 50,
            }
        )
        self.assertEqual(both.move_id.company_id, self.company)

    def test_cost_does_not_grow_by_query(self):
        """Fifty items are posted by about as many queries of ours as five."""
        counts = []
        for size in (5, 50):
            moves = self.env["account.move"].union(
                *(self._invoice(self.customer, 10, due=-200) for _index in range(size))
            )
            request = self._request(dict.fromkeys(self._items(moves), 10))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            request.action_submit()
            self.env.flush_all()
            request.sudo()._check_unchanged()
            self.env["ar.writeoff.booking"]._prepare_debit_values(request.sudo(), self.company)
            counts.append(self.env.cr.sql_log_count - before)
            request.action_cancel()
        self.assertLessEqual(counts[1], counts[0] + 5)

    def _payment(self, amount, currency=None):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "currency_id": (currency or self.company.currency_id).id,
                "date": self.today,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return self._items(payment.move_id)

    # The oracle

    STEP = st.one_of(
        st.tuples(st.just("write_off"), st.integers(0, 2), st.integers(1, 100)),
        st.tuples(st.just("pay"), st.integers(0, 2), st.integers(1, 60)),
        st.tuples(st.just("recover"), st.integers(0, 1), st.integers(1, 90_000)),
        st.tuples(st.just("reverse"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("unrecover"), st.integers(0, 5), st.just(0)),
    )

    @settings(max_examples=8)
    @given(steps=st.lists(STEP, min_size=2, max_size=7))
    def test_any_sequence_against_the_ledger(self, steps):
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            self._live(steps)
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)

    def _live(self, steps):
        """Every figure of the requests is what a plain sum over the ledger says."""
        items = self._items(
            self._invoice(self.customer, 777.77, due=-100)
            | self._invoice(self.customer, 400.05, due=-100, currency=self.euro)
            | self._invoice(self.customer, 123.45, due=-90)
        )
        expense_before = self._balance(self.expense)
        income = self.company_data["default_account_revenue"]
        income_before = self._balance(income)
        requests = self.env["ar.writeoff.request"]
        lost, back = 0.0, 0.0
        for kind, index, amount in steps:
            if kind == "write_off":
                item = items[index]
                part = item.currency_id.round(item.amount_residual_currency * amount / 100)
                if part <= 0:
                    continue
                company_before = item.amount_residual
                request = self._posted({item: part})
                requests |= request
                lost += request.amount_total
                self.assertAlmostEqual(company_before - item.amount_residual, request.amount_total)
            elif kind == "pay":
                item = items[index]
                part = item.currency_id.round(item.amount_residual_currency * amount / 100)
                if part > 0:
                    self._pay(item.move_id, part, currency_id=item.currency_id.id)
            elif kind == "recover":
                if not requests.filtered(lambda request: request.state == "posted"):
                    continue
                payment = self._payment(amount / 100, self.euro if index else None)
                before = payment.amount_residual
                payment.with_user(self.biller).action_ar_recover()
                back += payment.amount_residual - before
            elif kind == "reverse":
                ready = requests.filtered(
                    lambda request: request.state == "posted" and not request.amount_recovered
                )
                if ready:
                    request = ready[index % len(ready)]
                    request.with_user(self.biller).action_reverse()
                    lost -= request.amount_total
            else:
                booked = requests.recovery_ids.filtered(lambda r: r.state == "posted")
                if booked:
                    recovery = booked[index % len(booked)]
                    recovery.with_user(self.biller).action_reverse()
                    back -= recovery.amount
        standing = requests.filtered(lambda request: request.state in ("posted", "recovered"))
        self.assertAlmostEqual(sum(standing.mapped("amount_total")), lost)
        self.assertAlmostEqual(self._balance(self.expense) - expense_before, lost)
        self.assertAlmostEqual(sum(requests.mapped("amount_recovered")), back)
        self.assertAlmostEqual(income_before - self._balance(income), back)
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company)
        self.assertEqual(file.written_off_count, len(standing))
        self.assertAlmostEqual(file.written_off_open, lost - back)
        for request in requests:
            full = request.amount_recovered >= request.amount_total
            self.assertEqual(
                request.state,
                "reversed" if request.reversal_id else "recovered" if full else "posted",
            )
        open_amount = sum(self._open_items().mapped("amount_residual"))
        figures = self.env["ar.position"]._figures(self.company, self.today, self.customer)
        self.assertAlmostEqual(figures[self.company.id, self.customer.id].open_amount, open_amount)

    def _open_items(self):
        return self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.customer.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("date", "<=", self.today),
            ]
        )


@tagged("post_install", "-at_install")
class TestTwoPosters(CollectionsCommon):
    """Two connections that post an approved request at the same moment book it once."""

    def test_one_wins(self):
        booked = []

        def book(_booking, request):
            booked.append(request.env.cr)
            # Posted needs an entry, which stays in the ledger for ever.
            request.sudo().state = "cancelled"

        model = self.registry["ar.writeoff.request"]
        # What is committed here must leave no trace: no number, no entry.
        self.patch(model, "_get_next_numbers", lambda *args: ["WO/TWO"] * args[-1])
        self.patch(self.registry["ar.writeoff.booking"], "_book_request", book)
        with self.registry.cursor() as first, self.registry.cursor() as rival:
            user = self.env.ref("base.user_admin").id
            env, rival_env = (api.Environment(each, user, {}) for each in (first, rival))
            try:
                request = self._committed(env)
                rival_request = rival_env["ar.writeoff.request"].browse(request.id)
                # Both see an approved request.
                self.assertEqual((request.state, rival_request.state), ("approved", "approved"))
                request.action_post()
                with self.assertRaises(LockError):
                    rival_request.action_post()
                rival.rollback()
                env.flush_all()
                first.commit()
                rival_env.invalidate_all()
                with self.assertRaisesRegex(UserError, "status “Cancelled”"):
                    rival_request.action_post()
                self.assertEqual(booked, [first])
            finally:
                rival.rollback()
                first.rollback()
                first.execute("DELETE FROM ar_writeoff_request WHERE name = 'WO/TWO'")
                env["res.partner"].search([("name", "=", "Wanted by two posters")]).unlink()
                first.commit()

    def _committed(self, env):
        """An approved request that other connections see."""
        company = env.ref("base.main_company")
        partner = env["res.partner"].create({"name": "Wanted by two posters"})
        request = (
            env["ar.writeoff.request"]
            .sudo()
            .with_context(tracking_disable=True)
            .create(
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "reason_id": env.ref("ar_collections.writeoff_reason_small_balance").id,
                    "state": "approved",
                    "round": 1,
                    "submitted_partner": partner.id,
                }
            )
        )
        env.flush_all()
        env.cr.commit()
        return request.sudo(False)
