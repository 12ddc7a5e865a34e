from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class ArWriteoffRecovery(models.Model):
    """Part of a payment that came after its debt had been written off.

    How much of the debt it is, is measured in the currency of the debt: the rest of its worth in
    company currency is an exchange difference.
    """

    _name = "ar.writeoff.recovery"
    _inherit = "ar.readonly.mixin"
    _description = "Recovery of a Write-off"
    _order = "date desc, id desc"

    request_id = fields.Many2one(
        "ar.writeoff.request", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="request_id.partner_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True)
    amount = fields.Monetary(
        required=True,
        readonly=True,
        help="What of the write-off came back, at its value when it was written off.",
    )
    debt_currency_id = fields.Many2one(
        "res.currency", string="Currency of the Debt", required=True, readonly=True
    )
    debt_amount = fields.Monetary(
        string="In the Debt's Currency",
        required=True,
        readonly=True,
        currency_field="debt_currency_id",
    )
    exchange_difference = fields.Monetary(
        readonly=True, help="What the money was worth more than the debt when it was written off."
    )
    payment_line_id = fields.Many2one(
        "account.move.line", string="Payment", readonly=True, index=True, ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    reversal_id = fields.Many2one("account.move", readonly=True, index="btree_not_null")
    state = fields.Selection(
        [("posted", "Posted"), ("reversed", "Reversed")],
        default="posted",
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one("res.users", string="Booked By", required=True, readonly=True)

    _positive = models.Constraint("CHECK(amount > 0)", "The amount of a recovery must be positive.")

    @api.depends("request_id", "move_id")
    def _compute_display_name(self):
        for recovery in self:
            recovery.display_name = self.env._(
                "recovery %(entry)s of %(request)s",
                entry=recovery.move_id.name,
                request=recovery.request_id.name,
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        raise UserError(self.env._("A recovery stays on record: reverse it."))

    def action_reverse(self):
        """Undo the recovery: the payment is open again.

        :raises UserError: it is reversed already
        """
        self.request_id._check_accounting()
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager reverses a recovery."))
        self.request_id.lock_for_update(allow_referencing=True)
        for recovery in self:
            if recovery.state != "posted":
                raise UserError(self.env._("This recovery is reversed already."))
            reversal = recovery.move_id._ar_reverse_booked(
                recovery.company_id._ar_today(),
                self.env._("Reversal of %s", recovery.display_name),
            )
            recovery.sudo().write({"state": "reversed", "reversal_id": reversal.id})
            recovery.request_id.sudo()._after_recovery()
        return True
