from odoo import models

from odoo.addons.ar_collections.models.credit.credit_control import COLLECT_STOPPED


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _post_process(self):
        # EXTENDS sale: an error would undo the payment that was made; what is stopped waits
        return super(
            PaymentTransaction, self.with_context(ar_credit_stopped=COLLECT_STOPPED)
        )._post_process()

    def _check_amount_and_confirm_order(self):
        # EXTENDS sale: whoever paid a part of an order that was held gets the mail of a payment
        return (
            super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")
        )
