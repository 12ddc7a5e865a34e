from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import plaintext2html

from ..figures.settlement import money_domain
from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN
from .collection_cadence import WAITS
from .stage_proof import ANSWERED, KINDS, missing_proof

# What a case takes over from the credit file, cleared when it closes.
FOLLOWED = (
    "amount_overdue",
    "oldest_due_date",
    "amount_disputed",
    "amount_promised",
    "amount_demand",
    "demand_due_date",
    "days_overdue",
)
# What came off the items of a case, by kind of settlement, and the reason to close it by each.
AMOUNTS = {
    "money": "collected",
    "set_off": "set_off",
    "credit_note": "credited",
    "write_off": "written_off",
}
REASONS = {"money": "paid", "set_off": "set_off", "credit_note": "credited"}


class ArCollectionCase(models.Model):
    """The chase of one customer's overdue items by one company, from first reminder to the end.

    Its items are the customer's overdue items, read live. Amounts are as of the last daily run,
    and follow the ledger within the transaction that changes it.
    """

    _name = "ar.collection.case"
    _inherit = [
        "ar.ledger.follower",
        "ar.case.responsible",
        "ar.readonly.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Collection Case"
    _order = "priority desc, oldest_due_date, id"
    _rec_name = "partner_id"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company.root_id,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    file_id = fields.Many2one(
        "ar.credit.file", string="Credit File", readonly=True, ondelete="restrict", index=True
    )
    risk_tier = fields.Selection(related="file_id.risk_tier")
    grade_id = fields.Many2one(related="file_id.grade_id")
    credit_hold = fields.Boolean(related="file_id.hold")
    excluded_undecided = fields.Monetary(related="file_id.excluded_undecided")
    phone = fields.Char(compute="_compute_phone")
    state = fields.Selection(
        [("open", "Open"), ("paused", "Paused"), ("closed", "Closed")],
        default="open",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    stage_id = fields.Many2one(
        "ar.collection.stage",
        default=lambda self: self.env["ar.collection.stage"].search([], limit=1),
        group_expand="_read_group_stage_ids",
        index=True,
        tracking=True,
        ondelete="restrict",
    )
    policy_id = fields.Many2one(
        "ar.collection.policy", tracking=True, check_company=True, ondelete="restrict"
    )
    # At the last look: a policy that a manager chose stays until another one fits.
    fitting_policy_id = fields.Many2one(
        "ar.collection.policy", readonly=True, index="btree_not_null", ondelete="set null"
    )
    collector_id = fields.Many2one(
        "res.users", index=True, tracking=True, domain=[("share", "=", False)]
    )
    amount_overdue = fields.Monetary(string="Overdue", readonly=True)
    amount_unallocated = fields.Monetary(related="file_id.unallocated")
    amount_open = fields.Monetary(related="file_id.open_amount")
    amount_disputed = fields.Monetary(string="Disputed", readonly=True)
    amount_promised = fields.Monetary(string="Promised", readonly=True)
    amount_demand = fields.Monetary(
        string="To Ask For", readonly=True, help="Overdue less what is disputed or promised."
    )
    demand_due_date = fields.Date(string="Oldest Due Date to Ask For", readonly=True)
    # What is booked later is of the case, also when the bank tells of it days later.
    booked_before = fields.Integer(readonly=True)
    amount_opened = fields.Monetary(
        string="Overdue When Opened", readonly=True, help="Net of open credits."
    )
    amount_collected = fields.Monetary(
        string="Collected",
        readonly=True,
        help="Money that paid overdue items since the case was opened.",
    )
    amount_set_off = fields.Monetary(
        string="Set Off", readonly=True, help="Paid by what we owed the customer."
    )
    amount_credited = fields.Monetary(
        string="Credited", readonly=True, help="Taken off by our credit notes."
    )
    amount_written_off = fields.Monetary(
        string="Written Off", readonly=True, help="Given up by approved requests."
    )
    oldest_due_date = fields.Date(readonly=True, index=True)
    days_overdue = fields.Integer(readonly=True, aggregator="max")
    priority = fields.Integer(readonly=True, index=True, aggregator="avg")
    priority_rule_ids = fields.Json(
        readonly=True, help="The rules that gave most points, as [[rule, points]]."
    )
    priority_why = fields.Char(string="Why", compute="_compute_priority_why")
    date_opened = fields.Date(readonly=True)
    date_closed = fields.Date(readonly=True)
    close_reason = fields.Selection(
        [
            ("paid", "Paid"),
            ("set_off", "Set off"),
            ("credited", "Credited"),
            ("written_off", "Written off"),
            ("cancelled", "Cancelled"),
        ],
        readonly=True,
        tracking=True,
    )
    pause_reason = fields.Char(readonly=True, tracking=True)
    pause_end = fields.Date(string="Paused Until", readonly=True, tracking=True)
    last_contact_date = fields.Date(related="file_id.last_contact_date")
    next_action_date = fields.Date(string="Next Action", readonly=True, index=True)
    waiting_for = fields.Selection(list(WAITS.items()), readonly=True)
    last_error = fields.Text(
        readonly=True, help="Why the last daily run could not deal with this case."
    )
    # The last step day that the item of this due date has been part of.
    ladder_due_date = fields.Date(readonly=True)
    ladder_days = fields.Integer(readonly=True)
    action_ids = fields.One2many("ar.collection.action", "case_id")
    action_count = fields.Integer(compute="_compute_action_count")
    failed_action_count = fields.Integer(compute="_compute_action_count")
    open_item_ids = fields.Many2many(
        "account.move.line", string="Overdue Items", compute="_compute_open_item_ids"
    )
    attention = fields.Selection(
        [("failed", "A contact failed"), ("late", "Action is late"), ("none", "Nothing")],
        compute="_compute_attention",
    )
    color = fields.Integer(compute="_compute_attention")
    proof_missing = fields.Char(
        string="Before the Next Stage",
        compute="_compute_proof_missing",
        help="What has to be done before this case may leave its stage.",
    )

    # The database itself keeps a customer from being chased twice.
    _one_open = models.UniqueIndex(
        "(company_id, partner_id) WHERE state <> 'closed'",
        "This customer already has an open collection case in this company.",
    )
    _pause_ends = models.Constraint(
        "CHECK(state <> 'paused' OR pause_end IS NOT NULL)", "A pause needs an end date."
    )
    _closed_reason = models.Constraint(
        "CHECK(state <> 'closed' OR close_reason IS NOT NULL)", "A closed case needs a reason."
    )

    # Computes

    @api.depends("partner_id.phone")
    def _compute_phone(self):
        recipients = self._get_recipients("phone")
        for case in self:
            case.phone = recipients[case].phone

    @api.depends("action_ids.state")
    def _compute_action_count(self):
        counts = {}
        for case, state, count in self.env["ar.collection.action"]._read_group(
            [("case_id", "in", self.ids), ("state", "!=", "cancelled")],
            ["case_id", "state"],
            ["__count"],
        ):
            counts.setdefault(case.id, {})[state] = count
        for case in self:
            states = counts.get(case.id, {})
            case.action_count = sum(states.values())
            case.failed_action_count = states.get("failed", 0)

    @api.depends("action_ids.state", "activity_state", "next_action_date")
    def _compute_attention(self):
        for case in self:
            if case.state != "closed" and (case.last_error or case.failed_action_count):
                case.attention, case.color = "failed", 1
            elif case.activity_state == "overdue":
                case.attention, case.color = "late", 3
            else:
                case.attention, case.color = "none", 0

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_open_item_ids(self):
        """Those that the user may see: the figures include branches, the rights may not."""
        for company, cases in self.grouped("company_id").items():
            items = self.env["ar.position"]._items(
                company, company._ar_today(), cases.partner_id, current=True
            )
            for case in cases:
                lines = self.env["account.move.line"].browse(
                    item.line_id
                    for item in items.get((company.id, case.partner_id.id), ())
                    if item.followup and item.days_overdue
                )
                case.open_item_ids = lines._filtered_access("read")

    @api.depends("priority_rule_ids")
    def _compute_priority_why(self):
        # Everybody may know why, without rights on the rules.
        rules = self.env["ar.collection.priority.rule"].sudo()
        names = {
            rule.id: rule.name
            for rule in rules.with_context(active_test=False).search(
                [("id", "in", [id_ for case in self for id_, _p in case.priority_rule_ids or ()])]
            )
        }
        for case in self:
            case.priority_why = ", ".join(
                f"{names[id_]} (+{points})"
                for id_, points in case.priority_rule_ids or ()
                if id_ in names
            )

    @api.depends("stage_id", "action_ids.state")
    def _compute_proof_missing(self):
        missing = self._get_missing_proof({case: case.stage_id for case in self})
        for case in self:
            case.proof_missing = self._format_proof(missing.get(case))

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        return stages.search([("active", "=", True)])

    # CRUD

    def write(self, vals):
        if "policy_id" in vals:
            self._check_policy_manager()
        former = {case.id: case.collector_id for case in self if vals.get("collector_id")}
        if vals.get("stage_id"):
            stage = self.env["ar.collection.stage"].browse(vals["stage_id"])
            if self.env.context.get("ar_proof") is not ANSWERED:
                self._check_proof(stage)
            for company, cases in self.grouped("company_id").items():
                cases.filtered(lambda case: case.stage_id != stage)._hold_credit(
                    stage, company._ar_today()
                )
        result = super().write(vals)
        if "collector_id" in vals:
            self._check_collector()
        if former:
            self._hand_over(former, vals["collector_id"])
        return result

    def _check_policy_manager(self):
        """Who is asked, and when, is no collector's choice."""
        if not self.env.su and not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("The policy of a case is set by a credit manager."))

    def _check_collector(self):
        """Nobody gives a case to who would not see it.

        The daily run goes on with the collectors that it finds, of whatever company.
        """
        if self.env.su:
            return
        for company, cases in self.grouped("company_id").items():
            # Who works where is not a secret of the users' administration.
            for user in cases.collector_id.sudo():
                if not user._ar_at_work(company, None):
                    raise UserError(
                        self.env._(
                            "%(user)s does not work for %(company)s and would not see the case.",
                            user=user.name,
                            company=company.name,
                        )
                    )

    def _hold_credit(self, stage, date):
        """Hold the credit where the stage asks for it, or propose it when nobody moved the case."""
        for company, cases in self.grouped("company_id").items() if stage.hold_credit else ():
            # The stage decides on the hold, not the rights of who moves the case.
            files, reason = cases.file_id.sudo(), self.env._("Collection stage “%s”", stage.name)
            if company._ar_holds_by_stage() or not self.env.su:
                files._set_hold(reason, date, "stage")
            else:
                files._propose_hold(reason)

    @api.model
    def _get_open_case(self, partner, company):
        """The case of the customer in the company that is not closed, if any."""
        return self.search(
            [
                ("partner_id", "=", partner.commercial_partner_id.id),
                ("company_id", "=", company.root_id.id),
                ("state", "!=", "closed"),
            ]
        )

    def _written_off_since_opened(self):
        """The cases of which an item was given up since they were opened.

        A hook: who gives items up says so.
        """
        return self.browse()

    def _get_recipients(self, field):
        """Who gets what is written about each case now, by any channel or button.

        :param field: what is needed of the recipient: ``email``, ``phone`` or ``street``
        :return: ``{case: res.partner}``, an empty partner when nobody has it
        """
        lines = {}
        for company, cases in self.grouped("company_id").items():
            items = self.env["ar.position"]._items(
                company, company._ar_today(), cases.partner_id, current=True
            )
            for case in cases:
                lines[case] = [
                    item.line_id
                    for item in items.get((company.id, case.partner_id.id), ())
                    if item.demand > 0 and item.days_overdue
                ]
        return self.env["ar.recipient"]._get_recipients(self, field, lines=lines)

    def _get_writing_warning(self):
        """Hook: what whoever writes to the customer by hand has to know; empty for nothing."""
        return ""

    def _check_not_closed(self):
        if any(case.state == "closed" for case in self):
            raise UserError(self.env._("The case is closed."))

    def _plan_call(self, date, note, user=None):
        """Give the collector a call to make, see ``_plan_contact``."""
        return self._plan_contact("call", date, note, user)

    def _plan_contact(self, channel, date, note, user=None):
        """Give the collector a contact to make.

        :param user: who makes it when the case has no collector
        :return: the action
        """
        self.ensure_one()
        action = self.env["ar.collection.action"].create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "case_id": self.id,
                "channel": channel,
                "user_id": self._get_doer(user or self.env.user).id,
                "date_planned": date,
                "note": note,
            }
        )
        action._schedule_activities(date)
        return action

    # Collectors

    def _get_doer(self, *others):
        """Who does what is to be done: the collector, else the first of others who is there.

        :return: the credit manager when nobody of them works for the company
        """
        self.ensure_one()
        return self.collector_id.union(*others)._ar_or_next(self.company_id)

    def _hand_over(self, former, user_id):
        """Give the new collector what the former one, or nobody, has to do on these cases.

        :param former: ``{case id: user}``
        """
        # Who gives a case away has no rights on the activities of others.
        activities = self.env["mail.activity"].sudo()
        activities = activities.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("automated", "=", True),
                ("user_id", "!=", user_id),
            ]
        ).filtered(lambda activity: activity.user_id == former[activity.res_id])
        activities.with_context(mail_activity_quick_update=True).user_id = user_id

    # Proof

    def _check_proof(self, stage):
        """Refuse to move cases on whose effort is not proven, whoever and whatever moves them."""
        missing = self._get_missing_proof(self._get_stages_left(dict.fromkeys(self, stage)))
        for case, kinds in missing.items():
            raise UserError(
                self.env._(
                    "The case of %(customer)s cannot go to “%(stage)s” yet. Missing: %(missing)s. "
                    "A credit manager can move it with a reason.",
                    customer=case.partner_id.display_name,
                    stage=stage.name,
                    missing=self._format_proof(kinds),
                )
            )

    @api.model
    def _get_stages_left(self, targets):
        """The stages that cases leave behind on their way, none on the way back.

        :param targets: ``{case: stages to go to}``, the last of several
        :return: ``{case: stages}``
        """
        stages = self.env["ar.collection.stage"].search([("active", "=", True)])
        if not any(stage._asks_for_proof() for stage in stages):
            return {}
        left = {}
        for case, target in targets.items():
            way = stages | case.stage_id | target
            position = {stage: (stage.sequence, stage.id) for stage in way}
            start = position.get(case.stage_id)
            end = max((position[stage] for stage in target), default=None)
            if start and end:
                left[case] = way.filtered(
                    lambda stage, start=start, end=end, position=position: (
                        start <= position[stage] < end
                    )
                )
        return left

    def _get_missing_proof(self, stages_left, date=None):
        """What each case has not done of what the stages ask for.

        :param stages_left: ``{case: stages that it wants to leave}``
        :param date: the day on which they are left; today when there is none
        :return: ``{case: {kind: number}}``, only cases that lack something
        """
        asked = {
            case: [stage._get_requirement() for stage in stages if stage._asks_for_proof()]
            for case, stages in stages_left.items()
        }
        cases = self.browse(case.id for case, wanted in asked.items() if wanted)
        made = cases._get_contacts_made()
        missing = {}
        for case in cases:
            day = date or self._get_proof_date(case.company_id)
            lacks = defaultdict(int)
            for requirement in asked[case]:
                for kind, number in missing_proof(requirement, made[case.id], day).items():
                    lacks[kind] = max(lacks[kind], number)
            if lacks:
                missing[case] = lacks
        return missing

    @api.model
    def _get_proof_date(self, company):
        """Today, or the day of the last run when that is later."""
        return max(company._ar_today(), company._ar_get_run_date())

    def _get_contacts_made(self):
        """``{case id: [(channel, day)]}`` of the contacts that took place."""
        made = defaultdict(list)
        if self:
            for case, channel, day, count in self.env["ar.collection.action"]._read_group(
                [
                    ("case_id", "in", self.ids),
                    ("state", "=", "done"),
                    ("channel", "in", self.env["ar.collection.action"]._get_contact_channels()),
                    ("date_done", "!=", False),
                ],
                ["case_id", "channel", "date_done:day"],
                ["__count"],
            ):
                made[case.id] += [(channel, fields.Date.to_date(day))] * count
        return made

    def _plan_missing_contacts(self, date):
        """Plan what these cases have not done yet and their stage asks for, unless it is planned.

        Any contact will do where only their number counts: then it is a call.
        """
        missing = self._get_missing_proof({case: case.stage_id for case in self}, date)
        for case, kinds in missing.items():
            planned = case.action_ids.filtered(lambda action: action.state == "planned")
            for channel in {KINDS[kind] or "call" for kind in kinds} - {*planned.mapped("channel")}:
                note = self.env._("Before the next step: %s", self._format_proof(kinds))
                case._plan_contact(channel, date, note)

    def _ask_what_next(self, date):
        """Tell the collectors of these cases, or the manager, that no step is left."""
        task = self.env.ref("ar_collections.activity_task")
        note = self.env._(
            "The policy has no further step for this case. Choose another policy, hand the case "
            "over, propose a write-off, or plan what comes next."
        )
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(
            [
                {
                    "res_model_id": self.env["ir.model"]._get_id(self._name),
                    "res_id": case.id,
                    "activity_type_id": task.id,
                    "automated": True,
                    "summary": self.env._("No step is left: decide"),
                    "note": plaintext2html(note),
                    "date_deadline": date,
                    "user_id": case.collector_id.id
                    or case.company_id.ar_credit_manager_id.id
                    or self.env.uid,
                }
                for case in self
            ]
        )

    @api.model
    def _get_silent_cases(self, company, date):
        """Cases of which nobody can say when or why something happens next; there are none after
        the run of the day."""
        undated = Domain("next_action_date", "=", False) | Domain("next_action_date", "<", date)
        return self.search(
            Domain("company_id", "=", company.id)
            & (
                Domain("state", "=", "paused") & Domain("pause_end", "<=", date)
                | Domain("state", "=", "open") & Domain("waiting_for", "=", False) & undated
            )
        )

    @api.model
    def _format_proof(self, missing):
        """For example ``2 × Call, 1 × Letter``."""
        if not missing:
            return False
        names = {
            "calls": self.env._("Call"),
            "letters": self.env._("Letter"),
            "visits": self.env._("Visit"),
            "contacts": self.env._("Contact"),
        }
        return ", ".join(f"{missing[kind]} × {names[kind]}" for kind in KINDS if kind in missing)

    @api.readonly
    def action_move_without_proof(self):
        """Ask a credit manager for the stage and the reason."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Move Without Proof"),
            "res_model": "ar.collection.stage.move",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_ids": self.ids},
        }

    def _move_without_proof(self, stage, reason):
        """A credit manager answers for it; the reason stays in the chatter."""
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager moves a case without proof."))
        if not (reason or "").strip():
            raise UserError(self.env._("Write down why the case goes on without proof."))
        self.check_access("write")
        missing = self._get_missing_proof(self._get_stages_left(dict.fromkeys(self, stage)))
        for case in self:
            case.with_context(ar_proof=ANSWERED).stage_id = stage
            case.message_post(
                body=self.env._(
                    "Moved to “%(stage)s” without proof (%(missing)s): %(reason)s",
                    stage=stage.name,
                    missing=self._format_proof(missing.get(case))
                    or self.env._("nothing was missing"),
                    reason=reason,
                ),
                subtype_xmlid="mail.mt_note",
            )

    # Actions

    def _pause_until(self, reason, end):
        """No contact until the end date, when the daily run opens the case again."""
        for case in self:
            if case.state != "open":
                raise ValidationError(self.env._("Only an open case can be paused."))
            if end <= case.company_id._ar_today():
                raise ValidationError(self.env._("A pause ends in the future."))
        self.check_access("write")
        self.sudo().write(
            {
                "state": "paused",
                "pause_reason": reason,
                "pause_end": end,
                "next_action_date": end,
            }
        )

    @api.readonly
    def action_pause(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pause Collection"),
            "res_model": "ar.collection.pause",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_ids": self.ids},
        }

    def action_resume(self):
        self.check_access("write")
        self.filtered(lambda case: case.state == "paused").sudo().write(
            {
                "state": "open",
                "pause_reason": False,
                "pause_end": False,
            }
        )

    @api.readonly
    def action_open_actions(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Actions"),
            "res_model": "ar.collection.action",
            "view_mode": "list,form",
            "domain": [("case_id", "=", self.id)],
        }

    @api.readonly
    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    @api.readonly
    def action_open_excluded(self):
        """The items of the customer that are excluded from follow-up."""
        self.ensure_one()
        return self.file_id.action_open_excluded()

    # Mail

    def _customer_wrote(self, message):
        """What happens when a customer answers to something of these cases.

        A hook: nothing until somebody listens.
        """

    def _mail_get_partner_fields(self, introspect_fields=False):
        # EXTENDS mail
        return ["partner_id"]

    # Closing

    def _close(self, date, reason=None):
        """Close cases, with all that is planned for them.

        :param reason: why; by default no overdue items are left, and the ledger shows the reason
        """
        common = {
            "state": "closed",
            "date_closed": date,
            "pause_reason": False,
            "pause_end": False,
            "next_action_date": False,
            "waiting_for": False,
            "last_error": False,
            **dict.fromkeys(FOLLOWED, False),
        }
        if reason:
            self.write({**common, "close_reason": reason})
        else:
            ends = self._get_ends(date)
            for (reason, day), cases in self.grouped(ends.get).items():
                cases.write({**common, "close_reason": reason, "date_closed": day})
        if self:
            self.activity_unlink(self._get_activities_of_work())
            self.action_ids.filtered(
                lambda action: (
                    action.state == "planned" or (action.state == "failed" and action.send_date)
                )
            )._cancel()
            self.file_id.filtered(lambda file: file.hold_cause == "stage")._lift_hold()
            self.file_id.filtered("hold_proposal").hold_proposal = False
            self.flush_model()

    def _get_ends(self, date):
        """Why and when each case ends: what took most off its items, on the day of the last.

        :return: ``{case: (reason, day)}``
        """
        lost = self._written_off_since_opened()
        settled = self._keep_amounts(date)
        today = {company: company._ar_today() for company in self.company_id}
        ends = {}
        for case in self:
            kinds = {kind: settled[case].get(kind, (0, None)) for kind in REASONS}
            kind = max(kinds, key=lambda kind: kinds[kind][0])
            reason = "written_off" if case in lost else kinds[kind][0] and REASONS[kind]
            last = max((day for _amount, day in kinds.values() if day), default=date)
            ends[case] = reason, max(date, min(last, today[case.company_id]))
        unmatched = self.filtered(lambda case: not ends[case][0])
        reasons = unmatched._get_open_credit_reasons()
        return ends | {case: (reasons.get(case, "cancelled"), ends[case][1]) for case in unmatched}

    @api.model
    def _get_activities_of_work(self):
        """XML ids of the activities that end with the case."""
        return sorted(
            channel.activity_type
            for channel in self.env["ar.collection.channel"]._get_channels().values()
        )

    def _keep_amounts(self, date):
        """Keep what came off the items of these cases since they were opened, by kind.

        :param date: items that were due before then are the case's
        :return: ``{case: {kind: (amount, day of the last)}}``
        """
        settled = {}
        for company, cases in self.grouped("company_id").items():
            # Who closes a case by what it books need not see the bank.
            found = self.env["ar.settlement"]._get_settled_by_kind(
                company,
                {
                    case.partner_id.id: (case.date_opened, case.booked_before or None, date)
                    for case in cases
                },
            )
            for case in cases:
                settled[case] = found.get(case.partner_id.id, {})
        for case in self:
            amounts = {
                f"amount_{name}": settled[case].get(kind, (0, None))[0]
                for kind, name in AMOUNTS.items()
            }
            if any(case[name] != amount for name, amount in amounts.items()):
                case.write(amounts)
        return settled

    def _get_open_credit_reasons(self):
        """Why cases end of which nothing is matched, but for which open credits pay.

        :return: ``{case: reason}``, ``paid`` or ``credited``; only cases with open credits
        """
        credits_ = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    *TRADE_RECEIVABLE_DOMAIN,
                    ("partner_id.commercial_partner_id", "in", self.partner_id.ids),
                    ("company_id", "child_of", self.company_id.ids),
                    ("parent_state", "=", "posted"),
                    ("amount_residual", "<", 0),
                ]
            )
        )
        money = set(credits_.filtered_domain(money_domain()).ids)
        cases = {(case.partner_id.id, case.company_id.id): case for case in self}
        reasons = {}
        for line in credits_:
            customer = line.partner_id.commercial_partner_id.id, line.company_id.root_id.id
            if case := cases.get(customer):
                if line.id in money:
                    reasons[case] = "paid"
                else:
                    reasons.setdefault(case, "credited")
        return reasons
