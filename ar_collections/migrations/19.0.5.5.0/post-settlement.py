from lxml import etree

from odoo import SUPERUSER_ID, api
from odoo.tools import file_open
from odoo.tools.convert import xml_import

NEW = {
    "mail_template_agreement": "mail_template_settlement",
    "writeoff": "writeoff_reason_settlement",
}


def migrate(cr, version):
    """The reason and the text of settlements come once, as in a new database."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, wanted in NEW.items():
        with file_open(f"ar_collections/data/{name}.xml", "rb") as stream:
            root = etree.parse(stream).getroot()
        for record in list(root.iter("record")):
            if record.get("id") != wanted:
                record.getparent().remove(record)
            record.attrib.pop("forcecreate", None)
        xml_import(env, "ar_collections", {}, "update", noupdate=True).parse(root)
