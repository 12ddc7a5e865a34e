from datetime import timedelta
from itertools import accumulate
from math import ceil

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import float_round, format_amount, format_date

PERIODS = [("week", "Weekly"), ("fortnight", "Every two weeks"), ("month", "Monthly")]
STEPS = {
    "week": relativedelta(weeks=1),
    "fortnight": relativedelta(weeks=2),
    "month": relativedelta(months=1),
}

# Ten years of months: more is a slip of the pen.
MOST_INSTALMENTS = 120
PROPOSAL = "ar_collections.mail_template_plan_proposal"
SETTLEMENT = "ar_collections.mail_template_settlement"
REMINDER = "ar_collections.mail_template_plan_reminder"
# A plan that was judged is judged again when a matching changes.
JUDGED = ("accepted", "done", "defaulted")


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
    """Open items paid in instalments that customer and company agreed on, in full or for less.

    A plan's way: draft, proposed, accepted by the customer, done or defaulted. An accepted plan
    keeps its items out of dunning. What is paid for them counts for the oldest
    instalment first.

    A settlement waives part of its items: the instalments are the rest. All of the items is kept
    out of dunning until the money is there and what is waived is written off. It lapses like any
    plan when the money does not come in time, and all of it is due again.
    """

    _name = "ar.payment.plan"
    _inherit = [
        "ar.ledger.follower",
        "ar.numbered.mixin",
        "ar.state.mixin",
        "ar.signable",
        "ar.case.record",
        "ar.agreement.limited",
        "mail.activity.mixin",
    ]
    _description = "Payment Plan"
    _customer_states = ("proposed", "accepted", "done", "defaulted")
    _page = "plan"
    _paper = "ar_collections.report_payment_plan"
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
    waived_amount = fields.Monetary(
        string="Waived When Paid",
        tracking=True,
        help="Of a settlement: what the customer need not pay when all instalments come in time. "
        "It is approved as a write-off before the customer gets the offer.",
    )
    amount_to_pay = fields.Monetary(string="To Be Paid", compute="_compute_amount_to_pay")
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
        default=lambda self: self.env.user.has_group("ar_collections.group_credit_manager"),
        help="Late charges of the items are waived when the plan is kept, and posted when not. "
        "A credit manager proposes such a plan.",
    )
    contact_id = fields.Many2one("res.partner", string="Agreed With")
    note = fields.Text(string="Terms", help="Printed on the plan.")
    obstacle = fields.Char(
        compute="_compute_obstacle", help="Why nothing can be agreed on with the customer."
    )
    exception_reason = fields.Char(
        string="Agreed All the Same Because",
        tracking=True,
        copy=False,
        help="Of a plan with a customer who can agree on nothing by itself, an insolvent one for "
        "example: a credit manager alone proposes it.",
    )
    # Nothing was left to pay, by a write-off for example: it lives again when that is undone.
    closed_by_ledger = fields.Boolean(readonly=True, copy=False)

    # What mails may say.
    instalments_table = fields.Html(compute="_compute_texts", sanitize=False)
    next_text = fields.Char(compute="_compute_texts")
    settlement_text = fields.Text(compute="_compute_texts")

    _counts = models.Constraint(
        "CHECK(instalment_count >= 0 AND reminder_days >= 0 AND instalment_amount >= 0)",
        "Instalments and days cannot be negative.",
    )
    _waived = models.Constraint("CHECK(waived_amount >= 0)", "What is waived cannot be negative.")

    @api.depends("item_ids.amount")
    def _compute_amount_total(self):
        for plan in self:
            plan.amount_total = sum(plan.item_ids.mapped("amount"))

    @api.depends("line_ids.amount")
    def _compute_amount_planned(self):
        for plan in self:
            plan.amount_planned = sum(plan.line_ids.mapped("amount"))

    @api.depends("file_id", "state")
    def _compute_obstacle(self):
        for plan in self:
            is_open = plan.state in ("draft", "proposed")
            plan.obstacle = is_open and plan.sudo().file_id._get_reason_not_to_agree()

    @api.depends("amount_total", "waived_amount")
    def _compute_amount_to_pay(self):
        for plan in self:
            plan.amount_to_pay = plan.amount_total - plan.waived_amount

    def _compute_amount_paid(self):
        payments = self._get_payments()
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

    def _get_payments(self):
        """``{plan: (paid for its items since it was made, what nobody has to pay any more)}``"""
        settled = self.item_ids._get_settled_since()
        return {
            plan: (
                sum(plan._get_paid_of(item, settled[item.id]) for item in plan.item_ids if item.id),
                sum(settled[item.id].void for item in plan.item_ids if item.id),
            )
            for plan in self
        }

    def _get_paid_of(self, item, settled):
        """What was paid for an item of the plan; of a settlement, not more than its part."""
        return min(settled.paid, item.amount) if self.waived_amount else settled.paid

    @api.depends_context("lang")
    def _compute_texts(self):
        for plan in self:

            def money(amount, plan=plan):
                return format_amount(self.env, amount, plan.currency_id)

            plan.instalments_table = self.env["ir.qweb"]._render(
                "ar_collections.plan_instalments",
                {"plan": plan, "money": money, "day": lambda day: format_date(self.env, day)},
            )
            plan.next_text = self.env._(
                "%(amount)s by %(date)s",
                amount=money(plan.next_amount),
                date=format_date(self.env, plan.next_date) if plan.next_date else "",
            )
            days = [line.date for line in plan.line_ids if line.date]
            plan.settlement_text = plan.waived_amount and self.env._(
                "If %(pay)s is in our account by %(date)s, we waive the remaining %(waived)s. If "
                "it is not, this offer lapses and the full amount of %(total)s is due again, less "
                "what was paid.",
                pay=money(plan.amount_to_pay),
                date=format_date(self.env, max(days)) if days else "",
                waived=money(plan.waived_amount),
                total=money(plan.amount_total),
            )

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
            self.company_id, self.company_id._ar_today(), self.partner_id, current=True
        )
        items = [
            (item, self.currency_id.round(item.agreeable_currency))
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
        self._drop_waiver()

    # Instalments

    def action_distribute(self):
        """Make the instalments from their number or their amount."""
        self.check_access("write")
        for plan in self:
            plan._distribute_instalments()
        return True

    def _distribute_instalments(self, count=None, first_date=None, period=None):
        """Replace the instalments: so many equal ones, or of the amount that the plan says.

        :param count: how many; by default as the plan says
        """
        self.ensure_one()
        if self.state != "draft":
            raise UserError(self.env._("Only a draft gets new instalments."))
        currency, total = self.currency_id, self.amount_to_pay
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
            if plan.currency_id.compare_amounts(plan.amount_planned, plan.amount_to_pay):
                raise ValidationError(
                    self.env._(
                        "The instalments add up to %(planned)s, the items to %(total)s.",
                        planned=format_amount(self.env, plan.amount_planned, plan.currency_id),
                        total=format_amount(self.env, plan.amount_to_pay, plan.currency_id),
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

    # Way

    def action_propose(self):
        """Send the plan to the customer, who accepts it in the portal or signs it on paper."""
        self.check_access("write")
        self._check_state("draft")
        self._check_instalments()
        self._check_waiver()
        for plan in self:
            plan._check_customer()
            plan._approve_beyond(plan._get_excess())
        for plan in self.sudo():
            plan.state = "proposed"
            plan._mail_customer(SETTLEMENT if plan.waived_amount else PROPOSAL)

    def _check_customer(self):
        """Refuse a plan with who can agree on nothing, but for a credit manager who says why.

        :raises UserError: with what to do
        """
        reason = self.sudo().file_id._get_reason_not_to_agree()
        if not reason or (self.exception_reason or "").strip():
            return
        raise UserError(
            self.env._(
                "%(reason)s A credit manager who agrees on a plan all the same enters why, in the "
                "field “%(field)s”.",
                reason=reason,
                field=self._fields["exception_reason"]._description_string(self.env),
            )
        )

    def _get_excess(self):
        """What of the plan a credit manager alone may propose: a list of texts."""
        plan, company = self.sudo(), self.company_id
        today = company._ar_today()
        excess = []
        if plan.file_id._get_reason_not_to_agree():
            excess.append(self.env._("it is an exception: %s", plan.exception_reason))
        if plan.waived_amount:
            excess.append(
                self.env._(
                    "%s is waived when it is kept",
                    format_amount(self.env, plan.waived_amount, plan.currency_id),
                )
            )
        return excess + plan.file_id._get_agreement_limits().get_plan_excess(
            self.env,
            company.currency_id,
            today,
            [
                (
                    line.date,
                    plan.currency_id._convert(line.amount, company.currency_id, company, today),
                )
                for line in plan.line_ids.sorted(lambda line: (line.date, line.id))
            ],
        )

    def action_revise(self):
        """Back to draft, for other instalments."""
        self.check_access("write")
        self._check_state("proposed")
        self.sudo().write({"state": "draft", "approved_by_id": False})

    def action_accept(self):
        """The customer signed on paper: the collector has uploaded it."""
        self.check_access("write")
        self._check_state("proposed")
        self._check_signed_document()
        for plan in self:
            signer = plan.contact_id.name or plan.partner_id.name
            plan._accept(signer)

    def _accept(self, signed_by, signature=None):
        """The customer agrees: dunning of the items stops until the plan ends.

        :param signed_by: name of the person
        :param signature: base64 image of a signature drawn in the portal
        """
        self._check_state("proposed")
        # The customer has no rights on collection.
        plan = self.sudo()
        plan.item_ids._renew_items()
        plan._check_instalments()
        plan._check_waiver()
        plan._record_signature(signed_by, signature)
        date = plan.company_id._ar_today()
        plan.write({"state": "accepted", "date_accepted": date})
        plan._replace_promises(date)
        plan.message_post(
            body=self.env._("Accepted by: %s", plan.signed_by), subtype_xmlid="mail.mt_note"
        )
        self.env["ar.ledger.touch"]._touch_customers(plan.company_id, plan.partner_id)

    def _replace_promises(self, date):
        """What was promised before is in the plan now."""
        self.env["ar.payment.promise"].search(
            [
                ("state", "=", "open"),
                ("line_ids.move_line_id", "in", self.item_ids.move_line_id.ids),
            ]
        )._put_off(date)

    def action_cancel(self):
        """Give the plan up: a manager when the customer has accepted it."""
        self.check_access("write")
        for plan in self:
            if plan.state not in ("draft", "proposed", "accepted"):
                raise UserError(self.env._("%s is over.", plan.name))
            if plan.state == "accepted" and not self.env.user.has_group(
                "ar_collections.group_credit_manager"
            ):
                raise AccessError(
                    self.env._("Only a credit manager cancels a plan that was accepted.")
                )
        self.sudo()._give_up()

    def _give_up(self):
        """The plans end without being kept or broken, and so does what they would have waived."""
        for company, plans in self.grouped("company_id").items():
            plans.write({"state": "cancelled", "date_closed": company._ar_today()})
            plans._drop_waiver()
            self.env["ar.ledger.touch"]._touch_customers(company, plans.partner_id)

    # What a settlement waives: who approves it extends these

    def _check_waiver(self):
        """Hook: refuse to offer, or to agree on, a settlement whose waiver is not approved."""

    def _follow_waiver(self, date):
        """Hook: these plans were judged on a date."""

    def _drop_waiver(self):
        """Hook: these plans were given up."""

    # Judgement

    @api.model
    def _follow_matching(self, lines):
        """Judge the accepted plans for these journal items again."""
        plans = (
            self.env["ar.payment.plan.item"]
            .search([("move_line_id", "in", lines.ids)])
            .plan_id.filtered(lambda plan: plan.state in JUDGED or plan.closed_by_ledger)
        )
        for company, same in plans.grouped("company_id").items():
            same._judge_by_ledger(company._ar_get_run_date())

    @api.model
    def _judge_plans(self, company, date):
        """The daily judgement of the company's plans, and their reminders."""
        plans = self.search([("company_id", "=", company.id), ("state", "=", "accepted")])
        plans._judge_by_ledger(date)
        running = plans.filtered(lambda plan: plan.state == "accepted")
        # What is not sent today is sent when the company may send again.
        if running and self._may_remind(company):
            running._remind_of_instalments(date)

    def _judge_by_ledger(self, date):
        """Done, defaulted or still running, by what the ledger says on a date."""
        payments = self._get_payments()
        in_time = self._paid_in_time(date)
        verdicts = {plan: plan._get_verdict(*payments[plan], in_time[plan]) for plan in self}
        changed = self.filtered(lambda plan: verdicts[plan] != plan.state)
        settled = changed.item_ids._get_settled_since()
        for plan in changed:
            state, closed = verdicts[plan], date
            if state == "done":
                last_days = [settled[item.id].last_on for item in plan.item_ids]
                closed = max([date, *filter(None, last_days)])
            plan.write(
                {
                    "state": state,
                    "date_closed": state != "accepted" and closed,
                    "closed_by_ledger": state == "cancelled",
                }
            )
        changed.filtered(lambda plan: plan.state == "done")._plan_kept(date)
        changed.filtered(lambda plan: plan.state == "defaulted")._plan_defaulted(date)
        for company, plans in changed.grouped("company_id").items():
            self.env["ar.credit.file"]._count_promises(company, date, plans.partner_id)
        self.filtered("waived_amount")._follow_waiver(date)

    def _paid_in_time(self, date):
        """What was paid by the last day of each instalment that is over.

        :return: ``{plan: [(due by then, paid by then)]}``
        """
        ends = {}
        for plan in self:
            grace = timedelta(days=plan.company_id.ar_promise_grace_days)
            lines = plan.line_ids.sorted(lambda line: (line.date, line.id))
            dues = accumulate(lines.mapped("amount"))
            ends[plan] = [
                (due, line.date + grace)
                for line, due in zip(lines, dues, strict=True)
                if line.date + grace < date
            ]
        settled = self.item_ids._get_settled_by(
            [
                (item.id, last_day)
                for plan in self
                for _due, last_day in ends[plan]
                for item in plan.item_ids
            ]
        )
        return {
            plan: [
                (
                    due,
                    sum(
                        plan._get_paid_of(item, settled[item.id, last_day])
                        for item in plan.item_ids
                    ),
                )
                for due, last_day in ends[plan]
            ]
            for plan in self
        }

    def _get_verdict(self, paid, void, in_time):
        """The state that payments give an accepted plan.

        :param in_time: ``[(due, paid)]`` by the last day of each instalment that is over
        """
        compare = self.currency_id.compare_amounts
        to_pay = self._get_amount_required(void)
        # What is waived for the money is waived for all of it.
        enough = 1 if self.waived_amount else 1 - self.company_id.ar_promise_tolerance
        if compare(self.amount_total, void) <= 0 and not paid:
            return "cancelled"
        if any(compare(then, min(due, to_pay) * enough) < 0 for due, then in in_time):
            return "defaulted"
        if compare(paid, to_pay * enough) < 0:
            return "accepted"
        # What is waived is kept out of dunning until it is written off.
        is_open = self.waived_amount and compare(paid + void, self.amount_total) < 0
        return "accepted" if is_open else "done"

    def _get_amount_required(self, void):
        """What has to be paid for the plan to be kept.

        :param void: what nobody has to pay any more; it comes off what is waived first
        """
        return self.currency_id.round(self.amount_total - max(self.waived_amount, void))

    def _plan_kept(self, date):
        for plan in self:
            plan.message_post(
                body=self.env._("All instalments are paid."), subtype_xmlid="mail.mt_note"
            )

    def _plan_defaulted(self, date):
        notes = {}
        for plan in self:
            notes[plan] = self.env._(
                "Payment plan %(plan)s was not kept: %(paid)s of %(total)s came.",
                plan=plan.name,
                paid=format_amount(self.env, plan.amount_paid, plan.currency_id),
                total=format_amount(self.env, plan.amount_total, plan.currency_id),
            )
            plan.message_post(body=notes[plan], subtype_xmlid="mail.mt_note")
        self._call_after_broken(notes, date)

    # Messages

    @api.model
    def _may_remind(self, company):
        """Whether the company sends e-mails by itself now, and has words for a reminder."""
        return (
            self.env.ref(REMINDER, raise_if_not_found=False)
            and "email" not in company._ar_get_stopped_channels()
            and not company._ar_get_reason_not_to_send()
        )

    def _remind_of_instalments(self, date):
        """Remind of instalments that fall due soon, once each."""
        for plan in self.filtered("reminder_days"):
            last = date + timedelta(days=plan.reminder_days)
            soon = plan.line_ids.filtered(
                lambda line, last=last: (
                    not line.date_reminded and line.state != "paid" and date <= line.date <= last
                )
            )
            if soon:
                soon.date_reminded = date
                plan._mail_customer(REMINDER)

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.instalments_table",
            "object.next_text",
            "object.settlement_text",
        )

    # The paper

    def _letter_item_tables(self):
        columns = [
            (self.env._("Invoice"), "text"),
            (self.env._("Due Date"), "date"),
            (self.env._("Amount"), "money"),
        ]
        return self._letter_tables(
            self.env._("Items that are paid off"),
            columns,
            [(item.currency_id, (item.name, item.due_date, item.amount)) for item in self.item_ids],
        )

    def _letter_instalment_tables(self):
        columns = [
            (self.env._("Instalment"), "text"),
            (self.env._("Due Date"), "date"),
            (self.env._("Amount"), "money"),
        ]
        return self._letter_tables(
            self.env._("Instalments"),
            columns,
            [
                (self.currency_id, (str(number), line.date, line.amount))
                for number, line in enumerate(self.line_ids, 1)
            ],
        )
