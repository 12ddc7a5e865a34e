from typing import NamedTuple

from odoo import models
from odoo.tools import format_date, formatLang

from odoo.addons.base.models.ir_actions_report import _wkhtml

# Lines of a table that fit on a page of A4 between header and footer of the company's layout: on
# the first page of a letter, below address and text, and on each of the others.
FIRST_PAGE, OTHER_PAGES = 24, 43
# What a table takes beside its rows: title and column heads, then the total.
HEAD, FOOT = 2, 1
# A table does not begin at the foot of a page with fewer rows than this.
FEWEST = 2


class Row(NamedTuple):
    # One text per column.
    cells: list
    # What it adds to the total, in the currency of the table.
    amount: float


class Table(NamedTuple):
    title: str
    # ``[(label, whether it is a number)]``; totals stand in the last column.
    heads: list
    rows: list
    currency: object
    total_label: str
    # The total before the first row, with its label.
    opening: float = 0.0
    opening_label: str = ""


class Chunk(NamedTuple):
    """The rows of a table on one page, with the totals that lead from page to page."""

    table: Table
    rows: list
    # The total of the rows on earlier pages, ``None`` at the start of the table.
    brought: float | None
    # The total up to here: carried forward, or the total of the table when it is the last chunk.
    total: float
    is_last: bool
    starts_page: bool


def paginate(tables, first=FIRST_PAGE, others=OTHER_PAGES):
    """Divide tables into pages.

    :param tables: ``[Table]``
    :param first: lines that are free on the page where the first table begins
    :param others: lines of each following page
    :return: ``[Chunk]``; no page has more lines than it holds, no row is lost or repeated
    """
    chunks, free = [], first
    for table in tables:
        opening = 1 if table.opening_label else 0
        starts_page = free < HEAD + opening + min(FEWEST, len(table.rows)) + FOOT and free < others
        if starts_page:
            free = others
        rows, brought, total = table.rows, None, table.opening
        while True:
            # Brought forward takes a line as the opening does.
            room = free - HEAD - FOOT - (opening if brought is None else 1)
            part, rows = rows[:room], rows[room:]
            total = table.currency.round(total + sum(row.amount for row in part))
            chunks.append(Chunk(table, part, brought, total, not rows, starts_page))
            if not rows:
                free = room - len(part)
                break
            brought, starts_page, free = total, True, others
    return chunks


class ArLetter(models.AbstractModel):
    """A document for a customer, printed in the customer's language.

    It has ``partner_id`` and ``company_id``.
    """

    _name = "ar.letter"
    _description = "Document for a Customer"

    def _letter_lang(self):
        return self.partner_id.lang or self.company_id.partner_id.lang or self.env.lang

    def _letter_contact(self):
        """Whose address is on the document: the recipient's, else the customer's."""
        return self.env["ar.recipient"]._get_recipients(self, "street")[self] or self.partner_id

    def _letter_needs_head(self, report_type):
        """Whether the PDF engine prints no header: then the letterhead is part of the text."""
        return report_type == "pdf" and not _wkhtml().is_patched_qt

    def _letter_money(self, amount, currency):
        return formatLang(self.env, amount, currency_obj=currency)

    def _letter_number(self, amount, currency):
        return formatLang(self.env, currency.round(amount), digits=currency.decimal_places)

    def _letter_date(self, date, date_format=False):
        return format_date(self.env, date, date_format=date_format) if date else ""

    def _letter_tables(self, title, columns, entries, currencies=None):
        """One table per currency, the company's own first.

        :param columns: ``[(label, kind)]``, kind is ``text``, ``date``, ``days`` or ``money``; the
            last column is money and is added up
        :param entries: ``[(currency, values)]``, one value per column
        :return: ``[Table]``
        """
        own = self.company_id.currency_id
        by_currency = {}
        for currency, values in entries:
            by_currency.setdefault(currency, []).append(values)
        tables = []
        for currency in sorted(by_currency, key=lambda one: (one != own, one.name)):
            tables.append(
                Table(
                    title=title,
                    heads=[
                        (
                            f"{label} ({currency.name})" if kind == "money" else label,
                            kind in ("money", "days"),
                        )
                        for label, kind in columns
                    ],
                    rows=[
                        Row(self._letter_cells(columns, values, currency), values[-1])
                        for values in by_currency[currency]
                    ],
                    currency=currency,
                    total_label=self.env._("Total"),
                )
            )
        return tables

    def _letter_cells(self, columns, values, currency):
        cells = []
        for (_label, kind), value in zip(columns, values, strict=True):
            if kind == "money":
                cells.append(self._letter_number(value, currency) if value is not None else "")
            elif kind == "date":
                cells.append(self._letter_date(value))
            elif kind == "days":
                cells.append(str(value) if value > 0 else "–")
            else:
                cells.append(value or "")
        return cells

    def _letter_totals(self, tables):
        """The totals of tables as text, one per currency: 100.00 € + 20.00 $."""
        return " + ".join(
            self._letter_money(
                table.currency.round(sum(row.amount for row in table.rows)), table.currency
            )
            for table in tables
        )

    def _letter_pages(self, tables, first=FIRST_PAGE, others=OTHER_PAGES):
        return paginate(tables, first, others)


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        # EXTENDS base: an engine without headers prints one document only, and what cannot be
        # told apart is printed again, one by one
        report = self._get_report(report_ref)
        ours = report.report_name.startswith("ar_collections.")
        if not ours or len(set(res_ids or ())) < 2:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids)
        if _wkhtml().is_patched_qt:
            streams = super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids)
            if False not in streams:
                return streams
        streams = {}
        for res_id in dict.fromkeys(res_ids):
            streams.update(super()._render_qweb_pdf_prepare_streams(report_ref, data, [res_id]))
        return streams

    def _render_letters(self, report, records):
        """Print each record by one call of the engine for all of them.

        :return: ``{record: (content, file extension)}``
        """
        if report.report_type == "qweb-pdf":
            streams, kind = self._pre_render_qweb_pdf(report, records.ids)
            if kind == "pdf":
                return {
                    record: (streams[record.id]["stream"].getvalue(), kind) for record in records
                }
        return {record: self._render(report, record.ids) for record in records}
