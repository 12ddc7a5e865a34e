"""What the addon costs Odoo when invoices are posted and paid, as ratios to stock Odoo.

Runs on the database of ``run_cycle`` and keeps nothing: every measurement is rolled back. Stock
means without our indexes and without our code in posting and reconciliation.
"""

import argparse
import statistics
import time
from datetime import date, timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.tools import config

from workspace.session import open_session

BATCH = 100
ROUNDS = 5


def post_and_pay(env, offset):
    """Seconds to post a batch of invoices of as many customers, and to pay them."""
    customers = env["res.partner"].search(
        [("customer_rank", ">", 0), ("parent_id", "=", False)], offset=offset, limit=BATCH
    )
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_date": date.today() - timedelta(days=40),
                "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100})],
            }
            for customer in customers
        ]
    )
    env.flush_all()
    start = time.perf_counter()
    moves.action_post()
    # With what is left for the commit.
    env.cr.flush()
    posted = time.perf_counter()
    wizard = env["account.payment.register"].with_context(
        active_model="account.move", active_ids=moves.ids
    )
    wizard.create({"payment_date": date.today()})._create_payments()
    env.cr.flush()
    return posted - start, time.perf_counter() - posted


def measure(registry, stock, offset):
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        try:
            if not stock:
                return post_and_pay(env, offset)
            indexes = env["ar.ledger.index"]
            indexes._drop(indexes._get_indexes())
            silent = patch.multiple(
                registry["ar.ledger.touch"],
                _touch_items=lambda self, lines, matched=False: None,
            )
            with silent:
                return post_and_pay(env, offset)
        finally:
            cr.rollback()


def compare(registry):
    """Medians of both, and of what ours takes more; the first round warms the caches."""
    ours, stock = [], []
    for turn in range(ROUNDS + 1):
        ours.append(measure(registry, False, turn * BATCH))
        stock.append(measure(registry, True, turn * BATCH))
    for label, with_us, without in zip(
        ("post", "pay"), zip(*ours[1:], strict=True), zip(*stock[1:], strict=True), strict=True
    ):
        more = statistics.median(a - b for a, b in zip(with_us, without, strict=True))
        with_us, without = statistics.median(with_us), statistics.median(without)
        print(
            f"{label} {BATCH} invoices of {BATCH} customers: {with_us:.2f} s, stock Odoo "
            f"{without:.2f} s, ratio {with_us / without:.2f}, {1000 * more / BATCH:.1f} ms an "
            f"invoice more"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="bench_small")
    options = parser.parse_args()
    with open_session():
        config.parse_config(["-d", options.db, "--log-level=error"])
        registry = Registry(options.db)
        compare(registry)


if __name__ == "__main__":
    main()
