from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..common.amount_scale import scale
from ..figures.trade_receivable import RECEIVABLE


class ResCompany(models.Model):
    """How receivables are given up."""

    _inherit = "res.company"

    ar_writeoff_account_id = fields.Many2one(
        "account.account",
        string="Bad Debt Expense",
        domain="[('account_type', 'in', ('expense', 'expense_other', 'expense_direct_cost'))]",
        help="Bears write-offs whose reason has no account of its own.",
    )
    ar_recovery_account_id = fields.Many2one(
        "account.account",
        string="Income from Written-off Debts",
        domain=[("account_type", "not in", (RECEIVABLE, "liability_payable"))],
        help="Gets what is paid after a write-off, when its reason has no account of its own.",
    )
    ar_recovery_day = fields.Selection(
        [("money", "The day of the money"), ("booking", "The day of booking")],
        string="Date of Recoveries",
        default="money",
        required=True,
        help="When income from written-off debts is booked. What is locked moves to the first day "
        "that is not.",
    )
    ar_writeoff_journal_id = fields.Many2one(
        "account.journal", string="Write-off Journal", domain="[('type', '=', 'general')]"
    )
    ar_writeoff_days = fields.Integer(
        string="Decide Write-offs Within (days)",
        default=7,
        help="Approvers are reminded after so many days.",
    )
    ar_writeoff_remind_days = fields.Integer(
        string="Remind Approvers Every (days)",
        default=3,
        help="Of write-offs that were not decided in time.",
    )
    ar_writeoff_ripe_days = fields.Integer(
        string="Ripe for Write-Off After (days)",
        default=365,
        help="Cases that are overdue for longer are proposed for a write-off, as those are that "
        "have lapsed or came back from an agency or lawyer without result. Zero for those alone.",
    )
    ar_writeoff_high_risk = fields.Integer(
        string="High Risk From",
        default=60,
        help="Points from which a write-off needs one tier of approval more.",
    )
    ar_writeoff_free_amount = fields.Float(
        string="Write-offs Without Request Up To",
        default=10,
        help="Payment differences and entries by hand that give up more of a receivable are "
        "listed as unapproved write-offs.",
    )
    ar_writeoff_gate = fields.Boolean(
        string="Refuse Larger Write-offs Without Request",
        help="Do not only list them: stop them when they are paid, posted or reconciled.",
    )

    _ar_writeoff = models.Constraint(
        "CHECK(ar_writeoff_days >= 0 AND ar_writeoff_high_risk > 0"
        " AND ar_writeoff_free_amount >= 0 AND ar_writeoff_ripe_days >= 0)",
        "Days, points and amounts of write-offs cannot be negative.",
    )

    _ar_writeoff_remind = models.Constraint(
        "CHECK(ar_writeoff_remind_days > 0)", "Approvers are reminded once a day at most."
    )

    def _ar_scale_amounts(self, former):
        # EXTENDS ar_collections: approval levels, and what needs no request
        result = super()._ar_scale_amounts(former)
        self._ar_scale_records(
            former,
            self.env["ar.writeoff.tier"],
            lambda tier, ratio: (
                {"amount_from": scale(tier.amount_from, ratio)} if tier.amount_from else {}
            ),
            whole=True,
        )
        self.ar_writeoff_free_amount = scale(
            self.ar_writeoff_free_amount, self.ar_amount_factor / former
        )
        return result

    def _ar_check_writeoff(self, lost):
        """Nobody gives up more than the company lets pass without a request.

        :param lost: of receivables, company currency
        :raises UserError: it is more
        """
        limit = self.ar_writeoff_free_amount
        if self.currency_id.compare_amounts(lost, limit) > 0:
            raise UserError(
                self.env._(
                    "%(lost)s of receivables would be given up. Above %(limit)s this needs a "
                    "write-off request: use Write Off on the invoice or the collection case.",
                    lost=format_amount(self.env, lost, self.currency_id),
                    limit=format_amount(self.env, limit, self.currency_id),
                )
            )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_writeoff_account_id = fields.Many2one(
        related="company_id.root_id.ar_writeoff_account_id", readonly=False
    )
    ar_recovery_account_id = fields.Many2one(
        related="company_id.root_id.ar_recovery_account_id", readonly=False
    )
    ar_recovery_day = fields.Selection(related="company_id.root_id.ar_recovery_day", readonly=False)
    ar_writeoff_journal_id = fields.Many2one(
        related="company_id.root_id.ar_writeoff_journal_id", readonly=False
    )
    ar_writeoff_days = fields.Integer(related="company_id.root_id.ar_writeoff_days", readonly=False)
    ar_writeoff_remind_days = fields.Integer(
        related="company_id.root_id.ar_writeoff_remind_days", readonly=False
    )
    ar_writeoff_ripe_days = fields.Integer(
        related="company_id.root_id.ar_writeoff_ripe_days", readonly=False
    )
    ar_writeoff_high_risk = fields.Integer(
        related="company_id.root_id.ar_writeoff_high_risk", readonly=False
    )
    ar_writeoff_free_amount = fields.Float(
        related="company_id.root_id.ar_writeoff_free_amount", readonly=False
    )
    ar_writeoff_gate = fields.Boolean(related="company_id.root_id.ar_writeoff_gate", readonly=False)
