"""benchmarks/RESULTS.md: what benchmarks print is read, and the table stays one."""

import re

import pytest

from workspace import results

OUTPUT = """\
today=2026-11-30 currency=1 tax=1@0.15
     0.2s  staging customers: 10000 rows in 0.0s
bare ageing, accounts by subquery               0.085 s  best of                     3  \n\
bare ageing, literal accounts: the yardstick    0.103 s  best of                     3
figures of all customers                        0.655 s  best of                     3    6.34 x bare
first run                                       98.83 s    4454 queries   231 MB peak  957.04 x bare \n\
    1198 cases, 2447 actions, 2420 mails; 40.8 ms and 1.84 queries a mail
invoices of 100 customers: 3.20 s, stock Odoo 2.90 s, ratio 1.10, 3.0 ms an invoice more
allowance run: 2.50 s, 30 queries, 7.1 times the bare ageing (0.35 s)
printed 20 by one call                          40 letters      98.1 ms each    4.20 x as fast as one by one
2026-11-30 13:00:00,123 42 WARNING bench odoo.http: took 3 s
[ar] Odoo: done in 5 s
"""  # noqa: E501 (as it is printed)


def test_what_is_printed_is_read():
    found = results.read_output(OUTPUT)
    assert [(what, ratio) for what, _result, ratio in found] == [
        ("bare ageing, accounts by subquery", ""),
        ("bare ageing, literal accounts: the yardstick", ""),
        ("figures of all customers", "6.34"),
        ("first run", "957.04"),
        ("invoices of 100 customers", "1.10"),
        ("allowance run", "7.1"),
        ("printed 20 by one call", "4.20"),
    ]
    assert found[3][1] == (
        "98.83 s 4454 queries 231 MB peak 957.04 x bare; "
        "1198 cases, 2447 actions, 2420 mails; 40.8 ms and 1.84 queries a mail"
    )


def test_what_is_kept_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "PATH", tmp_path / "RESULTS.md")
    results.PATH.write_text("| Day | Version | Benchmark | Machine |\n|---|---|---|---|\n")

    class Session:
        def sql(self, query):
            return "18.4 (Debian 18.4-1)"

    assert results.record(Session(), "run_cycle small", OUTPUT, "a | shared machine") == 7
    rows = results.read_rows(results.PATH.read_text())
    assert [row.ratio for row in rows] == ["", "", "6.34", "957.04", "1.10", "7.1", "4.20"]
    assert rows[0].machine.endswith(" cores, PostgreSQL 18.4, a / shared machine")
    assert rows[0].version.startswith("19.0.")


def test_the_table():
    rows = results.read_rows(results.PATH.read_text())
    assert rows
    for row in rows:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row.day), row
        assert re.fullmatch(r"19\.0(\.\d+){3}( [0-9a-f]+)?", row.version), row
        assert (results.ROOT / f"benchmarks/{row.benchmark.split()[0]}.py").is_file(), row
        assert re.match(r"\d+ cores, PostgreSQL \d", row.machine), row
        assert row.what and row.result and (not row.ratio or float(row.ratio) > 0), row


def test_a_line_that_is_no_row():
    with pytest.raises(ValueError, match="3 cells instead of 7"):
        results.read_rows("| 2026-11-30 | 19.0.5.4.0 | letters |\n")
