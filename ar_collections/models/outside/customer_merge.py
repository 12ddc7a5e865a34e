from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _bring_over(self, file, doubles, target):
        # EXTENDS ar_collections
        result = super()._bring_over(file, doubles, target)
        self._move_to_file(self.env["ar.placement"], file, doubles, target)
        self._move_to_file(self.env["ar.legal.decision"], file, doubles, target)
        self._move_insolvencies(file, doubles, target)
        return result

    @api.model
    def _bring_over_cases(self, case, closed):
        # EXTENDS ar_collections
        result = super()._bring_over_cases(case, closed)
        of_closed = ("case_id", "in", closed.ids)
        self.env["ar.placement"].search([of_closed, ("date_closed", "=", False)]).case_id = case
        self.env["ar.legal.decision"].search([of_closed, ("state", "=", "draft")]).case_id = case
        return result

    @api.model
    def _move_insolvencies(self, file, doubles, target):
        """One insolvency stays open: that of who remains, else the oldest."""
        insolvencies = self.env["ar.insolvency"].search(
            [("file_id", "in", (file | doubles).ids), ("state", "=", "open")], order="id"
        )
        kept = insolvencies.filtered(lambda each: each.file_id == file)[:1] or insolvencies[:1]
        (insolvencies - kept)._close()
        self._move_to_file(self.env["ar.insolvency"], file, doubles, target)
        kept._end_agreements()
