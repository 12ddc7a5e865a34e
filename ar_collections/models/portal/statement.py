from bisect import bisect_left
from collections import defaultdict
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
            total])]`` as text), ``labels`` of its columns, ``currencies`` of the items; as text,
            in the currencies that are owed, ``total`` and ``demand``, which is what is asked for
        """
        file.ensure_one()
        file.check_access("read")
        context = file.env.context
        date = fields.Date.to_date(context.get("ar_statement_date")) or file.company_id._ar_today()
        date_from = fields.Date.to_date(context.get("ar_statement_from"))
        key = file.company_id.id, file.partner_id.id
        items = self.env["ar.position"]._items(file.company_id, date, file.partner_id).get(key, [])
        movements = self._get_movement_tables(file, date_from, date) if date_from else []
        tables = self._get_item_tables(file, items)
        currencies = self.env["res.currency"]
        ageing = self._get_ageing(
            file.company_id,
            [
                (currencies.browse(item.currency_id), item.residual_currency, item.days_overdue)
                for item in items
            ],
        )
        return {
            "date": date,
            "date_from": date_from,
            "pages": file._letter_pages([*tables, *movements], first=FIRST_PAGE - len(ageing) - 1),
            "labels": [
                *file.company_id._ar_bucket_labels(),
                self.env._("Credits"),
                self.env._("Balance"),
            ],
            "ageing": [
                (currency.name, [file._letter_number(amount, currency) for amount in amounts])
                for currency, amounts in ageing.items()
            ],
            "currencies": currencies.browse({item.currency_id for item in items}),
            "total": self._get_total(file, items, "residual_currency")
            or file._letter_money(0, file.company_id.currency_id),
            "demand": self._get_total(
                file, [item for item in items if item.days_overdue], "demand_currency"
            ),
        }

    @api.model
    def _get_total(self, file, items, name):
        """The sum of the items as text, one amount per currency that is owed: 100.00 € + 20.00 $.

        :param name: what of the items is added up, in their own currency
        """
        own, sums = file.company_id.currency_id, {}
        for item in items:
            currency = self.env["res.currency"].browse(item.currency_id)
            sums[currency] = currency.round(sums.get(currency, 0) + getattr(item, name))
        return " + ".join(
            file._letter_money(amount, currency)
            for currency, amount in sorted(
                sums.items(), key=lambda total: (total[0] != own, total[0].name)
            )
            if amount
        )

    @api.model
    def _get_ageing(self, company, amounts):
        """How old is what a customer owes, in the currencies that are owed.

        :param amounts: ``[(currency, amount, days overdue)]`` of the open items
        :return: ``{currency: [not due, one amount per bucket, credits, balance]}``, the company's
            own currency first
        """
        edges, own = company._ar_bucket_edges(), company.currency_id
        sums = defaultdict(lambda: [0.0] * (len(edges) + 3))
        for currency, amount, days in amounts:
            sums[currency][-1 if amount < 0 else bisect_left([0, *edges], days)] += amount
        return {
            currency: [currency.round(amount) for amount in (*sums[currency], sum(sums[currency]))]
            for currency in sorted(sums or (own,), key=lambda one: (one != own, one.name))
        }

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
        """One table per currency, from the balance before to the balance of the day."""
        key = file.company_id.id, file.partner_id.id
        position, own = self.env["ar.position"], file.company_id.currency_id
        before = date_from - timedelta(days=1)
        openings, movements = defaultdict(float), defaultdict(list)
        for item in position._items(file.company_id, before, file.partner_id).get(key, ()):
            openings[item.currency_id] += item.residual_currency
        found = position._movements(file.company_id, date_from, date, file.partner_id)
        for movement in found.get(key, ()):
            movements[movement.currency_id].append(movement)
        currencies = self.env["res.currency"].browse({*openings, *movements}) or own
        return [
            self._get_movement_table(
                file,
                currency,
                currency.round(openings[currency.id]),
                movements[currency.id],
                self.env._(
                    "Movements from %(start)s to %(end)s",
                    start=file._letter_date(date_from),
                    end=file._letter_date(date),
                ),
            )
            for currency in currencies.sorted(lambda currency: (currency != own, currency.name))
        ]

    @api.model
    def _get_movement_table(self, file, currency, opening, movements, title):
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
        for movement in movements:
            amount = movement.amount_currency
            balance = currency.round(balance + amount)
            values = (
                movement.date,
                movement.name,
                # Short enough for one line.
                movement.label if len(movement.label) <= 24 else f"{movement.label[:23]}…",
                amount if amount > 0 else None,
                -amount if amount < 0 else None,
                balance,
            )
            rows.append(Row(file._letter_cells(columns, values, currency), amount))
        return Table(
            title=title,
            heads=[
                (f"{label} ({currency.name})" if kind == "money" else label, kind == "money")
                for label, kind in columns
            ],
            rows=rows,
            currency=currency,
            total_label=self.env._("Balance at the end"),
            opening=opening,
            opening_label=self.env._("Balance before"),
        )
