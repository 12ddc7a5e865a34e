from odoo import fields, models


class ResCompany(models.Model):
    """How long customers' links work, and how far ahead they may promise."""

    _inherit = "res.company"

    ar_portal_days = fields.Integer(
        string="Portal Links Work (days)",
        default=30,
        help="So long a link in a mail opens the customer's page without login. Zero for no links.",
    )
    ar_portal_promise_days = fields.Integer(
        string="Longest Promise in the Portal (days)",
        default=30,
        help="So far ahead customers may promise to pay on their page, and never further than "
        "their grade allows.",
    )

    _ar_portal = models.Constraint(
        "CHECK(ar_portal_days BETWEEN 0 AND 3650 AND ar_portal_promise_days BETWEEN 0 AND 3650)",
        "Days in the portal are from 0 to 3650.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_portal_days = fields.Integer(related="company_id.root_id.ar_portal_days", readonly=False)
    ar_portal_promise_days = fields.Integer(
        related="company_id.root_id.ar_portal_promise_days", readonly=False
    )
