"""One worker alone on a day, and two that share it, on copies of the same ledger.

Real processes, as the scheduler's: one leads the day, the other one takes steps beside it. Letters
are left to their own job and nothing is sent.
"""

import argparse
import multiprocessing
import os
import sys
import time
from datetime import date
from pathlib import Path

from run_cycle import GENERATOR, NO_LIMIT, make_ledger, working_day

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

from workspace.databases import clone, drop, names
from workspace.session import open_session

NAME = "bench_workers"


def prepare(registry):
    """A company that sends; return the environment of its day."""
    from odoo.addons.ar_collections.models.common.res_company import Clock  # noqa: PLC0415

    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        company = env["res.company"].browse(1)
        company.write(
            {"email": "office@example.com", "ar_stage_holds": "hold", "ar_daily_limit": NO_LIMIT}
        )
        company._ar_mark_started()
        env["ir.mail_server"].create({"name": "Bench", "smtp_host": "invalid"})
        return {"ar_clock": Clock(working_day(company, date.today()))}


def lead(env, followed):
    """Live the day as its job does, called again until it is done."""
    runs = env["ar.collection.run"]
    follow = type(runs)._follow_day

    def follow_day(run, checkpoint):
        try:
            return follow(run, checkpoint)
        finally:
            followed.value = followed.value or time.monotonic()

    type(runs)._follow_day = follow_day
    company = env["res.company"].browse(1)
    while runs._run_for_cron(company).state != "done":
        runs._cron_daily()
        env.cr.commit()
        env.invalidate_all()


def share(env, is_over):
    """Take part as the job that shares does, called again until the day is over."""
    while not is_over.value:
        env["ar.collection.run"]._cron_share()
        env.cr.commit()
        env.invalidate_all()
        time.sleep(0.2)


def start(registry, context, work, *args):
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with registry.cursor() as cr:
            work(api.Environment(cr, SUPERUSER_ID, context), *args)
        code = 0
    finally:
        os._exit(code)


def live(registry, context, helpers):
    """``(seconds of the day, seconds of its steps, contacts)``"""
    followed, is_over = multiprocessing.Value("d"), multiprocessing.Value("b")
    sql_db.close_all()
    begin = time.monotonic()
    leader = start(registry, context, lead, followed)
    others = [start(registry, context, share, is_over) for _helper in range(helpers)]
    _pid, status = os.waitpid(leader, 0)
    end = time.monotonic()
    is_over.value = True
    for pid in others:
        status |= os.waitpid(pid, 0)[1]
    if status:
        sys.exit("A worker broke down.")
    with registry.cursor() as cr:
        cr.execute(
            "SELECT partner_id, step_id, COUNT(*) FROM ar_collection_action"
            " WHERE step_id IS NOT NULL GROUP BY partner_id, step_id"
        )
        contacts = {row[:2]: row[2] for row in cr.fetchall()}
    return end - begin, end - followed.value, contacts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=("small", "large"), nargs="?", default="small")
    parser.add_argument("--helpers", type=int, default=1)
    parser.add_argument("--ledger-generator", type=Path, default=GENERATOR)
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    ledger = f"bench_day_{options.size}"
    with open_session() as session:
        if options.fresh or ledger not in names(session):
            if not options.ledger_generator.is_file():
                sys.exit(f"There is no ledger generator at {options.ledger_generator}.")
            make_ledger(session, ledger, options.size, options.ledger_generator)
        config.parse_config(["-d", NAME, "--log-level=error"])
        results = []
        for helpers in (0, options.helpers):
            clone(session, ledger, NAME)
            registry = Registry.new(NAME)
            results.append(live(registry, prepare(registry), helpers))
            sql_db.close_all()
        drop(session, NAME)
    (alone, alone_steps, contacts), (shared, shared_steps, others) = results
    doubled = sum(count > 1 for count in (*contacts.values(), *others.values()))
    print(f"{'leader alone, the whole day':44}{alone:9.2f} s, its steps {alone_steps:.2f} s")
    together = f"leader with {options.helpers} more"
    print(f"{f'{together}, the whole day':44}{shared:9.2f} s, {alone / shared:.2f} x as fast")
    ratio = alone_steps / shared_steps
    print(f"{f'{together}, the steps':44}{shared_steps:9.2f} s, {ratio:.2f} x as fast")
    print(f"    {len(contacts)} contacts alone, {len(others)} shared, {doubled} doubled")
    if doubled or contacts.keys() != others.keys():
        sys.exit("The same contacts were to be made, once.")


if __name__ == "__main__":
    main()
