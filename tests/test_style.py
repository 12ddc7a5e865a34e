"""Linters: ruff on everything, pylint-odoo on the addons."""

import resource
import subprocess

import pytest

from workspace.layout import ROOT, addons

#: customs of one association: its name among the authors, a generated README.rst, a model in one
#: file however long it gets
NOT_OURS = "manifest-required-author,missing-readme,consider-merging-classes-inherited"


def run(*command):
    def lift_memory_limit():
        # Odoo lowers it for its own process; pylint needs more address space
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))

    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=lift_memory_limit
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


def sources():
    """Folders and the scripts without suffix, which ruff finds only by name."""
    scripts = [path for path in (*ROOT.glob("bin/*"), *ROOT.glob("tools/shim/*")) if path.is_file()]
    folders = [name for name in ("tools", "tests", "benchmarks") if (ROOT / name).is_dir()]
    return [*addons(), *folders, *(str(path.relative_to(ROOT)) for path in sorted(scripts))]


def test_ruff_check():
    run("ruff", "check", *sources())


def test_ruff_format():
    run("ruff", "format", "--check", *sources())


@pytest.mark.parametrize("addon", addons())
def test_pylint_odoo(addon):
    run("pylint", "--rcfile=pyproject.toml", f"--disable={NOT_OURS}", addon)
