from odoo import api, fields, models

from ..common.company_share import get_company_share


class ArPlacementItem(models.Model):
    """An item that was handed over, as it was then, and what came of it since."""

    _name = "ar.placement.item"
    _inherit = "ar.claim.line"
    _description = "Placed Item"
    _creation_fields = ("placement_id",)
    _claim_parent = "placement_id"

    placement_id = fields.Many2one(
        "ar.placement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="placement_id.company_id", store=True, precompute=True, index=True
    )
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    amount_company = fields.Monetary(
        string="In Company Currency",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
    )
    amount_recovered = fields.Monetary(
        string="Collected",
        compute="_compute_amount_recovered",
        currency_field="company_currency_id",
        help="In company currency, at the rate at which the item was placed.",
    )

    _once = models.UniqueIndex(
        "(placement_id, move_line_id) WHERE move_line_id IS NOT NULL",
        "An item is in a placement once.",
    )

    @api.depends("amount", "move_line_id")
    def _compute_amount_company(self):
        for line in self:
            line.amount_company = get_company_share(line.move_line_id.sudo(), line.amount)

    def _compute_amount_recovered(self):
        recovered = self._get_recovered()
        for line in self:
            line.amount_recovered = recovered.get(line._origin.id, (0, 0))[0]

    def _is_since_placed(self, line_id, date):
        """Whether a credit is the agency's: neither from before the hand-over nor from after the
        end that somebody decided, by its own day and not by that of its matching.

        :param line_id: of the credit's journal item
        """
        placement = self.placement_id
        end = placement.date_closed if not placement.ended_by_ledger else False
        return line_id > self.booked_before and date >= placement.date and (not end or date <= end)

    def _get_first_day(self):
        # EXTENDS ar_collections: what the customer paid before is nobody's to collect
        return self.placement_id.date or None

    def _get_recovered(self):
        """What came in since the items were placed, and what is still open of them.

        Money and set-offs count, whoever paid, from the day of the hand-over up to the end of
        the placement and to what was placed.

        :return: ``{line id: (recovered, open)}`` in company currency
        """
        lines = self._origin.filtered(lambda line: line.placement_id.state not in ("draft", False))
        settled = lines._get_settled_since(
            {
                line: line.placement_id.date_closed
                for line in lines
                if line.placement_id.date_closed and not line.placement_id.ended_by_ledger
            }
        )
        return {
            line.id: (
                line._get_placed_share(min(settled[line.id].paid, line.amount)),
                line._get_placed_share(max(min(line.amount, line.residual), 0)),
            )
            for line in lines
        }

    def _get_placed_share(self, part):
        """A part of the item in company currency: all of it is exactly what was placed."""
        if not self.currency_id.compare_amounts(part, self.amount):
            return self.amount_company
        return self.company_currency_id.round(self.amount_company * part / self.amount)

    @api.onchange("move_line_id")
    def _onchange_move_line_id(self):
        self.amount = self.move_line_id.amount_residual_currency

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_placement_draft()
        return lines

    def write(self, vals):
        if not self.env.su:
            self._check_placement_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_placement_draft(self):
        self.placement_id._check_draft()

    def _renew_items(self):
        """The items as they are now; what was paid since the draft is not placed, nor what open
        credits pay."""
        net = self.env["ar.position"]._get_net_residuals(self.move_line_id)
        paid = self.filtered(
            lambda line: line.currency_id.compare_amounts(net.get(line.move_line_id.id, 0), 0) <= 0
        )
        paid.unlink()
        lines = self - paid
        lines._compute_item()
        for line in lines:
            line.amount = min(line.amount, net[line.move_line_id.id])
        lines._compute_amount_company()


class ArPlacementCost(models.Model):
    _name = "ar.placement.cost"
    _inherit = "ar.readonly.mixin"
    _description = "Cost of a Placement"
    _order = "date, id"
    _creation_fields = ("placement_id",)

    placement_id = fields.Many2one(
        "ar.placement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="placement_id.company_id", store=True, precompute=True, index=True
    )
    currency_id = fields.Many2one(related="placement_id.currency_id")
    date = fields.Date(required=True, default=lambda self: self.env.company._ar_today())
    kind = fields.Selection(
        [
            ("court", "Court fee"),
            ("lawyer", "Lawyer's fee"),
            ("agency", "Agency's fee"),
            ("enforcement", "Enforcement"),
            ("other", "Other"),
        ],
        required=True,
        default="lawyer",
    )
    name = fields.Char(string="Description")
    amount = fields.Monetary(required=True)

    _positive = models.Constraint(
        "CHECK(amount > 0)", "The amount of a cost must be greater than zero."
    )


class ArPlacementReport(models.Model):
    """What the agency or lawyer reports."""

    _name = "ar.placement.report"
    _inherit = "ar.readonly.mixin"
    _description = "Status Report"
    _order = "date desc, id desc"
    _creation_fields = ("placement_id",)

    placement_id = fields.Many2one(
        "ar.placement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="placement_id.company_id", store=True, precompute=True, index=True
    )
    date = fields.Date(required=True, default=lambda self: self.env.company._ar_today())
    note = fields.Text(required=True)
    attachment_ids = fields.Many2many("ir.attachment", string="Papers")
