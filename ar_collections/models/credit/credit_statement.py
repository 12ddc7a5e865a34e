from datetime import date

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..common.optional_float import OptionalFloat
from .credit_score import Source

# Ratio -> the figures that it divides: names are summed, those after a minus are taken off.
RATIOS = {
    "current_ratio": (("current_assets",), ("current_liabilities",)),
    "quick_ratio": (("current_assets", "-inventories"), ("current_liabilities",)),
    "debt_ratio": (("total_liabilities",), ("total_assets",)),
    "profit_margin": (("net_profit",), ("revenue",)),
    "return_on_equity": (("net_profit",), ("equity",)),
    "interest_cover": (("operating_profit",), ("interest",)),
}
# Growth -> what is compared with the year before.
GROWTHS = {"revenue_growth": "revenue", "equity_growth": "equity", "profit_growth": "net_profit"}
# What a criterion of the scorecard may take from the latest statement.
RATIO_LABELS = [
    ("current_ratio", "Current ratio"),
    ("quick_ratio", "Quick ratio"),
    ("debt_ratio", "Debt ratio (%)"),
    ("profit_margin", "Profit margin (%)"),
    ("return_on_equity", "Return on equity (%)"),
    ("interest_cover", "Interest cover"),
    ("revenue_growth", "Growth of revenue (%)"),
    ("equity_growth", "Growth of equity (%)"),
    ("profit_growth", "Growth of profit (%)"),
]
PERCENT = {name for name, label in RATIO_LABELS if label.endswith("(%)")}


def get_ratio(figures, above, below):
    """The quotient of two sums of figures, ``None`` when the divisor is not above zero.

    :param figures: ``{name: amount or None}``; a figure that nobody entered is unknown
    """

    def total(names):
        amounts = [figures[name.removeprefix("-")] for name in names]
        if any(amount is None for amount in amounts):
            return None
        return sum(
            -amount if name.startswith("-") else amount
            for name, amount in zip(names, amounts, strict=True)
        )

    dividend, divisor = total(above), total(below)
    if dividend is None or divisor is None or divisor <= 0:
        return None
    return dividend / divisor


def get_growth(former, amount):
    """How much more than before, in percent; ``None`` when it says nothing."""
    if former is None or amount is None or former <= 0:
        return None
    return 100 * (amount / former - 1)


class ArCreditStatement(models.Model):
    """What a customer's annual accounts say: figures as they stand there, ratios from them."""

    _name = "ar.credit.statement"
    _inherit = ["ar.readonly.mixin", "mail.thread"]
    _description = "Financial Statement"
    _order = "year desc, id desc"
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
    year = fields.Integer(
        required=True,
        aggregator=None,
        default=lambda self: self.env.company.root_id._ar_today().year - 1,
        tracking=True,
    )
    date_end = fields.Date(
        string="Balance Sheet Date",
        compute="_compute_date_end",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        tracking=True,
    )
    kind = fields.Selection(
        [
            ("audited", "Audited"),
            ("filed", "Filed, not audited"),
            ("internal", "Internal"),
        ],
        default="filed",
        required=True,
        tracking=True,
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    note = fields.Text()
    attachment_ids = fields.Many2many(
        "ir.attachment", string="Papers", bypass_search_access=True, copy=False
    )

    # Empty is unknown, which is not zero.
    inventories = OptionalFloat(aggregator=None)
    current_assets = OptionalFloat(aggregator=None)
    total_assets = OptionalFloat(aggregator=None)
    current_liabilities = OptionalFloat(aggregator=None)
    total_liabilities = OptionalFloat(aggregator=None)
    equity = OptionalFloat(
        compute="_compute_ratios",
        store=True,
        aggregator=None,
        tracking=True,
        help="Total assets less total liabilities.",
    )
    revenue = OptionalFloat(aggregator=None, tracking=True)
    operating_profit = OptionalFloat(aggregator=None)
    interest = OptionalFloat(string="Interest Paid", aggregator=None)
    net_profit = OptionalFloat(aggregator=None, tracking=True)

    current_ratio = OptionalFloat(compute="_compute_ratios", store=True, aggregator="avg")
    quick_ratio = OptionalFloat(compute="_compute_ratios", store=True, aggregator="avg")
    debt_ratio = OptionalFloat(
        string="Debt Ratio (%)", compute="_compute_ratios", store=True, aggregator="avg"
    )
    profit_margin = OptionalFloat(
        string="Profit Margin (%)", compute="_compute_ratios", store=True, aggregator="avg"
    )
    return_on_equity = OptionalFloat(
        string="Return on Equity (%)", compute="_compute_ratios", store=True, aggregator="avg"
    )
    interest_cover = OptionalFloat(compute="_compute_ratios", store=True, aggregator="avg")
    revenue_growth = OptionalFloat(
        string="Growth of Revenue (%)", compute="_compute_growth", aggregator=None
    )
    equity_growth = OptionalFloat(
        string="Growth of Equity (%)", compute="_compute_growth", aggregator=None
    )
    profit_growth = OptionalFloat(
        string="Growth of Profit (%)", compute="_compute_growth", aggregator=None
    )

    _one_a_year = models.UniqueIndex(
        "(file_id, year)", "This customer already has a financial statement of this year."
    )
    _real_year = models.Constraint(
        "CHECK(year BETWEEN 1900 AND 2200)", "The year of a financial statement has four digits."
    )
    _not_negative = models.Constraint(
        "CHECK(inventories >= 0 AND current_assets >= 0 AND total_assets >= 0"
        " AND current_liabilities >= 0 AND total_liabilities >= 0 AND revenue >= 0"
        " AND interest >= 0)",
        "Assets, liabilities, revenue and interest are entered without a sign.",
    )

    @api.depends("partner_id", "year")
    def _compute_display_name(self):
        for statement in self:
            name = statement.partner_id.display_name
            statement.display_name = f"{name} {statement.year}" if name else False

    @api.depends("year")
    def _compute_date_end(self):
        for statement in self:
            is_real = 1900 <= statement.year <= 2200
            if is_real and (not statement.date_end or statement.date_end.year != statement.year):
                statement.date_end = date(statement.year, 12, 31)
            else:
                statement.date_end = statement.date_end

    @api.depends(
        "inventories",
        "current_assets",
        "total_assets",
        "current_liabilities",
        "total_liabilities",
        "revenue",
        "operating_profit",
        "interest",
        "net_profit",
    )
    def _compute_ratios(self):
        for statement in self:
            figures = statement._get_figures()
            assets, debts = figures["total_assets"], figures["total_liabilities"]
            equity = None if None in (assets, debts) else assets - debts
            statement.equity = figures["equity"] = equity
            for name, (above, below) in RATIOS.items():
                ratio = get_ratio(figures, above, below)
                statement[name] = 100 * ratio if ratio is not None and name in PERCENT else ratio

    def _get_figures(self):
        """``{name: amount}`` of what was entered, ``None`` for what is unknown."""
        names = {
            name.removeprefix("-") for parts in RATIOS.values() for part in parts for name in part
        }
        names |= {"total_assets", "total_liabilities"}
        return {name: None if self[name] is False else self[name] for name in names}

    @api.depends("file_id", "year", "revenue", "equity", "net_profit", "currency_id")
    def _compute_growth(self):
        former = {
            (statement.file_id.id, statement.year, statement.currency_id): statement
            for statement in self.search([("file_id", "in", self.file_id.ids)])
        }
        for statement in self:
            before = former.get(
                (statement.file_id._origin.id, statement.year - 1, statement.currency_id)
            )
            for name, figure in GROWTHS.items():
                values = [
                    None if not one or one[figure] is False else one[figure]
                    for one in (before, statement)
                ]
                statement[name] = get_growth(*values)

    @api.constrains(
        "current_assets", "total_assets", "current_liabilities", "total_liabilities", "inventories"
    )
    def _check_parts(self):
        for statement in self:
            for part, whole in (
                ("inventories", "current_assets"),
                ("current_assets", "total_assets"),
                ("current_liabilities", "total_liabilities"),
            ):
                amounts = statement[part], statement[whole]
                if False not in amounts and amounts[0] > amounts[1]:
                    raise ValidationError(
                        self.env._(
                            "%(statement)s: %(part)s are more than %(whole)s.",
                            statement=statement.display_name,
                            part=self._fields[part]._description_string(self.env),
                            whole=self._fields[whole]._description_string(self.env),
                        )
                    )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        statements = super().create(vals_list)
        statements._adopt_papers()
        self._refresh_equity(statements.file_id)
        return statements

    def write(self, vals):
        files = self.file_id
        result = super().write(vals)
        if vals.get("attachment_ids"):
            self._adopt_papers()
        self._refresh_equity(files | self.file_id)
        return result

    def unlink(self):
        files = self.file_id
        result = super().unlink()
        self._refresh_equity(files)
        return result

    def _adopt_papers(self):
        """Uploads belong to the statement, so that whoever reads it can open them."""
        for statement in self:
            statement.attachment_ids.sudo().filtered(
                lambda file: not file.res_id and file.create_uid == self.env.user
            ).write({"res_model": self._name, "res_id": statement.id})

    @api.model
    def _refresh_equity(self, files):
        """Note in the credit files what the latest statement says, in company currency."""
        for company, company_files in files.sudo().grouped("company_id").items():
            known = self.sudo().search(
                [
                    ("file_id", "in", company_files.ids),
                    ("date_end", "<=", company._ar_today()),
                    ("equity", "!=", False),
                ],
                order="date_end, id",
            )
            latest = {statement.file_id: statement for statement in known}
            for file in company_files:
                statement = latest.get(file, self.browse())
                equity = statement.equity
                if statement:
                    equity = statement.currency_id._convert(
                        equity, company.currency_id, company, statement.date_end
                    )
                if file.equity != equity:
                    reason = self.env._("Financial statement %s", statement.year or "")
                    file.write({"equity": equity, "limit_reason": reason})

    # For the scorecard

    @api.model
    def _get_latest_ratios(self, files, date_to):
        """The ratios of the latest statement of each customer, two statements for all.

        :return: ``{(file id, ratio): (value, None, Source)}``, unknown ones left out
        """
        self.flush_model()
        names = [name for name, _label in RATIO_LABELS if name not in GROWTHS]
        figures = tuple(GROWTHS.values())
        rows = self.env.execute_query(
            SQL(
                """
            SELECT DISTINCT ON (one.file_id) one.file_id, one.date_end, one.year, %(ratios)s,
                   %(figures)s, %(former)s
              FROM ar_credit_statement one
              LEFT JOIN ar_credit_statement former
                ON former.file_id = one.file_id AND former.year = one.year - 1
               AND former.currency_id = one.currency_id
             WHERE one.file_id IN %(files)s AND one.date_end <= %(date)s
             ORDER BY one.file_id, one.date_end DESC, one.id DESC
            """,
                ratios=_list_sql("one", names),
                figures=_list_sql("one", figures),
                former=_list_sql("former", figures),
                files=tuple(files.ids) or (0,),
                date=date_to,
            )
        )
        found = {}
        for file_id, end, year, *values in rows:
            source = Source("statement", end, str(year))
            count = len(names)
            now, before = values[count : count + len(figures)], values[count + len(figures) :]
            ratios = dict(zip(names, values[:count], strict=True)) | {
                name: get_growth(*pair) for name, *pair in zip(GROWTHS, before, now, strict=True)
            }
            found |= {
                (file_id, name): (value, None, source)
                for name, value in ratios.items()
                if value is not None
            }
        return found


def _list_sql(alias, names):
    return SQL(", ").join(SQL.identifier(alias, name) for name in names)
