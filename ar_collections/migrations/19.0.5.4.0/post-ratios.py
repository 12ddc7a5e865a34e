"""The shipped criteria take their value from the financial statement, and from visits."""

from odoo import SUPERUSER_ID, api

RATIOS = ("current_ratio", "debt_ratio", "profit_margin")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in RATIOS:
        criterion = env.ref(f"ar_collections.credit_criterion_{name}", raise_if_not_found=False)
        if criterion and criterion.kind == "number":
            criterion.ratio = name
    visit = env.ref("ar_collections.credit_criterion_site_visit", raise_if_not_found=False)
    if visit and visit.kind == "rating":
        visit.by_visit = True
