from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..figures.trade_receivable import is_trade_receivable
from .writeoff_watched import BOOKED, RECOVERY_ACTIVITY

MANAGER = "ar_collections.group_credit_manager"
ACCOUNTING = "account.group_account_invoice"
ACTIVITY = "ar_collections.activity_writeoff"
STATES = [
    ("draft", "Draft"),
    ("submitted", "To Approve"),
    ("approved", "Approved"),
    ("posted", "Posted"),
    ("recovered", "Recovered"),
    ("refused", "Refused"),
    ("cancelled", "Cancelled"),
    ("reversed", "Reversed"),
]
# A change of these fields needs new approvals.
APPROVED_FIELDS = ("reason_id", "line_ids", "partner_id", "company_id", "kind")
# Marks that the customer of a request became another one: nothing was changed of the request.
MOVED = object()
# States in which a request is worked on, or waits for a decision.
EDITABLE = ("draft", "refused")
WAITING = ("submitted", "approved")


class ArWriteoffRequest(models.Model):
    """Giving up open items of a customer: asked for by one, approved by others, then booked.

    Amounts are in company currency; the lines are in the currency of their items. A request over
    many small balances has no customer of its own.
    """

    _name = "ar.writeoff.request"
    _inherit = [
        "ar.numbered.mixin",
        "ar.state.mixin",
        "ar.four.eyes.mixin",
        "ar.writeoff.watched",
        "ar.case.record",
        "mail.activity.mixin",
        "ar.writeoff.settled",
    ]
    _description = "Write-off Request"
    _order = "id desc"
    _number_prefix = "WO"
    _creation_fields = ("partner_id", "company_id", "case_id", "currency_id", "kind")
    # Whoever typed it in for a colleague asks for it, too.
    _asker_fields = ("user_id", "submitter_id", "create_uid", "author_ids")

    partner_id = fields.Many2one(required=False)
    kind = fields.Selection(
        [
            ("customer", "One customer"),
            ("small", "Small balances"),
            ("credit", "Small credit balances"),
        ],
        default="customer",
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one(string="Requested By", readonly=True)
    collector_id = fields.Many2one(
        "res.users",
        compute="_compute_collector_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    reason_id = fields.Many2one(
        "ar.writeoff.reason",
        required=True,
        tracking=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    reason_help = fields.Text(related="reason_id.description", string="When It Applies")
    tax_treatment = fields.Selection(related="reason_id.tax_treatment")
    state = fields.Selection(
        STATES,
        string="Status",
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        group_expand="_read_group_states",
    )
    line_ids = fields.One2many("ar.writeoff.request.line", "request_id", string="Items")
    line_count = fields.Integer(
        string="Number of Items", compute="_compute_amount_total", store=True
    )
    amount_total = fields.Monetary(
        string="Amount", compute="_compute_amount_total", store=True, tracking=True
    )
    note = fields.Text(
        string="Explanation",
        help="What was tried, and why nothing more will come.",
        tracking=True,
    )
    evidence_ids = fields.One2many("ar.writeoff.evidence", "request_id")
    risk_score = fields.Integer(readonly=True, copy=False, tracking=True, aggregator="avg")
    is_high_risk = fields.Boolean(string="High Risk", readonly=True, copy=False)
    # [[code, points, values]]
    risk_causes = fields.Json(readonly=True, copy=False)
    approval_ids = fields.One2many(
        "ar.writeoff.approval", "request_id", string="Decisions", readonly=True, copy=False
    )
    # Counts submissions and changes after them: approvals count in their own version only.
    round = fields.Integer(string="Version", readonly=True, copy=False)
    submitter_id = fields.Many2one("res.users", string="Submitted By", readonly=True, copy=False)
    author_ids = fields.Many2many(
        "res.users",
        "ar_writeoff_request_author_rel",
        string="Written By",
        readonly=True,
        copy=False,
        help="Who chose items, amounts or the reason: somebody else approves them.",
    )
    tier_ids = fields.Many2many(
        "ar.writeoff.tier",
        string="Tiers of the Request",
        readonly=True,
        copy=False,
        help="The tiers at the time of submission: what is added later is for later requests.",
    )
    date_submitted = fields.Date(string="Submitted On", readonly=True, copy=False)
    deadline = fields.Date(string="Decide Until", readonly=True, copy=False, index="btree_not_null")
    date_reminded = fields.Date(string="Reminded On", readonly=True, copy=False)
    date_approved = fields.Date(string="Approved On", readonly=True, copy=False)
    approver_ids = fields.Many2many(
        "res.users",
        "ar_writeoff_request_approver_rel",
        string="May Approve Now",
        readonly=True,
        copy=False,
    )
    decision_note = fields.Text(string="Reason of the Decision", copy=False)
    # The customer at the time of submission: a merge of customers does not change it.
    submitted_partner = fields.Integer(readonly=True, copy=False)

    # Made of our own templates, whose styles a sanitizer would drop.
    risk_html = fields.Html(
        string="Causes of the Risk", compute="_compute_risk_html", sanitize=False
    )

    timeline_html = fields.Html(
        string="Approvals", compute="_compute_timeline_html", sanitize=False
    )
    approval_status = fields.Char(string="Approved by", compute="_compute_approval_status")
    may_approve = fields.Boolean(compute="_compute_may_approve")

    # The entry

    date = fields.Date(
        string="Accounting Date",
        default=lambda self: self.env.company._ar_today(),
        copy=False,
        tracking=True,
    )
    posting_date = fields.Date(
        string="Will Be Posted On",
        compute="_compute_posting_date",
        help="The accounting date, or the first day after it that is not locked.",
    )
    is_date_moved = fields.Boolean(compute="_compute_posting_date")
    amount_unallocated = fields.Monetary(related="file_id.unallocated")
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    move_company_id = fields.Many2one(
        "res.company", string="Booked In", compute="_compute_move_company_id"
    )
    reversal_id = fields.Many2one(
        "account.move",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    date_posted = fields.Date(string="Posted On", readonly=True, copy=False, index=True)
    poster_id = fields.Many2one("res.users", string="Posted By", readonly=True, copy=False)
    amount_allowance = fields.Monetary(
        string="Covered by the Allowance",
        readonly=True,
        copy=False,
        help="The rest was booked as a loss.",
    )

    _submitted = models.Constraint(
        "CHECK(state NOT IN ('submitted', 'approved') OR round > 0)",
        "A request is submitted before it is approved.",
    )
    _customer = models.Constraint(
        "CHECK(kind <> 'customer' OR partner_id IS NOT NULL)", "Choose the customer."
    )
    _booked = models.Constraint(
        "CHECK(state NOT IN ('posted', 'recovered', 'reversed') OR move_id IS NOT NULL)",
        "A request is posted by its journal entry.",
    )

    @api.depends("case_id", "file_id")
    def _compute_collector_id(self):
        for request in self.sudo():
            request.collector_id = request.case_id.collector_id or request.file_id.collector_id

    @api.depends("line_ids.amount_company")
    def _compute_amount_total(self):
        for request in self:
            request.line_count = len(request.line_ids)
            # Sums of thousands of amounts are rounded once more.
            request.amount_total = request.currency_id.round(
                sum(request.line_ids.mapped("amount_company"))
            )

    @api.model
    def _read_group_states(self, states, domain):
        """Groups in the order of the work; those without requests stay away."""
        return [state for state, _label in STATES if state in states]

    def _compute_risk_html(self):
        for request in self:
            request.risk_html = self.env["ir.qweb"]._render(
                "ar_collections.writeoff_risk",
                {
                    "score": request.risk_score,
                    "is_high": request.is_high_risk,
                    "causes": request._get_risk_texts(),
                },
            )

    def _compute_timeline_html(self):
        for request in self.sudo():
            request.timeline_html = self.env["ir.qweb"]._render(
                "ar_collections.writeoff_timeline",
                {
                    "is_undecided": request.state in ("draft", "submitted", "refused"),
                    "steps": self.env["ar.writeoff.routing"]._get_steps(request),
                },
            )

    @api.depends("approval_ids", "round", "amount_total", "is_high_risk", "company_id")
    def _compute_approval_status(self):
        for company, requests in self.sudo().grouped("company_id").items():
            tiers = self.env["ar.writeoff.tier"]._get_tiers(company)
            for request in requests:
                progress = self.env["ar.writeoff.routing"]._get_progress(request, tiers)
                request.approval_status = self.env._(
                    "%(given)s of %(needed)s",
                    given=sum(min(len(given), need.approvals) for need, given in progress),
                    needed=sum(need.approvals for need, _given in progress),
                )

    @api.depends_context("uid")
    def _compute_may_approve(self):
        for request in self:
            request.may_approve = not request._get_cannot_approve_reason()

    @api.depends("line_ids.move_line_id")
    def _compute_move_company_id(self):
        for request in self.sudo():
            # Items of one branch are written off in its books.
            companies = request.line_ids.move_line_id.company_id
            request.move_company_id = companies if len(companies) == 1 else request.company_id

    @api.depends("date", "line_ids", "reason_id")
    def _compute_posting_date(self):
        for request in self.sudo():
            company = request.move_company_id or request.company_id
            day = request.date or company._ar_today()
            journal = self.env["ar.writeoff.booking"]._get_journal(company)
            with_tax = request.reason_id._gives_tax_back(company)
            move = self.env["account.move"].new(
                {"move_type": "entry", "journal_id": journal.id, "company_id": company.id}
            )
            locks = company._get_violated_lock_dates(day, with_tax, journal)
            request.posting_date = move._get_accounting_date(day, with_tax, locks) if locks else day
            request.is_date_moved = request.posting_date != day

    @api.constrains("company_id", "partner_id", "line_ids")
    def _check_items(self):
        self.line_ids._check_item()

    # CRUD

    def _get_number_date(self):
        # EXTENDS ar_collections: the accounting date may be any other
        return self.company_id._ar_today()

    @api.model_create_multi
    def create(self, vals_list):
        requests = super().create(vals_list)
        requests.filtered(lambda request: not request.evidence_ids)._list_evidence()
        self.env["ar.writeoff.assessment"]._assess_risk(requests)
        return requests

    def write(self, vals):
        changed = not vals.keys().isdisjoint(APPROVED_FIELDS)
        changed = changed and self.env.context.get("ar_moved") is not MOVED
        if changed:
            self._before_change()
        if "date" in vals:
            self._check_date_change()
        former = {request: request.reason_id for request in self}
        result = super().write(vals)
        if "reason_id" in vals:
            self.filtered(lambda request: request.reason_id != former[request])._list_evidence()
        if changed:
            self.env["ar.writeoff.assessment"]._assess_risk(self)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_drafts(self):
        for request in self:
            if request.state != "draft" or request.round:
                raise UserError(
                    self.env._("%s has been submitted: cancel it instead.", request.name)
                )

    def _before_change(self):
        """What was approved is not what it becomes: the request starts again, by who may."""
        if self._is_settling():
            return
        self.check_access("write")
        self._check_not_offered()
        for request in self:
            if request.state in (*BOOKED, "reversed", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(request)s has the status “%(state)s”: items, amounts and reason stay.",
                        request=request.name,
                        state=request._get_state_label(),
                    )
                )
        waiting = self.filtered(lambda request: request.state in WAITING)
        for request in waiting:
            request._check_mine()
        waiting._send_back(
            self.env._("Changed after it was submitted: approvals so far do not count any more.")
        )
        self.sudo().author_ids = [Command.link(self.env.uid)]

    def _check_date_change(self):
        """When it is booked is for those who book it, as soon as it is approved."""
        for request in self:
            if request.state in (*BOOKED, "reversed", "cancelled"):
                request._check_state(*EDITABLE, *WAITING)
            if request.state in WAITING:
                request._check_accounting()

    def _list_evidence(self):
        """Put the checklist of the reason in the request; papers with files stay."""
        for request in self:
            wanted = request.reason_id.evidence_ids
            kept = request.evidence_ids.filtered("attachment_ids")
            (request.evidence_ids - kept).unlink()
            request.evidence_ids = [
                Command.create({"name": paper.name, "required": paper.required})
                for paper in wanted
                if paper.name not in kept.mapped("name")
            ]

    # Buttons

    def action_submit(self):
        """Ask for the approvals; from here on every change starts them again.

        :raises UserError: something is missing that the reason asks for without exceptions
        """
        self.check_access("write")
        for request in self:
            request._check_state(*EDITABLE)
            request._check_complete()
            asked = request.sudo()
            company = asked.company_id
            today = company._ar_today()
            for line in asked.line_ids:
                line.residual_submitted = line.residual
            asked.line_ids._compute_amount_company()
            asked.write(
                {
                    "state": "submitted",
                    "round": request.round + 1,
                    "submitter_id": self.env.uid,
                    "tier_ids": [Command.set(self.env["ar.writeoff.tier"]._get_tiers(company).ids)],
                    "date_submitted": today,
                    "deadline": today + timedelta(days=company.ar_writeoff_days),
                    "date_reminded": False,
                    "date_approved": False,
                    "decision_note": False,
                    "submitted_partner": request.partner_id.id,
                }
            )
            self.env["ar.writeoff.assessment"]._assess_risk(asked)
            self.env["ar.writeoff.routing"]._ask_approvers(asked)
        return True

    def action_approve(self):
        """Approve in the tier whose turn it is; the last approval lets it be posted.

        :raises UserError: own request, second approval, another tier's turn, stale figures
        """
        self.check_access("read")
        self.lock_for_update(allow_referencing=True)
        for request in self:
            asked = request.sudo()
            if request.state == "submitted":
                # The customer may have paid since; then it is riskier than it was.
                self.env["ar.writeoff.assessment"]._assess_risk(asked)
            if reason := request._get_cannot_approve_reason():
                raise UserError(reason)
            asked._check_unchanged()
            asked._write_decision("approved")
            if asked._get_turn():
                self.env["ar.writeoff.routing"]._ask_approvers(asked)
            else:
                asked.write(
                    {
                        "state": "approved",
                        "date_approved": asked.company_id._ar_today(),
                        "approver_ids": [Command.clear()],
                    }
                )
                asked._tell_askers(asked._get_approved_text())
        return True

    def action_refuse(self):
        """Send the request back; the reason is in the decision note.

        :raises UserError: as in :meth:`action_approve`, or without a reason
        """
        for request in self:
            request._refuse_request(request.decision_note)
        return True

    @api.readonly
    def action_open_refuse(self):
        """Ask for the reason of the refusal."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refuse Write-off"),
            "res_model": "ar.writeoff.refuse",
            "view_mode": "form",
            "target": "new",
            "context": {"default_request_id": self.id},
        }

    def action_draft(self):
        """Take the request back to work on it; approvals so far do not count any more."""
        self.check_access("write")
        for request in self:
            request._check_state("submitted", "approved", "refused")
            request._check_mine()
            request._check_not_offered()
        self._send_back(self.env._("Taken back to draft."))
        return True

    def action_cancel(self):
        """Give the request up; what was decided stays on record."""
        self.check_access("write")
        for request in self:
            request._check_state(*EDITABLE, *WAITING)
            request._check_mine()
            request._check_not_offered()
        self.sudo().write({"state": "cancelled", "approver_ids": [Command.clear()]})
        self.sudo().activity_unlink([ACTIVITY])
        return True

    def action_post(self):
        """Book an approved request with the rights of the user, and settle its items by it.

        :raises UserError: not approved, or something changed since; nothing is booked then
        """
        self._check_accounting()
        # Of two who post at once one gets the lock; the other is told that somebody else has it.
        self.lock_for_update(allow_referencing=True)
        for request in self:
            request._check_state("approved")
            request._check_paid_up()
            request.sudo()._check_unchanged()
            self.env["ar.writeoff.booking"]._book_request(request)
        return True

    def action_reverse(self):
        """Undo the write-off: its items are open again, and so is the case.

        :raises UserError: not posted, or the customer has paid part of it since
        """
        self._check_accounting()
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager reverses a write-off."))
        self.lock_for_update(allow_referencing=True)
        for request in self:
            request._check_state("posted", "recovered")
            if request.recovery_ids.filtered(lambda recovery: recovery.state == "posted"):
                raise UserError(
                    self.env._(
                        "The customer has paid part of %s: reverse its recoveries first.",
                        request.name,
                    )
                )
            today = request.company_id._ar_today()
            reversal = request.move_id._ar_reverse_booked(
                today, self.env._("Reversal of %s", request.name)
            )
            booked = request.sudo()
            booked.write({"state": "reversed", "reversal_id": reversal.id})
            booked._after_booking()
            booked._message_log(
                body=self.env._("Reversed by %s.", reversal._get_html_link(title=reversal.name))
            )
        return True

    @api.readonly
    @api.model
    def action_possible_recoveries(self):
        """List the payments that may be for something that was written off."""
        self.check_access("read")
        return self.env["ar.writeoff.recovery.booking"]._get_possible_window()

    # Screens

    @api.readonly
    def action_open_case(self):
        self.ensure_one()
        return self.case_id._get_records_action()

    @api.readonly
    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    @api.readonly
    def action_open_items(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Items of %s", self.name),
            "res_model": "ar.writeoff.request.line",
            "view_mode": "list",
            "domain": [("request_id", "=", self.id)],
        }

    @api.readonly
    def action_open_entry(self):
        self.ensure_one()
        return (self.move_id | self.reversal_id)._get_records_action(
            name=self.env._("Journal Entries")
        )

    @api.readonly
    def action_open_recoveries(self):
        self.ensure_one()
        return self.recovery_ids.move_id._get_records_action(name=self.env._("Recoveries"))

    # What a button needs

    @api.model
    def _create_for_items(self, items, reason=None):
        """Draft a request over open items of one customer.

        :param items: receivable journal items
        :return: the request
        :raises ValidationError: nothing is open, or of several customers or companies
        """
        items = items.filtered(
            lambda item: (
                is_trade_receivable(item)
                and item.parent_state == "posted"
                and not item.reconciled
                and item.amount_residual > 0
            )
        )
        customers = items.partner_id.commercial_partner_id
        companies = items.company_id.root_id
        if not items:
            raise ValidationError(self.env._("There is nothing open to write off."))
        if len(customers) != 1 or len(companies) != 1:
            raise ValidationError(
                self.env._("A request is for one customer of one company: choose its items only.")
            )
        reason = reason or self.env["ar.writeoff.reason"]._get_proposed(companies, "customer")
        return self.create(
            {
                "partner_id": customers.id,
                "company_id": companies.id,
                "reason_id": reason.id,
                "line_ids": [
                    Command.create(
                        {"move_line_id": item.id, "amount": item.amount_residual_currency}
                    )
                    for item in items
                ],
            }
        )

    def _check_complete(self):
        self.ensure_one()
        if not self.line_ids:
            raise UserError(self.env._("Choose the items to write off."))
        self.line_ids._check_item()
        self.line_ids._check_waits_once()
        tiers = self.env["ar.writeoff.tier"]._get_tiers(self.company_id)
        if not tiers._get_needed(self.amount_total, False):
            raise UserError(
                self.env._("No approval tier covers this amount: an accountant adds one first.")
            )
        if self.reason_id.is_strict:
            missing = self.env["ar.writeoff.assessment"]._get_missing_texts(self)
            if missing:
                raise UserError(
                    self.env._(
                        "“%(reason)s” has no exceptions. %(texts)s",
                        reason=self.reason_id.name,
                        texts=" ".join(missing),
                    )
                )

    def _check_unchanged(self):
        """What was approved is still what is open."""
        self.ensure_one()
        texts = [text for line in self.line_ids if (text := line._get_change_text())]
        if self.partner_id.id != self.submitted_partner:
            texts.insert(0, self.env._("The customer was merged into another one."))
        if texts:
            raise UserError(
                self.env._(
                    "%(request)s is not what was submitted any more: take it back to draft, "
                    "correct and submit it again.\n%(texts)s",
                    request=self.name,
                    texts="\n".join(f"- {text}" for text in texts[:10]),
                )
            )

    def _check_mine(self):
        if self.env.user not in self._get_askers() and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only %s or a credit manager can do that.", self._get_asker_names())
            )

    def _check_accounting(self):
        self.check_access("read")
        if not self.env.user.has_group(ACCOUNTING):
            raise AccessError(self.env._("Journal entries are made by accounting users."))

    # Who approves

    def _get_turn(self):
        """The tier whose turn it is, ``None`` when all approvals are there."""
        routing = self.env["ar.writeoff.routing"]
        return routing._get_current(routing._get_progress(self))

    def _get_cannot_approve_reason(self):
        """Why the user may not decide on the request now; empty when they may."""
        self.ensure_one()
        if self.state != "submitted":
            return self.env._(
                "%(request)s has the status “%(state)s”: it is decided after it was submitted.",
                request=self.name,
                state=self._get_state_label(),
            )
        if reason := self._get_own_request_reason():
            return reason
        user = self.env.user
        approvals = self.sudo().approval_ids.filtered("is_valid")
        if user in approvals.user_id | approvals.on_behalf_id:
            return self.env._("You have approved %s already.", self.name)
        turn = self._get_turn()
        if not turn or user not in self.env["ar.writeoff.routing"]._get_approvers(self, turn.tier):
            return self.env._(
                "It is the turn of “%(tier)s” to approve %(request)s, and you are not one of them.",
                tier=turn.tier.name if turn else "",
                request=self.name,
            )
        return ""

    def _write_decision(self, decision, note=False):
        """Write down what the user decides in the tier whose turn it is, for ever."""
        self.ensure_one()
        tier = self._get_turn().tier
        approvers = self.env["ar.writeoff.routing"]._get_approvers(self, tier)
        approval = self.env["ar.writeoff.approval"]._write_down(
            self, decision, tier, on_behalf=approvers[self.env.user], note=note
        )
        self.invalidate_recordset(["approval_ids"])
        self.activity_unlink([ACTIVITY])
        self._message_log(body=approval._get_log())

    def _refuse_request(self, note):
        """Refuse the request with a reason; the button and the wizard pass here.

        :raises UserError: the user may not decide, or gives no reason
        """
        self.ensure_one()
        self.check_access("read")
        self.lock_for_update(allow_referencing=True)
        if reason := self._get_cannot_approve_reason():
            raise UserError(reason)
        note = (note or "").strip()
        if not note:
            raise UserError(self.env._("Write down why you refuse the write-off."))
        request = self.sudo()
        request._write_decision("refused", note=note)
        request.write(
            {"state": "refused", "decision_note": note, "approver_ids": [Command.clear()]}
        )
        request._tell_askers(self.env._("Refused: %s", note))

    def _send_back(self, text):
        """To draft: the next submission begins without approvals."""
        requests = self.sudo()
        for request in requests:
            request.write(
                {"state": "draft", "round": request.round + 1, "approver_ids": [Command.clear()]}
            )
            request._message_log(body=text)
        requests.activity_unlink([ACTIVITY])

    # Activities

    def _get_risk_texts(self):
        """The causes of the risk: ``[(text, points)]``."""
        return self.env["ar.writeoff.assessment"]._get_cause_texts(self)

    def _tell_askers(self, text):
        self.activity_unlink([ACTIVITY])
        askers = self._get_askers()
        for user in askers._ar_at_work(self.company_id, None) or askers._ar_or_next(
            self.company_id
        ):
            self.activity_schedule(
                ACTIVITY, self.company_id._ar_today(), summary=text, user_id=user.id
            )

    # After booking

    def _after_booking(self):
        self.activity_unlink([ACTIVITY, RECOVERY_ACTIVITY])
        self.env["ar.credit.file"]._refresh_writeoffs(self.file_id)

    # The daily run

    @api.model
    def _run_daily(self, company, date):
        """The part of the daily run: approvers, recoveries, what is ripe."""
        self.env["ar.writeoff.routing"]._follow_requests(company, date)
        self.env["ar.writeoff.recovery.booking"]._propose_recoveries(company, date)
        self.env["ar.collection.case"]._propose_writeoffs(company, date)

    def _mail_get_partner_fields(self, introspect_fields=False):
        # EXTENDS mail
        return ["partner_id"]
