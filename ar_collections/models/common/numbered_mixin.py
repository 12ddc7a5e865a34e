from odoo import api, fields, models


class ArNumberedMixin(models.AbstractModel):
    """Records with a number out of the sequence of their company and year."""

    _name = "ar.numbered.mixin"
    _description = "Numbered by Company"

    # For example ``CR``, which gives CR/2030/0001.
    _number_prefix = None

    name = fields.Char(string="Number", readonly=True, copy=False, default="/")

    @api.model
    def _next_number(self, company, date):
        """The next number of the company's own sequence, which is made when it is needed first."""
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
        return sequence._next(sequence_date=date)
