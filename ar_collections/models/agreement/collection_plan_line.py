from odoo import api, fields, models
from odoo.exceptions import UserError


class ArPaymentPlanItem(models.Model):
    """The part of one open item that a plan pays off."""

    _name = "ar.payment.plan.item"
    _inherit = "ar.claim.line"
    _description = "Planned Item"
    _creation_fields = ("plan_id",)
    _claim_parent = "plan_id"
    _claim_start = "date_accepted"
    _claim_kind = "promised"

    plan_id = fields.Many2one(
        "ar.payment.plan", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="plan_id.company_id", store=True, precompute=True, index=True
    )

    _once = models.Constraint("UNIQUE(plan_id, move_line_id)", "A plan names each item once.")

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        items._check_draft()
        return items

    def write(self, vals):
        if not self.env.su:
            self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_draft(self):
        for item in self:
            if item.plan_id.state != "draft":
                raise UserError(self.env._("Revise the plan to change its items."))

    def _renew_items(self):
        """Take the items as they are when the plan is accepted; paid ones need another plan."""
        for item in self:
            if item.currency_id.compare_amounts(item.amount, item.residual) > 0:
                raise UserError(
                    self.env._(
                        "%(item)s has been paid meanwhile: %(plan)s has to be revised.",
                        item=item.name,
                        plan=item.plan_id.name,
                    )
                )
        self._compute_item()


class ArPaymentPlanLine(models.Model):
    """One instalment."""

    _name = "ar.payment.plan.line"
    _inherit = "ar.readonly.mixin"
    _description = "Instalment"
    _order = "date, id"
    _creation_fields = ("plan_id",)

    plan_id = fields.Many2one(
        "ar.payment.plan", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="plan_id.company_id", store=True, precompute=True, index=True
    )
    partner_id = fields.Many2one(related="plan_id.partner_id")
    currency_id = fields.Many2one(related="plan_id.currency_id")
    date = fields.Date(required=True)
    amount = fields.Monetary(required=True)
    amount_paid = fields.Monetary(compute="_compute_state")
    state = fields.Selection(
        [("open", "Open"), ("paid", "Paid"), ("late", "Late")], compute="_compute_state"
    )
    date_reminded = fields.Date(string="Reminded On", readonly=True, copy=False)

    _positive = models.Constraint(
        "CHECK(amount > 0)", "The amount of an instalment must be greater than zero."
    )

    @api.depends("plan_id.state", "amount", "date")
    def _compute_state(self):
        payments = self.plan_id._origin._get_payments()
        for plan, lines in self.grouped("plan_id").items():
            paid = payments.get(plan._origin, (0, 0))[0] if plan.date_accepted else 0
            today = plan.company_id._ar_today() if plan.company_id else None
            before = 0
            for line in plan.line_ids.sorted(lambda line: (str(line.date), str(line.id))):
                part = max(min(paid - before, line.amount), 0)
                before += line.amount
                if line not in lines:
                    continue
                line.amount_paid = part
                if plan.currency_id.compare_amounts(part, line.amount) >= 0 and line.amount:
                    line.state = "paid"
                else:
                    line.state = "late" if line.date and today and line.date < today else "open"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_draft()
        return lines

    def write(self, vals):
        if not self.env.su:
            self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_draft(self):
        for line in self:
            if line.plan_id.state != "draft":
                raise UserError(self.env._("Revise the plan to change its instalments."))
