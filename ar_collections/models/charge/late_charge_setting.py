from odoo import api, fields, models
from odoo.exceptions import UserError

from ..common.amount_scale import scale


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
        help="What a customer owes for less than this waits for a later charge run.",
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

    def _ar_charge_gap(self):
        """What is missing to make debit notes of late charges, an empty text when nothing is."""
        self.ensure_one()
        company = self.root_id
        missing = [
            company._fields[name]._description_string(self.env)
            for name in ("ar_charge_from", "ar_charge_journal_id", "ar_charge_account_id")
            if not company[name]
        ]
        if not missing:
            return ""
        return self.env._(
            "Late charges of %(company)s cannot be invoiced yet. An accounting administrator "
            "chooses in Settings > Invoicing > Credit and Collections: %(missing)s.",
            company=company.display_name,
            missing=", ".join(missing),
        )

    def _ar_check_charge_settings(self):
        if gap := self._ar_charge_gap():
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
    ar_charge_tax_ids = fields.Many2many(
        related="company_id.root_id.ar_charge_tax_ids",
        readonly=False,
        domain="[('type_tax_use', '=', 'sale'), ('company_id', 'parent_of', company_id)]",
    )


class ArCreditGrade(models.Model):
    _inherit = "ar.credit.grade"

    late_charge_rate = fields.Float(string="Late Charge (% a year)")

    _late_charge = models.Constraint(
        "CHECK(late_charge_rate >= 0)", "The rate of late charges cannot be negative."
    )


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    late_charge_mode = fields.Selection(
        [("grade", "As the grade says"), ("custom", "Own rate"), ("none", "No late charges")],
        string="Late Charges",
        default="grade",
        required=True,
        tracking=True,
    )
    late_charge_rate = fields.Float(
        string="Own Late Charge (% a year)", tracking=True, help="Agreed with this customer."
    )
    late_charge_rate_used = fields.Float(
        string="Late Charge (% a year)", compute="_compute_late_charge_rate_used"
    )

    _late_charge = models.Constraint(
        "CHECK(late_charge_rate >= 0)", "The rate of late charges cannot be negative."
    )

    @api.depends("late_charge_mode", "late_charge_rate", "grade_id.late_charge_rate")
    def _compute_late_charge_rate_used(self):
        for file in self:
            rates = {"grade": file.grade_id.late_charge_rate, "custom": file.late_charge_rate}
            file.late_charge_rate_used = rates.get(file.late_charge_mode, 0)

    @api.model
    def _get_manager_fields(self):
        # EXTENDS ar_collections: what a customer is charged is the credit manager's
        return (*super()._get_manager_fields(), "late_charge_mode", "late_charge_rate")
