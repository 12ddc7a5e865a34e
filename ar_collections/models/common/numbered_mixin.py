from odoo import api, fields, models
from odoo.tools import SQL


class ArNumberedMixin(models.AbstractModel):
    """Records with a number out of the sequence of their company and year, from creation on."""

    _name = "ar.numbered.mixin"
    _description = "Numbered by Company"

    # For example ``CR``, which gives CR/2030/0001.
    _number_prefix = None

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        numbered = records.sudo().with_context(tracking_disable=True)
        batches = numbered.grouped(lambda record: (record.company_id, record._get_number_date()))
        for (company, date), batch in batches.items():
            numbers = self._get_next_numbers(company, date, len(batch))
            for record, number in zip(batch, numbers, strict=True):
                record.name = number
        return records

    def _get_number_date(self):
        """The day whose year is in the number, by default the date of the record."""
        return self.date

    @api.model
    def _get_next_numbers(self, company, date, count):
        """So many next numbers of the company's own sequence, which is made when it is needed.

        :return: list of texts; the number of queries does not grow with them
        """
        sequences = self.env["ir.sequence"].sudo()
        sequence = sequences.search(
            [("code", "=", self._name), ("company_id", "=", company.id)], limit=1
        ) or sequences.create(
            {
                "name": self._description,
                "code": self._name,
                "company_id": company.id,
                "prefix": f"{self._number_prefix}/%(range_year)s/",
                "padding": 4,
                "use_date_range": True,
            }
        )
        date = date or company._ar_today()
        # Odoo's own way takes one number at a time, and makes the range of a new year.
        numbers = [sequence._next(sequence_date=date)]
        if sequence.implementation != "standard":
            return numbers + [sequence._next(sequence_date=date) for _more in range(count - 1)]
        if count == 1:
            return numbers
        counter = f"ir_sequence_{sequence.id:03d}"
        if sequence.use_date_range:
            year = sequence.date_range_ids.filtered(
                lambda year: year.date_from <= date <= year.date_to
            )[:1]
            counter += f"_{year.id:03d}"
            sequence = sequence.with_context(ir_sequence_date_range=year.date_from)
        rows = self.env.execute_query(
            SQL("SELECT nextval(%s) FROM GENERATE_SERIES(2, %s)", counter, count)
        )
        return numbers + [sequence.get_next_char(number) for (number,) in rows]
