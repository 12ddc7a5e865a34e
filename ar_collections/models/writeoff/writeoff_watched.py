from odoo import api, fields, models

RECOVERY_ACTIVITY = "ar_collections.activity_recovery"
# States of a request that is booked.
BOOKED = ("posted", "recovered")


class ArWriteoffWatched(models.AbstractModel):
    """A debt that was written off is owed all the same: it stays on record with who goes on
    asking for it, when it lapses and what came back."""

    _name = "ar.writeoff.watched"
    _inherit = "ar.case.record"
    _description = "Written-off Debt"

    recovery_ids = fields.One2many(
        "ar.writeoff.recovery", "request_id", string="Recoveries", readonly=True, copy=False
    )
    amount_recovered = fields.Monetary(string="Recovered", compute="_compute_recovered", store=True)
    amount_missing = fields.Monetary(string="Still Owed", compute="_compute_recovered", store=True)
    recovery_share = fields.Float(
        string="Recovered (%)", compute="_compute_recovered", store=True, aggregator="avg"
    )
    date_recovered = fields.Date(string="Last Recovery", compute="_compute_recovered", store=True)
    lapse_date = fields.Date(
        string="First Lapses On",
        compute="_compute_lapse_date",
        help="When the first of its claims is barred by limitation, unless the clock starts anew.",
    )

    @api.depends(
        "recovery_ids.amount",
        "recovery_ids.state",
        "amount_total",
        "state",
        "kind",
        "is_settlement",
    )
    def _compute_recovered(self):
        for request in self:
            booked = request.recovery_ids.filtered(lambda recovery: recovery.state == "posted")
            amount = request.currency_id.round(sum(booked.mapped("amount")))
            request.amount_recovered = amount
            request.recovery_share = amount / request.amount_total if request.amount_total else 0
            request.date_recovered = max(booked.mapped("date"), default=False)
            request.amount_missing = (
                request.currency_id.round(request.amount_total - amount)
                if request._is_owed()
                else 0
            )

    def _is_owed(self):
        """Whether the customer owes what was written off all the same: a settlement waived its
        rest, and nobody asks for cents."""
        return self.state in BOOKED and self.kind == "customer" and not self.is_settlement

    @api.depends("state", "recovery_ids.state")
    def _compute_lapse_date(self):
        self.lapse_date = False
        # Whoever sees the request need not see the entries.
        for company, requests in self.sudo().grouped("company_id").items():
            watched = requests.filtered(lambda request: request.state == "posted")
            clocks = self.env["ar.limitation"]._get_clocks(
                company, company._ar_today(), watched.partner_id
            )
            for request in watched:
                lapses = [
                    clocks[item.id][-1]
                    for item in request.line_ids.move_line_id
                    if item.id in clocks
                ]
                request.lapse_date = min(lapses, default=False)

    def _after_recovery(self):
        for request in self:
            full = not request.currency_id.compare_amounts(
                request.amount_recovered, request.amount_total
            )
            state = "recovered" if full else "posted"
            if request.state in BOOKED and request.state != state:
                request.state = state
            request.activity_unlink([RECOVERY_ACTIVITY])
        self.env["ar.credit.file"]._refresh_writeoffs(self.file_id)
