"""The kept list of deliberate mistakes: read, checked, put into a copy of the files.

One file per wing in ``tools/mutants/``. A mutant names a file, a text that stands in it exactly
once, what stands there instead, and the test files that should notice it.
"""

import tomllib
from typing import NamedTuple
from xml.etree import ElementTree

from .layout import ROOT, digest

FOLDER = ROOT / "tools/mutants"
KINDS = {
    "access": "a row of the access file or a group lets more people in",
    "boundary": "one more or one less",
    "check": "a check or a right is not asked for",
    "condition": "a condition is turned round or always the same",
    "filter": "one part of a filter or domain is dropped",
    "lock": "a lock is not taken",
    "rule": "a record rule lets everybody through",
    "value": "another value is written or computed",
    "view": "a button or field is shown to whom it should not be",
}
NEEDED = {"kind", "file", "old", "new", "tests"}
ALLOWED = NEEDED | {"update"}


class Mutant(NamedTuple):
    """One deliberate mistake.

    :ivar update: the addon has to be updated before the mistake has any effect (a constraint)
    """

    wing: str
    kind: str
    file: str
    old: str
    new: str
    tests: tuple
    update: bool = False

    @property
    def key(self):
        """A short name that stays when other mutants come and go."""
        return f"{self.wing}-{digest(self.file, self.old, self.new)[:6]}"

    @property
    def is_data(self):
        """The database has to read the file again."""
        return not self.file.endswith(".py")

    def apply(self, text):
        """The text of the file with the mistake.

        :raises ValueError: the old text is not there exactly once
        """
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"its old text stands {count} times in {self.file}")
        return text.replace(self.old, self.new)

    def describe(self):
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.key} ({self.kind}) {self.file}\n      - {old}\n      + {new or '(nothing)'}"


def read_mutants(folder=FOLDER):
    """All mutants, wing by wing."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        for entry in tomllib.loads(path.read_text()).get("mutant", []):
            if missing := NEEDED - set(entry):
                raise ValueError(f"{path.name}: {', '.join(sorted(missing))} missing in {entry}")
            if unknown := set(entry) - ALLOWED:
                raise ValueError(f"{path.name}: {', '.join(sorted(unknown))} unknown in {entry}")
            found.append(Mutant(path.stem, **{**entry, "tests": tuple(entry["tests"])}))
    return found


def find_problems(mutants, root=ROOT):
    """What keeps mutants of the list from being what they should be, as texts."""
    problems, seen = [], set()
    for mutant in mutants:
        if mutant.key in seen:
            problems.append(f"{mutant.key}: is in the list twice")
        seen.add(mutant.key)
        problems += [f"{mutant.key}: {problem}" for problem in _problems(mutant, root)]
    return problems


def _problems(mutant, root):
    if mutant.kind not in KINDS:
        yield f"unknown kind {mutant.kind}"
    for test in mutant.tests:
        if not (root / test.partition("::")[0]).is_file():
            yield f"there is no {test}"
    if not mutant.tests:
        yield "no test is named"
    path = root / mutant.file
    if not path.is_file():
        yield f"there is no {mutant.file}"
        return
    try:
        text = mutant.apply(path.read_text())
        if mutant.file.endswith(".py"):
            compile(text, mutant.file, "exec")
        elif mutant.file.endswith(".xml"):
            ElementTree.fromstring(text.encode())
    except (ValueError, SyntaxError, ElementTree.ParseError) as error:
        yield str(error)


def repair(addons, folder=FOLDER, root=ROOT):
    """Name the present file of texts that have moved; yield a line per change.

    A text that stands in no file, or in several, is left for a person.
    """
    texts = {
        str(path.relative_to(root)): path.read_text()
        for addon in addons
        for suffix in ("py", "xml", "csv")
        for path in (root / addon).rglob(f"*.{suffix}")
        if "tests" not in path.parts
    }
    for mutant in read_mutants(folder):
        if mutant.old in texts.get(mutant.file, ""):
            continue
        found = [file for file, text in texts.items() if text.count(mutant.old) == 1]
        if len(found) == 1:
            path = folder / f"{mutant.wing}.toml"
            before, old, after = path.read_text().partition(mutant.old)
            head, _name, middle = before.rpartition(f'file = "{mutant.file}"')
            path.write_text(f'{head}file = "{found[0]}"{middle}{old}{after}')
            yield f"{mutant.key}: {mutant.file} -> {found[0]}"
