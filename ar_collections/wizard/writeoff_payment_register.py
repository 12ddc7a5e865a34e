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
            company._ar_check_writeoff(
                self.currency_id._convert(
                    self.payment_difference, company.currency_id, company, self.payment_date
                )
            )
        return super()._create_payments()
