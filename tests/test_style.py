"""Linters: ruff on everything, pylint-odoo on the addons."""

import os
import resource
import subprocess

import pytest
from test_structure import DOORS, MODELS, get_wings

from workspace.layout import ADDON, ROOT, addons
from workspace.linting import sources


def run(*command):
    def lift_memory_limit():
        # Odoo lowers it for its own process; pylint needs more address space
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=lift_memory_limit
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


def test_ruff_check():
    run("ruff", "check", *sources())


def test_ruff_format():
    run("ruff", "format", "--check", *sources())


@pytest.mark.parametrize("addon", addons())
def test_pylint_odoo(addon):
    run("pylint", "--rcfile=pyproject.toml", addon)


@pytest.mark.parametrize("wing", get_wings())
def test_classes_are_merged(wing):
    """Of a wing alone: what it adds to a model of a lower one is a class of its own."""
    folder = MODELS / wing
    files = [*MODELS.glob("*.py"), *(ROOT / ADDON / "wizard").glob("*.py")]
    run(
        *("pylint", f"--rcfile={os.devnull}", "--load-plugins=pylint_odoo", "--disable=all"),
        "--enable=consider-merging-classes-inherited",
        *map(str, files if wing == DOORS else [folder]),
    )
