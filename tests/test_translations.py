"""The Chinese translation is complete: every term that Odoo exports has one."""

import io
import re

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import trans_export

from workspace.layout import LANGUAGE, ROOT, addons

PLACEHOLDER = re.compile(r"%\(\w+\)[\d.]*[sdf]|%[sdf]|\$\{\w+\}|\{\w+\}")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    def export(self, addon):
        """The addon's .pot as ``odoo i18n export -l pot`` writes it."""
        buffer = io.BytesIO()
        if not trans_export(None, [addon], buffer, "po", self.env):
            return []  # nothing to translate
        return polib.pofile(buffer.getvalue().decode())

    def test_complete(self):
        for addon in addons():
            with self.subTest(addon=addon):
                terms = {entry.msgid for entry in self.export(addon)}
                path = ROOT / addon / "i18n" / f"{LANGUAGE}.po"
                if not path.exists() and not terms:
                    continue
                self.assertTrue(path.exists(), f"{path} is missing, {len(terms)} terms")
                catalog = polib.pofile(str(path))
                translated = {entry.msgid for entry in catalog.translated_entries()}
                fuzzy = {entry.msgid for entry in catalog.fuzzy_entries()}
                self.assertFalse(sorted(fuzzy), "fuzzy")
                self.assertFalse(sorted(terms - translated), "without translation")
                # Odoo passes over entries that do not say where they come from.
                lost = {entry.msgid for entry in catalog if not entry.occurrences}
                self.assertFalse(sorted(lost), "without reference")

    def test_placeholders(self):
        """A translation that drops or invents a placeholder fails when it is shown."""
        for path in ROOT.glob("ar_collections*/i18n/*.po"):
            for entry in polib.pofile(str(path)).translated_entries():
                with self.subTest(file=path.name, term=entry.msgid):
                    wanted = sorted(PLACEHOLDER.findall(entry.msgid))
                    self.assertEqual(sorted(PLACEHOLDER.findall(entry.msgstr)), wanted)
