"""Where things are, and the fingerprints that decide whether they are up to date."""

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from pathlib import Path

from .console import WorkspaceError

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("AR_DEV_HOME") or ROOT / ".dev").absolute()
CACHE = HOME / "cache"
TOOLS = HOME / "tools"
LOCK = json.loads((ROOT / "runtime.lock.json").read_text())
REQUIREMENTS = ROOT / "requirements.txt"
#: translations kept of Odoo; all 90 would take 800 MB
LANGUAGES = os.environ.get("AR_DEV_LANGS", "de es fr it ja nl pt_BR zh_CN zh_TW").split()
#: the second language of every database, beside en_US
LANGUAGE = "zh_CN"
ADDON = "ar_collections"
#: what tests and demo pay with: a provider that confirms payments by itself
EXTRA = {"payment_demo"}


def prepare_home():
    CACHE.mkdir(parents=True, exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")


def digest(*parts):
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def file_sha256(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomically(path, text):
    """Replace a file in one step, and only when its text changes."""
    if path.exists() and path.read_text() == text:
        return
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_text(text)
    new.replace(path)


def remove_tree(path):
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def exclusive(name):
    """Only one process at a time goes through here; the others wait."""
    with open(HOME / f"{name}.lock", "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def addons():
    """The addons of this repository: name -> manifest, the main one first."""
    found = {}
    for manifest in sorted(ROOT.glob(f"{ADDON}*/__manifest__.py")):
        try:
            values = ast.literal_eval(manifest.read_text())
        except (SyntaxError, ValueError) as error:
            raise WorkspaceError(f"{manifest} cannot be read: {error}") from error
        if values.get("installable", True):
            found[manifest.parent.name] = values
    if not found:
        raise WorkspaceError(f"there is no addon {ADDON}* in {ROOT}")
    return found


def foreign_depends():
    """What our addons depend on, without themselves."""
    manifests = addons()
    depends = {name for values in manifests.values() for name in values.get("depends", ["base"])}
    return sorted((depends | EXTRA) - set(manifests))


def addons_fingerprint():
    """Changes with every file that installing or updating the addons reads."""
    lines = []
    for name in addons():
        for path in sorted((ROOT / name).rglob("*")):
            inside = path.relative_to(ROOT)
            ignored = {"__pycache__", "tests", "readme"} & set(inside.parts)
            if path.is_file() and not ignored and path.suffix not in (".pyc", ".md", ".rst"):
                lines.append(f"{inside}:{file_sha256(path)}")
    return digest(*lines)
