from odoo import api, fields, models


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
        for record in records.sudo().with_context(tracking_disable=True):
            record.name = record._get_next_number()
        return records

    def _get_number_date(self):
        """The day whose year is in the number, by default the date of the record."""
        return self.date

    def _get_next_number(self):
        """The next number of the company's own sequence, which is made when it is needed first."""
        sequences = self.env["ir.sequence"].sudo()
        sequence = sequences.search(
            [("code", "=", self._name), ("company_id", "=", self.company_id.id)], limit=1
        ) or sequences.create(
            {
                "name": self._description,
                "code": self._name,
                "company_id": self.company_id.id,
                "prefix": f"{self._number_prefix}/%(range_year)s/",
                "padding": 4,
                "use_date_range": True,
            }
        )
        return sequence._next(sequence_date=self._get_number_date())
