from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """What is asked for is net of open credits; invoices in payment have no part in it any more."""
    cr.execute("DROP INDEX IF EXISTS account_move_ar_in_payment_idx")
    cr.execute(
        """
        UPDATE account_move SET ar_write_off = TRUE
         WHERE id IN (SELECT move_id FROM ar_writeoff_request)
        """
    )
    env = api.Environment(cr, SUPERUSER_ID, {})
    for case in env["ar.collection.case"].search([("state", "=", "closed")]):
        case._keep_amounts(case.date_closed)
    for company in env["res.company"].search([("parent_id", "=", False)]):
        date = company._ar_get_run_date()
        env["ar.credit.refresh"]._refresh_figures(company, date)
        env["ar.collection.sync"]._sync_cases(company, date)
