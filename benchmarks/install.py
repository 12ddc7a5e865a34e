"""Install the addon on a ledger in use: seconds, queries, and how long anybody had to wait.

The ledger is made on a database without the addon. Another connection looks all the time for
locks that keep others from writing to Odoo's tables; the indexes are built afterwards, by their
job.
"""

import argparse
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg2
from run_cycle import GENERATOR, SIZES, fill_ledger

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

from workspace.databases import INSTALL, clone, ensure_template
from workspace.layout import ADDON
from workspace.session import ODOO, open_session

LOADED = re.compile(rf"Module {ADDON} loaded in ([\d.]+)s, (\d+) queries")
LOCKS = """
SELECT pid, virtualtransaction, relation::regclass::text, mode FROM pg_locks
 WHERE database = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE()) AND granted
   AND pid <> PG_BACKEND_PID()
   AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
   AND relation::regclass::text IN ('account_move', 'account_move_line', 'account_payment',
       'account_partial_reconcile', 'res_partner', 'res_company', 'mail_message')
"""
SECONDS_BETWEEN = 0.02


class Watch(threading.Thread):
    """Locks that keep others from writing, from when to when each was seen."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.connection = psycopg2.connect(dbname=name)
        self.connection.autocommit = True
        self.seen = {}
        self.is_over = threading.Event()

    def run(self):
        with self.connection.cursor() as cr:
            while not self.is_over.wait(SECONDS_BETWEEN):
                cr.execute(LOCKS)
                now = time.monotonic()
                for lock in cr.fetchall():
                    self.seen[lock] = self.seen.get(lock, (now, now))[0], now

    def stop(self):
        """``[(seconds, table, mode)]`` of the longest one of each table, the longest first."""
        self.is_over.set()
        self.join()
        self.connection.close()
        longest = {}
        for (_pid, _transaction, table, mode), (begin, end) in self.seen.items():
            longest[table] = max(longest.get(table, (0,)), (end - begin, table, mode))
        return sorted(longest.values(), reverse=True)


def install(session, name):
    watch = Watch(name)
    watch.start()
    begin = time.monotonic()
    command = [session.python, ODOO, "-d", name, "-i", ADDON, *INSTALL[:-1], "--log-level=info"]
    result = subprocess.run(
        [*map(str, command)], env=session.env, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - begin
    locks = watch.stop()
    if result.returncode:
        sys.exit(result.stderr[-3000:])
    loaded = LOADED.search(result.stderr)
    print(f"{'installed, with the start of Odoo':44}{seconds:9.2f} s")
    print(f"{'the module alone':44}{float(loaded[1]):9.2f} s {loaded[2]:>7} queries")
    for table_seconds, table, mode in locks:
        print(f"{f'longest lock of {table}':44}{table_seconds:9.2f} s {mode}")


def build(name):
    """The indexes, by the job that does not block."""
    config.parse_config(["-d", name, "--log-level=error"])
    with Registry(name).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        begin = time.monotonic()
        thread = env["ar.ledger.index"]._cron_build()
        cr.commit()
        if thread:
            thread.join()
        print(f"{'indexes, built beside the work':44}{time.monotonic() - begin:9.2f} s")
        for index in sorted(env["ar.ledger.index"]._get_indexes()):
            cr.execute("SELECT pg_relation_size(%s::regclass)", (index,))
            print(f"    {index} {cr.fetchone()[0] / 2**20:.1f} MB")
        cr.execute("SELECT pg_total_relation_size('account_move_line')")
        print(f"    account_move_line {cr.fetchone()[0] / 2**20:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=SIZES, nargs="?", default="small")
    parser.add_argument("--ledger-generator", type=Path, default=GENERATOR)
    options = parser.parse_args()
    if not options.ledger_generator.is_file():
        sys.exit(f"There is no ledger generator at {options.ledger_generator}.")
    name = f"bench_install_{options.size}"
    with open_session() as session:
        clone(session, ensure_template(session), name)
        fill_ledger(session, name, options.size, options.ledger_generator)
        install(session, name)
        build(name)


if __name__ == "__main__":
    main()
