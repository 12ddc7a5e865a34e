from odoo import api, fields, models


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

    @api.model
    def _freeze(self, actions, items):
        """Keep what each action asks for.

        :param items: one list of ``ar.position`` items per action
        """
        lines = (
            self.env["account.move.line"]
            .sudo()
            .browse({item.line_id for wanted in items for item in wanted})
        )
        lines.fetch(["move_name", "move_id", "date"])
        lines.move_id.fetch(["invoice_date", "amount_total"])
        self.create(
            [
                {
                    "action_id": action.id,
                    "move_line_id": item.line_id,
                    "name": line.move_name,
                    "date": line.move_id.invoice_date or line.date,
                    "due_date": item.due,
                    "days_overdue": item.days_overdue,
                    "residual": item.residual if item.is_credit else item.demand,
                    "residual_currency": self._get_amount(item),
                    "is_credit": item.is_credit,
                    "currency_id": item.currency_id,
                    "amount_total": line.move_id.amount_total or abs(item.residual_currency),
                }
                for action, wanted in zip(actions, items, strict=True)
                for item in wanted
                for line in lines.browse(item.line_id)
            ]
        )

    def _is_of(self, items):
        """Whether what was kept of a contact is just these ``ar.position`` items."""
        return bool(items) and {
            (item.move_line_id.id, item.due_date, item.days_overdue, item.residual_currency)
            for item in self
        } == {(item.line_id, item.due, item.days_overdue, self._get_amount(item)) for item in items}

    @api.model
    def _get_amount(self, item):
        """What is asked for of an ``ar.position`` item, or named as a credit."""
        return item.residual_currency if item.is_credit else item.demand_currency
