from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, plaintext2html

from .collection_case import ANSWERED

# What a gateway says when the address is the cause, not the gateway.
ADDRESS_FAILURES = {
    "mail_bounce",
    "mail_email_invalid",
    "mail_email_missing",
    "sms_number_missing",
    "sms_number_format",
    "sms_country_not_supported",
    "sms_invalid_destination",
    "sn_fields",
}
UNDELIVERED = ("bounce", "exception")


class Try(NamedTuple):
    """What a case stands at until it gets through: a step that failed."""

    step_day: int
    # The day on which it is tried again; ``None`` when a person decides.
    date: object
    action_ids: tuple


def next_pause(tries, longest, most):
    """Days until a contact that failed is tried again: 1, 2, 4, ...

    :param tries: how often it failed
    :param longest: days of the longest pause
    :param most: after so many failures a person decides
    :return: ``None`` when it is not tried again
    """
    return min(2 ** (tries - 1), longest) if tries < most else None


class ArCollectionFailure(models.AbstractModel):
    """Contacts that did not get through.

    They are tried again with growing pauses, and when the address that failed is another one.
    Until then the case stands where it stood before: no step is used up, and none is taken.
    """

    _name = "ar.collection.failure"
    _description = "Contacts That Failed"

    # Noticing

    @api.model
    def _notice_failures(self, company, date):
        """Learn from the gateways what failed and what got through after all, and see which
        addresses are mended."""
        self._notice_undelivered(company, date)
        self._notice_delivered(company)
        self._notice_new_addresses(company, date)
        # Too late for a courtesy message: the item is overdue.
        self._get_courtesies(company, [("due_date", "<", date)])._cancel()

    @api.model
    def _notice_undelivered(self, company, date):
        """Mark as failed what the mail or SMS gateway could not deliver."""
        actions = self.env["ar.collection.action"].search(
            [
                ("message_id.notification_ids.notification_status", "in", UNDELIVERED),
                ("company_id", "=", company.id),
                ("state", "=", "done"),
            ]
        )
        reasons = defaultdict(actions.browse)
        for action in actions:
            notices = action._get_notices()
            failed = notices.filtered(lambda notice: notice.notification_status in UNDELIVERED)[:1]
            # Somebody who only gets a copy holds nothing up.
            if failed:
                kind = "address" if failed.failure_type in ADDRESS_FAILURES else "delivery"
                reasons[failed.format_failure_reason(), kind] |= action
        for (reason, kind), same in reasons.items():
            same._fail(reason, date, kind)

    @api.model
    def _notice_delivered(self, company):
        """What somebody has sent again from the chatter is done."""
        actions = self.env["ar.collection.action"].search(
            [
                ("message_id.notification_ids.notification_status", "=", "sent"),
                ("company_id", "=", company.id),
                ("state", "=", "failed"),
                ("date_failed", "!=", False),
            ]
        )
        for action in actions:
            if set(action._get_notices().mapped("notification_status")) == {"sent"}:
                action._move_cases(action.date_done)
                action._mark_done(action.date_done, action.outcome)

    @api.model
    def _notice_new_addresses(self, company, date):
        """What failed for its address is tried at once with another one."""
        actions = self.env["ar.collection.action"].search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "failed"),
                ("failure_kind", "=", "address"),
                ("step_id.automatic", "=", True),
                "|",
                ("case_id", "=", False),
                ("case_id.state", "=", "open"),
            ]
        )
        addresses = actions._get_addresses()
        actions.filtered(
            lambda action: addresses[action] and addresses[action] != action.failed_address
        ).send_date = date

    # Failing

    @api.model
    def _fail(self, actions, reason, date, kind):
        """Mark as failed, say when it is tried again, and take back what it counted for."""
        addresses = actions._get_addresses()
        for action in actions:
            company = action.company_id
            tries = action.try_count + 1
            # What a person has sent by hand, a person sends again.
            pause = action.step_id.automatic and next_pause(
                tries, company.ar_retry_longest, company.ar_retry_most
            )
            action.write(
                {
                    "state": "failed",
                    "failure_reason": reason,
                    "failure_kind": kind,
                    "failed_address": addresses[action],
                    "date_failed": date,
                    "try_count": tries,
                    "send_date": pause and date + timedelta(days=pause),
                }
            )
        self._forget_contacts(actions)
        self._step_back(actions.case_id)
        self._leave_stages(actions)
        self._ask_collectors(actions, reason, date)

    @api.model
    def _forget_contacts(self, actions):
        """Who was not reached was not contacted on that day."""
        if not actions:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_credit_file file
               SET last_contact_date = (
                SELECT MAX(action.date_done) FROM ar_collection_action action
                 WHERE action.partner_id = file.partner_id AND action.company_id = file.company_id
                   AND action.state = 'done' AND action.channel IN %s)
              FROM ar_collection_action failed
             WHERE failed.id IN %s AND failed.partner_id = file.partner_id
               AND failed.company_id = file.company_id
               AND failed.date_done = file.last_contact_date
            """,
                tuple(actions._get_contact_channels()),
                tuple(actions.ids),
            )
        )
        self.env["ar.credit.file"].invalidate_model(["last_contact_date"], flush=False)

    @api.model
    def _step_back(self, cases):
        """The ladder of cases stands at the last step that was not lost."""
        if not cases:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_collection_case kase
               SET ladder_due_date = (last).due_date, ladder_days = (last).rung
              FROM (
                SELECT id, (
                    SELECT action FROM ar_collection_action action
                     WHERE action.case_id = one.id AND action.step_id IS NOT NULL
                       AND action.state NOT IN ('cancelled', 'failed')
                     ORDER BY action.date_planned DESC, action.rung DESC, action.id DESC
                     LIMIT 1) AS last
                  FROM ar_collection_case one
                 WHERE id IN %s) former
             WHERE former.id = kase.id
            """,
                tuple(cases.ids),
            )
        )
        cases.invalidate_recordset(["ladder_due_date", "ladder_days"])

    @api.model
    def _leave_stages(self, actions):
        """Cases go back to where they were before steps of which nothing got through, and their
        credit is not held for a message that nobody got."""
        for action in actions:
            case, former = action.case_id, action.former_stage_id
            is_taken = case.ladder_due_date == action.due_date and case.ladder_days == action.rung
            if not former or is_taken or case.stage_id != action.step_id.stage_id:
                continue
            if not former.hold_credit:
                case.file_id.filtered(lambda file: file.hold_cause == "stage")._lift_hold()
                case.file_id.filtered("hold_proposal").hold_proposal = False
            case.with_context(ar_proof=ANSWERED).stage_id = former

    @api.model
    def _ask_collectors(self, actions, reason, date):
        """One activity per case, not one per channel or try: what failed, and for the address."""
        told = self.env["ar.collection.case"]
        wanted = self.env["ar.collection.action"]
        for action in actions.filtered("case_id"):
            others = action.case_id.action_ids.filtered(
                lambda other, action=action: (
                    other.rung == action.rung
                    and other.due_date == action.due_date
                    and other.state in ("done", "failed")
                    and other.channel != action.channel
                )
            )
            if others or action.case_id in told or action.failure_activity_id:
                continue
            told |= action.case_id
            wanted |= action
        activities = self.env["mail.activity"].with_context(mail_activity_quick_update=True)
        for company, same in wanted.grouped("company_id").items():
            responsible = self.env["res.users"]._ar_get_responsible(
                company, {action: action.user_id for action in same}
            )
            made = activities.create(
                [
                    {
                        "res_model_id": self.env["ir.model"]._get_id("ar.collection.case"),
                        "res_id": action.case_id.id,
                        "activity_type_id": self.env.ref("ar_collections.activity_task").id,
                        "automated": True,
                        "summary": self._get_summary(action),
                        "note": plaintext2html(self._get_note(action, reason)),
                        "date_deadline": date,
                        "user_id": responsible[action].id,
                    }
                    for action in same
                ]
            )
            for action, activity in zip(same, made, strict=True):
                action.failure_activity_id = activity

    @api.model
    def _get_summary(self, action):
        if action.failure_kind == "address":
            return self.env._("%(step)s failed: find the address", step=action.summary)
        return self.env._("%(step)s failed", step=action.summary)

    @api.model
    def _get_note(self, action, reason):
        if action.failure_kind != "address":
            return reason
        return self.env._(
            "%(reason)s (%(address)s). Enter the right address: the contact goes on with it.",
            reason=reason,
            address=action.failed_address or self.env._("none"),
        )

    # Trying again

    @api.model
    def _get_tries(self, company, date):
        """What holds up cases: a step of which nothing got through, or that still waits to be
        printed since an earlier day.

        :return: ``{(case id, oldest due date): Try}``
        """
        self.env["ar.collection.action"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT action.case_id, action.due_date, action.rung,
                   MIN(CASE WHEN action.state = 'failed' THEN action.send_date ELSE %(next)s END),
                   ARRAY_AGG(action.id ORDER BY action.id)
              FROM ar_collection_action action
             WHERE action.company_id = %(company)s AND action.step_id IS NOT NULL
               AND action.case_id IS NOT NULL
               AND (action.state = 'failed' AND action.date_failed IS NOT NULL
                    OR action.state = 'planned' AND action.send_date < %(date)s)
               AND NOT EXISTS (
                SELECT FROM ar_collection_action other
                 WHERE other.case_id = action.case_id AND other.rung = action.rung
                   AND other.due_date = action.due_date AND other.step_id IS NOT NULL
                   AND other.state = 'done')
             GROUP BY action.case_id, action.due_date, action.rung
             ORDER BY MAX(action.id)
            """,
                next=date + timedelta(days=1),
                company=company.id,
                date=date,
            )
        )
        return {(case_id, due): Try(rung, day, tuple(ids)) for case_id, due, rung, day, ids in rows}

    @api.model
    def _get_courtesy_tries(self, company, date):
        """Courtesy messages that failed and are tried again on that day."""
        return self._get_courtesies(company, [("due_date", ">=", date), ("send_date", "<=", date)])

    @api.model
    def _get_courtesies(self, company, domain):
        """Those that failed."""
        return self.env["ar.collection.action"].search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "failed"),
                ("case_id", "=", False),
                ("step_id", "!=", False),
                ("date_failed", "!=", False),
                *domain,
            ]
        )
