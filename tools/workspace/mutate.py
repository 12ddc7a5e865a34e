"""bin/mutate: apply deliberate mistakes one by one and report which of them no test notices."""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from .browser import ensure_browser
from .console import WorkspaceError, say, tail
from .databases import INSTALL, clone, drop, ensure_prepared
from .layout import HOME, ROOT, addons, remove_tree, write_atomically
from .mutants import FOLDER, KINDS, find_problems, read_mutants, repair
from .session import ODOO, open_session
from .testing import PLAIN

WORK = HOME / "mutate"
REPORT = WORK / "report.json"
#: what a run of tests is given; a mistake that makes it hang is noticed
SECONDS = 1200
#: pytest's exit codes
PASSED, FAILED = 0, 1
USAGE = """\
Apply each mistake of tools/mutants/ to a copy of the files, run the tests that it names, and report
by wing what nobody noticed. The checkout itself is never touched."""
LOAD_SCRIPT = """
from odoo.tools.convert import convert_file
convert_file(env, {module!r}, {file!r}, {{}}, mode="init")
env.registry.clear_all_caches()
env.cr.commit()
"""


def main(args):
    options = _parse(args)
    if options.repair:
        for change in repair(addons()):
            say(change)
    mutants = _select(read_mutants(), options)
    if problems := find_problems(mutants):
        raise WorkspaceError("\n".join(["mutants that do not apply any more:", *problems]))
    if options.check or options.list or options.repair:
        for mutant in mutants if options.list else ():
            print(mutant.describe())
        say(f"{len(mutants)} mutants,", _counts(Counter(mutant.wing for mutant in mutants)))
        return 0
    with open_session() as session:
        ensure_browser()
        results = Mutation(session, options.jobs).run(mutants, baseline=not options.no_baseline)
    return _report(mutants, results)


def _parse(args):
    kinds = "\n".join(f"  {name:10}{text}" for name, text in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="bin/mutate",
        description=USAGE,
        epilog=f"kinds:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", help="wings or single mutants; without: all of them")
    parser.add_argument("--kind", choices=KINDS, help="only mistakes of this kind")
    parser.add_argument("--again", action="store_true", help="what was not noticed last time")
    parser.add_argument("--check", action="store_true", help="only see whether each still applies")
    parser.add_argument(
        "--repair", action="store_true", help="find the texts that have moved to another file"
    )
    parser.add_argument("--list", action="store_true", help="only show them")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument(
        "--no-baseline", action="store_true", help="trust that the tests pass without a mistake"
    )
    return parser.parse_args(args)


def _select(mutants, options):
    known = {name for mutant in mutants for name in (mutant.wing, mutant.key)}
    if unknown := set(options.names) - known:
        raise WorkspaceError(f"neither a wing nor a mutant: {', '.join(sorted(unknown))}")
    if options.names:
        mutants = [each for each in mutants if {each.wing, each.key} & set(options.names)]
    if options.kind:
        mutants = [each for each in mutants if each.kind == options.kind]
    if options.again:
        last = json.loads(REPORT.read_text()) if REPORT.exists() else {}
        mutants = [each for each in mutants if last.get(each.key) != "noticed"]
    return mutants


class Mutation:
    """Copies of the tree and of a prepared database, one of each per job."""

    def __init__(self, session, jobs):
        self.session = session
        self.source = ensure_prepared(session)
        self.cloning = threading.Lock()
        self.trees = SimpleQueue()
        self.jobs = jobs
        remove_tree(WORK / "trees")
        for job in range(jobs):
            self.trees.put(self._copy_tree(WORK / "trees" / str(job)))

    @staticmethod
    def _copy_tree(target):
        ignored = shutil.ignore_patterns(".dev", ".git", "__pycache__", ".*_cache")
        return shutil.copytree(ROOT, target, ignore=ignored)

    def run(self, mutants, baseline=True):
        """``{key: "noticed" or "unnoticed"}``; what was found so far is kept when interrupted."""
        results = {}
        with ThreadPoolExecutor(self.jobs) as pool:
            try:
                if baseline:
                    self._check_baseline(pool, mutants)
                for mutant, outcome in pool.map(self._try, mutants):
                    results[mutant.key] = outcome
                    say(f"{len(results)}/{len(mutants)} {outcome}: {mutant.key} {mutant.file}")
                    _remember(results)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        remove_tree(WORK / "trees")
        return results

    def _check_baseline(self, pool, mutants):
        """Tests that fail anyway would notice everything."""
        files = sorted({test.partition("::")[0] for mutant in mutants for test in mutant.tests})
        for file, (code, output) in zip(files, pool.map(self._run_unchanged, files), strict=True):
            if code != PASSED:
                raise WorkspaceError(f"{file} fails without any mistake:\n{tail(output, 20)}")
        say(f"{len(files)} test files pass without a mistake")

    def _run_unchanged(self, file):
        with self._tree() as tree:
            if _is_plain(file):
                return self._test_plain(tree, [file])
            with self._database(tree) as database:
                return self._test(tree, database, [file])

    def _try(self, mutant):
        start = time.monotonic()
        with self._tree() as tree, self._mistake(tree, mutant):
            code, output = self._notice(tree, mutant)
        log = WORK / "logs" / f"{mutant.key}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"{mutant.describe()}\n{time.monotonic() - start:.0f} s\n{output}")
        return mutant, "unnoticed" if code == PASSED else "noticed"

    def _notice(self, tree, mutant):
        """The exit code and output of the first tests that fail, else of the last."""
        plain = [test for test in mutant.tests if _is_plain(test)]
        others = [test for test in mutant.tests if test not in plain]
        code, output = PASSED, ""
        if plain:
            code, output = self._test_plain(tree, plain)
        if others and code == PASSED:
            with self._database(tree) as database:
                code, output = self._load(tree, database, mutant)
                if not code:
                    code, output = self._test(tree, database, others)
        return code, output

    @contextlib.contextmanager
    def _tree(self):
        tree = self.trees.get()
        try:
            yield tree
        finally:
            self.trees.put(tree)

    @contextlib.contextmanager
    def _database(self, tree):
        name = f"ar_test_{os.getpid()}-gw{tree.name}"
        with self.cloning:
            clone(self.session, self.source, name)
        try:
            yield name
        finally:
            drop(self.session, name)

    @staticmethod
    @contextlib.contextmanager
    def _mistake(tree, mutant):
        path = tree / mutant.file
        text = path.read_text()
        path.write_text(mutant.apply(text))
        try:
            yield
        finally:
            path.write_text(text)

    def _load(self, tree, database, mutant):
        """Have the database read what the mistake is in; a refusal is a notice as well."""
        module, _slash, file = mutant.file.partition("/")
        odoo = [self.session.python, ODOO]
        options = ["-d", database, f"--addons-path={tree}"]
        if mutant.update:
            return self._call([*odoo, *options, "-u", module, *INSTALL], tree)
        if mutant.is_data and not file.startswith("static/"):
            script = LOAD_SCRIPT.format(module=module, file=file)
            command = [*odoo, "shell", *options, "--no-http", "--log-level=warn"]
            return self._call(command, tree, input=script)
        return 0, ""

    def _test(self, tree, database, tests):
        command = [
            self.session.python, "-m", "pytest", "-x", "-q", "--odoo-http", "--tb=line",
            f"--odoo-database={database}", f"--odoo-addons-path={tree}", "--show-capture=no",
            "-p", "no:cacheprovider", "-p", "workspace.shared_files", *tests,
        ]  # fmt: skip
        return self._call(command, tree)

    def _test_plain(self, tree, tests):
        options = ["-x", "-q", "--tb=line", "-p", "no:odoo", "-p", "no:cacheprovider"]
        return self._call([self.session.python, "-m", "pytest", *options, *tests], tree)

    def _configure(self, tree):
        """A configuration with the addons of the copy, for tests that start Odoo as a command."""
        text = Path(self.session.env["ODOO_RC"]).read_text()
        path = tree / "odoo.conf"
        path.write_text(text.replace(f"addons_path = {ROOT}\n", f"addons_path = {tree}\n"))
        return path

    def _call(self, command, tree, **kwargs):
        env = {
            **self.session.env,
            "PYTHONPATH": str(tree / "tools"),
            "AR_DEV_HOME": str(HOME),
            "ODOO_RC": str(self._configure(tree)),
        }
        try:
            result = subprocess.run(
                [str(part) for part in command],
                cwd=tree,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=SECONDS,
                check=False,
                **kwargs,
            )
        except subprocess.TimeoutExpired:
            return FAILED, f"not finished after {SECONDS} s"
        return result.returncode, tail(result.stdout, 60)


def _is_plain(test):
    return ROOT / test.partition("::")[0] in PLAIN


def _remember(results):
    """Add to what is known of the last runs."""
    known = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    WORK.mkdir(parents=True, exist_ok=True)
    write_atomically(REPORT, json.dumps({**known, **results}, indent=1))


def _report(mutants, results):
    """Print what nobody noticed and the shares by wing; return the exit code."""
    unnoticed = [mutant for mutant in mutants if results[mutant.key] == "unnoticed"]
    for mutant in unnoticed:
        print(f"  NOBODY NOTICED {mutant.describe()}")
    total = Counter(mutant.wing for mutant in mutants)
    missed = Counter(mutant.wing for mutant in unnoticed)
    for wing, count in sorted(total.items()):
        noticed = count - missed[wing]
        say(f"  {wing:14}{noticed:4} of {count:4} noticed, {100 * noticed // count:3} %")
    if mutants:
        noticed = len(mutants) - len(unnoticed)
        say(f"  {'all':14}{noticed:4} of {len(mutants):4} noticed, "
            f"{100 * noticed // len(mutants):3} %")  # fmt: skip
    say(f"logs: {WORK / 'logs'}; the list: {FOLDER.relative_to(ROOT)}/")
    return 1 if unnoticed else 0


def _counts(counter):
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))
