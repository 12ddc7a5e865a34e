from odoo import fields, models


class ResCompany(models.Model):
    """With which step an old ledger begins, and how long items may be excluded."""

    _inherit = "res.company"

    ar_first_contact = fields.Selection(
        [("age", "The step of its age"), ("first", "The first reminder, then step by step")],
        string="An Old Debt Begins With",
        default="age",
        required=True,
        help="What customers get who never had a step when their debt is found late: the highest "
        "step that their oldest item has reached, or the first reminder like everybody, and each "
        "further step as many days later as the policy puts between them.",
    )
    ar_exclusion_days = fields.Integer(
        string="Longest Exclusion (days)",
        default=30,
        help="So long an item may be excluded from follow-up; credit managers may exclude it for "
        "longer. Who has to decide on an exclusion is asked again after so many days.",
    )

    _ar_exclusion_days_positive = models.Constraint(
        "CHECK(ar_exclusion_days > 0)", "An exclusion lasts for one day at least."
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_first_contact = fields.Selection(
        related="company_id.root_id.ar_first_contact", readonly=False, required=True
    )
    ar_exclusion_days = fields.Integer(
        related="company_id.root_id.ar_exclusion_days", readonly=False
    )
