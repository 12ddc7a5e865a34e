from odoo import api, fields, models
from odoo.tools import SQL

from ..credit.credit_criterion import NOTHING_KNOWN, Metric


class ArCreditCriterion(models.Model):
    _inherit = "ar.credit.criterion"

    metric = fields.Selection(
        selection_add=[("written_off_count", "Times written off"), ("limit_use",)]
    )

    @api.model
    def _metric_written_off_count(self):
        return Metric(
            "written_off_count",
            SQL("COALESCE(file.written_off_count, 0) = 0 AND %s", NOTHING_KNOWN),
        )
