from datetime import timedelta

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from .writeoff_approval import DECIDED
from .writeoff_request import EDITABLE, WAITING

MANAGER = "ar_collections.group_credit_manager"
ACTIVITY = "ar_collections.activity_writeoff"
# An approver is reminded again after so many days.
REMIND_DAYS = 3


class ArWriteoffRequest(models.Model):
    """Who asks, who approves, and what follows from it."""

    _inherit = "ar.writeoff.request"

    timeline_html = fields.Html(
        string="Approvals", compute="_compute_timeline_html", sanitize=False
    )
    approval_status = fields.Char(string="Approved by", compute="_compute_approval_status")
    may_approve = fields.Boolean(compute="_compute_may_approve")

    def _compute_timeline_html(self):
        for request in self.sudo():
            progress = request._progress()
            current = request._current(progress)
            request.timeline_html = self.env["ir.qweb"]._render(
                "ar_collections.writeoff_timeline",
                {
                    "is_undecided": request.state in ("draft", "submitted", "refused"),
                    "steps": [
                        {
                            "name": need.tier.name,
                            "needed": need.approvals,
                            "given": given,
                            "is_current": need == current and request.state == "submitted",
                            "users": request._approvers(need.tier),
                        }
                        for need, given in progress
                    ],
                },
            )

    @api.depends("approval_ids", "round", "amount_total", "is_high_risk", "company_id")
    def _compute_approval_status(self):
        for company, requests in self.sudo().grouped("company_id").items():
            tiers = self.env["ar.writeoff.tier"]._of(company)
            for request in requests:
                progress = request._progress(tiers)
                request.approval_status = self.env._(
                    "%(given)s of %(needed)s",
                    given=sum(min(len(given), need.approvals) for need, given in progress),
                    needed=sum(need.approvals for need, _given in progress),
                )

    @api.depends_context("uid")
    def _compute_may_approve(self):
        for request in self:
            request.may_approve = not request._why_not_approve()

    # Who approves

    def _progress(self, tiers=None):
        """The tiers of the request, each with its approvals that count.

        :param tiers: those of the company, when they are known
        :return: ``[(Needed, ar.writeoff.approval)]`` in order
        """
        self.ensure_one()
        request = self.sudo()
        given = request.approval_ids.filtered(
            lambda approval: approval.is_valid and approval.decision == "approved"
        )
        if tiers is None:
            tiers = self.env["ar.writeoff.tier"]._of(request.company_id)
        return [
            (need, given.filtered(lambda approval, tier=need.tier: approval.tier_id == tier))
            for need in tiers._needed(request.amount_total, request.is_high_risk)
        ]

    @api.model
    def _current(self, progress):
        """The first tier that has not got all its approvals, ``None`` when all have."""
        return next((need for need, given in progress if len(given) < need.approvals), None)

    def _approvers(self, tier):
        """``{user: on whose behalf}`` of those who may approve in a tier; empty for themselves."""
        request = self.sudo()
        approvals = request.approval_ids.filtered("is_valid")
        barred = self._askers() | approvals.user_id | approvals.on_behalf_id
        holders = tier._holders(request.company_id) - barred
        approvers = {user: user.browse() for user in holders}
        delegates = self.env["ar.writeoff.delegation"]._delegates(
            holders, request.company_id._ar_today()
        )
        for delegate, users in delegates.items():
            if delegate not in barred | holders and delegate._is_internal():
                approvers[delegate] = users[:1]
        return approvers

    def _askers(self):
        """Whoever asks for the write-off in one way or another."""
        request = self.sudo()
        return request.user_id | request.submitter_id | request.create_uid

    def _why_not_approve(self):
        """Why the user may not decide on the request now; empty when they may."""
        self.ensure_one()
        if self.state != "submitted":
            return self.env._(
                "%(request)s is %(state)s: it is decided after it was submitted.",
                request=self.name,
                state=self._state_label().lower(),
            )
        user = self.env.user
        if user in self._askers():
            return self.env._(
                "Four eyes see more than two: nobody approves their own request, %s.", self.name
            )
        approvals = self.sudo().approval_ids.filtered("is_valid")
        if user in approvals.user_id | approvals.on_behalf_id:
            return self.env._("You have approved %s already.", self.name)
        current = self._current(self._progress())
        if not current or user not in self._approvers(current.tier):
            return self.env._(
                "It is the turn of “%(tier)s” to approve %(request)s, and you are not one of them.",
                tier=current.tier.name if current else "",
                request=self.name,
            )
        return ""

    @api.model
    def _refresh_approvers(self, company=None):
        """Who may approve changes with delegations and groups: bring it to today."""
        domain = [("state", "=", "submitted")]
        if company:
            domain.append(("company_id", "=", company.id))
        for request in self.sudo().search(domain):
            current = request._current(request._progress())
            users = self.env["res.users"].union(
                *(request._approvers(current.tier) if current else ())
            )
            if request.approver_ids != users:
                request.approver_ids = users

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
                    "date_submitted": today,
                    "deadline": today + timedelta(days=company.ar_writeoff_days),
                    "date_reminded": False,
                    "date_approved": False,
                    "decision_note": False,
                    "submitted_partner": request.partner_id.id,
                }
            )
            asked._assess()
            asked._ask()
        return True

    def _check_state(self, *states):
        if self.state not in states:
            raise UserError(
                self.env._(
                    "%(request)s is %(state)s.",
                    request=self.name,
                    state=self._state_label().lower(),
                )
            )

    def _check_complete(self):
        if not self.line_ids:
            raise UserError(self.env._("Choose the items to write off."))
        self.line_ids._check_item()
        twice = self.line_ids.sudo().search(
            [
                ("move_line_id", "in", self.line_ids.move_line_id.ids),
                ("request_id", "!=", self.id),
                ("state", "in", WAITING),
            ],
            limit=1,
        )
        if twice:
            raise UserError(
                self.env._(
                    "%(item)s is in %(request)s already, which waits to be decided or posted.",
                    item=twice.display_name,
                    request=twice.request_id.name,
                )
            )
        if not self.env["ar.writeoff.tier"]._of(self.company_id)._needed(self.amount_total, False):
            raise UserError(
                self.env._("No approval tier covers this amount: an accountant adds one first.")
            )
        if self.reason_id.is_strict:
            self._check_strict()

    def _check_strict(self):
        company, reason = self.company_id, self.reason_id
        facts = self.sudo()._facts(company, company._ar_today())[self.sudo()]
        missing = self.evidence_ids.filtered("is_missing")
        texts = []
        if missing:
            texts.append(
                self.env._("Attach these papers first: %s.", ", ".join(missing.mapped("name")))
            )
        if reason.minimum_age and (facts.days_overdue or 0) < reason.minimum_age:
            texts.append(self.env._("Every item must be overdue for %s days.", reason.minimum_age))
        if facts.contacts is not None and facts.contacts < reason.minimum_contacts:
            texts.append(
                self.env._(
                    "Contact the customer %(needed)s times first; so far it was %(made)s.",
                    needed=reason.minimum_contacts,
                    made=facts.contacts,
                )
            )
        if texts:
            raise UserError(
                self.env._(
                    "“%(reason)s” has no exceptions. %(texts)s",
                    reason=reason.name,
                    texts=" ".join(texts),
                )
            )

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
                asked._assess()
            if reason := request._why_not_approve():
                raise UserError(reason)
            asked._check_unchanged()
            current = request._current(request._progress())
            asked._decide(
                "approved", current.tier, on_behalf=request._approvers(current.tier)[self.env.user]
            )
            if request._current(request._progress()):
                asked._ask()
            else:
                asked.write(
                    {
                        "state": "approved",
                        "date_approved": asked.company_id._ar_today(),
                        "approver_ids": [Command.clear()],
                    }
                )
                asked._tell_askers(self.env._("Approved: it can be posted"))
        return True

    def action_refuse(self):
        """Send the request back; the reason is in the decision note.

        :raises UserError: as in :meth:`action_approve`, or without a reason
        """
        for request in self:
            request._refuse(request.decision_note)
        return True

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

    def _refuse(self, note):
        self.ensure_one()
        self.check_access("read")
        self.lock_for_update(allow_referencing=True)
        if reason := self._why_not_approve():
            raise UserError(reason)
        if not (note or "").strip():
            raise UserError(self.env._("Write down why you refuse the write-off."))
        request = self.sudo()
        current = self._current(self._progress())
        request._decide(
            "refused",
            current.tier,
            on_behalf=self._approvers(current.tier)[self.env.user],
            note=note.strip(),
        )
        request.write(
            {
                "state": "refused",
                "decision_note": note.strip(),
                "approver_ids": [Command.clear()],
            }
        )
        request._tell_askers(self.env._("Refused: %s", note.strip()))

    def action_draft(self):
        """Take the request back to work on it; approvals so far do not count any more."""
        self.check_access("write")
        for request in self:
            request._check_state("submitted", "approved", "refused")
            request._check_mine()
        self._send_back(self.env._("Taken back to draft."))
        return True

    def action_cancel(self):
        """Give the request up; what was decided stays on record."""
        self.check_access("write")
        for request in self:
            request._check_state(*EDITABLE, *WAITING)
            request._check_mine()
        self.sudo().write({"state": "cancelled", "approver_ids": [Command.clear()]})
        self.sudo().activity_unlink([ACTIVITY])
        return True

    def _check_mine(self):
        if self.env.user not in self._askers() and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._(
                    "Only %s or a credit manager can do that.",
                    ", ".join(self._askers().mapped("name")),
                )
            )

    def _send_back(self, text):
        """To draft: the next submission begins without approvals."""
        requests = self.sudo()
        for request in requests:
            request.write(
                {"state": "draft", "round": request.round + 1, "approver_ids": [Command.clear()]}
            )
            request._message_log(body=text)
        requests.activity_unlink([ACTIVITY])

    def _decide(self, decision, tier, on_behalf, note=False):
        """Write down a decision that was checked, for ever."""
        self.env["ar.writeoff.approval"].with_context(ar_writeoff_decision=DECIDED).create(
            {
                "request_id": self.id,
                "company_id": self.company_id.id,
                "tier_id": tier.id,
                "tier_name": tier.name,
                "user_id": self.env.uid,
                "on_behalf_id": on_behalf.id,
                "decision": decision,
                "note": note,
                "date": fields.Datetime.now(),
                "round": self.round,
                "amount": self.amount_total,
                "risk_score": self.risk_score,
            }
        )
        self.invalidate_recordset(["approval_ids"])
        self.activity_unlink([ACTIVITY])
        who = self.env.user.name
        if on_behalf:
            who = self.env._("%(user)s on behalf of %(other)s", user=who, other=on_behalf.name)
        label = dict(
            self.env["ar.writeoff.approval"]._fields["decision"]._description_selection(self.env)
        )[decision]
        body = Markup("<b>%s</b>: %s (%s)") % (label, who, tier.name)
        if note:
            body += Markup("<br/>%s") % note
        self._message_log(body=body)

    # Activities

    def _ask(self):
        """Ask those whose turn it is."""
        current = self._current(self._progress())
        users = self.env["res.users"].union(*self._approvers(current.tier))
        self.approver_ids = users
        self.activity_unlink([ACTIVITY])
        for user in users:
            self.activity_schedule(
                ACTIVITY,
                self.deadline,
                summary=self.env._("Approve the write-off"),
                user_id=user.id,
            )

    def _tell_askers(self, text):
        self.activity_unlink([ACTIVITY])
        for user in self._askers().filtered("active"):
            self.activity_schedule(
                ACTIVITY, self.company_id._ar_today(), summary=text, user_id=user.id
            )

    @api.model
    def _remind_due(self, company, date):
        """Tell approvers of requests that were not decided in time, every few days.

        :return: the requests
        """
        requests = self.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "submitted"),
                ("deadline", "<", date),
                "|",
                ("date_reminded", "=", False),
                ("date_reminded", "<=", date - timedelta(days=REMIND_DAYS)),
            ]
        )
        for request in requests:
            request.message_notify(
                partner_ids=request.approver_ids.partner_id.ids,
                subject=self.env._("Write-off %s waits for your decision", request.name),
                body=self.env._(
                    "%(request)s was to be decided until %(deadline)s.",
                    request=request.display_name,
                    deadline=format_date(self.env, request.deadline),
                ),
            )
        requests.date_reminded = date
        return requests

    @api.model
    def _run_daily(self, company, date):
        """The part of the daily run: approvers, reminders, possible recoveries."""
        self._refresh_approvers(company)
        self._remind_due(company, date)
        self._propose_recoveries(company, date)
