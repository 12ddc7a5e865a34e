"""The shipped criteria of annual accounts take their value from the financial statement."""

from odoo import SUPERUSER_ID, api

RATIOS = ("current_ratio", "debt_ratio", "profit_margin")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in RATIOS:
        criterion = env.ref(f"ar_collections.credit_criterion_{name}", raise_if_not_found=False)
        if criterion and criterion.kind == "number":
            criterion.ratio = name
