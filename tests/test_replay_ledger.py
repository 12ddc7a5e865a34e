"""Ledgers of a replay: how files are read, and the books that are kept of them."""

import csv
import io
import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st
from replay_book import (
    ALLOCATION,
    BOUNCE,
    CREDIT_NOTE,
    DISPUTE,
    INVOICE,
    ON_ACCOUNT,
    PAYMENT,
    RATE,
    REFUND,
    WRITE_OFF,
    Book,
    Event,
)
from replay_ledger import EVENTS, Ledger, Options
from replay_table import (
    LedgerError,
    Undecided,
    decode,
    parse_amount,
    parse_date,
    parse_order,
    plain,
    read_amounts,
    read_dates,
)

from workspace.layout import ROOT

EXAMPLE = ROOT / "tests/data/events.csv"
INVOICES = "customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate"
HEADER = "date,event,customer,document,due,amount,currency,applies to"
FIRST = date(2026, 1, 5)


def row(
    number="1",
    invoiced="1/2/2012",
    due="2/1/2012",
    amount="55.94",
    settled="1/15/2012",
    disputed="No",
):
    return ",".join(("C1", number, invoiced, due, amount, disputed, settled))


def read(path, text, encoding="utf-8", **options):
    file = path / "ledger.csv"
    file.write_bytes(text.encode(encoding))
    return Ledger.read(file, Options(**options))


def read_rows(path, *rows, header=INVOICES, **options):
    return read(path, "\n".join([header, *rows]) + "\n", **options)


def find_faults(path, *rows, header=INVOICES, **options):
    """What is wrong, line by line, without the name of the file."""
    with pytest.raises(LedgerError) as caught:
        read_rows(path, *rows, header=header, **options)
    return str(caught.value).removeprefix(f"{path / 'ledger.csv'}: ").split("\n")


# Dates


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026/1/31",
        "2026.01.31",
        "20260131",
        "20260131.0",
        "2026-01-31 00:00:00",
        "2026-01-31T23:59:59.5Z",
        "2026年1月31日",
        "２０２６年１月３１日",
        "31.1.2026",
        "31.01.26",
        "31/01/2026",
        "1/31/2026",
        "01-31-2026 12:00 AM",
        "31 Jan 2026",
        "31-January-2026",
        "Jan 31, 2026",
    ],
)
def test_dates(text):
    assert parse_date(text) == date(2026, 1, 31)


@pytest.mark.parametrize(
    "text", ["soon", "2026-02-30", "30/30/2026", "1/31", "31 Foo 2026", "1899-01-01", "2026-1/31"]
)
def test_no_dates(text):
    with pytest.raises(ValueError, match="is not a date"):
        parse_date(text)


def test_order_of_dates_is_that_of_the_column():
    values, wrong = read_dates({2: "3/4/2026", 3: "13/4/2026", 4: "x", 5: "05.04.2026"})
    assert values == {2: date(2026, 4, 3), 3: date(2026, 4, 13), 5: date(2026, 4, 5)}
    assert wrong == {4: "“x” is not a date (dmy)"}
    values, _wrong = read_dates({2: "3/4/2026", 3: "4/13/2026", 4: "2026-04-03"})
    assert values == {2: date(2026, 3, 4), 3: date(2026, 4, 13), 4: date(2026, 4, 3)}
    # There is a twelfth month and a twelfth day.
    values, _wrong = read_dates({2: "12/5/2026", 3: "5/13/2026"})
    assert values == {2: date(2026, 12, 5), 3: date(2026, 5, 13)}
    # What reads the same in both ways needs no answer.
    assert read_dates({2: "4/4/2026"})[0] == {2: date(2026, 4, 4)}
    with pytest.raises(Undecided, match="say it by --date-format dmy or mdy") as caught:
        read_dates({2: "4/4/2026", 3: "3/4/2026"})
    assert caught.value.line == 3
    with pytest.raises(Undecided, match="line 2 .* with the month"):
        read_dates({2: "4/13/2026", 3: "13/4/2026"})
    # Who says it is believed, and what does not fit is wrong.
    values, wrong = read_dates({2: "4/13/2026", 3: "13/4/2026", 4: "3.4.26"}, "mdy")
    assert values == {2: date(2026, 4, 13), 4: date(2026, 3, 4)}
    assert wrong == {3: "“13/4/2026” is not a date (mdy)"}
    assert read_dates({2: "26/4/13"}, "ymd")[0] == {2: date(2026, 4, 13)}


@pytest.mark.parametrize(
    ("text", "order"),
    [("dmy", "dmy"), ("dd/mm/yyyy", "dmy"), ("%m/%d/%Y", "mdy"), ("YYYY-MM-DD", "ymd")],
)
def test_names_of_orders(text, order):
    assert parse_order(text) == order


@pytest.mark.parametrize("text", ["", "day", "ydm", "dm"])
def test_no_orders(text):
    with pytest.raises(ValueError, match="not a way to write dates"):
        parse_order(text)


# Amounts


@pytest.mark.parametrize(
    ("text", "decimal", "value", "currency"),
    [
        ("1234.5", ".", "1234.5", None),
        ("1,234.50", ".", "1234.50", None),
        ("1.234,50", ",", "1234.50", None),
        ("1 234 567,5", ",", "1234567.5", None),
        ("1\u202f234,50", ",", "1234.50", None),
        ("1'234.50", ".", "1234.50", None),
        ("12,34,567.00", ".", "1234567.00", None),
        (".5", ".", "0.5", None),
        ("-12", None, "-12", None),
        ("12-", None, "-12", None),
        ("−12", None, "-12", None),
        ("(1,234.00)", ".", "-1234.00", None),
        ("12.00 CR", ".", "-12.00", None),
        ("12.00 DR", ".", "12.00", None),
        ("$ 12", None, "12", None),
        ("-$12.50", ".", "-12.50", None),
        ("($12.50)", ".", "-12.50", None),
        ("€12", None, "12", "EUR"),
        ("12,00 €", ",", "12.00", "EUR"),
        ("£-12", None, "-12", "GBP"),
        ("USD 12", None, "12", "USD"),
        ("12 CHF", None, "12", "CHF"),
        ("￥１２", None, "12", None),
        ("12元", None, "12", "CNY"),
    ],
)
def test_amounts(text, decimal, value, currency):
    assert parse_amount(text, decimal) == (Decimal(value), currency)


@pytest.mark.parametrize(
    "text",
    ["many", "NaN", "1.2.3", "1,23.00", "--5", "(-5)", "-", "1e5", "$", "5 apples", "1234,567.00"],
)
def test_no_amounts(text):
    with pytest.raises(ValueError, match="is not an amount"):
        parse_amount(text, ".")


def test_decimal_mark_is_that_of_the_column():
    assert read_amounts({2: "1.234", 3: "5,5"})[0][2].value == 1234
    assert read_amounts({2: "1,234", 3: "5.5"})[0][2].value == 1234
    assert read_amounts({2: "1,234", 3: "1,234,567"})[0][2].value == 1234
    assert read_amounts({2: "1.234", 3: "x"}, ",")[0][2].value == 1234
    with pytest.raises(Undecided, match="say it by --decimal"):
        read_amounts({2: "500", 3: "1,234"})
    with pytest.raises(Undecided, match="line 2 .* has a decimal dot, line 3 .* a comma"):
        read_amounts({2: "1.5", 3: "1,5"})


# Files


def dialects():
    """Ways to write the same ledger."""
    return st.fixed_dictionaries(
        {
            "delimiter": st.sampled_from(",;\t|"),
            "encoding": st.sampled_from(("utf-8", "utf-8-sig", "gb18030", "utf-16")),
            "newline": st.sampled_from(("\n", "\r\n")),
            "date": st.sampled_from(
                (
                    "%Y-%m-%d",
                    "%d/%m/%Y",
                    "%m/%d/%Y",
                    "%d.%m.%Y",
                    "%Y/%m/%d",
                    "%Y年%m月%d日",
                    "%Y%m%d",
                )
            ),
            "thousands": st.sampled_from(("", " ", "'", ",")),
            "negative": st.sampled_from(("-{}", "{}-", "({})", "{} CR")),
            "swap": st.booleans(),
            "header": st.sampled_from(
                (
                    HEADER,
                    "Date,Event,Customer ID,Document No.,Due Date,Amount,Currency,Applies To",
                    "日期,事件,客户,单据编号,到期日,金额,币种,核销单据",
                )
            ),
        }
    )


def write_in(dialect, events):
    """The text of events in a dialect, credit notes as negative invoices."""

    def amount(event):
        if event.amount is None:
            return ""
        text = f"{event.amount:,.2f}".replace(",", dialect["thousands"])
        if dialect["swap"]:
            text = text.translate(str.maketrans(",.", ".,"))
        return dialect["negative"].format(text) if event.kind == CREDIT_NOTE else text

    def day(value):
        return value.strftime(dialect["date"]) if value else ""

    stream = io.StringIO()
    table = csv.writer(stream, delimiter=dialect["delimiter"], lineterminator=dialect["newline"])
    table.writerow(dialect["header"].split(","))
    for event in events:
        table.writerow(
            [
                day(event.date),
                INVOICE if event.kind == CREDIT_NOTE else event.kind,
                event.customer,
                event.document,
                day(event.due or (event.kind == CREDIT_NOTE and event.date)),
                amount(event),
                event.currency,
                "; ".join(event.applies),
            ]
        )
    return stream.getvalue()


def invent_events(seed):
    """Random events that can have happened, in the order of their days."""
    dice = random.Random(seed)
    events = [Event(0, FIRST, RATE, "", "R", None, Decimal("1.25"), "EUR")]
    book = Book("USD", events)
    for number in range(60):
        invoices = [item for item in book.items if item.kind == INVOICE and item.get_residual()[0]]
        credits_ = [item for item in book.items if item.get_residual()[0] < 0]
        kind = dice.choice((INVOICE, INVOICE, PAYMENT, PAYMENT, *EVENTS.values()))
        event = Event(
            0,
            FIRST + timedelta(days=number),
            kind,
            dice.choice(("Mühle", "客户", "C3")),
            f"{kind[0]}{number}",
            None,
            Decimal(dice.randint(1, 200_000)) / 100,
            dice.choice(("USD", "EUR")),
        )
        others = credits_ if kind in (REFUND, BOUNCE) else invoices
        if kind == INVOICE:
            event = event._replace(due=event.date + timedelta(days=dice.randrange(40)))
        elif kind in (PAYMENT, REFUND, BOUNCE, WRITE_OFF, DISPUTE) and others:
            other = dice.choice(others)
            event = event._replace(
                customer=other.customer, currency=other.currency, applies=(other.number,)
            )
            if kind != PAYMENT:
                event = event._replace(amount=abs(other.get_residual()[0]))
        elif kind == ALLOCATION and invoices and credits_:
            event = event._replace(
                document=dice.choice(credits_).number,
                applies=(dice.choice(invoices).number,),
                amount=None,
            )
        elif kind not in (CREDIT_NOTE, ON_ACCOUNT):
            continue
        try:
            book.enter(event)
        except ValueError:
            continue
        events.append(event)
    return events


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 10**6), dialect=dialects())
def test_same_ledger_in_any_dialect(tmp_path_factory, seed, dialect):
    """However it is written, the same is read, and every book of it ties to its entries."""
    events = invent_events(seed)
    text = write_in(dialect, events)
    ledger = read(tmp_path_factory.mktemp("dialect"), text, dialect["encoding"])
    strange = {"line": 0, "document": ""}
    shown = [event._replace(**strange) for event in events]
    got = [event._replace(**strange) for event in ledger.events]
    assert got == shown
    book = ledger.open_book()
    for event in ledger.events:
        book.enter(event)
    for day in (FIRST, FIRST + timedelta(days=30), ledger.last_day):
        for customer, balance in book.get_balances(day).items():
            opened = book.get_open(day)[customer]
            assert balance.open_amount == sum(each.residual for each in opened)
            assert balance.open_amount == (
                balance.not_due + balance.overdue_amount + balance.unallocated
            )
            assert 0 <= balance.demand_amount <= balance.followup_amount <= balance.overdue_amount
            if balance.open_amount <= 0:
                assert not balance.followup_amount
            for each in opened:
                assert 0 <= each.credit <= each.residual or each.is_credit
                assert 0 <= each.credit_own <= each.own or each.is_credit


def test_encodings():
    assert decode("\ufeff日期".encode()) == "日期"
    assert decode("日期".encode("gb18030")) == "日期"
    assert decode("日期".encode("utf-16")) == "日期"


def test_names_of_columns(tmp_path):
    """Known names are found, the best first; others are told, and tell nothing else."""
    header = "cust_number,name_customer,invoice_id,posting_date,due_in_date,total,clear_date,x"
    line = (
        "0200769623,WAL-MAR corp,1930438491.0,2020-01-26,20200210.0,54273.28,2020-02-11 00:00:00,9"
    )
    (invoice, payment) = read_rows(tmp_path, line, header=header).events
    assert (invoice.customer, invoice.due) == ("0200769623", date(2020, 2, 10))
    assert (payment.kind, payment.date) == (PAYMENT, date(2020, 2, 11))
    columns = {"customer": "name_customer", "amount": "x"}
    (invoice, _payment) = read_rows(tmp_path, line, header=header, columns=columns).events
    assert (invoice.customer, invoice.amount) == ("WAL-MAR corp", 9)
    assert find_faults(tmp_path, line, header=header, columns={"due": "Due"}) == [
        f"line 1: there is no column “Due” ({header.replace(',', ', ')})"
    ]
    (fault,) = find_faults(tmp_path, row(), header=INVOICES.replace("DueDate", "Day"))
    assert fault.startswith("line 1: missing column due: name it by --columns due=...")


def test_no_file_and_empty_file(tmp_path):
    with pytest.raises(LedgerError, match="cannot be read"):
        Ledger.read(tmp_path / "none.csv")
    for text in ("", "\n", INVOICES):
        with pytest.raises(LedgerError, match="the ledger is empty"):
            read(tmp_path, text)


# Invoices


def test_invoices_become_events(tmp_path):
    ledger = read_rows(tmp_path, row(disputed="Yes", settled="2/20/2012"), row("2", settled=""))
    kinds = [(event.kind, event.date, event.amount) for event in ledger.events]
    amount = Decimal("55.94")
    assert kinds == [
        (INVOICE, date(2012, 1, 2), amount),
        (INVOICE, date(2012, 1, 2), amount),
        (DISPUTE, date(2012, 1, 22), amount),
        (PAYMENT, date(2012, 2, 20), amount),
    ]
    # Who has paid by then does not object.
    (_invoice, payment) = read_rows(tmp_path, row(disputed="Yes", settled="1/22/2012")).events
    assert payment.kind == PAYMENT
    # What is negative is a credit note, and settling it pays it out.
    (note, refund) = read_rows(tmp_path, row(amount="-5.00", disputed="Yes")).events
    assert (note.kind, refund.kind, refund.amount) == (CREDIT_NOTE, REFUND, 5)
    assert read_rows(tmp_path, row().replace(",No,", ",,")).events


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(due="2/30/2012")], "line 2: DueDate: “2/30/2012” is not a date"),
        ([row(settled="soon"), row("2")], "line 2: SettledDate: “soon” is not a date"),
        ([row(amount="12,5")], "line 2: more values than columns"),
        ([row(amount="many")], "line 2: InvoiceAmount: “many” is not an amount"),
        ([row(amount="1.234"), row("2")], "line 2: 1.234 has more than 2 decimals of USD"),
        ([row(amount="1.234")], "line 2: InvoiceAmount: “1.234” can have a decimal mark or"),
        ([row(amount="0")], "line 2: the amount is zero"),
        ([row(amount="")], "line 2: no value for InvoiceAmount"),
        ([row(amount="5 XYZ")], "line 2: “XYZ” is not a currency like EUR"),
        ([row(disputed="Maybe")], "line 2: Disputed: “Maybe” is neither Yes nor No"),
        ([row(due="1/1/2012")], "line 2: due on 2012-01-01, before it was invoiced on 2012-01-02"),
        ([row(settled="1/1/2012"), row("2")], "line 2: settled on 2012-01-01, before it was"),
        ([row(), row("2"), row()], "line 4: invoice number 1 is already in line 2"),
        (["C1"], "line 2: no value for InvoiceDate; no value for invoiceNumber"),
        ([row(settled="")], "line 2: InvoiceDate: “1/2/2012” can begin with the day or with"),
    ],
)
def test_bad_invoices(tmp_path, rows, message):
    assert find_faults(tmp_path, *rows)[0].startswith(message)


# Events


def test_all_bad_events_are_named(tmp_path):
    """Every line with its reasons; who needs a wrong line is not at fault itself."""
    rows = {
        "2026-01-31,invoice,A,1,2026-02-28,100,USD,": None,
        "2026-01-31,invoice,A,2,2026-02-30,100,USD,": "due: “2026-02-30” is not a date",
        "2026-02-01,payment,A,P1,,100,USD,2": None,
        "2026-02-01,payment,A,P2,,100,USD,9": "there is no invoice 9 by 2026-02-01",
        "2026-02-01,payment,B,P3,,100,USD,1": "1 is of A, not of B",
        "2026-02-01,payment,A,P4,,100,EUR,1": "1 is in USD, not in EUR",
        "2026-02-01,payment,A,P5,,60,USD,1": None,
        "2026-02-02,payment,A,P5,,40,USD,1": "payment number P5 is already in line 8",
        "2026-02-03,bounce,,B1,,50,USD,P5": "a payment bounces as a whole: 60, not 50",
        "2026-02-03,bounce,,,,,,P5": None,
        "2026-02-04,bounce,,P5,,,,": "payment P5 has bounced before",
        "2026-02-04,sale,A,S,,5,USD,": "“sale” is not an event (invoice",
        "2026-02-04,invoice,,,,,,": "no value for customer; no value for document; no",
        "2026-02-05,write-off,,,,900.5,,1": "only 100 is open, not 900.5",
        "2026-02-05,dispute,,,,20,,1": None,
        "2026-02-06,dispute,,1,,,,": "1 is in dispute already",
        "2026-02-06,allocation,,P5,,,,1": "payment P5 has bounced before",
        "2026-02-06,on account,A,P6,,30,usd,": None,
        "2026-02-07,allocation,,P6,,20,,1": "all that can be matched is matched: 30, not 20",
        "2026-02-08,refund,A,R1,,30,USD,P6": None,
        "2026-02-09,bounce,,,,,,P6": "payment P6 was refunded",
        "2026-02-09,on account,A,P7,,5,,1": "on account applies to no document",
        "2026-02-09,on account,A,P8,,-5,USD,": "on account of -5, while others are positive",
        "2026-02-09,rate,,,,1.2,USD,": "USD is the currency of the company and has no rate",
        "2026-02-09,payment,A,P9,,€5,USD,": "the amount is in EUR, the currency is USD",
        "2026-02-09,payment,A,P10,,5.5,JPY,": "5.5 has more than 0 decimals of JPY",
        ",payment,A,P11,,5,USD,": "no value for date",
        "2026-02-09,invoice,A,3,2026-02-28,100,EUR,": None,
        "2026-02-10,write-off,,,,,,1;3": "1, 3 are not of one customer and currency",
    }
    faults = find_faults(tmp_path, *rows, header=HEADER)
    expected = {line: text for line, text in enumerate(rows.values(), 2) if text}
    assert [fault.split(": ")[0] for fault in faults] == [f"line {line}" for line in expected]
    for fault, text in zip(faults, expected.values(), strict=True):
        assert text in fault


def test_undecided_columns_are_told_with_other_faults(tmp_path):
    line = "1/2/2026,invoice,A,1,3/2/2026,100,USD,"
    wrong = "2/2/2026,sale,A,2,3/2/2026,100,USD,"
    faults = find_faults(tmp_path, line, wrong, header=HEADER)
    assert len(faults) == 2
    assert "say it by --date-format dmy or mdy" in faults[0]
    assert faults[1].startswith("line 3: “sale” is not an event")
    for order, month in (("dmy", 2), ("mdy", 1)):
        (invoice,) = read_rows(tmp_path, line, header=HEADER, date_order=order).events
        assert invoice.date.month == month
    # Another column of the file shows it.
    (invoice,) = read_rows(tmp_path, line.replace("3/2/", "13/2/"), header=HEADER).events
    assert invoice.date == date(2026, 2, 1)


def test_currency_of_the_company(tmp_path):
    def find(*codes, **options):
        rows = [
            f"2026-01-31,invoice,A,{number},2026-02-28,100,{code},"
            for number, code in enumerate(codes)
        ]
        ledger = read_rows(tmp_path, *rows, header=HEADER, **options)
        return ledger.currency, ledger.currencies

    assert find("") == ("USD", [])
    assert find("EUR", "EUR", "USD") == ("USD", ["EUR"])
    assert find("EUR", "GBP", "GBP", "") == ("GBP", ["EUR"])
    assert find("EUR", "", currency="CNY") == ("CNY", ["EUR"])


def test_every_name_of_an_event_is_plain():
    assert all(name == plain(name) for name in EVENTS)
    assert len(set(EVENTS.values())) == 10


# The book


@pytest.fixture
def book():
    """The book of the example on its last day."""
    ledger = Ledger.read(EXAMPLE)
    book = ledger.open_book()
    for event in ledger.events:
        book.enter(event)
    return book


def test_what_is_asked_for(book):
    """Net of credits, less what is in dispute; a bounced payment leaves its invoice's age."""
    day = date(2026, 1, 23)
    balances = book.get_balances(day)
    assert sorted(balances) == ["Harbour Supplies", "Orchard Foods", "Tide"]
    harbour, orchard, tide = (balances[customer] for customer in sorted(balances))
    assert (harbour.open_amount, harbour.overdue_amount, harbour.unallocated) == (300, 350, -50)
    assert (harbour.disputed, harbour.followup_amount, harbour.demand_amount) == (250, 300, 50)
    assert (harbour.oldest_due, harbour.demand_due) == (date(2026, 1, 12), date(2026, 1, 12))
    assert (orchard.open_amount, orchard.demand_amount) == (260, 260)
    assert orchard.demand_due == date(2026, 1, 12)
    assert (tide.demand_amount, tide.demand_due) == (90, date(2026, 1, 12))


def test_past_days(book):
    """Matchings undone by today are undone for the past, others count from the later day."""
    # On its due date nothing is overdue.
    tide = book.get_balances(date(2026, 1, 12))["Tide"]
    assert (tide.not_due, tide.overdue_amount, tide.overdue_count) == (90, 0, 0)
    # A payment that was reversed had paid nothing; what the bank took back, it had.
    past = book.get_balances(date(2026, 1, 15))
    assert (past["Tide"].overdue_amount, past["Tide"].unallocated) == (90, -90)
    assert "Orchard Foods" not in past
    harbour = book.get_balances(date(2026, 1, 13))["Harbour Supplies"]
    assert (harbour.open_amount, harbour.overdue_amount) == (350, 100)
    mill = book.get_balances(date(2026, 1, 13))["Mill & Sons"]
    assert (mill.open_amount, mill.demand_amount) == (330, 330)


def test_who_owes_nothing_is_asked_for_nothing():
    book = Book("USD")
    book.enter(Event(1, FIRST, INVOICE, "A", "1", FIRST, Decimal(100), "USD"))
    book.enter(Event(2, FIRST, INVOICE, "A", "2", FIRST, Decimal(100), "EUR"))
    book.enter(Event(3, FIRST, ON_ACCOUNT, "A", "P", None, Decimal(150), "USD"))
    day = FIRST + timedelta(days=1)
    assert book.get_balances(day)["A"].demand_amount == 50
    book.enter(Event(4, FIRST, CREDIT_NOTE, "A", "3", None, Decimal(50), "USD"))
    balance = book.get_balances(day)["A"]
    assert (balance.open_amount, balance.overdue_amount) == (0, 200)
    assert (balance.followup_amount, balance.demand_amount, balance.demand_due) == (0, 0, None)
    # What we paid out is no claim, and uses up the credits.
    book.enter(Event(5, FIRST, REFUND, "A", "R", None, Decimal(30), "USD"))
    assert book.get_balances(day)["A"].demand_amount == 30
