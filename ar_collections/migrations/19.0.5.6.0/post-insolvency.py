"""Promises and plans of customers who are insolvent already end as those of later ones do."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for insolvency in env["ar.insolvency"].search([("state", "=", "open")]):
        insolvency._end_agreements()
