from itertools import accumulate
from math import ceil

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_round, format_amount

PERIODS = [("week", "Weekly"), ("fortnight", "Every two weeks"), ("month", "Monthly")]
STEPS = {
    "week": relativedelta(weeks=1),
    "fortnight": relativedelta(weeks=2),
    "month": relativedelta(months=1),
}


# Ten years of months: more is a slip of the pen.
MOST_INSTALMENTS = 120


def distribute(total, count, digits):
    """Equal instalments that add up: the last ones are one unit more when rounding leaves it over.

    :param total: amount, :param count: how many, :param digits: smallest unit of the currency
    :return: list of amounts
    """
    part, over = divmod(round(total / digits), count)
    units = [part] * (count - over) + [part + 1] * over
    return [float_round(unit * digits, precision_rounding=digits) for unit in units]


def instalments_of(total, amount, digits):
    """Instalments of an amount each that add up: the last one is what is left.

    :param total: amount, :param amount: of each, :param digits: smallest unit of the currency
    :return: list of amounts, at most one more than ``MOST_INSTALMENTS``
    """
    units, each = round(total / digits), max(round(amount / digits), 1)
    count = min(ceil(units / each), MOST_INSTALMENTS + 1)
    parts = [each] * (count - 1) + [units - each * (count - 1)]
    return [float_round(unit * digits, precision_rounding=digits) for unit in parts]


class ArPaymentPlan(models.Model):
    """Open items paid in instalments that customer and company agreed on.

    An accepted plan keeps its items out of dunning. What is paid for them counts for the oldest
    instalment first.
    """

    _name = "ar.payment.plan"
    _inherit = ["ar.numbered.mixin", "ar.signable", "ar.case.record", "mail.activity.mixin"]
    _description = "Payment Plan"
    _order = "id desc"
    _number_prefix = "PP"

    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("proposed", "Proposed"),
            ("accepted", "Accepted"),
            ("done", "Done"),
            ("defaulted", "Defaulted"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    item_ids = fields.One2many("ar.payment.plan.item", "plan_id", string="Items", copy=False)
    line_ids = fields.One2many("ar.payment.plan.line", "plan_id", string="Instalments")
    amount_total = fields.Monetary(
        string="Plan Amount", compute="_compute_amount_total", store=True, tracking=True
    )
    amount_planned = fields.Monetary(
        string="In Instalments", compute="_compute_amount_planned", store=True
    )
    amount_paid = fields.Monetary(compute="_compute_amount_paid")
    next_date = fields.Date(string="Next Instalment", compute="_compute_amount_paid")
    next_amount = fields.Monetary(compute="_compute_amount_paid")
    date_made = fields.Date(
        string="Made On",
        required=True,
        readonly=True,
        default=lambda self: self.env.company._ar_today(),
    )
    date_accepted = fields.Date(string="Accepted On", readonly=True, copy=False)
    date_closed = fields.Date(string="Closed On", readonly=True, copy=False)
    # How to make the instalments.
    first_date = fields.Date(string="First Instalment On")
    period = fields.Selection(PERIODS, default="month", required=True)
    instalment_count = fields.Integer(string="Instalments to Make", default=3)
    instalment_amount = fields.Monetary(
        string="Amount per Instalment", help="Instead of a number of instalments."
    )
    reminder_days = fields.Integer(
        string="Remind Before (days)", default=3, help="Zero for no reminder."
    )
    waive_charges = fields.Boolean(
        string="Waive Late Charges If Kept",
        default=True,
        help="Late charges of the items are waived when the plan is kept, and posted when not.",
    )
    contact_id = fields.Many2one("res.partner", string="Agreed With")
    note = fields.Text(string="Terms", help="Printed on the plan.")
    # Nothing was left to pay, by a write-off for example: it lives again when that is undone.
    closed_by_ledger = fields.Boolean(readonly=True, copy=False)

    _counts = models.Constraint(
        "CHECK(instalment_count >= 0 AND reminder_days >= 0 AND instalment_amount >= 0)",
        "Instalments and days cannot be negative.",
    )

    @api.depends("item_ids.amount")
    def _compute_amount_total(self):
        for plan in self:
            plan.amount_total = sum(plan.item_ids.mapped("amount"))

    @api.depends("line_ids.amount")
    def _compute_amount_planned(self):
        for plan in self:
            plan.amount_planned = sum(plan.line_ids.mapped("amount"))

    def _compute_amount_paid(self):
        payments = self._payments()
        for plan in self:
            paid, _void = payments.get(plan, (0, 0))
            plan.amount_paid = min(paid, plan.amount_total)
            lines = plan.line_ids.sorted(lambda line: (line.date or fields.Date.today(), line.id))
            plan.next_date, plan.next_amount = False, 0
            for line, due in zip(lines, accumulate(lines.mapped("amount")), strict=True):
                if plan.currency_id.compare_amounts(due, paid) > 0:
                    plan.next_date = line.date
                    plan.next_amount = plan.currency_id.round(min(line.amount, due - paid))
                    break

    def _payments(self):
        """``{plan: (paid for its items since it was made, what nobody has to pay any more)}``"""
        settled = self.item_ids._settled_since()
        return {
            plan: (
                sum(settled[item.id].paid for item in plan.item_ids if item.id),
                sum(settled[item.id].void for item in plan.item_ids if item.id),
            )
            for plan in self
        }

    def _compute_access_url(self):
        result = super()._compute_access_url()
        for plan in self:
            plan.access_url = f"/my/receivables/plan/{plan.id}"
        return result

    # CRUD

    def _get_number_date(self):
        # EXTENDS ar_collections
        return self.date_made

    @api.model_create_multi
    def create(self, vals_list):
        plans = super().create(vals_list)
        for plan in plans.sudo():
            if not plan.item_ids:
                plan._take_items()
        return plans

    def _take_items(self):
        """The plan is about all that is overdue in its currency, unless somebody chooses.

        What is in dispute, or in another plan, is not in it.
        """
        items = self.env["ar.position"]._items(
            self.company_id, self.company_id._ar_today(), self.partner_id
        )
        items = [
            (item, self.currency_id.round(item.residual_currency - item.disputed_currency))
            for item in items.get((self.company_id.id, self.partner_id.id), ())
            if item.currency_id == self.currency_id.id and item.followup and item.days_overdue
        ]
        planned = self._planned_elsewhere([item.line_id for item, _amount in items])
        self.env["ar.payment.plan.item"].create(
            [
                {"plan_id": self.id, "move_line_id": item.line_id, "amount": amount}
                for item, amount in items
                if amount > 0 and item.line_id not in planned.move_line_id.ids
            ]
        )

    def _planned_elsewhere(self, line_ids):
        """The items of other accepted plans about these journal items."""
        return self.env["ar.payment.plan.item"].search(
            [
                ("move_line_id", "in", line_ids),
                ("plan_id.state", "=", "accepted"),
                ("plan_id", "not in", self.ids),
            ]
        )

    def write(self, vals):
        if not self.env.su:
            self._check_readonly(vals)
            # Who is in charge, and the signed paper, may change as long as the plan lives.
            fixed = vals.keys() - {"user_id", "signed_document", "signed_document_name"}
            for plan in self:
                if plan.state != "draft" and fixed:
                    raise UserError(
                        self.env._("%s is not a draft any more: revise it first.", plan.name)
                    )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(plan.state != "draft" for plan in self):
            raise UserError(self.env._("A plan that the customer has seen stays as a record."))

    # Instalments

    def action_distribute(self):
        """Make the instalments from their number or their amount."""
        self.check_access("write")
        for plan in self:
            plan._distribute()
        return True

    def _distribute(self, count=None, first_date=None, period=None):
        """Replace the instalments: so many equal ones, or of the amount that the plan says.

        :param count: how many; by default as the plan says
        """
        self.ensure_one()
        if self.state != "draft":
            raise UserError(self.env._("Only a draft gets new instalments."))
        currency, total = self.currency_id, self.amount_total
        if not count and self.instalment_amount:
            amounts = instalments_of(total, self.instalment_amount, currency.rounding)
        else:
            count = min(count or self.instalment_count, MOST_INSTALMENTS + 1)
            amounts = distribute(total, count, currency.rounding) if count > 0 else []
        if not amounts or currency.compare_amounts(min(amounts), 0) <= 0:
            raise UserError(
                self.env._("Choose items and a number of instalments that fits the amount.")
            )
        if len(amounts) > MOST_INSTALMENTS:
            raise UserError(
                self.env._("A plan has at most %s instalments: ask for more.", MOST_INSTALMENTS)
            )
        first = first_date or self.first_date or self.company_id._ar_today() + STEPS["week"]
        step = STEPS[period or self.period]
        self.line_ids.unlink()
        self.env["ar.payment.plan.line"].create(
            [
                {"plan_id": self.id, "date": first + step * index, "amount": amount}
                for index, amount in enumerate(amounts)
            ]
        )

    def _check_instalments(self):
        """What is proposed adds up and can be paid in time."""
        for plan in self:
            today = plan.company_id._ar_today()
            if not plan.item_ids or not plan.line_ids:
                raise ValidationError(self.env._("A plan needs items and instalments."))
            if plan.item_ids.currency_id - plan.currency_id:
                raise ValidationError(self.env._("A plan is in one currency, like its items."))
            if plan.currency_id.compare_amounts(plan.amount_planned, plan.amount_total):
                raise ValidationError(
                    self.env._(
                        "The instalments add up to %(planned)s, the items to %(total)s.",
                        planned=format_amount(self.env, plan.amount_planned, plan.currency_id),
                        total=format_amount(self.env, plan.amount_total, plan.currency_id),
                    )
                )
            if min(plan.line_ids.mapped("date")) < today:
                raise ValidationError(self.env._("The first instalment is in the past."))
            if planned := plan._planned_elsewhere(plan.item_ids.move_line_id.ids):
                raise ValidationError(
                    self.env._(
                        "%(item)s is in plan %(plan)s already.",
                        item=planned[0].name,
                        plan=planned[0].plan_id.name,
                    )
                )


class ArPaymentPlanItem(models.Model):
    """The part of one open item that a plan pays off."""

    _name = "ar.payment.plan.item"
    _inherit = "ar.claim.line"
    _description = "Planned Item"
    _creation_fields = ("plan_id",)
    _claim_parent = "plan_id"
    _claim_start = "date_accepted"

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

    def _renew(self):
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

    _positive = models.Constraint("CHECK(amount > 0)", "An instalment is more than nothing.")

    @api.depends("plan_id.state", "amount", "date")
    def _compute_state(self):
        payments = self.plan_id._origin._payments()
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
