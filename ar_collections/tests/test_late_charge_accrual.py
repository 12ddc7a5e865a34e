from hypothesis import given, settings, strategies as st

from odoo import Command

from .common import CollectionsCommon
from .late_charge_oracle import Debt, charge, set_off, stretches


class TestLateChargeAccrual(CollectionsCommon):
    """What accrues, against a computation day by day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grade = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create({"code": "LATE", "name": "Late", "late_charge_rate": 7.3})
        )
        cls.file = cls.env["ar.credit.file"].create(
            {
                "partner_id": cls.customer.id,
                "company_id": cls.company.id,
                "grade_id": cls.grade.id,
            }
        )
        cls.company.ar_charge_from = cls._day(-365)

    def _always(self, mode, rate=0):
        """The terms of the customer, as if they had been so from the beginning."""
        self.file.write({"late_charge_mode": mode, "late_charge_rate": rate})
        self.file.late_charge_rate_ids.unlink()

    def _get_accruals(self, day=0, company=None):
        accrued = self.env["ar.late.charge.accrual"]._get_accruals(
            company or self.company, self._day(day), self.customer
        )
        return accrued.get(self.customer.id, [])

    def _amounts(self, day=0):
        return [accrual.amount for accrual in self._get_accruals(day)]

    def _credit(self, invoice, amount, day):
        """A credit note dated that day, matched with the invoice."""
        note = self._invoice(
            invoice.partner_id,
            amount,
            due=day,
            date_=self._day(day),
            currency=invoice.currency_id,
            move_type="out_refund",
        )
        (invoice | note).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).reconcile()
        return note

    def _dispute(self, invoice, amount, day, closed=None, state="open"):
        """A dispute as it was raised and decided in the past."""
        line = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        dispute = self.env["ar.dispute"].create(
            {
                "partner_id": invoice.partner_id.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "line_ids": [Command.create({"move_line_id": line.id, "amount": amount})],
            }
        )
        dispute = dispute.sudo()
        dispute.write(
            {
                "date": self._day(day),
                "state": state,
                "date_closed": self._day(closed) if closed is not None else False,
            }
        )
        return dispute

    # One rule after the other; 1000 at 7.3 % cost 0.20 a day

    def test_a_day_costs_a_365th(self):
        self._invoice(self.customer, 1000, due=-10)
        accrual = self._get_accruals()[0]
        self.assertEqual((accrual.days, accrual.amount, accrual.base), (10, 2.0, 1000))
        self.assertEqual((accrual.date_from, accrual.date_to), (self._day(-9), self._day(0)))
        self.assertEqual(self._amounts(-10), [])
        self.assertEqual(self._amounts(-9), [0.2])

    def test_nothing_without_a_start_or_a_rate(self):
        self._invoice(self.customer, 1000, due=-10)
        self._always("none")
        self.assertEqual(self._get_accruals(), [])
        self._always("custom", 14.6)
        self.assertEqual(self._amounts(), [4.0])
        self.assertEqual(self.file.late_charge_rate_used, 14.6)
        self.company.ar_charge_from = self._day(-4)
        self.assertEqual(self._amounts(), [2.0])
        self.company.ar_charge_from = False
        self.assertEqual(self._get_accruals(), [])

    def test_the_default_grade_is_for_customers_without_a_file(self):
        self.file.sudo().unlink()
        self.env["ar.credit.grade"].search([("is_default", "=", True)]).is_default = False
        self.grade.is_default = True
        invoice = self._invoice(self.customer, 1000, due=-10)
        files = self.env["ar.credit.file"].sudo()
        files.search([("partner_id", "=", invoice.partner_id.id)]).unlink()
        self.assertEqual(self._amounts(), [2.0])

    def test_free_days_cost_nothing(self):
        self.company.ar_charge_grace_days = 4
        self._invoice(self.customer, 1000, due=-10)
        self.assertEqual(self._amounts(), [1.2])
        self.assertEqual(self._amounts(-6), [])

    def test_part_payment_and_credit_note(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        self._pay(invoice, 250, day=-6)
        self._credit(invoice, 500, -4)
        # Days -9 to -6 on 1000, -5 and -4 on 750, -3 to 0 on 250.
        self.assertEqual(self._amounts(), [1.3])

    def test_the_day_of_the_payment_counts_and_the_charge_survives(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        self._pay(invoice, day=-3)
        accrual = self._get_accruals()[0]
        self.assertEqual((accrual.days, accrual.date_to), (7, self._day(-3)))
        self.assertEqual(accrual.amount, 1.4)
        # Some day it is too late to ask for it.
        self.assertTrue(self._get_accruals(361))
        self.assertEqual(self._get_accruals(363), [])

    def test_how_long_a_settled_item_is_remembered_is_a_setting(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        self._pay(invoice, day=-3)
        self.company.ar_charge_settled_days = 10
        self.assertEqual(self._amounts(6), [1.4], "the tenth day after the payment is over then")
        self.assertEqual(self._get_accruals(7), [])
        # What is open is never too old.
        self._invoice(self.customer, 1000, due=-100)
        self.assertEqual(self._amounts(0), [20.0, 1.4])

    def test_what_is_being_paid_is_not_charged_yet(self):
        """With Enterprise an invoice can be in payment while its residual is still there."""
        paying = self._invoice(self.customer, 1000, due=-10)
        other = self._invoice(self.customer, 500, due=-10)

        def held():
            return {accrual.line_id: accrual.held for accrual in self._get_accruals()}

        lines = [
            move.line_ids.filtered(lambda line: line.account_type == "asset_receivable").id
            for move in (paying, other)
        ]
        self.assertEqual(held(), dict.fromkeys(lines))
        self._pay_in_process(paying, 10)
        self.assertEqual(held(), {lines[0]: "payment", lines[1]: None})
        self.company.ar_in_process_days = 0
        self.assertEqual(held(), dict.fromkeys(lines), "nobody expects it any more")

    def test_cap_of_the_year_is_from_january_to_december(self):
        self.company.ar_charge_cap_year = 2.6
        self._invoice(self.customer, 1000, due=-10)
        charge_ = (
            self.env["ar.late.charge"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "partner_id": self.customer.id,
                    "date": self.today.replace(month=1, day=1),
                    "date_from": self._day(-400),
                    "date_to": self._day(-399),
                    "currency_id": self.company.currency_id.id,
                    "amount": 1,
                    "amount_company": 1,
                    "state": "drafted",
                }
            )
        )
        self.assertEqual(self._amounts(), [1.6])
        charge_.date = self.today.replace(month=12, day=31)
        self.assertEqual(self._amounts(), [1.6])
        charge_.date = self.today.replace(year=self.today.year - 1, month=12, day=31)
        self.assertEqual(self._amounts(), [2.0])
        charge_.write({"date": self.today, "partner_id": self._customer("Somebody else").id})
        self.assertEqual(self._amounts(), [2.0], "each customer has a cap of its own")
        charge_.write(
            {
                "partner_id": self.customer.id,
                "company_id": self.setup_other_company(name="Other company")["company"].id,
            }
        )
        self.assertEqual(self._amounts(), [2.0], "in each company")
        charge_.company_id = self.company
        for state, amount in (("reversed", 2.0), ("cancelled", 2.0), ("posted", 1.6)):
            charge_.state = state
            self.assertEqual(self._amounts(), [amount], state)

    def test_paid_in_time_costs_nothing(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        self._pay(invoice, day=-10)
        self.assertEqual(self._get_accruals(), [])

    def test_a_payment_that_is_taken_back_never_was(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        payment = self._pay(invoice, day=-8)
        self.assertEqual(self._amounts(), [0.4])
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self._amounts(), [0.4], "the money is there, matched or not")
        self._bounce(payment)
        self.assertEqual(self._amounts(), [2.0])
        self._pay(invoice, 1000, day=-5)
        self.assertEqual(self._amounts(), [1.0])

    def test_a_draft_entry_settles_nothing(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        payment = self._pay(invoice, day=-8)
        payment.move_id.button_draft()
        self.assertEqual(self._amounts(), [2.0])

    def test_instalments_are_late_one_by_one(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Half and half",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (10, 40)
                ],
            }
        )
        invoice = self._invoice(self.customer, 1000, due=0, date_=self._day(-30), post=False)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        self.assertEqual(self._amounts(), [2.0])
        self.assertEqual(self._amounts(15), [3.5, 0.5])

    def test_not_followed_up_and_bank_entries(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        invoice.line_ids.no_followup = True
        self.assertEqual(self._get_accruals(), [])
        refund = self.env["account.payment"].create(
            {
                "payment_type": "outbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 100,
                "date": self._day(-20),
            }
        )
        refund.action_post()
        self.assertEqual(self._get_accruals(), [])

    def test_item_cap(self):
        self.company.ar_charge_cap_share = 0.15
        self._invoice(self.customer, 1000, due=-10)
        self.assertEqual(self._amounts(), [1.5])
        self.assertEqual(self._amounts(30), [1.5])

    def test_cap_of_the_year_fills_by_due_date(self):
        self.company.ar_charge_cap_year = 2.6
        self._invoice(self.customer, 1000, due=-5)
        self._invoice(self.customer, 1000, due=-10)
        self.assertEqual(self._amounts(), [2.0, 0.6])
        charge_ = (
            self.env["ar.late.charge"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "partner_id": self.customer.id,
                    "date": self._day(-100),
                    "date_from": self._day(-101),
                    "date_to": self._day(-100),
                    "currency_id": self.company.currency_id.id,
                    "amount": 1,
                    "amount_company": 1,
                    "state": "posted",
                }
            )
        )
        self.assertEqual(self._amounts(), [1.6])
        charge_.state = "waived"
        self.assertEqual(self._amounts(), [2.0, 0.6])
        charge_.write({"state": "posted", "date": self._day(-200)})
        self.assertEqual(self._amounts(), [2.0, 0.6])

    def test_open_dispute_keeps_its_part_from_accruing(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        dispute = self._dispute(invoice, 400, -5)
        # Days -9 to -5 on 1000, -4 to 0 on 600; nothing is charged before the decision.
        accrual = self._get_accruals()[0]
        self.assertEqual((accrual.amount, accrual.held), (1.6, "dispute"))
        dispute.write({"state": "rejected", "date_closed": self._day(-1)})
        accrual = self._get_accruals()[0]
        self.assertEqual((accrual.amount, accrual.held), (2.0, None))
        dispute.state = "credited"
        self._credit(invoice, 400, -1)
        self.assertEqual(self._amounts(), [1.6])

    def test_a_late_dispute_stops_nothing(self):
        invoice = self._invoice(self.customer, 1000, due=-10)
        self.company.ar_dispute_days = 1
        dispute = self._dispute(invoice, 400, -5)
        accrual = self._get_accruals()[0]
        self.assertEqual((accrual.amount, accrual.held), (2.0, None))
        dispute.accepted_late = True
        self.assertEqual(self._get_accruals()[0].held, "dispute")

    def test_company_currency_at_the_rate_of_the_day(self):
        currency = self.setup_other_currency("GBP", rates=[("2030-01-01", 2), ("2030-06-01", 4)])
        self._invoice(self.customer, 1000, due=-10, currency=currency)
        accrual = self._get_accruals()[0]
        self.assertEqual((accrual.amount, accrual.amount_company), (2.0, 0.5))
        accrual = self._get_accruals(-5)[0]
        self.assertEqual((accrual.amount, accrual.amount_company), (1.0, 0.5))

    def test_branches_are_part_of_the_company(self):
        self._invoice(self.customer, 1000, due=-10, company=self.branch)
        self._invoice(self.customer, 500, due=-10)
        self.assertEqual(sorted(self._amounts()), [1.0, 2.0])

    def test_one_statement_for_all(self):
        accruals = self.env["ar.late.charge.accrual"]
        customers = [self._customer(f"Many {index}") for index in range(20)]
        for customer in customers[:2]:
            self._invoice(customer, 1000, due=-10)
        accruals._get_accruals(self.company, self.today)

        def queries():
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            accruals._get_accruals(self.company, self.today)
            return self.env.cr.sql_log_count - before

        few = queries()
        for customer in customers[2:]:
            self._pay(self._invoice(customer, 1000, due=-10), 100, day=-5)
        self.assertEqual(queries(), few)
        self.assertLessEqual(few, 7)

    # All of it at once

    event = st.tuples(st.integers(-60, 5), st.integers(1, 40_000))
    debt = st.fixed_dictionaries(
        {
            "cents": st.integers(1, 300_000),
            "due": st.integers(-60, 3),
            "foreign": st.booleans(),
            "payments": st.lists(event, max_size=3),
            "credits": st.lists(event, max_size=1),
            "undone": st.booleans(),
            "dispute": st.none()
            | st.tuples(
                st.integers(1, 100_000),
                st.integers(-50, 0),
                st.integers(0, 40),
                st.sampled_from(("open", "rejected", "credited", "cancelled")),
            ),
            "taken": st.none() | st.tuples(st.integers(-60, 0), st.integers(0, 20)),
        }
    )

    def _live(self, facts, currency):
        """Make the documents of one debt; return what the oracle is to know of them."""
        invoice = self._invoice(
            self.customer, facts["cents"] / 100, due=facts["due"], currency=currency
        )
        left, settled = facts["cents"], []
        for kind in ("payments", "credits"):
            for day, cents in facts[kind]:
                part = min(cents, left)
                if not part:
                    continue
                left -= part
                if kind == "payments":
                    last = self._pay(
                        invoice, part / 100, day=day, payment_difference_handling="open"
                    ).move_id
                else:
                    last = self._credit(invoice, part / 100, day)
                # A matching has the date of the younger of both entries.
                settled.append((max(self._day(day), invoice.date), part / 100))
        freed = []
        if settled and facts["undone"]:
            last.line_ids.remove_move_reconcile()
            amount = settled.pop()[1]
            left += round(amount * 100)
            freed.append((last.date, last.id, amount))
        disputes = []
        if facts["dispute"] and left:
            cents, day, days, state = facts["dispute"]
            closed = None if state == "open" else day + days
            self._dispute(invoice, min(cents, left) / 100, day, closed, state)
            disputes.append(
                (
                    min(cents, left) / 100,
                    self._day(day),
                    None if closed is None else self._day(closed),
                    state,
                )
            )
        line = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        taken = []
        if facts["taken"]:
            start, days = facts["taken"]
            taken.append((self._day(start), self._day(start + days)))
            self.env["ar.late.charge"].sudo().create(
                {
                    "company_id": self.company.id,
                    "partner_id": self.customer.id,
                    "move_line_id": line.id,
                    "date": self.today,
                    "date_from": taken[0][0],
                    "date_to": taken[0][1],
                    "currency_id": currency.id,
                    "state": "waived",
                }
            )
        debt = Debt(
            facts["cents"] / 100, self._day(facts["due"]), *map(tuple, (settled, disputes, taken))
        )
        return [line, debt, freed]

    @settings(max_examples=8)
    @given(
        st.lists(debt, min_size=1, max_size=3),
        st.integers(0, 4000),
        st.integers(0, 12),
        st.integers(-70, -20),
        st.integers(-20, 10),
    )
    def test_day_by_day(self, debts, rate, grace, since, until):
        savepoint = self.env.cr.savepoint()
        try:
            foreign = self.setup_other_currency("JPY", rates=[("2000-01-01", 130)])
            self.company.write({"ar_charge_grace_days": grace, "ar_charge_from": self._day(since)})
            self._always("custom", rate / 100)
            expected, lived = {}, []
            for facts in debts:
                currency = self.company.currency_id
                if facts["foreign"]:
                    currency = foreign
                    facts = {  # noqa: PLW2901 - whole yen
                        **facts,
                        "cents": max(facts["cents"] // 100, 1) * 100,
                        "payments": [(day, -(-c // 100) * 100) for day, c in facts["payments"]],
                        "credits": [(day, -(-c // 100) * 100) for day, c in facts["credits"]],
                        "dispute": facts["dispute"]
                        and (-(-facts["dispute"][0] // 100) * 100, *facts["dispute"][1:]),
                    }
                lived.append(self._live(facts, currency))
            set_off(lived)
            for line, debt, _freed in lived:
                for first, last, days, numbers in stretches(
                    debt, self._day(since), self._day(until), grace
                ):
                    amount = charge(numbers, rate / 100, line.currency_id.rounding)
                    if amount:
                        expected[line.id, first] = (last, days, amount)
            found = {
                (accrual.line_id, accrual.date_from): (
                    accrual.date_to,
                    accrual.days,
                    round(accrual.amount, 2),
                )
                for accrual in self._get_accruals(until)
            }
            self.assertEqual(found, expected)
        finally:
            savepoint.rollback()
            self.env.invalidate_all(flush=False)
