from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .credit_limit import LimitTerms, effective_limit


class ArCreditFile(models.Model):
    """How much credit a customer, or a group of customers, may have."""

    _inherit = "ar.credit.file"

    limit_mode = fields.Selection(
        [("grade", "By grade"), ("custom", "Custom"), ("unlimited", "Unlimited")],
        string="Credit Limit",
        default="grade",
        required=True,
        tracking=True,
    )
    custom_limit = fields.Monetary(tracking=True, help="Zero means no credit at all.")
    temporary_limit = fields.Monetary(
        tracking=True, help="Replaces any other limit until its end date."
    )
    temporary_limit_end = fields.Date(
        string="Temporary Limit Until", tracking=True, index="btree_not_null"
    )
    limit_expiry = fields.Date(
        string="Limit Valid Until",
        tracking=True,
        help="After that day the grade says what happens to documents that give credit.",
    )
    limit_reason = fields.Char(
        string="Reason of the Limit",
        tracking=True,
        help="Kept in the history together with the limit.",
    )
    is_limited = fields.Boolean(compute="_compute_effective_limit", store=True)
    effective_limit = fields.Monetary(compute="_compute_effective_limit", store=True)
    cover_ids = fields.One2many("ar.credit.cover", "file_id")
    cover_amount = fields.Monetary(
        string="Covered", readonly=True, help="What insurance, guarantees and deposits add."
    )
    uncovered_amount = fields.Monetary(
        string="Exposure Not Covered", compute="_compute_uncovered_amount"
    )
    financed_amount = fields.Monetary(
        string="Pledged or Factored",
        compute="_compute_financed_amount",
        help="Open items that were pledged or sold to a bank or factor.",
    )

    parent_id = fields.Many2one(
        "ar.credit.file",
        string="Group",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        domain="[('company_id', '=', company_id), ('id', '!=', id), ('parent_id', '=', False)]",
        help="The credit file of the customer that leads the group.",
    )
    member_ids = fields.One2many("ar.credit.file", "parent_id", string="Group Members")
    group_limited = fields.Boolean(
        string="Has a Group Limit", tracking=True, help="Zero is a limit as well: no credit."
    )
    group_limit = fields.Monetary(tracking=True)
    group_exposure = fields.Monetary(
        compute="_compute_group_exposure", help="Of this customer and all members of the group."
    )

    _limits = models.Constraint(
        "CHECK(custom_limit >= 0 AND temporary_limit >= 0 AND group_limit >= 0)",
        "A limit cannot be negative.",
    )

    @api.depends(
        "limit_mode",
        "custom_limit",
        "temporary_limit",
        "temporary_limit_end",
        "avg_monthly_sales",
        "cover_amount",
        "grade_id.limit_rule",
        "grade_id.limit_amount",
        "grade_id.limit_months",
        "grade_id.limit_cap",
    )
    def _compute_effective_limit(self):
        defaults = {company: company._ar_default_credit_limit() for company in self.company_id}
        for file in self:
            limit = effective_limit(
                LimitTerms(
                    mode=file.limit_mode,
                    custom=file.custom_limit,
                    temporary=file.temporary_limit,
                    temporary_end=file.temporary_limit_end,
                    avg_monthly_sales=file.avg_monthly_sales,
                    default=defaults.get(file.company_id),
                    cover=file.cover_amount,
                    **file.grade_id._limit_terms(),
                )
            )
            file.is_limited = limit is not None
            file.effective_limit = limit or 0

    @api.depends("exposure", "cover_amount")
    def _compute_uncovered_amount(self):
        for file in self:
            file.uncovered_amount = max(file.exposure - file.cover_amount, 0)

    @api.depends("cover_ids.line_ids.amount_residual", "cover_ids.kind", "cover_ids.state")
    def _compute_financed_amount(self):
        for file in self:
            lines = file.cover_ids.filtered(lambda cover: cover.state == "active").line_ids
            file.financed_amount = sum(lines.mapped("amount_residual"))

    @api.depends("exposure", "member_ids.exposure")
    def _compute_group_exposure(self):
        for file in self:
            file.group_exposure = file.exposure + sum(file.member_ids.mapped("exposure"))

    @api.constrains("temporary_limit", "temporary_limit_end")
    def _check_temporary_limit(self):
        for file in self:
            if file.temporary_limit and not file.temporary_limit_end:
                raise ValidationError(self.env._("A temporary limit needs an end date."))

    @api.constrains("parent_id")
    def _check_group(self):
        for file in self:
            if file.parent_id and (file.parent_id.parent_id or file.member_ids):
                raise ValidationError(
                    self.env._(
                        "%(customer)s cannot join the group: groups have one level, the customer "
                        "that leads them and its members.",
                        customer=file.partner_id.display_name,
                    )
                )

    # Odoo's own limit

    def _push_limit(self):
        """Write the effective limit through to Odoo's own credit limit.

        There, zero means unlimited: no credit at all becomes the smallest amount.
        """
        for company, files in self.sudo().grouped("company_id").items():
            for branch in self.env["res.company"].sudo().search([("id", "child_of", company.id)]):
                for file in files:
                    limit = 0.0
                    if file.is_limited:
                        limit = file.effective_limit or company.currency_id.rounding
                    partner = file.partner_id.with_company(branch)
                    if partner.credit_limit != limit:
                        partner._write_credit_limit(limit)
        self._refresh_limit_use()

    @api.model
    def _limit_use_sql(self, exposure):
        return SQL(
            """CASE WHEN file.is_limited IS NOT TRUE OR COALESCE(%(exposure)s, 0) <= 0 THEN 0
                    WHEN file.effective_limit > 0 THEN %(exposure)s / file.effective_limit
                    ELSE 1 END""",
            exposure=exposure,
        )

    def _refresh_limit_use(self):
        self.flush_recordset()
        if self:
            self.env.cr.execute(
                SQL(
                    "UPDATE ar_credit_file file SET limit_use = %s WHERE file.id IN %s",
                    self._limit_use_sql(SQL.identifier("file", "exposure")),
                    tuple(self.ids),
                )
            )
            self.invalidate_recordset(["limit_use"], flush=False)

    def _end_temporary_limits(self, companies, date):
        """Temporary limits that ended before the date go back to the ordinary limit."""
        self.search(
            [
                ("company_id", "in", companies.ids),
                ("temporary_limit_end", "<", date),
            ]
        ).write(
            {
                "temporary_limit": 0,
                "temporary_limit_end": False,
                "limit_reason": self.env._("The temporary limit ended"),
            }
        )

    def _refresh_cover(self, date=None):
        """Bring what the covers add to the date, today without one."""
        for company, files in self.sudo().grouped("company_id").items():
            day = date or company._ar_today()
            for file in files:
                total = 0.0
                for cover in file.cover_ids:
                    amount = cover._amount_at(day)
                    if company.currency_id.compare_amounts(cover.amount_company, amount):
                        cover.amount_company = amount
                    if cover.date_from <= day and not (cover.date_to and cover.date_to < day):
                        total += amount
                if company.currency_id.compare_amounts(file.cover_amount, total):
                    reason = self.env._("Credit cover changed")
                    file.write({"cover_amount": total, "limit_reason": reason})
