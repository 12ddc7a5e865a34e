"""Random lives of receivables, lived through Odoo's own ways, against a slow and plain oracle."""

import os
from collections import defaultdict
from contextlib import contextmanager
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from odoo import Command
from odoo.exceptions import UserError, ValidationError

from ..models.collection.collection_case import AMOUNTS
from ..models.common.res_company import Clock
from .common_writeoff import WriteoffCommon
from .test_late_charge import LateChargeCommon
from .test_position import oracle_netting

#: examples and steps of one run of the suite; the long run has more
EXAMPLES = int(os.environ.get("AR_LIVES", "6"))
STEPS = int(os.environ.get("AR_LIVES_STEPS", "25"))
CENTS = st.integers(100, 100_000).map(lambda cents: cents / 100)
WHO = st.integers(0, 2)
WHICH = st.integers(0, 50)


class Lives(RuleBasedStateMachine):
    """The ledger of three people, in two currencies, day after day.

    They are customers of their own, or one of them has others below it.
    """

    test = None

    @initialize()
    def begin(self):
        test = self.test
        self.savepoint = test.env.cr.savepoint()
        self.day = 0
        self.people = [test._customer(f"Life {number}", is_company=False) for number in range(3)]
        self.invoices, self.receipts, self.requests = [], [], []
        # Grades, tiers and users were there before, and so was a run.
        self.has_run = True

    def teardown(self):
        if hasattr(self, "savepoint"):
            self.savepoint.rollback()
            self.savepoint.close(rollback=False)
            self.env.invalidate_all(flush=False)

    # What happens

    @property
    def env(self):
        return self.test.env(context={**self.test.env.context, "ar_clock": Clock(self.date)})

    @property
    def date(self):
        return self.test._day(self.day)

    @property
    def customers(self):
        return list(dict.fromkeys(person.commercial_partner_id for person in self.people))

    def _customer(self, who):
        return self.people[who].commercial_partner_id

    def _pick(self, records, which):
        return records[which % len(records)]

    @staticmethod
    def _receivables(moves):
        return moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    @rule(who=WHO, amount=CENTS, term=st.integers(-20, 20), foreign=st.booleans())
    def sell(self, who, amount, term, foreign):
        self.invoices.append(
            self.test._invoice(
                self.people[who],
                amount,
                due=self.day + term,
                date_=self.date - timedelta(days=30),
                currency=self.test.euro if foreign else None,
            )
        )

    @rule(who=WHO, amount=CENTS)
    def sell_by_instalments(self, who, amount):
        move = self.test._invoice(self.people[who], amount, due=self.day, post=False)
        move.invoice_payment_term_id = self.test.instalments
        move.action_post()
        self.invoices.append(move)

    @rule(who=WHO, amount=CENTS, foreign=st.booleans())
    def credit(self, who, amount, foreign):
        self.test._invoice(
            self.people[who],
            amount,
            due=self.day,
            date_=self.date,
            currency=self.test.euro if foreign else None,
            move_type="out_refund",
        )

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH)
    def reverse(self, which):
        invoice = self._pick(self.invoices, which)
        if invoice.state == "posted":
            invoice._reverse_moves([{"date": self.date, "invoice_date": self.date}]).action_post()

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH, percent=st.integers(1, 130))
    def pay(self, which, percent):
        invoice = self._pick(self.invoices, which)
        residual = invoice.amount_residual
        if invoice.state != "posted" or invoice.currency_id.is_zero(residual):
            return
        amount = invoice.currency_id.round(residual * percent / 100) or residual
        self.receipts.append(
            self.test._pay(invoice, amount, day=self.day, currency_id=invoice.currency_id.id)
        )

    @rule(who=WHO, amount=CENTS, foreign=st.booleans(), outbound=st.booleans(), later=WHICH)
    def pay_on_account(self, who, amount, foreign, outbound, later):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound" if outbound and later % 3 == 0 else "inbound",
                "partner_type": "customer",
                "partner_id": self.people[who].id,
                "amount": amount,
                "date": self.date + timedelta(days=later % 7),
                "currency_id": (self.test.euro if foreign else self.test.company.currency_id).id,
            }
        )
        payment.action_post()
        if payment.payment_type == "inbound":
            self.receipts.append(payment)

    @rule(who=WHO)
    def allocate(self, who):
        lines = self.env["account.move.line"].search(
            [
                ("partner_id.commercial_partner_id", "=", self._customer(who).id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )
        for same in lines.grouped(lambda line: (line.account_id, line.currency_id)).values():
            same.reconcile()

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH)
    def unmatch(self, which):
        with self._refusable():
            self._receivables(self._pick(self.invoices, which)).remove_move_reconcile()

    @precondition(lambda self: self.receipts)
    @rule(which=WHICH)
    def bounce(self, which):
        payment = self._pick(self.receipts, which)
        if payment.state in ("in_process", "paid"):
            with self._refusable():
                self.test._bounce(payment)

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH, stay=st.booleans())
    def back_to_draft(self, which, stay):
        invoice = self._pick(self.invoices, which)
        if invoice.state == "posted":
            with self._refusable():
                invoice.button_draft()
                if not stay:
                    invoice.action_post()

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH)
    def exclude(self, which):
        invoice = self._pick(self.invoices, which)
        invoice.no_followup = not invoice.no_followup

    @rule(who=WHO, percent=st.integers(1, 100), days=st.integers(0, 12))
    def promise(self, who, percent, days):
        demand = self._demands()[self._customer(who)]
        amount = self.test.company.currency_id.round(demand.amount * percent / 100)
        if amount > 0:
            self._agree(
                "ar.payment.promise",
                who,
                amount=amount,
                date=self._later(days),
            )

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH, percent=st.integers(1, 100))
    def dispute(self, which, percent):
        invoice = self._pick(self.invoices, which)
        line = self._receivables(invoice)[:1]
        amount = invoice.currency_id.round(line.amount_residual_currency * percent / 100)
        if invoice.state == "posted" and amount > 0:
            self._agree(
                "ar.dispute",
                self.people.index(invoice.partner_id),
                reason_id=self.env.ref("ar_collections.dispute_reason_quality").id,
                line_ids=[Command.create({"move_line_id": line.id, "amount": amount})],
            )

    @rule(who=WHO, count=st.integers(1, 4), first=st.integers(0, 8), answer=st.booleans())
    def plan(self, who, count, first, answer):
        case = self.test._case(self._customer(who)).with_env(self.env)
        if case.state != "open":
            return
        with self._refusable():
            case.action_plan()
            # One for each currency.
            for plan in self.env["ar.payment.plan"].search(
                [("partner_id", "=", case.partner_id.id), ("state", "=", "draft")]
            ):
                plan.write({"instalment_count": count, "first_date": self._later(first)})
                plan.action_distribute()
                plan.action_propose()
                if answer:
                    plan._accept("The owner")
                else:
                    plan.action_cancel()

    @precondition(lambda self: self.invoices)
    @rule(which=WHICH, percent=st.integers(1, 100))
    def write_off(self, which, percent):
        invoice = self._pick(self.invoices, which)
        item = self._receivables(invoice)[:1]
        amount = invoice.currency_id.round(item.amount_residual_currency * percent / 100)
        if invoice.state != "posted" or amount <= 0:
            return
        with self._refusable():
            request = self.env["ar.writeoff.request"].create(
                {
                    "partner_id": item.partner_id.commercial_partner_id.id,
                    "company_id": self.test.company.id,
                    "reason_id": self.test.reason.id,
                    "line_ids": [Command.create({"move_line_id": item.id, "amount": amount})],
                }
            )
            request.with_user(self.test.collector).action_submit()
            for approver in (self.test.manager, self.test.chief):
                if request.state == "submitted":
                    request.with_user(approver).action_approve()
            request.with_user(self.test.biller).action_post()
            self.requests.append(request)

    @precondition(lambda self: self.requests)
    @rule(which=WHICH)
    def take_write_off_back(self, which):
        request = self._pick(self.requests, which)
        if request.state == "posted":
            with self._refusable():
                request.with_user(self.test.biller).action_reverse()

    @precondition(lambda self: self.requests and self.receipts)
    @rule(which=WHICH)
    def recover(self, which):
        payment = self._pick(self.receipts, which)
        lines = self._receivables(payment.move_id).filtered(lambda line: not line.reconciled)
        if lines and payment.state in ("in_process", "paid"):
            with self._refusable():
                lines.with_env(self.env).with_user(self.test.biller).action_ar_recover()

    @rule(post=st.booleans())
    def charge(self, post):
        with self._refusable():
            run = self.env["ar.late.charge.run"].create(
                {"company_id": self.test.company.id, "date": self.date}
            )
            run.action_compute()
            run.action_draft_notes()
            notes = self.env["account.move"].search(
                [("ar_is_late_charge", "=", True), ("state", "=", "draft")]
            )
            # One that went back to draft is posted before, and stays.
            notes -= self.env["account.move"].union(*self.invoices)
            if post:
                notes.action_post()
            else:
                notes.unlink()
            self.invoices += notes.exists().filtered(lambda note: note.partner_id in self.people)

    @rule(who=WHO, other=WHO)
    def move_below(self, who, other):
        """Somebody turns out to be another's subsidiary, or not any more."""
        child, parent = self.people[who], self.people[other]
        if child.parent_id:
            child.parent_id = False
        elif child != parent and not parent.parent_id and not child.child_ids:
            child.parent_id = parent

    @rule(who=WHO)
    def archive(self, who):
        self.people[who].active = not self.people[who].active

    @rule(who=WHO, amount=CENTS, term=st.integers(-20, 0))
    def merge(self, who, amount, term):
        double = self.test._customer("Double", is_company=False)
        invoice = self.test._invoice(double, amount, due=self.day + term)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (double | self.people[who]).ids, self.people[who], extra_checks=False
        )
        self.env.invalidate_all()
        self.invoices.append(invoice)

    def _later(self, days):
        return self.date + timedelta(days=days)

    def _agree(self, model, who, **values):
        with self._refusable():
            self.env[model].create(
                {
                    "partner_id": self._customer(who).id,
                    "company_id": self.test.company.id,
                    **values,
                }
            )

    @contextmanager
    def _refusable(self):
        """What cannot be done is refused with a reason, and has done nothing."""
        try:
            with self.env.cr.savepoint():
                yield
        except (UserError, ValidationError):
            self.env.invalidate_all(flush=False)

    @rule(days=st.integers(0, 9))
    def run(self, days):
        is_new = days or not self.has_run
        self.day += days
        self.test._run(self.day)
        self.has_run = True
        again = self.env["ar.collection.action"].search_count([])
        self.test._run(self.day)
        self.test.assertEqual(self.env["ar.collection.action"].search_count([]), again)
        if is_new:
            self._check_cases_after_a_run()

    # What must hold

    def _demands(self):
        partners = self.env["res.partner"].union(*self.customers)
        found = self.env["ar.position"]._net_demand(self.test.company, self.date, partners)
        return {partner: found[self.test.company.id, partner.id] for partner in self.customers}

    def _get_oracle(self, partner):
        """``(open, net overdue, demand)`` by records, item by item."""
        lines = self.env["account.move.line"].search(
            [
                ("partner_id.commercial_partner_id", "=", partner.id),
                ("account_type", "=", "asset_receivable"),
                ("account_id.non_trade", "=", False),
                ("parent_state", "=", "posted"),
            ]
        )
        # What was matched with an entry that went back to draft is open again.
        residuals = {}
        for line in lines:
            left = [line.balance, line.amount_currency]
            for partial in line.matched_debit_ids | line.matched_credit_ids:
                other = (partial.debit_move_id | partial.credit_move_id) - line
                if other.parent_state == "posted":
                    is_credit = partial.credit_move_id == line
                    left[0] += partial.amount if is_credit else -partial.amount
                    left[1] += (
                        partial.credit_amount_currency
                        if is_credit
                        else -partial.debit_amount_currency
                    )
            if round(left[0], 2):
                residuals[line] = [round(amount, 2) for amount in left]
        claims, credits_ = [], defaultdict(list)
        for line, (amount, in_currency) in residuals.items():
            refund = line.payment_id.payment_type == "outbound"
            if not in_currency:
                continue  # a difference of exchange is ours alone
            if amount < 0 or refund:
                credits_[line.currency_id.id].append([-amount, -in_currency])
            elif not line.no_followup:
                due = line.date_maturity or line.date
                claims.append([due, line.id, amount, in_currency, line.currency_id.id])
        balance = round(sum(amount for amount, _own in residuals.values()), 2)
        claims.sort()
        overdue = demand = 0
        gross = [(claim[2], claim[1]) for claim in claims]
        for (due, left), (amount, line_id) in zip(
            oracle_netting(claims, self._net_pools(credits_)), gross, strict=True
        ):
            left = 0 if balance <= 0 else max(left, 0)
            if due < self.date:
                overdue += left
                share = self._get_claimed_share(line_id, residuals)
                demand += max(left - amount * share, 0)
        return balance, overdue, demand

    @staticmethod
    def _net_pools(credits_):
        """Refunds that we paid out use up credits of their currency."""
        pools = {}
        for currency, found in credits_.items():
            amount, own = (sum(credit[index] for credit in found) for index in (0, 1))
            pools[currency] = [[max(amount, 0), max(own, 0)]] if own > 0 else []
        return pools

    def _get_claimed_share(self, line_id, residuals):
        line = self.env["account.move.line"].browse(line_id)
        residual = residuals[line][1]
        claimed = 0
        for promised in self.env["ar.payment.promise.line"].search(
            [("move_line_id", "=", line_id), ("promise_id.state", "=", "open")]
        ):
            since = promised.residual_before - residual
            claimed += max(min(promised.amount, promised.amount - since), 0)
        for planned in self.env["ar.payment.plan.item"].search(
            [("move_line_id", "=", line_id), ("plan_id.state", "=", "accepted")]
        ):
            since = planned.residual_before - residual
            claimed += max(min(planned.amount, planned.amount - since), 0)
        for disputed in self.env["ar.dispute.line"].search(
            [("move_line_id", "=", line_id), ("dispute_id.state", "=", "open")]
        ):
            claimed += min(disputed.amount, residual)
        return min(claimed, residual) / residual if residual else 0

    @invariant()
    def figures_tie_and_demand_is_the_oracles(self):
        if not hasattr(self, "people"):
            return
        test = self.test
        partners = self.env["res.partner"].union(*self.customers)
        far = self.date + timedelta(days=400)
        figures = self.env["ar.position"]._figures(test.company, far, partners)
        for partner, demand in self._demands().items():
            balance, _overdue, wanted = self._get_oracle(partner)
            found = figures[test.company.id, partner.id]
            test.assertAlmostEqual(found.open_amount, balance, 2)
            test.assertAlmostEqual(demand.amount, wanted, delta=0.05)
            test.assertAlmostEqual(sum(amount for _id, amount in demand.items), demand.amount, 2)
            if balance <= 0:
                test.assertEqual(demand.amount, 0, "who owes nothing is asked for nothing")
            lines = self.env["account.move.line"].browse(id_ for id_, _amount in demand.items)
            for line in lines:
                test.assertLess(line.date_maturity, self.date, "nothing is asked before it is due")

    @invariant()
    def files_follow(self):
        """What is stored is what the ledger says on the day of the last run, at once."""
        if not getattr(self, "has_run", False):
            return
        demands = self._demands()
        for partner in self.customers:
            file = self.env["ar.credit.file"]._get_file(partner, self.test.company)
            self.test.assertAlmostEqual(file.demand_amount or 0, demands[partner].amount, 2)
            case = self.test._case(partner)
            if case.state == "open":
                self.test.assertAlmostEqual(case.amount_demand, demands[partner].amount, 2)

    def _check_cases_after_a_run(self):
        for partner in self.customers:
            _balance, overdue, _demand = self._get_oracle(partner)
            case = self.test._case(partner)
            is_open = bool(case) and case.state != "closed"
            self.test.assertEqual(is_open, overdue > 0.005, (partner.name, overdue, case.state))

    @invariant()
    def cases_add_up(self):
        """What came off the items of a case is what is kept of it, by kind; nothing is lost."""
        for partner in self.customers if hasattr(self, "people") else ():
            case = self.test._case(partner)
            if case.state != "open":
                continue
            came, by_exchange = self._get_what_came(case)
            kept = sum(case[f"amount_{name}"] for name in AMOUNTS.values())
            self.test.assertAlmostEqual(kept + by_exchange, came, 2, partner.name)

    def _get_what_came(self, case):
        """What came off the items of a case since it was opened, and of it by our own exchange
        entries, matching by matching."""
        items = self.env["account.move.line"].search(
            [
                ("partner_id.commercial_partner_id", "=", case.partner_id.id),
                ("account_type", "=", "asset_receivable"),
                ("account_id.non_trade", "=", False),
                ("parent_state", "=", "posted"),
            ]
        )
        came = by_exchange = 0
        for partial in items.matched_credit_ids:
            credit, debit = partial.credit_move_id, partial.debit_move_id
            if (
                credit.parent_state == "posted"
                and (debit.date_maturity or debit.date) < self.date
                and (partial.max_date >= case.date_opened or credit.id > case.booked_before)
            ):
                came += partial.amount
                if credit.journal_id == self.test.company.currency_exchange_journal_id:
                    by_exchange += partial.amount
        return came, by_exchange

    @invariant()
    def nothing_is_asked_twice(self):
        """A step comes again only with an item that never had it, or when its days have passed.

        An item that was promised, disputed or excluded may come back older than the others.
        """
        if not hasattr(self, "people"):
            return
        actions = self.env["ar.collection.action"].search(
            [
                ("partner_id", "in", [partner.id for partner in self.customers]),
                ("step_id", "!=", False),
                ("case_id", "!=", False),
                ("state", "in", ("planned", "done")),
            ],
            order="date_planned, id",
        )
        for (_partner, step), same in actions.grouped(
            lambda action: (action.partner_id, action.step_id)
        ).items():
            asked, last = self.env["account.move.line"], None
            for action in same:
                items = action.item_ids.move_line_id
                if last and not items - asked:
                    days = (action.date_planned - last).days
                    self.test.assertGreaterEqual(days, step.policy_id.repeat_days, step.name)
                asked |= items
                last = action.date_planned


class TestLives(WriteoffCommon, LateChargeCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency(
            "EUR", rates=[("2020-01-01", 2.0), ("2030-06-05", 3.0), ("2030-06-20", 1.7)]
        )
        cls.instalments = cls.env["account.payment.term"].create(
            {
                "name": "30/70",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 30, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 70, "nb_days": 15}),
                ],
            }
        )
        # What is posted is posted: the gate has tests of its own.
        cls.env["ar.credit.grade"].sudo().search([]).write(
            {
                "on_hold": "warn",
                "on_limit": "warn",
                "on_overdue": "warn",
                "late_charge_rate": 7.3,
            }
        )

    def test_lives(self):
        machine = type("OurLives", (Lives,), {"test": self})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize="AR_LIVES" not in os.environ,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
