"""Print and send many letters, as ratios to printing them one by one.

One call of the engine prints a batch; it is split by letter afterwards. A server answers for the
style sheets, as in production. Nothing is sent: messages stay in Odoo's queue.
"""

import argparse
import contextlib
import socket
import subprocess
import time
import urllib.request
from datetime import date, timedelta

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.tools import config

from workspace.databases import ensure_database
from workspace.session import ODOO, open_session

NAME = "bench_letters"
SIZES = (1, 5, 10, 20, 40)
SAMPLE = 40


@contextlib.contextmanager
def server(session):
    """Odoo's web server, which has the style sheets."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [session.python, ODOO, "-d", NAME, f"--http-port={port}", "--max-cron-threads=0"]
    process = subprocess.Popen([*map(str, command), "--log-level=warn"], env=session.env)
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/web/health", timeout=60).close()
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def make_debtors(env, count, day):
    """Customers with an overdue invoice each, and a policy whose first step is a letter."""
    company = env.company
    company.write({"email": "office@example.com", "ar_daily_limit": 10**9})
    company._ar_mark_started()
    env["ir.mail_server"].create({"name": "Bench", "smtp_host": "invalid"})
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company)
    env["ar.collection.policy"].search([]).active = False
    env["ar.collection.policy"].create(
        {
            "name": "Letters",
            "skip_rest_days": False,
            "step_ids": [Command.create({"days": 1, "channel": "letter"})],
        }
    )
    customers = env["res.partner"].create(
        [
            {
                "name": f"Debtor {number}",
                "is_company": True,
                "email": f"debtor{number}@example.com",
                "street": f"{number} High Street",
                "city": "Springfield",
            }
            for number in range(count)
        ]
    )
    env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_date": day - timedelta(days=60),
                "invoice_date_due": day - timedelta(days=20),
                "invoice_payment_term_id": False,
                "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100.0})],
            }
            for customer in customers
        ]
    ).action_post()


def measure(label, count, work, alone=None):
    start = time.perf_counter()
    work()
    each = (time.perf_counter() - start) / count
    ratio = f"{alone / each:6.2f} x as fast as one by one" if alone else ""
    print(f"{label:44}{count:6} letters {each * 1000:9.1f} ms each  {ratio}", flush=True)
    return each


def print_in_batches(letters, size, date_):
    with letters.env.cr.savepoint() as savepoint:
        for start in range(0, len(letters), size):
            letters[start : start + size]._print_letters(date_)
        savepoint.rollback()
    letters.env.invalidate_all(flush=False)


def letters_of(env, run):
    return env["ar.collection.action"].search(
        [("run_id", "=", run.id), *env["ar.collection.action"]._get_queued_domain()], order="id"
    )


def run_benchmark(env, count):
    day = date.today()
    make_debtors(env, count, day)
    run = env["ar.collection.run"].create({"company_id": env.company.id, "date": day})
    measure("decided by the day", count, run._execute)
    letters = letters_of(env, run)
    sample = letters[:SAMPLE]
    html = env["ir.actions.report"]
    report = sample.step_id.report_id
    measure(
        "their pages in HTML, without the engine",
        len(sample),
        lambda: html._render_qweb_html(report, sample.ids),
    )
    alone = None
    for size in SIZES:
        each = measure(
            f"printed {size} by one call",
            len(sample),
            lambda size=size: print_in_batches(sample, size, day),
            alone,
        )
        alone = alone or each
    dispatch = env["ar.collection.dispatch"]
    each = measure(
        "all of them printed, sent and kept",
        len(letters),
        lambda: dispatch._dispatch(env.company, day, lambda done, left: 1),
        alone,
    )
    left = len(letters_of(env, run))
    files = sum(letters.attachment_id.mapped("file_size")) // len(letters) // 1024
    print(f"    {left} letters left; {files} KiB a letter; {1000 * each / 60:.1f} min for 1,000")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1000)
    options = parser.parse_args()
    with open_session() as session:
        ensure_database(session, NAME, demo=False, fresh=True)
        config.parse_config(["-d", NAME, "--log-level=warn"])
        with server(session) as address, Registry(NAME).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["ir.config_parameter"].set_param("report.url", address)
            run_benchmark(env, options.letters)
            cr.rollback()


if __name__ == "__main__":
    main()
