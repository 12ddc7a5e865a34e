"""The stand-in for wkhtmltopdf: what Odoo hands over, and what comes out of it."""

import ast
import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
from pypdf import PageObject, PdfReader, PdfWriter

from workspace.layout import ROOT

PROGRAM = ROOT / "tools/shim/wkhtmltopdf"
SOURCE = "addons/base/models/ir_actions_report.py"


@pytest.fixture(scope="module")
def shim():
    # No compiled copy beside the program: the folder is on the PATH.
    loader = SourceFileLoader("wkhtmltopdf_shim", str(PROGRAM))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    exec(compile(PROGRAM.read_text(), str(PROGRAM), "exec"), module.__dict__)
    return module


def options_of_odoo():
    """``{option: it has a value}`` of all that Odoo's report puts on the command line."""
    folders = importlib.util.find_spec("odoo").submodule_search_locations
    [path] = {path for folder in folders if (path := Path(folder, SOURCE).resolve()).exists()}
    tree = ast.parse(path.read_text())
    lists = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "extend"
        and "command_args" in ast.unparse(node.func)
    ]
    found = {}
    for words in (node.elts for node in lists if isinstance(node, ast.List)):
        found[words[0].value] = len(words) > 1
    return found


def test_all_options_of_odoo_are_understood(shim):
    """One that is taken for the other kind shifts all arguments behind it."""
    options = options_of_odoo()
    assert {"--header-html", "--page-size", "--quiet"} <= set(options), "found in Odoo's source"
    without = {option for option, has_value in options.items() if not has_value}
    assert without <= shim.WITHOUT_VALUE
    assert not shim.WITHOUT_VALUE & (set(options) - without)


def test_arguments(shim):
    line = (
        "--disable-local-file-access --cookie-jar /tmp/jar --quiet --page-size A4 --margin-top 40 "
        "--cookie frontend_lang en_US --orientation Landscape --header-html /tmp/h.html "
        "/tmp/one.html /tmp/two.html /tmp/out.pdf"
    )
    options, cookies, bodies, output = shim.parse(line.split())
    assert options["--cookie-jar"] == "/tmp/jar"
    assert options["--margin-top"] == "40"
    assert options["--header-html"] == "/tmp/h.html"
    assert cookies == [("frontend_lang", "en_US")]
    assert bodies == ["/tmp/one.html", "/tmp/two.html"]
    assert output == "/tmp/out.pdf"


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (210, 297)),
        ({"--page-size": "Letter"}, (215.9, 279.4)),
        ({"--page-size": "Letter", "--orientation": "Landscape"}, (279.4, 215.9)),
        ({"--page-width": "80mm", "--page-height": "100mm"}, (80, 100)),
        ({"--page-size": "unknown"}, (210, 297)),
    ],
)
def test_paper(shim, options, size):
    assert shim.page_size(options) == size


def test_addresses_of_files(shim):
    assert shim.file_url("/tmp/a b#c.html", page=2) == "file:///tmp/a%20b%23c.html?page=2"


class Browser:
    """Prints blank pages and remembers what it was asked for."""

    def __init__(self, pages):
        self.pages, self.asked = pages, []

    def print_page(self, address, size, margins=(0, 0, 0, 0)):
        self.asked.append((address, size, margins))
        name = Path(address.partition("?")[0]).name
        document = PdfWriter()
        for _number in range(self.pages.get(name, 1)):
            document.add_page(PageObject.create_blank_page(width=595, height=842))
        return document


def test_header_and_footer_on_each_page(shim):
    browser = Browser({"one.html": 2, "two.html": 1})
    options = {
        "--header-html": "/tmp/head.html",
        "--footer-html": "/tmp/foot.html",
        "--margin-top": "40",
        "--margin-bottom": "20",
        "--margin-left": "7",
        "--margin-right": "7",
    }
    written = shim.assemble(browser, options, ["/tmp/one.html", "/tmp/two.html"])
    assert len(written.pages) == 3
    bodies, overlays = browser.asked[:2], browser.asked[2:]
    assert [tuple(margins) for _address, _size, margins in bodies] == [(40, 20, 7, 7)] * 2
    heads = [(address, size) for address, size, _margins in overlays if "head" in address]
    assert [size for _address, size in heads] == [(210, 40)] * 3
    assert [size for address, size, _margins in overlays if "foot" in address] == [(210, 20)] * 3
    for number, (address, _size) in enumerate(heads, 1):
        assert f"page={number}&frompage=1&topage=3" in address
    # The pages of a customer are counted by themselves.
    assert ["sitepage=1&sitepages=2" in heads[0][0], "sitepage=2&sitepages=2" in heads[1][0]] == [
        True,
        True,
    ]
    assert "sitepage=1&sitepages=1" in heads[2][0]


def test_no_header_without_room(shim):
    browser = Browser({})
    shim.assemble(browser, {"--header-html": "/h.html", "--margin-top": "0"}, ["/tmp/one.html"])
    assert len(browser.asked) == 1


def test_cookies(shim, tmp_path):
    jar = tmp_path / "jar"
    jar.write_text("session_id=abc; HttpOnly; domain=127.0.0.1; path=/;")
    browser, calls = object.__new__(shim.Chromium), []
    browser.call = lambda method, **params: calls.append((method, params))
    browser.set_cookies(jar, [("frontend_lang", "en_US")])
    assert [(params["name"], params["value"], params["domain"]) for _method, params in calls] == [
        ("session_id", "abc", "127.0.0.1"),
        ("frontend_lang", "en_US", "127.0.0.1"),
    ]
    assert calls[0][1]["httpOnly"]


def test_version_that_odoo_wants():
    """Without these words Odoo prints neither headers nor several records at once."""
    command = [sys.executable, PROGRAM, "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "with patched qt" in answer
    assert answer.split()[1] >= "0.12.2"


def test_pages_are_pdf(shim, tmp_path):
    written = shim.assemble(Browser({}), {}, ["/tmp/one.html"])
    written.write(tmp_path / "out.pdf")
    assert len(PdfReader(tmp_path / "out.pdf").pages) == 1
