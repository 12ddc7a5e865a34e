"""Companies of another currency get what they lack of their own of shared grades and tiers."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["res.company"]._ar_fit_shared()
