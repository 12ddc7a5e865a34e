from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """The reason of small debts gets the limits that its text speaks of."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    reason = env.ref("ar_collections.writeoff_reason_one_year_small", raise_if_not_found=False)
    if reason and not reason.maximum_amount and not reason.maximum_revenue_share:
        reason.write(
            {
                "maximum_amount": 50000,
                "maximum_currency_id": env.ref("base.CNY").id,
                "maximum_revenue_share": 0.01,
            }
        )
