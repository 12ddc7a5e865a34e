from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Who was responsible for a case, from what was tracked of it."""
    api.Environment(cr, SUPERUSER_ID, {})["ar.case.period"]._make_from_tracking()
