"""bin/replay: live the days of a ledger through Odoo and check every one of them."""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import date

from replay_checks import Checks
from replay_ledger import DISPUTE_DAYS, Ledger, LedgerError, parse_date

import odoo
from odoo import Command, api
from odoo.modules.registry import Registry

from workspace.console import WorkspaceError, run_command, say
from workspace.databases import ensure_database
from workspace.session import open_session

DATABASE = "ar_replay"
USAGE = """\
Load a ledger (CSV with the columns customerID, invoiceNumber, InvoiceDate, DueDate, InvoiceAmount
and SettledDate, US dates; Disputed when it is there) into a fresh database and live it day by day:
post the day's invoices, register its payments, open its disputes, do the daily collection run.
Every day is checked against the file. The last line of the output is one JSON object; "violations"
is empty when every check held."""
#: the second run of a day, and one that goes on after a kill, are tried every so many days
REPEAT_DAYS = 10
#: a past day is asked for again every so many days
LOOK_BACK_DAYS = 7
VIOLATIONS_TOLD = 20


class Replay:
    """The days of a ledger in one database.

    What people do is done by the administrator; the daily run is done by OdooBot, as the cron
    does it. Everything before the first day is loaded at once, as when a company starts to use
    the addon.
    """

    def __init__(self, registry, ledger, first, last):
        self.registry = registry
        self.ledger = ledger.entered_on(first)
        self.first, self.last = first, last
        self.partners = {}
        # {invoice number: receivable line id}, and what the checks see of it
        self.receivables = {}
        self.lines = {}
        self.counts = Counter()
        self.clock = defaultdict(float)
        self.random = random.Random(0)
        self.checks = None
        self.told = 0

    # The whole

    def live(self):
        """Live all days and return the summary."""
        start = time.monotonic()
        days = self.ledger.days(self.first, self.last)
        with self._environment() as env:
            self._create_customers(env)
        self.checks = Checks(self.ledger, self.partners, self.lines)
        for number, day in enumerate(days):
            with self._environment() as env:
                open_cases = self._live_day(env, day, number)
            self._tell_new_violations()
            if day == self.last or (day.month != days[number + 1].month):
                seconds = time.monotonic() - start
                say(
                    f"{day}  {self.counts['invoices']} invoices, {self.counts['payments']} payments"
                    f", {open_cases} open cases, {len(self.checks.violations)} violations"
                    f", {seconds:.0f} s"
                )
        self.checks.finish()
        seconds = time.monotonic() - start
        with self._environment() as env:
            return self._summary(env, seconds, len(days))

    def _tell_new_violations(self):
        """While a replay goes on, only the first ones: usually they have the same cause."""
        violations = self.checks.violations[:VIOLATIONS_TOLD]
        for text in violations[self.told :]:
            say("VIOLATION", text)
        self.told = len(violations)

    def _live_day(self, env, day, number):
        company = env.company
        with self._timed("invoices"):
            self._post_invoices(env, self._until(day, self.ledger.by_date))
        with self._timed("payments"):
            for settled, invoices in sorted(self._until(day, self.ledger.by_settled).items()):
                self._register_payments(env, invoices, settled)
        with self._timed("disputes"):
            for raised, invoices in sorted(self._until(day, self.ledger.by_disputed).items()):
                self._open_disputes(env, invoices, raised)
        bot = env(user=1)
        with self._timed("checks"):
            self.checks.stale_cases(bot, company, day)
        with self._timed("run"):
            run = bot["ar.collection.run"]._run_for(company.with_env(bot), day)
            bot.flush_all()
        with self._timed("checks"):
            return self._check_day(bot, company.with_env(bot), day, number, run)

    def _check_day(self, env, company, day, number, run):
        checks = self.checks
        checks.figures(env, company, day)
        open_cases = checks.cases(env, company, day)
        checks.disputes(env, company, day)
        checks.actions(env, day, run)
        checks.nobody_forgotten(env, company, day)
        if number and number % LOOK_BACK_DAYS == 0:
            past = self.random.choice(self.ledger.days(self.ledger.first_day, day))
            checks.figures(env, company, past, as_of=day)
        if number % REPEAT_DAYS == 0:
            runs = env["ar.collection.run"]

            def go_on_after_kill():
                run.state = "running"
                runs._run_for(company, day)

            checks.nothing_happens(
                env, day, lambda: runs._run_for(company, day), "the second run of the day"
            )
            checks.nothing_happens(env, day, go_on_after_kill, "going on with the same run")
            checks.cases(env, company, day)
        return open_cases

    # What people do

    def _until(self, day, by_day):
        """``{day: invoices}`` of this day, on the first day also of all days before."""
        if day != self.first:
            return {day: by_day[day]} if day in by_day else {}
        return {other: invoices for other, invoices in by_day.items() if other <= day}

    def _create_customers(self, env):
        company = env.company
        if not company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", company)
        if company.currency_id.name != "USD":
            raise WorkspaceError(f"the company of the database keeps {company.currency_id.name}")
        # The last day on which the disputes of the file are in time.
        company.ar_dispute_days = DISPUTE_DAYS
        # What the file says was sold was sold, on hold or not.
        env["ar.credit.grade"].search([]).on_hold = "warn"
        customers = self.ledger.customers
        values = [
            {
                "name": customer,
                "is_company": True,
                "ref": customer,
                "email": f"{number}@example.com",
                "phone": f"+1 201-555-{number % 10000:04}",
            }
            for number, customer in enumerate(customers, 1)
        ]
        partners = env["res.partner"].create(values)
        self.partners = dict(zip(customers, partners.ids, strict=True))

    def _post_invoices(self, env, by_day):
        invoices = [invoice for _day, same_day in sorted(by_day.items()) for invoice in same_day]
        if not invoices:
            return
        moves = env["account.move"].create([self._invoice_values(invoice) for invoice in invoices])
        moves.action_post()
        for invoice, move in zip(invoices, moves, strict=True):
            line = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            self.receivables[invoice.number] = line.id
            self.lines[line.id] = invoice
        self.counts["invoices"] += len(moves)

    def _invoice_values(self, invoice):
        goods = {"name": "Goods", "price_unit": float(invoice.amount), "tax_ids": [Command.clear()]}
        return {
            "move_type": "out_invoice",
            "partner_id": self.partners[invoice.customer],
            "ref": invoice.number,
            "payment_reference": invoice.number,
            "invoice_date": invoice.date,
            "invoice_date_due": invoice.due,
            # A term would replace the due date.
            "invoice_payment_term_id": False,
            "invoice_line_ids": [Command.create(goods)],
        }

    def _register_payments(self, env, invoices, day):
        """One payment per invoice: by the wizard, and every other day as a bank import does it."""
        line_ids = [self.receivables[invoice.number] for invoice in invoices]
        lines = env["account.move.line"].browse(line_ids)
        pay = self._import_payments if day.toordinal() % 2 else self._pay_by_wizard
        self.counts["payments"] += len(pay(lines, day))

    def _pay_by_wizard(self, lines, day):
        register = lines.env["account.payment.register"].with_context(
            active_model="account.move.line", active_ids=lines.ids
        )
        # All that is open of each invoice, due or not.
        values = {"payment_date": day, "group_payment": False, "installments_mode": "full"}
        return register.create(values)._create_payments()

    def _import_payments(self, lines, day):
        """Many payments at once, matched in one go."""
        values = [
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": line.partner_id.id,
                "amount": line.amount_residual,
                "date": day,
                "memo": line.move_id.payment_reference,
            }
            for line in lines
        ]
        payments = lines.env["account.payment"].create(values)
        payments.action_post()
        money = payments.move_id.line_ids.grouped(lambda line: (line.move_id, line.account_id))
        lines._reconcile_plan(
            [
                line | money[payment.move_id, line.account_id]
                for line, payment in zip(lines, payments, strict=True)
            ]
        )
        return payments

    def _open_disputes(self, env, invoices, day):
        """One dispute per invoice, of all of it."""
        # The addons are found only after Odoo has read its configuration.
        from odoo.addons.ar_collections.models.common.res_company import Clock  # noqa: PLC0415

        env = env(context={**env.context, "ar_clock": Clock(day)})
        disputes = env["ar.dispute"].create(
            [
                {
                    "partner_id": self.partners[invoice.customer],
                    "reason_id": env.ref("ar_collections.dispute_reason_other").id,
                    "line_ids": [
                        Command.create(
                            {
                                "move_line_id": self.receivables[invoice.number],
                                "amount": float(invoice.amount),
                            }
                        )
                    ],
                }
                for invoice in invoices
            ]
        )
        self.counts["disputes"] += len(disputes)

    # The outside

    @contextmanager
    def _environment(self):
        """The administrator's environment in a transaction of its own."""
        with self.registry.cursor() as cr:
            admin = api.Environment(cr, 1, {}).ref("base.user_admin")
            context = {"lang": "en_US", "tz": "UTC", "allowed_company_ids": admin.company_id.ids}
            env = api.Environment(cr, admin.id, context)
            yield env
            env.flush_all()

    @contextmanager
    def _timed(self, part):
        start = time.monotonic()
        yield
        self.clock[part] += time.monotonic() - start

    def _summary(self, env, seconds, days):
        env = env(user=1)
        cases = env["ar.collection.case"].search_count
        # Also those that a payment has made needless since.
        actions = env["ar.collection.action"]._read_group([], ["step_id"], ["__count"])
        steps = Counter()
        for step, count in actions:
            steps[step.name] += count
        return {
            "invoices": self.counts["invoices"],
            "payments": self.counts["payments"],
            "disputes": self.counts["disputes"],
            "cases_opened": cases([]),
            "cases_closed": cases([("state", "=", "closed")]),
            "actions": dict(steps),
            "mails": env["mail.mail"].search_count(
                [("mail_message_id.model", "in", ("ar.collection.case", "res.partner"))]
            ),
            "sms": env["sms.sms"].search_count([]),
            "days": days,
            "seconds": round(seconds, 1),
            "seconds_per_day": round(seconds / days, 3),
            "seconds_by_part": {part: round(value, 1) for part, value in self.clock.items()},
            "violations": self.checks.violations,
        }


def main(args):
    options = _arguments(args)
    try:
        ledger = Ledger.read(options.ledger)
    except LedgerError as error:
        raise WorkspaceError(str(error)) from error
    first, last = options.first or ledger.first_day, options.last or ledger.last_day
    if first > last:
        raise WorkspaceError(f"there is no day from {first} to {last}")
    with open_session() as session:
        ensure_database(session, options.db, fresh=True)
        summary = Replay(_registry(options.db), ledger, first, last).live()
    print(json.dumps(summary), flush=True)
    return 1 if summary["violations"] else 0


def _arguments(args):
    parser = argparse.ArgumentParser(prog="bin/replay", description=USAGE)
    parser.add_argument("ledger", metavar="LEDGER.csv")
    help_ = "2012-01-31 or 1/31/2012; without it the %s day of the ledger"
    parser.add_argument("--from", dest="first", type=_day, metavar="D", help=help_ % "first")
    parser.add_argument("--to", dest="last", type=_day, metavar="D", help=help_ % "last")
    parser.add_argument("--db", default=DATABASE, metavar="NAME", help=f"default {DATABASE}")
    return parser.parse_args(args)


def _day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return parse_date(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from error


def _registry(database):
    """Odoo in this process, without a server."""
    odoo.tools.config.parse_config(
        ["-d", database, "--no-http", "--log-level=warn"], setup_logging=True
    )
    return Registry(database)


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
