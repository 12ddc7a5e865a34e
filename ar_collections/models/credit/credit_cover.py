from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_amount, format_date, formatLang

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN
from .credit_limit import CoverPeriod


class ArCreditCover(models.Model):
    """Somebody else's promise, or money, that stands behind a customer's debt."""

    _name = "ar.credit.cover"
    _inherit = ["ar.readonly.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Credit Cover"
    _order = "date_to, id"
    _rec_names_search = ["reference", "partner_id"]
    _check_company_auto = True

    file_id = fields.Many2one(
        "ar.credit.file",
        string="Credit File",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    partner_id = fields.Many2one(related="file_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    active = fields.Boolean(
        default=True, help="Archive a cover that ended on purpose; it warns no more."
    )
    kind = fields.Selection(
        [
            ("insurance", "Credit insurance"),
            ("letter_of_credit", "Letter of credit"),
            ("guarantee", "Guarantee"),
            ("deposit", "Deposit"),
            ("financing", "Pledged or factored receivables"),
        ],
        required=True,
        default="insurance",
        tracking=True,
    )
    reference = fields.Char(tracking=True, help="Number of the policy, letter or contract.")
    issuer_id = fields.Many2one(
        "res.partner", string="Insurer or Bank", tracking=True, help="Who stands for the debt."
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    amount = fields.Monetary(required=True, tracking=True)
    covered_share = fields.Float(
        string="Covered", default=1.0, tracking=True, help="Share of the amount that is covered."
    )
    deductible = fields.Monetary(
        tracking=True, help="What we bear ourselves of each loss before the insurer pays."
    )
    date_from = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
    date_to = fields.Date(string="Valid Until", tracking=True, index=True)
    amount_company = fields.Monetary(
        string="Raises the Limit by",
        currency_field="company_currency_id",
        readonly=True,
        help="Covered amount in company currency, at the rate of the last daily run.",
    )
    state = fields.Selection(
        [("coming", "Coming"), ("active", "Active"), ("expired", "Expired")],
        compute="_compute_state",
        search="_search_state",
    )
    line_ids = fields.Many2many(
        "account.move.line",
        "ar_credit_cover_line",
        string="Pledged Items",
        domain="[('partner_id.commercial_partner_id', '=', partner_id),"
        " ('company_id', 'child_of', company_id),"
        f" {', '.join(map(repr, TRADE_RECEIVABLE_DOMAIN))}, ('parent_state', '=', 'posted'),"
        " ('reconciled', '=', False)]",
    )
    warned_for = fields.Date(
        readonly=True, copy=False, help="The end date that the credit manager was told of."
    )

    _amount = models.Constraint(
        "CHECK(amount >= 0 AND COALESCE(deductible, 0) >= 0)",
        "The amount of a cover cannot be negative.",
    )
    _share = models.Constraint(
        "CHECK(covered_share >= 0 AND covered_share <= 1)",
        "The covered share is between 0 and 100 %.",
    )
    _dates = models.Constraint(
        "CHECK(date_to IS NULL OR date_from <= date_to)", "The cover ends before it starts."
    )

    @api.depends("kind", "reference", "partner_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for cover in self:
            cover.display_name = " ".join(
                filter(None, (kinds.get(cover.kind), cover.reference, cover.partner_id.name))
            )

    @api.depends("date_from", "date_to", "company_id")
    def _compute_state(self):
        today = {company: company._ar_today() for company in self.company_id}
        for cover in self:
            day = today.get(cover.company_id) or fields.Date.context_today(cover)
            if cover.date_from and cover.date_from > day:
                cover.state = "coming"
            else:
                cover.state = "expired" if cover.date_to and cover.date_to < day else "active"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = self.env.company._ar_today()
        domains = {
            "coming": [("date_from", ">", today)],
            "expired": [("date_from", "<=", today), ("date_to", "<", today)],
            "active": [
                ("date_from", "<=", today),
                "|",
                ("date_to", "=", False),
                ("date_to", ">=", today),
            ],
        }
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    @api.constrains("line_ids", "kind")
    def _check_lines(self):
        for cover in self:
            if cover.line_ids and cover.kind != "financing":
                raise ValidationError(
                    self.env._("Only pledged or factored receivables name journal items.")
                )
            if cover.line_ids.partner_id.commercial_partner_id - cover.partner_id:
                raise ValidationError(
                    self.env._("The pledged items are of another customer than the cover.")
                )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        authority = self.env["ar.credit.authority"]
        asked = [(False, vals) for vals in vals_list]
        standings = authority._get_cover_standings(asked)
        covers = super().create(vals_list)
        self._refresh_files(covers.file_id)
        authority._check_raise(standings)
        return covers

    def write(self, vals):
        authority = self.env["ar.credit.authority"]
        files = self.file_id
        standings = authority._get_cover_standings([(cover, vals) for cover in self])
        result = super().write(vals)
        if vals.keys() - {"amount_company", "warned_for", "line_ids"}:
            self._refresh_files(files | self.file_id)
        authority._check_raise(standings)
        return result

    def unlink(self):
        files = self.file_id
        result = super().unlink()
        self._refresh_files(files)
        return result

    def _get_amount_at(self, date):
        """The covered amount in company currency; receivables that were sold cover nothing."""
        self.ensure_one()
        if self.kind == "financing":
            return 0.0
        return self.currency_id._convert(
            self.amount * self.covered_share, self.company_id.currency_id, self.company_id, date
        )

    def _get_period(self, date):
        """The :class:`CoverPeriod` of the cover, at the rate of a date."""
        return CoverPeriod(self._get_amount_at(date), self.date_from, self.date_to)

    @api.model
    def _describe(self, values):
        """Values of a cover in words, as a credit review asks for it.

        :param values: as for ``create``
        """
        cover = self.new(values)
        return self.env._(
            "%(cover)s: %(share)s %% of %(amount)s from %(start)s to %(end)s",
            cover=cover.display_name,
            share=formatLang(self.env, 100 * cover.covered_share, digits=0),
            amount=format_amount(self.env, cover.amount, cover.currency_id),
            start=format_date(self.env, cover.date_from),
            end=format_date(self.env, cover.date_to) or self.env._("further notice"),
        )

    @api.model
    def _refresh_files(self, files, date=None):
        """Bring what the covers add to the limits of the files to the date, today without one."""
        for company, company_files in files.sudo().grouped("company_id").items():
            day = date or company._ar_today()
            for file in company_files:
                total = 0.0
                for cover in file.cover_ids:
                    amount = cover._get_amount_at(day)
                    if company.currency_id.compare_amounts(cover.amount_company, amount):
                        cover.amount_company = amount
                    if cover.date_from <= day and not (cover.date_to and cover.date_to < day):
                        total += amount
                if company.currency_id.compare_amounts(file.cover_amount, total):
                    reason = self.env._("Credit cover changed")
                    file.write({"cover_amount": total, "limit_reason": reason})

    # Daily

    @api.model
    def _refresh_all(self, company, date):
        """What the covers add to the limits on that day, and whose end is near."""
        covers = self.search([("company_id", "=", company.id)])
        self._refresh_files(covers.file_id, date)
        self._warn_of_expiry(company, date)

    @api.model
    def _warn_of_expiry(self, company, date):
        """Tell the credit manager once of each end date that is near."""
        ending = self.search(
            [
                ("company_id", "=", company.id),
                ("date_to", "<=", date + timedelta(days=company.ar_cover_warning_days)),
            ]
        ).filtered(lambda cover: cover.warned_for != cover.date_to)
        for cover in ending:
            user = company._ar_credit_manager(cover.file_id)
            cover.warned_for = cover.date_to
            if user:
                cover.activity_schedule(
                    "mail.mail_activity_data_todo",
                    max(cover.date_to, date),
                    summary=self.env._(
                        "Credit cover ends on %s", format_date(self.env, cover.date_to)
                    ),
                    user_id=user.id,
                )
