from odoo import api, fields, models
from odoo.exceptions import UserError

from ..common.amount_scale import scale

# What a grade asks for, and what a customer pays.
GRADE_KINDS = [("fixed", "A rate of its own"), ("law", "By law")]
FILE_MODES = [
    ("grade", "As the grade says"),
    ("custom", "Own rate"),
    ("law", "By law"),
    ("none", "No late charges"),
]


class ResCompany(models.Model):
    """What a company asks of customers who pay late. Everything is of the root company."""

    _inherit = "res.company"

    ar_charge_from = fields.Date(
        string="Late Charges From",
        help="The first day that is charged. Without it no late charges accrue.",
    )
    ar_charge_grace_days = fields.Integer(
        string="Free Days", help="The first days after the due date cost nothing."
    )
    ar_charge_minimum = fields.Monetary(
        string="Smallest Debit Note",
        help="A debit note for less than this waits for a later charge run. A customer has one "
        "for each currency.",
    )
    ar_charge_cap_share = fields.Float(
        string="Cap per Item (%)",
        help="Late charges of an item never exceed this share of its amount. Zero for no cap.",
    )
    ar_charge_cap_year = fields.Monetary(
        string="Cap per Year",
        help="A customer is charged this much in a calendar year at most. Zero for no cap.",
    )
    ar_charge_settled_days = fields.Integer(
        string="Charge Settled Items For (days)",
        default=365,
        help="What was paid longer ago and was never charged is not charged any more.",
    )
    ar_charge_on_charges = fields.Boolean(
        string="Charge on Charges", help="Unpaid debit notes of late charges accrue charges too."
    )
    ar_charge_post_plans = fields.Boolean(
        string="Post Charges of Broken Plans",
        help="The debit note of a payment plan that was not kept is posted at once. Otherwise "
        "it is a draft that the credit manager gets to see.",
    )
    ar_charge_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Late Charges",
        domain="[('type', '=', 'sale'), ('company_id', '=', id)]",
    )
    ar_charge_account_id = fields.Many2one(
        "account.account",
        string="Income Account of Late Charges",
        domain="[('account_type', 'in', ('income', 'income_other'))]",
    )
    ar_charge_accrual_account_id = fields.Many2one(
        "account.account",
        string="Account of Accrued Late Charges",
        domain="[('account_type', '=', 'asset_current')]",
        help="Month-end accruals are booked to it until the next day.",
    )
    ar_charge_tax_mode = fields.Selection(
        [("fixed", "These taxes"), ("sale", "The taxes of the late invoice")],
        string="Late Charges Are Taxed By",
        default="fixed",
        required=True,
        help="Where the law takes late charges for a part of the price, they bear its taxes. The "
        "customer's fiscal position counts either way.",
    )
    ar_charge_tax_ids = fields.Many2many(
        "account.tax",
        "ar_charge_company_tax_rel",
        string="Taxes of Late Charges",
        domain="[('type_tax_use', '=', 'sale'), ('company_id', 'parent_of', id)]",
        help="None where late charges are damages, as in most countries.",
    )

    _ar_charge = models.Constraint(
        "CHECK(ar_charge_grace_days >= 0 AND ar_charge_minimum >= 0"
        " AND ar_charge_cap_share >= 0 AND ar_charge_cap_year >= 0"
        " AND ar_charge_settled_days >= 0)",
        "Days, smallest debit note and caps of late charges cannot be negative.",
    )

    def _ar_scale_amounts(self, former):
        # EXTENDS ar_collections
        result = super()._ar_scale_amounts(former)
        for name in ("ar_charge_minimum", "ar_charge_cap_year"):
            self[name] = scale(self[name], self.ar_amount_factor / former)
        return result

    def _ar_charge_gap(
        self, names=("ar_charge_from", "ar_charge_journal_id", "ar_charge_account_id")
    ):
        """What is missing to make debit notes of late charges, an empty text when nothing is."""
        self.ensure_one()
        company = self.root_id
        missing = [
            company._fields[name]._description_string(self.env)
            for name in names
            if not company[name]
        ]
        if not missing:
            return ""
        return self.env._(
            "Late charges of %(company)s cannot be booked yet. An accounting administrator "
            "chooses in Settings > Invoicing > Credit and Collections: %(missing)s.",
            company=company.display_name,
            missing=", ".join(missing),
        )

    def _ar_check_charge_settings(self):
        if gap := self._ar_charge_gap():
            raise UserError(gap)

    def _ar_check_closing_settings(self):
        """:raises UserError: what a month-end accrual needs is not set"""
        names = ("ar_charge_from", "ar_charge_account_id", "ar_charge_accrual_account_id")
        if gap := self._ar_charge_gap(names):
            raise UserError(gap)


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_charge_from = fields.Date(related="company_id.root_id.ar_charge_from", readonly=False)
    ar_charge_grace_days = fields.Integer(
        related="company_id.root_id.ar_charge_grace_days", readonly=False
    )
    ar_charge_minimum = fields.Monetary(
        related="company_id.root_id.ar_charge_minimum",
        readonly=False,
    )
    ar_charge_cap_share = fields.Float(
        related="company_id.root_id.ar_charge_cap_share", readonly=False
    )
    ar_charge_cap_year = fields.Monetary(
        related="company_id.root_id.ar_charge_cap_year",
        readonly=False,
    )
    ar_charge_settled_days = fields.Integer(
        related="company_id.root_id.ar_charge_settled_days", readonly=False
    )
    ar_charge_on_charges = fields.Boolean(
        related="company_id.root_id.ar_charge_on_charges", readonly=False
    )
    ar_charge_post_plans = fields.Boolean(
        related="company_id.root_id.ar_charge_post_plans", readonly=False
    )
    ar_charge_journal_id = fields.Many2one(
        related="company_id.root_id.ar_charge_journal_id",
        readonly=False,
        domain="[('type', '=', 'sale'), ('company_id', 'parent_of', company_id)]",
    )
    ar_charge_account_id = fields.Many2one(
        related="company_id.root_id.ar_charge_account_id", readonly=False
    )
    ar_charge_accrual_account_id = fields.Many2one(
        related="company_id.root_id.ar_charge_accrual_account_id", readonly=False
    )
    ar_charge_tax_mode = fields.Selection(
        related="company_id.root_id.ar_charge_tax_mode", readonly=False
    )
    ar_charge_tax_ids = fields.Many2many(
        related="company_id.root_id.ar_charge_tax_ids",
        readonly=False,
        domain="[('type_tax_use', '=', 'sale'), ('company_id', 'parent_of', company_id)]",
    )


class ArCreditGrade(models.Model):
    _inherit = "ar.credit.grade"

    late_charge_kind = fields.Selection(
        GRADE_KINDS,
        string="Late Charges",
        default="fixed",
        required=True,
        help="By law: the base rate and what the country pack adds, as they were on each day.",
    )
    late_charge_rate = fields.Float(string="Late Charge (% a year)")
    late_charge_rate_ids = fields.One2many(
        "ar.late.charge.rate", "grade_id", string="Late Charge Terms", copy=False
    )

    _late_charge = models.Constraint(
        "CHECK(late_charge_rate >= 0)", "The rate of late charges cannot be negative."
    )

    def write(self, vals):
        # EXTENDS ar_collections: what changes, changes from today on
        if vals.keys().isdisjoint(("late_charge_kind", "late_charge_rate")):
            return super().write(vals)
        former = {grade: grade._get_late_charge_terms() for grade in self}
        result = super().write(vals)
        self.env["ar.late.charge.rate"]._note_change(self, former, self.env.company._ar_today())
        return result

    def _get_late_charge_terms(self):
        self.ensure_one()
        return {"kind": self.late_charge_kind, "rate": self.late_charge_rate}

    def _show_late_charge_terms(self, row):
        self.write({"late_charge_kind": row.kind, "late_charge_rate": row.rate})


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    late_charge_mode = fields.Selection(
        FILE_MODES,
        string="Late Charges",
        default="grade",
        required=True,
        tracking=True,
    )
    late_charge_rate = fields.Float(
        string="Own Late Charge (% a year)",
        tracking=True,
        help="Agreed with this customer. A change counts from today on; other days are entered "
        "under Late Charge Terms.",
    )
    late_charge_rate_ids = fields.One2many(
        "ar.late.charge.rate", "file_id", string="Late Charge Terms", copy=False
    )
    late_charge_rate_used = fields.Float(
        string="Late Charge (% a year)", compute="_compute_late_charge_rate_used"
    )

    _late_charge = models.Constraint(
        "CHECK(late_charge_rate >= 0)", "The rate of late charges cannot be negative."
    )

    @api.depends(
        "late_charge_mode",
        "late_charge_rate",
        "grade_id.late_charge_rate",
        "grade_id.late_charge_kind",
    )
    def _compute_late_charge_rate_used(self):
        for file in self:
            mode, rate = file.late_charge_mode, file.late_charge_rate
            if mode == "grade":
                mode, rate = file.grade_id.late_charge_kind, file.grade_id.late_charge_rate
            if mode == "law":
                company = file.company_id
                rate = company._ar_get_country_rule()._get_interest_rate(company._ar_today())
            file.late_charge_rate_used = 0 if mode == "none" else rate or 0

    def write(self, vals):
        # EXTENDS ar_collections: what changes, changes from today on
        if vals.keys().isdisjoint(("late_charge_mode", "late_charge_rate", "grade_id")):
            return super().write(vals)
        # Where nothing accrues there is nothing to keep.
        charged = self.filtered(lambda file: file.company_id.sudo().ar_charge_from)
        former = {file: file._get_late_charge_terms() for file in charged}
        result = super().write(vals)
        for company, files in charged.grouped("company_id").items():
            self.env["ar.late.charge.rate"]._note_change(files, former, company._ar_today())
        return result

    def _get_late_charge_terms(self):
        self.ensure_one()
        return {
            "mode": self.late_charge_mode,
            "rate": self.late_charge_rate,
            "file_grade_id": self.grade_id.id,
        }

    def _show_late_charge_terms(self, row):
        # The grade is what it is: terms only remember which one counted.
        self.sudo().write({"late_charge_mode": row.mode, "late_charge_rate": row.rate})

    @api.model
    def _get_manager_fields(self):
        # EXTENDS ar_collections: what a customer is charged is the credit manager's
        return (
            *super()._get_manager_fields(),
            "late_charge_mode",
            "late_charge_rate",
            "late_charge_rate_ids",
        )
