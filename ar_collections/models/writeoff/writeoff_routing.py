from datetime import timedelta

from odoo import api, models
from odoo.tools import format_date

from .writeoff_request import ACTIVITY, WAITING


class ArWriteoffRouting(models.AbstractModel):
    """Who approves a write-off now: tier after tier, delegates in the place of who is away."""

    _name = "ar.writeoff.routing"
    _description = "Routing of Write-off Approvals"

    @api.model
    def _get_progress(self, request, tiers=None):
        """The tiers of a request, each with its approvals that count.

        :param tiers: those of the company now, when they are known
        :return: ``[(Needed, ar.writeoff.approval)]`` in order
        """
        request = request.sudo()
        given = request.approval_ids.filtered(
            lambda approval: approval.is_valid and approval.decision == "approved"
        )
        submitted = request.with_context(active_test=False).tier_ids
        if request.state in WAITING and submitted:
            # Archived tiers go on approving, archived users do not.
            tiers = submitted.with_context(active_test=True)
        elif tiers is None:
            tiers = self.env["ar.writeoff.tier"]._get_tiers(request.company_id)
        return [
            (need, given.filtered(lambda approval, tier=need.tier: approval.tier_id == tier))
            for need in tiers._get_needed(request.amount_total, request.is_high_risk)
        ]

    @api.model
    def _get_current(self, progress):
        """The first tier that has not got all its approvals, ``None`` when all have."""
        return next((need for need, given in progress if len(given) < need.approvals), None)

    @api.model
    def _get_steps(self, request):
        """The way of a request for its form: one dict per tier."""
        progress = self._get_progress(request)
        current = self._get_current(progress)
        return [
            {
                "name": need.tier.name,
                "needed": need.approvals,
                "given": given,
                "is_current": need == current and request.state == "submitted",
                "users": self._get_approvers(request, need.tier),
                "gone": need.tier._get_gone(request.company_id),
            }
            for need, given in progress
        ]

    @api.model
    def _get_approvers(self, request, tier):
        """``{user: on whose behalf}`` of those who may approve in a tier; empty for themselves."""
        request = request.sudo()
        approvals = request.approval_ids.filtered("is_valid")
        barred = request._get_askers() | approvals.user_id | approvals.on_behalf_id
        company = request.company_id
        holders = (tier._get_holders(company) | tier._get_substitutes(company)) - barred
        approvers = {user: user.browse() for user in holders}
        delegates = self.env["ar.writeoff.delegation"]._get_delegates(holders, company._ar_today())
        for delegate, users in delegates.items():
            if delegate not in barred | holders and delegate._ar_at_work(company, None):
                approvers[delegate] = users[:1]
        return approvers

    @api.model
    def _get_current_approvers(self, request):
        """The users whose turn it is, none when all approvals are there."""
        current = self._get_current(self._get_progress(request))
        approvers = self._get_approvers(request, current.tier) if current else ()
        return self.env["res.users"].union(*approvers)

    @api.model
    def _refresh_approvers(self, companies=None, users=None):
        """Who may approve changes with delegations, groups and people: bring it to today.

        :param companies: root companies, by default all
        :param users: only what one of them may approve now, by default all
        """
        domain = [("state", "=", "submitted")]
        if companies:
            domain.append(("company_id", "in", companies.ids))
        if users:
            domain.append(("approver_ids", "in", users.ids))
        requests = self.env["ar.writeoff.request"].sudo().with_context(active_test=False)
        for request in requests.search(domain).with_context(active_test=True):
            users = self._get_current_approvers(request)
            if request.with_context(active_test=False).approver_ids != users:
                self._ask_approvers(request)

    @api.model
    def _ask_approvers(self, request):
        """Ask those whose turn it is."""
        users = self._get_current_approvers(request)
        request.approver_ids = users
        request.activity_unlink([ACTIVITY])
        for user in users:
            request.activity_schedule(
                ACTIVITY,
                request.deadline,
                summary=self.env._("Approve the write-off"),
                user_id=user.id,
            )
        if not users:
            request.activity_schedule(
                ACTIVITY,
                request.company_id._ar_today(),
                summary=self.env._("Nobody may approve this: change the approval tier"),
                user_id=users._ar_get_manager(request.company_id).id,
            )

    @api.model
    def _remind_due(self, company, date):
        """Tell approvers of requests that were not decided in time, every few days.

        :return: the requests
        """
        requests = self.env["ar.writeoff.request"].search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "submitted"),
                ("deadline", "<", date),
                "|",
                ("date_reminded", "=", False),
                ("date_reminded", "<=", date - timedelta(days=company.ar_writeoff_remind_days)),
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
    def _follow_requests(self, company, date):
        """The daily part: who may approve today, and who is late."""
        self._refresh_approvers(company)
        self._remind_due(company, date)
