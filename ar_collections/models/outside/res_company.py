from odoo import fields, models

from ..common.optional_float import OptionalFloat


class ResCompany(models.Model):
    """When own effort ends, and when claims lapse."""

    _inherit = "res.company"

    ar_escalation_days = fields.Integer(
        string="Own Effort (days)",
        default=90,
        help="Cases whose oldest item is older are proposed for an agency or legal action. "
        "Zero for no proposal.",
    )
    ar_escalation_lapse_days = fields.Integer(
        string="Court Before Lapse (days)",
        default=365,
        help="An old case whose first item is barred by limitation in so many days is proposed for "
        "legal action instead of an agency.",
    )
    ar_limitation_warning_days = fields.Integer(
        string="Warn of Limitation (days)",
        default=90,
        help="So many days before an item lapses somebody is told.",
    )

    ar_commission_account_id = fields.Many2one(
        "account.account",
        string="Commission Account",
        domain=[("internal_group", "=", "expense")],
        help="What agencies and lawyers keep of what they collected is booked here. Up to what was "
        "agreed it is no write-off, and the customer has paid it.",
    )

    ar_court_chance = OptionalFloat(
        string="Chance in Court", help="To win, and to get the money from the customer after that."
    )
    ar_court_fee_share = fields.Float(string="Court Fee", help="As a share of the claim.")
    ar_lawyer_fee_share = fields.Float(string="Lawyer's Fee", help="As a share of the claim.")
    ar_court_months = fields.Integer(string="Months in Court", default=12)
    ar_agency_chance = OptionalFloat(string="Share Recovered by Agencies")
    ar_agency_commission = OptionalFloat(string="Commission of Agencies")
    ar_agency_months = fields.Integer(string="Months at an Agency", default=6)
    ar_plan_chance = OptionalFloat(string="Share Paid in Instalments")
    ar_legal_interest = OptionalFloat(
        string="Interest a Year", help="Money that comes later is worth less."
    )
    ar_legal_tax_rate = OptionalFloat(
        string="Tax Saved by a Write-Off", help="Share of a loss that comes back as lower tax."
    )

    _ar_legal_terms = models.Constraint(
        "CHECK(COALESCE(ar_court_chance, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_agency_chance, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_agency_commission, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_plan_chance, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_court_fee_share, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_lawyer_fee_share, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_legal_interest, 0) BETWEEN 0 AND 1"
        " AND COALESCE(ar_legal_tax_rate, 0) BETWEEN 0 AND 1"
        " AND ar_court_months >= 0 AND ar_agency_months >= 0)",
        "Chances and costs are from 0 to 100 %, months zero or more.",
    )
    _ar_outside = models.Constraint(
        "CHECK(ar_escalation_days >= 0 AND ar_limitation_warning_days >= 0"
        " AND ar_escalation_lapse_days >= 0)",
        "Days cannot be negative.",
    )

    def write(self, vals):
        # EXTENDS base: what was paid to agencies follows the account
        result = super().write(vals)
        if "ar_commission_account_id" in vals:
            items = self.env["ar.placement.item"].sudo()
            items = items.search([("company_id", "in", self.root_id.ids)])
            self.env["ar.ledger.touch"]._touch_items(items.move_line_id, matched=True)
        return result


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_escalation_days = fields.Integer(
        related="company_id.root_id.ar_escalation_days", readonly=False
    )
    ar_escalation_lapse_days = fields.Integer(
        related="company_id.root_id.ar_escalation_lapse_days", readonly=False
    )
    ar_limitation_warning_days = fields.Integer(
        related="company_id.root_id.ar_limitation_warning_days", readonly=False
    )
    ar_commission_account_id = fields.Many2one(
        related="company_id.root_id.ar_commission_account_id", readonly=False
    )
    ar_court_chance = OptionalFloat(related="company_id.root_id.ar_court_chance", readonly=False)
    ar_court_fee_share = fields.Float(
        related="company_id.root_id.ar_court_fee_share", readonly=False
    )
    ar_lawyer_fee_share = fields.Float(
        related="company_id.root_id.ar_lawyer_fee_share", readonly=False
    )
    ar_court_months = fields.Integer(related="company_id.root_id.ar_court_months", readonly=False)
    ar_agency_chance = OptionalFloat(related="company_id.root_id.ar_agency_chance", readonly=False)
    ar_agency_commission = OptionalFloat(
        related="company_id.root_id.ar_agency_commission", readonly=False
    )
    ar_agency_months = fields.Integer(related="company_id.root_id.ar_agency_months", readonly=False)
    ar_plan_chance = OptionalFloat(related="company_id.root_id.ar_plan_chance", readonly=False)
    ar_legal_interest = OptionalFloat(
        related="company_id.root_id.ar_legal_interest", readonly=False
    )
    ar_legal_tax_rate = OptionalFloat(
        related="company_id.root_id.ar_legal_tax_rate", readonly=False
    )
