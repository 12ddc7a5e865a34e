from typing import NamedTuple

from odoo import api, fields, models

# In the currency of the company, or of the first one when companies share them.
AMOUNT_FIELDS = ("limit_amount", "hold_amount")


class Tolerance(NamedTuple):
    """How far somebody alone may go in giving more credit; zero is not at all."""

    grade_steps: int = 0
    # Of the limit so far, and company currency: whichever is more.
    limit_share: float = 0.0
    limit_amount: float = 0.0
    # Exposure in company currency up to which a hold is lifted.
    hold_amount: float = 0.0
    # By how many days an end or a review is put off.
    postpone_days: int = 0


class ArCreditTolerance(models.Model):
    """How much more credit a role gives without a second person."""

    _name = "ar.credit.tolerance"
    _description = "Tolerance of a Role"
    _order = "company_id, id"
    _rec_name = "group_id"

    group_id = fields.Many2one(
        "res.groups",
        string="Role",
        required=True,
        ondelete="cascade",
        help="Whoever has several roles has the widest tolerance of them.",
    )
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty for all companies that say nothing else of the role.",
    )
    active = fields.Boolean(default=True)
    grade_steps = fields.Integer(string="Grades Up", help="Zero: no better grade alone.")
    limit_share = fields.Float(string="Limit Up By", help="Share of the limit so far.")
    limit_amount = fields.Float(
        string="Or By This Amount",
        help="Where it is more than the share. For all companies: in the currency of the first "
        "one, and a friendly figure of the currency of each other one.",
    )
    hold_amount = fields.Float(
        string="Lifts Holds up to an Exposure Of",
        help="As the amount of limits for all companies. Zero: lifts no hold alone.",
    )

    postpone_days = fields.Integer(
        string="Puts Off By (days)",
        help="The day until which a limit is valid, and the date of the next review. Zero: puts "
        "off nothing alone.",
    )

    _role_uniq = models.UniqueIndex(
        "(group_id, company_id) NULLS NOT DISTINCT WHERE active",
        "This role has a tolerance already.",
    )
    _not_negative = models.Constraint(
        "CHECK(grade_steps >= 0 AND limit_share >= 0 AND limit_amount >= 0 AND hold_amount >= 0"
        " AND postpone_days >= 0)",
        "A tolerance cannot be negative.",
    )

    @api.model
    def _get_tolerance(self, company):
        """The :class:`Tolerance` of the user in a root company, in its currency.

        What a company says of a role counts instead of what is shared.
        """
        roles = self.sudo().search(
            [
                ("group_id", "in", self.env.user.all_group_ids.ids),
                ("company_id", "in", (company.id, False)),
            ]
        )
        own = roles.filtered("company_id")
        roles = roles.filtered(lambda role: role in own or role.group_id not in own.group_id)

        def value(role, name):
            if name in AMOUNT_FIELDS:
                return company._ar_get_amount(role[name], role.company_id)
            return role[name]

        return Tolerance(
            *(
                max((value(role, name) for role in roles), default=zero)
                for name, zero in Tolerance()._asdict().items()
            )
        )
