"""What a month's end costs: the ageing snapshot and an allowance run over all customers.

Runs on the database of ``run_cycle`` and keeps nothing: everything is rolled back. Ratios are to
the bare ageing of the same session, which is the statement that both are built on.
"""

import argparse
import time
from datetime import date, timedelta

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

from workspace.session import open_session


def measure(env, function):
    """Seconds and queries of a call, with what it left to be written."""
    env.flush_all()
    env.invalidate_all()
    queries, start = env.cr.sql_log_count, time.perf_counter()
    function()
    env.flush_all()
    return time.perf_counter() - start, env.cr.sql_log_count - queries


def bare_ageing(env, company, day):
    env.cr.execute(
        SQL("SELECT COUNT(*) FROM (%s) figure", env["ar.position"]._figures_sql(company, day))
    )


def give_accounts(env, company):
    company.ar_allowance_account_id, company.ar_allowance_expense_account_id = env[
        "account.account"
    ].create(
        [
            {
                "name": name,
                "code": code,
                "account_type": kind,
                "company_ids": [Command.set(company.ids)],
            }
            for name, code, kind in (
                ("Allowance", "BENCH1", "asset_current"),
                ("Impairment", "BENCH2", "expense"),
            )
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="bench_small")
    options = parser.parse_args()
    with open_session():
        config.parse_config(["-d", options.db, "--log-level=error"])
        with Registry(options.db).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].search([("parent_id", "=", False)], limit=1)
            day = date.today().replace(day=1) - timedelta(days=1)
            give_accounts(env, company)
            bare_ageing(env, company, day)
            bare, _queries = measure(env, lambda: bare_ageing(env, company, day))
            cr.execute("DELETE FROM ar_ageing_snapshot")
            run = env["ar.allowance.run"].create({"company_id": company.id, "date": day})
            for label, function in (
                ("snapshot", lambda: env["ar.ageing.snapshot"]._take_snapshot(company, day)),
                ("allowance run", run.action_compute),
            ):
                seconds, queries = measure(env, function)
                print(
                    f"{label}: {seconds:.2f} s, {queries} queries, "
                    f"{seconds / bare:.1f} times the bare ageing ({bare:.2f} s)"
                )
            print(
                f"{len(run.movement_ids)} customers, {len(run.line_ids)} lines, "
                f"allowance {run.closing:,.2f} of {run.gross_amount:,.2f}"
            )
            cr.rollback()


if __name__ == "__main__":
    main()
