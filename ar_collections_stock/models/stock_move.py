from odoo import models
from odoo.exceptions import UserError


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        # EXTENDS stock: goods of a delivery do not leave beside the gate of the delivery
        others = self.picking_id.filtered(lambda picking: not picking._ar_has_passed())
        stopped = others - self.env["ar.credit.control"]._gate(others)
        if stopped:
            raise UserError(
                self.env._("Credit control stops %s.", ", ".join(stopped.mapped("display_name")))
            )
        return super()._action_done(cancel_backorder=cancel_backorder)
