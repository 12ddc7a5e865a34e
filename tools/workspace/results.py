"""benchmarks/RESULTS.md: what benchmarks have printed, and what made it, for people to compare."""

import contextlib
import os
import re
import subprocess
from ast import literal_eval
from datetime import date
from typing import NamedTuple

from .layout import ADDON, ROOT

PATH = ROOT / "benchmarks/RESULTS.md"
#: what was measured, in a column of its own or before a colon, and a time somewhere behind it
MEASURED = (
    re.compile(r"(?P<what>[A-Za-z].*?)\s{2,}(?P<result>.*\d m?s\b.*)"),
    re.compile(r"(?P<what>[A-Za-z].*?): (?P<result>.*\d m?s\b.*)"),
)
RATIO = re.compile(r"([\d.]+) (?:x|times) |ratio ([\d.]+)")


class Row(NamedTuple):
    """One line of the table.

    :ivar machine: its class, which times depend on: cores, PostgreSQL, what else ran on it
    :ivar ratio: to what the benchmark compares with; empty when it compares with nothing
    """

    day: str
    version: str
    benchmark: str
    machine: str
    what: str
    result: str
    ratio: str

    def __str__(self):
        return f"| {' | '.join(cell.replace('|', '/') for cell in self)} |"


def read_output(text):
    """``[(what, result, ratio)]`` of what a benchmark has printed.

    Lines that are set in say more about the one above.
    """
    found = []
    for line in text.splitlines():
        if line.startswith("    ") and found:
            what, result, ratio = found.pop()
            found.append((what, f"{result}; {' '.join(line.split())}", ratio))
        elif match := next(filter(None, (one.fullmatch(line.rstrip()) for one in MEASURED)), None):
            ratio = RATIO.search(match["result"])
            result = " ".join(match["result"].split())
            found.append((match["what"], result, (ratio[1] or ratio[2]) if ratio else ""))
    return found


def read_rows(text):
    """The rows of the table.

    :raises ValueError: a line of the table has not as many cells as a row
    """
    rows = []
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| Day "):
            cells = [cell.strip() for cell in line[1:].rstrip().removesuffix("|").split("|")]
            if len(cells) != len(Row._fields):
                raise ValueError(f"{len(cells)} cells instead of {len(Row._fields)}: {line}")
            rows.append(Row(*cells))
    return rows


def record(session, benchmark, output, note=""):
    """Append what a benchmark has printed; return how many rows that are."""
    machine = ", ".join(filter(None, (get_machine(session), note)))
    origin = str(date.today()), get_version(), benchmark, machine
    rows = [Row(*origin, *measured) for measured in read_output(output)]
    with open(PATH, "a") as stream:
        stream.writelines(f"{row}\n" for row in rows)
    return len(rows)


def get_machine(session):
    version = session.sql("SHOW server_version").split()[0]
    return f"{os.cpu_count()} cores, PostgreSQL {version}"


def get_version():
    """The version of the addon, and which state of its files."""
    manifest = literal_eval((ROOT / ADDON / "__manifest__.py").read_text())
    with contextlib.suppress(OSError):
        command = ["git", "rev-parse", "--short", "HEAD"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not result.returncode:
            return f"{manifest['version']} {result.stdout.strip()}"
    return manifest["version"]
