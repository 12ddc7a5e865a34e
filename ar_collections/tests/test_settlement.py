from odoo import Command

from .common import CollectionsCommon


class TestSettlement(CollectionsCommon):
    """One split of what took something off a receivable, for all who ask how it was paid."""

    def _lines(self, moves):
        return moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _entry(self, amount, account, day=0, journal="misc", **values):
        # The marks of an entry are the system's.
        move = (
            self.env["account.move"]
            .sudo()
            .create(
                {
                    "date": self._day(day),
                    "auto_post": "no",
                    "journal_id": self.company_data[f"default_journal_{journal}"].id,
                    "line_ids": [
                        Command.create(
                            {
                                "account_id": account_.id,
                                "partner_id": self.customer.id,
                                "balance": balance,
                            }
                        )
                        for account_, balance in (
                            (self.company_data["default_account_receivable"], -amount),
                            (account, amount),
                        )
                    ],
                    **values,
                }
            )
        )
        move.action_post()
        return move

    def _kinds(self, first=0, day=0):
        found = self.env["ar.settlement"]._get_settled_by_kind(
            self.company, {self.customer.id: (self._day(first), None, self._day(day))}
        )
        return {kind: amount for kind, (amount, _day) in found.get(self.customer.id, {}).items()}

    def test_kinds(self):
        invoice = self._invoice(self.customer, 1000, due=-5)
        payable = self.company_data["default_account_payable"]
        expense = self.company_data["default_account_expense"]
        note = self._invoice(self.customer, 100, due=1, date_=self._day(1), move_type="out_refund")
        for move in (
            note,
            self._entry(20, payable, day=2),
            self._entry(3, expense, day=3),
            self._entry(4, expense, day=4, ar_write_off=True),
        ):
            (self._lines(invoice) | self._lines(move)).reconcile()
        self._pay(invoice, 500, day=5)
        self.assertEqual(
            self._kinds(),
            {"money": 500, "credit_note": 100, "set_off": 20, "other": 3, "write_off": 4},
        )
        self.assertEqual(self._kinds(first=4), {"money": 500, "write_off": 4})
        self.assertEqual(self._kinds(day=-5), {}, "of items that were overdue by then")

    def test_credited_invoices_say_nothing_of_how_somebody_pays(self):
        for due in (-120, -100, -80):
            invoice = self._invoice(self.customer, 100, due=due)
            note = self._invoice(
                self.customer, 100, due=-1, date_=self._day(-1), move_type="out_refund"
            )
            (self._lines(invoice) | self._lines(note)).reconcile()
        behaviour = self.env["ar.position"]._behaviour(self.company, self.today, self.customer)
        found = behaviour[self.company.id, self.customer.id]
        self.assertEqual((found.on_time_share, found.avg_days_late, found.late_count), (0, 0, 0))
        self._pay(self._invoice(self.customer, 100, due=-20), day=-10)
        behaviour = self.env["ar.position"]._behaviour(self.company, self.today, self.customer)
        found = behaviour[self.company.id, self.customer.id]
        self.assertEqual((found.late_count, found.avg_days_late), (1, 10))

    def test_days_late_are_those_of_the_money_by_its_part(self):
        invoice = self._invoice(self.customer, 1000, due=-100)
        self._pay(invoice, 400, day=-90)
        note = self._invoice(
            self.customer, 600, due=-1, date_=self._day(-1), move_type="out_refund"
        )
        (self._lines(invoice) | self._lines(note)).reconcile()
        self._pay(self._invoice(self.customer, 400, due=-50), day=-50)
        behaviour = self.env["ar.position"]._behaviour(self.company, self.today, self.customer)
        found = behaviour[self.company.id, self.customer.id]
        self.assertEqual((found.avg_days_late, found.max_days_late), (5, 10))
        self.assertEqual(found.on_time_share, 0.5)

    def test_reversed_invoice_costs_no_late_charges_and_ends_its_dispute(self):
        self.company.ar_charge_from = self._day(-100)
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.sudo().write({"late_charge_mode": "custom", "late_charge_rate": 24})
        invoice = self._invoice(self.customer, 1000, due=-60)
        dispute = self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_order_number").id,
                "line_ids": [
                    Command.create({"move_line_id": self._lines(invoice).id, "amount": 1000})
                ],
            }
        )
        note = invoice._reverse_moves([{"date": self.today, "invoice_date": self.today}])
        note.action_post()
        (self._lines(invoice) | self._lines(note)).filtered(
            lambda line: not line.reconciled
        ).reconcile()
        self.assertTrue(self._lines(invoice).reconciled)
        self.assertEqual(dispute.state, "credited")
        accruals = self.env["ar.late.charge.accrual"]
        self.assertEqual(accruals._get_accruals(self.company, self.today, self.customer), {})

    def test_case_in_two_currencies_that_bounces_after_its_end(self):
        """Amounts are of the ledger as it is, in company currency, whenever it changes."""
        euro = self.setup_other_currency("EUR")
        invoice = self._invoice(self.customer, 500, due=-20, currency=euro)
        own = self._invoice(self.customer, 100, due=-20)
        owed = self._lines(invoice).balance
        self._run(0)
        case = self._case()
        self.assertEqual(case.amount_opened, owed + 100)
        payment = self._pay(invoice, 400, day=1, currency_id=euro.id)
        note = self._invoice(
            self.customer, 100, due=2, date_=self._day(2), currency=euro, move_type="out_refund"
        )
        (self._lines(invoice) | self._lines(note)).reconcile()
        self._pay(own, day=3)
        part = self.company.currency_id.round(owed * 0.8)
        closed = {
            "state": "closed",
            "close_reason": "paid",
            "amount_collected": part + 100,
            "amount_credited": owed - part,
            "amount_written_off": 0,
        }
        self.assertRecordValues(case, [closed])
        self._bounce(payment)
        self.assertRecordValues(
            case,
            [
                {
                    "state": "open",
                    "close_reason": False,
                    "date_closed": False,
                    "amount_demand": part,
                    "amount_collected": 100,
                    "amount_credited": owed - part,
                }
            ],
        )
        note = self._invoice(
            self.customer, 400, due=5, date_=self._day(5), currency=euro, move_type="out_refund"
        )
        (self._lines(invoice) | self._lines(note)).filtered(
            lambda line: not line.reconciled
        ).reconcile()
        self.assertRecordValues(
            case,
            [
                {
                    "state": "closed",
                    "close_reason": "credited",
                    "amount_collected": 100,
                    "amount_credited": owed,
                }
            ],
        )

    # Who pays does not matter

    def _pay_by(self, payer, amount, day=0, **values):
        payment = self.env["account.payment"].create(
            {
                "partner_id": payer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "date": self._day(day),
                "journal_id": self.company_data["default_journal_bank"].id,
                **values,
            }
        )
        payment.action_post()
        return payment.move_id

    def test_somebody_else_pays(self):
        """An insurer, liquidator or parent company pays the customer's debt, not its own."""
        payer = self._customer("Insurer")
        invoice = self._invoice(self.customer, 1000, due=-20)
        self._run(0)
        case = self._case()
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 400,
                "date": self._day(5),
            }
        )
        first = self._pay_by(payer, 400, day=3)
        position = self.env["ar.position"]
        unmatched = position._figures(self.company, self._day(4), payer | self.customer)
        self.assertEqual(unmatched[self.company.id, payer.id].unallocated, -400)
        self.assertEqual(unmatched[self.company.id, self.customer.id].open_amount, 1000)
        self.assertEqual(promise.state, "open")
        (self._lines(invoice) | self._lines(first)).reconcile()
        self.assertRecordValues(promise, [{"state": "kept", "amount_paid": 400}])
        behaviour = position._behaviour(self.company, self._day(4), self.customer)
        found = behaviour[self.company.id, self.customer.id]
        self.assertEqual((found.last_payment_date, found.late_count), (self._day(3), 0))
        (self._lines(invoice) | self._lines(self._pay_by(payer, 600, day=6))).reconcile()
        self.assertRecordValues(
            case, [{"state": "closed", "close_reason": "paid", "amount_collected": 1000}]
        )
        behaviour = position._behaviour(self.company, self._day(6), self.customer)
        found = behaviour[self.company.id, self.customer.id]
        self.assertEqual((found.late_count, found.max_days_late), (1, 26))
        self.assertEqual(found.last_payment_date, self._day(6))
        for partner in self.customer | payer:
            with self.subTest(partner.name):
                moved = position._movements(
                    self.company, self._day(-200), self._day(10), partner
                ).get((self.company.id, partner.id), [])
                self.assertEqual(sum(movement.amount_currency for movement in moved), 0)
                dates = [movement.date for movement in moved]
                self.assertEqual(dates, sorted(dates))

    def test_somebody_else_pays_in_another_currency(self):
        payer, euro = self._customer("Parent"), self.setup_other_currency("EUR")
        invoice = self._invoice(self.customer, 500, due=-20, currency=euro)
        paid = self._pay_by(payer, self._lines(invoice).balance / 2, day=2)
        (self._lines(invoice) | self._lines(paid)).reconcile()
        position = self.env["ar.position"]
        for day in (-10, 1, 2, 30):
            both = position._movements(
                self.company, self._day(-200), self._day(day), self.customer | payer
            )
            items = position._items(self.company, self._day(day), self.customer | payer)
            for partner in self.customer | payer:
                key = self.company.id, partner.id
                alone = position._movements(
                    self.company, self._day(-200), self._day(day), partner
                ).get(key, [])
                self.assertEqual(alone, both.get(key, []))
                for currency in euro | self.company.currency_id:
                    self.assertAlmostEqual(
                        sum(m.amount_currency for m in alone if m.currency_id == currency.id),
                        sum(
                            item.residual_currency
                            for item in items.get(key, [])
                            if item.currency_id == currency.id
                        ),
                        2,
                        (day, partner.name, currency.name),
                    )
