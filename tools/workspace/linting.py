"""bin/lint: the checks that need no database, in the environment that bin/test uses."""

import os

from .console import run_in_foreground
from .layout import HOME, ROOT, addons
from .runtime import ensure_runtime

USAGE = """\
bin/lint                     all checks that need no database
bin/lint CHECK [FILES...]    one of them: {names}; on these files, else on everything

pre-commit calls it, see CONTRIBUTING.md."""

#: tests that read the sources only
STATIC_TESTS = ("tests/test_structure.py", "tests/test_house.py")


def main(args):
    if args[:1] in (["-h"], ["--help"]):
        print(USAGE.format(names=", ".join(CHECKS)))
        return 0
    names, files = args[:1] or list(CHECKS), args[1:]
    if unknown := set(names) - set(CHECKS):
        print(USAGE.format(names=", ".join(CHECKS)))
        print("unknown:", *unknown)
        return 2
    runtime = ensure_runtime()
    env = {
        **os.environ,
        "PATH": f"{runtime.venv / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "tools"),
        "RUFF_CACHE_DIR": str(HOME / "ruff"),
    }
    commands = [CHECKS[name](files) for name in names]
    codes = [
        run_in_foreground([runtime.python, "-m", *command], env=env, cwd=ROOT)
        for command in commands
    ]
    return max(codes)


def sources():
    """Folders and the scripts without suffix, which ruff finds only by name."""
    scripts = [path for path in (*ROOT.glob("bin/*"), *ROOT.glob("tools/shim/*")) if path.is_file()]
    folders = [name for name in ("tools", "tests", "benchmarks") if (ROOT / name).is_dir()]
    return [*addons(), *folders, *(str(path.relative_to(ROOT)) for path in sorted(scripts))]


def _static_tests(files):
    return ["pytest", "-p", "no:odoo", "-o", f"cache_dir={HOME / 'pytest'}", "-q", *STATIC_TESTS]


#: name -> the command for some files, to be run by ``python -m``
CHECKS = {
    "ruff": lambda files: ["ruff", "check", "--force-exclude", *(files or sources())],
    "format": lambda files: ["ruff", "format", "--check", "--force-exclude", *(files or sources())],
    "pylint": lambda files: ["pylint", "--rcfile=pyproject.toml", *(files or addons())],
    "structure": _static_tests,
}
