"""The picture of the house in HOUSE.md, drawn from what the structure test reads.

``python3 tests/house.py`` draws it anew.
"""

import ast
import textwrap

from test_structure import DOORS, MODELS, ROOT, get_classes, get_owners, get_wing, get_wings

PAGE = ROOT / "HOUSE.md"
BEGIN, END = "<!-- drawn by tests/house.py -->\n", "<!-- end of the drawing -->\n"
#: characters of the two columns
NAMES, TEXTS = 12, 90


def draw():
    """The wings from the roof to the ground: what each is for, has and adds to lower ones."""
    edge = "+".join(["", "-" * (NAMES + 2), "-" * (TEXTS + 2), ""])
    lines = ["```text", edge]
    for wing in reversed(get_wings()):
        name = f"({wing})" if wing == DOORS else wing
        for text in _get_texts(wing):
            lines.append(f"| {name:{NAMES}} | {text:{TEXTS}} |")
            name = ""
        lines.append(edge)
    return "\n".join([*lines, "```", ""])


def _get_texts(wing):
    """The lines of a wing's box."""
    owners = get_owners()
    classes = [found for found in get_classes() if get_wing(found.path) == wing]
    added = {found.model for found in classes if not found.new}
    yield from textwrap.wrap(get_purpose(wing), TEXTS)
    yield from _get_list("has", {found.model for found in classes if found.new})
    yield from _get_list("adds to", {model for model in added if owners.get(model, wing) != wing})
    yield from _get_list("adds to Odoo's", added - owners.keys())


def _get_list(label, models):
    if models:
        text = f"{label}: {', '.join(sorted(models))}"
        yield from textwrap.wrap(text, TEXTS, subsequent_indent="  ", break_on_hyphens=False)


def get_purpose(wing):
    """The first line of the docstring of the wing's folder."""
    folder = MODELS if wing == DOORS else MODELS / wing
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    return (text or "").partition("\n")[0]


def replace_drawing(page):
    """The text of the page with a fresh drawing between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name} lacks the marks of the drawing")
    return f"{before}{begin}{draw()}{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(replace_drawing(PAGE.read_text()))
