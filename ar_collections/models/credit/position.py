from odoo import api, models
from odoo.tools import SQL


class ArPosition(models.AbstractModel):
    _inherit = "ar.position"

    @api.model
    def _get_figure_columns(self):
        # EXTENDS ar_collections: by it the credit control knows who cannot be late
        return {
            **super()._get_figure_columns(),
            "earliest_due": SQL("MIN(due) FILTER (WHERE followup)"),
        }
