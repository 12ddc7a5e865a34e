"""Chromium for browser tests and PDF: from the PATH, else installed, else unpacked from npm."""

import json
import os
import re
import shutil
import subprocess

from .console import say, stage, tail
from .layout import HOME, LOCK, remove_tree

#: the names that Odoo looks for
PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")
BROWSER = HOME / "browser"
NPM_PACKAGE = "@sparticuz/chromium"
#: node can decompress brotli, Python's standard library cannot
DECOMPRESS = """
const fs = require('fs'), zlib = require('zlib');
const [source, target] = process.argv.slice(1);
fs.writeFileSync(target, zlib.brotliDecompressSync(fs.readFileSync(source)));
"""
WRAPPER = """#!/bin/sh
# Unpacked from npm: brings its own libraries, and has to be told to do without a zygote.
folder="$(dirname "$(readlink -f "$0")")/.."
LD_LIBRARY_PATH="$folder/lib" exec "$folder/chromium" --no-zygote "$@"
"""


def find_browser():
    path = f"{BROWSER / 'bin'}:{os.environ['PATH']}"
    return next(filter(None, (shutil.which(name, path=path) for name in PROGRAMS)), None)


def ensure_browser():
    """Return whether there is a Chromium; install one if need be and possible."""
    if find_browser():
        return True
    if (become_root := _root_prefix()) is not None:
        _install_with_apt(become_root)
    if not find_browser() and shutil.which("npm") and shutil.which("node"):
        _unpack_from_npm()
    if find_browser():
        return True
    say(
        "NOTE: there is no Chromium and it could not be installed: browser tests fail and PDF "
        f"printing does not work. As root: apt-get install {' '.join(PACKAGES)}"
    )
    return False


def _root_prefix():
    """What to put before a command to run it as root; None when that is not possible."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and not subprocess.run([sudo, "-n", "true"], capture_output=True).returncode:
        return [sudo, "-n"]
    return None


def _install_with_apt(become_root):
    with stage(f"apt-get install {' '.join(PACKAGES)} (system packages)", ticking=True):
        apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        install = [*apt, "install", "-y", "--no-install-recommends", *PACKAGES]
        result = _quiet(install)
        if result.returncode:  # lists may be missing or old
            _quiet([*apt, "update"])
            result = _quiet(install)
        if result.returncode:
            say(f"apt-get failed: {tail(result.stderr, 3)}")


def _unpack_from_npm():
    new = HOME / "browser.new"
    remove_tree(new)
    (new / "bin").mkdir(parents=True)
    with stage(f"Chromium from npm ({NPM_PACKAGE}, 70 MiB)", ticking=True):
        package = f"{NPM_PACKAGE}@{LOCK['npm-chromium']}"
        packed = _quiet(["npm", "pack", "--json", "--silent", package], cwd=new)
        if packed.returncode:
            say(f"npm failed: {tail(packed.stderr, 3)}")
            return
        archive = new / _packed_file(packed.stdout)
        subprocess.run(["tar", "-xzf", archive, "-C", new], check=True)
        for name, target in (("chromium.br", "chromium"), ("al2023.tar.br", "libraries.tar")):
            source = new / "package/bin" / name
            subprocess.run(["node", "-e", DECOMPRESS, source, new / target], check=True)
        subprocess.run(["tar", "-xf", new / "libraries.tar", "-C", new], check=True)
        (new / "chromium").chmod(0o755)
        wrapper = new / "bin/google-chrome"
        wrapper.write_text(WRAPPER)
        wrapper.chmod(0o755)
        for leftover in (archive, new / "libraries.tar"):
            leftover.unlink()
        remove_tree(new / "package")
        remove_tree(BROWSER)
        new.rename(BROWSER)


def _packed_file(output):
    found = json.loads(output)
    found = next(iter(found.values())) if isinstance(found, dict) else found[0]
    # npm reports the scoped name, but writes it without @ and with - instead of /
    return re.sub("/", "-", found["filename"].removeprefix("@"))


def _quiet(command, **kwargs):
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
