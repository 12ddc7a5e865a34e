from odoo import fields, models


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
    ar_limitation_years = fields.Integer(
        string="Limitation (years)",
        default=3,
        help="After so many years a claim cannot be enforced any more. Zero when it does not "
        "matter.",
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

    _ar_outside = models.Constraint(
        "CHECK(ar_escalation_days >= 0 AND ar_limitation_years >= 0"
        " AND ar_limitation_warning_days >= 0"
        " AND ar_escalation_lapse_days >= 0)",
        "Days and years cannot be negative.",
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
    ar_limitation_years = fields.Integer(
        related="company_id.root_id.ar_limitation_years", readonly=False
    )
    ar_limitation_warning_days = fields.Integer(
        related="company_id.root_id.ar_limitation_warning_days", readonly=False
    )
    ar_commission_account_id = fields.Many2one(
        related="company_id.root_id.ar_commission_account_id", readonly=False
    )
