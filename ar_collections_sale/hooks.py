from odoo.tools import SQL

from .models.ledger_index import INDEXES


def post_init_hook(env):
    """Customers whose orders are not invoiced yet owe them already: each gets its credit file."""
    refresh = env["ar.credit.refresh"]
    for company in env["res.company"].search([("parent_id", "=", False)]):
        today = company._ar_today()
        orders = refresh._orders_sql(company, today)
        refresh._make_files(company, SQL("SELECT partner_id AS id FROM (%s) orders", orders))
        refresh._refresh_orders(company, today)


def uninstall_hook(env):
    env["ar.ledger.index"]._drop(INDEXES)
