from odoo import api, models


class ArLedgerTouch(models.AbstractModel):
    _inherit = "ar.ledger.touch"

    @api.model
    def _follow_matching(self, lines):
        # EXTENDS ar_collections: what came off the items of a case, also when as much is asked for
        result = super()._follow_matching(lines)
        items = lines.exists()
        cases = self.env["ar.collection.case"].search(
            [
                ("company_id", "in", items.company_id.root_id.ids),
                ("partner_id", "in", items.partner_id.commercial_partner_id.ids),
                ("state", "!=", "closed"),
            ]
        )
        for company, same in cases.grouped("company_id").items():
            same._keep_amounts(company._ar_get_run_date())
        return result

    @api.model
    def _follow_customers(self, company, date, partners):
        # EXTENDS ar_collections: only the day opens cases; here one shrinks, ends or opens again
        changed = super()._follow_customers(company, date, partners)
        if changed:
            self.env["ar.collection.sync"]._sync_cases(company, date, changed)
            cases = self.env["ar.collection.case"].search(
                [
                    ("company_id", "=", company.id),
                    ("partner_id", "in", changed.ids),
                    ("state", "!=", "closed"),
                ]
            )
            if cases:
                self.env["ar.collection.priority.rule"]._score_cases(company, cases)
        return changed
