from odoo import Command

from .common import CollectionsCommon


class TestSettlement(CollectionsCommon):
    """One split of what took something off a receivable, for all who ask how it was paid."""

    def _lines(self, moves):
        return moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _entry(self, amount, account, day=0, journal="misc", **values):
        move = self.env["account.move"].create(
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
        move.action_post()
        return move

    def _kinds(self, first=0, last_due=0):
        found = self.env["ar.settlement"]._get_settled_by_kind(
            self.company, {self.customer.id: (self._day(first), None, self._day(last_due))}
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
        self.assertEqual(self._kinds(last_due=-6), {}, "of items that were due by then")

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
