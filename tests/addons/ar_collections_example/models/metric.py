from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.ar_collections.models.credit.credit_criterion import Metric


class ArCreditCriterion(models.Model):
    _inherit = "ar.credit.criterion"

    metric = fields.Selection(
        selection_add=[("overdue_count", "Items overdue")],
        ondelete={
            "overdue_count": lambda criteria: criteria.write({"kind": "number", "metric": False})
        },
    )

    def _metric_overdue_count(self):
        return Metric("overdue_count", unknown_when=SQL("FALSE"), unit=self.env._("items"))
