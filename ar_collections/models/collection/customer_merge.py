from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    _inherit = "ar.customer.merge"

    @api.model
    def _merge_customers(self, sources, target):
        # EXTENDS ar_collections
        result = super()._merge_customers(sources, target)
        actions = self.env["ar.collection.action"].search([("partner_id", "in", sources.ids)])
        actions.partner_id = target
        return result

    @api.model
    def _follow_items(self, customers):
        # EXTENDS ar_collections: a case that came along may ask for something else now
        result = super()._follow_items(customers)
        cases = self.env["ar.collection.case"].search(
            [("partner_id", "in", customers.ids), ("state", "!=", "closed")]
        )
        for company, same in cases.grouped("company_id").items():
            self.env["ar.collection.sync"]._sync_cases(
                company, company._ar_get_run_date(), same.partner_id
            )
        return result

    @api.model
    def _bring_over(self, file, doubles, target):
        # EXTENDS ar_collections: of several open cases in one company one stays
        result = super()._bring_over(file, doubles, target)
        cases = self.env["ar.collection.case"].search([("file_id", "in", (file | doubles).ids)])
        opened = cases.filtered(lambda case: case.state != "closed")
        case = opened.filtered(lambda case: case.partner_id == target)[:1] or opened[:1]
        closed = opened - case
        if closed:
            closed._close(file.company_id._ar_today(), "cancelled")
        cases.write({"file_id": file.id, "partner_id": target.id})
        self._bring_over_cases(case, closed)
        return result

    @api.model
    def _bring_over_cases(self, case, closed):
        """Let what is still open with the customer go on in the case that stays.

        :param case: the open case of the company, none when there is none
        :param closed: those that were closed for it
        """
