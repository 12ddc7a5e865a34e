"""The file of ratings that a bureau sends: rows of plain values, read without the database."""

import csv
import io
import re
import zipfile
from contextlib import suppress
from datetime import date, datetime
from typing import NamedTuple

import openpyxl

REQUIRED = ("key", "rating", "date")
# GB 18030 is what spreadsheets write in China; whatever is not UTF-8 is tried as that.
ENCODINGS = ("utf-8-sig", "gb18030")
XLSX_MAGIC = b"PK\x03\x04"
_DATE = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))")


class FileError(Exception):
    """The file as a whole cannot be read: a code and what explains it."""

    def __init__(self, code, *values):
        super().__init__(code)
        self.code, self.values = code, values


class RatingRow(NamedTuple):
    # As in the file, the header being line 1.
    line: int
    key: str
    rating: str
    date: object
    valid_until: object
    reference: str
    # ``[(code, *values)]``
    problems: list


def read_rows(content):
    """Read a CSV or XLSX file with a header row, the columns in any order.

    :param content: bytes
    :return: list of :class:`RatingRow`, without the empty ones
    :raise FileError: when the file cannot be read or lacks columns or rows
    """
    table = _read_xlsx(content) if content.startswith(XLSX_MAGIC) else _read_csv(content)
    table = [
        (line, cells) for line, cells in enumerate(table, 1) if any(_text(cell) for cell in cells)
    ]
    if not table:
        raise FileError("empty")
    header = [_text(cell).casefold() for cell in table[0][1]]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise FileError("columns", ", ".join(missing))
    if len(table) == 1:
        raise FileError("empty")
    return [
        _row(line, dict(zip(header, [*cells, *[None] * len(header)], strict=False)))
        for line, cells in table[1:]
    ]


def _read_csv(content):
    for encoding in ENCODINGS:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise FileError("format")
    if "\0" in text:
        raise FileError("format")
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise FileError("format") from error


def _read_xlsx(content):
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return [list(cells) for cells in book.worksheets[0].iter_rows(values_only=True)]
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError) as error:
        raise FileError("format") from error


def _row(line, cells):
    problems = []
    key, rating = _text(cells.get("key")), _text(cells.get("rating"))
    if not key:
        problems.append(("no_key",))
    if not rating:
        problems.append(("no_rating",))
    if not _text(cells.get("date")):
        problems.append(("no_date",))
    given = _date(cells.get("date"), problems)
    until = _date(cells.get("valid_until"), problems)
    if given and until and until < given:
        problems.append(("order",))
    return RatingRow(line, key, rating, given, until, _text(cells.get("reference")), problems)


def _text(cell):
    if cell is None:
        return ""
    # A spreadsheet takes a number of digits for a number.
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _date(cell, problems):
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _text(cell)
    if not text:
        return None
    match = _DATE.fullmatch(text)
    if match:
        month, day = match.group(3, 4) if match[2] else match.group(5, 6)
        with suppress(ValueError):
            return date(int(match[1]), int(month), int(day))
    problems.append(("bad_date", text))
    return None
