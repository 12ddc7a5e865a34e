"""The page HOUSE.md shows the house as it is."""

import re

from house import PAGE, draw, get_purpose, replace_drawing
from test_structure import ROOT, get_owners, get_wings


def test_drawing_is_fresh():
    page = PAGE.read_text()
    assert page == replace_drawing(page), "python3 tests/house.py draws it anew"


def test_every_wing_says_what_it_is_for():
    assert [wing for wing in get_wings() if not get_purpose(wing).endswith(".")] == []


def test_drawing_has_every_model():
    drawn = set(re.findall(r"\bar\.[a-z.]+[a-z]", draw()))
    assert drawn == {model for model in get_owners() if model.startswith("ar.")}


def test_links_lead_somewhere():
    """Whatever file the pages for builders name is there."""
    for page in (
        "README.md",
        "CONTRIBUTING.md",
        "HOUSE.md",
        "benchmarks/README.md",
        "ar_collections/readme/INSTALL.md",
    ):
        path = ROOT / page
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text())
        assert [link for link in links if not (path.parent / link).exists()] == [], page
        named = re.findall(r"`((?:models|tests)/[\w/]+(?:\.py)?)/?`", path.read_text())
        places = (ROOT, ROOT / "ar_collections")
        lost = [name for name in named if not any((place / name).exists() for place in places)]
        assert lost == [], page
