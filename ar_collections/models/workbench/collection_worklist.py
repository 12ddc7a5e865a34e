from datetime import timedelta

from odoo import api, fields, models


class ArCollectionCase(models.Model):
    """A collector's day: the most urgent case first, why, and the next one when it is done."""

    _inherit = "ar.collection.case"

    priority_rule_ids = fields.Json(
        readonly=True, help="The rules that gave most points, as [[rule, points]]."
    )
    priority_why = fields.Char(string="Why", compute="_compute_priority_why")
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
    is_work = fields.Boolean(
        string="To Work On",
        compute="_compute_is_work",
        search="_search_is_work",
        help="Open, not done today, and not to be looked at later.",
    )

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
        work = self.filtered_domain(self._work_domain())
        for case in self:
            case.is_work = case in work

    def _search_is_work(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        return self._work_domain()

    @api.model
    def _work_domain(self):
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
            [*self._work_domain(), ("collector_id", "in", (self.env.uid, False))], limit=1
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

    def action_write_email(self):
        """Write to the customer; the mail stays on the case."""
        self.ensure_one()
        partner = self.file_id.dunning_contact_id or self.partner_id
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
