import contextlib
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import CollectionsCommon


class TestRun(CollectionsCommon):
    def _steps_taken(self, partner=None):
        actions = self._case(partner).action_ids.filtered(lambda a: a.state != "cancelled")
        return actions.sorted("id").step_id.mapped("name")

    def test_who_was_overtaken_takes_nothing(self):
        """Another worker took steps of the customer after this one had planned them."""
        self._invoice(self.customer, 1000, due=-40)
        self._run(0)
        worker = self.env["ar.collection.worker"]
        plans = self.env["ar.collection.planner"]._plan_cases(self.company, self.today)
        plans = [plan for plan in plans if plan.partner_id == self.customer.id]
        customers = worker._get_customers(plans)
        self.assertEqual(worker._lock_customers(customers), (plans, []))
        self._case().file_id.sudo()._count_turn()
        self.assertEqual(worker._lock_customers(customers), ([], []))

    def test_old_debt_gets_one_contact(self):
        self._invoice(self.customer, 100, due=-40)
        self._run(0)
        self.assertEqual(self._steps_taken(), ["Call"], "the step it has reached, no other")
        self.assertEqual(self._case().stage_id, self.stages["phone"])

    def test_second_run_of_the_day_does_nothing(self):
        self._invoice(self.customer, 100, due=-2)
        run = self._run(0)
        before = (run.action_count, run.seconds, len(self._case().message_ids))
        self.assertEqual(self._run(0), run)
        self.assertEqual(before, (run.action_count, run.seconds, len(self._case().message_ids)))

    def test_contact_cap(self):
        self.policy.min_days_between = 10
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self._run(7)
        self.assertEqual(self._steps_taken(), ["First"])
        self.assertRecordValues(
            self._case(),
            [
                {
                    "waiting_for": "contact_cap",
                    "next_action_date": self._day(10),
                }
            ],
        )
        self._run(10)
        self.assertEqual(self._steps_taken(), ["First", "Second", "Text"])

    def test_rest_days_and_holidays_wait(self):
        self._invoice(self.customer, 100, due=4)
        saturday, monday = 5, 7
        self._run(saturday)
        self.assertFalse(self._case().action_ids)
        self.assertRecordValues(
            self._case(),
            [
                {
                    "waiting_for": "rest_day",
                    "next_action_date": self._day(6),
                }
            ],
        )
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Public holiday",
                "company_id": self.company.id,
                "calendar_id": self.company.resource_calendar_id.id,
                "date_from": f"{self._day(monday)} 00:00:00",
                "date_to": f"{self._day(monday)} 23:59:59",
            }
        )
        self._run(monday)
        self.assertFalse(self._case().action_ids)
        self._run(monday + 1)
        self.assertEqual(self._steps_taken(), ["First"])

    def test_without_rest_days(self):
        self.policy.skip_rest_days = False
        self._invoice(self.customer, 100, due=4)
        self._run(5)
        self.assertEqual(self._steps_taken(), ["First"])

    def test_old_bank_entries_hold_back(self):
        self.policy.max_bank_age = 3
        self._pay(self._invoice(self._customer("Payer"), 5, due=-20), day=-5)
        self._invoice(self.customer, 100, due=-2)
        self._run(0)
        self.assertEqual(self._case().waiting_for, "stale_bank")
        self._pay(self._invoice(self._customer("Second payer"), 5, due=-20), day=1)
        self._run(1)
        self.assertEqual(self._steps_taken(), ["First"])

    def test_net_of_open_credits(self):
        self._invoice(self.customer, 100, due=-2)
        self._invoice(self.customer, 60, due=-2, move_type="out_refund")
        self.policy.min_amount = 50
        self._run(0)
        self.assertEqual(self._case().waiting_for, "below_minimum")
        self.policy.net_of_credit = False
        self._run(1)
        self.assertEqual(self._steps_taken(), ["First"])

    def test_last_step_comes_again_until_somebody_decides(self):
        def taken():
            return self._case().action_ids.sorted("id").mapped("rung")

        self._invoice(self.customer, 100, due=-60)
        self.policy.repeat_days = 20
        self._run(0)
        self.assertEqual((self._steps_taken(), taken()), (["Final"], [60]))
        self.assertEqual(self._case().next_action_date, self._day(20))
        self._run(19)
        self.assertEqual(taken(), [60])
        for day in (21, 22):
            self._run(day)
            self.assertEqual((self._steps_taken(), taken()), (["Final"], [60, 81]))
        self.assertEqual(self._case().next_action_date, self._day(41))
        self._run(42)
        self.assertEqual(taken(), [60, 81, 102])
        self.policy.repeat_days = 0
        self._run(91)
        self.assertEqual(taken(), [60, 81, 102])

    def test_people_live_today(self):
        manager = new_test_user(
            self.env,
            "run_of_today",
            "ar_collections.group_credit_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self._invoice(self.customer, 100, due=-20)
        runs = self.env["ar.collection.run"].with_user(manager)
        future = runs.create({"company_id": self.company.id, "date": self._day(1)})
        future.action_preview()
        with self.assertRaisesRegex(UserError, "to come"):
            future.action_execute()
        self._run(0)
        past = runs.create({"company_id": self.company.id, "date": self._day(-1)})
        with self.assertRaisesRegex(UserError, "done already"):
            past.action_execute()
        self.assertEqual(self.company.ar_run_date, self.today)
        self._run(3)
        self.assertEqual(self.company.ar_run_date, self._day(3), "what replays days is no person")

    def test_minimum_amounts(self):
        self.policy.min_amount = 50
        self._invoice(self.customer, 49.99, due=-2)
        self._run(0)
        self.assertEqual(self._case().waiting_for, "below_minimum")
        self._invoice(self.customer, 0.01, due=-1)
        self._run(1)
        self.assertEqual(self._steps_taken(), ["First"])
        self.steps["Text"].min_amount = 1000
        self._run(7)
        self.assertEqual(self._steps_taken(), ["First", "Second"])

    def test_newer_debt_climbs_the_ladder_again(self):
        """When the oldest item is paid the next one gets the steps it has not had."""
        first = self._invoice(self.customer, 100, due=-7)
        self._invoice(self.customer, 50, due=-2)
        self._invoice(self.customer, 20, due=20)
        self._run(0)
        self.assertEqual(self._steps_taken(), ["Second", "Text"])
        self._pay(first, day=1)
        self._run(7)
        self.assertEqual(len(self._case().action_ids), 2, "it has been in that letter")
        self._run(14)
        self.assertEqual(self._steps_taken()[2:], ["Call"])

    def test_no_address_fails_visibly(self):
        nobody = self._customer("Nobody", email=False, phone=False)
        self._invoice(nobody, 100, due=-1)
        run = self._run(0)
        case = self._case(nobody)
        self.assertRecordValues(
            case.action_ids,
            [
                {
                    "state": "failed",
                    "failure_reason": "The customer has no e-mail address.",
                }
            ],
        )
        self.assertEqual(len(case.activity_ids), 1)
        self.assertEqual((run.failure_count, case.attention), (1, "failed"))
        loose = case.action_ids.create(
            {
                "case_id": case.id,
                "partner_id": nobody.id,
                "company_id": self.company.id,
                "channel": "email",
                "date_planned": self.today,
            }
        )
        with self.assertRaises(UserError):
            loose.action_send()
        loose.action_cancel()
        nobody.email = "found@example.com"
        (case.action_ids - loose).action_send()
        self.assertEqual((case.action_ids - loose).state, "done")

    def test_missing_phone_is_no_activity_when_the_mail_went_out(self):
        quiet = self._customer("Quiet", phone=False)
        self._invoice(quiet, 100, due=-7)
        self._run(0)
        self.assertEqual(sorted(self._case(quiet).action_ids.mapped("state")), ["done", "failed"])
        self.assertFalse(self._case(quiet).activity_ids)

    def test_nobody_is_told_less_because_of_an_older_mail(self):
        quiet = self._customer("Quiet", phone=False)
        first, second, _third = (self._invoice(quiet, 100, due=due) for due in (-7, -1, 10))
        self._run(0)
        self._pay(first, day=1)
        quiet.email = False
        self._run(11)
        self._pay(second, day=12)
        before = self._case(quiet).activity_ids
        self._run(17)
        states = self._case(quiet).action_ids.sorted("id").mapped("state")
        self.assertEqual(states[-2:], ["failed", "failed"])
        self.assertEqual(len(self._case(quiet).activity_ids - before), 1)

    def test_policy_of_another_company_is_nobodys_here(self):
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        self.policy.copy({"company_id": elsewhere.id, "sequence": -1, "name": "Theirs"})
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertEqual(self._case().policy_id, self.policy)

    def test_bounced_mail_shows(self):
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        action = self._case().action_ids
        self.assertEqual(action.delivery, "ready")
        action.message_id.sudo().notification_ids.write(
            {
                "notification_status": "bounce",
                "failure_type": "mail_bounce",
            }
        )
        self.assertEqual(action.delivery, "bounce")
        self._run(1)
        self.assertRecordValues(action, [{"state": "failed", "failure_reason": "Bounce"}])
        self.assertEqual(len(self._case().activity_ids), 1)

    def test_call_is_an_activity(self):
        collector = self.env["res.users"].create(
            {
                "name": "Collector",
                "login": "collector",
                "email": "collector@example.com",
                "group_ids": [Command.link(self.env.ref("ar_collections.group_collector").id)],
                "company_ids": [Command.link(self.company.id)],
                "company_id": self.company.id,
            }
        )
        self.customer.user_id = collector
        self._invoice(self.customer, 100, due=-15)
        self._run(0)
        action = self._case().action_ids
        self.assertRecordValues(action, [{"state": "planned", "user_id": collector.id}])
        activity = self._case().activity_ids
        self.assertRecordValues(activity, [{"user_id": collector.id, "summary": "Call"}])
        activity.with_user(collector).action_feedback(feedback="Will pay on Friday")
        self.assertRecordValues(action, [{"state": "done", "note": "Will pay on Friday"}])

    def test_call_that_is_logged(self):
        self._invoice(self.customer, 100, due=-15)
        self._run(0)
        action = self._case().action_ids
        action.write({"outcome": "no_answer", "note": "Try again"})
        action.action_done()
        self.assertRecordValues(action, [{"state": "done", "outcome": "no_answer"}])
        self.assertFalse(self._case().activity_ids, "its activity is done too")

    def test_final_stage_holds_credit_until_paid(self):
        invoice = self._invoice(self.customer, 100, due=-60)
        self._run(0)
        file = self.customer.credit_file_id
        self.assertRecordValues(
            file,
            [
                {
                    "hold": True,
                    "hold_cause": "stage",
                    "hold_date": self._day(0),
                }
            ],
        )
        self.assertTrue(self.customer.credit_hold)
        self._pay(invoice, day=1)
        self.assertFalse(file.hold)

    def _have_courtesy_only(self):
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

    def test_courtesy_before_due(self):
        self._have_courtesy_only()
        near = self._invoice(self.customer, 100, due=3)
        self._invoice(self.customer, 70, due=9)
        self._run(0)
        actions = self.env["ar.collection.action"].search([("partner_id", "=", self.customer.id)])
        self.assertRecordValues(
            actions,
            [
                {
                    "case_id": False,
                    "amount": 100,
                    "state": "done",
                    "rung": -3,
                }
            ],
        )
        self.assertEqual(actions.item_ids.name, near.name)
        self.assertEqual(actions.message_id.model, "res.partner")
        self._run(1)
        actions = self.env["ar.collection.action"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(len(actions), 1, "once per item")
        self.assertFalse(self._case())

    def test_no_courtesy_for_who_is_late_already(self):
        self._invoice(self.customer, 50, due=-5)
        self._run(0)
        self._case()._pause_until("They look into it", self._day(60))
        self._have_courtesy_only()
        self._invoice(self.customer, 100, due=24)
        self._run(21)
        actions = self.env["ar.collection.action"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(actions.mapped("rung"), [1], "what the case had, and no courtesy")

    def test_one_failure_does_not_stop_the_others(self):
        bad, good = self._customer("Bad"), self._customer("Good")
        for partner in (bad, good):
            self._invoice(partner, 100, due=-1)
        original = type(self.env["ar.collection.sender"])._log_messages

        def broken(sender, actions, vals_list):
            if bad in actions.partner_id:
                raise ValueError("broken template")
            return original(sender, actions, vals_list)

        with (
            patch.object(type(self.env["ar.collection.sender"]), "_log_messages", broken),
            mute_logger("odoo.addons.ar_collections.models.run.collection_worker"),
        ):
            run = self._run(0, failing=True)
        self.assertEqual((run.state, run.failure_count), ("done", 1))
        self.assertIn("Bad: broken template", run.log)
        self.assertEqual(self._case(bad).last_error, "broken template")
        self.assertEqual(self._steps_taken(good), ["First"])
        self.assertFalse(self._case(bad).action_ids)
        self._run(1)
        self.assertEqual(self._steps_taken(bad), ["First"], "tried again the next day")
        self.assertFalse(self._case(bad).last_error)

    def test_killed_run_goes_on(self):
        """Killed after figures and cases or after any batch, the next attempt takes exactly what is
        left."""
        customers = self.env["res.partner"].union(
            *(self._customer(f"Customer {index}") for index in range(6))
        )
        for customer in customers:
            self._invoice(customer, 100, due=-1)

        class Killed(BaseException):
            pass

        with patch("odoo.addons.ar_collections.models.run.collection_worker.BATCH", 2):
            run = (
                self.env["ar.collection.run"]
                .sudo()
                .create(
                    {
                        "company_id": self.company.id,
                        "date": self._day(0),
                    }
                )
            )
            for _attempt in range(3):
                calls = []

                def checkpoint(done, remaining, calls=calls):
                    calls.append(remaining)
                    raise Killed

                # assertRaises would roll back what a killed process has committed.
                with contextlib.suppress(Killed):
                    run._execute(checkpoint)
            self.assertEqual(run.state, "running")
            seen = []
            run._execute(lambda done, remaining: seen.append((done, remaining)) or 100)
        self.assertEqual(run.state, "done")
        self.assertEqual([remaining for _done, remaining in seen], [1, 0], "one batch was left")
        for customer in customers:
            self.assertEqual(self._steps_taken(customer), ["First"])

    def test_out_of_time_stops_and_continues(self):
        for index in range(4):
            self._invoice(self._customer(f"Customer {index}"), 100, due=-1)
        run = (
            self.env["ar.collection.run"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "date": self._day(0),
                }
            )
        )
        with patch("odoo.addons.ar_collections.models.run.collection_worker.BATCH", 2):
            run._execute(lambda done, remaining: 0)
            self.assertRecordValues(run, [{"state": "running", "remaining_count": 2}])
            run._execute(lambda done, remaining: 100)
        self.assertRecordValues(run, [{"state": "done", "action_count": 4}])

    def test_next_day_goes_on_with_a_killed_run(self):
        self._invoice(self.customer, 100, due=-1)
        killed = (
            self.env["ar.collection.run"]
            .sudo()
            .create({"company_id": self.company.id, "date": self._day(-1), "state": "running"})
        )
        run = self._run(0)
        self.assertEqual((killed.state, run.state), ("done", "done"))
        self.assertIn("Interrupted", killed.log)
        self.assertEqual(self._steps_taken(), ["First"])

    def test_preview_sends_nothing(self):
        nobody = self._customer("Nobody", email=False)
        poor = self._customer("Poor")
        self.policy.min_amount = 10
        self._invoice(self.customer, 100, due=-1)
        self._invoice(nobody, 100, due=-1)
        self._invoice(poor, 1, due=-1)
        mails = self.env["mail.mail"].search_count([])
        run = self._run(0, execute=False)
        self.assertEqual(run.state, "preview")
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(
            self.env["ar.collection.case"].search([("company_id", "=", self.company.id)])
        )
        self.assertRecordValues(
            run.line_ids.sorted("partner_id"),
            [
                {
                    "partner_id": self.customer.id,
                    "step_id": self.steps["First"].id,
                    "address": self.customer.email,
                    "no_address": False,
                    "wait": False,
                },
                {
                    "partner_id": nobody.id,
                    "step_id": self.steps["First"].id,
                    "address": False,
                    "no_address": True,
                    "wait": False,
                },
                {
                    "partner_id": poor.id,
                    "step_id": False,
                    "address": False,
                    "no_address": False,
                    "wait": "below_minimum",
                },
            ],
        )
        self._run(0)
        self.assertEqual((run.state, run.opened_count), ("done", 3))
        self.assertFalse(run.line_ids)

    def test_cron(self):
        today = self.company.with_context(ar_clock=None)._ar_today()
        self.policy.skip_rest_days = False
        self._invoice(self.customer, 100, due=(today - self.today).days - 1)
        with self.enter_registry_test_mode():
            self.env.ref("ar_collections.ir_cron_daily_run").method_direct_trigger()
        run = self.env["ar.collection.run"].search(
            [("company_id", "=", self.company.id), ("date", "=", today)]
        )
        self.assertEqual(run.state, "done")
        self.assertEqual(self._steps_taken(), ["First"])

    def test_steps_have_usual_words(self):
        policy = self.env["ar.collection.policy"].create(
            {
                "name": "Short",
                "step_ids": [
                    Command.create({"days": day, "channel": channel})
                    for day, channel in ((1, "email"), (5, "sms"), (9, "letter"), (20, "call"))
                ],
            }
        )
        email, sms, letter, call = policy.step_ids
        self.assertTrue(email.template_id and sms.sms_template_id and letter.report_id)
        self.assertFalse(call.template_id or call.sms_template_id or call.report_id)
        self.assertEqual(email.name, "E-mail +1")
        self.assertEqual(policy.step_ids.mapped("automatic"), [True, True, True, False])
        with self.assertRaises(ValidationError):
            email.template_id = False
        with self.assertRaises(ValidationError):
            call.automatic = True

    def test_priority(self):
        rules = self.env["ar.collection.priority.rule"]
        rules.search([]).active = False
        rules.create(
            [
                {"name": "Large", "domain": "[('amount_overdue', '>=', 1000)]", "points": 30},
                {"name": "Old", "domain": "[('days_overdue', '>', 30)]", "points": 12},
            ]
        )
        small = self._customer("Small")
        self._invoice(self.customer, 1000, due=-40)
        self._invoice(small, 10, due=-40)
        self._run(0)
        self.assertEqual((self._case().priority, self._case(small).priority), (42, 12))

    def test_urgent_cases_go_first_from_the_first_day(self):
        rules = self.env["ar.collection.priority.rule"]
        rules.search([]).active = False
        rules.create({"name": "Large", "domain": "[('amount_overdue', '>=', 50)]", "points": 30})
        for number, amount in enumerate((10, 100, 20, 200)):
            self._invoice(self._customer(f"Priority {number}"), amount, due=-2)
        run = self._run(0)
        amounts = [sum(a.item_ids.mapped("residual")) for a in run.action_ids.sorted("id")]
        self.assertEqual([amount >= 50 for amount in amounts], [True, True, False, False])

    def test_customer_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.mail_template.with_context(lang="zh_CN").subject = "逾期 {{ object.amount_text }}"
        self.customer.lang = "zh_CN"
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertTrue(self._case().action_ids.message_id.subject.startswith("逾期"))
