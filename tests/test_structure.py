"""The walls of the house: what a file may name, by the wing it stands in.

Plain ``ast`` over the sources, without Odoo and without a database. The wings and their order are
those of ``models/__init__.py``, from the ground up; the doors into Odoo are the files directly in
``models/``. A wing knows itself and what is below it.
"""

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
ADDON = ROOT / "ar_collections"
MODELS = ADDON / "models"
DOORS = "doors"
#: words in the names of files that are nobody's wing: of the whole house, or of Odoo's own models
HOUSE = ("house", "common", "menus")
ODOO = ("account", "base", "ir", "mail", "payment", "res", "sms")
#: lines that a file may have, so that the main class of a wing fits into one
MOST_LINES = 800
#: how many of our models may have a class in more than one wing
MOST_SHARED = 10
#: the only statements on the ledger's own tables: figures, and what measures single items
LEDGER = ("account_move_line", "account_partial_reconcile")
LEDGER_FILES = {
    "figures/position.py": "what is owed, and how it was paid",
    "figures/claim.py": "which debits are claims, and since when",
    "figures/item_shape.py": "which parts of the statement customers need, and matchings undone",
    "figures/movement.py": "what changed a customer's account, and who paid",
    "figures/netting.py": "since when credits pay what nobody has matched",
    "figures/settlement.py": "what came off items, by what and when",
    "charge/late_charge_accrual.py": "what was open of an item on which days",
    "writeoff/writeoff_unapproved.py": "expenses that receivables were cleared to by hand",
    "allowance/allowance_ledger.py": "the balance of the allowance account",
}
#: what is spelled in one file alone, and where
ONE_HOME = {
    "trade receivable": (r"asset_receivable", "figures/trade_receivable.py"),
    "money": (r"'bank', 'cash'|\"bank\", \"cash\"", "figures/settlement.py"),
    "recipient": (r"address_get\(", "credit/recipient.py"),
}
#: records without which the addon does not work
MACHINERY = ("ir.cron", "mail.activity.type")


class Class(NamedTuple):
    """A model class of ours."""

    path: Path
    model: str
    # Whether the model begins here.
    new: bool
    inherits: tuple
    node: ast.ClassDef


class Sight(NamedTuple):
    """Something that a file names: the line, what, and the lowest wing that has it."""

    path: Path
    line: int
    what: str
    wing: str

    def __str__(self):
        where = f"{self.path.relative_to(ROOT)}:{self.line}"
        return f"{where} ({get_wing(self.path)}) names {self.what} ({self.wing})"


@cache
def parse(path):
    return ast.parse(path.read_text())


@cache
def get_wings():
    """The wings from the ground up, with the doors where they are loaded."""
    order = []
    for node in parse(MODELS / "__init__.py").body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                wing = alias.name if (MODELS / alias.name).is_dir() else DOORS
                if wing not in order:
                    order.append(wing)
    return order


@cache
def get_sources():
    """Files with models: those of the wings, and the wizards."""
    folders = [*MODELS.rglob("*.py"), *(ADDON / "wizard").glob("*.py")]
    return sorted(path for path in folders if path.name != "__init__.py")


@cache
def get_words():
    """``{word of a file name: wing}``: the wings, their files, and what Odoo calls its models."""
    words = dict.fromkeys(ODOO, DOORS) | {wing: wing for wing in get_wings() if wing != DOORS}
    for path in MODELS.rglob("*.py"):
        if path.name != "__init__.py" and path.parent != MODELS:
            words.setdefault(path.stem, path.parent.name)
    return words


@cache
def get_wing(path):
    """The wing of a file: its folder, or elsewhere the longest word that its name begins with."""
    if path.is_relative_to(MODELS):
        return DOORS if path.parent == MODELS else path.relative_to(MODELS).parts[0]
    name = path.stem.removeprefix("test_")
    found = [word for word in get_words() if name == word or name.startswith(f"{word}_")]
    return get_words()[max(found, key=len)] if found else None


def get_height(wing):
    return get_wings().index(wing)


def read_class(path, node):
    """The model of a class statement, or ``None``."""
    values = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if name in ("_name", "_inherit"):
                values[name] = ast.literal_eval(statement.value)
    inherits = values.get("_inherit", ())
    inherits = (inherits,) if isinstance(inherits, str) else tuple(inherits)
    model = values.get("_name") or (inherits[0] if len(inherits) == 1 else None)
    if model is None:
        return None
    return Class(path, model, model not in inherits and "_name" in values, inherits, node)


@cache
def get_classes():
    return [
        found
        for path in get_sources()
        for node in parse(path).body
        if isinstance(node, ast.ClassDef) and (found := read_class(path, node))
    ]


@cache
def get_owners():
    """``{model of ours: the wing where it begins}``."""
    return {found.model: get_wing(found.path) for found in get_classes() if found.new}


@cache
def get_tables():
    return {model.replace(".", "_"): wing for model, wing in get_owners().items()}


def calls_super(method):
    """Whether a method adds to one that is there: Odoo's, or a hook of a lower wing."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == method.name
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "super"
        for node in ast.walk(method)
    )


@cache
def get_odoo_methods():
    """Names of methods that begin in Odoo: classes of ours add to them on models of Odoo."""
    return {
        node.name
        for found in get_classes()
        if not found.model.startswith("ar.")
        for node in found.node.body
        if isinstance(node, ast.FunctionDef) and calls_super(node)
    }


@cache
def get_methods():
    """``{name of a method: the lowest wing that has it}``, of those that begin with us."""
    methods = {}
    for path in get_sources():
        for node in ast.walk(parse(path)):
            if (
                isinstance(node, ast.FunctionDef)
                and re.match("_[a-z]|action_", node.name)
                and node.name not in get_odoo_methods()
            ):
                wings = (methods.get(node.name), get_wing(path))
                methods[node.name] = min(filter(None, wings), key=get_height)
    return methods


def get_sights(path):
    """All that a file names of ours: models, tables, methods and modules."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in get_owners():
                yield Sight(path, node.lineno, node.value, get_owners()[node.value])
            elif " " in node.value:
                for table in re.findall(r"\bar_[a-z_]+\b", node.value):
                    if table in get_tables():
                        yield Sight(path, node.lineno, table, get_tables()[table])
        elif isinstance(node, ast.Attribute) and node.attr in get_methods():
            yield Sight(path, node.lineno, f"{node.attr}()", get_methods()[node.attr])
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield from get_imports(path, node)


def get_imports(path, node):
    base = path.parent
    for _up in range(node.level - 1):
        base = base.parent
    module = base.joinpath(*(node.module or "").split("."))
    for target in (module.with_suffix(".py"), *(module / f"{a.name}.py" for a in node.names)):
        if target.exists() and target.is_relative_to(ADDON) and (wing := get_wing(target)):
            yield Sight(path, node.lineno, target.stem, wing)


def show(rows):
    return "\n".join(["", *map(str, rows)])


def test_every_file_has_a_wing():
    """Whoever knows the wing finds all of it: views, wizards, papers, data and tests as well."""
    places = (
        *("wizard/*.py", "controllers/*.py", "report/*.xml", "views/*.xml", "data/*.xml"),
        "tests/test_*.py",
    )
    homeless = [
        path.relative_to(ROOT)
        for place in places
        for path in sorted(ADDON.glob(place))
        if path.name != "__init__.py"
        and not path.stem.removeprefix("test_").startswith(HOUSE)
        and not get_wing(path)
    ]
    assert not homeless, show(homeless)


def test_nothing_points_up():
    up = [
        sight
        for path in get_sources()
        for sight in get_sights(path)
        if get_height(sight.wing) > get_height(get_wing(path))
    ]
    assert not up, show(up)


def test_one_class_per_model_and_wing():
    """What an upper wing adds to a lower model is the only reason for a second class."""
    found = defaultdict(list)
    for each in get_classes():
        found[each.model, get_wing(each.path)].append(each.path.name)
    cut = {key: names for key, names in found.items() if len(names) > 1}
    assert not cut, show(cut.items())
    shared = Counter(model for model, _wing in found if model in get_owners())
    shared = [model for model, count in shared.items() if count > 1]
    assert len(shared) <= MOST_SHARED, show(sorted(shared))


def test_no_file_is_too_long():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.glob("ar_collections*/**/*.py")
        if "tests" not in path.parts and (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert not long, show(long.items())


def test_figures_alone_read_the_ledger():
    """No report, screen or reminder has figures of its own."""
    found = set()
    for path in get_sources():
        for node in ast.walk(parse(path)):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.search(rf"\b(FROM|JOIN|UPDATE)\s+({'|'.join(LEDGER)})\b", node.value)
            ):
                found.add(str(path.relative_to(MODELS)))
    assert found == set(LEDGER_FILES), show(sorted(found ^ set(LEDGER_FILES)))


def test_one_home():
    """A definition is spelled in one file; all others ask it."""
    for what, (pattern, home) in ONE_HOME.items():
        found = [
            f"{path.relative_to(ROOT)}:{number} spells {what}"
            for path in sorted(ROOT.glob("ar_collections*/**/*.py"))
            if not {"tests", "demo", "migrations"} & set(path.parts) and path != MODELS / home
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if re.search(pattern, line)
        ]
        assert not found, show(found)


def test_shipped_configuration_is_created_once():
    """What a company deletes stays away; machinery alone is mended by an update."""
    again = [
        f"{path.relative_to(ROOT)}: {record.get('id')}"
        for path in sorted(ROOT.glob("ar_collections*/data/*.xml"))
        for tree in [ElementTree.parse(path).getroot()]
        if tree.get("noupdate") == "1"
        # What stands within a record comes with it.
        for record in tree.findall("record")
        if record.get("model") not in MACHINERY and record.get("forcecreate") != "0"
    ]
    assert not again, show(again)


def test_lists_of_models_only_at_the_top():
    """A wing that comes later is in no list of a lower one."""
    lists = []
    for path in (*get_sources(), *(ADDON / "controllers").glob("*.py")):
        if get_wing(path) == get_wings()[-1]:
            continue
        # What Odoo asks of a class is no list of ours.
        own = set()
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef):
                own |= {
                    id(statement.value)
                    for statement in node.body
                    if isinstance(statement, ast.Assign)
                    and getattr(statement.targets[0], "id", "") in ("_inherit", "_depends")
                }
            items = getattr(node, "keys", None) or getattr(node, "elts", None)
            if isinstance(items, list) and id(node) not in own:
                models = [item for item in items if getattr(item, "value", None) in get_owners()]
                if len(models) > 1:
                    lists.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not lists, show(lists)
