"""Tables as people export them: encodings, delimiters, names of columns, dates and amounts.

How dates and amounts are written is decided by whole columns, never row by row. Nothing here knows
Odoo or what the columns mean.
"""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import NamedTuple

DELIMITERS = ",;\t|"
ORDERS = ("dmy", "mdy", "ymd")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
YEARS = range(1900, 2101)
#: what may follow a date: a time of day, or what a spreadsheet makes of a whole number
AFTER_DATE = re.compile(r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AP]M)?(Z|[+-]\d{2}:?\d{2})?|\.0)$")
YEAR_FIRST = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2})|年(\d+)月(\d+)日?)")
NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
NAMED_MONTH = re.compile(r"(\d{1,2})[- .]+([a-z]{3})[a-z]*[-., ]+(\d{4})")
MONTH_FIRST = re.compile(r"([a-z]{3})[a-z]*[. ]+(\d{1,2}),? +(\d{4})")
#: signs that name one currency; others, such as $ and ¥, are passed over
SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "US$": "USD", "CA$": "CAD", "A$": "AUD", "HK$": "HKD"}
SIGNS |= {"CN¥": "CNY", "RMB": "CNY", "元": "CNY"}
CREDIT, DEBIT = "CR", "DR"


class LedgerError(Exception):
    """The file cannot be replayed; the message says in which lines and why."""


class Faults:
    """What is wrong with a file, line by line.

    :ivar is_undecided: a whole column could not be read
    """

    def __init__(self):
        self.is_undecided = False
        self.by_line = defaultdict(list)

    def add(self, line, text):
        if text not in self.by_line[line]:
            self.by_line[line].append(text)

    def raise_any(self):
        """
        :raises LedgerError: naming all faulty lines
        """
        if self.by_line:
            raise LedgerError(
                "\n".join(
                    f"line {line}: {'; '.join(texts)}"
                    for line, texts in sorted(self.by_line.items())
                )
            )


class Amount(NamedTuple):
    value: Decimal
    #: by a sign or code beside the figures, None without one
    currency: str | None = None


class Table:
    """The rows of a file, with the columns that are known.

    :ivar rows: ``{line number: {column: text}}`` without empty rows
    :ivar columns: ``{column: its name in the file}``
    """

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns

    @classmethod
    def read(cls, path, aliases, faults, named=None):
        """
        :param aliases: ``{column: names by which it is known, the best first}``
        :param named: ``{column: name in the file}``, which come before all aliases
        """
        try:
            with open(path, "rb") as stream:
                text = decode(stream.read())
            lines = _read_lines(text)
        except (OSError, UnicodeError, csv.Error) as error:
            raise LedgerError(f"the file cannot be read: {error}") from error
        if not lines:
            raise LedgerError("line 1: the ledger is empty")
        (_line, header), *body = lines
        columns = _find_columns(header, aliases, named or {})
        rows = {}
        for line, cells in body:
            if any(cell.strip() for cell in cells[len(header) :]):
                faults.add(line, "more values than columns")
            cells = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
            rows[line] = {column: cells[index] for column, index in columns.items()}
        return cls(rows, {column: header[index] for column, index in columns.items()})

    def read_column(self, column, read, faults, how):
        """Values of one column, read by ``read_dates`` or ``read_amounts``."""
        texts = {line: row[column] for line, row in self.rows.items() if row.get(column)}
        try:
            values, wrong = read(texts, how)
        except Undecided as undecided:
            faults.is_undecided = True
            faults.add(undecided.line, f"{self.columns[column]}: {undecided}")
            return {}
        for line, text in wrong.items():
            faults.add(line, f"{self.columns[column]}: {text}")
        return values


class Undecided(ValueError):
    """A column can be read in two ways, or its rows contradict each other."""

    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


def decode(data):
    """UTF-8 with or without a mark, UTF-16 with one, else GB18030."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _read_lines(text):
    """``[(number of the first line, cells)]`` without empty rows."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, before = [], 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            lines.append((before + 1, cells))
        before = reader.line_num
    return lines


def plain(text):
    """Letters and digits alone, for names of columns and events."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in text if char.isalnum())


def _find_columns(header, aliases, named):
    """``{column: index}``"""
    exact = {name.strip(): index for index, name in reversed(list(enumerate(header)))}
    found = {}
    for column, name in named.items():
        if name not in exact:
            raise LedgerError(f"line 1: there is no column “{name}” ({', '.join(header)})")
        found[column] = exact[name]
    known = {}
    for index, name in enumerate(header):
        if index not in found.values():
            known.setdefault(plain(name), index)
    for column, names in aliases.items():
        index = next((known[name] for name in names if name in known), None)
        if column not in found and index is not None:
            found[column] = index
    return found


# Dates


def parse_order(text):
    """``dmy``, ``mdy`` or ``ymd`` of ``dd/mm/yyyy``, ``%d/%m/%Y``, ``DMY`` and the like."""
    order = "".join(dict.fromkeys(char for char in text.lower() if char in "dmy"))
    if order not in ORDERS:
        raise ValueError(f"“{text}” is not a way to write dates like dd/mm/yyyy or mdy")
    return order


def find_order(texts):
    """The order that the dates of a column show: ``dmy``, ``mdy`` or None when none shows it.

    :param texts: ``{line: text}``
    :raises Undecided: when some show the one and some the other
    """
    shown = {}
    for line, text in texts.items():
        match = NUMBERS.fullmatch(_bare_date(text))
        if match and match[2] != ".":
            first, second = int(match[1]), int(match[3])
            if first > 12 >= second:
                shown.setdefault("dmy", line)
            elif second > 12 >= first:
                shown.setdefault("mdy", line)
    if len(shown) > 1:
        day, month = shown["dmy"], shown["mdy"]
        raise Undecided(
            max(day, month),
            f"line {day} ({texts[day]}) begins with the day, line {month} ({texts[month]}) with "
            "the month: mend the file, or say which is right by --date-format dmy or mdy",
        )
    return next(iter(shown), None)


def read_dates(texts, order=None):
    """
    :param texts: ``{line: text}`` of one column
    :param order: see ``parse_order``; None to decide by the column
    :return: ``{line: date}``, ``{line: what is wrong}``
    :raises Undecided: naming a line that can be read in two ways
    """
    order = order or find_order(texts)
    values, wrong = {}, {}
    for line, text in texts.items():
        try:
            values[line] = parse_date(text, order)
        except Undecided as undecided:
            raise Undecided(line, str(undecided)) from None
        except ValueError as error:
            wrong[line] = str(error)
    return values, wrong


def parse_date(text, order=None):
    """A date of any kind.

    :param order: of day, month and year where only the reader knows; dots begin with the day
    """
    year, month, day = _split_date(text, order)
    try:
        found = date(year, month, day)
    except ValueError:
        found = None
    if not found or found.year not in YEARS:
        raise ValueError(f"“{text}” is not a date{f' ({order})' if order else ''}")
    return found


def _bare_date(text):
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    return AFTER_DATE.sub("", text).casefold()


def _split_date(text, order):
    """Year, month and day, zeros when it is no date."""
    bare = _bare_date(text)
    if match := YEAR_FIRST.fullmatch(bare):
        return tuple(int(part) for part in match.groups() if part and part.isdigit())
    if match := NAMED_MONTH.fullmatch(bare):
        return int(match[3]), _month(match[2]), int(match[1])
    if match := MONTH_FIRST.fullmatch(bare):
        return int(match[3]), _month(match[1]), int(match[2])
    match = NUMBERS.fullmatch(bare)
    if not match:
        return 0, 0, 0
    first, separator, second, last = int(match[1]), match[2], int(match[3]), match[4]
    if order is None and separator != "." and first != second and max(first, second) <= 12:
        raise Undecided(
            None,
            f"“{text}” can begin with the day or with the month, and no other date of the file "
            "shows which: say it by --date-format dmy or mdy",
        )
    if order == "ymd":
        year, month, day = match[1], second, int(last)
    elif order == "mdy" or order is None and second > 12:
        year, month, day = last, first, second
    else:
        year, month, day = last, second, first
    if len(year) < 4:
        year = int(year) + (2000 if int(year) < 70 else 1900)
    return int(year), month, day


def _month(name):
    return MONTHS.index(name) + 1 if name in MONTHS else 0


# Amounts


def read_amounts(texts, decimal=None):
    """
    :param texts: ``{line: text}`` of one column
    :param decimal: the decimal mark, a dot or a comma; None to decide by the column
    :return: ``{line: Amount}``, ``{line: what is wrong}``
    :raises Undecided: naming a line that can be read in two ways
    """
    decimal = decimal or find_decimal(texts)
    values, wrong = {}, {}
    for line, text in texts.items():
        try:
            values[line] = parse_amount(text, decimal)
        except Undecided as undecided:
            raise Undecided(line, str(undecided)) from None
        except ValueError as error:
            wrong[line] = str(error)
    return values, wrong


def find_decimal(texts):
    """The decimal mark that the amounts of a column show, None when none shows it.

    :raises Undecided: when some show a dot and some a comma
    """
    shown = {}
    for line, text in texts.items():
        try:
            figures = _bare_amount(text)[0]
        except ValueError:
            continue
        marks = [char for char in figures if char in ".,"]
        if not marks:
            continue
        before, after = figures.split(marks[-1])[0], figures.rsplit(marks[-1], 1)[1]
        if len(marks) > 1 and len(set(marks)) == 1:
            shown.setdefault("." if marks[0] == "," else ",", line)
        elif len(marks) > 1 or len(after) != 3 or len(before) > 3 or before in ("", "0"):
            shown.setdefault(marks[-1], line)
    if len(shown) > 1:
        dot, comma = shown["."], shown[","]
        raise Undecided(
            max(dot, comma),
            f"line {dot} ({texts[dot]}) has a decimal dot, line {comma} ({texts[comma]}) a comma: "
            "mend the file, or say which is right by --decimal . or --decimal ,",
        )
    return next(iter(shown), None)


def parse_amount(text, decimal=None):
    """An amount with or without currency, negative by a minus before or behind, brackets or CR."""
    figures, negative, currency = _bare_amount(text)
    marks = {char for char in figures if char in ".,"}
    if marks and decimal is None:
        raise Undecided(
            None,
            f"“{text}” can have a decimal mark or thousands, and no other amount of the column "
            "shows which: say it by --decimal . or --decimal ,",
        )
    thousands = "." if decimal == "," else ","
    whole, _mark, cents = figures.partition(decimal or ".")
    if negative > 1 or not re.fullmatch(
        rf"(\d{{1,15}}|\d{{1,3}}(\{thousands}\d{{2,3}})*\{thousands}\d{{3}}|){'.'}\d*",
        f"{whole}.{cents}",
    ):
        raise ValueError(f"“{text}” is not an amount")
    if not whole and not cents:
        raise ValueError(f"“{text}” is not an amount")
    value = Decimal(f"{whole.replace(thousands, '') or '0'}.{cents}")
    return Amount(-value if negative else value, currency)


def _bare_amount(text):
    """Figures with their marks, how often it says that it is negative, currency or None."""
    bare = unicodedata.normalize("NFKC", text).replace("−", "-").replace("’", "'").strip()
    negative, currency = 0, None
    if bare.startswith("(") and bare.endswith(")"):
        bare, negative = bare[1:-1].strip(), 1
    while match := re.match(r"[^\d.,+-]+|[+-]", bare):
        sign, bare = match[0].strip(), bare[match.end() :]
        negative += sign == "-"
        currency = _currency(sign, text) or currency
    while match := re.search(r"([^\d.,+-]+|[+-])$", bare):
        sign, bare = match[0].strip(), bare[: match.start()]
        negative += sign in ("-", CREDIT)
        currency = _currency(sign, text) or currency
    return re.sub(r"(?<=\d)[ '](?=\d{3})", "", bare), negative, currency


def _currency(sign, text):
    if (
        sign in ("", "+", "-", CREDIT, DEBIT)
        or len(sign) == 1
        and unicodedata.category(sign) == "Sc"
    ):
        return SIGNS.get(sign)
    if sign.upper() in SIGNS:
        return SIGNS[sign.upper()]
    if re.fullmatch("[A-Z]{3}", sign):
        return sign
    raise ValueError(f"“{text}” is not an amount")
