"""Ledgers in CSV: what happened, event by event, read from two formats.

Nothing here knows Odoo or the addon. ``replay_book`` keeps the books of what is read here.
"""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import NamedTuple

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
    Missed,
)
from replay_currencies import CURRENCIES, get_decimals
from replay_table import Faults, LedgerError, Table, find_order, plain, read_amounts, read_dates

#: names of columns, as ``plain`` leaves them, the best first
COLUMNS = {
    "date": """date eventdate invoicedate documentdate docdate postingdate bookingdate
        transactiondate documentcreatedate 日期 发票日期 开票日期 单据日期 过账日期""",
    "event": "event eventtype transactiontype type kind documenttype doctype 事件 业务类型 类型",
    "customer": """customer customerid customernumber customerno customercode custnumber custno
        client clientid debtor partner customername namecustomer 客户 客户编号 客户代码 客户名称""",
    "document": """document documentnumber documentno documentid docnumber docno docid
        invoicenumber invoiceno invoiceid invoice number reference ref
        单据 单据编号 单据号 发票号码 发票号 发票编号""",
    "due": "duedate due dueindate dueon maturity maturitydate 到期日 到期日期",
    "amount": """amount invoiceamount documentamount totalamount totalopenamount total value
        金额 发票金额 价税合计""",
    "currency": "currency currencycode invoicecurrency documentcurrency ccy 币种 货币",
    "applies": "appliesto applies appliedto applyto allocatedto against 对应单据 冲抵单据 核销单据",
    "settled": """settleddate settled settledon cleardate clearingdate paymentdate paiddate paidon
        结清日期 付款日期 收款日期""",
    "disputed": "disputed isdisputed 有争议",
}
COLUMNS = {column: tuple(names.split()) for column, names in COLUMNS.items()}
EVENT_COLUMNS = ("date", "event", "customer", "document", "amount")
INVOICE_COLUMNS = ("customer", "document", "date", "due", "amount", "settled")
DATES = ("date", "due", "settled")

#: names of events, as ``plain`` leaves them
EVENTS = {
    INVOICE: """invoice inv customerinvoice salesinvoice debitnote debitmemo debit opening
        openinginvoice 发票 销售发票 应收单""",
    CREDIT_NOTE: "creditnote creditmemo credit cn salescredit 贷项通知单 贷记单 红字发票 红票",
    PAYMENT: "payment receipt cash cashreceipt partpayment partialpayment pmt 收款 回款 付款",
    ON_ACCOUNT: """onaccount onaccountmoney onaccountpayment paymentonaccount prepayment advance
        advancepayment deposit overpayment unallocated 预收 预收款""",
    ALLOCATION: "allocation allocate application apply match matching 分配 匹配 冲抵",
    BOUNCE: """bounce bounced bouncedpayment bouncedcheque bouncedcheck returned returnedpayment
        chargeback nsf dishonoured reversal paymentreversal 退票 拒付""",
    REFUND: "refund refunded payout repayment 退款",
    WRITE_OFF: "writeoff writtenoff baddebt 坏账 坏账核销",
    DISPUTE: "dispute disputed query 争议",
    RATE: "rate exchangerate fxrate 汇率",
}
EVENTS = {name: kind for kind, names in EVENTS.items() for name in names.split()}
#: events that are documents, with a customer, an amount and a currency of their own
DOCUMENTS = (INVOICE, CREDIT_NOTE, PAYMENT, ON_ACCOUNT, REFUND)
#: columns that an event must have
NEEDED = dict.fromkeys(DOCUMENTS, ("customer", "amount")) | {
    INVOICE: ("customer", "document", "due", "amount"),
    CREDIT_NOTE: ("customer", "document", "amount"),
    ALLOCATION: ("document",),
    RATE: ("currency", "amount"),
}
#: events about documents that came before: without "applies to" the document names them
ABOUT_OTHERS = (BOUNCE, WRITE_OFF, DISPUTE)

DISPUTED = {"": False, "no": False, "n": False, "0": False, "false": False, "否": False}
DISPUTED |= dict.fromkeys(("yes", "y", "1", "true", "是"), True)
#: a customer objects so many days after the invoice, when it has not paid by then
DISPUTE_DAYS = 20
COMPANY_CURRENCY = "USD"


class Options(NamedTuple):
    """How to read a file, where it does not say so itself."""

    #: ``{column: name in the file}``
    columns: dict = {}
    #: see ``replay_table.parse_order``
    date_order: str | None = None
    decimal: str | None = None
    #: of the company and of rows that name none
    currency: str | None = None


class Ledger:
    """What happened, the oldest first; on one day documents come before what is done with them.

    :ivar currency: of the company
    """

    def __init__(self, events, currency=COMPANY_CURRENCY):
        rank = {RATE: 0, INVOICE: 1, CREDIT_NOTE: 2}
        self.events = sorted(events, key=lambda event: (event.date, rank.get(event.kind, 3)))
        self.currency = currency
        self.by_date = defaultdict(list)
        for event in self.events:
            self.by_date[event.date].append(event)

    @classmethod
    def read(cls, path, options=None):
        """
        :raises LedgerError: naming every faulty line, before anything is made of the file
        """
        options = options or Options()
        faults = Faults()
        try:
            table = Table.read(path, COLUMNS, faults, options.columns)
            ledger = cls(*_parse(table, options, faults))
            if not faults.is_undecided:
                ledger._check(faults)
            faults.raise_any()
            if not ledger.documents:
                raise LedgerError("line 1: the ledger is empty")
        except LedgerError as error:
            raise LedgerError(f"{path}: {error}") from None
        return ledger

    def _check(self, faults):
        """Keep the books once, for nothing: what cannot have happened is a fault."""
        book = self.open_book()
        # What a faulty line made is missing for others, whose fault it is not.
        for event in self.events:
            try:
                if event.line in faults.by_line:
                    book.miss(event)
                else:
                    book.enter(event)
            except Missed:
                book.miss(event)
            except ValueError as error:
                faults.add(event.line, str(error))
                book.miss(event)

    def open_book(self):
        return Book(self.currency, [event for event in self.events if event.kind == RATE])

    @property
    def documents(self):
        return [event for event in self.events if event.kind in DOCUMENTS]

    @property
    def first_day(self):
        return min(event.date for event in self.documents)

    @property
    def last_day(self):
        """The day of the last event."""
        return max(event.date for event in self.events)

    @property
    def customers(self):
        return sorted({event.customer for event in self.documents})

    @property
    def currencies(self):
        """Other currencies than the company's."""
        return sorted({event.currency for event in self.events} - {self.currency})

    def get_currencies_without_rate(self):
        rated = {event.currency for event in self.events if event.kind == RATE}
        return [code for code in self.currencies if code not in rated]

    @property
    def dispute_days(self):
        """So many days after its invoice the last dispute is raised, or could be."""
        invoiced = {event.document: event.date for event in self.events if event.kind == INVOICE}
        raised = [
            (event.date - invoiced[number]).days
            for event in self.events
            if event.kind == DISPUTE
            for number in event.applies
        ]
        return max([DISPUTE_DAYS, *raised])

    def days(self, first, last):
        """Every day from the first to the last, both included."""
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def find_column(name):
    """The column that goes by this name, None when there is none."""
    return next((column for column, names in COLUMNS.items() if plain(name) in names), None)


# Parsing


def _parse(table, options, faults):
    """``(events, currency of the company)``; wrong rows are in the faults."""
    is_events = "event" in table.columns and "settled" not in table.columns
    needed = EVENT_COLUMNS if is_events else INVOICE_COLUMNS
    if missing := [column for column in needed if column not in table.columns]:
        names = ", ".join(missing)
        raise LedgerError(
            f"line 1: missing column {names}: name it by --columns {missing[0]}=..., or write an "
            f"event ledger ({', '.join(EVENT_COLUMNS)}, due, currency, applies to)"
        )
    values = _read_columns(table, options, faults, is_events)
    currency = options.currency or _get_company_currency(table, values["amount"])
    parse = _parse_event if is_events else _parse_invoice
    events = []
    for line, row in table.rows.items():
        cells = {column: found.get(line) for column, found in values.items()}
        amount = cells.get("amount")
        cells["currency"] = _parse_currency(row, amount, currency, line, faults)
        cells["amount"] = amount and amount.value
        for column in EVENT_COLUMNS if is_events else INVOICE_COLUMNS:
            if not row.get(column) and column in ("date", "event"):
                faults.add(line, f"no value for {table.columns[column]}")
        events += parse(line, row, cells, table.columns, faults)
    if is_events:
        _check_signs(events, faults)
    return [event._replace(amount=event.amount and abs(event.amount)) for event in events], currency


def _read_columns(table, options, faults, is_events):
    """``{column: {line: value}}`` of dates and amounts, without the wrong ones.

    A column of dates that does not show its order is written as the others are.
    """
    columns = [column for column in DATES if column in table.columns]
    if is_events:
        columns = [column for column in columns if column != "settled"]
    order = options.date_order
    shown = set()
    for column in columns:
        texts = {line: row[column] for line, row in table.rows.items() if row.get(column)}
        try:
            shown.add(find_order(texts))
        except ValueError:
            shown |= {"dmy", "mdy"}
    shown -= {None}
    other = next(iter(shown)) if len(shown) == 1 else None

    def read(texts, order):
        if order is None:
            order = find_order(texts) or other
        return read_dates(texts, order)

    values = {column: table.read_column(column, read, faults, order) for column in columns}
    values["amount"] = table.read_column("amount", read_amounts, faults, options.decimal)
    return values


def _get_company_currency(table, amounts):
    """US dollars when they occur or nothing else does, else what occurs most."""
    named = Counter(row["currency"].upper() for row in table.rows.values() if row.get("currency"))
    named += Counter(amount.currency for amount in amounts.values() if amount.currency)
    known = [code for code, _count in named.most_common() if code in CURRENCIES]
    return COMPANY_CURRENCY if not known or COMPANY_CURRENCY in known else known[0]


def _parse_currency(row, amount, default, line, faults):
    named = (row.get("currency") or "").upper()
    signed = amount and amount.currency
    if named and signed and named != signed:
        faults.add(line, f"the amount is in {signed}, the currency is {named}")
    currency = named or signed or default
    if currency not in CURRENCIES:
        faults.add(line, f"“{currency}” is not a currency like EUR")
    elif amount and row.get("event") is None or amount and EVENTS.get(plain(row["event"])) != RATE:
        decimals = get_decimals(currency)
        if round(amount.value, decimals) != amount.value:
            faults.add(line, f"{amount.value} has more than {decimals} decimals of {currency}")
    if amount and not amount.value:
        faults.add(line, "the amount is zero")
    return currency


def _parse_event(line, row, cells, columns, faults):
    """A list of one event; one of a faulty line only says what it would have been."""
    kind = EVENTS.get(plain(row["event"]))
    if row["event"] and not kind:
        known = ", ".join(dict.fromkeys(EVENTS.values()))
        faults.add(line, f"“{row['event']}” is not an event ({known})")
    amount, due = cells["amount"], cells.get("due")
    if kind == INVOICE and amount is not None and amount < 0:
        kind = CREDIT_NOTE
    for column in NEEDED.get(kind, ()):
        if not row.get(column):
            faults.add(line, f"no value for {columns.get(column, column)}")
    if kind == INVOICE and cells["date"] and due and due < cells["date"]:
        faults.add(line, f"due on {due}, before it was invoiced on {cells['date']}")
    applies, document = _split_numbers(row.get("applies") or ""), row["document"]
    if kind in ABOUT_OTHERS and not applies:
        applies, document = _split_numbers(document), ""
    if kind in (*ABOUT_OTHERS, ALLOCATION) and not applies:
        faults.add(line, "no document that it applies to")
    if kind in (INVOICE, ON_ACCOUNT, RATE) and applies:
        faults.add(line, f"{kind} applies to no document; use payment, or an allocation later")
    return [
        Event(
            line,
            cells["date"] or date.max,
            kind,
            row["customer"],
            document or f"line {line}",
            due if kind == INVOICE else None,
            amount,
            cells["currency"],
            applies,
        )
    ]


def _split_numbers(text):
    """Numbers of documents between semicolons, commas, bars or plus signs."""
    for sign in ",;|+，；、":
        text = text.replace(sign, "\n")
    return tuple(dict.fromkeys(number.strip() for number in text.split("\n") if number.strip()))


def _check_signs(events, faults):
    """An amount that is no invoice is positive or negative by the custom of the file."""
    by_kind = defaultdict(lambda: defaultdict(list))
    for event in events:
        if event.amount and event.kind not in (INVOICE, CREDIT_NOTE, None):
            by_kind[event.kind][event.amount > 0].append(event)
    for kind, signs in by_kind.items():
        if len(signs) > 1:
            for event in signs[False]:
                faults.add(
                    event.line,
                    f"{kind} of {event.amount}, while others are positive: what went back is a "
                    "bounce or a refund",
                )


def _parse_invoice(line, row, cells, columns, faults):
    """The invoice, or credit note, with its settlement and its dispute as events."""
    for column in INVOICE_COLUMNS:
        if not row.get(column) and column not in ("settled", "date"):
            faults.add(line, f"no value for {columns[column]}")
    disputed = DISPUTED.get((row.get("disputed") or "").lower())
    if disputed is None:
        faults.add(line, f"{columns['disputed']}: “{row['disputed']}” is neither Yes nor No")
    invoiced, due, settled, amount = (
        cells[column] for column in ("date", "due", "settled", "amount")
    )
    if invoiced and due and due < invoiced:
        faults.add(line, f"due on {due}, before it was invoiced on {invoiced}")
    if invoiced and settled and settled < invoiced:
        faults.add(line, f"settled on {settled}, before it was invoiced on {invoiced}")
    is_credit = amount is not None and amount < 0
    document = Event(
        line,
        invoiced or date.max,
        CREDIT_NOTE if is_credit else INVOICE,
        row["customer"],
        row["document"],
        None if is_credit else due,
        amount,
        cells["currency"],
    )
    events = [document]
    if line in faults.by_line or not invoiced:
        return events
    number = (row["document"],)
    objection = invoiced + timedelta(days=DISPUTE_DAYS)
    if disputed and not is_credit and (settled is None or settled > objection):
        events.append(
            document._replace(date=objection, kind=DISPUTE, document="", due=None, applies=number)
        )
    if settled:
        events.append(
            document._replace(
                date=settled,
                kind=REFUND if is_credit else PAYMENT,
                document=f"line {line}",
                due=None,
                applies=number,
            )
        )
    return events
