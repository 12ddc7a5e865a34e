"""The replay as a command: ledgers lived day by day, and those that are not touched."""

import json
import os
import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

from replay_ledger import Ledger

from workspace import databases
from workspace.layout import ROOT
from workspace.session import open_session

LEDGER = Path(os.environ.get("AR_LEDGER") or ROOT / "../shared/data/ibm_ar.csv")
HEADER = (
    "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,"
    "Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate"
)
EVENTS = ROOT / "tests/data/events.csv"
DAYS = 60


def row(
    number="1",
    invoiced="1/2/2012",
    due="2/1/2012",
    amount="55.94",
    settled="1/15/2012",
    disputed="No",
):
    values = ("391", "0379-NEVHP", "4/6/2013", number, invoiced, due, amount, disputed, settled)
    return ",".join((*values, "Paper", "13", "0"))


def write(path, *rows, header=HEADER):
    file = path / "ledger.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def us(day):
    return f"{day.month}/{day.day}/{day.year}" if day else ""


def small_ledger(first=date(2012, 1, 3), days=90, seed=19):
    """Rows of a made-up ledger: some customers pay early, some late, some never."""
    dice = random.Random(seed)
    rows = []
    for number in range(1, 151):
        customer = dice.randrange(25)
        invoiced = first + timedelta(days=dice.randrange(days - 20))
        due = invoiced + timedelta(days=dice.choice((7, 14, 30)))
        settled = due + timedelta(days=dice.randint(-7, 2 * customer))
        unpaid = dice.random() < 0.05
        rows.append(
            f"391,C{customer:03},,{number:06},{us(invoiced)},{us(due)},"
            f"{dice.randint(500, 900000) / 100:.2f},{dice.choice(('No', 'No', 'Yes'))},"
            f"{us(None if unpaid else max(settled, invoiced))},Paper,,"
        )
    return rows


def replay(*args):
    """Run the command and return its result."""
    return subprocess.run(
        [sys.executable, ROOT / "tools/replay.py", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


# The command


def test_bad_file_changes_nothing(tmp_path):
    """All wrong lines are told, and there is no database."""
    name = f"ar_test_{os.getpid()}_bad"
    result = replay(write(tmp_path, row(amount="x"), row("2"), row("3", due="soon")), "--db", name)
    assert result.returncode == 1
    assert "line 2: InvoiceAmount: “x” is not an amount" in result.stderr
    assert "line 4: DueDate: “soon” is not a date" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    with open_session() as session:
        assert name not in databases.names(session)


def test_options(tmp_path):
    """How to read a file is checked before the file is."""
    header = HEADER.replace("DueDate", "Until")
    for args, message in (
        (("--columns", "due=Until", "--date-format", "dmy"), "line 2: SettledDate: “1/15/2012” is"),
        (("--columns", "due"), "is not a column and its name"),
        (("--columns", "until=Until"), "is not a column and its name"),
        (("--date-format", "daily"), "is not a way to write dates"),
        (("--decimal", ";"), "invalid choice"),
        (("--currency", "XYZ"), "invalid choice"),
        ((), "line 1: missing column due: name it by --columns due=..."),
    ):
        result = replay(write(tmp_path, row(), header=header), *args)
        assert result.returncode
        assert message in result.stderr, result.stderr


def test_days_of_a_ledger(tmp_path):
    """Sixty days of the big ledger when it is here, else of a small one."""
    ledger = LEDGER if LEDGER.exists() else write(tmp_path, *small_ledger())
    first = Ledger.read(ledger).first_day
    summary = lived(ledger, "--to", first + timedelta(days=DAYS - 1))
    assert summary["days"] == DAYS
    assert summary["invoices"] > 100
    assert summary["payments"] > 50
    assert summary["cases_opened"] > summary["cases_closed"] > 10
    assert summary["mails"] > 50
    assert summary["disputes"] > 10
    assert summary["actions"]["Friendly reminder"] >= summary["actions"]["Firm reminder"] > 0
    assert summary["seconds"] > 0


def test_start_with_an_old_ledger(tmp_path):
    """Who is late already gets one contact on the first working day, not one per step."""
    last = date(2012, 5, 31)
    summary = lived(write(tmp_path, *small_ledger()), "--from", "2012-05-21", "--to", last)
    assert summary["invoices"] == 150
    assert summary["cases_opened"] > 3
    assert summary["disputes"] > 2
    # Letters and visits come at once, without the reminders that were due before.
    assert sum(summary["actions"].values()) < 5 * summary["cases_opened"]


def test_days_of_events():
    """Part payments, currencies, credits, a bounce, money on account, a write-off, a dispute."""
    summary = lived(EVENTS, "--from", "2026-01-12")
    assert summary["events"] == {
        "rate": 2,
        "invoice": 6,
        "credit note": 2,
        "on account": 1,
        "payment": 4,
        "allocation": 2,
        "dispute": 1,
        "bounce": 2,
        "write-off": 1,
        "refund": 1,
    }
    assert (summary["invoices"], summary["payments"], summary["disputes"]) == (6, 5, 1)
    # Mill & Sons and Quarry Stone are done; of the four, Harbour Supplies begins last.
    assert (summary["cases_opened"], summary["cases_closed"]) == (5, 2)
    assert summary["actions"]["Friendly reminder"] >= 3


def lived(ledger, *args):
    """The summary of a replay in a database that is dropped afterwards."""
    name = f"ar_test_{os.getpid()}"
    try:
        result = replay(ledger, "--db", name, *args)
    finally:
        with open_session() as session:
            databases.drop(session, name)
    assert result.stdout.strip(), result.stderr[-3000:]
    summary = json.loads(result.stdout.splitlines()[-1])
    assert summary["violations"] == []
    assert result.returncode == 0, result.stderr[-3000:]
    return summary
