from odoo import api, models

from odoo.addons.payment import utils as payment_utils

# Wire transfer, cash on delivery and pay on site are modes of one code.
PAID_LATER = ("custom", "sepa_direct_debit")


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    def _ar_is_paid_at_once(self):
        """Whether the money is there, or is authorised, before the order is confirmed."""
        self.ensure_one()
        return self.code not in PAID_LATER

    @api.model
    def _get_compatible_providers(self, *args, sale_order_id=None, report=None, **kwargs):
        # EXTENDS payment: whom the credit control would stop pays in advance
        providers = super()._get_compatible_providers(
            *args, sale_order_id=sale_order_id, report=report, **kwargs
        )
        paid_later = providers.filtered(lambda provider: not provider._ar_is_paid_at_once())
        order = self.env["sale.order"].browse(sale_order_id).exists()
        if paid_later and order._ar_prepayment_only():
            providers -= paid_later
            payment_utils.add_to_report(
                report,
                paid_later,
                available=False,
                reason=self.env._("this order has to be paid online"),
            )
        return providers
