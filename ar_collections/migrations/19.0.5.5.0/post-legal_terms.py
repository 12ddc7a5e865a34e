from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Interest and tax that no company had set advise nothing: sheets not decided ask for them."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    sheets = env["ar.legal.decision"].search(
        [("state", "=", "draft"), ("interest", "=", 0.06), ("tax_rate", "=", 0.25)]
    )
    sheets.write({"interest": False, "tax_rate": False})
