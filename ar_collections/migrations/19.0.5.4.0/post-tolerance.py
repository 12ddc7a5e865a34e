"""What a credit manager may still do alone, for ledgers in use."""

from odoo import SUPERUSER_ID, api
from odoo.tools import convert_file


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    convert_file(env, "ar_collections", "data/credit_tolerance.xml", {}, "init", noupdate=True)
