"""Limitation by the packs of countries, with the dates worked out by hand."""

from datetime import date

from odoo import Command
from odoo.exceptions import UserError

from .test_limitation import LimitationCommon


class TestLimitationLaw(LimitationCommon):
    def _days(self, day):
        return (day - self.today).days

    def _old(self, due, amount=1000):
        return self._invoice(self.customer, amount, due=self._days(due))

    def _item(self, invoice):
        return self.env["ar.limitation"].browse(self._line(invoice).id)

    # Germany

    def test_germany_counts_from_the_end_of_the_year_and_no_demand_restarts(self):
        """Due 10 May 2023: three years from 31 December 2023. Demands by e-mail, by post with a
        receipt and by telephone change nothing (it was 1 November 2028)."""
        self._own_rule("de")
        invoice = self._old(date(2023, 5, 10))
        for outcome in ("sent", "posted", "reached"):
            self._demand(self._days(date(2025, 11, 1)), outcome, invoice).receipt = "post"
        self.assertEqual(self._clock(invoice), (date(2023, 12, 31), "due", date(2026, 12, 31)))

    def test_germany_an_acknowledgement_counts_from_its_own_day(self):
        self._own_rule("de")
        invoice = self._old(date(2028, 5, 10))
        self._promise(self._days(date(2030, 2, 1)))
        self.assertEqual(self._clock(invoice), (date(2030, 2, 1), "promise", date(2033, 2, 1)))

    def test_germany_a_lawsuit_suspends(self):
        """Due in 2027, so barred on 31 December 2030. Filed on 4 June 2030, ended on 4 June 2031
        and six months: to 4 December 2031 are 548 days, and 31 December 2030 plus 548 days is 1
        July 2032."""
        self._own_rule("de")
        invoice = self._old(date(2027, 5, 10))
        self.assertEqual(self._clock(invoice)[2], date(2030, 12, 31))
        placement = self._sue(date(2030, 6, 4))
        # As long as it goes on: from 4 June 2030 to 4 June 2031 and six months all the same.
        last = self._days(date(2031, 6, 4))
        self.assertEqual(self._clock(invoice, last)[2], date(2032, 7, 1))
        placement.sudo().write({"state": "closed", "date_closed": date(2031, 6, 4)})
        self.assertEqual(self._clock(invoice, last + 400)[2], date(2032, 7, 1))

    def test_germany_enforces_for_thirty_years(self):
        self._own_rule("de")
        invoice = self._old(date(2027, 5, 10))
        placement = self._sue(date(2030, 6, 4))
        placement.date_judgment = date(2030, 11, 4)
        self.assertEqual(self._clock(invoice), (date(2030, 11, 4), "judgment", date(2060, 11, 4)))

    # China

    def test_china_a_demand_has_to_be_proven(self):
        self._own_rule("cn")
        invoice = self._old(date(2029, 5, 10))
        due = (date(2029, 5, 10), "due", date(2032, 5, 10))
        mail = self._demand(self._days(date(2030, 6, 10)), "sent", invoice)
        self._demand(self._days(date(2030, 6, 8)), "reached", invoice)
        self.assertEqual(self._clock(invoice), due)
        clock = self.env["ar.limitation"]._get_clock_sql(
            self.company, self._day(200), self.customer
        )
        # What was only sent is shown beside the clock: somebody can look for the proof.
        self.env.cr.execute(clock)
        (row,) = (
            row for row in self.env.cr.dictfetchall() if row["line_id"] == self._line(invoice).id
        )
        self.assertEqual(row["unproven_date"], date(2030, 6, 10))
        mail.with_user(self.collector).write(
            {"receipt": "acknowledged", "receipt_reference": "Reply of 11 June"}
        )
        self.assertEqual(self._clock(invoice), (date(2030, 6, 10), "demand", date(2033, 6, 10)))
        # Noted once: proof is not rewritten.
        with self.assertRaisesRegex(UserError, "stays as it was"):
            mail.with_user(self.collector).receipt = False

    def test_china_twenty_years_at_most(self):
        """Due 1 January 2005, demanded with proof every 30 months until 1 June 2025: the end is
        1 January 2025, not 1 June 2028."""
        self._own_rule("cn")
        invoice = self._old(date(2005, 1, 1))
        for year in range(2006, 2026):
            day = date(year, 6, 1)
            self._demand(self._days(day), "posted", invoice).receipt = "post"
        self.assertEqual(self._clock(invoice)[2], date(2025, 1, 1))
        self._own_rule().limitation_longest = 0
        self.assertEqual(self._clock(invoice)[2], date(2028, 6, 1))

    def test_china_an_oral_promise_does_not_revive_what_is_barred(self):
        """1,000 due 10 January 2024 are barred since 10 January 2027. A promise of 10.00 or a
        payment of 10.00 in 2030 revives nothing; a signed acknowledgement does."""
        self._own_rule("cn")
        invoice = self._old(date(2024, 1, 10))
        barred = (date(2024, 1, 10), "due", date(2027, 1, 10))
        self._promise(5)
        self._pay(invoice, 10, day=6)
        self.assertEqual(self._clock(invoice), barred)
        plan = self.env["ar.payment.plan"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        plan.sudo().date_accepted = self._day(7)
        self.assertEqual(self._clock(invoice), barred)
        self._acknowledge(8)
        self.assertEqual(self._clock(invoice)[:2], (self._day(8), "acknowledgement"))

    def test_china_what_is_not_barred_restarts_by_a_promise_of_a_part(self):
        self._own_rule("cn")
        invoice = self._old(date(2029, 1, 10))
        self._promise(5)
        self.assertEqual(self._clock(invoice)[:2], (self._day(5), "promise"))

    def test_china_instalments_count_from_the_last(self):
        """30 % at once, 70 % after 30 days: both lapse three years after the second."""
        term = self.env["account.payment.term"].create(
            {
                "name": "30/70",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 30, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 70, "nb_days": 30}),
                ],
            }
        )
        invoice = self._invoice(self.customer, 1000, due=-200, post=False)
        invoice.invoice_date = date(2029, 5, 1)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        lines = self._line(invoice).sorted("date_maturity")
        lapses = [date(2032, 5, 1), date(2032, 5, 31)]
        self.assertEqual(lines.mapped("ar_lapse_date"), lapses)
        self._own_rule("cn")
        lines.invalidate_recordset()
        self.assertEqual(lines.mapped("ar_lapse_date"), [lapses[1]] * 2)
        # Paid, the last instalment is still the last of the debt.
        (lines[1] | self._pay_line(700)).reconcile()
        lines.invalidate_recordset()
        clocks = self.env["ar.limitation"]._get_clocks(self.company, self._day(0), self.customer)
        self.assertEqual(clocks[lines[0].id][-1], lapses[1])

    def _pay_line(self, amount):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "amount": amount,
                "payment_type": "inbound",
                "date": self._day(0),
            }
        )
        payment.action_post()
        return payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def test_china_a_lawsuit_stops_it_and_a_judgment_lasts_two_years(self):
        """Due 10 June 2027, so barred on 10 June 2030. Filed on 4 June 2030: nothing lapses as
        long as it goes on; it starts anew on the day it ends; a judgment of 4 June 2032 can be
        enforced until 4 June 2034."""
        self._own_rule("cn")
        invoice = self._old(date(2027, 6, 10))
        placement = self._sue(date(2030, 6, 4))
        later = self._days(date(2034, 1, 1))
        self.assertEqual(self._clock(invoice, later)[:2], (date(2034, 1, 1), "lawsuit"))
        placement.sudo().write({"state": "closed", "date_closed": date(2032, 6, 4)})
        self.assertEqual(
            self._clock(invoice, later), (date(2032, 6, 4), "lawsuit", date(2035, 6, 4))
        )
        placement.date_judgment = date(2032, 6, 4)
        self.assertEqual(
            self._clock(invoice, later), (date(2032, 6, 4), "judgment", date(2034, 6, 4))
        )

    def _sue(self, day):
        placement = self.env["ar.placement"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "kind": "lawyer",
                "agent_id": self._customer("Lawyer").id,
            }
        )
        placement.date_filed = day
        placement.action_place()
        return placement

    # Companies

    def test_each_company_by_its_own_law(self):
        """A claim of each, both due on 10 May 2028, asked for in one statement."""
        data = self.setup_other_company(name="Other")
        other = data["company"]
        mine = self._line(self._old(date(2028, 5, 10)))
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "company_id": other.id,
                "journal_id": data["default_journal_misc"].id,
                "date": date(2028, 5, 1),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": self.customer.id,
                            "balance": balance,
                            "date_maturity": date(2028, 5, 10),
                        }
                    )
                    for account, balance in (
                        (data["default_account_receivable"], 100),
                        (data["default_account_revenue"], -100),
                    )
                ],
            }
        )
        entry.action_post()
        other.ar_country_rule_id = self.env.ref("ar_collections.country_rule_de")
        theirs = entry.line_ids.filtered(lambda line: line.balance > 0)
        lapses = {
            line.id: line.with_company(line.company_id).ar_lapse_date for line in mine | theirs
        }
        self.assertEqual(lapses, {mine.id: date(2031, 5, 10), theirs.id: date(2031, 12, 31)})
        both = self.env["ar.limitation"]._get_clock_sql(
            self.company | other, self.today, self.customer
        )
        self.env.cr.execute(both)
        found = {row["line_id"]: row["lapse_date"] for row in self.env.cr.dictfetchall()}
        self.assertLessEqual(lapses.items(), found.items())
