from odoo import api, models

NOT_CLOSED = [("date_closed", "=", False)]


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _bring_over(self, file, doubles, target):
        # EXTENDS ar_collections
        result = super()._bring_over(file, doubles, target)
        self._move_to_file(self.env["ar.payment.promise"], file, doubles, target)
        self._move_to_file(self.env["ar.payment.plan"], file, doubles, target)
        self._move_to_file(self.env["ar.dispute"], file, doubles, target)
        self._move_to_file(self.env["ar.debt.acknowledgement"], file, doubles, target)
        return result

    @api.model
    def _follow_items(self, customers):
        # EXTENDS ar_collections: whatever has lines that claim items
        for name in self.env["ar.claim.line"]._inherit_children:
            lines = self.env[name].search([("customer_id", "in", customers.ids)])
            lines._compute_customer_id()
            self._give_to_owner(lines[lines._claim_parent], lines._get_name_in_parent())
        return super()._follow_items(customers)

    @api.model
    def _bring_over_cases(self, case, closed):
        # EXTENDS ar_collections
        result = super()._bring_over_cases(case, closed)
        going_on = [("case_id", "in", closed.ids), *NOT_CLOSED]
        self.env["ar.payment.promise"].search(going_on).case_id = case
        self.env["ar.payment.plan"].search(going_on).case_id = case
        self.env["ar.dispute"].search(going_on).case_id = case
        return result
