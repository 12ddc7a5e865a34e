"""The replay: the parser of ledgers, and two months lived day by day."""

import json
import os
import random
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from replay_ledger import Invoice, Ledger, LedgerError

from workspace import databases
from workspace.layout import ROOT
from workspace.session import open_session

LEDGER = Path(os.environ.get("AR_LEDGER") or ROOT / "../shared/data/ibm_ar.csv")
HEADER = (
    "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,"
    "Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate"
)
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


# Parser


def test_read(tmp_path):
    file = write(tmp_path, row(), row("2", settled=""))
    first, second = Ledger.read(file).invoices
    assert first == Invoice(
        "1", "0379-NEVHP", date(2012, 1, 2), date(2012, 2, 1), Decimal("55.94"), date(2012, 1, 15)
    )
    assert second.settled is None


def test_read_utf8_mark_and_windows_lines(tmp_path):
    file = tmp_path / "ledger.csv"
    file.write_bytes(("\ufeff" + "\r\n".join([HEADER, row(), ""])).encode())
    assert len(Ledger.read(file).invoices) == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row("2", invoiced="2012-01-02")], "line 3: InvoiceDate: “2012-01-02” is not a"),
        ([row(due="2/30/2012")], "line 2: DueDate: “2/30/2012” is not a date"),
        ([row(settled="soon")], "line 2: SettledDate: “soon” is not a date"),
        ([row(amount="12,5")], "line 2: more values than columns"),
        ([row(amount="many")], "line 2: InvoiceAmount: “many” is not an amount"),
        ([row(amount="NaN")], "line 2: InvoiceAmount: “NaN” is not an amount"),
        ([row(amount="1.234")], "line 2: InvoiceAmount: “1.234” is not an amount"),
        ([row(amount="-5.00")], "line 2: InvoiceAmount: the amount -5.00 is not more than zero"),
        ([row(amount="0")], "line 2: InvoiceAmount: the amount 0 is not more than zero"),
        ([row(amount="")], "line 2: no value for InvoiceAmount"),
        ([row(disputed="Maybe")], "line 2: Disputed: “Maybe” is neither Yes nor No"),
        ([row(due="1/1/2012")], "line 2: due on 2012-01-01, before it was invoiced on 2012-01-02"),
        ([row(settled="1/1/2012")], "line 2: settled on 2012-01-01, before it was invoiced"),
        ([row(), row("2"), row()], "line 4: invoice number 1 is already in line 2"),
        (["391,0379-NEVHP"], "line 2: no value for invoiceNumber"),
        ([], "the ledger is empty"),
    ],
)
def test_bad_rows(tmp_path, rows, message):
    with pytest.raises(LedgerError) as caught:
        Ledger.read(write(tmp_path, *rows))
    assert message in str(caught.value)


def test_all_bad_rows_are_named(tmp_path):
    rows = [row(str(number), amount="x") for number in range(20)]
    with pytest.raises(LedgerError) as caught:
        Ledger.read(write(tmp_path, *rows))
    assert "line 2:" in str(caught.value)
    assert "line 11:" in str(caught.value)
    assert "and 10 more faulty lines" in str(caught.value)


def test_missing_column(tmp_path):
    with pytest.raises(LedgerError, match="line 1: missing column DueDate"):
        Ledger.read(write(tmp_path, row(), header=HEADER.replace("DueDate", "Due")))


def test_no_file_and_empty_file(tmp_path):
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger.read(tmp_path / "none.csv")
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(LedgerError, match="the ledger is empty"):
        Ledger.read(empty)


def test_balances(tmp_path):
    file = write(
        tmp_path,
        row("1", amount="10.00", settled="2/10/2012"),
        row("2", amount="20.00", invoiced="1/20/2012", due="2/9/2012", settled=""),
    )
    ledger = Ledger.read(file)
    assert ledger.balances(date(2012, 1, 1)) == {}
    (balance,) = ledger.balances(date(2012, 2, 1)).values()
    assert (balance.open_amount, balance.overdue_amount) == (30, 0)
    (balance,) = ledger.balances(date(2012, 2, 2)).values()
    assert (balance.not_due, balance.overdue_amount, balance.overdue_count) == (20, 10, 1)
    # The payment of a day counts on that day.
    (balance,) = ledger.balances(date(2012, 2, 10)).values()
    assert (balance.overdue_amount, balance.oldest_due) == (20, date(2012, 2, 9))


def test_disputes(tmp_path):
    """From the twentieth day after the invoice to the settlement, when it is open so long."""
    file = write(
        tmp_path,
        row("1", amount="10.00", settled="2/10/2012", disputed="Yes"),
        row("2", amount="20.00", settled="1/22/2012", disputed="Yes"),
        row("3", amount="40.00", settled="", disputed="no"),
    )
    ledger = Ledger.read(file)
    first, second, third = ledger.invoices
    assert (first.disputed_on, second.disputed_on) == (date(2012, 1, 22), None)
    assert third.disputed_on is None
    assert dict(ledger.by_disputed) == {date(2012, 1, 22): [first]}
    held = [first.is_in_dispute(date(2012, *day)) for day in ((1, 21), (1, 22), (2, 9), (2, 10))]
    assert held == [False, True, True, False]
    (balance,) = ledger.balances(date(2012, 2, 2)).values()
    assert (balance.overdue_amount, balance.disputed, balance.demand_amount) == (50, 10, 40)
    assert balance.demand_due == date(2012, 2, 1)
    entered = [invoice.disputed for invoice in ledger.entered_on(date(2012, 2, 9)).invoices]
    assert entered == [True, False, False]
    assert not any(invoice.disputed for invoice in ledger.entered_on(date(2012, 2, 10)).invoices)
    assert ledger.entered_on(date(2011, 12, 31)).invoices == ledger.invoices


def test_column_of_disputes_may_be_missing(tmp_path):
    header = HEADER.replace("Disputed,", "")
    file = write(tmp_path, row().replace(",No,", ","), header=header)
    assert Ledger.read(file).invoices[0].disputed is False


# The command


def test_bad_file_changes_nothing(tmp_path):
    name = f"ar_test_{os.getpid()}_bad"
    result = replay(write(tmp_path, row(amount="x")), "--db", name)
    assert result.returncode == 1
    assert "line 2: InvoiceAmount" in result.stderr
    assert "Traceback" not in result.stderr
    with open_session() as session:
        assert name not in databases.names(session)


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
