from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Files and cases learn what of their items may be asked for; so far that is everything."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for company in env["res.company"].search([("parent_id", "=", False)]):
        date = company._ar_get_run_date()
        env["ar.credit.refresh"]._refresh_figures(company, date)
        env["ar.collection.sync"]._sync_cases(company, date)
