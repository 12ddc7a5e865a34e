from lxml import etree

from odoo import SUPERUSER_ID, api
from odoo.tools import file_open, parse_version
from odoo.tools.convert import xml_import

#: since this version nothing was added to the configuration that is shipped
SAME_SINCE = "19.0.4.0.0"
FILES = (
    "mail_template",
    "mail_template_agreement",
    "sms_template",
    "credit_grade",
    "credit_criterion",
    "credit_review",
    "dispute_reason",
    "writeoff",
    "collection_excuse",
    "collection_stage",
    "collection_policy",
    "collection_priority_rule",
)


def migrate(cr, version):
    """What was shipped for the first time after the former version comes once.

    Updates create no configuration any more, so that what somebody deleted stays away.
    """
    if parse_version(version) >= parse_version(SAME_SINCE):
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in FILES:
        with file_open(f"ar_collections/data/{name}.xml", "rb") as stream:
            root = etree.parse(stream).getroot()
        for record in root.iter("record"):
            record.attrib.pop("forcecreate", None)
        xml_import(env, "ar_collections", {}, "update", noupdate=True).parse(root)
