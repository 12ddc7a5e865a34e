"""bin/replay: live the days of a ledger through Odoo and check every one of them."""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from itertools import groupby

from replay_book import DISPUTE, INVOICE
from replay_checks import Checks
from replay_currencies import CURRENCIES
from replay_ledger import COLUMNS, Ledger, Options, find_column
from replay_life import Life
from replay_table import LedgerError, parse_date, parse_order

import odoo
from odoo import api
from odoo.modules.registry import Registry

from workspace.console import WorkspaceError, run_command, say
from workspace.databases import ensure_database
from workspace.session import open_session

DATABASE = "ar_replay"
USAGE = """\
Load a ledger (CSV) into a fresh database and live it day by day: post the day's documents, register
its money, open its disputes, do the daily collection run. Every day is checked against the file.

A ledger of invoices has the columns customer, document, date, due, amount, settled, perhaps
disputed and currency. An event ledger has date, event, customer, document, due, amount, currency,
applies to. Common names of columns are known; tools/README.md describes both.

A file with a wrong line touches no database: all its wrong lines are listed. The last line of the
output is one JSON object; "violations" is empty when every check held."""
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
        self.ledger = ledger
        self.first, self.last = first, last
        self.life = Life(ledger)
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
            self.life.set_up(env)
        self.checks = Checks(self.life.book, self.life.partners, self.life.lines)
        for number, day in enumerate(days):
            with self._environment() as env:
                open_cases = self._live_day(env, day, number)
            self._tell_new_violations()
            if day == self.last or (day.month != days[number + 1].month):
                seconds = time.monotonic() - start
                say(
                    f"{day}  {self.life.counts[INVOICE]} invoices, {self.life.count_payments()} "
                    f"payments, {open_cases} open cases, {len(self.checks.violations)} violations"
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
        for kind, events in groupby(self._get_events(day), lambda event: event.kind):
            with self._timed(kind):
                self.life.live(env, list(events))
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
        checks.demands(env, company, day)
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

    def _get_events(self, day):
        """What happens on this day, on the first day also all that happened before."""
        if day != self.first:
            return self.ledger.by_date.get(day, ())
        return [event for event in self.ledger.events if event.date <= day]

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
            "invoices": self.life.counts[INVOICE],
            "payments": self.life.count_payments(),
            "disputes": self.life.counts[DISPUTE],
            "events": dict(self.life.counts),
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
        ledger = Ledger.read(
            options.ledger,
            Options(options.columns, options.date_format, options.decimal, options.currency),
        )
    except LedgerError as error:
        raise WorkspaceError(str(error)) from error
    for code in ledger.get_currencies_without_rate():
        say(f"no rate for {code}: one {code} counts as one {ledger.currency}")
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
    for name, dest in (("from", "first"), ("to", "last")):
        parser.add_argument(
            f"--{name}", dest=dest, type=_argument(_parse_day), metavar="D", help=help_ % dest
        )
    parser.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="C=NAME,...",
        help=f"names in the file, such as customer=cust_number; columns: {', '.join(COLUMNS)}",
    )
    parser.add_argument(
        "--date-format",
        type=_argument(parse_order),
        metavar="F",
        help="dmy, mdy or ymd (or dd/mm/yyyy and the like), where the dates do not show it",
    )
    parser.add_argument(
        "--decimal", choices=(".", ","), help="decimal mark, where the amounts do not show it"
    )
    parser.add_argument(
        "--currency",
        type=str.upper,
        choices=sorted(CURRENCIES),
        metavar="CODE",
        help="of the company and of rows without one; else USD if it occurs, or the most frequent",
    )
    parser.add_argument("--db", default=DATABASE, metavar="NAME", help=f"default {DATABASE}")
    return parser.parse_args(args)


def _argument(parse):
    """The parser of an argument, whose message argparse shows."""

    def read(text):
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(error) from error

    return read


def _parse_day(text):
    return parse_date(text, "mdy")


def _columns(text):
    """``{column: name in the file}`` of ``customer=cust_number,due=...``"""
    named = {}
    for pair in filter(None, text.split(",")):
        column, sign, name = (part.strip() for part in pair.partition("="))
        column = find_column(column)
        if not sign or not name or column is None:
            raise argparse.ArgumentTypeError(
                f"“{pair}” is not a column and its name ({', '.join(COLUMNS)})"
            )
        named[column] = name
    return named


def _registry(database):
    """Odoo in this process, without a server."""
    odoo.tools.config.parse_config(
        ["-d", database, "--no-http", "--log-level=warn"], setup_logging=True
    )
    return Registry(database)


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
