"""What an update from former versions does, as far as it can be seen inside a transaction."""

import importlib.util
from pathlib import Path

from odoo.tests import TransactionCase, tagged

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def load(path):
    spec = importlib.util.spec_from_file_location(f"migration_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@tagged("post_install", "-at_install")
class TestMigration(TransactionCase):
    def _bridges(self, version):
        """The states of the bridges after an update from that version, none installed before."""
        modules = self.env["ir.module.module"]
        bridges = modules.search(
            [("name", "=like", "ar\\_collections\\_%"), ("auto_install", "=", True)]
        )
        ready = bridges.filtered(
            lambda bridge: all(each.state == "installed" for each in bridge.dependencies_id)
        )
        bridges.state = "uninstalled"
        self.env.flush_all()
        load(MIGRATIONS / "19.0.5.0.0/post-install_bridges.py").migrate(self.env.cr, version)
        self.env.invalidate_all()
        return set(ready.mapped("state"))

    def test_bridges_that_an_update_brings_are_installed(self):
        self.assertLessEqual(self._bridges("19.0.1.0.0"), {"to install"})

    def test_bridges_that_somebody_removed_stay_away(self):
        self.assertLessEqual(self._bridges("19.0.4.0.2"), {"uninstalled"})
