"""bin/test: the checks and tests of this repository in a fresh database."""

import os

from .browser import ensure_browser
from .console import run_in_foreground, say, stage_report
from .core_tests import run_core_tests
from .databases import ensure_prepared, ensure_template, temporary_clone
from .layout import ADDON, HOME, ROOT, addons
from .postgres import use_config_file
from .session import open_session

USAGE = """\
bin/test                            everything: linters, translations, unit tests, browser tests,
                                    install/update/uninstall
bin/test tests/test_x.py -k name    a part; all arguments go to pytest, paths are relative to the
                                    repository or to ar_collections/
bin/test --core                     Odoo's own tests of account and sale (tests/core_selection.txt)
                                    without and with the addons; the results must be the same
bin/test --config odoo.conf ...     with the PostgreSQL of this file (or of the PG* variables)

AR_TEST_WORKERS=1 runs the full set in one process instead of two."""


def main(args):
    if args[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return 0
    args = _take_config(args)
    if args == ["--core"]:
        with open_session() as session:
            return run_core_tests(session, _workers())
    paths, options = _split(args)
    full = not args
    with open_session() as session:
        ensure_browser()
        prepared = ensure_prepared(session)
        if full:
            ensure_template(session, demo=True)
        with temporary_clone(session, prepared) as database:
            say("stages:", stage_report())
            command = [session.python, "-m", "pytest", "--odoo-http",
                       f"--odoo-database={database}", "--odoo-log-level=info",
                       "-o", f"cache_dir={HOME / 'pytest'}", "-p", "workspace.strict",
                       "--show-capture=log"]  # fmt: skip
            if full:
                # A skipped test is one that nobody has seen pass.
                command += ["--no-skips", *_workers()]
                paths = ["tests", *addons()]
            command += [*options, *(paths or addons())]
            env = {**session.env, "PGDATABASE": database}
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
    """Two processes on two cores: the long life cycle test beside the others."""
    wanted = os.environ.get("AR_TEST_WORKERS")
    count = int(wanted) if wanted else min(2, os.cpu_count() or 1)
    # Files keep their order, so the longest, which is given first, starts first.
    options = ["--dist", "loadfile", "--no-loadscope-reorder", "-p", "workspace.shared_files"]
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
