from odoo import fields, models


class ResCompany(models.Model):
    """Where the allowance for bad debts is booked."""

    _inherit = "res.company"

    ar_allowance_account_id = fields.Many2one(
        "account.account",
        string="Allowance Account",
        check_company=True,
        help="The balance of the allowance for bad debts, which is taken off the receivables.",
    )
    ar_allowance_expense_account_id = fields.Many2one(
        "account.account",
        string="Impairment Expense Account",
        check_company=True,
        help="What is added to the allowance is an expense here; what is released comes back.",
    )
    ar_allowance_journal_id = fields.Many2one(
        "account.journal",
        string="Allowance Journal",
        check_company=True,
        help="Leave empty for the first miscellaneous journal.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_allowance_account_id = fields.Many2one(
        related="company_id.root_id.ar_allowance_account_id", readonly=False
    )
    ar_allowance_expense_account_id = fields.Many2one(
        related="company_id.root_id.ar_allowance_expense_account_id", readonly=False
    )
    ar_allowance_journal_id = fields.Many2one(
        related="company_id.root_id.ar_allowance_journal_id", readonly=False
    )
