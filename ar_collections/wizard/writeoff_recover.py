from odoo import api, fields, models


class ArWriteoffRecover(models.TransientModel):
    """Asks which write-offs a payment is for, when it is not the customer who pays."""

    _name = "ar.writeoff.recover"
    _description = "Book as Recovery"

    payment_line_ids = fields.Many2many("account.move.line", string="Payments", required=True)
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    request_ids = fields.Many2many(
        "ar.writeoff.request",
        string="Write-offs",
        required=True,
        domain="[('amount_missing', '>', 0), ('company_id', '=', company_id)]",
    )
    date = fields.Date(help="Of the entries. Empty for the day that the settings say.")

    @api.depends("payment_line_ids")
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.payment_line_ids.company_id.root_id[:1]

    def action_book(self):
        """Book the payments as recovery of these write-offs, the oldest first.

        :raises UserError: a payment or write-off is not open any more
        """
        self.ensure_one()
        requests = self.request_ids.sorted(lambda request: (request.date_posted, request.id))
        recoveries = self.env["ar.writeoff.recovery.booking"]._book_payments(
            self.payment_line_ids, requests, self.date
        )
        return recoveries.request_id._get_records_action(name=self.env._("Recovered Write-offs"))
