from odoo import api, fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    ar_days_overdue = fields.Integer(string="Days Overdue", compute="_compute_ar_days_overdue")

    ar_financed = fields.Boolean(
        string="Pledged", compute="_compute_ar_financed", help="Pledged to a bank or sold."
    )

    @api.depends("date_maturity", "date", "company_id")
    def _compute_ar_days_overdue(self):
        today = {company: company._ar_today() for company in self.company_id}
        for line in self:
            due = line.date_maturity or line.date
            late = (today[line.company_id] - due).days if due and line.company_id else 0
            line.ar_days_overdue = max(late, 0)

    def _compute_ar_financed(self):
        # Whoever sees the items need not see the contracts with the bank.
        covers = self.env["ar.credit.cover"].sudo().search([("line_ids", "in", self._origin.ids)])
        pledged = set(covers.filtered(lambda cover: cover.state == "active").line_ids.ids)
        for line in self:
            line.ar_financed = line._origin.id in pledged

    def _reconcile_post_hook(self, data):
        # EXTENDS account
        result = super()._reconcile_post_hook(data)
        self.env["ar.ledger.touch"]._touch_items(self, matched=True)
        return result

    def write(self, vals):
        # EXTENDS account
        result = super().write(vals)
        if not vals.keys().isdisjoint(("date_maturity", "no_followup")):
            posted = self.filtered(lambda line: line.parent_state == "posted")
            self.env["ar.ledger.touch"]._touch_items(posted)
        return result
