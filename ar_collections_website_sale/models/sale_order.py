from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _ar_prepayment_only(self):
        """Whether the credit control would stop the cart unless it is paid at once."""
        return bool(self) and self._ar_stopping_decision() is not None
