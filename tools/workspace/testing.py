"""bin/test: the checks and tests of this repository in a fresh database."""

import os
import subprocess
import tempfile

from .browser import ensure_browser
from .console import run_in_foreground, say, stage_report
from .core_tests import run_core_tests
from .databases import ensure_prepared, temporary_clone
from .layout import ADDON, HOME, ROOT, addons
from .postgres import use_config_file
from .runtime import ensure_runtime
from .session import open_session

#: tests of files and of the workspace's own code, which need neither Odoo nor a database
PLAIN = {
    ROOT / "tests" / name
    for name in (
        "test_house.py",
        "test_mutants.py",
        "test_replay_ledger.py",
        "test_results.py",
        "test_rights.py",
        "test_shim.py",
        "test_structure.py",
        "test_style.py",
        "test_workspace.py",
    )
}
#: tests that start Odoo as a command, in databases of their own
BY_COMMAND = [
    ROOT / "tests" / name for name in ("test_lifecycle.py", "test_replay.py", "test_extension.py")
]
#: a skipped test is one that nobody has seen pass
EVERYTHING = ["--no-skips"]
#: pytest's options of every run
PYTEST = ("-o", f"cache_dir={HOME / 'pytest'}", "-p", "workspace.strict")
USAGE = """\
bin/test                            everything: linters, translations, unit tests, browser tests,
                                    install/update/uninstall
bin/test tests/test_x.py -k name    a part; all arguments go to pytest, paths are relative to the
                                    repository or to ar_collections/
bin/test tests/test_structure.py    the walls between the wings: in a second, without a database
bin/test --core                     Odoo's own tests of account and sale (tests/core_selection.txt)
                                    without and with the addons; the results must be the same
bin/test --config odoo.conf ...     with the PostgreSQL of this file (or of the PG* variables)

AR_TEST_WORKERS=1 runs the full set in one process instead of two; AR_TEST_RECORD=1 writes down what
each class costs (tests/costs.json), by which they are spread over the processes."""


def main(args):
    if args[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    args = _take_config(args)
    if args == ["--core"]:
        with open_session() as session:
            return run_core_tests(session, _workers())
    paths, options = _split(args)
    if _are_plain(paths):
        return _run_plain([*options, *paths])
    with open_session() as session:
        ensure_browser()
        if args:
            return _run(session, [*options, *(paths or addons())])
        with Apart(session) as apart:
            others = {*map(str, PLAIN), *map(str, BY_COMMAND)}
            ignored = [f"--ignore={path}" for path in sorted(others)]
            options = [*EVERYTHING, "-p", "workspace.costs", *_workers(), *ignored]
            code = _run(session, [*options, "tests", *addons()])
            return max(code, apart.finish(stop=code > 1))


def _run(session, arguments):
    """Run tests with Odoo in their process, in a database of their own."""
    with temporary_clone(session, ensure_prepared(session)) as database:
        say("stages:", stage_report())
        command = [session.python, "-m", "pytest", "--odoo-http",
                   f"--odoo-database={database}", "--odoo-log-level=info",
                   *PYTEST, "--show-capture=log", *arguments]  # fmt: skip
        env = {**session.env, "PGDATABASE": database}
        return run_in_foreground(command, env=env, cwd=ROOT)


class Apart:
    """The tests that need no Odoo in their own process, beside the set-up and the other tests."""

    def __init__(self, session):
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the object)
        command = [session.python, "-m", "pytest", "-p", "no:odoo", *PYTEST, *EVERYTHING,
                   *sorted(PLAIN), *BY_COMMAND]  # fmt: skip
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=session.env,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, kind, *_error):
        if kind:
            self.process.terminate()
        self.process.wait()
        self.output.close()

    def finish(self, stop=False):
        """Show what was printed, return the exit code.

        :param stop: the other tests were interrupted
        """
        if stop:
            self.process.terminate()
        code = self.process.wait()
        self.output.seek(0)
        print(self.output.read(), end="", flush=True)
        return code


def _are_plain(paths):
    return bool(paths) and {ROOT / path.partition("::")[0] for path in paths} <= PLAIN


def _run_plain(arguments):
    """Run tests with the environment's Python and without Odoo."""
    runtime = ensure_runtime()
    env = {
        **os.environ,
        "PATH": f"{runtime.venv / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "tools"),
        "RUFF_CACHE_DIR": str(HOME / "ruff"),
    }
    env.pop("ODOO_RC", None)
    command = [runtime.python, "-m", "pytest", "-p", "no:odoo", *PYTEST, *arguments]
    return run_in_foreground(command, env=env, cwd=ROOT)


def _take_config(args):
    args = list(args)
    for position, arg in enumerate(args):
        if arg == "--config" and len(args) > position + 1:
            use_config_file(args[position + 1])
            del args[position : position + 2]
            break
        if arg.startswith("--config="):
            use_config_file(arg.partition("=")[2])
            del args[position]
            break
    return args


def _workers():
    """Two processes on two cores; each takes the next class when it is free."""
    wanted = os.environ.get("AR_TEST_WORKERS")
    count = int(wanted) if wanted else min(2, os.cpu_count() or 1)
    options = ["--dist", "loadscope", "--no-loadscope-reorder", "-p", "workspace.shared_files"]
    return ["-n", count, *options] if count > 1 else []


def _split(args):
    """Separate test files from pytest's options, and find them below the addon as well."""
    paths, options = [], []
    for arg in args:
        file, separator, rest = arg.partition("::")
        for folder in (ROOT, ROOT / ADDON):
            if not arg.startswith("-") and file and (folder / file).exists():
                paths.append(f"{folder / file}{separator}{rest}")
                break
        else:
            options.append(arg)
    return paths, options
