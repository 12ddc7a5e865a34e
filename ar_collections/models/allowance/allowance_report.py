import io
from collections import defaultdict

import xlsxwriter

from odoo import api, fields, models

from ..credit.credit_grade import RISK_TIERS
from ..writeoff.writeoff_watched import BOOKED

# As many as the notes of the accounts name.
LARGEST = 5


class ArAllowanceReport(models.AbstractModel):
    """The allowance as tables: on the screen, on paper and in a workbook."""

    _name = "ar.allowance.report"
    _description = "Report of the Allowance"

    @api.model
    def _get_matrix_rows(self, run):
        """The matrix as it was applied.

        :return: ``[(bucket name, {tier: (gross, at risk, rate, allowance)})]``, the last row and
            the tier ``all`` are totals; the rate is what the allowance is of the amount at risk
        """
        cells = defaultdict(lambda: [0.0, 0.0, 0.0])
        buckets = self.env["ar.ageing.bucket"]
        for bucket, tier, *amounts in self.env["ar.allowance.line"]._read_group(
            [("run_id", "=", run.id)],
            ["bucket_id", "risk_tier"],
            ["gross_amount:sum", "exposed_amount:sum", "amount:sum"],
        ):
            buckets |= bucket
            for key in ((bucket, tier), (bucket, "all"), (None, tier), (None, "all")):
                cells[key] = [sum(pair) for pair in zip(cells[key], amounts, strict=True)]
        return [
            (
                bucket.display_name if bucket else self.env._("Total"),
                {
                    tier: self._get_cell(*cells[bucket, tier])
                    for tier in (*(tier for tier, _label in RISK_TIERS), "all")
                },
            )
            for bucket in (*buckets.sorted(), None)
        ]

    @api.model
    def _get_cell(self, gross, exposed, amount):
        return gross, exposed, amount / exposed if exposed else 0.0, amount

    @api.model
    def _get_tier_labels(self):
        """``[(tier, label)]`` in the user's language."""
        return self.env["ar.allowance.line"]._fields["risk_tier"]._description_selection(self.env)

    @api.model
    def _get_lines(self, run):
        """By customer, the buckets in their order."""
        return self.env["ar.allowance.line"].search([("run_id", "=", run.id)])

    @api.model
    def _get_largest(self, run):
        """Who owes most at the date, for the notes of the accounts.

        :return: ``[(customer, open amount, share of all, allowance)]``
        """
        rows = self.env["ar.allowance.line"]._read_group(
            [("run_id", "=", run.id)],
            ["partner_id"],
            ["gross_amount:sum", "amount:sum"],
            order="gross_amount:sum DESC, partner_id",
            limit=LARGEST,
        )
        return [
            (partner, gross, gross / run.gross_amount if run.gross_amount else 0.0, amount)
            for partner, gross, amount in rows
        ]

    @api.model
    def _get_written_off(self, run):
        """What was written off since the previous run, for the notes of the accounts.

        :return: ``[(request, amount, by the allowance, booked as a loss at once)]``; taxes that
            were claimed back, or were never due, are neither
        """
        # The figures of a run are for whoever may see the run.
        requests = self.env["ar.writeoff.request"].sudo()
        domain = [
            ("company_id", "=", run.company_id.id),
            ("state", "in", BOOKED),
            ("kind", "!=", "credit"),
            ("move_id.date", "<=", run.date),
        ]
        if run.previous_id:
            domain.append(("move_id.date", ">", run.previous_id.date))
        return [
            (
                request,
                request.amount_total,
                request.amount_allowance,
                sum(
                    line.balance
                    for line in request.move_id.line_ids
                    if line.account_id.internal_group == "expense"
                ),
            )
            for request in requests.search(domain, order="amount_total DESC, id")
        ]

    # The workbook

    @api.model
    def _get_workbook(self, run):
        """The report as the bytes of an XLSX file: by customer and bucket, then the movement."""
        run.ensure_one()
        stream = io.BytesIO()
        book = xlsxwriter.Workbook(stream, {"in_memory": True, "constant_memory": False})
        self._write_lines(run, book)
        self._write_movements(run, book)
        self._write_table(
            run,
            book,
            self.env._("Largest Debtors"),
            [
                self.env._("Customer"),
                self.env._("Open Items"),
                self.env._("Share (%)"),
                self.env._("Allowance"),
            ],
            [
                (partner.name or "–", gross, 100 * share, amount)
                for partner, gross, share, amount in self._get_largest(run)
            ],
        )
        self._write_table(
            run,
            book,
            self.env._("Written Off"),
            [
                self.env._("Customer"),
                self.env._("Write-off"),
                self.env._("Reason"),
                self.env._("Amount"),
                self.env._("By the Allowance"),
                self.env._("Loss"),
            ],
            [
                (request.partner_id.name or "–", request.name, request.reason_id.name, *amounts)
                for request, *amounts in self._get_written_off(run)
            ],
        )
        book.close()
        return stream.getvalue()

    @api.model
    def _write_lines(self, run, book):
        columns = (
            "partner_id",
            "risk_tier",
            "bucket_id",
            "gross_amount",
            "credit_amount",
            "covered_amount",
            "exposed_amount",
            "rate",
            "source",
            "amount",
        )
        self._write_sheet(run, book, self.env._("Allowance"), self._get_lines(run), columns)

    @api.model
    def _write_movements(self, run, book):
        columns = (
            "partner_id",
            "opening",
            "taken_over",
            "used",
            "recovered",
            "added",
            "released",
            "closing",
        )
        records = self.env["ar.allowance.movement"].search([("run_id", "=", run.id)])
        self._write_sheet(run, book, self.env._("Movement"), records, columns)

    @api.model
    def _write_table(self, run, book, title, labels, rows):
        """Texts and amounts as they are."""
        sheet = book.add_worksheet(title)
        bold = book.add_format({"bold": True, "bottom": 1})
        money = book.add_format({"num_format": f"#,##0.{'0' * run.currency_id.decimal_places}"})
        for column, label in enumerate(labels):
            sheet.write(0, column, label, bold)
            sheet.set_column(column, column, 34 if not column else 16)
        sheet.freeze_panes(1, 1)
        for index, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(index, column, value)
                else:
                    sheet.write_number(index, column, value, money)

    @api.model
    def _write_sheet(self, run, book, title, records, columns):
        """One row per record, amounts as numbers, the sums of amounts in the last row."""
        sheet = book.add_worksheet(title)
        bold = book.add_format({"bold": True, "bottom": 1})
        money = book.add_format({"num_format": f"#,##0.{'0' * run.currency_id.decimal_places}"})
        total = book.add_format({"bold": True, "top": 1, "num_format": money.num_format})
        share = book.add_format({"num_format": "0.00%"})
        model = records.browse()
        sheet.write(0, 0, f"{run.name} · {run.company_id.name}", bold)
        day = book.add_format({"bold": True, "bottom": 1, "num_format": "yyyy-mm-dd"})
        sheet.write_datetime(0, 2, fields.Datetime.to_datetime(run.date), day)
        sheet.write(0, 3, run.currency_id.name, bold)
        sheet.write(0, 4, run._get_state_label(), bold)
        labels = {name: model._fields[name]._description_string(self.env) for name in columns}
        for column, name in enumerate(columns):
            sheet.write(2, column, labels[name], bold)
            sheet.set_column(column, column, 34 if name == "partner_id" else 14)
        sheet.freeze_panes(3, 1)
        selections = {
            name: dict(model._fields[name]._description_selection(self.env))
            for name in columns
            if model._fields[name].type == "selection"
        }
        row = 3
        for record in records:
            for column, name in enumerate(columns):
                field = model._fields[name]
                if field.type == "monetary":
                    sheet.write_number(row, column, record[name], money)
                elif field.type == "float":
                    sheet.write_number(row, column, record[name], share)
                elif field.type == "selection":
                    sheet.write_string(row, column, selections[name].get(record[name], ""))
                else:
                    sheet.write_string(row, column, record[name].display_name or "")
            row += 1
        sheet.write(row, 0, self.env._("Total"), total)
        for column, name in enumerate(columns):
            if model._fields[name].type == "monetary":
                amount = run.currency_id.round(sum(records.mapped(name)))
                sheet.write_number(row, column, amount, total)
