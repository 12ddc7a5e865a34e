from bisect import bisect_left
from datetime import timedelta

from odoo import api, fields, models

from ..credit.letter import FIRST_PAGE, Row, Table


class ArStatement(models.AbstractModel):
    """The statement of account: what is open on a day, how old it is, and how it came about.

    The day and the start of the movements are in the context, ``ar_statement_date`` and
    ``ar_statement_from``, so that mails attach the statement that was asked for. All figures are
    those of ``ar.position``: the total is what the receivable accounts show.
    """

    _name = "ar.statement"
    _description = "Statement of Account"

    @api.model
    def _get_statement(self, file):
        """The figures and pages of the statement of one credit file.

        :return: ``date``, ``pages``, ``ageing`` (``[(currency name, [amount per bucket, credits,
            total])]`` as text), ``labels`` of its columns, ``currencies`` of the items, ``total``
            and ``overdue`` as text
        """
        file.ensure_one()
        file.check_access("read")
        context = file.env.context
        date = fields.Date.to_date(context.get("ar_statement_date")) or file.company_id._ar_today()
        date_from = fields.Date.to_date(context.get("ar_statement_from"))
        position = self.env["ar.position"]
        key = file.company_id.id, file.partner_id.id
        items = position._items(file.company_id, date, file.partner_id).get(key, [])
        figures = position._figures(file.company_id, date, file.partner_id)[key]
        movements = self._get_movement_tables(file, date_from, date) if date_from else []
        tables = self._get_item_tables(file, items)
        ageing = self._get_ageing(file, items, figures)
        own = file.company_id.currency_id
        return {
            "date": date,
            "date_from": date_from,
            "pages": file._letter_pages([*tables, *movements], first=FIRST_PAGE - len(ageing) - 1),
            "labels": [
                *file.company_id._ar_bucket_labels(),
                self.env._("Credits"),
                self.env._("Balance"),
            ],
            "ageing": ageing,
            "currencies": self.env["res.currency"].browse({item.currency_id for item in items}),
            "total": file._letter_money(figures.open_amount, own),
            "overdue": figures.overdue_amount and file._letter_money(figures.overdue_amount, own),
        }

    @api.model
    def _get_ageing(self, file, items, figures):
        """One row per currency of the items; with foreign ones, the sum in company currency."""
        edges = file.company_id._ar_bucket_edges()
        own = file.company_id.currency_id
        sums = {}
        for item in items:
            # Not due, then one per edge, then older; credits at the end.
            row = sums.setdefault(item.currency_id, [0.0] * (len(edges) + 3))
            if item.residual < 0:
                row[-1] += item.residual_currency
            else:
                row[bisect_left([0, *edges], item.days_overdue)] += item.residual_currency
        rows = []
        if set(sums) - {own.id}:
            for currency in self.env["res.currency"].browse(sums):
                amounts = sums[currency.id]
                rows.append((currency.name, currency, [*amounts, sum(amounts)]))
            rows.sort(key=lambda row: (row[1] != own, row[0]))
        label = self.env._("In %s", own.name) if rows else own.name
        own_row = [*figures.buckets, figures.unallocated, figures.open_amount]
        return [
            (name, [file._letter_number(amount, currency) for amount in amounts])
            for name, currency, amounts in [*rows, (label, own, own_row)]
        ]

    @api.model
    def _get_item_tables(self, file, items):
        columns = [
            (self.env._("Document"), "text"),
            (self.env._("Date"), "date"),
            (self.env._("Due Date"), "date"),
            (self.env._("Days Overdue"), "days"),
            (self.env._("Amount"), "money"),
            (self.env._("Still Open"), "money"),
        ]
        lines = (
            self.env["account.move.line"].sudo().browse(item.line_id for item in items)
        )  # auditors of credit need not see entries of all journals
        lines.fetch(["move_name", "move_id", "date", "amount_currency"])
        lines.move_id.fetch(["invoice_date"])
        debts, credits_ = [], []
        for item, line in zip(items, lines, strict=True):
            entry = (
                self.env["res.currency"].browse(item.currency_id),
                (
                    line.move_name,
                    line.move_id.invoice_date or line.date,
                    item.due,
                    item.days_overdue if item.residual > 0 else 0,
                    line.amount_currency,
                    item.residual_currency,
                ),
            )
            (debts if item.residual > 0 else credits_).append(entry)
        return [
            *file._letter_tables(self.env._("Open items"), columns, debts),
            *file._letter_tables(
                self.env._("Payments and credit notes not yet allocated"), columns, credits_
            ),
        ]

    @api.model
    def _get_movement_tables(self, file, date_from, date):
        """One table in company currency, from the balance before to the balance of the day."""
        own = file.company_id.currency_id
        key = file.company_id.id, file.partner_id.id
        position = self.env["ar.position"]
        before = date_from - timedelta(days=1)
        opening = position._figures(file.company_id, before, file.partner_id)[key].open_amount
        # Odoo's own words: our "Credit" is the menu of the credit files.
        sides = self.env["account.move.line"].fields_get(["debit", "credit"], ["string"])
        debit, credit = (sides[side]["string"] for side in ("debit", "credit"))
        columns = [
            (self.env._("Date"), "date"),
            (self.env._("Document"), "text"),
            (self.env._("Reference"), "text"),
            (debit, "money"),
            (credit, "money"),
            (self.env._("Balance"), "money"),
        ]
        rows, balance = [], opening
        for movement in position._movements(file.company_id, date_from, date, file.partner_id).get(
            key, []
        ):
            balance = own.round(balance + movement.balance)
            values = (
                movement.date,
                movement.name,
                self._get_reference(file, movement),
                movement.balance if movement.balance > 0 else None,
                -movement.balance if movement.balance < 0 else None,
                balance,
            )
            rows.append(Row(file._letter_cells(columns, values, own), movement.balance))
        return [
            Table(
                title=self.env._(
                    "Movements from %(start)s to %(end)s",
                    start=file._letter_date(date_from),
                    end=file._letter_date(date),
                ),
                heads=[
                    (f"{label} ({own.name})" if kind == "money" else label, kind == "money")
                    for label, kind in columns
                ],
                rows=rows,
                currency=own,
                total_label=self.env._("Balance at the end"),
                opening=opening,
                opening_label=self.env._("Balance before"),
            )
        ]

    @api.model
    def _get_reference(self, file, movement):
        """The reference, short enough for one line, or the amount in its foreign currency."""
        currency = self.env["res.currency"].browse(movement.currency_id)
        if currency != file.company_id.currency_id:
            return file._letter_money(movement.amount_currency, currency)
        return movement.label if len(movement.label) <= 24 else f"{movement.label[:23]}…"
