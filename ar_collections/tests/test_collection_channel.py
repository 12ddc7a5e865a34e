from unittest.mock import patch

from psycopg2.errors import DeadlockDetected

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..models.collection.collection_channel import Channel
from .common import CollectionsCommon


class TestChannel(CollectionsCommon):
    """What channels, kinds of stage and reasons to wait say of themselves, and what follows."""

    def _step(self, channel, days=1, **values):
        self.policy.step_ids.unlink()
        return self.env["ar.collection.step"].create(
            {
                "policy_id": self.policy.id,
                "name": channel,
                "days": days,
                "channel": channel,
                **values,
            }
        )

    def _patch(self, model, name, method):
        patcher = patch.object(self.env.registry[model], name, method, create=True)
        self.startPatcher(patcher)

    def test_every_channel_says_what_it_is(self):
        channels = self.env["ar.collection.channel"]
        for value in channels._fields["channel"].get_values(self.env):
            channel = channels._get_channel(value)
            self.assertEqual(channel.is_automatic, value in ("email", "sms", "letter"), value)
            self.assertEqual(channel.is_contact, value != "task", value)
            self.assertEqual(bool(channel.texts), channel.is_automatic, value)
            self.assertTrue(self.env.ref(channel.activity_type))
            for name, usual in channel.texts.items():
                self.assertTrue(self.env.ref(usual), name)
        self.assertEqual(channels._get_channel("unheard of"), Channel())

    def test_step_has_the_words_of_its_channel_only(self):
        step = self._step("letter")
        self.assertTrue(step.template_id and step.report_id and step.automatic)
        self.assertFalse(step.sms_template_id)
        step.channel = "sms"
        self.assertTrue(step.sms_template_id)
        self.assertFalse(step.template_id or step.report_id)
        step.channel = "call"
        self.assertFalse(step.sms_template_id or step.automatic)

    def test_step_without_words(self):
        step = self._step("letter")
        with self.assertRaisesRegex(ValidationError, "needs Letter"):
            step.report_id = False
        with self.assertRaisesRegex(ValidationError, "needs E-mail Template, Letter"):
            step.write({"report_id": False, "template_id": False})
        with self.assertRaisesRegex(ValidationError, "cannot be automatic"):
            self._step("visit").automatic = True

    def test_task_is_no_contact(self):
        """Work within the house is neither proof nor does it keep the next contact away."""
        self._step("task")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        case = self._case()
        task = self.env.ref("ar_collections.activity_task")
        self.assertEqual(case.action_ids.activity_id.activity_type_id, task)
        case.action_ids.action_done()
        self.assertEqual(case.action_ids.state, "done")
        self.assertFalse(case.last_contact_date)
        self.assertEqual(case._get_contacts_made()[case.id], [])

    def test_call_is_a_contact(self):
        self._step("call")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        case = self._case()
        case.action_ids.action_done()
        self.assertEqual(case.last_contact_date, self.today)
        self.assertEqual(case._get_contacts_made()[case.id], [("call", self.today)])

    def test_visit_of_nobody_is_in_no_calendar(self):
        self._step("visit")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertRecordValues(
            self._case().action_ids, [{"channel": "visit", "user_id": False, "event_id": False}]
        )

    def test_copy(self):
        """Who has the role gets the mail too, unless it is archived or has no address."""
        step = self._step("email", cc_role="payer_id")
        gone = self._customer("Gone")
        gone.active = False
        files = self.env["ar.credit.file"]
        payers = {
            self.customer: self._customer("Payer"),
            self._customer("Second"): gone,
            self._customer("Third"): self._customer("Mute", email=False),
            self._customer("Fourth"): self.env["res.partner"],
        }
        for partner, payer in payers.items():
            files._get_file(partner, self.company, create=True).payer_id = payer
            self._invoice(partner, 100, due=-1)
        self._run(0)
        for partner, payer in payers.items():
            action = self._case(partner).action_ids
            self.assertEqual(action.step_id, step)
            mail = self.env["mail.mail"].search([("mail_message_id", "=", action.message_id.id)])
            wanted = partner | (payer if partner == self.customer else payer.browse())
            self.assertEqual(mail.recipient_ids, wanted, partner.name)
            notified = action.message_id.notification_ids.res_partner_id
            self.assertEqual(notified, wanted, partner.name)
            self.assertEqual(action.contact_id, partner)

    def test_reply_goes_to_the_company(self):
        alias_domain = self.env["mail.alias.domain"].create({"name": "example.com"})
        self.company.alias_domain_id = alias_domain
        self._step("email")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        message = self._case().action_ids.message_id
        self.assertEqual(message.reply_to, self.company.catchall_formatted)
        self.assertEqual(message.record_company_id, self.company)

    def test_no_courtesy_beside_a_demand(self):
        """Who is asked for what is overdue is not reminded of what falls due soon."""
        self._step("email", days=-3)
        late = self._customer("Late")
        for partner in (self.customer, late):
            self._invoice(partner, 100, due=3)
        self._invoice(late, 50, due=-1)
        self._run(0)
        actions = self.env["ar.collection.action"].search([("company_id", "=", self.company.id)])
        self.assertEqual(actions.partner_id, self.customer)

    def test_no_courtesy_for_less_than_the_smallest_amount(self):
        self._step("email", days=-3)
        self.policy.min_amount = 100
        small = self._customer("Small")
        self._invoice(self.customer, 100, due=3)
        self._invoice(small, 99.99, due=3)
        self._run(0)
        actions = self.env["ar.collection.action"].search(
            [("partner_id", "in", (self.customer | small).ids), ("step_id", "!=", False)]
        )
        self.assertEqual(actions.partner_id, self.customer)

    def test_no_courtesy_when_credit_covers_it(self):
        self._step("email", days=-3)
        self._invoice(self.customer, 100, due=3)
        self._invoice(self.customer, 100, due=-1, move_type="out_refund")
        self._run(0)
        actions = self.env["ar.collection.action"].search([("partner_id", "=", self.customer.id)])
        self.assertFalse(actions)
        self.policy.net_of_credit = False
        self._run(1)
        actions = self.env["ar.collection.action"].search([("partner_id", "=", self.customer.id)])
        self.assertFalse(actions, "who owes nothing on balance is never asked")
        self._invoice(self.customer, 7, due=90)
        self._run(2)
        actions = self.env["ar.collection.action"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(actions.amount, 100)

    def test_who_may_send(self):
        self._step("email", automatic=False)
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        action = self._case().action_ids
        auditor = new_test_user(
            self.env,
            "channel_auditor",
            groups="base.group_user,ar_collections.group_auditor",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assertEqual(action.with_user(auditor).state, "planned", "who may look may not send")
        with self.assertRaises(AccessError):
            action.with_user(auditor).action_send()
        self.assertRecordValues(action, [{"state": "planned", "message_id": False}])
        action.action_send()
        self.assertEqual(action.state, "done")

    # Reasons, by name

    def test_reason_to_wait(self):
        self._step("email")
        other = self._customer("Other")
        for partner in (self.customer, other):
            self._invoice(partner, 100, due=-1)
        waits = self.customer
        self._patch(
            "ar.collection.planner",
            "_wait_claimed",
            lambda planner, company, date: (
                planner.env["ar.collection.case"].search([("partner_id", "=", waits.id)]).ids
            ),
        )
        self._run(0)
        self.assertRecordValues(
            self._case() | self._case(other),
            [
                {"waiting_for": "claimed", "next_action_date": self._day(1)},
                {"waiting_for": False, "next_action_date": self._day(30)},
            ],
        )
        self.assertFalse(self._case().action_ids)
        self.assertTrue(self._case(other).action_ids)
        waits = other
        self._run(1)
        self.assertTrue(self._case().action_ids, "nothing is lost by waiting")

    def test_reason_to_hold_back(self):
        self._step("email")
        self._invoice(self.customer, 100, due=-1)
        self._patch(
            "ar.collection.planner",
            "_hold_proof",
            lambda planner, company, date, policies: (
                policies if date == self.today else policies.browse()
            ),
        )
        self._run(0)
        self.assertRecordValues(self._case(), [{"waiting_for": "proof", "action_ids": []}])
        self._run(1)
        self.assertTrue(self._case().action_ids)

    def test_cases_that_others_chase(self):
        self._step("email")
        self._invoice(self.customer, 100, due=-1)
        self._patch(
            "ar.collection.planner",
            "_elsewhere_claimed",
            lambda planner, company, date: planner.env["ar.collection.case"].search([]).ids,
        )
        self._run(0)
        self.assertRecordValues(
            self._case(), [{"waiting_for": "claimed", "next_action_date": False, "action_ids": []}]
        )

    def test_day_that_may_not_send(self):
        """Figures and cases follow the day; the next one sends what was due."""
        self._step("email")
        self._invoice(self.customer, 100, due=-1)
        reasons = {self.today: "Not approved yet."}
        self._patch(
            "ar.collection.run",
            "_get_reason_not_to_send",
            lambda run: reasons.get(run.date),
        )
        run = self._run(0, failing=True)
        self.assertRecordValues(
            run, [{"state": "done", "action_count": 0, "log": "Not approved yet."}]
        )
        self.assertEqual(self._case().amount_overdue, 100)
        self.assertFalse(self._case().action_ids)
        self.assertFalse(self._run(1).log)
        self.assertEqual(self._case().action_ids.state, "done")

    def test_day_without_steps_needs_no_reason(self):
        self._patch("ar.collection.run", "_get_reason_not_to_send", lambda run: "Never.")
        self.assertFalse(self._run(0).log)

    def test_of_two_who_execute_one_run_one_goes_on(self):
        self._step("email")
        self._invoice(self.customer, 100, due=-1)
        locks = iter([False, True, False])
        self._patch("ar.collection.run", "try_lock_for_update", lambda run, **kw: next(locks))
        with self.assertRaisesRegex(UserError, "right now"):
            self._run(0)
        run = self._run(0, execute=False)
        run.sudo()._execute(lambda done, remaining: 60)
        self.assertEqual(run.state, "running", "the other one goes on with it")

    def test_failures_of_other_companies_are_theirs(self):
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        self.env["ar.collection.case"].sudo().create(
            {
                "partner_id": self.customer.id,
                "company_id": elsewhere.id,
                "last_error": "Nobody could be reached.",
            }
        )
        self.assertEqual(self._run(0).failure_count, 0)

    # Stages

    def test_kinds_of_stages(self):
        stages = self.env["ar.collection.stage"]
        kinds = {
            kind: stages.new({"kind": kind})._get_kind()
            for kind in stages._fields["kind"].get_values(self.env)
        }
        own = {kind for kind, facts in kinds.items() if facts.is_own_effort}
        self.assertEqual(own, {"reminder", "phone", "visit", "final"})
        self.assertEqual(set(stages._get_outside_kinds()), {"agency", "legal", "writeoff"})
        court = stages.create({"name": "Court", "kind": "legal"})
        agency = stages.create({"name": "Agency", "kind": "agency"})
        self.assertEqual(stages._get_stage_of_placement("lawyer"), court)
        self.assertEqual(stages._get_stage_of_placement("agency"), agency)

    # Failures

    def test_two_at_odds_are_no_failure_of_a_case(self):
        """The scheduler tries the whole run again; no case is blamed for it."""
        self._step("email")
        self._invoice(self.customer, 100, due=-1)

        def broken(_sender, _actions, _vals_list):
            raise DeadlockDetected

        self._patch("ar.collection.sender", "_log_messages", broken)
        with (
            self.assertRaises(DeadlockDetected),
            mute_logger("odoo.addons.ar_collections.models.run.collection_worker"),
        ):
            self._run(0, failing=True)
        self.assertFalse(self._case().last_error)
