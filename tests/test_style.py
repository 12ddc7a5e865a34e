"""Linters: ruff on everything, pylint-odoo on the addons."""

import resource
import subprocess

import pytest

from workspace.layout import ROOT, addons
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
