from datetime import timedelta

from odoo import Command
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon


class TestInbound(CollectionsCommon):
    """What the customer answers, through the real mail gateway."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        domain = cls.env["mail.alias.domain"].create({"name": "collections.example.com"})
        cls.company.alias_domain_id = domain
        cls.company.ar_reply_pause_days = 4
        cls.invoice = cls._invoice(cls.customer, 1000, due=-8)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.collector = new_test_user(
            cls.env,
            "inbound_collector",
            "base.group_user,ar_collections.group_collector",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            email="collector@collections.example.com",
        )
        cls.case.collector_id = cls.collector
        cls.reminder = cls.case.action_ids.message_id.filtered(
            lambda message: message.message_type == "email_outgoing"
        )

    def _reply(self, author=None, text="The invoice is wrong", to=None):
        """The raw e-mail of somebody who presses "Reply" on the reminder."""
        number = self.env["ir.sequence"].search_count([]) + len(self.case.message_ids)
        raw = (
            f"From: {author or self.customer.email}\n"
            f"To: {to or self.reminder.reply_to}\n"
            f"Subject: Re: {self.reminder.subject}\n"
            f"Message-ID: <reply-{number}@example.com>\n"
            f"In-Reply-To: {self.reminder.message_id}\n"
            f"References: {self.reminder.message_id}\n"
            "Date: Mon, 03 Jun 2030 10:00:00 +0000\n"
            "Content-Type: text/plain; charset=utf-8\n"
            f"\n{text}\n"
        )
        thread_id = self.env["mail.thread"].message_process(False, raw)
        self.env.invalidate_all()
        return thread_id

    def _activities(self):
        return self.case.activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id == self.env.ref("ar_collections.activity_reply")
            )
        )

    def test_reminder_invites_answers(self):
        self.assertTrue(self.reminder)
        self.assertIn("collections.example.com", self.reminder.reply_to)

    def test_reply_lands_on_the_case_and_tells_the_collector(self):
        self.assertEqual(self._reply(), self.case.id)
        message = self.case.message_ids[:1]
        self.assertEqual(message.author_id, self.customer)
        self.assertIn("The invoice is wrong", message.body)
        self.assertRecordValues(
            self._activities(),
            [{"user_id": self.collector.id, "date_deadline": self.today}],
        )
        self.assertIn("Re:", self._activities().summary)

    def test_machines_keep_silent_for_some_days(self):
        self._reply()
        self.assertEqual(self.case.contact_pause_end, self._day(4))
        before = self.case.action_ids
        # On day 7 after the due date the second reminder went out; the call is due on day 15.
        self.case.sudo().contact_pause_end = self._day(9)
        self._run(7)
        self.assertEqual(self.case.action_ids, before)
        self.assertEqual(self.case.waiting_for, "replied")
        self._run(9)
        new = self.case.action_ids - before
        self.assertEqual(new.step_id, self.steps["Call"], "on the day of the end it goes on")

    def test_no_silence_when_the_setting_is_zero(self):
        self.company.ar_reply_pause_days = 0
        self._reply()
        self.assertFalse(self.case.contact_pause_end)
        self.assertEqual(len(self._activities()), 1)

    def test_reply_brings_the_case_back_into_the_worklist(self):
        self.case.resubmission_date = self._day(5)
        self.case.sudo().worked_on = self.today
        self.assertFalse(self.case.is_work)
        self._reply()
        self.assertTrue(self.case.is_work)

    def test_unknown_sender_is_the_customers_side(self):
        self._reply(author="new.person@example.com")
        self.assertEqual(len(self._activities()), 1)

    def test_customer_with_a_login_is_no_colleague(self):
        new_test_user(
            self.env, "inbound_customer", "base.group_portal", partner_id=self.customer.id
        )
        self._reply()
        self.assertEqual(len(self._activities()), 1)

    def test_colleagues_are_not_customers(self):
        self._reply(author=self.collector.email)
        self.assertFalse(self._activities())
        self.assertFalse(self.case.contact_pause_end)

    def test_notes_pause_nothing(self):
        self.case.message_post(body="Called back", author_id=self.customer.id)
        self.assertFalse(self.case.contact_pause_end)

    def _written(self, before):
        return self.case.action_ids - before

    def test_what_a_colleague_writes_is_a_contact(self):
        file, before = self.case.file_id, self.case.action_ids
        self.assertEqual(self.case.last_contact_date, self.today, "the reminder of the run")
        file.sudo().last_contact_date = False
        composer = (
            self.env["mail.compose.message"]
            .with_user(self.collector)
            .with_context(**self.case.action_write_email()["context"])
            .create({"subject": "Your account", "body": "Please call me"})
        )
        composer.action_send_mail()
        self.assertRecordValues(
            self._written(before),
            [
                {
                    "channel": "email",
                    "state": "done",
                    "outcome": "sent",
                    "contact_id": self.customer.id,
                    "user_id": self.collector.id,
                    "date_done": self.today,
                    "note": "Your account",
                    # It may be about anything: it proves no demand.
                    "item_ids": [],
                }
            ],
        )
        self.assertEqual(file.last_contact_date, self.today)

    def test_sms_that_a_colleague_writes_is_a_contact(self):
        self.customer.phone = "+86 21 5555 0100"
        before = self.case.action_ids
        composer = (
            self.env["sms.composer"]
            .with_user(self.collector)
            .with_context(**self.case.action_write_sms()["context"])
            .create({"body": "Please call me"})
        )
        composer.action_send_sms()
        self.assertRecordValues(
            self._written(before), [{"channel": "sms", "state": "done", "outcome": "sent"}]
        )

    def test_what_colleagues_write_to_each_other_is_no_contact(self):
        before = self.case.action_ids
        case = self.case.with_user(self.collector)
        case.message_post(body="Who knows them?", subtype_xmlid="mail.mt_note")
        case.message_post(
            body="Do you?",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.env.user.partner_id.ids,
        )
        self.assertFalse(self._written(before))

    def test_what_the_customer_writes_is_no_contact_of_ours(self):
        before = self.case.action_ids
        self.case.message_post(
            body="See you on Friday",
            author_id=self.customer.id,
            message_type="comment",
            partner_ids=self.customer.ids,
        )
        self.assertFalse(self._written(before))

    def test_without_collector_the_credit_manager_is_told(self):
        self.case.collector_id = False
        self.company.ar_credit_manager_id = self.env.user
        self._reply()
        self.assertEqual(self._activities().user_id, self.env.user)

    def test_closed_case_starts_nothing(self):
        self._pay(self.invoice)
        self.assertEqual(self.case.state, "closed")
        self._reply(text="Thank you")
        self.assertFalse(self._activities())
        self.assertIn("Thank you", self.case.message_ids[:1].body)

    def test_answer_to_a_former_case_is_heard_in_the_open_one(self):
        self._pay(self.invoice)
        self._invoice(self.customer, 500, due=1)
        self._run(2)
        former, self.case = self.case, self._case()
        self.assertNotEqual(self.case, former)
        self.case.collector_id = self.collector
        self.assertEqual(self._reply(), former.id)
        self.assertEqual(self._activities().user_id, self.collector)
        self.assertEqual(self.case.contact_pause_end, self._day(4))

    def test_answer_to_a_plan_is_told_on_the_case(self):
        plan = self.env["ar.payment.plan"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        plan.action_distribute()
        plan.action_propose()
        self.reminder = plan.message_ids.filtered("partner_ids")[:1]
        self.assertEqual(self._reply(), plan.id)
        self.assertEqual(self._activities().user_id, self.collector)
        self.assertEqual(self.case.contact_pause_end, self._day(4))

    def test_setting(self):
        with Form(self.env["res.config.settings"]) as settings:
            settings.ar_reply_pause_days = 6
        settings.record.execute()
        self._reply()
        self.assertEqual(self.case.contact_pause_end, self.today + timedelta(days=6))
