"""Linters: ruff on everything, pylint-odoo on the addons."""

import json
import re
import resource
import subprocess

import pytest
from test_structure import get_wing

from workspace.layout import ROOT, addons
from workspace.linting import sources

MERGE = "consider-merging-classes-inherited"


def start(*command):
    def lift_memory_limit():
        # Odoo lowers it for its own process; pylint needs more address space
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=lift_memory_limit
    )


def run(*command):
    result = start(*command)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


def test_ruff_check():
    run("ruff", "check", *sources())


def test_ruff_format():
    run("ruff", "format", "--check", *sources())


@pytest.mark.parametrize("addon", addons())
def test_pylint_odoo(addon):
    result = start(
        "pylint", "--rcfile=pyproject.toml", f"--enable={MERGE}", "--output-format=json", addon
    )
    found = [each for each in json.loads(result.stdout) if not is_of_several_wings(each)]
    assert not found, "\n".join(
        f"{each['path']}:{each['line']}: {each['symbol']}: {each['message']}" for each in found
    )


def is_of_several_wings(found):
    """What an upper wing adds to a lower model is the only reason for a class of its own."""
    if found["symbol"] != MERGE:
        return False
    files = [found["path"], *re.findall(r"[\w/]+\.py", found["message"])]
    wings = [get_wing(ROOT / file) for file in files]
    return len(set(wings)) == len(wings)
