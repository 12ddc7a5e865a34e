"""Who may do and see what, kept a second time in ``rights.txt``.

A wrong row of the access file is often hidden behind another wall: whoever loosens one has to say
so here as well. ``python3 tests/test_rights.py`` writes the file anew; look at the difference.
"""

import ast
import csv
import difflib
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests/rights.txt"
MAIN = "ar_collections"
LETTERS = {"perm_read": "r", "perm_write": "w", "perm_create": "c", "perm_unlink": "d"}
#: what an auditor fills in to print it
AUDITORS_FORMS = {"ar_collection_statement"}
#: rules that add to the others of their model for whom they name
OPEN_TO_ALL = "[(1, '=', 1)]"
#: what judges the records given, and what judges the user alone
ON_RECORDS, ON_USER = {"check_access", "has_access"}, {"has_group", "has_groups"}
#: attributes that decide whether somebody sees a part of a screen
DECISIVE = ("groups", "invisible", "readonly")


def addons():
    return sorted(path.parent for path in ROOT.glob(f"{MAIN}*/__manifest__.py"))


def read_access():
    """``(model, group, letters)`` of each row of the access files."""
    for path in (addon / "security/ir.model.access.csv" for addon in addons()):
        if not path.exists():
            continue
        with open(path, newline="") as stream:
            for row in csv.DictReader(stream):
                model = row.get("model_id:id") or row["model_id/id"]
                group = row.get("group_id:id") or row["group_id/id"]
                letters = "".join(
                    letter if row[column] == "1" else "-" for column, letter in LETTERS.items()
                )
                model = model.rpartition(".")[2].removeprefix("model_")
                yield model, group.removeprefix(f"{MAIN}."), letters


def documents():
    """``(addon, tree)`` of all XML files that an installation loads, without demo data."""
    for addon in addons():
        for folder in ("security", "views", "wizard", "report", "data"):
            for path in sorted(addon.glob(f"{folder}/*.xml")):
                yield addon.name, ElementTree.parse(path).getroot()


def one_line(text):
    return " ".join((text or "").split())


def read_rules():
    """A line per record rule and per group: whom it is for and what it lets through."""
    for _addon, tree in documents():
        for record in tree.iter("record"):
            if record.get("model") not in ("ir.rule", "res.groups"):
                continue
            values = {
                field.get("name"): one_line(field.get("eval") or field.get("ref") or field.text)
                for field in record.iter("field")
                if field.get("name") not in ("name", "comment")
            }
            parts = [f"{name} {value}" for name, value in sorted(values.items())]
            yield f"{record.get('model')} {record.get('id')}: {'; '.join(parts)}"


def read_screens():
    """A line per button, menu and field of a view that not everybody sees at any time."""
    for _addon, tree in documents():
        for record in (*tree.iter("record"), *tree.iter("template")):
            for part in record.iter():
                yield from _describe(record.get("id"), part)
        for menu in tree.iter("menuitem"):
            yield from _describe("menu", menu, menu.get("id"))


def _describe(view, part, name=None):
    shown = [f"{each}={one_line(part.get(each))}" for each in DECISIVE if part.get(each)]
    if shown or part.tag == "button":
        name = name or part.get("name") or part.get("string") or part.get("class") or ""
        yield f"{view} {part.tag} {one_line(name)}: {' '.join(shown) or 'always'}"


def describe():
    """The whole table as text."""
    models = defaultdict(list)
    for model, group, letters in read_access():
        models[model].append(f"{group} {letters}")
    access = [f"{model}: {', '.join(sorted(groups))}" for model, groups in models.items()]
    sections = {
        "access (read, write, create, delete)": access,
        "rules and groups": read_rules(),
        "screens": read_screens(),
    }
    lines = []
    for title, content in sections.items():
        lines += [f"# {title}", *sorted(content), ""]
    return "\n".join(lines)


def test_table_is_kept():
    kept, found = TABLE.read_text(), describe()
    changes = difflib.unified_diff(kept.splitlines(), found.splitlines(), "kept", "found", n=0)
    assert kept == found, "\n".join(["intended? python3 tests/test_rights.py", *changes])


def test_auditors_change_nothing():
    for model, group, letters in read_access():
        if group == "group_auditor" and model not in AUDITORS_FORMS:
            assert letters == "r---", model


def test_nobody_is_given_what_it_may_not_read():
    for model, group, letters in read_access():
        assert letters[0] == "r", (model, group)


def test_every_row_names_a_group():
    """Without one it holds for everybody, the public included."""
    assert [model for model, group, _letters in read_access() if not group] == []


def test_rules_that_let_everything_through_name_who():
    for _addon, tree in documents():
        for record in tree.iter("record"):
            fields = {field.get("name"): field for field in record.iter("field")}
            if record.get("model") != "ir.rule":
                continue
            if one_line(fields["domain_force"].text) == OPEN_TO_ALL:
                assert "groups" in fields, record.get("id")


def read_methods():
    """``(where, function)`` of all methods of models and wizards."""
    for addon in addons():
        for path in sorted((*addon.glob("models/**/*.py"), *addon.glob("wizard/*.py"))):
            for model in ast.parse(path.read_text()).body:
                if isinstance(model, ast.ClassDef):
                    for method in model.body:
                        if isinstance(method, ast.FunctionDef):
                            yield f"{path.relative_to(ROOT)}:{method.lineno} {method.name}", method


def get_calls(method):
    """``{name: line of the first call}``"""
    calls = {}
    for call in ast.walk(method):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", None))
            calls[name] = min(call.lineno, calls.get(name, call.lineno))
    return calls


def get_checks(names):
    """These names and those of the methods ``_check_…`` that call one of them."""
    checks = set(names)
    while True:
        found = {
            method.name
            for _where, method in read_methods()
            if method.name.startswith("_check") and not checks.isdisjoint(get_calls(method))
        }
        if found <= checks:
            return checks
        checks |= found


def find_sudo_before_rights(methods):
    """Methods that take more rights before those on the records given were checked.

    Of public methods, which anybody may call, and of all that ask for a group alone. What an
    override does after ``super()`` was allowed there.
    """
    on_records, on_user = get_checks(ON_RECORDS), get_checks(ON_USER)
    for where, method in methods:
        calls = get_calls(method)
        sudo = calls.get("sudo")
        asked = sudo and any(line < sudo for name, line in calls.items() if name in on_user)
        if not sudo or (method.name.startswith("_") and not asked):
            continue
        if not any(line <= sudo for name, line in calls.items() if name in {*on_records, "super"}):
            yield where


def test_rights_on_records_come_before_sudo():
    assert list(find_sudo_before_rights(read_methods())) == []


def test_sudo_after_a_group_check_alone_is_found():
    sources = {
        "def action(self):\n self.sudo().go()": True,
        "def action(self):\n self._check_access_rights()\n self.sudo().go()": True,
        "def action(self):\n self.env.user.has_group('x')\n self.sudo().go()": True,
        "def _go(self):\n if self.env.user.has_group('x'):\n  self.sudo().go()": True,
        "def _go(self):\n self._check_policy_manager()\n self.sudo().go()": True,
        "def action(self):\n self.sudo().go()\n self.check_access('write')": True,
        "def action(self):\n self.check_access('write')\n self.sudo().go()": False,
        "def action(self):\n super().action()\n self.sudo().go()": False,
        "def _go(self):\n self.sudo().go()": False,
    }
    for source, found in sources.items():
        method = ast.parse(source).body[0]
        assert bool(list(find_sudo_before_rights([("here", method)]))) == found, source


if __name__ == "__main__":
    TABLE.write_text(describe())
    sys.stdout.write(f"{TABLE} written\n")
