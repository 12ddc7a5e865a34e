from datetime import timedelta

from odoo import api, fields, models

from ..collection.case_record import is_colleague

# What people write, as the type of the message and the channel it goes by.
WRITTEN = {"comment": "email", "email_outgoing": "email", "sms": "sms"}


class ArCollectionCase(models.Model):
    """A collector's day: the most urgent case first, why, and the next one when it is done.

    What goes to and fro in the chatter belongs to it: what customers answer reaches the
    collector, and machines keep silent for a while; what a colleague writes to the customer is a
    contact like any other.
    """

    _inherit = "ar.collection.case"

    resubmission_date = fields.Date(
        string="Look Again On", tracking=True, help="Out of the worklist until this day."
    )
    worked_on = fields.Date(readonly=True, help="Done for this day; see the worklist.")
    promise_state = fields.Selection(
        [("open", "Awaited"), ("broken", "Broken"), ("kept", "Kept")],
        string="Promise",
        compute="_compute_promise_state",
    )
    promise_date = fields.Date(string="Promised For", compute="_compute_promise_state")
    contact_pause_end = fields.Date(
        string="No Automatic Contact Until",
        readonly=True,
        help="The customer has written: a person answers first.",
    )
    is_work = fields.Boolean(
        string="To Work On",
        compute="_compute_is_work",
        search="_search_is_work",
        help="Open, not done today, and not to be looked at later.",
    )

    @api.depends("promise_ids.state")
    def _compute_promise_state(self):
        """The open promise, or else how the last one ended."""
        latest = {}
        for promise in self.env["ar.payment.promise"].search(
            [("case_id", "in", self.ids), ("state", "in", ("open", "broken", "kept"))],
            order="date, id",
        ):
            former = latest.get(promise.case_id)
            if not former or promise.state == "open" or former.state != "open":
                latest[promise.case_id] = promise
        for case in self:
            promise = latest.get(case)
            case.promise_state = promise and promise.state
            case.promise_date = promise and promise.date

    def _compute_is_work(self):
        work = self.filtered_domain(self._get_work_domain())
        for case in self:
            case.is_work = case in work

    def _search_is_work(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        return self._get_work_domain()

    @api.model
    def _get_work_domain(self):
        today = self.env.company._ar_today()
        return [
            ("state", "=", "open"),
            "|",
            ("resubmission_date", "=", False),
            ("resubmission_date", "<=", today),
            "|",
            ("worked_on", "=", False),
            ("worked_on", "<", today),
        ]

    # One case after the other

    def action_done_today(self):
        """These cases are done for today: out of the worklist until tomorrow."""
        self.check_access("write")
        for company, cases in self.grouped("company_id").items():
            # When a case was worked on is not the collector's to choose.
            cases.sudo().worked_on = company._ar_today()
        return True

    def action_next_case(self):
        """This case is done for today: show the next one of the worklist in its place."""
        self.action_done_today()
        following = self.search(
            [*self._get_work_domain(), ("collector_id", "in", (self.env.uid, False))], limit=1
        )
        if following:
            form = self.env.ref("ar_collections.ar_collection_case_view_form")
            action = {**following._get_records_action(), "views": [(form.id, "form")]}
        else:
            action = self.env["ir.actions.act_window"]._for_xml_id(
                "ar_collections.ar_collection_case_action_worklist"
            )
        return {
            "type": "ir.actions.client",
            "tag": "ar_next_case",
            "params": {"action": action, "is_last": not following},
        }

    def _look_again_in(self, days):
        for company, cases in self.grouped("company_id").items():
            cases.resubmission_date = company._ar_today() + timedelta(days=days)
        return self.action_next_case()

    def action_look_again_tomorrow(self):
        return self._look_again_in(1)

    def action_look_again_in_3_days(self):
        return self._look_again_in(3)

    def action_look_again_next_week(self):
        return self._look_again_in(7)

    # One click

    @api.readonly
    def action_open_items(self):
        self.ensure_one()
        return self.partner_id._ar_action_open_items(self.company_id)

    @api.readonly
    def action_log_call(self):
        """Open a new call on this case, ready to be filled in."""
        self.ensure_one()
        form = self.env.ref("ar_collections.ar_collection_action_view_form_log")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log a Call"),
            "res_model": "ar.collection.action",
            "view_mode": "form",
            "views": [(form.id, "form")],
            "target": "new",
            "context": {
                "default_case_id": self.id,
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "default_channel": "call",
                "default_user_id": self.env.uid,
                "default_date_planned": self.company_id._ar_today(),
                "default_promise_currency_id": self._get_main_demand()[0].id,
                "dialog_size": "extra-large",
            },
        }

    def action_visit(self):
        """Plan a visit for the next working day, with an appointment in the calendar."""
        self.ensure_one()
        self.check_access("write")
        self._check_not_closed()
        date = self.company_id._ar_working_day(self.company_id._ar_today(), 1)
        visit = self.env["ar.collection.action"].create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "case_id": self.id,
                "channel": "visit",
                "user_id": self._get_doer(self.env.user).id,
                "date_planned": date,
            }
        )
        visit.sudo()._schedule_activities(date)
        return visit._get_records_action()

    @api.readonly
    def action_write_email(self):
        """Write to the customer; the mail stays on the case."""
        self.ensure_one()
        partner = self._get_recipients("email")[self] or self.partner_id.filtered("active")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write an E-mail"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_partner_ids": partner.ids,
                "default_composition_mode": "comment",
            },
        }

    @api.readonly
    def action_write_sms(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send an SMS"),
            "res_model": "sms.composer",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_res_model": self._name,
                "default_res_id": self.id,
                "default_composition_mode": "comment",
            },
        }

    @api.readonly
    def action_write_letter(self):
        """Choose the letter; it is looked at before it is sent."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write a Letter"),
            "res_model": "ar.collection.letter",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_id": self.id},
        }

    @api.readonly
    def action_assign(self):
        """Share the selected cases among collectors."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Assign Collectors"),
            "res_model": "ar.collection.assign",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_ids": self.ids},
        }

    # What goes to and fro

    def _message_post_after_hook(self, message, msg_vals):
        # EXTENDS mail
        result = super()._message_post_after_hook(message, msg_vals)
        if message.message_type == "email" and not is_colleague(message):
            self._customer_wrote(message)
        elif is_colleague(message) and (channel := WRITTEN.get(message.message_type)):
            for case in self:
                contacts = message.partner_ids.filtered(
                    lambda contact, case=case: contact.commercial_partner_id == case.partner_id
                )
                if contacts or channel == "sms":
                    case._log_written(message, channel, contacts[:1])
        return result

    def _log_written(self, message, channel, contact):
        """Keep a message as a contact; nobody says which items it asks for, so it proves none."""
        today = self.company_id._ar_today()
        # What was sent is proof, written by the system alone.
        action = self.env["ar.collection.action"].sudo()
        action = action.create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "case_id": self.id,
                "channel": channel,
                "user_id": self.env.uid,
                "contact_id": contact.id,
                "date_planned": today,
                "message_id": message.id,
                "note": message.subject,
            }
        )
        action._mark_done(today, "sent")

    def _customer_wrote(self, message):
        """Tell the collector, and wait some days before the next automatic contact.

        Who answers to a former case is heard in the one that is open now.
        """
        # EXTENDS ar_collections
        # The mail gateway has no rights on collection.
        for former in self.sudo():
            case = former
            if former.state == "closed":
                case = former._get_open_case(former.partner_id, former.company_id)
            if not case:
                continue
            company = case.company_id
            today = company._ar_today()
            if company.ar_reply_pause_days:
                case.contact_pause_end = today + timedelta(days=company.ar_reply_pause_days)
            # Back into the worklist, whatever was planned.
            case.write({"resubmission_date": False, "worked_on": False})
            case.activity_schedule(
                "ar_collections.activity_reply",
                today,
                summary=message.subject or self.env._("The customer has written"),
                user_id=(
                    case._get_doer(company._ar_credit_manager(case.file_id))
                    or self.env.ref("base.user_admin")
                ).id,
            )
