from odoo import api, models

RAISING = {"product_uom_qty", "product_uom_id", "price_unit", "discount", "tax_ids"}


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS sale: a confirmed order does not grow beside the gate
        orders = self.env["sale.order"].browse(
            {vals["order_id"] for vals in vals_list if vals.get("order_id")}
        )
        totals = orders._ar_confirmed_totals()
        lines = super().create(vals_list)
        orders._ar_check_raised(totals)
        return lines

    def write(self, vals):
        # EXTENDS sale
        if vals.keys().isdisjoint(RAISING):
            return super().write(vals)
        lines = self.filtered(lambda line: not line.is_downpayment and not line._is_delivery())
        totals = lines.order_id._ar_confirmed_totals()
        result = super().write(vals)
        lines.order_id._ar_check_raised(totals)
        return result
