from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from .writeoff_request import ACTIVITY, EDITABLE, WAITING
from .writeoff_watched import BOOKED

# Code of the write-off reason of settlements.
REASON = "settlement"


class ArPaymentPlan(models.Model):
    """A settlement: what it waives is approved as a write-off before the customer gets the offer.

    An offer binds us, so nobody makes one that the approvers may refuse afterwards. The approved
    request waits, and nobody can post it, until the money of the settlement is there; then it gets
    the rest that is really open, to the cent. That is never more than what was approved: an item
    whose rate asks for more approvals in company currency gets them before it is posted.
    """

    _inherit = "ar.payment.plan"

    writeoff_id = fields.Many2one(
        "ar.writeoff.request",
        string="Approval of What Is Waived",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    writeoff_state = fields.Selection(related="writeoff_id.state", related_sudo=True)

    def action_ask_waiver(self):
        """Ask for the approval of what the settlement waives, and show the request.

        :raises UserError: nothing is waived, or the plan is not complete
        """
        self.ensure_one()
        self.check_access("write")
        self._check_state("draft")
        if self.currency_id.compare_amounts(self.waived_amount, 0) <= 0:
            raise UserError(self.env._("Enter first what is waived when the rest is paid."))
        self._check_instalments()
        self._drop_waiver()
        plan = self.sudo()
        request = self.env["ar.writeoff.request"].create(
            {
                "partner_id": plan.partner_id.id,
                "company_id": plan.company_id.id,
                "reason_id": plan._get_settlement_reason().id,
                "note": plan._describe_settlement(),
                "line_ids": [
                    Command.create({"move_line_id": item.move_line_id.id, "amount": amount})
                    for item, amount in plan._get_waived_parts().items()
                ],
            }
        )
        request.sudo().is_settlement = True
        plan.writeoff_id = request
        request.action_submit()
        return request._get_records_action()

    def _get_settlement_reason(self):
        """The write-off reason of settlements: of the company, or the shared one.

        :raises UserError: there is none
        """
        reason = self.env["ar.writeoff.reason"].search(
            [("code", "=", REASON), ("company_id", "in", (self.company_id.id, False))],
            order="company_id, sequence",
            limit=1,
        )
        if not reason:
            raise UserError(
                self.env._("Create a write-off reason with the code “%s” first.", REASON)
            )
        return reason

    def _describe_settlement(self):
        return self.env._(
            "Settlement %(plan)s: the customer pays %(pay)s of %(total)s by %(date)s, "
            "%(waived)s is waived then.",
            plan=self.name,
            pay=format_amount(self.env, self.amount_to_pay, self.currency_id),
            total=format_amount(self.env, self.amount_total, self.currency_id),
            date=format_date(self.env, max(self.line_ids.mapped("date"))),
            waived=format_amount(self.env, self.waived_amount, self.currency_id),
        )

    def _get_waived_parts(self):
        """What is waived of each item: ``{item: amount}``. Money pays the oldest items first."""
        left, parts = self.waived_amount, {}
        for item in self.item_ids.sorted(lambda item: (item.due_date, item.id), reverse=True):
            part = self.currency_id.round(min(item.amount, left))
            if part > 0:
                parts[item] = part
                left -= part
        return parts

    def _check_waiver(self):
        # EXTENDS ar_collections
        result = super()._check_waiver()
        for plan in self.sudo().filtered("waived_amount"):
            if plan.currency_id.compare_amounts(plan.waived_amount, plan.amount_total) >= 0:
                raise UserError(self.env._("A settlement is for money: nothing is left to pay."))
            request = plan.writeoff_id
            if request.state != "approved":
                raise UserError(
                    self.env._(
                        "%s waives part of the claim: have that approved first, an offer binds us.",
                        plan.name,
                    )
                )
            total = sum(request.line_ids.mapped("amount"))
            if (
                plan.currency_id.compare_amounts(total, plan.waived_amount)
                or request.line_ids.currency_id - plan.currency_id
                or request.line_ids.move_line_id - plan.item_ids.move_line_id
                or request.partner_id != plan.partner_id
            ):
                raise UserError(
                    self.env._(
                        "%(plan)s waives something else than %(request)s, which was approved: ask "
                        "for the approval again.",
                        plan=plan.name,
                        request=request.name,
                    )
                )
        return result

    def _drop_waiver(self):
        # EXTENDS ar_collections
        result = super()._drop_waiver()
        requests = self.sudo().writeoff_id.filtered(
            lambda request: request.state in (*EDITABLE, *WAITING)
        )
        requests.write({"state": "cancelled", "approver_ids": [Command.clear()]})
        requests.activity_unlink([ACTIVITY])
        for request in requests:
            request._message_log(body=self.env._("The settlement was given up or not kept."))
        return result

    def _follow_waiver(self, date):
        # EXTENDS ar_collections: what is waived follows the money
        result = super()._follow_waiver(date)
        for plan in self.sudo():
            request = plan.writeoff_id
            if plan.state == "accepted":
                if request.state == "cancelled":
                    request._resume_settlement()
                if request.state == "approved" and plan._is_paid_up():
                    request._settle_rest(plan._get_rest())
            elif plan.state in ("defaulted", "cancelled") and request.state in BOOKED:
                plan._ask_to_reverse(date)
            else:
                # All was paid, or it was not in time: there is nothing to waive.
                plan._drop_waiver()
        return result

    def _is_paid_up(self):
        """Whether all the money of the settlement has come."""
        paid, void = self._get_payments()[self]
        return self.currency_id.compare_amounts(paid, self._get_amount_required(void)) >= 0

    def _get_rest(self):
        """What is still open of the settlement: ``{journal item: amount}``."""
        settled = self.item_ids._get_settled_since()
        rest = {}
        for item in self.item_ids:
            came = settled[item.id]
            left = item.currency_id.round(item.amount - self._get_paid_of(item, came) - came.void)
            left = min(left, item.residual)
            if item.currency_id.compare_amounts(left, 0) > 0:
                rest[item.move_line_id] = left
        return rest

    def _ask_to_reverse(self, date):
        """The money was taken back after the rest was written off."""
        company = self.company_id
        self.activity_unlink(["mail.mail_activity_data_todo"])
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            date,
            summary=self.env._("Settlement not paid after all: reverse %s", self.writeoff_id.name),
            user_id=(company._ar_credit_manager(self.file_id) | self.user_id | self.env.user)
            ._ar_or_next(company)
            .id,
        )
