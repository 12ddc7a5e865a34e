"""What credit control costs when invoices and orders are confirmed, as ratios to stock Odoo.

Runs on the database of ``run_cycle`` and keeps nothing: every measurement is rolled back. Every
customer has a limit that leaves room, so that control does all its work, the lock included.
Stock means the same database without our gate and without our refresh of the credit file.
"""

import argparse
import statistics
import time
from contextlib import ExitStack
from datetime import date
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command, api
from odoo.modules.registry import Registry
from odoo.tools import config

from workspace.session import open_session

OPEN_ITEMS = 1000
CUSTOMERS, INVOICES = 100, 500
ROUNDS = 9


class Stock(ExitStack):
    """Odoo as it is without us, while the block lasts."""

    def __init__(self, registry):
        super().__init__()
        for model, method, replacement in (
            ("ar.credit.control", "_gate", lambda self, documents: documents),
            ("ar.ledger.touch", "_touch_items", lambda self, lines, matched=False: None),
            ("ar.ledger.touch", "_touch_customers", lambda self, *args: None),
        ):
            self.enter_context(patch.object(registry[model], method, replacement))


def customers_with_room(env, count):
    customers = env["res.partner"].search(
        [("customer_rank", ">", 0), ("parent_id", "=", False)], limit=count
    )
    grades = env["ar.credit.grade"].search([])
    grades.write({"on_overdue": "warn", "on_hold": "warn", "on_promise": "warn"})
    files = env["ar.credit.file"].search([("partner_id", "in", customers.ids)])
    files.write({"limit_mode": "custom", "custom_limit": 1e12})
    return customers


def give_open_items(env, customer):
    """A thousand open items in one entry."""
    account = customer.property_account_receivable_id
    income = env["account.account"].search([("account_type", "=", "income")], limit=1)
    lines = [
        {"account_id": account.id, "partner_id": customer.id, "debit": 10.0}
        for _index in range(OPEN_ITEMS)
    ]
    lines.append({"account_id": income.id, "credit": 10.0 * OPEN_ITEMS})
    env["account.move"].create(
        {"move_type": "entry", "line_ids": [Command.create(line) for line in lines]}
    ).action_post()


def invoices(env, customers, count):
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": customers[index % len(customers)].id,
                "invoice_date": date.today(),
                "invoice_line_ids": [Command.create({"name": "Goods", "price_unit": 100})],
            }
            for index in range(count)
        ]
    )
    env.flush_all()
    return moves


def orders(env, customers, count):
    product = env["product.product"].search([("sale_ok", "=", True)], limit=1)
    product = product or env["product.product"].create({"name": "Goods"})
    found = env["sale.order"].create(
        [
            {
                "partner_id": customers[index % len(customers)].id,
                "order_line": [Command.create({"product_id": product.id})],
            }
            for index in range(count)
        ]
    )
    env.flush_all()
    return found


def confirm(documents):
    """Seconds and queries of confirming them."""
    env = documents.env
    queries, start = env.cr.sql_log_count, time.perf_counter()
    if documents._name == "sale.order":
        documents.action_confirm()
    else:
        documents.action_post()
    # With what is left for the commit.
    env.cr.flush()
    return time.perf_counter() - start, env.cr.sql_log_count - queries


def compare(label, registry, make, count):
    """Stock and ours in turns on documents of the same kind; the first turn warms the caches."""
    ours, stock = [], []
    for _turn in range(ROUNDS if count == 1 else 3):
        ours.append(confirm(make(count)))
        with Stock(registry):
            stock.append(confirm(make(count)))
    seconds, former = (statistics.median(time for time, _n in each[1:]) for each in (ours, stock))
    print(
        f"{label}: {1000 * seconds / count:.1f} ms each, stock {1000 * former / count:.1f} ms, "
        f"ratio {seconds / former:.2f}, {1000 * (seconds - former) / count:.1f} ms more; queries "
        f"{ours[-1][1]}, stock {stock[-1][1]}"
    )


def gate_alone(env, documents):
    """The decision itself, which is what posting waits for."""
    control = env["ar.credit.control"]
    times = []
    for _turn in range(ROUNDS):
        queries, start = env.cr.sql_log_count, time.perf_counter()
        control._gate(documents)
        times.append(time.perf_counter() - start)
        queries = env.cr.sql_log_count - queries
    print(
        f"gate alone, {len(documents)} documents: {1000 * statistics.median(times):.1f} ms, "
        f"{queries} queries"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="bench_small")
    options = parser.parse_args()
    with open_session():
        config.parse_config(["-d", options.db, "--log-level=error"])
        registry = Registry(options.db)
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            customers = customers_with_room(env, CUSTOMERS)
            give_open_items(env, customers[0])
            gate_alone(env, invoices(env, customers[0], 1))
            gate_alone(env, invoices(env, customers, INVOICES))
            for name, make in (("invoice", invoices), ("order", orders)):
                if name == "order" and "sale.order" not in env:
                    continue
                compare(
                    f"one {name}, {OPEN_ITEMS} open items",
                    registry,
                    lambda count, make=make: make(env, customers[0], count),
                    1,
                )
                compare(
                    f"{INVOICES} {name}s of {CUSTOMERS} customers",
                    registry,
                    lambda count, make=make: make(env, customers, count),
                    INVOICES,
                )
            cr.rollback()


if __name__ == "__main__":
    main()
