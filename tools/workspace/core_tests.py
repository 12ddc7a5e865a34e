"""bin/test --core: Odoo's own tests have to end the same with and without our addons.

An addon that changes what Odoo's screens, invoices or orders do breaks one of Odoo's own tests.
What is listed in ``tests/core_selection.txt`` is run twice, and each test is compared with itself:
one that fails in this environment anyway says nothing about our addons.
"""

import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import NamedTuple

from .console import WorkspaceError, run_in_foreground, say, stage, tail
from .databases import INSTALL, ensure_ready, ensure_template, make_assets, temporary_clone
from .layout import HOME, ROOT

SELECTION = ROOT / "tests/core_selection.txt"
MODULES = ("account", "sale")
FEWEST = 300
#: from good to bad; a test that reports more than once (subtests, clean-up) has the worst of them
OUTCOMES = ("passed", "skipped", "failed", "error")
TAGS = {"skipped": "skipped", "failure": "failed", "error": "error"}
#: what pytest returns when all were run: all passed, some failed
COMPLETE = (0, 1)


class Result(NamedTuple):
    """How one test ended, and why when it did not pass."""

    outcome: str
    message: str = ""
    traceback: str = ""


NOT_RUN = Result("not run")


class Run(NamedTuple):
    """One run of the selection: test -> ``Result``, and its duration on the clock."""

    results: dict
    seconds: float


def run_core_tests(session, workers):
    """Run the selection in both kinds of database and report; return the exit code.

    :param workers: pytest's options that spread the tests over processes
    """
    selection = read_selection(SELECTION.read_text())
    template, ready = ensure_template(session), ensure_ready(session)
    without = _run(session, "without our addons", template, selection, workers)
    ours = _run(session, "with our addons", ready, selection, workers)
    return report(without, ours)


def read_selection(text):
    """The arguments of pytest that a selection stands for: what to run, what to leave out."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    arguments = []
    for words in filter(None, lines):
        if words[0] == "except":
            arguments.append(f"--deselect={words[1]}")
        else:
            arguments.append(words[0])
    return arguments


def _run(session, label, source, selection, workers):
    """Run the selection in a clone that goes afterwards; tests may leave traces."""
    log, results = (HOME / f"core {label}.{suffix}".replace(" ", "-") for suffix in ("log", "xml"))
    with temporary_clone(session, source) as database:
        _complete(session, database)
        command = _command(session, database, selection, workers) + [f"--junitxml={results}"]
        env = {**session.env, "PGDATABASE": database}
        with stage(f"Odoo's own tests {label}", ticking=True), open(log, "w") as stream:
            start = time.monotonic()
            code = run_in_foreground(command, env=env, cwd=ROOT, stdout=stream, stderr=stream)
            seconds = time.monotonic() - start
    if code not in COMPLETE:
        raise WorkspaceError(f"pytest ended with code {code}\n{tail(log.read_text())}")
    return Run(read_results(results), seconds)


def _complete(session, database):
    """Give both databases the same start: all modules that are tested, web assets made."""
    wanted = ", ".join(f"'{name}'" for name in MODULES)
    query = f"SELECT name FROM ir_module_module WHERE state = 'installed' AND name IN ({wanted})"
    missing = set(MODULES) - set(session.sql(query, database).split())
    if missing:
        session.odoo_quietly("-d", database, "-i", ",".join(missing), *INSTALL)
    make_assets(session, database)


def _command(session, database, selection, workers):
    addons = next(session.python.parents[1].glob("lib/python3*/site-packages/odoo/addons"))
    # The names of the tests begin at the root: the same whatever the environment's folder is.
    return [session.python, "-m", "pytest", "--odoo-http", f"--odoo-database={database}",
            "-c", ROOT / "pyproject.toml", f"--rootdir={addons}", "-p", "no:cacheprovider",
            "--tb=short", "--show-capture=no", "-q", *workers,
            *(part if part.startswith("-") else addons / part for part in selection)]  # fmt: skip


def read_results(path):
    """The worst result of each test in a file that pytest has written."""
    results = {}
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        found = [results.get(name, Result("passed"))]
        found += [
            Result(TAGS[part.tag], part.get("message") or "", part.text or "")
            for part in case
            if part.tag in TAGS
        ]
        results[name] = max(found, key=lambda result: OUTCOMES.index(result.outcome))
    return results


def report(without, ours):
    """Print what there is to know about the two runs; return the exit code."""
    different = 0
    for name in sorted(without.results | ours.results):
        before = without.results.get(name, NOT_RUN)
        after = ours.results.get(name, NOT_RUN)
        if before.outcome != after.outcome:
            different += 1
            say(f"DIFFERENT: {name}: {before.outcome} without, {after.outcome} with our addons")
            print(_beginning(after.traceback or before.traceback))
        elif after.outcome != "passed":
            say(f"{after.outcome} in both: {name}: {after.message.partition(chr(10))[0]}")
    say(f"without our addons: {_counts(without)}")
    say(f"with our addons:    {_counts(ours)}")
    say(f"{different} different; ratio of the times {ours.seconds / without.seconds:.2f}")
    fewest = min(_executed(without), _executed(ours))
    if fewest < FEWEST:
        say(f"ERROR: only {fewest} tests were run, at least {FEWEST} are wanted")
    return 1 if different or fewest < FEWEST else 0


def _beginning(text, lines=30):
    """Some tests compare whole documents; all of it is in the file of the results."""
    found = text.splitlines()
    return "\n".join(found[:lines] + ["..."] * (len(found) > lines))


def _executed(run):
    return sum(result.outcome != "skipped" for result in run.results.values())


def _counts(run):
    numbers = Counter(result.outcome for result in run.results.values())
    parts = [f"{numbers[outcome]} {outcome}" for outcome in OUTCOMES if numbers[outcome]]
    return f"{len(run.results)} tests, {', '.join(parts)}, {run.seconds:.0f} s"
