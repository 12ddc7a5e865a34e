from ast import literal_eval
from datetime import timedelta

from hypothesis import given, strategies as st
from lxml import etree

from odoo import Command
from odoo.fields import Date
from odoo.tests import BaseCase, new_test_user

from ..models.collection.collection_failure import next_pause
from .common import CollectionsCommon


class FailureCommon(CollectionsCommon):
    """Messages that the gateways refuse: what they say is written as they would write it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.skip_rest_days = False

    def _answer(self, status="exception", failure="mail_smtp", partners=None):
        """The gateways answer to all that is in their queues."""
        self.env.flush_all()
        notices = (
            self.env["mail.notification"].sudo().search([("notification_status", "=", "ready")])
        )
        if partners:
            notices = notices.filtered(lambda notice: notice.res_partner_id in partners)
        mails = (
            self.env["mail.mail"]
            .sudo()
            .search(
                [("mail_message_id", "in", notices.mail_message_id.ids), ("state", "=", "outgoing")]
            )
        )
        mails.state = "sent" if status == "sent" else "exception"
        notices.write({"notification_status": status, "failure_type": status != "sent" and failure})

    def _live(self, days, status="exception", failure="mail_smtp"):
        for day in days:
            self._run(day, failing=True)
            self._answer(status, failure)

    def _actions(self, partner=None):
        return self.env["ar.collection.action"].search(
            [("partner_id", "=", (partner or self.customer).id), ("step_id", "!=", False)],
            order="id",
        )

    def _mails(self, partner=None):
        """The e-mails that reached the customer."""
        return (
            self.env["mail.mail"]
            .sudo()
            .search(
                [("recipient_ids", "in", (partner or self.customer).ids), ("state", "=", "sent")]
            )
        )

    def _collector(self, login="failures"):
        return new_test_user(
            self.env,
            login,
            "base.group_user,ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )


class TestFailure(FailureCommon):
    def test_outage_of_eight_days(self):
        """No step is used up, nobody climbs without a message, and then everybody gets one."""
        self.steps["Call"].unlink()
        self.steps["Final"].days = 9
        customers = [self._customer(f"Debtor {number}") for number in range(9)]
        for number, customer in enumerate(customers):
            self._invoice(customer, 100, due=number - 1)
        self._live(range(8))
        for customer in customers:
            actions = self._actions(customer).filtered(lambda action: action.channel == "email")
            self.assertLessEqual(len(actions), 1, "one contact, however often it is tried")
            self.assertFalse(self._mails(customer))
            self.assertLessEqual(actions.step_id, self.steps["First"])
            self.assertNotEqual(self._case(customer).stage_id, self.stages["final"])
        self._live(range(8, 12), status="sent")
        for customer in customers:
            first = self._actions(customer)[0]
            self.assertEqual((first.state, first.step_id), ("done", self.steps["First"]))
            self.assertEqual(len(self._mails(customer)), 1, "the step that was due, once")
        self._live(range(12, 40), status="sent")
        for customer in customers:
            actions = self._actions(customer)
            self.assertEqual(actions[0].step_id, self.steps["First"])
            self.assertEqual(actions[-1].step_id, self.steps["Final"], "then the ladder goes on")
            self.assertEqual(set(actions.mapped("state")), {"done"})

    def test_pauses_grow_until_a_person_decides(self):
        self.company.write({"ar_retry_longest": 4, "ar_retry_most": 4})
        self._invoice(self.customer, 100, due=-1)
        tried = []
        for day in range(30):
            before = self._actions().try_count
            self._live([day])
            if self._actions().try_count > before:
                tried.append(day)
        # Each is noticed on the day after it was sent.
        self.assertEqual(tried, [1, 3, 6, 11])
        action = self._actions()
        self.assertRecordValues(action, [{"state": "failed", "send_date": False, "try_count": 4}])
        self.assertRecordValues(
            self._case(), [{"waiting_for": "undelivered", "next_action_date": False}]
        )
        self.assertEqual(len(self._case().activity_ids), 1, "one, however often it is tried")
        collector = self._collector()
        action.with_user(collector).action_cancel()
        self.assertFalse(self._case().activity_ids)
        self._run(30)
        names = self._actions().filtered(lambda action: action.state != "cancelled").step_id
        self.assertEqual(names.mapped("name"), ["Call"], "the next step follows, at its age")

    def test_sent_again_by_a_person(self):
        self.company.ar_retry_most = 1
        self._invoice(self.customer, 100, due=-1)
        self._live([0])
        self._run(1)
        action = self._actions()
        self.assertRecordValues(action, [{"state": "failed", "send_date": False}])
        stale = (
            self.env["mail.mail"].sudo().search([("mail_message_id", "=", action.message_id.id)])
        )
        self.assertEqual(stale.state, "exception")
        action.with_user(self._collector()).action_send()
        self.assertEqual((action.state, stale.state), ("done", "cancel"), "never sent twice")
        self.assertEqual(self._case().ladder_days, 1)
        self.assertFalse(self._case().activity_ids)
        self._answer("sent")
        self._run(6)
        self.assertEqual(len(self._actions()), 3, "the next step day")

    def test_resent_from_the_chatter(self):
        self._invoice(self.customer, 100, due=-1)
        self._live([0])
        self._run(1)
        action = self._actions()
        self.assertEqual(action.state, "failed")
        action.message_id.sudo().notification_ids.notification_status = "sent"
        self._run(2)
        self.assertRecordValues(action, [{"state": "done", "date_done": self._day(0)}])
        self.assertEqual(self._case().ladder_days, 1)

    def test_bounce_asks_for_the_address(self):
        self._invoice(self.customer, 100, due=-1)
        self._live([0], "bounce", "mail_bounce")
        self._run(1)
        action, case = self._actions(), self._case()
        self.assertRecordValues(
            action, [{"failure_kind": "address", "failed_address": "customer@example.com"}]
        )
        self.assertIn("find the address", case.activity_ids.summary)
        self.assertIn("customer@example.com", case.activity_ids.note)
        self.assertEqual(action.send_date, self._day(2))
        self._live([2], "bounce", "mail_bounce")
        self._run(3)
        self.assertEqual((action.try_count, action.send_date), (2, self._day(5)))
        self.assertEqual(len(case.activity_ids), 1)
        self.customer.email = "mended@example.com"
        self._run(4)
        self.assertEqual(action.state, "done", "at once, not after the pause")
        self.assertFalse(case.activity_ids)

    def test_missing_address_is_found(self):
        nobody = self._customer("Nobody", email=False, phone=False)
        self._invoice(nobody, 100, due=-1)
        self._run(0)
        action = self._actions(nobody)
        self.assertRecordValues(action, [{"failure_kind": "address", "failed_address": False}])
        contact = self._customer("Clerk", is_company=False)
        self._case(nobody).file_id.sudo().dunning_contact_id = contact
        self._run(1)
        self.assertRecordValues(action, [{"state": "done", "contact_id": contact.id}])

    def test_step_by_hand_is_tried_again_by_hand(self):
        self.steps["First"].automatic = False
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        action = self._actions()
        action.with_user(self._collector()).action_send()
        self._answer("bounce", "mail_bounce")
        self._run(1)
        self.assertRecordValues(action, [{"state": "failed", "send_date": False}])
        self.customer.email = "mended@example.com"
        for day in (2, 9):
            self._run(day)
            self.assertEqual(self._actions(), action, "the next step waits")
        self.assertEqual(action.state, "failed")
        action.with_user(self._collector("second")).action_cancel()
        stale = self.env["mail.mail"].sudo().search([("recipient_ids", "in", self.customer.ids)])
        self.assertEqual(set(stale.mapped("state")), {"cancel"}, "nobody sends it from the queue")

    def test_copy_that_bounces_holds_nothing_up(self):
        payer = self._customer("Payer")
        self.steps["First"].cc_role = "payer_id"
        files = self.env["ar.credit.file"]
        files._get_file(self.customer, self.company, create=True).payer_id = payer
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self._answer("bounce", "mail_bounce", partners=payer)
        self._answer("sent", partners=self.customer)
        self._run(1)
        self.assertEqual(self._actions().state, "done")

    def test_other_channel_that_got_through_holds_nothing_up(self):
        self._invoice(self.customer, 100, due=-7)
        self._run(0)
        texts = self.env["mail.notification"].sudo().search([("notification_type", "=", "sms")])
        texts.write({"notification_status": "exception", "failure_type": "sms_server"})
        self._answer("sent")
        self._run(1)
        self.assertEqual(sorted(self._actions().mapped("state")), ["done", "failed"])
        self.assertFalse(self._case().waiting_for)
        self.assertEqual(self._case().ladder_days, 7)
        self._run(9)
        call = self._actions().filtered(lambda action: action.channel == "call")
        self.assertTrue(call)
        self.assertNotIn("failed", self._actions().mapped("state"), "over when the next one comes")

    def test_text_that_failed_is_tried_again(self):
        (self.policy.step_ids - self.steps["Text"]).unlink()
        self._invoice(self.customer, 100, due=-7)
        self._live([0], failure="sms_server")
        self._run(1)
        self.assertRecordValues(
            self._actions(), [{"state": "failed", "failure_kind": "delivery", "try_count": 1}]
        )
        self._run(2)
        self.assertEqual(self._actions().state, "done")
        texts = self.env["sms.sms"].sudo().search([("partner_id", "=", self.customer.id)])
        self.assertEqual(sorted(texts.mapped("state")), ["canceled", "outgoing"])

    def test_amounts_are_of_the_day_it_is_tried_again(self):
        first = self._invoice(self.customer, 100, due=-3)
        self._invoice(self.customer, 50, due=-1)
        self._live([0])
        self._run(1)
        self._pay(first, 30, day=1)
        self._run(2)
        action = self._actions()
        self.assertEqual((action.state, action.amount), ("done", 120))
        self.assertIn("120.00", action.message_id.subject)
        self.assertEqual(sum(action.item_ids.mapped("residual")), 120)

    def test_what_is_paid_is_not_tried_again(self):
        first = self._invoice(self.customer, 100, due=-3)
        self._invoice(self.customer, 50, due=-1)
        self._live([0])
        self._run(1)
        self._pay(first, day=1)
        self.assertEqual(self._actions().state, "cancelled", "its oldest item is settled")
        self._run(2)
        new = self._actions()[-1]
        self.assertRecordValues(new, [{"state": "done", "amount": 50, "rung": 1}])

    def test_waits_as_a_step_would(self):
        """On days of rest, while paused, and while all is promised, nothing is tried again."""
        self._invoice(self.customer, 100, due=-1)
        self._live([3])
        self._run(4)
        action = self._actions()
        self.assertEqual(action.send_date, self._day(5))
        self.policy.skip_rest_days = True
        self._run(5)  # a Saturday
        self.assertRecordValues(self._case(), [{"waiting_for": "rest_day"}])
        self.assertEqual(action.state, "failed")
        self._case()._pause_until("They look into it", self._day(9))
        self._run(7)
        self.assertEqual(action.state, "failed")
        self._run(9)
        self.assertEqual(action.state, "done")

    def test_customer_was_not_contacted(self):
        self.policy.min_days_between = 20
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        file = self._case().file_id
        self.assertEqual(file.last_contact_date, self._day(0))
        self._answer()
        self._run(1)
        self.assertFalse(file.last_contact_date)
        self._run(2)
        self.assertEqual(self._actions().state, "done", "no distance to a contact that was none")
        self.assertEqual(file.last_contact_date, self._day(2))

    def test_stage_and_hold_need_a_message_that_got_through(self):
        self._invoice(self.customer, 100, due=-7)
        self._live([0], "sent")
        self.steps["Final"].days = 20
        self.steps["Call"].unlink()
        self._live([14])
        case = self._case()
        self.assertEqual((case.stage_id, case.credit_hold), (self.stages["final"], True))
        self._run(15)
        self.assertEqual((case.stage_id, case.credit_hold), (self.stages["reminder"], False))
        self._live([16], "sent")
        self._run(17)
        self.assertEqual((case.stage_id, case.credit_hold), (self.stages["final"], True))
        self.assertEqual(len(self._mails()), 2)

    def test_courtesy_message(self):
        self.policy.step_ids = [
            Command.create(
                {
                    "name": "Courtesy",
                    "days": -6,
                    "channel": "email",
                    "template_id": self.mail_template.id,
                }
            )
        ]
        late = self._customer("Late")
        self._invoice(self.customer, 100, due=6)
        self._invoice(late, 50, due=6)
        self._invoice(late, 7, due=40)
        self._live([0])
        self._run(1)
        self.assertEqual(self._actions(late).mapped("state"), ["failed"])
        self._run(2)
        self._answer("sent", partners=self.customer)
        self._answer(partners=late)
        self._run(3)
        self.assertRecordValues(self._actions(), [{"state": "done", "amount": 100}])
        self.assertRecordValues(self._actions(late), [{"state": "failed", "amount": 50}])
        self._run(7)
        self.assertEqual(self._actions(late).mapped("rung"), [-6, 1], "too late for a courtesy")

    def test_failed_today(self):
        """One line in the filters of the worklist and of the actions."""
        self._invoice(self.customer, 100, due=-1)
        self._live([0])
        self._run(1)
        for view, record in (
            ("ar_collection_action_view_search", self._actions()),
            ("ar_collection_case_view_search", self._case()),
        ):
            arch = etree.fromstring(self.env.ref(f"ar_collections.{view}").arch)
            [shown] = arch.xpath("//filter[@name='failed_today']")
            domain = literal_eval(shown.get("domain")) + [("id", "=", record.id)]
            for day, found in ((Date.today(), True), (Date.today() - timedelta(days=2), False)):
                self._actions().sudo().date_failed = day
                self.assertEqual(bool(record.search(domain)), found, view)


class TestPauses(BaseCase):
    @given(tries=st.integers(1, 60), longest=st.integers(1, 90), most=st.integers(1, 60))
    def test_pauses(self, tries, longest, most):
        pause = next_pause(tries, longest, most)
        if tries >= most:
            self.assertIsNone(pause)
            return
        self.assertTrue(1 <= pause <= longest)
        if tries > 1:
            self.assertGreaterEqual(pause, next_pause(tries - 1, longest, most))
