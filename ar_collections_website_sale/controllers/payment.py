from odoo.exceptions import ValidationError
from odoo.http import request

from odoo.addons.website_sale.controllers.payment import PaymentPortal


class PaymentPortalCredit(PaymentPortal):
    def _validate_transaction_for_order(self, transaction, sale_order):
        # EXTENDS website_sale: a request can name a provider that the page did not offer
        result = super()._validate_transaction_for_order(transaction, sale_order)
        if not transaction.provider_id._ar_is_paid_at_once() and sale_order._ar_prepayment_only():
            raise ValidationError(request.env._("Please choose an online payment for this order."))
        return result
