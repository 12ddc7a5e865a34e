from lxml import etree

from odoo import SUPERUSER_ID, api
from odoo.tools import file_open
from odoo.tools.convert import xml_import


def migrate(cr, version):
    """The reason of small credit balances comes once, as in a new database."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    with file_open("ar_collections/data/writeoff.xml", "rb") as stream:
        root = etree.parse(stream).getroot()
    for record in list(root.iter("record")):
        if record.get("id") != "writeoff_reason_small_credit":
            record.getparent().remove(record)
        record.attrib.pop("forcecreate", None)
    xml_import(env, "ar_collections", {}, "update", noupdate=True).parse(root)
