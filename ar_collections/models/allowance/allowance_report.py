import io
from collections import defaultdict

import xlsxwriter

from odoo import api, fields, models

from ..credit.credit_grade import RISK_TIERS


class ArAllowanceRun(models.Model):
    """The allowance as tables: on the screen, on paper and in a workbook."""

    _inherit = "ar.allowance.run"

    matrix_table = fields.Html(compute="_compute_tables", sanitize=False)
    movement_table = fields.Html(compute="_compute_tables", sanitize=False)

    @api.depends("line_ids", "movement_ids", "state")
    @api.depends_context("lang")
    def _compute_tables(self):
        qweb = self.env["ir.qweb"]
        for run in self:
            values = {"o": run}
            run.matrix_table = qweb._render("ar_collections.allowance_matrix", values)
            run.movement_table = qweb._render("ar_collections.allowance_movement", values)

    def _matrix_rows(self):
        """The matrix as it was applied.

        :return: ``[(bucket name, {tier: (gross, at risk, rate, allowance)})]``, the last row and
            the tier ``all`` are totals; the rate is what the allowance is of the amount at risk
        """
        self.ensure_one()
        cells = defaultdict(lambda: [0.0, 0.0, 0.0])
        buckets = self.env["ar.ageing.bucket"]
        for bucket, tier, *amounts in self.env["ar.allowance.line"]._read_group(
            [("run_id", "=", self.id)],
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
                    tier: self._cell(*cells[bucket, tier])
                    for tier in (*(tier for tier, _label in RISK_TIERS), "all")
                },
            )
            for bucket in (*buckets.sorted(), None)
        ]

    @api.model
    def _cell(self, gross, exposed, amount):
        return gross, exposed, amount / exposed if exposed else 0.0, amount

    def _tier_labels(self):
        return self.env["ar.allowance.line"]._fields["risk_tier"]._description_selection(self.env)

    def _report_lines(self):
        """By customer, the buckets in their order."""
        return self.env["ar.allowance.line"].search([("run_id", "=", self.id)])

    # The workbook

    def _xlsx(self):
        """The report as the bytes of an XLSX file: by customer and bucket, then the movement."""
        self.ensure_one()
        stream = io.BytesIO()
        book = xlsxwriter.Workbook(stream, {"in_memory": True, "constant_memory": False})
        self._write_lines(book)
        self._write_movements(book)
        book.close()
        return stream.getvalue()

    def _write_lines(self, book):
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
        self._write_sheet(book, self.env._("Allowance"), self._report_lines(), columns)

    def _write_movements(self, book):
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
        records = self.env["ar.allowance.movement"].search([("run_id", "=", self.id)])
        self._write_sheet(book, self.env._("Movement"), records, columns)

    def _write_sheet(self, book, title, records, columns):
        """One row per record, amounts as numbers, the sums of amounts in the last row."""
        sheet = book.add_worksheet(title)
        bold = book.add_format({"bold": True, "bottom": 1})
        money = book.add_format({"num_format": f"#,##0.{'0' * self.currency_id.decimal_places}"})
        total = book.add_format({"bold": True, "top": 1, "num_format": money.num_format})
        share = book.add_format({"num_format": "0.00%"})
        model = records.browse()
        sheet.write(0, 0, f"{self.name} · {self.company_id.name}", bold)
        day = book.add_format({"bold": True, "bottom": 1, "num_format": "yyyy-mm-dd"})
        sheet.write_datetime(0, 2, fields.Datetime.to_datetime(self.date), day)
        sheet.write(0, 3, self.currency_id.name, bold)
        states = dict(self._fields["state"]._description_selection(self.env))
        sheet.write(0, 4, states[self.state], bold)
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
                amount = self.currency_id.round(sum(records.mapped(name)))
                sheet.write_number(row, column, amount, total)
