import random

from dateutil.relativedelta import relativedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import CollectionsCommon

ORDER = ["due", "demand", "payment", "promise", "plan", "acknowledgement", "lawsuit"]


class LimitationCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency("EUR")
        cls.invoice = cls._invoice(cls.customer, 1000, due=-15)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.collector, cls.auditor, cls.stranger = (
            new_test_user(
                cls.env,
                f"clock_{name}",
                groups,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for name, groups in (
                ("collector", "base.group_user,ar_collections.group_collector"),
                ("auditor", "base.group_user,ar_collections.group_auditor"),
                ("stranger", "base.group_user"),
            )
        )

    def _line(self, invoice=None):
        return (invoice or self.invoice).line_ids.filtered("date_maturity")

    def _clock(self, invoice=None, day=200):
        """``(start, cause, lapse)`` of an invoice as of a day of the test."""
        move = invoice or self.invoice
        clocks = self.env["ar.limitation"]._get_clocks(
            self.company, self._day(day), move.partner_id.commercial_partner_id
        )
        return clocks.get(self._line(move).id, ())[1:]

    def _demand(self, day, outcome="reached", invoice=None, state="done"):
        move = invoice or self.invoice
        action = self.env["ar.collection.action"].create(
            {
                "case_id": self.case.id,
                "partner_id": move.partner_id.id,
                "company_id": self.company.id,
                "channel": "call",
                "date_planned": self._day(day),
            }
        )
        action._freeze_items(
            [
                [
                    item
                    for item in self.env["ar.position"]._items(
                        self.company, self._day(max(day, 0)), move.partner_id
                    )[self.company.id, move.partner_id.id]
                    if item.line_id == self._line(move).id
                ]
            ]
        )
        action.sudo().write({"state": state, "date_done": self._day(day), "outcome": outcome})
        return action

    def _acknowledge(self, day, sign=True):
        paper = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        if sign:
            paper._sign("The boss")
            paper.sudo().date_signed = self._day(day)
        return paper

    def _promise(self, day, amount=10):
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": amount,
                "date": self._day(max(day, 0) + 5),
            }
        )
        promise.sudo().date_made = self._day(day)
        return promise.sudo()


class TestLimitation(LimitationCommon):
    def test_starts_on_the_due_date(self):
        self.invoice = self._invoice(self._customer("Quiet"), 100, due=-400)
        due = self._day(-400)
        self.assertEqual(self._clock(), (due, "due", due + relativedelta(years=3)))
        self._own_rule().limitation_years = 2
        self.assertEqual(self._clock()[2], due + relativedelta(years=2))
        self._own_rule().limitation_years = 0
        self.assertEqual(self._clock(), ())

    def test_what_starts_it_anew(self):
        cases = (
            (10, "demand", lambda: self._demand(10)),
            (20, "promise", lambda: self._promise(20)),
            (30, "payment", lambda: self._pay(self.invoice, 100, day=30)),
            (40, "acknowledgement", lambda: self._acknowledge(40)),
        )
        for day, cause, happen in cases:
            happen()
            self.assertEqual(
                self._clock(),
                (self._day(day), cause, self._day(day) + relativedelta(years=3)),
            )
        self.assertEqual(self._clock(day=29)[:2], (self._day(20), "promise"))
        self.assertEqual(self._clock(day=9)[:2], (self._day(-15), "due"))

    def test_a_letter_that_was_posted_is_a_demand(self):
        self._demand(10, "posted")
        self.assertEqual(self._clock()[:2], (self._day(10), "demand"))

    def test_what_proves_nothing(self):
        before = self._clock()
        self._demand(50, "no_answer")
        self._demand(50, "done")
        self._demand(50, "reached", state="failed")
        self._demand(50, "sent", state="cancelled")
        self._acknowledge(50, sign=False)
        self._promise(50).write({"state": "cancelled", "date_closed": self._day(50)})
        note = self._invoice(
            self.customer, 200, due=60, date_=self._day(60), move_type="out_refund"
        )
        (self._line() | self._line(note)).reconcile()
        write_off = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self._day(60),
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "partner_id": self.customer.id, side: 70}
                    )
                    for account, side in (
                        (self.company_data["default_account_receivable"], "credit"),
                        (self.company_data["default_account_expense"], "debit"),
                    )
                ],
            }
        )
        write_off.action_post()
        (
            self._line()
            | write_off.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        ).reconcile()
        self.assertEqual(self._line().amount_residual, 730)
        self.assertEqual(self._clock(), before)

    def test_a_demand_revives_nothing_that_is_barred(self):
        self._own_rule().limitation_years = 1
        old = self._invoice(self.customer, 300, due=-400)
        barred = (self._day(-400), "due", self._day(-400) + relativedelta(years=1))
        self._demand(10, invoice=old)
        self._demand(20, invoice=old)
        self.assertEqual(self._clock(old), barred)
        # Only what the customer does: from then on, demands count again.
        self._pay(old, 10, day=30)
        self.assertEqual(self._clock(old)[:2], (self._day(30), "payment"))
        self._demand(40, invoice=old)
        self.assertEqual(self._clock(old)[:2], (self._day(40), "demand"))
        self.assertEqual(self._clock(old, day=25), barred)

    def test_each_demand_in_time_counts_from_the_one_before(self):
        self._own_rule().limitation_years = 1
        old = self._invoice(self.customer, 300, due=-800)
        for day in (-500, -200, 100):
            self._demand(day, invoice=old)
            self.assertEqual(self._clock(old)[:2], (self._day(day), "demand"))
        last = self._day(100) + relativedelta(years=1)
        self._demand((last - self.today).days, invoice=old)
        self.assertEqual(self._clock(old, day=500)[:2], (last, "demand"))
        self._demand(900, invoice=old)
        self.assertEqual(self._clock(old, day=900)[:2], (last, "demand"))

    def test_a_demand_is_of_its_items_alone(self):
        other = self._invoice(self.customer, 50, due=-15)
        self._demand(60)
        self.assertEqual(self._clock()[1], "demand")
        self.assertEqual(self._clock(other)[1], "due")

    def test_plan_and_lawsuit(self):
        plan = self.env["ar.payment.plan"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        before = self._clock()
        self.assertIn(self._line(), plan.item_ids.move_line_id)
        plan.sudo().date_accepted = self._day(70)
        self.assertEqual(self._clock()[:2], (self._day(70), "plan"))
        self.assertNotEqual(self._clock(), before)
        placement = self.env["ar.placement"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id, "kind": "lawyer"}
        )
        placement.date_filed = self._day(80)
        self.assertEqual(self._clock()[1], "plan")
        placement.agent_id = self._customer("Lawyer")
        placement.action_place()
        self.assertEqual(self._clock()[:2], (self._day(80), "lawsuit"))

    def test_a_payment_that_is_undone_proves_nothing(self):
        before = self._clock()
        self._pay(self.invoice, 100, day=90)
        self.assertEqual(self._clock()[1], "payment")
        self.invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self._clock(), before)

    def test_what_is_paid_has_no_clock_but_had_one(self):
        self._pay(self.invoice, day=30)
        self.assertEqual(self._clock(), ())
        self.assertTrue(self._clock(day=29))

    def test_against_a_slow_oracle(self):
        """Random events; the clock of each item is looked up event by event in Python."""
        dice = random.Random(7)
        partner = self.customer
        invoices = [
            self._invoice(
                partner,
                100,
                due=dice.randint(-300, 50),
                currency=self.euro if dice.random() < 0.3 else None,
            )
            for _number in range(8)
        ]
        events = []
        for _number in range(25):
            invoice, day = dice.choice(invoices), dice.randint(0, 120)
            kind = dice.choice(["demand", "payment", "silent"])
            if kind == "payment":
                self._pay(invoice, 7, day=day)
            else:
                self._demand(day, "reached" if kind == "demand" else "no_answer", invoice)
            if kind != "silent":
                events.append((self._day(day), kind, invoice))
        for signed in (33, 77):
            paper = self._acknowledge(signed)
            events += [
                (self._day(signed), "acknowledgement", invoice)
                for invoice in invoices
                if self._line(invoice) in paper.item_ids.move_line_id
            ]
        for as_of in (10, 40, 90, 200):
            for invoice in invoices:
                due = self._line(invoice).date_maturity
                start, cause = max(
                    [(due, "due")]
                    + [
                        (day, kind)
                        for day, kind, of_invoice in events
                        if of_invoice == invoice and due <= day <= self._day(as_of)
                    ],
                    key=lambda event: (event[0], ORDER.index(event[1])),
                )
                self.assertEqual(
                    self._clock(invoice, as_of), (start, cause, start + relativedelta(years=3))
                )

    # The list

    def test_list(self):
        old = self._invoice(self.customer, 300, due=-1060)
        item = self.env["ar.limitation"].with_user(self.collector).browse(self._line(old).id)
        item = item.with_company(self.company)
        lapse = self._day(-1060) + relativedelta(years=3)
        self.assertRecordValues(
            item,
            [
                {
                    "partner_id": self.customer.id,
                    "move_id": old.id,
                    "case_id": self.case.id,
                    "cause": "due",
                    "lapse_date": lapse,
                    "days_left": (lapse - self.today).days,
                    "residual": 300,
                }
            ],
        )
        near = [("days_left", ">=", 0), ("days_left", "<=", 90)]
        mine = [("partner_id", "=", self.customer.id)]
        items = self.env["ar.limitation"].with_user(self.auditor).search(near + mine)
        self.assertEqual(items.ids, item.ids)
        self.assertEqual(item.action_open_case()["res_id"], self.case.id)
        self.assertEqual(item.action_open_item()["res_id"], old.id)
        total = self.env["ar.limitation"]._read_group(mine, [], ["residual:sum"])
        self.assertEqual(total, [(1300,)])
        self.assertEqual(self._line(old).ar_lapse_date, lapse)
        self.assertRecordValues(self.case, [{"limitation_date": lapse, "limitation_near": True}])

    def test_case_is_the_open_one_of_the_customer(self):
        other = self._invoice(self._customer("Other"), 50, due=-15)
        self._run(1)
        self.case.sudo()._close(self.today)
        items = self.env["ar.limitation"].search([("move_id", "in", (self.invoice | other).ids)])
        cases = {item.move_id: item.case_id for item in items}
        self.assertFalse(cases[self.invoice])
        self.assertEqual(cases[other], self._case(other.partner_id))
        self.assertEqual((len(items), cases[other].state), (2, "open"))

    def test_rights(self):
        items = self.env["ar.limitation"]
        with self.assertRaises(AccessError):
            items.with_user(self.stranger).search([])
        item = items.search([("partner_id", "=", self.customer.id)], limit=1)
        for user in (self.collector, self.auditor):
            with self.assertRaises(AccessError):
                item.with_user(user).write({"lapse_date": self.today})
            with self.assertRaises(AccessError):
                item.with_user(user).unlink()
        other = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = new_test_user(
            self.env,
            "clock_foreign",
            "base.group_user,ar_collections.group_collector",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.assertFalse(items.with_user(foreign).search([("partner_id", "=", self.customer.id)]))

    # The warning

    def test_warned_once_before_it_lapses(self):
        kind = self.env.ref("ar_collections.activity_limitation")
        old = self._invoice(self.customer, 300, due=-1100)
        (old.line_ids | self.invoice.line_ids).no_followup = False

        def warnings():
            return self.case.activity_ids.filtered(lambda act: act.activity_type_id == kind)

        lapse = self._day(-1100) + relativedelta(years=3)
        # The run asks for it anew: only the warning counts here.
        self.env["ar.limitation"].sudo()._warn(self.company, lapse - relativedelta(days=91))
        self.assertFalse(warnings())
        self.env["ar.limitation"].sudo()._warn(self.company, lapse - relativedelta(days=90))
        self.assertEqual(len(warnings()), 1)
        self.assertIn(old.name, warnings().note)
        self.env["ar.limitation"].sudo()._warn(self.company, lapse)
        self.assertEqual(len(warnings()), 1)
        self._demand(-10, invoice=old)
        self.env["ar.limitation"].sudo()._warn(self.company, self._day(5))
        self.assertEqual(len(warnings()), 1)
        self.env["ar.limitation"].sudo()._warn(
            self.company, self._day(-10) + relativedelta(years=3)
        )
        self.assertEqual(len(warnings()), 2)

    def test_a_customer_without_a_case_is_not_forgotten(self):
        quiet = self._customer("Never dunned")
        invoice = self._invoice(quiet, 300, due=-1090)
        self._line(invoice).no_followup = True
        self._run(1)
        file = self.env["ar.credit.file"]._get_file(quiet, self.company)
        self.assertFalse(self._case(quiet))
        decide = self.env.ref("ar_collections.activity_exclusion")
        warning = file.activity_ids.filtered(lambda activity: activity.activity_type_id != decide)
        self.assertIn(invoice.name, warning.note)

    def test_near_on_the_first_day_of_warning(self):
        lapse = self.case.limitation_date
        self.assertEqual(lapse, self._day(-15) + relativedelta(years=3))
        days = (lapse - self.today).days
        for warning, near in ((days - 1, False), (days, True)):
            self.company.ar_limitation_warning_days = warning
            self.case.invalidate_recordset()
            self.assertEqual(self.case.limitation_near, near, warning)

    def test_warning_is_of_the_own_company(self):
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        file = self.env["ar.credit.file"]._get_file(self.customer, elsewhere, create=True).sudo()
        self.case.sudo()._close(self.today)
        self.company.ar_limitation_warning_days = 4000
        self.env["ar.limitation"]._warn(self.company, self.today)
        self.assertFalse(file.activity_ids)
        own = self.env["ar.credit.file"]._get_file(self.customer, self.company).sudo()
        self.assertEqual(len(own.activity_ids), 1)

    def test_one_statement_for_all(self):
        def cost(number):
            for index in range(number):
                self._invoice(self._customer(f"Clock {number} {index}"), 10, due=-1090)
            self._run(number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["ar.limitation"].search([]).mapped("lapse_date")
            return self.env.cr.sql_log_count - before

        few = cost(2)
        self.assertLessEqual(cost(15), few)
