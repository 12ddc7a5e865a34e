from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..common.company_share import get_company_share


class ArDisputeLine(models.Model):
    """The part of one item that is disputed."""

    _name = "ar.dispute.line"
    _inherit = "ar.claim.line"
    _description = "Disputed Item"
    _creation_fields = ("dispute_id",)
    _claim_parent = "dispute_id"
    _claim_start = "date"
    _claim_kind = "disputed"
    # Who pays a part pays what it does not object to.
    _claim_is_paid_first = False

    dispute_id = fields.Many2one(
        "ar.dispute", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="dispute_id.company_id", store=True, precompute=True, index=True
    )
    partner_id = fields.Many2one(related="dispute_id.partner_id", store=True, index=True)
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    amount_company = fields.Monetary(
        string="In Company Currency",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
    )
    amount_left = fields.Monetary(string="Still Disputed", compute="_compute_amount_left")
    window_end = fields.Date(
        string="Disputable Until", compute="_compute_window", store=True, precompute=True
    )
    in_window = fields.Boolean(
        string="In Time", compute="_compute_window", store=True, precompute=True
    )
    # For the statistics of own faults.
    state = fields.Selection(related="dispute_id.state", store=True)
    date = fields.Date(string="Raised On", related="dispute_id.date", store=True)
    reason_id = fields.Many2one(related="dispute_id.reason_id", store=True)
    cause_id = fields.Many2one(related="dispute_id.cause_id", store=True)
    own_fault = fields.Boolean(related="dispute_id.own_fault", store=True)
    salesperson_id = fields.Many2one(
        "res.users", compute="_compute_statistics", store=True, precompute=True
    )
    product_id = fields.Many2one(
        "product.product",
        compute="_compute_statistics",
        store=True,
        readonly=False,
        precompute=True,
        help="By default the product with the largest amount on the invoice.",
    )

    @api.depends("amount", "move_line_id")
    def _compute_amount_company(self):
        for line in self:
            item = line.move_line_id.sudo()
            line.amount_company = get_company_share(item, line.amount) if item else line.amount

    @api.depends("move_line_id.amount_residual_currency", "move_line_id.parent_state", "amount")
    def _compute_amount_left(self):
        for line in self:
            is_gone = line.move_line_id.sudo().parent_state == "cancel"
            line.amount_left = 0 if is_gone else max(min(line.amount, line.residual), 0)

    @api.depends("move_line_id")
    def _compute_window(self):
        """The window as it was agreed when the dispute was raised."""
        for line in self:
            move = line.move_line_id.sudo().move_id
            dispute = line.dispute_id.sudo()
            days = (
                dispute.file_id.dispute_days
                or move.invoice_payment_term_id.ar_dispute_days
                or dispute.company_id.ar_dispute_days
            )
            start = move.delivery_date or move.invoice_date or move.date
            line.window_end = days and start and start + timedelta(days=days)
            line.in_window = not line.window_end or dispute.date <= line.window_end

    @api.depends("move_line_id")
    def _compute_statistics(self):
        for line in self:
            move = line.move_line_id.sudo().move_id
            sold = move.invoice_line_ids.filtered("product_id")
            line.salesperson_id = move.invoice_user_id
            line.product_id = sold.sorted("price_subtotal", reverse=True)[:1].product_id

    @api.model
    def _get_undisputed_amounts(self, items):
        """``{item: what of it is open and in no open dispute}``, more than nothing each."""
        open_lines = self.search([("move_line_id", "in", items.ids), ("state", "=", "open")])
        disputed = open_lines.grouped("move_line_id")
        parts = {
            item: item.currency_id.round(
                item.amount_residual_currency
                - sum(disputed.get(item, self.browse()).mapped("amount_left"))
            )
            for item in items
        }
        return {item: amount for item, amount in parts.items() if amount > 0}

    @api.constrains("move_line_id", "amount")
    def _check_not_twice(self):
        """Disputes of one item cannot be about more than the item."""
        for line in self:
            others = self.sudo().search(
                [
                    ("move_line_id", "=", line.move_line_id.id),
                    ("dispute_id.state", "=", "open"),
                ]
            )
            disputed = sum(others.mapped("amount_left"))
            if line.currency_id.compare_amounts(disputed, line.residual) > 0:
                raise ValidationError(
                    self.env._("%s is in dispute already: lower the amount.", line.name)
                )

    _once = models.Constraint("UNIQUE(dispute_id, move_line_id)", "A dispute names each item once.")

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_dispute_open()
        # A dispute that has a number is there already, so that nobody else follows.
        lines.dispute_id.filtered(lambda dispute: dispute.name != "/")._refresh_cases()
        return lines

    def write(self, vals):
        if not self.env.su:
            self._check_dispute_open()
        result = super().write(vals)
        if not vals.keys().isdisjoint(("amount", "move_line_id")):
            self.dispute_id._refresh_cases()
        return result

    def unlink(self):
        disputes = self.dispute_id
        result = super().unlink()
        disputes._check_lines()
        disputes._refresh_cases()
        return result

    @api.ondelete(at_uninstall=False)
    def _check_dispute_open(self):
        if any(line.dispute_id.state != "open" for line in self):
            raise UserError(self.env._("The items of a decided dispute stay as they are."))

    @api.model
    def _claim_holds_sql(self):
        # EXTENDS ar_collections
        return SQL("(line.in_window OR claim.accepted_late)")
