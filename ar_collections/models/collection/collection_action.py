from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from .collection_case_proof import ANSWERED
from .collection_planner import CONTACTS
from .collection_step import CHANNELS, SENDABLE

# What may still be noted of a contact that is over.
AFTERWARDS = {"note", "duration", "photo_ids"}


class ArCollectionAction(models.Model):
    """One planned or done contact with a customer, with a frozen copy of what was asked for."""

    _name = "ar.collection.action"
    _inherit = ["ar.ledger.follower", "ar.readonly.mixin"]
    _description = "Collection Action"
    _order = "date_planned desc, id desc"
    _rec_name = "summary"
    _check_company_auto = True
    _creation_fields = ("company_id", "partner_id", "case_id")

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", required=True, readonly=True, ondelete="restrict"
    )
    case_id = fields.Many2one(
        "ar.collection.case", readonly=True, index=True, ondelete="cascade", check_company=True
    )
    run_id = fields.Many2one("ar.collection.run", readonly=True, index="btree_not_null")
    step_id = fields.Many2one("ar.collection.step", readonly=True, ondelete="restrict")
    # Days of the step when it was taken: the step may be edited later.
    rung = fields.Integer(string="Step Day", readonly=True)
    summary = fields.Char(compute="_compute_summary")
    channel = fields.Selection(CHANNELS, required=True)
    user_id = fields.Many2one(
        "res.users", string="Collector", index=True, default=lambda self: self.env.user
    )
    contact_id = fields.Many2one("res.partner")
    phone = fields.Char(compute="_compute_phone")
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        default="planned",
        required=True,
        readonly=True,
        index=True,
    )
    date_planned = fields.Date(required=True)
    date_done = fields.Date(readonly=True)
    outcome = fields.Selection(
        [
            ("sent", "Sent"),
            ("posted", "Sent by Post"),
            ("reached", "Reached"),
            ("no_answer", "No answer"),
            ("wrong_person", "Wrong person"),
            ("call_back", "Call back"),
            ("done", "Done"),
        ]
    )
    note = fields.Text()
    failure_reason = fields.Char(readonly=True)
    due_date = fields.Date(string="Oldest Due Date", readonly=True)
    amount = fields.Monetary(string="Amount Asked For", readonly=True)
    item_ids = fields.One2many("ar.collection.action.item", "action_id", readonly=True)
    message_id = fields.Many2one("mail.message", readonly=True, index="btree_not_null")
    attachment_id = fields.Many2one("ir.attachment", string="Letter", readonly=True)
    activity_id = fields.Many2one("mail.activity", readonly=True, index="btree_not_null")
    delivery = fields.Selection(
        [
            ("ready", "Queued"),
            ("sent", "Delivered"),
            ("bounce", "Bounced"),
            ("exception", "Failed"),
            ("canceled", "Cancelled"),
        ],
        compute="_compute_delivery",
        help="What the mail or SMS gateway says.",
    )

    _partner_idx = models.Index("(partner_id, company_id)")
    # A run that is killed and repeated, or two at once, cannot ask twice.
    _step_once = models.UniqueIndex(
        "(case_id, step_id, due_date) WHERE step_id IS NOT NULL AND state <> 'cancelled'",
        "This step has already been taken for this due date.",
    )

    @api.depends("step_id", "channel")
    def _compute_summary(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for action in self:
            action.summary = action.step_id.name or channels.get(action.channel)

    @api.depends("contact_id.phone", "partner_id.phone")
    def _compute_phone(self):
        for action in self:
            action.phone = action.contact_id.phone or action.partner_id.phone

    @api.depends("message_id.notification_ids.notification_status")
    def _compute_delivery(self):
        worst = ("sent", "pending", "process", "ready", "canceled", "bounce", "exception")
        for action in self:
            # Notifications are their recipient's; their state belongs to whoever sees the action.
            states = action.sudo().message_id.notification_ids.mapped("notification_status")
            state = max(states, key=worst.index, default=False)
            action.delivery = "ready" if state in ("pending", "process") else state

    # CRUD

    def write(self, vals):
        if not self.env.su:
            # What nobody may write is refused as that, over or not.
            self._check_readonly(vals)
            if vals.keys() - AFTERWARDS and any(
                action.state in ("done", "cancelled") for action in self
            ):
                raise UserError(self.env._("A contact that is over stays as it was."))
        result = super().write(vals)
        # Who moves a contact, or gives it away, does so with its activity and its appointment.
        activities = self.activity_id.sudo().filtered("active")
        if date := vals.get("date_planned"):
            activities.filtered_domain([("date_deadline", "!=", date)]).date_deadline = date
        if user_id := vals.get("user_id"):
            activities.filtered_domain([("user_id", "!=", user_id)]).user_id = user_id
        return result

    def unlink(self):
        # Their activities and appointments may be of somebody else.
        self.sudo()._drop_plans()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_proof(self):
        if any(action.state == "done" for action in self):
            raise UserError(
                self.env._("A contact that took place is kept as proof and cannot be deleted.")
            )

    # Taking steps

    @api.model
    def _take(self, plans, company, date, run):
        """Take the steps that the plans decided on: one batch, all or nothing.

        :param plans: ``[Plan]`` with a rung
        :return: the actions
        """
        partners = self.env["res.partner"].browse(plan.partner_id for plan in plans)
        items = self.env["ar.position"]._items(company, date, partners)
        policies = self.env["ar.collection.policy"].browse({plan.policy_id for plan in plans})
        steps = self.env["ar.collection.planner"]._steps_by_rung(policies)
        files = self.env["ar.credit.file"].browse(plan.file_id for plan in plans)
        cases = self.env["ar.collection.case"].browse(
            plan.case_id for plan in plans if plan.case_id
        )
        cases.fetch(["collector_id"])
        vals_list, asked = [], []
        for plan, file in zip(plans, files, strict=True):
            case = self.env["ar.collection.case"].browse(plan.case_id)
            wanted = [
                item
                for item in items.get((company.id, plan.partner_id), ())
                if item.demand > 0 and self._is_asked(item, plan)
            ]
            for step in steps[plan.policy_id, plan.decision.rung]:
                if not wanted or plan.amount < step.min_amount:
                    continue
                vals_list.append(
                    {
                        "company_id": company.id,
                        "partner_id": plan.partner_id,
                        "case_id": plan.case_id,
                        "run_id": run.id,
                        "step_id": step.id,
                        "rung": step.days,
                        "channel": step.channel,
                        "user_id": (case.collector_id or file.collector_id).id,
                        "date_planned": date,
                    }
                )
                asked.append(wanted)
        actions = self.create(vals_list)
        actions._freeze(asked)
        actions._freeze_charges(date)
        actions._move_cases(date)
        automatic = actions.filtered(lambda action: action.step_id.automatic)
        automatic._send(date)
        (actions - automatic)._schedule(date)
        return actions

    @api.model
    def _is_asked(self, item, plan):
        return item.days_overdue > 0 if plan.case_id else item.line_id in plan.line_ids

    def _freeze(self, items):
        """Keep what each action asks for.

        :param items: one list of ``ar.position`` items per action
        """
        names = (
            self.env["account.move.line"]
            .sudo()
            .browse({item.line_id for wanted in items for item in wanted})
        )
        names.fetch(["move_name", "move_id", "date"])
        names.move_id.fetch(["invoice_date", "amount_total"])
        self.env["ar.collection.action.item"].sudo().create(
            [
                {
                    "action_id": action.id,
                    "move_line_id": item.line_id,
                    "name": line.move_name,
                    "date": line.move_id.invoice_date or line.date,
                    "due_date": item.due,
                    "days_overdue": item.days_overdue,
                    "residual": item.demand,
                    "residual_currency": item.demand_currency,
                    "currency_id": item.currency_id,
                    "amount_total": line.move_id.amount_total or abs(item.residual_currency),
                }
                for action, wanted in zip(self, items, strict=True)
                for item in wanted
                for line in names.browse(item.line_id)
            ]
        )
        for action, wanted in zip(self.sudo(), items, strict=True):
            action.write(
                {
                    "amount": sum(item.demand for item in wanted),
                    "due_date": min((item.due for item in wanted), default=False),
                }
            )
        self.invalidate_recordset(["item_ids"])

    def _move_cases(self, date):
        """Cases enter the stage of the step that is taken, and remember its rung."""
        by_stage = {}
        for action in self.filtered("case_id"):
            stage = action.step_id.stage_id
            if stage and action.case_id.stage_id != stage:
                by_stage[action.case_id] = stage
        for stage in {stage.id: stage for stage in by_stage.values()}.values():
            cases = self.env["ar.collection.case"].browse(
                case.id for case, case_stage in by_stage.items() if case_stage == stage
            )
            cases._hold_for(stage, date)
            # The plan has asked for the proof, on the day of the run.
            cases = cases.with_context(ar_proof=ANSWERED)
            new = cases.filtered(lambda case: case.date_opened == date)
            new.with_context(tracking_disable=True).write({"stage_id": stage.id})
            (cases - new).write({"stage_id": stage.id})
        for rung, actions in self.filtered("case_id").grouped("rung").items():
            for due, same_due in actions.grouped("due_date").items():
                same_due.case_id.write({"ladder_due_date": due, "ladder_days": rung})

    def _schedule(self, date):
        """Give each planned action to its collector as an activity on the case."""
        types = {
            channel: self.env.ref(f"ar_collections.activity_{channel}")
            for channel in ("call", "visit", "task")
        }
        activities = (
            self.env["mail.activity"]
            .with_context(mail_activity_quick_update=True)
            .create(
                [
                    {
                        "res_model_id": self.env["ir.model"]._get_id("ar.collection.case"),
                        "res_id": action.case_id.id,
                        "activity_type_id": (
                            action.step_id.activity_type_id
                            or types.get(action.channel, types["task"])
                        ).id,
                        "automated": True,
                        "summary": action.summary,
                        "note": plaintext2html(action.step_id.note or action.note or ""),
                        "date_deadline": date,
                        "user_id": action.user_id.id,
                    }
                    for action in self
                ]
            )
        )
        for action, activity in zip(self, activities, strict=True):
            action.activity_id = activity

    # Buttons

    def _freeze_now(self, date, line_ids=None):
        """Ask for what is overdue now.

        :param line_ids: ask for these items instead, due or not
        """
        for company, actions in self.grouped("company_id").items():
            items = self.env["ar.position"]._items(company, date, actions.partner_id)
            actions.sudo().item_ids.unlink()
            actions._freeze(
                [
                    [
                        item
                        for item in items.get((company.id, action.partner_id.id), ())
                        if item.demand > 0
                        and (item.line_id in line_ids if line_ids else item.days_overdue)
                    ]
                    for action in actions
                ]
            )
            actions._freeze_charges(date)

    def action_done(self):
        """The collector has made the contact."""
        for action in self:
            if action.state != "planned":
                raise UserError(self.env._("Only a planned action can be marked as done."))
            action.check_access("write")
            date = action.company_id._ar_today()
            action._freeze_now(date)
            action.sudo()._mark_done(date, action.outcome or "done")
            if action.activity_id.active:
                # An activity is marked as done by the collector's work, whoever it was given to.
                action.activity_id.sudo().action_feedback(feedback=action.note)

    def _mark_done(self, date, outcome):
        self.write({"state": "done", "date_done": date, "outcome": outcome})
        contacts = self.filtered(lambda action: action.channel in CONTACTS)
        self.env["ar.credit.file"].search(
            [
                ("partner_id", "in", contacts.partner_id.ids),
                ("company_id", "in", contacts.company_id.ids),
            ]
        ).sudo().write({"last_contact_date": date})

    def action_send(self):
        """Send a planned message now, or a failed one again."""
        actions = self.filtered(
            lambda action: action.state in ("planned", "failed") and action.channel in SENDABLE
        )
        actions.check_access("write")
        if not all(action.step_id for action in actions):
            raise UserError(
                self.env._("Only steps have a text to send. Write to the customer in the chatter.")
            )
        if any(action.letter_by == "print" for action in actions):
            raise UserError(
                self.env._(
                    "Print these letters first: mark them as sent when they are in the post."
                )
            )
        for company, company_actions in actions.grouped("company_id").items():
            date = company._ar_today()
            company_actions._freeze_now(date)
            # The message is sent in the company's name, not with the collector's mail rights.
            company_actions.sudo()._send(date)

    def action_cancel(self):
        for action in self:
            if action.state == "done":
                raise UserError(self.env._("A contact that took place cannot be cancelled."))
        self.check_access("write")
        self.sudo()._cancel()

    def _cancel(self):
        self.write({"state": "cancelled"})
        self._drop_plans()

    def _drop_plans(self):
        """What was planned for the contact goes with it."""
        self.activity_id.unlink()


class ArCollectionActionItem(models.Model):
    """What one action asked for, as it was on that day: proof of the demand."""

    _name = "ar.collection.action.item"
    _inherit = "ar.item.copy"
    _description = "Item Asked For"

    action_id = fields.Many2one(
        "ar.collection.action", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="action_id.company_id", store=True, precompute=True, index=True
    )
    days_overdue = fields.Integer(readonly=True, aggregator="max")
    amount_total = fields.Monetary(string="Amount", readonly=True)
