from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..figures.trade_receivable import RECEIVABLE, is_trade_receivable


class ArWriteoffReason(models.Model):
    """Why a debt is given up: where it is booked, and what has to prove it."""

    _name = "ar.writeoff.reason"
    _description = "Write-off Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    description = fields.Text(translate=True, help="When this reason applies.")
    expense_account_id = fields.Many2one(
        "account.account",
        company_dependent=True,
        ondelete="restrict",
        domain="[('account_type', 'in', ('expense', 'expense_other', 'expense_direct_cost'))]",
        help="Bears the loss that no allowance covers. Empty for the account of the settings.",
    )
    recovery_account_id = fields.Many2one(
        "account.account",
        company_dependent=True,
        ondelete="restrict",
        domain=[("account_type", "not in", (RECEIVABLE, "liability_payable"))],
        help="Gets what the customer pays after all: other income, or the allowance for bad "
        "debts. Empty for the account of the settings.",
    )
    tax_treatment = fields.Selection(
        [
            ("gross", "Loss includes the tax"),
            ("relief", "Tax is claimed back"),
        ],
        default="gross",
        required=True,
        help="Claim the sales tax back where the law allows it: a country pack that gives none "
        "back comes first. Tax on a cash basis was never due: it is cleared from its waiting "
        "account either way.",
    )
    evidence_ids = fields.One2many("ar.writeoff.reason.evidence", "reason_id", copy=True)
    minimum_age = fields.Integer(
        string="Overdue at Least (days)", help="Of the youngest item. Zero for any age."
    )
    minimum_contacts = fields.Integer(
        string="Contacts at Least", help="Contacts made with the customer. Zero for none."
    )
    maximum_amount = fields.Float(
        string="Each Debt at Most",
        help="What is open of one document, however many requests it is given up by. Zero for any "
        "amount. It is checked where there are no exceptions.",
    )
    maximum_currency_id = fields.Many2one(
        "res.currency", string="Currency of the Amount", help="Empty: of the company."
    )
    maximum_revenue_share = fields.Float(
        string="Or This Share of Revenue (%)",
        digits=(6, 4),
        help="A larger debt passes up to this share of the revenue of the last full fiscal year.",
    )
    is_strict = fields.Boolean(
        string="No Exceptions",
        help="A request that is too young or too large, has too few contacts or lacks evidence "
        "cannot be submitted. Otherwise the approvers see it as a risk.",
    )
    for_small_balances = fields.Boolean(help="Proposed for many small balances at once.")
    for_credit_balances = fields.Boolean(
        string="For Small Credit Balances",
        help="Proposed for what customers have too much; it is booked to the recovery account.",
    )
    law_papers = fields.Text(string="Papers and Filing by Law", compute="_compute_law_papers")

    _code_uniq = models.UniqueIndex(
        "(code, company_id) NULLS NOT DISTINCT", "Another write-off reason has this code."
    )
    _minimum = models.Constraint(
        "CHECK(minimum_age >= 0 AND minimum_contacts >= 0)",
        "Least days and contacts cannot be negative.",
    )
    _maximum = models.Constraint(
        "CHECK(maximum_amount >= 0 AND maximum_revenue_share >= 0)",
        "The largest amount and share cannot be negative.",
    )

    @api.depends_context("company", "lang")
    def _compute_law_papers(self):
        self.law_papers = self.env.company._ar_get_country_rule().papers

    def _gives_tax_back(self, company):
        """Whether the sales tax is claimed back: the reason says so, and the law allows it."""
        return (
            self.tax_treatment == "relief" and company._ar_get_country_rule().tax_relief != "none"
        )

    def _get_too_large(self, items, company, date):
        """The documents of items of which more is open than the reason allows of each.

        The larger of the amount and the share of the revenue of the last full fiscal year
        counts.

        :return: ``(journal entries, what is allowed in the currency of the company)``
        """
        if not self.maximum_amount and not self.maximum_revenue_share:
            return items.move_id.browse(), 0
        currency = company.currency_id
        most = (self.maximum_currency_id or currency)._convert(
            self.maximum_amount, currency, company, date
        )
        if self.maximum_revenue_share:
            revenue = self._get_revenue(company, date)
            most = max(most, currency.round(revenue * self.maximum_revenue_share / 100))
        documents = items.move_id.filtered(
            lambda move: (
                currency.compare_amounts(
                    sum(
                        line.amount_residual for line in move.line_ids if is_trade_receivable(line)
                    ),
                    most,
                )
                > 0
            )
        )
        return documents, most

    @api.model
    def _get_revenue(self, company, date):
        """Income of the last fiscal year that is over, of a root company with its branches."""
        end = company.compute_fiscalyear_dates(date)["date_from"] - timedelta(days=1)
        start = company.compute_fiscalyear_dates(end)["date_from"]
        [(balance,)] = self.env["account.move.line"]._read_group(
            [
                ("company_id", "child_of", company.id),
                ("parent_state", "=", "posted"),
                ("account_type", "in", ("income", "income_other")),
                ("date", ">=", start),
                ("date", "<=", end),
            ],
            [],
            ["balance:sum"],
        )
        return -(balance or 0)

    @api.model
    def _get_proposed(self, company, kind):
        """The first reason for a kind of request in a company, none when there is none."""
        return self.search(
            [
                ("company_id", "in", (company.id, False)),
                ("for_small_balances", "=", kind == "small"),
                ("for_credit_balances", "=", kind == "credit"),
            ],
            limit=1,
        )

    def _expense_account(self, company):
        """The account that bears the loss in a company, never another one that is at hand.

        :raises UserError: none is set
        """
        root = company.root_id
        account = (
            self.with_company(company).expense_account_id
            or self.with_company(root).expense_account_id
            or root.ar_writeoff_account_id
        )
        if not account:
            raise UserError(
                self.env._(
                    "Choose the account for bad debts in the settings of %(company)s, or one of "
                    "“%(reason)s” alone.",
                    reason=self.name,
                    company=company.display_name,
                )
            )
        return account

    def _recovery_account(self, company):
        """The account that gets what is paid after the write-off.

        :raises UserError: none is set
        """
        account = (
            self.with_company(company).recovery_account_id
            or company.root_id.ar_recovery_account_id
            or self.env["account.account"].search(
                [
                    *self.env["account.account"]._check_company_domain(company),
                    ("account_type", "=", "income_other"),
                ],
                limit=1,
            )
        )
        if not account:
            raise UserError(
                self.env._(
                    "Choose the recovery account of “%(reason)s” in %(company)s.",
                    reason=self.name,
                    company=company.display_name,
                )
            )
        return account


class ArWriteoffReasonEvidence(models.Model):
    """One paper of the checklist."""

    _name = "ar.writeoff.reason.evidence"
    _description = "Evidence of a Write-off Reason"
    _order = "sequence, id"

    reason_id = fields.Many2one("ar.writeoff.reason", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Paper", required=True, translate=True)
    required = fields.Boolean(default=True)
