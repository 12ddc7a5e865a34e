"""Reviews and ends of limits are put off by a month at most alone, as it is shipped now.

Whoever has changed the shipped tolerance has made it their own: it is left as it is only when it
lets nobody raise a limit alone.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    shipped = env.ref("ar_collections.credit_tolerance_manager", raise_if_not_found=False)
    if shipped and (shipped.limit_share or shipped.limit_amount):
        shipped.postpone_days = 30
