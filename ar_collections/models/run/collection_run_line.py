from odoo import fields, models

from ..collection.collection_cadence import WAITS


class ArCollectionRunLine(models.Model):
    """What a previewed run would do for one customer, or why it would wait."""

    _name = "ar.collection.run.line"
    _inherit = "ar.collection.channel"
    _description = "Collection Run Preview"
    _order = "id"

    run_id = fields.Many2one("ar.collection.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, ondelete="cascade"
    )
    step_id = fields.Many2one("ar.collection.step", ondelete="cascade")
    amount = fields.Monetary(string="Amount Asked For")
    days_overdue = fields.Integer(aggregator="max")
    address = fields.Char(string="Sent To")
    no_address = fields.Boolean()
    courtesy_line_ids = fields.Many2many(
        "account.move.line", string="Items That Fall Due", help="What a courtesy message is about."
    )
    wait = fields.Selection(list(WAITS.items()), string="Waits Because")

    def action_preview(self):
        """Look at this message among those of its run."""
        self.ensure_one()
        return self.env["ar.collection.preview"]._open_for_run(self.run_id.line_ids, self)

    def _make_draft_action(self):
        """The action that the run would take; to be rolled back.

        The case it opens is not there yet: the action says the same without one.
        """
        return self.env["ar.collection.action"].create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "step_id": self.step_id.id,
                "rung": self.step_id.days,
                "channel": self.step_id.channel,
                "user_id": self.env["ar.credit.file"]
                ._get_file(self.partner_id, self.company_id)
                .collector_id.id,
                "date_planned": self.run_id.date,
            }
        )
