"""Nothing leaves the house before somebody says so, nor more than somebody expects."""

import contextlib
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.mail.tests.common import MockEmail

from .common import CollectionsCommon


class SendingCase(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.ar_credit_manager_id = cls.manager = cls._user("credit_manager")
        cls.runs = cls.env["ar.collection.run"]

    @classmethod
    def _user(cls, role, companies=None, groups="base.group_user"):
        companies = companies or cls.company
        return new_test_user(
            cls.env,
            f"{role}.{companies[:1].id}",
            f"{groups},ar_collections.group_{role}",
            company_id=companies[:1].id,
            company_ids=[Command.set(companies.ids)],
        )

    def _owe(self, count=1, due=-1, prefix="Late"):
        customers = self.env["res.partner"].union(
            *(self._customer(f"{prefix} {index}") for index in range(count))
        )
        for customer in customers:
            self._invoice(customer, 100, due=due)
        return customers

    def _sent(self, company=None):
        """How many messages the company has sent so far."""
        return self.env["ar.collection.action"].search_count(
            [
                ("company_id", "=", (company or self.company).id),
                ("message_id", "!=", False),
                ("state", "=", "done"),
            ]
        )

    def _open(self, user=None, company=None):
        """The screen of a company, as a manager sees it."""
        sending = self.env["ar.collection.sending"].with_user(user or self.manager)
        sending = sending.with_company(company or self.company)
        return sending.browse(sending.action_open()["res_id"])

    @contextlib.contextmanager
    def _awake(self):
        """The scheduler is told to go on with the day."""
        triggers = self.env["ir.cron.trigger"].search_count([])
        yield
        self.assertEqual(self.env["ir.cron.trigger"].search_count([]), triggers + 1)

    def _told(self, user=None):
        """What the manager has been told to do, apart from work on records."""
        return (
            self.env["mail.activity"]
            .sudo()
            .search([("user_id", "=", (user or self.manager).id), ("res_model", "=", False)])
            .mapped("summary")
        )


class TestPreparing(SendingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company._ar_prepare_again()

    def test_the_day_plans_and_nothing_leaves_the_house(self):
        self._owe(2)
        self._owe(due=-60, prefix="Very late")
        self._owe(due=2, prefix="Soon")
        mails = self.env["mail.mail"].search_count([])
        texts = self.env["sms.sms"].search_count([])
        run = self._run(0, failing=True)
        self.assertRecordValues(run, [{"state": "done", "action_count": 0, "waiting_count": 3}])
        self.assertIn("is preparing", run.log)
        self.assertEqual(run.opened_count, 3)
        cases = self.env["ar.collection.case"].search([("company_id", "=", self.company.id)])
        self.assertEqual(set(cases.mapped("next_action_date")), {self.today})
        self.assertEqual(sum(cases.mapped("amount_overdue")), 300)
        self.assertFalse(cases.action_ids)
        self.assertFalse(cases.file_id.filtered("hold"))
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertEqual(self.env["sms.sms"].search_count([]), texts)
        self.assertFalse(
            self.env["mail.activity"].search(
                [("res_model", "=", "ar.collection.case"), ("res_id", "in", cases.ids)]
            )
        )

    def test_a_manager_is_told_once(self):
        self._owe()
        for day in range(3):
            self._run(day, failing=True)
        told = self._told()
        self.assertEqual(len(told), 1, told)
        self.assertIn("is preparing", told[0])

    def test_orders_go_on(self):
        """Neither stages nor rules hold anybody by themselves before the company is started."""
        grade = (
            self.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "HR",
                    "name": "Held by rule",
                    "hold_by_rule": True,
                    "hold_days": 5,
                }
            )
        )
        customer = self._owe(due=-60)
        file = self.env["ar.credit.file"]._get_file(customer, self.company, create=True)
        file.grade_id = grade
        self._run(0, failing=True)
        self._case(customer).sudo().stage_id = self.stages["final"]
        self.assertFalse(file.hold)
        self._invoice(customer, 10, due=30)
        self._open().action_start()
        self._run(1)
        self.assertTrue(file.hold)

    def test_a_manager_starts_it_and_today_goes_out(self):
        self._owe(2)
        run = self._run(0, failing=True)
        sending = self._open()
        self.assertIn("is preparing", sending.standing)
        self.assertIn("E-mail: 2", sending.today)
        self.assertEqual(len(run.line_ids), 2, "what would go out")
        with self._awake():
            sending.action_start()
        self.assertEqual(self.company.ar_started_by_id, self.manager)
        self.assertIn("sends what is due", self._open().standing)
        self.assertEqual(self._run(0, failing=True), run)
        self.assertEqual(self._sent(), 2)
        self.assertRecordValues(run, [{"state": "done", "waiting_count": 0, "line_ids": []}])
        self.assertFalse(self._told(), "what was told is done")
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 2)

    def test_the_scheduler_goes_on_with_the_day(self):
        today = self.company.with_context(ar_clock=None)._ar_today()
        self.policy.skip_rest_days = False
        self._owe(due=(today - self.today).days - 1)
        cron = self.env.ref("ar_collections.ir_cron_daily_run")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
            self.assertEqual(self._sent(), 0)
            self._open().with_context(ar_clock=None).action_start()
            cron.method_direct_trigger()
            self.assertEqual(self._sent(), 1)

    def test_the_next_day_sends_what_waited(self):
        self._owe()
        first = self._run(0, failing=True)
        self._open()
        self._open().action_start()
        self._run(1)
        self.assertEqual(self._sent(), 1)
        self.assertFalse(first.line_ids)
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 1, "a day that is over does not go on")

    def test_each_company_is_started_for_itself(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        self.assertTrue(other._ar_is_started())
        self._owe()
        self._run(0, company=other)
        run = self._run(0, failing=True)
        self.assertEqual(run.waiting_count, 1)
        fresh = self.env["res.company"].create({"name": "Fresh"})
        self.assertFalse(fresh._ar_is_started())

    def test_branches_stand_where_their_company_stands(self):
        self.assertFalse(self.branch._ar_is_started())
        self._open().action_start()
        self.assertTrue(self.branch._ar_is_started())

    def test_the_first_contact_is_chosen_where_one_starts(self):
        customer = self._owe(due=-60)
        sending = self._open()
        sending.first_contact = "first"
        sending.action_look()
        self.assertEqual(sending.run_id.line_ids.step_id, self.steps["First"])
        sending.action_start()
        self._run(0)
        self.assertEqual(self._case(customer).action_ids.step_id, self.steps["First"])

    def test_a_plan_is_remembered_when_the_company_sends(self):
        customer = self._owe(due=-15)
        items = self.env["account.move.line"].search(
            [("partner_id", "=", customer.id), ("account_type", "=", "asset_receivable")]
        )
        plan = self.env["ar.payment.plan"].create(
            {
                "partner_id": customer.id,
                "company_id": self.company.id,
                "item_ids": [
                    Command.create({"move_line_id": item.id, "amount": item.amount_residual})
                    for item in items
                ],
                "line_ids": [Command.create({"date": self._day(3), "amount": 100})],
                "reminder_days": 5,
            }
        )
        plan.action_propose()
        plan._accept("The customer")
        self._run(0, failing=True)
        self.assertFalse(plan.line_ids.date_reminded)
        self._open().action_start()
        self._run(1)
        self.assertEqual(plan.line_ids.date_reminded, self._day(1))


class TestSendingRights(SendingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.setup_other_company(name="Elsewhere")["company"]
        cls.others = {
            "collector": cls._user("collector"),
            "auditor": cls._user("auditor"),
            "manager elsewhere": cls._user("credit_manager", cls.elsewhere),
        }

    def test_managers_alone_decide(self):
        sending = self._open()
        for name, user in self.others.items():
            for button in (
                "action_start",
                "action_stop",
                "action_go_on",
                "action_apply",
                "action_lift_limit",
                "action_look",
            ):
                with self.subTest(user=name, button=button), self.assertRaises(AccessError):
                    getattr(sending.with_user(user), button)()
        self.assertFalse(self.company.ar_sending_stopped)

    def test_nobody_opens_it_for_another_company(self):
        for name, user in self.others.items():
            with self.subTest(user=name), self.assertRaises(AccessError):
                self._open(user)

    def test_nobody_names_a_company_over_rpc(self):
        sending = self.env["ar.collection.sending"].with_user(self.others["manager elsewhere"])
        with self.assertRaises(AccessError):
            sending.create(
                {
                    "company_id": self.company.id,
                    "first_contact": "age",
                    "stage_holds": "ask",
                }
            )

    def test_the_limit_is_lifted_by_managers_of_the_company(self):
        self.company.ar_daily_limit = 1
        self._owe(3)
        run = self._run(0, failing=True)
        for name, user in self.others.items():
            with self.subTest(user=name), self.assertRaises(AccessError):
                run.with_user(user).action_lift_limit()
        run.with_user(self.manager).action_lift_limit()
        self.assertEqual(run.limit_lifted_by_id, self.manager)

    def test_holds_are_decided_by_managers(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.sudo()._propose_hold("Stage")
        for button in ("action_confirm_hold", "action_decline_hold"):
            for name, user in self.others.items():
                with self.subTest(user=name, button=button), self.assertRaises(AccessError):
                    getattr(file.with_user(user), button)()
        self.assertEqual(file.hold_proposal, "Stage")


class TestObstacles(SendingCase):
    def _meet(self, words):
        """Neither starts the company nor sends; says what to do."""
        self.company._ar_prepare_again()
        with self.assertRaisesRegex(UserError, words):
            self._open().action_start()
        self.assertFalse(self.company._ar_is_started())
        self.company._ar_mark_started()
        self._owe()
        run = self._run(0, failing=True)
        self.assertRegex(run.log, words)
        self.assertEqual(run.waiting_count, 1)
        self.assertFalse(self._sent())
        self._run(0, failing=True)
        self.assertEqual(run.log.count("\n"), 0, "said once")

    def test_without_an_address(self):
        self.company.email = False
        self._meet("no e-mail address")
        self.company.email = "office@example.com"
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 1)

    def test_with_nobodys_address(self):
        self.company.email = "OdooBot <odoobot@example.com>"
        self._meet("no e-mail address")

    def test_without_a_mail_server(self):
        self.env["ir.mail_server"].search([]).active = False
        with patch("socket.create_connection", side_effect=ConnectionRefusedError):
            self._meet("no outgoing mail server")

    def test_without_anybody_to_do_it(self):
        managers = self.env.ref("ar_collections.group_credit_manager").all_user_ids
        administrator = new_test_user(
            self.env,
            "administrator",
            "base.group_user,base.group_system",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        managers.with_user(SUPERUSER_ID).active = False
        self.assertFalse(self.env["res.users"]._ar_get_manager(self.company))
        self._owe()
        run = self._run(0, failing=True)
        self.assertIn("Nobody is credit manager", run.log)
        self.assertFalse(self._sent())
        self.assertIn("Nobody is credit manager", "".join(self._told(administrator)))

    def test_administrators_are_told_what_managers_cannot_mend(self):
        administrator = new_test_user(
            self.env,
            "administrator",
            "base.group_user,base.group_system",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.company.email = False
        self._owe()
        self._run(0, failing=True)
        for user in (self.manager, administrator):
            self.assertIn("no e-mail address", "".join(self._told(user)))

    def test_all_work_is_given_to_people(self):
        """A call without a collector, an excluded item, a missing proof: somebody does it."""
        self._owe(2, due=-15)
        self._owe(due=-60)
        case = self._case(self._owe(prefix="Other"))
        bot = self.runs.with_user(self.env.ref("base.user_root"))
        bot._run_for(self.company.with_env(bot.env), self.today)
        case = self.env["ar.collection.case"].search([], limit=1)
        case.sudo().with_user(self.env.ref("base.user_root")).activity_schedule(
            "ar_collections.activity_task", self.today
        )
        activities = self.env["mail.activity"].search([("res_model", "=like", "ar.%")])
        self.assertGreaterEqual(len(activities), 3)
        for activity in activities:
            self.assertTrue(activity.user_id.active and not activity.user_id.share, activity)


class TestStopping(SendingCase, MockEmail):
    def _live(self, between):
        """Live the day in batches of two, and do something between the first two."""
        run = self._run(0, execute=False).sudo()
        calls = []

        def checkpoint(done, remaining):
            if not calls and self._sent():
                between()
                calls.append(done)
            self.env.flush_all()
            return 60

        with patch("odoo.addons.ar_collections.models.run.collection_worker.BATCH", 2):
            run._execute(checkpoint)
        return run

    def test_a_company_stops_within_the_batch(self):
        self._owe(6)
        sending = self._open()
        run = self._live(sending.action_stop)
        self.assertEqual(self._sent(), 2)
        self.assertEqual(run.waiting_count, 4)
        self.assertIn("stopped", run.log)
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 2)
        with self._awake():
            sending.action_go_on()
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 6)

    def test_a_policy_stops_within_the_batch(self):
        self._owe(6)
        run = self._live(lambda: self.policy.write({"stopped": True}))
        self.assertEqual(self._sent(), 2)
        cases = self.env["ar.collection.case"].search([("company_id", "=", self.company.id)])
        self.assertEqual(cases.mapped("waiting_for").count("stopped"), 4)
        self.assertEqual(run.state, "done")
        self.policy.stopped = False
        self._run(1)
        self.assertEqual(self._sent(), 6)

    def test_a_channel_stops_within_the_batch(self):
        self._owe(4, due=-7)
        sending = self._open()

        def stop_texts():
            sending.channel_ids.filtered(lambda line: line.channel == "sms").stopped = True
            sending.action_apply()

        self._live(stop_texts)
        self.assertEqual(self._sent(), 4, "two customers, by e-mail and by text")
        calls = self._owe(due=-15, prefix="Call")
        self._run(1)
        self.assertTrue(self._case(calls).action_ids, "other channels go on")
        self.assertEqual(self._sent(), 4)
        sending.channel_ids.stopped = False
        sending.action_apply()
        self._run(2)
        self.assertEqual(self._sent(), 8, "nothing is lost")

    def test_courtesy_messages_stop_too(self):
        self.policy.step_ids = [
            Command.create(
                {
                    "name": "Courtesy",
                    "days": -3,
                    "channel": "email",
                    "template_id": self.mail_template.id,
                }
            )
        ]
        self._owe(due=2)
        self.policy.stopped = True
        self._run(0)
        self.assertFalse(self._sent())
        self.policy.stopped = False
        self._run(1)
        self.assertEqual(self._sent(), 1)

    def test_nobody_sends_by_hand_what_is_stopped(self):
        customer = self._owe(due=-15)
        self._run(0)
        action = self._case(customer).action_ids
        action.write({"channel": "email"})
        action.sudo().step_id = self.steps["First"]
        self.policy.stopped = True
        with self.assertRaisesRegex(UserError, "stopped"):
            action.with_user(self.manager).action_send()

    def test_the_outbox_stops_too(self):
        self._owe(2)
        self._owe(due=-7, prefix="Text")
        self._run(0)
        mails = self.env["mail.mail"].search([("state", "=", "outgoing")])
        texts = self.env["sms.sms"].search([("state", "=", "outgoing")])
        self.assertTrue(len(mails) >= 3 and texts)
        others = self.env["mail.mail"].create({"email_to": "a@example.com", "body_html": "x"})
        self._open().action_stop()
        with self.mock_mail_gateway():
            (mails | others).send()
            texts.send()
        self.assertEqual([mail["email_to"] for mail in self._mails], [["a@example.com"]])
        self.assertEqual(set(mails.mapped("state")), {"outgoing"})
        self.assertEqual(set(texts.mapped("state")), {"outgoing"})
        self._open().action_go_on()
        with self.mock_mail_gateway():
            mails.send()
        self.assertEqual(len(self._mails), len(mails))

    def test_a_mail_that_was_deleted_meanwhile_stops_nobody(self):
        gone, there = self.env["mail.mail"].create(
            [{"email_to": f"{name}@example.com", "body_html": "x"} for name in ("a", "b")]
        )
        gone.sudo().unlink()
        with self.mock_mail_gateway():
            (gone | there).send()
        self.assertEqual([mail["email_to"] for mail in self._mails], [["b@example.com"]])


class TestCopy(SendingCase):
    def test_a_copy_prepares_again(self):
        self._owe(2)
        self._run(0)
        self.assertEqual(self._sent(), 2)
        mails = self.env["mail.mail"].search([("state", "=", "outgoing")])
        self._owe(prefix="New")
        self.env["ir.config_parameter"].set_param("database.uuid", "of the copy")
        run = self._run(1, failing=True)
        self.assertIn("copy of the database", run.log)
        self.assertEqual(run.waiting_count, 1)
        self.assertEqual(self._sent(), 2)
        mails.send()
        self.assertEqual(set(mails.mapped("state")), {"outgoing"}, "what was in the outbox")
        self.assertIn("copy of the database", self._open().standing)
        self._open().action_start()
        self._run(1, failing=True)
        self.assertEqual(self._sent(), 3)


class TestLimit(SendingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.ar_daily_limit = 3

    def test_what_is_over_the_limit_waits_for_a_yes(self):
        customers = self._owe(5)
        calls = self._owe(2, due=-15, prefix="Call")
        run = self._run(0, failing=True)
        self.assertEqual(self._sent(), 3)
        self.assertRecordValues(run, [{"waiting_count": 2, "over_limit_count": 2}])
        self.assertIn("limit of 3 messages", run.log)
        self.assertIn("limit of 3 messages", "".join(self._told()))
        for customer in calls:
            self.assertTrue(self._case(customer).action_ids, "work for people is no message")
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 3, "again on the same day")
        with self._awake():
            self._open().action_lift_limit()
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 5)
        self.assertRecordValues(run, [{"waiting_count": 0, "over_limit_count": 0}])
        self.assertFalse(self._told())
        self.assertIn(self.manager.name, run.log)
        self.assertTrue(all(self._case(customer).action_ids for customer in customers))

    def test_two_messages_of_one_day_are_two(self):
        self._owe(3, due=-7)
        self._run(0, failing=True)
        self.assertEqual(self._sent(), 2)

    def test_the_day_counts_and_not_the_batch(self):
        """Killed after each batch, it sends no more than the limit."""

        class Killed(BaseException):
            pass

        def checkpoint(done, remaining):
            self.env.flush_all()
            raise Killed

        self._owe(6)
        run = self.runs.sudo().create({"company_id": self.company.id, "date": self.today})
        with patch("odoo.addons.ar_collections.models.run.collection_worker.BATCH", 2):
            for _attempt in range(4):
                try:
                    run._execute(checkpoint)
                except Killed:
                    self.env.invalidate_all(flush=False)
        run._execute()
        self.assertEqual(self._sent(), 3)
        self.assertEqual(run.waiting_count, 3)

    def test_a_yes_is_for_one_day(self):
        self._owe(5)
        run = self._run(0, failing=True)
        run.with_user(self.manager).action_lift_limit()
        self._run(0, failing=True)
        self._owe(5, due=0, prefix="Later")
        self._run(1, failing=True)
        self.assertEqual(self._sent(), 8)

    def test_the_limit_grows_with_days_that_somebody_allowed(self):
        company = self.company
        company.ar_daily_limit = 0
        self.assertEqual(company._ar_get_daily_limit(), 200)
        big, cut = self.runs.sudo().create(
            [{"company_id": company.id, "date": self._day(-day)} for day in (1, 2)]
        )
        big.message_count = 150
        cut.write({"message_count": 400, "over_limit_count": 9})
        self.assertEqual(company._ar_get_daily_limit(), 300)
        big.message_count = 20
        self.assertEqual(company._ar_get_daily_limit(), 200)


class TestByCode(SendingCase):
    """Whoever lives a day by code has decided that the company sends."""

    def test_a_company_need_not_have_been_started(self):
        self.company._ar_prepare_again()
        self.company.ar_stage_holds = "ask"
        customer = self._owe()
        late = self._owe(due=-60, prefix="Very late")
        self.company.ar_daily_limit = 1
        self.runs._run_for(self.company, self.today)
        self.assertEqual(self._case(customer).action_ids.mapped("state"), ["done"])
        self.assertTrue(self._case(late).action_ids)
        self.assertTrue(late.credit_file_id.hold)

    def test_what_is_stopped_stays_stopped(self):
        self.company.ar_sending_stopped = True
        customer = self._owe()
        self.runs._run_for(self.company, self.today)
        self.assertFalse(self._case(customer).action_ids)

    def test_a_request_cannot_say_so(self):
        self.company._ar_prepare_again()
        customer = self._owe()
        run = self.runs.sudo().create({"company_id": self.company.id, "date": self.today})
        for value in (True, "BY_CODE", {}):
            run.with_user(self.manager).with_context(ar_by_code=value).action_execute()
        self.assertFalse(self._case(customer).action_ids)


class TestProposedHolds(SendingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.ar_stage_holds = "ask"
        cls.invoice = cls._invoice(cls.customer, 100, due=-60)

    def setUp(self):
        super().setUp()
        self._run(0)
        self.file = self.customer.credit_file_id

    def test_a_person_decides(self):
        self.assertRecordValues(self.file, [{"hold": False}])
        self.assertIn("final", self.file.hold_proposal)
        self.assertIn("propose to hold", "".join(self._told()))
        self._invoice(self.customer, 10, due=30)
        self.file.with_user(self.manager).action_confirm_hold()
        self.assertRecordValues(
            self.file,
            [{"hold": True, "hold_cause": "stage", "hold_user_id": self.manager.id}],
        )
        self.assertFalse(self.file.hold_proposal)
        self._pay(self.invoice)
        self.assertFalse(self.file.hold, "lifted like any hold by stage")

    def test_a_person_who_moves_the_case_has_decided(self):
        customer = self._owe(prefix="Moved")
        self._run(1)
        final = self._case(self.customer).stage_id
        self._case(customer).with_user(self.manager)._move_without_proof(final, "Asked twice")
        self.assertRecordValues(customer.credit_file_id, [{"hold": True, "hold_proposal": False}])

    def test_no_is_an_answer(self):
        self.file.with_user(self.manager).action_decline_hold()
        self.assertRecordValues(self.file, [{"hold": False, "hold_proposal": False}])
        self._run(1)
        self.assertFalse(self.file.hold_proposal, "the same stage does not ask again")
        self.assertFalse(self._told())

    def test_nothing_is_proposed_for_a_case_that_is_closed(self):
        self._pay(self.invoice)
        self.assertFalse(self.file.hold_proposal)

    def test_new_companies_ask(self):
        self.assertEqual(self.env["res.company"].create({"name": "New"}).ar_stage_holds, "ask")


class TestArchivedSteps(SendingCase):
    def test_archived_steps_are_passed_over(self):
        self.steps["First"].active = False
        customer = self._owe()
        self._run(0)
        self.assertFalse(self._case(customer).action_ids)
        self.assertEqual(self._case(customer).next_action_date, self._day(6))
        run = self.runs.sudo().create({"company_id": self.company.id, "date": self._day(6)})
        run._preview()
        self.assertNotIn(self.steps["First"], run.line_ids.step_id)

    def test_an_archived_step_of_a_day_is_left_out(self):
        self.steps["Text"].active = False
        customer = self._owe(due=-7)
        self._run(0)
        self.assertEqual(self._case(customer).action_ids.step_id, self.steps["Second"])

    def test_a_policy_whose_steps_are_archived_is_none(self):
        other = self.policy.copy({"name": "Other", "sequence": 99})
        self.policy.step_ids.active = False
        self.assertFalse(self.policy.step_ids)
        customer = self._owe()
        self._run(0)
        self.assertEqual(self._case(customer).policy_id, other)
        self.assertTrue(self._case(customer).action_ids)

    def test_cases_leave_a_policy_whose_steps_are_archived(self):
        customer = self._owe()
        self._run(0)
        other = self.policy.copy({"name": "Other", "sequence": 99})
        self.policy.step_ids.active = False
        self._run(6)
        self.assertEqual(self._case(customer).policy_id, other)

    def test_archived_courtesy_messages(self):
        self.policy.step_ids = [
            Command.create(
                {
                    "name": "Courtesy",
                    "days": -3,
                    "channel": "email",
                    "template_id": self.mail_template.id,
                }
            )
        ]
        self._owe(due=2)
        self.policy.step_ids.filtered(lambda step: step.days < 0).active = False
        self._run(0)
        self.assertFalse(self._sent())


class TestDeletedWords(SendingCase):
    def test_a_day_goes_on_without_a_deleted_template(self):
        """What is sent by itself is left out, a button says what is missing."""
        xmlids = ("mail_template_plan_reminder", "mail_template_statement")
        for xmlid in xmlids:
            self.env.ref(f"ar_collections.{xmlid}").unlink()
        self.assertFalse(self.env["ar.payment.plan"]._may_remind(self.company))
        self._owe()
        self._run(0)
        file = self.env["ar.collection.case"].search([], limit=1).file_id
        with self.assertRaisesRegex(UserError, "was deleted"):
            file._send_statements()

    def test_an_invoice_is_blocked_without_a_deleted_reason(self):
        invoice = self._invoice(self.customer, 100, due=-1)
        self.env.ref("ar_collections.dispute_reason_other").unlink()
        invoice.action_toggle_block_payment()
        self.assertTrue(invoice._ar_open_disputes().reason_id)
