from odoo import api, fields, models


class ArLateChargeWaive(models.TransientModel):
    """Give up charges of a preview, or all that the customers of some cases have accrued."""

    _name = "ar.late.charge.waive"
    _description = "Waive Late Charges"

    charge_ids = fields.Many2many("ar.late.charge", string="Charges")
    case_ids = fields.Many2many("ar.collection.case", string="Cases")
    reason = fields.Char(required=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_amount")
    amount = fields.Monetary(string="To Waive", compute="_compute_amount")

    @api.depends("charge_ids", "case_ids")
    def _compute_amount(self):
        for wizard in self:
            companies = wizard.charge_ids.company_id | wizard.case_ids.company_id
            wizard.currency_id = companies[:1].currency_id
            wizard.amount = sum(wizard.charge_ids.mapped("amount_company")) + sum(
                accrual.amount_company
                for _company, accruals in wizard._get_accruals()
                for accrual in accruals
            )

    def _get_accruals(self):
        """``[(company, [Accrual])]`` of the cases until today."""
        return [
            (
                company,
                [
                    accrual
                    for accruals in self.env["ar.late.charge.accrual"]
                    ._get_accruals(company, company._ar_today(), cases.partner_id)
                    .values()
                    for accrual in accruals
                ],
            )
            for company, cases in self.case_ids._origin.grouped("company_id").items()
        ]

    def action_waive(self):
        charges = self.env["ar.late.charge"]
        charges._check_manager()
        self.case_ids.check_access("write")
        self.charge_ids._waive_charges(self.reason)
        for company, accruals in self._get_accruals():
            charges._waive_accrued(company, company._ar_today(), accruals, self.reason)
