"""Live the last months of forty customers, so that the demo has cases with a real past.

Everything here goes through the same doors as in a company: invoices are posted, payments are
matched, the daily run does the rest, collectors make their calls. Only the clock is ours.
"""

import contextlib
import logging
import random
import time
from datetime import datetime, time as clock_time, timedelta

from odoo import Command

from ..models.credit.credit_facts import CONTROL_FIELDS
from . import workbench
from .allowance import AllowanceScene
from .cast import CAST
from .charges import charge
from .credit import CreditScene
from .judgement import JudgementScene
from .letters import wait_for_print
from .outside import hand_over
from .portal import show as show_portal
from .writeoff import WriteoffScene

_logger = logging.getLogger(__name__)

# Days before today: the first invoice falls due, the first daily run.
FIRST_DUE, FIRST_RUN = 140, 100
# Further back than this, every other day is enough.
EVERY_DAY = 30
TERM_DAYS = 30
SATURDAY = 5
# So long an item stays excluded from follow-up, from today.
EXCLUDED = 21
GOODS = ("Goods as ordered", "Spare parts", "Seasonal delivery", "Repeat order")
CALLS = (
    ("no_answer", "Rang for a minute, nobody answered. Tried the switchboard as well."),
    ("reached", "Accounts payable has the invoices; one approval is missing. Will pay this month."),
    ("call_back", "The person who decides is in a meeting. Call again tomorrow morning."),
    ("reached", "Asked for copies of the invoices, sent them during the call."),
    ("wrong_person", "Sales office: no idea of payments. Got the number of the accounts office."),
)
VISITS = (
    ("reached", "Warehouse full, staff at work. They wait for money from a customer of their own."),
    ("reached", "Spoke to the head of finance. They asked for one more month; refused."),
)


def tell(env):
    """Live the story once, in the main company, when it has a chart of accounts."""
    company = env.ref("base.main_company")
    if not company.chart_template:
        return
    env = env(context={"lang": "en_US", "allowed_company_ids": company.ids})
    if env["res.partner"].search_count([("ref", "=", _reference(0))]):
        return
    start = time.monotonic()
    company = company.with_env(env)
    today = company._ar_today()
    Story(env, company).live()
    charge(env, company)
    show_portal(env, company)
    hand_over(env, company, today)
    wait_for_print(env, company, today)
    _logger.info("The demo story took %.0f seconds", time.monotonic() - start)


def _reference(index):
    return f"AR-DEMO-{index + 1:02}"


class Story:
    def __init__(self, env, company):
        self.env = env
        self.company = company
        self.dice = random.Random(19)
        self.today = company._ar_today()
        self.first_run = self.today - timedelta(days=FIRST_RUN)
        self.foreign = self._foreign_currency()
        self.partners = {}
        # [(day, firm, due date or None for instalments)] and [(day, invoice, share)]
        self.sales, self.payments = [], []
        self.traits_shown = set()
        self.last_message_id = self._last_message_id()
        self.last_history_id = (
            self.env["ar.credit.history"].search([], order="id desc", limit=1).id or 0
        )

    def live(self):
        self._start_company()
        self._create_customers()
        self._plan_sales()
        with self._before_credit_control():
            self._live_days()
        self._set_the_scene()
        cities = {firm.city: partner for firm, partner in self.partners.items()}
        CreditScene(self.env, self.company, cities, self.today).set_up()
        workbench.set_up(self)
        writeoffs = WriteoffScene(self.env, self.company, cities, self.today)
        writeoffs.set_up()
        AllowanceScene(self.env, self.company, cities, self.today).set_up()
        JudgementScene(self.env, self.company, cities, self.today, writeoffs.approve).set_up()
        self._deliver_mails()
        self.env["ar.collection.run"]._run_for(self.company, self._next_working_day(), False)

    def _start_company(self):
        """The company has been sending for months, to a server that does not exist."""
        self.env["ir.mail_server"].create({"name": "Demo: sends nothing", "smtp_host": "invalid"})
        self.company.write(
            {
                "email": self.company.email or "receivables@example.com",
                "ar_stage_holds": "hold",
            }
        )
        self.company._ar_mark_started()

    @contextlib.contextmanager
    def _before_credit_control(self):
        """The goods were sold when nobody controlled credit: that is why so much is overdue."""
        grades = self.env["ar.credit.grade"].search([])
        former = {grade: {name: grade[name] for name in CONTROL_FIELDS} for grade in grades}
        grades.write(dict.fromkeys(CONTROL_FIELDS, "allow"))
        yield
        for grade, controls in former.items():
            grade.write(controls)

    def _live_days(self):
        for day in self._days():
            self._post_sales(day)
            self._post_payments(day)
            self._work(day)
            self.env["ar.collection.run"]._run_for(self.company, day)
            self._special_days(day)
            self._deliver_mails()
            self._date_messages(day)

    def _days(self):
        """The days of the daily run: working days, fewer in the past, and today in any case."""
        days = [
            self.today - timedelta(days=ago)
            for ago in range(FIRST_RUN, 0, -1)
            if ago <= EVERY_DAY or ago % 2 == 0
        ]
        return [*(day for day in days if day.weekday() < SATURDAY), self.today]

    def _next_working_day(self):
        day = self.today + timedelta(days=1)
        while day.weekday() >= SATURDAY:
            day += timedelta(days=1)
        return day

    # The cast

    def _foreign_currency(self):
        """A currency that the company does not keep its books in, with a rate."""
        code = "USD" if self.company.currency_id.name == "EUR" else "EUR"
        currency = (
            self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)])
        )
        currency.active = True
        first = self.today - timedelta(days=FIRST_DUE + TERM_DAYS)
        for days, rate in ((0, 0.92), (60, 0.9), (120, 0.93)):
            day = first + timedelta(days=days)
            if not currency.rate_ids.filtered(lambda known, day=day: known.name == day):
                self.env["res.currency.rate"].create(
                    {
                        "name": day,
                        "rate": rate,
                        "currency_id": currency.id,
                        "company_id": self.company.id,
                    }
                )
        return currency

    def _create_customers(self):
        countries = {
            country.code.lower(): country for country in self.env["res.country"].search([])
        }
        chinese = "zh_CN" if self.env["res.lang"]._lang_get("zh_CN") else False
        partners = self.env["res.partner"].create(
            [
                {
                    "name": firm.name,
                    "ref": _reference(index),
                    "is_company": True,
                    "city": firm.city,
                    "country_id": countries[firm.country].id,
                    "email": firm.trait != "no_email" and f"accounts{index + 1:02}@example.com",
                    "phone": firm.trait != "no_email" and f"+1 201-555-{100 + index:04}",
                    "lang": chinese if firm.country == "cn" and chinese else "en_US",
                }
                for index, firm in enumerate(CAST)
            ]
        )
        self.partners = dict(zip(CAST, partners, strict=True))
        grades = self.env["ar.credit.grade"].search([])
        collectors = self._collectors()
        self.env["ar.credit.file"].create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "grade_id": grades.filtered(
                        lambda grade, firm=firm: grade.code == firm.grade
                    ).id,
                    "collector_id": collectors[index % len(collectors)].id,
                }
                for index, (firm, partner) in enumerate(self.partners.items())
            ]
        )

    def _collectors(self):
        demo = self.env.ref("base.user_demo", raise_if_not_found=False)
        return self.env.ref("base.user_admin") | (demo or self.env["res.users"])

    # Sales and payments

    def _plan_sales(self):
        """Due dates at the rhythm of each firm; one of them is the day it fell silent."""
        for firm in CAST:
            due = self.today - timedelta(days=firm.silent or self.dice.randrange(firm.rhythm))
            while due > self.today - timedelta(days=FIRST_DUE):
                due -= timedelta(days=firm.rhythm)
            while self._is_sold(firm, due):
                self.sales.append((due - timedelta(days=TERM_DAYS), firm, due))
                due += timedelta(days=firm.rhythm)
        self.sales.sort(key=lambda sale: sale[0])

    def _is_sold(self, firm, due):
        """A firm that does not pay gets no goods for long."""
        date = due - timedelta(days=TERM_DAYS)
        if firm.silent and date > self.today - timedelta(days=firm.silent - 15):
            return False
        return date <= self.today

    def _post_sales(self, day):
        sales = [sale for sale in self.sales if sale[0] <= day]
        if not sales:
            return
        self.sales = self.sales[len(sales) :]
        moves = self.env["account.move"].create([self._invoice_values(*sale) for sale in sales])
        moves.action_post()
        for (_date, firm, due), move in zip(sales, moves, strict=True):
            if firm.trait == "no_followup":
                move.line_ids.filtered(lambda line: line.account_type == "asset_receivable").write(
                    {
                        "no_followup": True,
                        "ar_exclusion_reason": "Set off against returned goods",
                        "ar_exclusion_end": self.today + timedelta(days=EXCLUDED),
                        "ar_exclusion_user_id": self.env.uid,
                    }
                )
            self._plan_payment(firm, due, move)

    def _invoice_values(self, date, firm, due):
        amount = round(firm.size * self.dice.uniform(0.6, 1.5), 2)
        values = {
            "move_type": "out_invoice",
            "partner_id": self.partners[firm].id,
            "invoice_date": date,
            "invoice_payment_term_id": False,
            "invoice_date_due": due,
            "invoice_line_ids": [
                Command.create(
                    {
                        "name": self.dice.choice(GOODS),
                        "price_unit": amount,
                        "tax_ids": [Command.clear()],
                    }
                )
            ],
        }
        if firm.trait == "foreign":
            values["currency_id"] = self.foreign.id
        if firm.trait == "instalments" and self._is_silent(firm, due):
            values["invoice_payment_term_id"] = self.env.ref(
                "ar_collections.demo_term_instalments"
            ).id
        return values

    def _is_silent(self, firm, due):
        return firm.silent and due >= self.today - timedelta(days=firm.silent)

    def _plan_payment(self, firm, due, move):
        if not self._is_silent(firm, due):
            paid = max(due + timedelta(days=self.dice.randint(*firm.habit)), move.invoice_date)
            # Before its silence a firm has paid everything, however late.
            if firm.silent:
                paid = min(paid, self.today - timedelta(days=firm.silent))
            self.payments.append((paid, move, 1))
        elif firm.trait == "part_payment":
            self.payments.append((due + timedelta(days=12), move, 0.4))
        elif firm.trait == "instalments":
            self.payments.append((due + timedelta(days=3), move, 0.15))

    def _post_payments(self, day):
        due = [payment for payment in self.payments if payment[0] <= day]
        if not due:
            return
        self.payments = [payment for payment in self.payments if payment[0] > day]
        payments = self.env["account.payment"].create(
            [
                self._payment_values(move.partner_id, date, move.amount_total * share, move)
                for date, move, share in due
            ]
        )
        payments.action_post()
        plan = []
        for (_date, move, _share), payment in zip(due, payments, strict=True):
            lines = (move | payment.move_id).line_ids.filtered(
                lambda line: line.account_type == "asset_receivable"
            )
            plan.append(lines.sorted("date_maturity"))
        self.env["account.move.line"]._reconcile_plan(plan)

    def _payment_values(self, partner, date, amount, move=None):
        currency = move.currency_id if move else self.company.currency_id
        return {
            "payment_type": "inbound",
            "partner_type": "customer",
            "partner_id": partner.id,
            "amount": currency.round(amount),
            "currency_id": currency.id,
            "date": date,
            "memo": move.name if move else "Payment on account",
        }

    # Collectors at work

    def _work(self, day):
        """Calls and visits are made a day or two after they were planned; a few are forgotten."""
        actions = self.env["ar.collection.action"].search(
            [
                ("state", "=", "planned"),
                ("date_planned", "<", day),
                ("partner_id.ref", "like", "AR-DEMO-"),
            ]
        )
        if self.today - day < timedelta(days=2):
            return
        for action in actions:
            if self.dice.random() < 0.35:
                continue
            outcome, note = self.dice.choice(VISITS if action.channel == "visit" else CALLS)
            if action.channel == "task":
                outcome, note = "done", "File checked and complete. Proposal sent."
            action.note = note
            action._freeze_now(day)
            action._mark_done(day, outcome)
            action.activity_id.action_feedback(feedback=note)

    def _special_days(self, day):
        """What happens once to a firm, so many days ago."""
        for trait, (days, happen) in SPECIAL_DAYS.items():
            if trait not in self.traits_shown and day >= self.today - timedelta(days=days):
                self.traits_shown.add(trait)
                for firm, partner in self.partners.items():
                    if firm.trait == trait:
                        happen(self, partner, day)

    def _pay_on_account(self, partner, day):
        self.env["account.payment"].create(self._payment_values(partner, day, 1500)).action_post()

    def _credit(self, partner, day):
        """A credit note for a part of the oldest invoice that nobody has matched yet."""
        invoice = self.env["account.move"].search(
            [
                ("partner_id", "=", partner.id),
                ("move_type", "=", "out_invoice"),
                ("amount_residual", ">", 0),
            ],
            order="invoice_date_due",
            limit=1,
        )
        self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": partner.id,
                "invoice_date": day,
                "invoice_payment_term_id": False,
                "invoice_date_due": day,
                "ref": f"Short delivery, {invoice.name}",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Short delivery",
                            "price_unit": invoice.currency_id.round(invoice.amount_total * 0.2),
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        ).action_post()

    def _to_legal(self, partner, day):
        self._move_case(partner, "ar_collections.collection_stage_legal")

    def _to_write_off(self, partner, day):
        self._move_case(partner, "ar_collections.collection_stage_writeoff")

    def _move_case(self, partner, stage):
        case = self.env["ar.collection.case"].search(
            [("partner_id", "=", partner.id), ("state", "=", "open")]
        )
        case.stage_id = self.env.ref(stage)

    # Today

    def _set_the_scene(self):
        """Decisions of the credit manager that are in force today."""
        for index, (firm, partner) in enumerate(self.partners.items()):
            file = self.env["ar.credit.file"]._get_file(partner, self.company)
            if firm.grade in ("A", "B", "C") and index % 6:
                # Limits that were agreed on leave some room; every sixth customer has outgrown it.
                room = (1.2, 1.5, 2.5)[index % 3] * max(file.exposure, 4000)
                file.write({"limit_mode": "custom", "custom_limit": -(-room // 5000) * 5000})
            if firm.trait == "paused":
                file.env["ar.collection.case"].search(
                    [
                        ("partner_id", "=", partner.id),
                        ("state", "=", "open"),
                    ]
                )._pause_until("New owner, wants to meet first", self.today + timedelta(days=6))
            elif firm.city == "Xiamen":
                file._set_hold("Warehouse damaged by the storm, waiting for news", self.today)
            elif firm.city == "Dubai":
                file.write({"limit_mode": "custom", "custom_limit": 20000})
            elif firm.city == "Halifax":
                file.write(
                    {
                        "temporary_limit": 90000,
                        "temporary_limit_end": self.today + timedelta(days=45),
                    }
                )
            elif firm.city in ("Bremen", "Shenzhen"):
                file.dunning_contact_id = self.env["res.partner"].create(
                    {
                        "name": "应付账款部" if firm.country == "cn" else "Kreditorenbuchhaltung",
                        "parent_id": partner.id,
                        "email": f"payables.{firm.city.lower()}@example.com",
                        "phone": partner.phone,
                        "lang": partner.lang,
                    }
                )
                file.payer_id = file.dunning_contact_id

    # The outside world

    def _deliver_mails(self):
        """The queue is done with: nothing of the story may leave when a mail server is set up."""
        messages = (
            self.env["ar.collection.action"]
            .search(
                [
                    ("message_id.notification_ids.notification_status", "=", "ready"),
                ]
            )
            .message_id
        )
        messages |= self.env["ar.payment.plan"].search([]).message_ids
        lost = self.env["res.partner"].union(
            *(partner for firm, partner in self.partners.items() if firm.trait == "bounced")
        )
        for notification in messages.notification_ids:
            if notification.res_partner_id in lost and notification.notification_type == "email":
                notification.write(
                    {
                        "notification_status": "bounce",
                        "failure_type": "mail_bounce",
                    }
                )
            else:
                notification.notification_status = "sent"
        self.env["mail.mail"].search([("mail_message_id", "in", messages.ids)]).unlink()
        self.env["sms.sms"].search([("mail_message_id", "in", messages.ids)]).unlink()

    def _last_message_id(self):
        return self.env["mail.message"].search([], order="id desc", limit=1).id or 0

    def _date_messages(self, day):
        """The chatter tells the story in its own time, and so does the history of credit: month
        ends know the risk of their day by it."""
        messages = self.env["mail.message"].search([("id", ">", self.last_message_id)])
        history = self.env["ar.credit.history"].search([("id", ">", self.last_history_id)])
        if day != self.today:
            for records in (messages, history):
                records.write({"date": datetime.combine(day, clock_time(hour=7, minute=30))})
        self.last_message_id = self._last_message_id()
        self.last_history_id = max([self.last_history_id, *history.ids])


# Trait of a firm: (so many days ago, what happened)
SPECIAL_DAYS = {
    "on_account": (4, Story._pay_on_account),
    "credit_note": (9, Story._credit),
    "legal": (30, Story._to_legal),
    "write_off": (12, Story._to_write_off),
}
