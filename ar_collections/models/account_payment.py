from odoo import models

# What of a payment on its way decides how much less is asked for.
ON_ITS_WAY = ("state", "amount", "date", "partner_id", "currency_id")


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        # EXTENDS account: a payment that is not booked yet changes what is asked for, too
        result = super().write(vals)
        if not vals.keys().isdisjoint(ON_ITS_WAY):
            touch = self.env["ar.ledger.touch"]
            unbooked = self.filtered(lambda payment: not payment.move_id and payment.partner_id)
            for company, payments in unbooked.grouped(lambda each: each.company_id.root_id).items():
                # Who posts a payment need not see what it is for.
                customers = payments.sudo().invoice_ids.partner_id | payments.partner_id
                touch._touch_customers(company, customers.commercial_partner_id)
        return result

    def action_post(self):
        # EXTENDS account
        result = super().action_post()
        for payment in self.filtered(lambda payment: payment.payment_type == "inbound"):
            payment._ar_settle_chosen()
        return result

    def _ar_settle_chosen(self):
        """Match the items that the customer chose, before Odoo matches whole invoices.

        Of an invoice in instalments Odoo would settle the oldest, chosen or not.
        """
        # Who posts the payment need not see the transaction.
        transaction = self.sudo().payment_transaction_id
        chosen = transaction and transaction._ar_paid_lines().with_env(self.env)
        if not chosen:
            return
        (self.move_id.line_ids | chosen).filtered(
            lambda line: (
                line.account_id == self.destination_account_id
                and line.parent_state == "posted"
                and not line.reconciled
            )
        ).reconcile()
