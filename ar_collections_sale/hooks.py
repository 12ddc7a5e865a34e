def post_init_hook(env):
    """Customers whose orders are not invoiced yet owe them already: each gets its credit file."""
    files, refresh = env["ar.credit.file"], env["ar.credit.refresh"]
    for company in env["res.company"].search([("parent_id", "=", False)]):
        today = company._ar_today()
        for _company_id, partner_id, _amount in env.execute_query(
            refresh._orders_sql(company, today)
        ):
            files._get_file(env["res.partner"].browse(partner_id), company, create=True)
        refresh._refresh_orders(company, today)
