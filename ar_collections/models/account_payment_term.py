from odoo import fields, models


class AccountPaymentTerm(models.Model):
    _inherit = "account.payment.term"

    ar_dispute_days = fields.Integer(
        string="Dispute Window (days)",
        help="Days after delivery, or else after the invoice date, in which the customer may "
        "dispute an invoice. Zero for the company's window.",
    )
