from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Write-offs under way keep the approval tiers that they were submitted with."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    requests = env["ar.writeoff.request"].search([("state", "in", ("submitted", "approved"))])
    for company, same in requests.grouped("company_id").items():
        tiers = env["ar.writeoff.tier"]._get_tiers(company)
        same.filtered(lambda request: not request.tier_ids).tier_ids = tiers
