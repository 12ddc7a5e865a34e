from odoo import fields, models
from odoo.tools import SQL


class ArPosition(models.AbstractModel):
    _inherit = "ar.position"

    def _get_figure_columns(self):
        largest = SQL("COALESCE(MAX(residual) FILTER (WHERE bucket > 0), 0)")
        return {**super()._get_figure_columns(), "largest_overdue": largest}


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    largest_overdue = fields.Monetary(readonly=True)
