"""bin/odoo, bin/replay and bin/bench: run a program inside the environment."""

import re
import subprocess
from pathlib import Path

from .console import WorkspaceError, run_in_foreground, say
from .databases import create_empty, names
from .layout import ROOT
from .results import record
from .session import ODOO, open_session

USAGE = """\
bin/odoo ARGS...: any Odoo command in the environment of this repository, for example

  bin/odoo -d mydb -i ar_collections --stop-after-init    make a database with the addon
  bin/odoo -d mydb -i ar_collections --with-demo          ... with demo data, and serve it
  bin/odoo -d mydb -u ar_collections --stop-after-init    update the addon
  bin/odoo shell -d mydb                                  Python with env
  bin/odoo i18n export -d mydb -l pot ar_collections      export the terms to translate
  bin/odoo module uninstall -d mydb ar_collections
  bin/odoo db list                                        databases (ours, not Odoo's command)
  bin/odoo db duplicate|dump|load|rename|drop ...         see bin/odoo db --help
  bin/odoo psql mydb                                      SQL (ours, not Odoo's command)

PGHOST, PGPORT, PGUSER and PGPASSWORD choose your own PostgreSQL instead of the private one.
"""


def odoo(args):
    if not args or args[0] in ("-h", "--help"):
        print(USAGE)
    with open_session() as session:
        if args[:1] == ["psql"]:
            command = ["psql", *(args[1:] or ["ar_demo"])]
        elif args[:2] == ["db", "list"]:
            for name in sorted(set(names(session)) - {"postgres", "template0", "template1"}):
                print(name)
            return 0
        else:
            _create_missing_database(session, args)
            command = [session.python, ODOO, *args]
        return run_in_foreground(command, env=session.env)


def script(path, args):
    """Run a Python script of this repository; it can import ``workspace``."""
    if not Path(path).is_file():
        raise WorkspaceError(f"there is no script {path}")
    with open_session() as session:
        return run_in_foreground([session.python, path, *args], env=session.env)


def replay(args):
    return script(ROOT / "tools/replay.py", args)


def bench(args):
    if not args or args[0] in ("-h", "--help"):
        found = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py"))
        print("bin/bench SCRIPT ARGS...: run a script of benchmarks/:", ", ".join(found))
        print("bin/bench --record[=NOTE] SCRIPT ARGS...: and keep it in benchmarks/RESULTS.md")
        return 0
    option, _, note = args[0].partition("=")
    if option == "--record":
        return _bench_and_record(args[1:], note)
    path = _get_benchmark(args[0])
    return script(path, args[1:])


def _get_benchmark(name):
    path = ROOT / "benchmarks" / name
    if not path.suffix:
        path = path.with_suffix(".py")
    path = path if path.is_file() else Path(name)
    if not path.is_file():
        raise WorkspaceError(f"there is no script {path}")
    return path


def _bench_and_record(args, note):
    if not args:
        raise WorkspaceError("--record: of which benchmark?")
    path, printed = _get_benchmark(args[0]), []
    with open_session() as session:
        command = [str(part) for part in (session.python, path, *args[1:])]
        process = subprocess.Popen(command, env=session.env, stdout=subprocess.PIPE, text=True)
        for line in process.stdout:
            print(line, end="", flush=True)
            printed.append(line)
        if code := process.wait():
            return code
        # Where files are on this machine is nobody's business.
        options = [arg for arg in args[1:] if "/" not in arg and arg != "--ledger-generator"]
        count = record(session, " ".join([path.stem, *options]), "".join(printed), note)
    say(f"{count} rows are added to benchmarks/RESULTS.md")
    return 0


def _create_missing_database(session, args):
    """Create a database that Odoo is about to initialize, in the way that fits this server."""
    is_server = bool(args) and (args[0].startswith("-") or args[0] == "server")
    line = " ".join(args)
    installs = re.search(r"(^|\s)(-i|--init)\b", line)
    found = re.search(r"(^|\s)(?:-d\s*|--database[=\s])([\w.-]+)", line)
    if is_server and installs and found and found[2] not in names(session):
        create_empty(session, found[2])
