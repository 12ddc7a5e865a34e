from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Credit files learn the earliest due date of what may be asked for."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for company in env["res.company"].search([("parent_id", "=", False)]):
        env["ar.credit.refresh"]._refresh_figures(company, company._ar_get_run_date())
