from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date


class ArAllowanceSpecific(models.Model):
    """What is expected to be lost of one customer, whatever the matrix says."""

    _name = "ar.allowance.specific"
    _inherit = ["mail.thread"]
    _description = "Specific Allowance"
    _order = "date_from desc, id desc"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="restrict",
        domain=[("parent_id", "=", False)],
        tracking=True,
    )
    kind = fields.Selection(
        [("rate", "Share of the exposure"), ("amount", "Fixed amount")],
        string="Allowance",
        default="rate",
        required=True,
        tracking=True,
    )
    rate = fields.Float(
        default=1.0, tracking=True, aggregator=False, help="Of what is not covered, of any age."
    )
    amount = fields.Monetary(
        tracking=True,
        help="What the customer owes at most. Cover is not taken off: the amount allows for it.",
    )
    reason = fields.Char(required=True, tracking=True)
    date_from = fields.Date(
        string="Valid From",
        required=True,
        default=lambda self: self.env.company._ar_today(),
        tracking=True,
    )
    date_to = fields.Date(string="Valid Until", tracking=True)

    _share = models.Constraint("CHECK(rate >= 0 AND rate <= 1)", "A rate is between 0 and 100 %.")
    _positive = models.Constraint("CHECK(amount >= 0)", "An allowance cannot be negative.")
    _dates = models.Constraint(
        "CHECK(date_to IS NULL OR date_from <= date_to)",
        "The specific allowance ends before it starts.",
    )

    @api.constrains("company_id", "partner_id")
    def _check_root(self):
        for record in self:
            if record.company_id.parent_id or record.partner_id.parent_id:
                raise ValidationError(
                    self.env._("A specific allowance is of a whole customer in a whole company.")
                )

    @api.model
    def _move_to_customer(self, sources, target):
        """Give a customer what was decided of others: where it has its own, that holds."""
        if target.parent_id:
            return
        for record in self.search([("partner_id", "in", sources.ids)]):
            others = self.search(
                [("company_id", "=", record.company_id.id), ("partner_id", "=", target.id)]
            )
            if not any(record._overlaps(other) for other in others):
                record.partner_id = target

    def _overlaps(self, other):
        """Whether two of one customer hold on the same day."""
        return (not other.date_to or other.date_to >= self.date_from) and (
            not self.date_to or self.date_to >= other.date_from
        )

    @api.constrains("company_id", "partner_id", "date_from", "date_to")
    def _check_overlap(self):
        others = self.search(
            [("company_id", "in", self.company_id.ids), ("partner_id", "in", self.partner_id.ids)]
        )
        for record in self:
            for other in others - record:
                if (
                    other.company_id == record.company_id
                    and other.partner_id == record.partner_id
                    and record._overlaps(other)
                ):
                    raise ValidationError(
                        self.env._(
                            "%(customer)s has a specific allowance from %(date)s on. "
                            "End that one first.",
                            customer=record.partner_id.display_name,
                            date=format_date(self.env, other.date_from),
                        )
                    )
