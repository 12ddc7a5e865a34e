from datetime import datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon

COLUMNS = (
    "partner_id",
    "priority",
    "priority_why",
    "phone",
    "amount_overdue",
    "days_overdue",
    "attention",
    "stage_id",
    "last_contact_date",
    "next_action_date",
    "promise_state",
    "promise_date",
    "resubmission_date",
)


class TestWorklist(CollectionsCommon):
    """A collector's day: what comes first, why, and what is out of the way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ar.collection.priority.rule"].search([]).active = False
        cls.rules = {
            name: cls.env["ar.collection.priority.rule"].create(
                {"name": name, "domain": domain, "points": points}
            )
            for name, domain, points in (
                ("Everybody", "[]", 1),
                ("Large", "[('amount_overdue', '>=', 500)]", 30),
                ("Old", "[('days_overdue', '>=', 10)]", 20),
                ("Very large", "[('amount_overdue', '>=', 900)]", 25),
                ("Never", "[('days_overdue', '>=', 9999)]", 99),
            )
        }
        cls.small = cls._customer("Small")
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls._invoice(cls.small, 50, due=-3)
        cls.step = cls.env["ar.collection.step"].create(
            {
                "policy_id": cls.policy.id,
                "name": "Formal letter",
                "days": 90,
                "channel": "letter",
                "automatic": False,
            }
        )
        cls._run(0)
        cases = cls.env["ar.collection.case"].search([("company_id", "=", cls.company.id)])
        cls.collector = cls._user("worklist_collector", "group_collector")
        cls.case = cases.filtered(lambda case: case.partner_id == cls.customer)
        cls.next = cases.filtered(lambda case: case.partner_id == cls.small)
        cls.case = cls.case.with_user(cls.collector)
        cls.next = cls.next.with_user(cls.collector)

    @classmethod
    def _user(cls, login, group):
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,ar_collections.{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            tz="Asia/Shanghai",
        )

    def _worklist(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_collection_case_action_worklist"
        )
        domain = [("is_work", "=", True), ("collector_id", "in", (self.collector.id, False))]
        self.assertEqual(
            action["domain"], "[('is_work', '=', True), ('collector_id', 'in', (uid, False))]"
        )
        return self.env["ar.collection.case"].with_user(self.collector).search(domain)

    # Rank and reason

    def test_most_points_first_with_the_top_three_reasons(self):
        self.assertEqual(self._worklist(), self.case | self.next)
        self.assertEqual(self._worklist()[0], self.case)
        self.assertEqual(self.case.priority, 76)
        self.assertEqual(self.case.priority_why, "Large (+30), Very large (+25), Old (+20)")
        self.assertEqual(self.next.priority_why, "Everybody (+1)")

    def test_reason_of_a_rule_that_is_gone(self):
        self.rules["Large"].unlink()
        self.case.invalidate_recordset()
        self.assertEqual(self.case.priority_why, "Very large (+25), Old (+20)")
        self.rules["Old"].active = False
        self.case.invalidate_recordset()
        self.assertIn("Old", self.case.priority_why)
        self._run(1)
        self.assertEqual(self.case.priority_why, "Very large (+25), Everybody (+1)")

    def test_rank_follows_the_ledger_at_once(self):
        """Nobody calls first who has just paid most of it."""
        self._pay(self.invoice, 950)
        self.assertRecordValues(
            self.case, [{"priority": 21, "priority_why": "Old (+20), Everybody (+1)"}]
        )
        self.assertEqual(self.next.priority_why, "Everybody (+1)")
        self._invoice(self.customer, 500, due=-1)
        self.assertEqual(self.case.priority_why, "Large (+30), Old (+20), Everybody (+1)")
        self.rules["Everybody"].points = 7
        self._invoice(self.customer, 500, due=-1)
        self.assertEqual(self.case.priority, 82)
        self.assertEqual(self.next.priority, 1, "asked for anew on the day")

    def test_no_rules_no_reason(self):
        self.env["ar.collection.priority.rule"].search([]).active = False
        self._run(1)
        self.assertRecordValues(self.case, [{"priority": 0, "priority_why": ""}])

    # What is in the list

    def test_done_is_out_until_tomorrow(self):
        self.case.action_done_today()
        self.assertEqual(self._worklist(), self.next)
        self.assertFalse(self.case.is_work)
        self.case.sudo().worked_on = self._day(-1)
        self.assertEqual(self._worklist(), self.case | self.next)

    def test_look_again(self):
        for action, days in (
            ("action_look_again_tomorrow", 1),
            ("action_look_again_in_3_days", 3),
            ("action_look_again_next_week", 7),
        ):
            with self.subTest(action=action):
                self.case.sudo().worked_on = False
                getattr(self.case, action)()
                self.assertEqual(self.case.resubmission_date, self._day(days))
                self.assertNotIn(self.case, self._worklist())
        self.case.sudo().write({"worked_on": self._day(-7), "resubmission_date": self.today})
        self.assertIn(self.case, self._worklist(), "its day has come")
        self.assertTrue(self.case.is_work)

    def test_paused_and_others_cases_are_not_my_work(self):
        self.case._pause_until("Auditor", self._day(5))
        self.assertEqual(self._worklist(), self.next)
        self.next.collector_id = self.env.user
        self.assertFalse(self._worklist())

    def test_next_case_follows_by_points(self):
        action = self.case.action_next_case()
        self.assertEqual(action["tag"], "ar_next_case")
        self.assertEqual(action["params"]["action"]["res_id"], self.next.id)
        self.assertFalse(action["params"]["is_last"])
        self.assertEqual(self.case.worked_on, self.today)
        last = self.next.action_next_case()
        self.assertTrue(last["params"]["is_last"])
        self.assertEqual(last["params"]["action"]["res_model"], "ar.collection.case")
        self.assertFalse(self._worklist())

    def test_call_done_and_next(self):
        context = self.case.action_log_call()["context"]
        actions = self.env["ar.collection.action"].with_user(self.collector)
        call = actions.with_context(**context).create({"outcome": "no_answer"})
        following = call.action_done_and_next()
        self.assertEqual(call.state, "done")
        self.assertEqual(following["params"]["action"]["res_id"], self.next.id)

    # Promise

    def _promise(self, amount, days):
        return self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": amount,
                "date": self._day(days),
            }
        )

    def test_promise_state(self):
        self.assertFalse(self.case.promise_state)
        self._promise(100, 2)
        self.case.invalidate_recordset()
        self.assertRecordValues(
            self.case, [{"promise_state": "open", "promise_date": self._day(2)}]
        )
        self._run(2 + self.company.ar_promise_grace_days + 1)
        self.case.invalidate_recordset()
        self.assertEqual(self.case.promise_state, "broken")
        self._promise(100, 1)
        self.case.invalidate_recordset()
        self.assertEqual(self.case.promise_state, "open", "the open one counts, not the last one")

    # One click

    def test_write_opens_the_composer_to_the_dunning_contact(self):
        clerk = self._customer("Clerk", parent_id=self.customer.id, is_company=False)
        self.case.file_id.dunning_contact_id = clerk
        action = self.case.action_write_email()
        composer = Form(
            self.env[action["res_model"]]
            .with_user(self.collector)
            .with_context(**action["context"])
        )
        composer.subject, composer.body = "Your account", "As we said"
        composer.save()._action_send_mail()
        message = self.case.message_ids.filtered(lambda m: m.subject == "Your account")
        self.assertEqual(message.partner_ids, clerk)

    def test_sms_is_for_the_customers_number(self):
        action = self.case.action_write_sms()
        composer = self.env[action["res_model"]].with_user(self.collector)
        composer = composer.with_context(**action["context"]).create({"body": "Please call us"})
        self.assertEqual(composer.recipient_single_number_itf, self.customer.phone)

    def test_letter_of_the_policy(self):
        action = self.case.action_write_letter()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.collector)
            .with_context(**action["context"])
        ).save()
        self.assertEqual(wizard.step_id, self.step)
        opened = wizard.action_write()
        letter = self.env["ar.collection.action"].browse(opened["res_id"])
        self.assertRecordValues(
            letter,
            [
                {
                    "channel": "letter",
                    "state": "planned",
                    "step_id": self.step.id,
                    "amount": 1000,
                    "due_date": self._day(-16),
                    "user_id": self.collector.id,
                }
            ],
        )
        self.assertEqual(letter.item_ids.residual, 1000)
        with self.assertRaisesRegex(UserError, "was written on"):
            wizard.action_write()
        letter.with_user(self.collector).action_send()
        self.assertEqual(letter.state, "done")
        self.assertTrue(letter.attachment_id)

    def test_letter_of_a_strange_policy(self):
        other = self.policy.copy({"name": "Other"})
        letters = other.step_ids.filtered(lambda step: step.channel == "letter")
        calls = self.policy.step_ids.filtered(lambda step: step.channel == "call")
        wizards = self.env["ar.collection.letter"].with_user(self.collector)
        for step in letters | calls:
            wizard = wizards.create({"case_id": self.case.id, "step_id": step.id})
            with self.assertRaisesRegex(UserError, "letter of the policy"):
                wizard.action_write()

    def test_letter_is_one_contact_with_the_run(self):
        """What was written by hand is not written again by the daily run."""
        wizard = self.env["ar.collection.letter"].with_user(self.collector)
        wizard.create({"case_id": self.case.id, "step_id": self.step.id}).action_write()
        self._run(75)
        letters = self.case.action_ids.filtered(lambda action: action.step_id == self.step)
        self.assertEqual(len(letters), 1)

    # Visit

    def test_address_of_a_visit_has_no_empty_parts(self):
        self.customer.write(
            {
                "street": "7 Quay",
                "city": "Shanghai",
                "zip": False,
                "state_id": False,
                "country_id": self.env.ref("base.cn").id,
            }
        )
        visit = self.env["ar.collection.action"].browse(self.case.action_visit()["res_id"])
        self.assertIn("7 Quay", visit.address)
        self.assertTrue(all(part.strip() for part in visit.address.split(",")), visit.address)

    def test_visit_is_in_the_calendar(self):
        self.customer.write({"street": "7 Quay", "city": "Halifax", "zip": "B3H"})
        self.case.collector_id = self.collector
        opened = self.case.action_visit()
        visit = self.env["ar.collection.action"].browse(opened["res_id"])
        tomorrow = self._day(1)
        self.assertRecordValues(
            visit,
            [{"channel": "visit", "date_planned": tomorrow, "user_id": self.collector.id}],
        )
        event = visit.event_id
        self.assertRecordValues(
            event,
            [
                {
                    "user_id": self.collector.id,
                    # Nine o'clock in Shanghai.
                    "start": datetime(tomorrow.year, tomorrow.month, tomorrow.day, 1),
                    "stop": datetime(tomorrow.year, tomorrow.month, tomorrow.day, 2),
                    "res_id": self.case.id,
                    "location": visit.address,
                }
            ],
        )
        self.assertIn("7 Quay", event.location)
        self.assertIn("7+Quay", visit.route_url)
        self.assertIn(visit.route_url.partition("?")[0], event.description)
        self.assertEqual(visit.activity_id.calendar_event_id, event)
        visits = self.case.activity_ids.filtered(lambda activity: activity.user_id == visit.user_id)
        self.assertEqual(len(visits & visit.activity_id), 1)

    def test_visit_that_is_moved_or_cancelled(self):
        visit = self.env["ar.collection.action"].browse(self.case.action_visit()["res_id"])
        event, activity = visit.event_id, visit.activity_id
        event.start += timedelta(days=2)
        self.assertEqual(activity.date_deadline, self._day(3))
        self.assertEqual(visit.date_planned, self._day(3))
        activity.date_deadline = self._day(4)
        self.assertEqual(visit.date_planned, self._day(4))
        self.assertEqual(event.start.date(), self._day(4))
        visit.with_user(self.collector).date_planned = self._day(5)
        self.assertEqual(activity.date_deadline, self._day(5))
        self.assertEqual(event.start.date(), self._day(5))
        visit.with_user(self.collector).action_cancel()
        self.assertFalse(event.exists() or activity.exists())

    def test_visit_that_is_given_away_or_deleted(self):
        visit = self.env["ar.collection.action"].browse(self.case.action_visit()["res_id"])
        event, activity = visit.event_id, visit.activity_id
        colleague = self._user("worklist_colleague", "group_collector")
        visit.with_user(self.collector).user_id = colleague
        self.assertEqual(activity.user_id, colleague)
        self.assertEqual((event.user_id, event.partner_ids), (colleague, colleague.partner_id))
        activity.user_id = self.collector
        self.assertEqual((visit.user_id, event.user_id), (self.collector, self.collector))
        visit.with_user(self.collector).unlink()
        self.assertFalse(event.exists() or activity.exists())

    def test_visit_has_a_result_and_photos(self):
        visit = (
            self.env["ar.collection.action"]
            .with_user(self.collector)
            .browse(self.case.action_visit()["res_id"])
        )
        photo = (
            self.env["ir.attachment"]
            .with_user(self.collector)
            .create({"name": "gate.jpg", "raw": b"gate"})
        )
        visit.write(
            {"outcome": "reached", "note": "Gate closed", "photo_ids": [Command.link(photo.id)]}
        )
        visit.action_done()
        self.assertRecordValues(visit, [{"state": "done", "outcome": "reached"}])
        self.assertRecordValues(photo, [{"res_model": visit._name, "res_id": visit.id}])
        other = self._user("worklist_auditor", "group_auditor")
        self.assertEqual(photo.with_user(other).raw, b"gate")

    def test_visit_that_is_done_in_the_chatter_keeps_what_it_asked_for(self):
        """With its outcome it proves the demand; without one nobody knows who was met."""
        visits = self.env["ar.collection.action"]
        for outcome, kept in (("reached", "reached"), (False, "done")):
            visit = visits.browse(self.case.action_visit()["res_id"])
            visit.outcome = outcome
            visit.activity_id.with_user(self.collector).action_feedback(feedback="At the gate")
            self.assertRecordValues(
                visit,
                [{"state": "done", "outcome": kept, "note": "At the gate", "amount": 1000}],
            )
            self.assertEqual(visit.item_ids.residual, 1000)

    def test_activities_of_people_without_rights_on_collection(self):
        """Everybody moves and closes the own activities, those of a contact too."""
        employee = new_test_user(
            self.env,
            "worklist_employee",
            "base.group_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        note = self.env["res.partner"].create({"name": "Note"})
        own = note.activity_schedule("mail.mail_activity_data_todo", user_id=employee.id)
        own.with_user(employee).date_deadline = self._day(2)
        own.with_user(employee).action_feedback(feedback="Done")
        self.assertFalse(own.exists() and own.active)
        visit = self.env["ar.collection.action"].browse(self.case.action_visit()["res_id"])
        visit.activity_id.user_id = employee
        activity = visit.activity_id.with_user(employee)
        activity.date_deadline = self._day(2)
        self.assertEqual(visit.date_planned, self._day(2))
        activity.action_feedback(feedback="Met the guard")
        self.assertRecordValues(visit, [{"state": "done", "note": "Met the guard"}])

    def test_visit_by_a_step_has_an_appointment(self):
        self.case.sudo().collector_id = self.collector
        step = self.steps["Call"].copy({"name": "Visit", "days": 20, "channel": "visit"})
        self._run(7)
        visit = self.case.action_ids.filtered(lambda action: action.step_id == step)
        self.assertEqual(visit.event_id.user_id, self.collector)

    def test_closed_case_gets_no_visit(self):
        self._pay(self.env["account.move"].search([("partner_id", "=", self.customer.id)]))
        self.assertEqual(self.case.state, "closed")
        for action in (self.case.action_visit,):
            with self.assertRaisesRegex(UserError, "closed"):
                action()

    # Rights

    def test_roles(self):
        auditor = self._user("worklist_auditor_2", "group_auditor")
        case = self.case.with_user(auditor)
        case.read(["priority_why", "promise_state", "is_work", "open_item_ids"])
        for method in ("action_next_case", "action_done_today", "action_look_again_tomorrow"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(case, method)()
        with self.assertRaises(AccessError):
            case.action_visit()
        with self.assertRaises(AccessError):
            self.env["ar.collection.letter"].with_user(auditor).create(
                {"case_id": case.id, "step_id": self.step.id}
            )
        for name in ("priority", "priority_rule_ids", "worked_on", "contact_pause_end"):
            with self.subTest(field=name), self.assertRaises(AccessError):
                self.case.write({name: False})
        visit = self.env["ar.collection.action"].browse(self.case.action_visit()["res_id"])
        with self.assertRaises(AccessError):
            visit.with_user(self.collector).event_id = False

    # Cost

    def test_list_costs_no_query_per_row(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Row {number}", "is_company": True} for number in range(50)]
        )
        for customer in customers:
            self._invoice(customer, 500, due=-12)
        self._run(1)
        cases = self.env["ar.collection.case"].search([("partner_id", "in", customers.ids)])
        self.assertEqual(len(cases), 50)
        for case in cases[::2]:
            self.env["ar.payment.promise"].create(
                {
                    "partner_id": case.partner_id.id,
                    "company_id": self.company.id,
                    "amount": 100,
                    "date": self._day(9),
                }
            )

        def cost(rows):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            rows.with_user(self.collector).web_read(
                {
                    name: {"fields": {"display_name": {}}}
                    if name in ("partner_id", "stage_id")
                    else {}
                    for name in COLUMNS
                }
            )
            return self.env.cr.sql_log_count - before

        cost(cases)
        self.assertEqual(cost(cases[:5]), cost(cases))
