from odoo import fields, models


class ArCountryRate(models.Model):
    """The base rate of a pack from one day on."""

    _name = "ar.country.rate"
    _description = "Base Rate"
    _order = "date desc, id"
    _rec_name = "date"

    rule_id = fields.Many2one("ar.country.rule", required=True, index=True, ondelete="cascade")
    date = fields.Date(string="From", required=True)
    rate = fields.Float(string="% a Year", digits=(7, 4), required=True)

    _date_uniq = models.UniqueIndex("(rule_id, date)", "This day has a base rate already.")
