"""The Python environment: uv, the locked packages and Odoo.

Each environment is a folder ``.dev/venv-<key>`` that is never changed once complete. When the lock
file or Odoo changes, a new one is built beside it, so commands that still run are not disturbed.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import debian, odoo_package
from .console import WorkspaceError, stage, tail
from .layout import (
    CACHE,
    HOME,
    LANGUAGES,
    LOCK,
    REQUIREMENTS,
    TOOLS,
    digest,
    exclusive,
    prepare_home,
    remove_tree,
)

#: raise it when the way an environment is built changes
BUILD = 2
#: Debian's bundle; has a company's own certificates as well
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


class Runtime:
    """A complete environment. It is kept as long as this process lives."""

    def __init__(self, venv, odoo_sha256):
        self.venv = venv
        self.python = venv / "bin/python"
        self.odoo_sha256 = odoo_sha256
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self.site = venv / "lib" / version / "site-packages"
        self._in_use = open(venv / ".in-use", "w")  # noqa: SIM115 (held until the process ends)
        fcntl.flock(self._in_use, fcntl.LOCK_SH)


def ensure_runtime():
    """Return the environment for the present lock file and Odoo; build it when there is none."""
    prepare_home()
    with exclusive("setup"):
        packages = debian.odoo_packages()
        python = find_python()
        key = digest(
            *sys.version_info[:2],
            python,
            REQUIREMENTS.read_text(),
            *(package["sha256"] for package in packages),
            *LANGUAGES,
            HOME,
            BUILD,
        )
        venv = HOME / f"venv-{key}"
        if not (venv / ".complete").exists():
            remove_tree(venv)
            _build(venv, python, packages)
            (venv / ".complete").touch()
        runtime = Runtime(venv, packages[0]["sha256"])
        _remove_unused(venv)
    return runtime


def find_python(folder="/usr/bin"):
    """The distribution's Python if it is of this version, else this one.

    A distribution builds it with optimizations that one built at home usually lacks: Odoo is a
    sixth faster.
    """
    python = Path(folder, f"python{sys.version_info[0]}.{sys.version_info[1]}")
    return python if python.exists() else Path(sys.executable)


def _build(venv, python, packages):
    with stage("Python packages", ticking=True):
        uv("venv", "--python", python, venv)
        uv("pip", "install", "--require-hashes", "--python", venv / "bin/python",
           "-r", REQUIREMENTS)  # fmt: skip
    with stage("Odoo: unpacking", ticking=True):
        site = next(venv.glob("lib/python3*/site-packages"))
        odoo_package.unpack(packages, venv, site)
        hot = [site / "odoo" / name for name in ("orm", "tools", "modules")]
        command = [venv / "bin/python", "-m", "compileall", "-q", *hot]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def _remove_unused(current):
    for venv in HOME.glob("venv-*"):
        if venv == current:
            continue
        with open(venv / ".in-use", "w") as stream, contextlib.suppress(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(venv)


def uv(*args):
    """Run uv; its error becomes ours."""
    program, settings = _find_uv()
    result = subprocess.run(
        [program, *map(str, args)],
        env={**os.environ, "UV_CACHE_DIR": str(CACHE / "uv"), "UV_NO_CONFIG": "1", **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise WorkspaceError(
            f"Python packages could not be installed (uv {args[0]} {args[1]}). "
            f"Is there a network connection?\n{tail(result.stderr, 8)}"
        )


def _find_uv():
    """uv from the PATH, else the pinned one from the package index that pip uses here."""
    if program := shutil.which("uv"):
        return program, {}
    program = TOOLS / "bin/uv"
    if not program.exists():
        with stage("uv, the package installer", ticking=True):
            _install_uv()
    return str(program), _index_of_pip()


def _install_uv():
    remove_tree(TOOLS)
    new = HOME / "tools.new"
    remove_tree(new)
    environment = dict(os.environ)
    with_pip = _quiet([sys.executable, "-m", "venv", new])
    if with_pip.returncode:  # Debian without python3-venv: take pip from its package
        remove_tree(new)
        made = _quiet([sys.executable, "-m", "venv", "--without-pip", new])
        if made.returncode:
            raise WorkspaceError(f"python3 -m venv fails:\n{tail(made.stdout + made.stderr)}")
        environment["PYTHONPATH"] = str(_pip_wheel())
    options = ["--disable-pip-version-check", "--no-input"]
    target = ["--target", new / "uv"]
    command = [new / "bin/python", "-m", "pip", "install", *options, *target, f"uv=={LOCK['uv']}"]
    result = _quiet(command, env=environment)
    if result.returncode:
        raise WorkspaceError(
            "uv could not be installed with pip. Is there a network connection? "
            f"(uv on the PATH also does.)\n{tail(result.stderr, 1)}"
        )
    (new / "pip").write_text(environment.get("PYTHONPATH", ""))
    shutil.copy2(new / "uv/bin/uv", new / "bin/uv")
    new.rename(TOOLS)


def _pip_wheel():
    [package] = debian.resolve(["python3-pip-whl"])
    debian.download([package])
    target = CACHE / "pip-wheel"
    remove_tree(target)
    subprocess.run(["dpkg-deb", "-x", CACHE / package["file"], target], check=True)
    return next(target.glob("usr/share/python-wheels/pip-*.whl"))


def _index_of_pip():
    """uv ignores pip's settings; a company's index and certificates have to be passed on."""
    command = [TOOLS / "bin/python", "-m", "pip", "config", "list"]
    listing = _quiet(command, env={**os.environ, "PYTHONPATH": (TOOLS / "pip").read_text()}).stdout
    pip = dict(re.findall(r"(?m)^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listing))
    system = SYSTEM_CERTIFICATES if os.path.exists(SYSTEM_CERTIFICATES) else None
    settings = {
        "UV_DEFAULT_INDEX": pip.get("index-url"),
        "SSL_CERT_FILE": pip.get("cert") or system,
    }
    return {name: value for name, value in settings.items() if value and name not in os.environ}


def _quiet(command, **kwargs):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **kwargs
    )
