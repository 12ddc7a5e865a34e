from odoo import SUPERUSER_ID, api
from odoo.tools import convert_file


def migrate(cr, version):
    """Companies that are made from now on get amounts of their currency; the others keep theirs."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    convert_file(env, "ar_collections", "data/res_currency.xml", {}, mode="init", noupdate=True)
