"""How long many small balances take from the wizard to the journal entry, and the memory of it.

Keeps nothing: items are made and written off in one transaction that is rolled back.
"""

import argparse
import resource
import time
from datetime import date, timedelta

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.tools import config, split_every

from workspace.session import open_session

PER_INVOICE_BATCH = 500


def make_items(env, company, count):
    """Posted invoices of 1.00 to 4.00, overdue for a year."""
    customers = env["res.partner"].create(
        [{"name": f"Small {index}", "is_company": True} for index in range(max(count // 10, 1))]
    )
    day = date.today() - timedelta(days=400)
    for batch in split_every(PER_INVOICE_BATCH, range(count)):
        env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "company_id": company.id,
                    "partner_id": customers[index % len(customers)].id,
                    "invoice_date": day,
                    "invoice_date_due": day,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "Rest",
                                "price_unit": 1 + index % 4,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
                for index in batch
            ]
        ).action_post()
        env.flush_all()
        env.invalidate_all(flush=False)
        # As in a database that has been in use for a while; without statistics every plan is bad.
        env.cr.execute("ANALYZE")


def write_off(env, company):
    """Seconds of each step, by its name."""
    groups = env.ref("account.group_account_manager") | env.ref(
        "ar_collections.group_credit_manager"
    )
    accountant, *approvers = env["res.users"].create(
        [
            {
                "name": login,
                "login": f"benchmark_{login}",
                "group_ids": [Command.link(group.id) for group in groups],
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
            }
            for login in ("accountant", "first", "second", "third", "fourth")
        ]
    )
    seconds = {}
    wizard = (
        env["ar.writeoff.small.balance"].with_user(accountant).create({"company_id": company.id})
    )

    def request():
        return env["ar.writeoff.request"].search([("kind", "=", "small")], limit=1)

    def approve():
        """By as many as the amount and the risk ask for."""
        for approver in approvers:
            if request().state == "submitted":
                request().with_user(approver).action_approve()

    steps = (
        ("find and make the request", wizard.action_create),
        ("submit", lambda: request().with_user(accountant).action_submit()),
        ("approve", approve),
        ("post and reconcile", lambda: request().with_user(accountant).action_post()),
    )
    for name, step in steps:
        env.invalidate_all()
        start = time.perf_counter()
        step()
        env.flush_all()
        seconds[name] = time.perf_counter() - start
    assert request().state == "posted"
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="bench_small")
    parser.add_argument("--items", type=int, default=5000)
    options = parser.parse_args()
    with open_session():
        config.parse_config(["-d", options.db, "--log-level=error"])
        with Registry(options.db).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env.ref("base.main_company")
            make_items(env, company, options.items)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            seconds = write_off(env, company)
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            cr.rollback()
    for name, value in seconds.items():
        print(f"{name}: {value:.1f} s")
    print(
        f"{options.items} items: {sum(seconds.values()):.1f} s, "
        f"{(after - before) / 1024:.0f} MB more memory"
    )


if __name__ == "__main__":
    main()
