from odoo import SUPERUSER_ID, api
from odoo.tools import parse_version

#: every bridge is younger
BEFORE_BRIDGES = "19.0.3.0.0"
MAIN = "ar_collections"


def migrate(cr, version):
    """Install the bridges whose addons are installed.

    Odoo installs them by themselves with the main addon, but not when an update brings them. A
    company that knew them and removed one does not get it back.
    """
    if not version or parse_version(version) >= parse_version(BEFORE_BRIDGES):
        return
    env = api.Environment(cr, SUPERUSER_ID, {})
    present = ("installed", "to upgrade", "to install")
    bridges = env["ir.module.module"].search(
        [
            ("name", "=like", f"{MAIN}\\_%"),
            ("auto_install", "=", True),
            ("state", "=", "uninstalled"),
        ]
    )
    bridges.filtered(
        lambda bridge: all(each.state in present for each in bridge.dependencies_id)
    ).button_install()
