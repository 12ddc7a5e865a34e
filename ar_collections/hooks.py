def post_init_hook(env):
    """Give every customer of a ledger in use its credit file at once."""
    for company in env["res.company"].search([("parent_id", "=", False)]):
        env["ar.credit.file"]._refresh(company, company._ar_today())
