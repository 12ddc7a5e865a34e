from odoo.http import request

from odoo.addons.website_sale.controllers.main import WebsiteSale


class WebsiteSaleCredit(WebsiteSale):
    def _get_shop_payment_values(self, order, **kwargs):
        # EXTENDS website_sale: the page says why there are fewer ways to pay
        values = super()._get_shop_payment_values(order, **kwargs)
        values["ar_prepayment_only"] = order._ar_prepayment_only()
        return values

    def _get_shop_payment_errors(self, order):
        # EXTENDS website_sale
        errors = super()._get_shop_payment_errors(order)
        if order._ar_prepayment_only() and not self._ar_online_providers(order):
            errors.append(
                (
                    request.env._("This order has to be paid online."),
                    request.env._(
                        "No online payment is available at the moment. Please contact us, and we "
                        "will find a way together."
                    ),
                )
            )
        return errors

    def _ar_online_providers(self, order):
        return (
            request.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                order.company_id.id,
                order.partner_id.id,
                order.amount_total,
                currency_id=order.currency_id.id,
                sale_order_id=order.id,
                website_id=request.website.id,
            )
        )
