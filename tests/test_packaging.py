"""The addons as Python packages: `pip install FOLDER` beside an installed Odoo."""

import os
import subprocess
import sys
from importlib.metadata import Distribution, distributions

import pytest
from packaging.requirements import Requirement

from workspace.layout import ADDON, ROOT, addons

#: imports everything as Odoo would; names come by the command line
IMPORT = """
import importlib, sys
from odoo.modules import Manifest
for name in sys.argv[1:]:
    print(Manifest.for_addon(name).path)
    importlib.import_module(f"odoo.addons.{name}")
print(*sorted(sys.modules))
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A folder where all addons are installed, made without a network."""
    folder = tmp_path_factory.mktemp("packages")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--no-compile", "--no-input"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder]
    result = subprocess.run(
        [*command, *(ROOT / name for name in addons())],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def packages(target) -> dict[str, Distribution]:
    found = {package.name: package for package in distributions(path=[str(target)])}
    return {name: found[f"odoo-addon-{name}"] for name in addons()}


@pytest.mark.parametrize("name", addons())
def test_files(target, name):
    """What the manifest names is there, and what Odoo finds by itself."""
    addon = target / "odoo/addons" / name
    manifest = addons()[name]
    wanted = [
        "__manifest__.py",
        *manifest["data"],
        *manifest.get("demo", ()),
        "i18n/zh_CN.po",
        "static/description/icon.png",
        "readme/DESCRIPTION.md",
    ]
    assert [path for path in wanted if not (addon / path).is_file()] == []
    assert not (addon / "pyproject.toml").exists(), "needed to build it only"


@pytest.mark.parametrize("name", addons())
def test_requirements(target, name):
    package = packages(target)[name]
    manifests = addons()
    # Git may count the commits behind it.
    assert f"{package.version}.".startswith(f"{manifests[name]['version']}.")
    wanted = {}
    for text in package.requires:
        requirement = Requirement(text)
        wanted[requirement.name] = requirement.specifier
    assert wanted.pop("odoo").contains("19.0")
    ours = {f"odoo-addon-{depend}" for depend in manifests[name]["depends"] if depend in manifests}
    main = f"odoo-addon-{ADDON}"
    if name != ADDON:
        ours.add(main)
        *series, major, _minor, _fix = manifests[ADDON]["version"].split(".")
        before, after = (".".join([*series, str(int(major) + step), "0.0"]) for step in (-1, 1))
        assert wanted[main].contains(manifests[ADDON]["version"])
        assert not wanted[main].contains(before)
        assert not wanted[main].contains(after)
    assert set(wanted) == ours


def test_import(target):
    """Odoo finds and imports the installed addons, without anything that only tests need."""
    environment = {**os.environ, "PYTHONPATH": str(target)}
    result = subprocess.run(
        [sys.executable, "-c", IMPORT, *addons()],
        cwd=target,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    *paths, modules = result.stdout.splitlines()
    assert paths == [str(target / "odoo/addons" / name) for name in addons()]
    modules = set(modules.split())
    assert f"odoo.addons.{ADDON}.models.run" in modules
    assert not modules & {
        "hypothesis",
        "pytest",
        *(f"odoo.addons.{name}.tests" for name in addons()),
    }
