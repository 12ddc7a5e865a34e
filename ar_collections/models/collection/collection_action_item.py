from odoo import fields, models


class ArCollectionActionItem(models.Model):
    """What one action asked for, as it was on that day: proof of the demand."""

    _name = "ar.collection.action.item"
    _inherit = "ar.item.copy"
    _description = "Item Asked For"

    action_id = fields.Many2one(
        "ar.collection.action", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="action_id.company_id", store=True, precompute=True, index=True
    )
    days_overdue = fields.Integer(readonly=True, aggregator="max")
    amount_total = fields.Monetary(string="Amount", readonly=True)
    is_credit = fields.Boolean(
        string="Credit",
        readonly=True,
        help="An open payment or credit note that the message names, not something asked for.",
    )
