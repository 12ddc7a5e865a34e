from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang, plaintext2html

from .collection_case import ANSWERED
from .collection_step import LETTER_BY


class ArCollectionAction(models.Model):
    """One planned or done contact with a customer, with a frozen copy of what was asked for."""

    _name = "ar.collection.action"
    _inherit = [
        "ar.ledger.follower",
        "ar.readonly.mixin",
        "ar.collection.channel",
        "ar.letter",
    ]
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
    step_id = fields.Many2one("ar.collection.step", readonly=True, ondelete="restrict")
    # Days of the step when it was taken: the step may be edited later.
    rung = fields.Integer(string="Step Day", readonly=True)
    summary = fields.Char(compute="_compute_summary")
    channel = fields.Selection(required=True)
    letter_by = fields.Selection(
        LETTER_BY,
        string="Letter Sent By",
        compute="_compute_letter_by",
        store=True,
        readonly=False,
        precompute=True,
    )
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
    # The day on which the system sends it, or tries again; empty when it waits for a person.
    send_date = fields.Date(string="Sent Automatically On", readonly=True, index="btree_not_null")
    # How often it was begun to be printed; more than once when that stopped the worker.
    begun_count = fields.Integer(readonly=True)
    failure_reason = fields.Char(readonly=True)
    failure_kind = fields.Selection(
        [("address", "Address"), ("delivery", "Delivery")], string="Cause", readonly=True
    )
    # Where the case stood before this step, as long as nobody knows whether it got through.
    former_stage_id = fields.Many2one("ar.collection.stage", readonly=True, ondelete="set null")
    failed_address = fields.Char(string="Address That Failed", readonly=True)
    date_failed = fields.Date(string="Failed On", readonly=True)
    try_count = fields.Integer(string="Tries", readonly=True)
    due_date = fields.Date(string="Oldest Due Date", readonly=True)
    amount = fields.Monetary(string="Amount Asked For", readonly=True)
    item_ids = fields.One2many(
        "ar.collection.action.item",
        "action_id",
        readonly=True,
        domain=[("is_credit", "=", False)],
    )
    credit_ids = fields.One2many(
        "ar.collection.action.item",
        "action_id",
        string="Open Credits",
        readonly=True,
        domain=[("is_credit", "=", True)],
    )
    message_id = fields.Many2one("mail.message", readonly=True, index="btree_not_null")
    attachment_id = fields.Many2one("ir.attachment", string="Letter", readonly=True)
    activity_id = fields.Many2one("mail.activity", readonly=True, index="btree_not_null")
    failure_activity_id = fields.Many2one("mail.activity", readonly=True, index="btree_not_null")
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
    # What templates may say; see mail_allowed_qweb_expressions.
    items_table = fields.Html(compute="_compute_texts", sanitize=False)
    payment_details = fields.Html(compute="_compute_texts", sanitize=False)
    contact_details = fields.Html(compute="_compute_texts", sanitize=False)
    amount_text = fields.Char(compute="_compute_texts")
    due_text = fields.Char(compute="_compute_texts")
    days_text = fields.Char(compute="_compute_texts")
    lang = fields.Char(compute="_compute_lang")

    _partner_idx = models.Index("(partner_id, company_id)")
    # A run that is killed and repeated, or two at once, cannot ask twice.
    _step_once = models.UniqueIndex(
        "(case_id, step_id, due_date, rung) WHERE step_id IS NOT NULL AND state <> 'cancelled'",
        "This step has already been taken for this due date.",
    )

    @api.depends("step_id", "channel")
    def _compute_summary(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for action in self:
            action.summary = action.step_id.name or channels.get(action.channel)

    @api.depends("contact_id.phone", "partner_id.phone")
    def _compute_phone(self):
        recipients = self._get_recipients("phone")
        for action in self:
            action.phone = action._get_spoken_to().phone or recipients[action].phone

    @api.depends("message_id.notification_ids.notification_status")
    def _compute_delivery(self):
        worst = ("sent", "pending", "process", "ready", "canceled", "bounce", "exception")
        for action in self:
            # Notifications are their recipient's; their state belongs to whoever sees the action.
            states = action.sudo().message_id.notification_ids.mapped("notification_status")
            state = max(states, key=worst.index, default=False)
            action.delivery = "ready" if state in ("pending", "process") else state

    @api.depends("step_id", "channel")
    def _compute_letter_by(self):
        for action in self:
            action.letter_by = action.channel == "letter" and (action.step_id.letter_by or "email")

    @api.depends("partner_id")
    def _compute_lang(self):
        for action in self:
            action.lang = action.partner_id.lang or action.company_id.partner_id.lang

    @api.depends("item_ids", "credit_ids")
    @api.depends_context("lang")
    def _compute_texts(self):
        qweb = self.env["ir.qweb"]
        for action in self:
            totals = defaultdict(float)
            for item in action.item_ids:
                totals[item.currency_id] += item.residual_currency
            amounts = [
                formatLang(self.env, amount, currency_obj=currency)
                for currency, amount in totals.items()
            ]
            action.amount_text = " + ".join(amounts)
            action.due_text = action.due_date and format_date(self.env, action.due_date)
            action.days_text = str(max(action.item_ids.mapped("days_overdue"), default=0))
            policy = action.step_id.policy_id or action.case_id.policy_id
            values = {
                "action": action,
                "totals": amounts,
                "is_gross": policy and not policy.net_of_credit,
                "format_date": lambda date: format_date(self.env, date),
                "format_amount": lambda amount, currency: formatLang(
                    self.env, amount, currency_obj=currency
                ),
            }
            action.items_table = qweb._render("ar_collections.action_items_table", values)
            action.payment_details = qweb._render("ar_collections.action_payment", values)
            action.contact_details = qweb._render("ar_collections.action_contact", values)

    # CRUD

    def write(self, vals):
        if not self.env.su:
            # What nobody may write is refused as that, over or not.
            self._check_readonly(vals)
            over = self.filtered(lambda action: action._is_proof() or action.state == "cancelled")
            noted = self._get_fields_of_afterwards()
            if over and (
                vals.keys() - noted or any(action[name] for action in over for name in vals)
            ):
                raise UserError(self.env._("A contact that is over stays as it was."))
        result = super().write(vals)
        # Who moves a contact, or gives it away, does so with its activity and its appointment.
        activities = self.activity_id.sudo().filtered("active")
        if date := vals.get("date_planned"):
            activities.filtered_domain([("date_deadline", "!=", date)]).date_deadline = date
        if user_id := vals.get("user_id"):
            activities |= self.failure_activity_id.sudo().filtered("active")
            activities.filtered_domain([("user_id", "!=", user_id)]).user_id = user_id
        return result

    @api.model
    def _get_fields_of_afterwards(self):
        """What may still be noted of a contact that is over, as long as it is empty."""
        return {"note"}

    def unlink(self):
        self.check_access("unlink")
        # Their activities and appointments may be of somebody else.
        self.sudo()._drop_plans()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_proof(self):
        if any(action._is_proof() for action in self):
            raise UserError(
                self.env._("A contact that took place is kept as proof and cannot be deleted.")
            )

    def _is_proof(self):
        """Whether the contact took place, even if its message came back later."""
        self.ensure_one()
        return bool(self.state == "done" or self.date_done or self.message_id)

    # Taking steps

    @api.model
    def _take_steps(self, plans, company, date, **values):
        """Take the steps that the plans decided on: one batch, all or nothing.

        What failed and is tried again stays the same action.

        :param plans: ``[Plan]`` with a step day
        :param values: what else new actions have
        :return: the actions
        """
        items = self._get_asked_items(
            company,
            date,
            [(plan.partner_id, None if plan.case_id else plan.line_ids) for plan in plans],
        )
        policies = self.env["ar.collection.policy"].browse({plan.policy_id for plan in plans})
        steps = self.env["ar.collection.planner"]._get_steps_by_day(policies)
        files = self.env["ar.credit.file"].browse(plan.file_id for plan in plans)
        cases = self.env["ar.collection.case"].browse(
            plan.case_id for plan in plans if plan.case_id
        )
        cases.fetch(["collector_id"])
        again = self.browse(id_ for plan in plans for id_ in plan.again_ids)
        self._drop_former_failures(cases, again)
        vals_list, asked, asked_again = [], [], {}
        for plan, file, wanted in zip(plans, files, items, strict=True):
            case = self.env["ar.collection.case"].browse(plan.case_id)
            if plan.again_ids:
                asked_again |= dict.fromkeys(wanted and plan.again_ids, wanted)
                continue
            for step in steps[plan.policy_id, plan.decision.step_day]:
                if not wanted or plan.amount < step._get_min_amount(company):
                    continue
                vals_list.append(
                    {
                        "company_id": company.id,
                        "partner_id": plan.partner_id,
                        "case_id": plan.case_id,
                        "step_id": step.id,
                        "rung": plan.decision.step_day,
                        "channel": step.channel,
                        "user_id": (case.collector_id or file.collector_id).id,
                        "date_planned": date,
                        **values,
                    }
                )
                asked.append(wanted)
        again = self.browse(asked_again)
        again._prepare_again()
        new = self.create(vals_list)
        actions = new + again
        actions._freeze_items([*asked, *asked_again.values()])
        actions._freeze_more(date)
        actions._move_cases(date)
        automatic = new.filtered(lambda action: action.step_id.automatic) + again
        automatic._send_or_queue(date)
        (new - automatic)._schedule_activities(date)
        return actions

    @api.model
    def _drop_former_failures(self, cases, again):
        """What failed before and is not tried again is over when another step is taken."""
        former = self.search(
            [
                ("case_id", "in", cases.ids),
                ("state", "=", "failed"),
                ("date_failed", "!=", False),
                ("step_id", "!=", False),
                ("id", "not in", again.ids),
            ]
        )
        if former:
            former._cancel()

    def _prepare_again(self):
        """A contact that failed begins anew: whatever of it is still under way is called off."""
        self.env["ar.collection.sender"]._call_off(self)
        (self.sudo().item_ids | self.sudo().credit_ids).unlink()
        self.write({"state": "planned", "send_date": False, "begun_count": 0})

    @api.model
    def _get_asked_items(self, company, date, wanted):
        """What is asked for of customers: all that is overdue, or what falls due soon.

        :param wanted: ``[(customer id, ids of the journal items that fall due, or None)]``
        :return: one list of ``ar.position`` items for each, with the open credits; empty when
            nothing may be asked for
        """
        partners = self.env["res.partner"].browse({partner_id for partner_id, _ids in wanted})
        items = self.env["ar.position"]._items(company, date, partners, current=True)
        return [
            self._select_asked(items.get((company.id, partner_id), ()), line_ids)
            for partner_id, line_ids in wanted
        ]

    @api.model
    def _select_asked(self, items, line_ids=None):
        """What of a customer's items is asked for, with the open credits that are named.

        :param line_ids: ask for these, due or not, instead of all that is overdue
        """
        asked = [
            item
            for item in items
            if item.demand > 0 and (item.line_id in line_ids if line_ids else item.days_overdue > 0)
        ]
        return asked and [*asked, *(item for item in items if item.is_credit)]

    def _freeze_items(self, items):
        """Keep what each action asks for.

        :param items: one list of ``ar.position`` items per action
        """
        self.env["ar.collection.action.item"].sudo()._freeze(self, items)
        for action, wanted in zip(self.sudo(), items, strict=True):
            action.write(
                {
                    "amount": sum(item.demand for item in wanted),
                    "due_date": min(
                        (item.due for item in wanted if item.demand > 0), default=False
                    ),
                }
            )
        self.invalidate_recordset(["item_ids", "credit_ids"])

    def _freeze_more(self, date):
        """Keep what upper wings know of the items asked for, as proof.

        A hook: it is called once the items of the actions are frozen.
        """

    def _move_cases(self, date):
        """Cases enter the stage of the step that is taken, and remember its day."""
        by_stage = {}
        for action in self.filtered("case_id"):
            stage = action.step_id.stage_id
            if stage and action.case_id.stage_id != stage:
                by_stage[action.case_id] = stage
                action.former_stage_id = action.case_id.stage_id
        for stage in {stage.id: stage for stage in by_stage.values()}.values():
            cases = self.env["ar.collection.case"].browse(
                case.id for case, case_stage in by_stage.items() if case_stage == stage
            )
            cases._hold_credit(stage, date)
            # The plan has asked for the proof, on the day of the run.
            cases = cases.with_context(ar_proof=ANSWERED)
            new = cases.filtered(lambda case: case.date_opened == date)
            new.with_context(tracking_disable=True).write({"stage_id": stage.id})
            (cases - new).write({"stage_id": stage.id})
        self._climb_ladder()

    def _climb_ladder(self):
        """The cases remember the steps as taken."""
        for day, actions in self.filtered("case_id").grouped("rung").items():
            for due, same_due in actions.grouped("due_date").items():
                same_due.case_id.write({"ladder_due_date": due, "ladder_days": day})

    def _schedule_activities(self, date):
        """Give each planned action to its collector as an activity on the case."""
        doers = {}
        for company, actions in self.grouped("company_id").items():
            doers |= self.env["res.users"]._ar_get_responsible(
                company, {action: action.user_id for action in actions}
            )
        types = {
            channel: self.env.ref(self._get_channel(channel).activity_type)
            for channel in set(self.mapped("channel"))
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
                            action.step_id.activity_type_id or types[action.channel]
                        ).id,
                        "automated": True,
                        "summary": action.summary,
                        "note": plaintext2html(action.step_id.note or action.note or ""),
                        "date_deadline": date,
                        "user_id": doers[action].id,
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
            items = self.env["ar.position"]._items(company, date, actions.partner_id, current=True)
            asked = [
                self._select_asked(
                    items.get((company.id, action.partner_id.id), ()),
                    line_ids or action._get_courtesy_lines(),
                )
                for action in actions
            ]
            moved = {
                action: wanted
                for action, wanted in zip(actions.sudo(), asked, strict=True)
                if not (action.item_ids | action.credit_ids)._is_of(wanted)
            }
            moved_actions = actions.browse().concat(*moved)
            (moved_actions.item_ids | moved_actions.credit_ids).unlink()
            moved_actions._freeze_items(list(moved.values()))
            actions._freeze_more(date)

    def _get_courtesy_lines(self):
        """Ids of the items that a message before there is a case was about, and is about."""
        is_courtesy = self.step_id and self.step_id.days <= 0 and not self.case_id
        return is_courtesy and self.item_ids.move_line_id.ids

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
        self.write({"state": "done", "date_done": date, "outcome": outcome, "send_date": False})
        self.failure_activity_id.unlink()
        contacts = self.filtered(lambda action: action._get_channel(action.channel).is_contact)
        self.env["ar.credit.file"].search(
            [
                ("partner_id", "in", contacts.partner_id.ids),
                ("company_id", "in", contacts.company_id.ids),
            ]
        ).sudo().write({"last_contact_date": date})

    def action_send(self):
        """Send a planned message now, or a failed one again."""
        actions = self.filtered(
            lambda action: (
                action.state in ("planned", "failed")
                and action._get_channel(action.channel).is_automatic
            )
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
        if self.env["ar.collection.sender"]._get_stopped(actions.sudo()):
            raise UserError(self.env._("A credit manager has stopped these messages."))
        for company, company_actions in actions.grouped("company_id").items():
            date = company._ar_today()
            # The message is sent in the company's name, not with the collector's mail rights.
            company_actions.sudo()._send_now(date)

    def action_cancel(self):
        for action in self:
            if action.state == "done":
                raise UserError(self.env._("A contact that took place cannot be cancelled."))
        self.check_access("write")
        decided = self.sudo().filtered(lambda action: action.step_id and action.send_date)
        decided |= self.sudo().filtered(lambda action: action.step_id and action.date_failed)
        self.sudo()._cancel()
        # Somebody decided that the step is not needed: the next one follows.
        decided._climb_ladder()

    def _cancel(self):
        queued = self.filtered("send_date")
        self.env["ar.collection.sender"].sudo()._call_off(self.filtered("date_failed"))
        self.write({"state": "cancelled", "send_date": False})
        self._drop_plans()
        self.env["ar.collection.failure"]._step_back(queued.case_id)

    def _drop_plans(self):
        """What was planned for the contact goes with it."""
        (self.activity_id | self.failure_activity_id).unlink()

    # Recipients

    def _get_recipients(self, field, lines=None):
        """Who gets each action.

        :param field: what is needed of the recipient: ``email``, ``phone`` or ``street``
        :param lines: ``{action: ids of journal items}`` that it will ask for, when it has none yet
        :return: ``{action: res.partner}``, an empty partner when nobody has it
        """
        asked = {action: action.item_ids.move_line_id.ids for action in self}
        return self.env["ar.recipient"]._get_recipients(self, field, lines=asked | (lines or {}))

    def _get_spoken_to(self):
        """Who it was, or is meant to be as long as that contact is there."""
        return self.contact_id if self.state == "done" else self.contact_id.filtered("active")

    def _get_lines_of_now(self):
        """``{action: ids of journal items}`` that open actions would ask for now."""
        lines = {}
        waiting = self.filtered(lambda action: action.state in ("planned", "failed"))
        for company, actions in waiting.grouped("company_id").items():
            asked = self._get_asked_items(
                company, company._ar_today(), [(action.partner_id.id, None) for action in actions]
            )
            for action, items in zip(actions, asked, strict=True):
                lines[action] = [item.line_id for item in items]
        return lines

    def _set_contacts(self, recipients):
        for action in self:
            action.write({"contact_id": recipients[action].id, "failure_reason": False})

    def _get_addresses(self):
        """``{action: the address that it would go to now}``, ``False`` without one."""
        addresses = {}
        for field, same in self.grouped(lambda action: action._get_address_field()).items():
            for action, contact in same._get_recipients(field).items():
                text = contact.contact_address_inline if field == "street" else contact[field]
                addresses[action] = text or False
        return addresses

    def _get_notices(self):
        """What the gateways say of the recipient, not of who gets a copy."""
        notices = self.message_id.notification_ids
        return notices.filtered(lambda notice: notice.res_partner_id == self.contact_id) or notices

    # Sending

    @api.model
    def _get_queued_domain(self):
        """Letters that were decided and are printed and sent by a job of their own."""
        return [("state", "=", "planned"), ("send_date", "!=", False)]

    def _send_or_queue(self, date):
        """Send what needs no printing; letters wait for the job that prints them."""
        queued = self.filtered(
            lambda action: action.step_id.report_id and action.letter_by != "print"
        )
        queued.write({"send_date": date})
        (self - queued)._send(date)

    def _send_queued(self, date):
        """Send letters that were decided before, with the amounts of now.

        What is not owed any more, or has been promised since, is called off and uses up no step.
        """
        self._freeze_now(date)
        needless = self.filtered(lambda action: not action.item_ids)
        needless._cancel()
        (self - needless)._send(date)

    def _send_now(self, date):
        """Somebody sends what is planned, or again what failed."""
        failed = self.filtered(lambda action: action.state == "failed")
        self.env["ar.collection.sender"]._call_off(failed)
        self._freeze_now(date)
        failed.filtered("step_id")._move_cases(date)
        self._send(date)

    def _send(self, date):
        """Send the messages of these actions; what cannot be sent fails visibly."""
        for way, actions in self.grouped(lambda action: action.letter_by or action.channel).items():
            actions._send_by(way, date)

    def _send_by(self, way, date):
        """Send by one way: a channel, or how a letter is sent.

        :param way: found by name, as ``_send_<way>``
        """
        getattr(self, f"_send_{way}")(date)

    def _send_email(self, date):
        self.env["ar.collection.sender"]._send_emails(self, date)

    def _send_sms(self, date):
        self.env["ar.collection.sender"]._send_texts(self, date)

    def _send_print(self, _date):
        """Paper waits to be printed."""
        self.write({"state": "planned", "failure_reason": False})

    # Letters

    def _letter_contact(self):
        # EXTENDS ar_collections: who it was sent to, or would be now
        return self._get_spoken_to() or self._get_recipients("street")[self] or self.partner_id

    def _letter_day(self):
        """The date on the letter: the day on which it is sent."""
        return self.env.context.get("ar_letter_date") or self.date_done or self.date_planned

    def _letter_item_tables(self):
        """What the letter asks for, one table per currency."""
        columns = [
            (self.env._("Invoice"), "text"),
            (self.env._("Date"), "date"),
            (self.env._("Due Date"), "date"),
            (self.env._("Days Overdue"), "days"),
            (self.env._("Amount"), "money"),
            (self.env._("Still Open"), "money"),
        ]
        return self._letter_tables(
            self.env._("Overdue items"),
            columns,
            [
                (
                    item.currency_id,
                    (
                        item.name,
                        item.date,
                        item.due_date,
                        item.days_overdue,
                        item.amount_total,
                        item.residual_currency,
                    ),
                )
                for item in self.item_ids
            ],
        )

    def _letter_credit_tables(self):
        """The open payments and credit notes that the letter names."""
        policy = self.step_id.policy_id or self.case_id.policy_id
        is_gross = policy and not policy.net_of_credit
        return self._letter_tables(
            self.env._("In your favour, not taken off")
            if is_gross
            else self.env._("In your favour, already taken off"),
            [
                (self.env._("Document"), "text"),
                (self.env._("Date"), "date"),
                (self.env._("Amount"), "money"),
            ],
            [
                (credit.currency_id, (credit.name, credit.date, credit.residual_currency))
                for credit in self.credit_ids
            ],
        )

    def _get_postal_contacts(self, lines=None):
        """``{action: who gets the letter by post}``, nobody without street and city.

        :param lines: see ``_get_recipients``
        """
        recipients = self._get_recipients("street", lines)
        return {action: recipients[action].filtered("city") for action in self}

    def action_print_letters(self):
        """Print many letters as one PDF; see ``ar.collection.print``."""
        letters = self.filtered(
            lambda action: action.channel == "letter" and action.state != "cancelled"
        )
        if not letters:
            raise UserError(self.env._("Choose letters: these actions are none, or cancelled."))
        return self.env["ar.collection.print"]._open_for(letters)

    def _print_letters(self, date):
        """Print and keep the letter of each action whose step has one.

        :param date: the date on the letters
        """
        reports = self.env["ir.actions.report"].with_context(ar_letter_date=date)
        letters = self.filtered("step_id.report_id")
        # What was printed and never sent is no proof of anything.
        letters.filtered(lambda action: not action.message_id).attachment_id.unlink()
        for report, same in letters.grouped(lambda action: action.step_id.report_id).items():
            files = self.env["ir.attachment"].create(
                [
                    {
                        "name": f"{action.summary} {action.partner_id.name} {date}.{extension}",
                        "raw": content,
                        "res_model": "ar.collection.action",
                        "res_id": action.id,
                    }
                    for action, (content, extension) in reports._render_letters(
                        report, same
                    ).items()
                ]
            )
            for action, file in zip(same, files, strict=True):
                action.attachment_id = file

    # Failures

    def _fail(self, reason, date, kind="delivery"):
        """These contacts did not get through; see ``ar.collection.failure``.

        :param kind: ``address`` when another address would help
        """
        if self:
            self.env["ar.collection.failure"]._fail(self, reason, date, kind)

    # Mail

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.lang",
            "object.partner_id.ref",
            "object.contact_id.name",
            "object.company_id.name",
            "object.company_id.phone",
            "object.user_id.email",
            "object.user_id.phone",
            "object.items_table",
            "object.payment_details",
            "object.contact_details",
            "object.amount_text",
            "object.due_text",
            "object.days_text",
        )
