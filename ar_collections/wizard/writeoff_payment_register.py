from odoo import models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _create_payments(self):
        # EXTENDS account: "mark as fully paid" gives the difference up
        company = self.company_id.root_id.sudo()
        if (
            company.ar_writeoff_gate
            and self.partner_type == "customer"
            and self.payment_type == "inbound"
            and self.payment_difference_handling == "reconcile"
            and not self.early_payment_discount_mode
            and self.payment_difference > 0
        ):
            lost, paid = (
                self.currency_id._convert(amount, company.currency_id, company, self.payment_date)
                for amount in (self.payment_difference, self.amount + self.payment_difference)
            )
            # What an agency keeps as agreed is not given up.
            if (
                not self.env["ar.placement.remittance"]
                .sudo()
                ._may_keep(self.line_ids.sudo(), self.writeoff_account_id, lost, paid)
            ):
                company._ar_check_writeoff(lost)
        return super()._create_payments()
