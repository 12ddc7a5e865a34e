"""Time figures, a first run and a quiet day on a big ledger, as ratios to the bare SQL ageing.

The bare ageing is one aggregate over the open receivable lines of one company, once as anybody
would write it and once with literal account ids, which is the best that the index can do.
"""

import argparse
import contextlib
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

from workspace.databases import ensure_database, names
from workspace.session import open_session

SIZES = {
    "small": [
        "--customers",
        "10000",
        "--invoices",
        "100000",
        "--open",
        "0.30",
        "--overdue-partners",
        "0.12",
    ],
    "large": ["--customers", "100000", "--invoices", "1000000", "--open", "0.20"],
}
GENERATOR = Path(__file__).resolve().parents[2] / "shared/bench/gen_ledger.py"

#: the first day of a ledger in use sends more than a company would let out unasked
NO_LIMIT = 10**9
AGEING = """
SELECT l.partner_id, SUM(l.amount_residual),
       SUM(l.amount_residual) FILTER (WHERE due >= %(date)s),
       SUM(l.amount_residual) FILTER (WHERE due BETWEEN %(date)s - 30 AND %(date)s - 1),
       SUM(l.amount_residual) FILTER (WHERE due BETWEEN %(date)s - 60 AND %(date)s - 31),
       SUM(l.amount_residual) FILTER (WHERE due BETWEEN %(date)s - 90 AND %(date)s - 61),
       SUM(l.amount_residual) FILTER (WHERE due < %(date)s - 90),
       MIN(due) FILTER (WHERE l.amount_residual > 0),
       COUNT(*) FILTER (WHERE due < %(date)s AND l.amount_residual > 0)
  FROM account_move_line l, COALESCE(l.date_maturity, l.date) due
 WHERE l.account_id IN {accounts} AND l.reconciled IS NOT TRUE
   AND l.parent_state = 'posted' AND l.amount_residual <> 0 AND l.company_id = %(company)s
   AND l.partner_id IS NOT NULL
 GROUP BY l.partner_id
"""
NOTES = """
SELECT FORMAT('COMMENT ON INDEX %I IS %L', relname, OBJ_DESCRIPTION(pg_class.oid, 'pg_class'))
  FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
 WHERE OBJ_DESCRIPTION(pg_class.oid, 'pg_class') IS NOT NULL
"""


class Meter:
    """Seconds, queries and peak memory of a block of code."""

    def __init__(self, cr):
        self.cr = cr
        self.bare = None

    @contextlib.contextmanager
    def measure(self, label, note=""):
        queries, start = self.cr.sql_log_count, time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        queries = self.cr.sql_log_count - queries
        ratio = f"{seconds / self.bare:6.2f} x bare" if self.bare else ""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{label:44}{seconds:9.2f} s {queries:7} queries {peak:5} MB peak  {ratio} {note}",
            flush=True,
        )
        self.last = seconds, queries

    def best_of(self, label, function, times=3):
        """Run it some times and print the fastest, as for anything that the cache serves."""
        best = min(self._timed(function) for _try in range(times))
        ratio = f"{best / self.bare:6.2f} x bare" if self.bare else ""
        print(f"{label:44}{best:9.3f} s  best of {times:21}  {ratio}", flush=True)
        return best

    @staticmethod
    def _timed(function):
        start = time.perf_counter()
        function()
        return time.perf_counter() - start


def working_day(company, day):
    while not company._ar_is_working_day(day):
        day += timedelta(days=1)
    return day


def make_ledger(session, name, size, generator):
    ensure_database(session, name, demo=False, fresh=True)
    fill_ledger(session, name, size, generator)


def fill_ledger(session, name, size, generator):
    """Make the ledger; the generator builds indexes anew, without what Odoo notes on them."""
    notes = session.sql(NOTES, name)
    subprocess.run(
        [session.python, str(generator), "--db", name, *SIZES[size]], env=session.env, check=True
    )
    session.sql(notes.replace("\n", ";\n"), name)
    for path in Path.cwd().glob(f"gen_ledger_{name}_indexes.sql"):
        path.unlink()


def cycle(env, with_letters):
    company = env["res.company"].browse(1)
    day = working_day(company, date.today())
    company.write(
        {"email": "office@example.com", "ar_stage_holds": "hold", "ar_daily_limit": NO_LIMIT}
    )
    company._ar_mark_started()
    env["ir.mail_server"].create({"name": "Bench", "smtp_host": "invalid"})
    meter = Meter(env.cr)
    accounts = env["account.account"].search([("account_type", "=", "asset_receivable")])
    params = {"date": day, "company": company.id}

    def bare(ids):
        env.cr.execute(AGEING.format(accounts=ids), params)
        env.cr.fetchall()

    naive = "(SELECT id FROM account_account WHERE account_type = 'asset_receivable')"
    meter.best_of("bare ageing, accounts by subquery", lambda: bare(naive))
    literal = f"({', '.join(map(str, accounts.ids))})"
    meter.bare = meter.best_of(
        "bare ageing, literal accounts: the yardstick", lambda: bare(literal)
    )

    position, refresh = env["ar.position"], env["ar.credit.refresh"]
    meter.best_of("figures of all customers", lambda: position._figures(company, day))
    meter.best_of("figures stored, nothing changed", lambda: refresh._refresh_figures(company, day))
    with meter.measure("payment behaviour of all customers"):
        position._behaviour(company, day)
    company.ar_behaviour_date = False

    if not with_letters:
        env.registry["ar.collection.action"]._print_letters = lambda self, date: None
    run_for = env["ar.collection.run"]._run_for
    with meter.measure("first run"):
        run = run_for(company, day)
        env.cr.commit()
    mails = env["mail.mail"].search_count([])
    seconds, queries = meter.last
    allowed = 15 * meter.bare + 0.010 * mails
    print(
        f"    {run.opened_count} cases, {run.action_count} actions, {mails} mails; "
        f"{1000 * seconds / max(mails, 1):.1f} ms and {queries / max(mails, 1):.2f} queries "
        f"a mail; time is {seconds / allowed:.2f} of what is allowed; log: {run.log}"
    )
    # Quiet: the next day with all of the first day's contacts behind it and no courtesy
    # messages, on a ledger on which nothing was posted. The day after is measured in full too.
    env.invalidate_all()
    with meter.measure("the day after, with all that falls due"):
        run = run_for(company, day + timedelta(days=1))
        env.flush_all()
    print(f"    {run.opened_count} cases, {run.action_count} actions")
    quiet = day + timedelta(days=2)
    with meter.measure("the day after that"):
        run = run_for(company, quiet)

    def live_again():
        env.cr.execute("DELETE FROM ar_collection_run WHERE date = %s", [quiet])
        env.invalidate_all()
        env["ar.collection.run"]._run_for(company, quiet)
        env.flush_all()

    meter.best_of("quiet day: that day again, nothing newly due", live_again)
    env.cr.rollback()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=SIZES, nargs="?", default="small")
    parser.add_argument("--ledger-generator", type=Path, default=GENERATOR)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--letters", action="store_true", help="print the PDF letters too")
    options = parser.parse_args()
    name = f"bench_{options.size}"
    with open_session() as session:
        if options.fresh or name not in names(session):
            if not options.ledger_generator.is_file():
                sys.exit(f"There is no ledger generator at {options.ledger_generator}.")
            make_ledger(session, name, options.size, options.ledger_generator)
        config.parse_config(["-d", name, "--log-level=warn"])
        with Registry(name).cursor() as cr:
            cycle(api.Environment(cr, SUPERUSER_ID, {}), options.letters)


if __name__ == "__main__":
    main()
