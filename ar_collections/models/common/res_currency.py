from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

# Factors between these leave the amounts alone.
ALIKE = (0.67, 1.5)


class ResCurrency(models.Model):
    """What an amount in US dollars, in which amounts are shipped, becomes in each currency."""

    _inherit = "res.currency"

    ar_factor = fields.Float(
        string="Rough Units per US Dollar",
        digits=(16, 3),
        help="For amounts of credit and collections that are shipped in US dollars, when a company "
        "begins and the database has no rates of the last year. Zero for one.",
    )

    def _ar_get_factor(self):
        """How many units a US dollar is, by rates of the last year, else roughly."""
        self.ensure_one()
        dollar = self.env.ref("base.USD", raise_if_not_found=False)
        if not dollar or self == dollar:
            return 1.0
        # The rates of a new company are those of the one that was first.
        company = self.env["res.company"]._ar_get_first()
        today = company._ar_today()
        known = (
            self.env["res.currency.rate"]
            .sudo()
            .search(
                [
                    ("currency_id", "in", (self | dollar).ids),
                    ("company_id", "in", (company.id, False)),
                    ("name", ">", today - relativedelta(years=1)),
                    ("name", "<=", today),
                ]
            )
            .currency_id
        )
        if known and not (self | dollar) - known - company.currency_id:
            return self._ar_round_factor(self._get_conversion_rate(dollar, self, company, today))
        return self._ar_round_factor(self.ar_factor or 1.0)

    @api.model
    def _ar_round_factor(self, factor):
        """Three digits are exact enough for what becomes a friendly figure, and a currency that is
        nearly worth a dollar keeps the figures as they are."""
        return 1.0 if ALIKE[0] < factor < ALIKE[1] else float(f"{factor:.3g}")
