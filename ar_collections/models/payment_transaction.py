from odoo import fields, models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    ar_line_ids = fields.Many2many(
        "account.move.line",
        "ar_payment_transaction_line_rel",
        "transaction_id",
        "line_id",
        string="Items Paid",
        readonly=True,
        copy=False,
        help="The items that the customer chose to pay: the payment settles these and no others.",
    )

    def _ar_paid_lines(self):
        """The chosen items of a transaction, or of the one that it captures a part of."""
        return self.ar_line_ids or self.source_transaction_id.ar_line_ids

    def _create_payment(self, **extra_create_values):
        # EXTENDS account_payment
        if account := self._ar_paid_lines().account_id:
            extra_create_values.setdefault("destination_account_id", account.id)
        return super()._create_payment(**extra_create_values)
