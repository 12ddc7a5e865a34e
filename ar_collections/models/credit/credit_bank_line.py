from odoo import api, fields, models


class ArCreditBankLine(models.Model):
    """What a bank lends the customer: a line, a loan, a guarantee, and how much of it is used."""

    _name = "ar.credit.bank.line"
    _description = "Bank Line of a Customer"
    _order = "file_id, date desc, id"
    _rec_name = "bank_id"
    _check_company_auto = True

    file_id = fields.Many2one(
        "ar.credit.file",
        string="Credit File",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    partner_id = fields.Many2one(
        related="file_id.partner_id", string="Customer", store=True, index=True
    )
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    bank_id = fields.Many2one("res.bank", required=True, ondelete="restrict")
    kind = fields.Selection(
        [
            ("overdraft", "Overdraft"),
            ("loan", "Loan"),
            ("guarantee", "Guarantees"),
            ("letter_of_credit", "Letters of credit"),
            ("other", "Other"),
        ],
        default="overdraft",
        required=True,
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    amount = fields.Monetary(string="Granted", required=True)
    used = fields.Monetary()
    free = fields.Monetary(compute="_compute_free", help="What the customer could still draw.")
    security = fields.Char(help="What the bank holds, such as a mortgage or our customer's stock.")
    date = fields.Date(
        string="As Of", required=True, default=lambda self: self.env.company._ar_today()
    )
    valid_until = fields.Date()
    note = fields.Char(string="Source", help="Who said so, or where it is from.")

    _amounts = models.Constraint(
        "CHECK(amount >= 0 AND used >= 0)", "Amounts of a bank line cannot be negative."
    )

    @api.depends("amount", "used")
    def _compute_free(self):
        for line in self:
            line.free = max(line.amount - line.used, 0)
