"""A ledger of invoices in CSV: the parser, and what customers owe on any day by plain arithmetic.

Nothing here knows Odoo or the addon: this is the oracle that a replay is measured against.
"""

import csv
import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

#: the columns that are read; others may be there
COLUMNS = ("customerID", "invoiceNumber", "InvoiceDate", "DueDate", "InvoiceAmount", "SettledDate")
#: this one may be missing
DISPUTED = {"": False, "no": False, "yes": True}
#: a customer objects so many days after the invoice, when it has not paid by then
DISPUTE_DAYS = 20
#: so many faults of a file are shown at once
FAULTS_SHOWN = 10


class LedgerError(Exception):
    """The file cannot be replayed; the message says in which lines and why."""


class Invoice(NamedTuple):
    number: str
    customer: str
    date: date
    due: date
    amount: Decimal
    #: day of the payment in full, None while unpaid
    settled: date | None
    #: the customer objects to all of it
    disputed: bool = False

    @property
    def disputed_on(self):
        """The day on which the dispute is opened, None when there is none."""
        day = self.date + timedelta(days=DISPUTE_DAYS)
        return day if self.disputed and self.is_open(day) else None

    def is_in_dispute(self, day):
        """A dispute lasts until the invoice is settled."""
        opened = self.disputed_on
        return opened is not None and opened <= day and self.is_open(day)

    def is_open(self, day):
        return self.date <= day and (self.settled is None or self.settled > day)

    def days_overdue(self, day):
        return max((day - self.due).days, 0)


class Balance(NamedTuple):
    """What one customer owes on one day."""

    open_amount: Decimal
    not_due: Decimal
    overdue_amount: Decimal
    overdue_count: int
    oldest_due: date | None
    #: due or not
    disputed: Decimal
    #: overdue and not disputed
    demand_amount: Decimal
    demand_due: date | None


class Ledger:
    """Invoices in the order of the file, each paid in full on one day or not at all."""

    def __init__(self, invoices):
        self.invoices = list(invoices)
        self.by_date, self.by_settled = defaultdict(list), defaultdict(list)
        self.by_disputed = defaultdict(list)
        for invoice in self.invoices:
            self.by_date[invoice.date].append(invoice)
            if invoice.settled:
                self.by_settled[invoice.settled].append(invoice)
            if invoice.disputed_on:
                self.by_disputed[invoice.disputed_on].append(invoice)

    @classmethod
    def read(cls, path):
        """
        :raises LedgerError: naming every faulty line, before anything is made of the file
        """
        try:
            with open(path, newline="", encoding="utf-8-sig") as stream:
                return cls(_parse(csv.DictReader(stream)))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise LedgerError(f"{path} cannot be read: {error}") from error
        except LedgerError as error:
            raise LedgerError(f"{path}: {error}") from None

    def entered_on(self, day):
        """The ledger as a company enters it on that day: without the disputes that are over."""
        return Ledger(
            invoice
            if invoice.is_open(day) or invoice.date > day
            else invoice._replace(disputed=False)
            for invoice in self.invoices
        )

    @property
    def first_day(self):
        return min(self.by_date)

    @property
    def last_day(self):
        """The day of the last invoice or payment."""
        return max([*self.by_date, *self.by_settled])

    @property
    def customers(self):
        return sorted({invoice.customer for invoice in self.invoices})

    def days(self, first, last):
        """Every day from the first to the last, both included."""
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def open_items(self, day):
        """``{customer: its open invoices at the end of the day}``"""
        items = defaultdict(list)
        for invoice in self.invoices:
            if invoice.is_open(day):
                items[invoice.customer].append(invoice)
        return dict(items)

    def balances(self, day):
        """``{customer: Balance}`` of the customers that owe something."""
        return {
            customer: _balance(invoices, day) for customer, invoices in self.open_items(day).items()
        }


def _balance(invoices, day):
    overdue = [invoice for invoice in invoices if invoice.due < day]
    open_amount = sum(invoice.amount for invoice in invoices)
    overdue_amount = sum((invoice.amount for invoice in overdue), Decimal())
    demanded = [invoice for invoice in overdue if not invoice.is_in_dispute(day)]
    return Balance(
        open_amount=open_amount,
        not_due=open_amount - overdue_amount,
        overdue_amount=overdue_amount,
        overdue_count=len(overdue),
        oldest_due=min((invoice.due for invoice in overdue), default=None),
        disputed=sum(
            (invoice.amount for invoice in invoices if invoice.is_in_dispute(day)), Decimal()
        ),
        demand_amount=sum((invoice.amount for invoice in demanded), Decimal()),
        demand_due=min((invoice.due for invoice in demanded), default=None),
    )


# Parsing


def parse_date(text):
    """A US date such as 1/31/2012."""
    try:
        day = datetime.strptime(text.strip(), "%m/%d/%Y").date()
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2100:
        raise ValueError(f"“{text}” is not a date like 1/31/2012")
    return day


def parse_amount(text):
    """An amount in dollars and cents, more than zero."""
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,2})?", text.strip()):
        raise ValueError(f"“{text}” is not an amount like 1234.56")
    amount = Decimal(text.strip())
    if amount <= 0:
        raise ValueError(f"the amount {amount} is not more than zero")
    return amount


def parse_disputed(text):
    """Yes, No or nothing."""
    if text.strip().lower() not in DISPUTED:
        raise ValueError(f"“{text}” is neither Yes nor No")
    return DISPUTED[text.strip().lower()]


def _parse(reader):
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if reader.fieldnames and missing:
        raise LedgerError(f"line 1: missing column {', '.join(missing)}")
    invoices, faults, seen = [], [], {}
    for row in reader:
        line = reader.line_num
        try:
            invoice = _parse_row(row)
            if invoice.number in seen:
                raise ValueError(
                    f"invoice number {invoice.number} is already in line {seen[invoice.number]}"
                )
        except ValueError as error:
            faults.append(f"line {line}: {error}")
            continue
        seen[invoice.number] = line
        invoices.append(invoice)
    if len(faults) > FAULTS_SHOWN:
        faults[FAULTS_SHOWN:] = [f"and {len(faults) - FAULTS_SHOWN} more faulty lines"]
    if faults:
        raise LedgerError("\n".join(faults))
    if not invoices:
        raise LedgerError(f"line {reader.line_num or 1}: the ledger is empty")
    return invoices


def _parse_row(row):
    """
    :raises ValueError: saying what is wrong with the row
    """
    if None in row:
        raise ValueError("more values than columns")
    values = {column: (row[column] or "").strip() for column in COLUMNS}
    disputed = {"Disputed": row.get("Disputed") or ""}
    for column, value in values.items():
        if not value and column != "SettledDate":
            raise ValueError(f"no value for {column}")
    invoice = Invoice(
        number=values["invoiceNumber"],
        customer=values["customerID"],
        date=_read(parse_date, values, "InvoiceDate"),
        due=_read(parse_date, values, "DueDate"),
        amount=_read(parse_amount, values, "InvoiceAmount"),
        settled=_read(parse_date, values, "SettledDate") if values["SettledDate"] else None,
        disputed=_read(parse_disputed, disputed, "Disputed"),
    )
    if invoice.due < invoice.date:
        raise ValueError(f"due on {invoice.due}, before it was invoiced on {invoice.date}")
    if invoice.settled and invoice.settled < invoice.date:
        raise ValueError(f"settled on {invoice.settled}, before it was invoiced on {invoice.date}")
    return invoice


def _read(parse, values, column):
    try:
        return parse(values[column])
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
