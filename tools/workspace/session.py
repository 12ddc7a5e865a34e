"""A session: the environment is complete, PostgreSQL runs, Odoo commands can be given."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .console import WorkspaceError, tail
from .layout import HOME, ROOT, prepare_home, remove_tree, write_atomically
from .postgres import connect_server
from .runtime import ensure_runtime

#: set for programs that run inside a session; its value is the session's data folder
MARKER = "AR_WORKSPACE_DATA"
SHIM = ROOT / "tools/shim"
ODOO = ROOT / "tools/odoo-bin"
#: lines without a log header that Odoo and docutils write when modules are installed
NOISE = re.compile(r"Running as user 'root'|<string>:\d+: \(|\s*$")


class Session:
    """Environment variables plus the few commands everything else is made of.

    :ivar env: complete environment for Odoo and for PostgreSQL's clients
    :ivar data_dir: Odoo's data folder; the file stores are in there
    """

    def __init__(self, python, env, data_dir, private_server, odoo_sha256):
        self.python = python
        self.env = env
        self.data_dir = data_dir
        self.private_server = private_server
        self.odoo_sha256 = odoo_sha256

    def sql(self, query, database="postgres"):
        """Run one statement outside of any transaction and return its output as text."""
        result = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise WorkspaceError(f"PostgreSQL: {tail(result.stderr, 3)}\nin: {query}")
        return result.stdout.strip()

    def odoo(self, *args, **kwargs):
        """Run an Odoo command; its errors are the caller's unless ``check=False`` is given.

        :return: the ``subprocess.CompletedProcess``
        """
        kwargs = {"check": True, "text": True, "cwd": ROOT, **kwargs}
        command = [str(self.python), str(ODOO), *map(str, args)]
        return subprocess.run(command, env=self.env, **kwargs)

    def odoo_quietly(self, *args, **kwargs):
        """Like ``odoo``, but only what deserves attention reaches the terminal.

        :raises WorkspaceError: the command failed; the end of its log is in the message
        """
        kwargs = {"check": False, "capture_output": True, **kwargs}
        result = self.odoo(*args, **kwargs)
        lines = [line for line in result.stderr.splitlines() if not NOISE.match(line)]
        log = "\n".join(lines)
        if result.returncode:
            raise WorkspaceError(f"odoo {' '.join(args)}\n{tail(log, 40)}")
        if log:
            print(log, flush=True)
        return result

    def filestore(self, database):
        return self.data_dir / "filestore" / database


@contextlib.contextmanager
def open_session():
    """Set everything up and keep PostgreSQL running inside the ``with`` block.

    In a program that already runs inside a session, that one is used.
    """
    if data_dir := os.environ.get(MARKER):
        yield Session(
            Path(sys.executable),
            dict(os.environ),
            Path(data_dir),
            os.environ["AR_WORKSPACE_PRIVATE"] == "1",
            os.environ["AR_WORKSPACE_ODOO"],
        )
        return
    prepare_home()
    runtime = ensure_runtime()
    with connect_server(runtime) as server:
        env = _environment(runtime, server)
        yield Session(runtime.python, env, server.data_dir, server.private, runtime.odoo_sha256)


def _environment(runtime, server):
    env = server.environment()
    for name in ("PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "ODOO_ADDONS_PATH"):
        env.pop(name, None)
    path = [runtime.venv / "bin", HOME / "browser/bin"]
    if not _patched_wkhtmltopdf():
        path.append(SHIM)
    env |= {
        "PATH": ":".join([*map(str, path), env["PATH"]]),
        "PYTHONPATH": str(ROOT / "tools"),
        "PYTHONUNBUFFERED": "1",
        "ODOO_RC": str(_configuration(server)),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(HOME / "hypothesis"),
        "RUFF_CACHE_DIR": str(HOME / "ruff"),
        "AR_WORKSPACE_PRIVATE": "1" if server.private else "0",
        "AR_WORKSPACE_ODOO": runtime.odoo_sha256,
        MARKER: str(server.data_dir),
    }
    return env


def _configuration(server):
    """The odoo.conf of this server; the connection itself comes from the PG* variables."""
    path = HOME / ("odoo.conf" if server.private else f"odoo-{server.data_dir.name}.conf")
    options = {
        "addons_path": ROOT,
        "data_dir": server.data_dir,
        "http_interface": "127.0.0.1",
        "list_db": False,
        "max_cron_threads": 0,
        "screenshots": HOME / "screenshots",
    }
    lines = [f"{option} = {value}\n" for option, value in options.items()]
    write_atomically(path, "".join(["[options]\n", *lines]))
    return path


def _patched_wkhtmltopdf():
    """Only the patched wkhtmltopdf prints headers, footers and several records at once."""
    program = shutil.which("wkhtmltopdf")
    if not program:
        return False
    result = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return "patched qt" in result.stdout


def remove_filestore(session, database):
    remove_tree(session.filestore(database))
