"""Odoo's own lint tests (module test_lint), on the addons of this repository only."""

from unittest.mock import patch

from odoo import tools
from odoo.modules import Manifest
from odoo.tests import tagged

from odoo.addons.test_lint.tests import (
    test_docstring as docstring,
    test_dunderinit as dunderinit,
    test_i18n as i18n,
    test_index as index,
    test_jstranslate as jstranslate,
    test_manifests as manifests,
    test_naming as naming,
    test_onchange_domains as onchange_domains,
    test_orm_import as orm_import,
    test_override_signatures as override_signatures,
    test_pofile as pofile,
    test_pylint as pylint,
    test_routes as routes,
    test_test_holes as test_holes,
)

from workspace.layout import ROOT, addons


class OnOurAddons:
    """Show Odoo's checks only our manifests, and let what they merely log fail as well."""

    def setUp(self):
        super().setUp()
        ours = [Manifest.for_addon(name) for name in addons()]
        self.enterContext(patch.object(Manifest, "all_addon_manifests", return_value=ours))
        self.enterContext(self.assertNoLogs("odoo.addons.test_lint", "WARNING"))


class TestDunderinit(OnOurAddons, dunderinit.TestDunderinit):
    pass


class TestI18n(OnOurAddons, i18n.TestI18n):
    pass


class TestJsTranslations(OnOurAddons, jstranslate.TestJsTranslations):
    pass


class TestManifests(OnOurAddons, manifests.ManifestLinter):
    pass


class TestOnchangeDomains(OnOurAddons, onchange_domains.TestOnchangeDomains):
    pass


class TestOrmImport(OnOurAddons, orm_import.TestDunderinit):
    pass


class TestTestHoles(OnOurAddons, test_holes.TestTestHoles):
    pass


@tagged("post_install", "-at_install")
class TestDocstring(OnOurAddons, docstring.TestDocstring):
    pass


@tagged("post_install", "-at_install")
class TestIndex(OnOurAddons, index.TestIndex):
    pass


@tagged("post_install", "-at_install")
class TestNaming(OnOurAddons, naming.TestNaming):
    pass


@tagged("post_install", "-at_install")
class TestOverrideSignatures(OnOurAddons, override_signatures.TestLintOverrideSignatures):
    pass


@tagged("post_install", "-at_install")
class TestPotFiles(OnOurAddons, pofile.PotLinter):
    def setUp(self):
        super().setUp()
        self.enterContext(patch.object(pofile, "get_modules", return_value=list(addons())))


@tagged("post_install", "-at_install")
class TestRoutes(OnOurAddons, routes.RoutesLinter):
    pass


class TestPylint(OnOurAddons, pylint.TestPyLint):
    """Odoo's pylint plugins: SQL injection, gettext, unlink."""

    def test_pylint(self):
        # The check always adds Odoo's own source folder: give it one of ours instead.
        with patch.object(tools.config, "root_path", str(ROOT / next(iter(addons())))):
            super().test_pylint()


class TestConflictMarkers(OnOurAddons, dunderinit.lint_case.LintCase):
    """Odoo's check walks through all folders; this one reads ours."""

    def test_conflict_markers(self):
        for path in self.iter_module_files("*.[pjxcs]*"):
            if path.endswith((".py", ".js", ".xml", ".scss", ".css")):
                with open(path, "rb") as stream:
                    lines = stream.read().splitlines()
                marks = [line for line in lines if line.startswith((b"<" * 7, b">" * 7))]
                self.assertFalse(marks, path)
