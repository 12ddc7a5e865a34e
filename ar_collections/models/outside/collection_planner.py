from odoo import api, models


class ArCollectionPlanner(models.AbstractModel):
    _inherit = "ar.collection.planner"

    @api.model
    def _elsewhere_placed(self, company, _date):
        """Whoever collects for us writes to the customer, and we do not."""
        placed = self.env["ar.placement"]._read_group(
            [("company_id", "=", company.id), ("state", "=", "placed"), ("case_id", "!=", False)],
            ["case_id"],
        )
        return [case.id for (case,) in placed]
