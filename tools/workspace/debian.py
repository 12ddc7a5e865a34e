"""Odoo 19 as Debian packages it, fetched by apt without touching the system.

apt runs with private folders, so any user may do it; the mirror, proxy and keys are those of the
machine. apt verifies the signed index, the index gives each file's checksum. No address and no
revision is written down here: a new Debian revision is picked up by itself.
"""

import json
import os
import re
import shutil
import subprocess

from .console import WorkspaceError, say, stage, tail
from .download import fetch
from .layout import CACHE, HOME, LOCK, write_atomically

SUITE = "sid"
ODOO = "odoo-19"
#: what Debian's Odoo links to
COMPANIONS = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome-legacy",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
)
RESOLVED = CACHE / "debs.json"
APT = HOME / "apt"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def odoo_packages():
    """The .deb files as ``{"file", "size", "sha256"}``, Odoo's first; downloads what is missing."""
    if RESOLVED.exists():
        packages = json.loads(RESOLVED.read_text())
        if all(_is_complete(package) for package in packages):
            return sorted(packages, key=lambda package: not package["file"].startswith(f"{ODOO}_"))
    packages = resolve((ODOO, *COMPANIONS))
    if packages[0]["sha256"] != LOCK[ODOO]["sha256"]:
        say(f"NOTE: Debian now has {packages[0]['file']};", f"tested with {LOCK[ODOO]['file']}")
    mebibytes = sum(package["size"] for package in packages) >> 20
    with stage(f"Odoo: {len(packages)} Debian packages, {mebibytes} MiB"):
        download(packages)
    write_atomically(RESOLVED, json.dumps(packages, indent=1))
    return packages


def _is_complete(package):
    """Renamed into place only after its checksum was right, so the size is enough here."""
    path = CACHE / package["file"]
    return path.exists() and path.stat().st_size == package["size"]


def download(packages):
    for package in packages:
        fetch(package["url"], CACHE / package["file"], package["size"], package["sha256"])


def resolve(names):
    """Ask apt for address, size and checksum of packages, in the order of ``names``."""
    if not shutil.which("apt-get"):
        raise WorkspaceError(
            "apt-get is missing: this set-up needs Debian or Ubuntu. Elsewhere add this folder to "
            "the addons_path of an Odoo 19 of your own."
        )
    with stage(f"Debian {SUITE}: package index", ticking=True):
        _configure()
        _update()
    found = _addresses(names)
    kept = LOCK[ODOO]
    if ODOO in names and ODOO not in found and (CACHE / kept["file"]).exists():
        # Debian has moved on to the next Odoo series: a kept copy of the tested file will do.
        found[ODOO] = {"url": "", **kept}
    if missing := [name for name in names if name not in found]:
        raise WorkspaceError(
            f"Debian {SUITE} has no package {', '.join(missing)} here.\n"
            f"A copy of {kept['file']} in {CACHE} replaces {ODOO}."
        )
    return [found[name] for name in names]


def _addresses(names):
    """name -> address, size and checksum, for all names that the index knows."""
    answer = _apt("download", "--print-uris", *names)
    if answer.returncode and len(names) > 1:  # one unknown name spoils all
        return {key: value for name in names for key, value in _addresses([name]).items()}
    found = {}
    for match in re.finditer(r"'(\S+)' ((\S+?)_\S+) (\d+) SHA256:(\w+)", answer.stdout):
        url, file, name, size, sha256 = match.groups()
        found[name] = {"url": url, "file": file, "size": int(size), "sha256": sha256}
    return found


def _configure():
    for folder in ("lists/partial", "cache/archives/partial", "state"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    (APT / "state/status").touch()
    write_atomically(
        APT / "suite.sources",
        f"Types: deb\nURIs: {_mirror()}\nSuites: {SUITE}\nComponents: main\nSigned-By: {KEYRING}\n",
    )
    options = {
        "Dir::Etc::SourceList": APT / "suite.sources",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": APT / "state",
        "Dir::State::Lists": APT / "lists",
        "Dir::State::status": APT / "state/status",
        "Dir::Cache": APT / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        "APT::Update::Error-Mode": "any",
    }
    if os.geteuid() == 0:
        # apt's own user cannot write below a private folder
        options["APT::Sandbox::User"] = "root"
    lines = [f'{key} "{value}";\n' for key, value in options.items()]
    write_atomically(APT / "apt.conf", "".join(lines))


def _mirror():
    """The Debian mirror that this machine is configured for."""
    if chosen := os.environ.get("AR_DEBIAN_MIRROR"):
        return chosen
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    for address in listing.stdout.split():
        if re.search(r"/debian/?$", address):
            return address
    raise WorkspaceError("apt has no Debian mirror configured: set AR_DEBIAN_MIRROR to one")


def _update():
    result = _apt("update")
    if result.returncode and "expired" in result.stderr:
        say("NOTE: the mirror's index is older than its own date limit (its signature is checked)")
        result = _apt("-o", "Acquire::Check-Valid-Until=false", "update")
    if result.returncode:
        raise WorkspaceError(
            "the Debian package index could not be fetched. Is there a network connection?\n"
            + tail(result.stderr, 4)
        )


def _apt(*args):
    return subprocess.run(
        ["apt-get", *args],
        env={**os.environ, "APT_CONFIG": str(APT / "apt.conf"), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
