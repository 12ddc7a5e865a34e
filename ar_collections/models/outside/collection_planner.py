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

    @api.model
    def _elsewhere_insolvent(self, company, _date):
        """Who is insolvent is asked by nobody: the claim is filed."""
        cases = self.env["ar.collection.case"].search(
            [
                ("state", "=", "open"),
                ("file_id", "in", self._get_insolvencies(company).file_id.ids),
            ]
        )
        return cases.ids

    @api.model
    def _plan_courtesy(self, company, date):
        # EXTENDS ar_collections: nor is anything recalled before it falls due
        insolvent = set(self._get_insolvencies(company).file_id.ids)
        plans = super()._plan_courtesy(company, date)
        return [plan for plan in plans if plan.file_id not in insolvent]

    @api.model
    def _get_insolvencies(self, company):
        return self.env["ar.insolvency"].search(
            [("company_id", "=", company.id), ("state", "=", "open")]
        )
