from datetime import date, timedelta

from hypothesis import given, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from ..models.collection.collection_case import ANSWERED
from ..models.collection.stage_proof import KINDS, Requirement, missing_proof
from ..models.outside.collection_case import propose
from .common import CollectionsCommon

DAY = date(2030, 6, 3)


class TestStageProof(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stages["agency"] = cls.env["ar.collection.stage"].create(
            {"name": "agency", "kind": "agency", "sequence": 9, "hold_credit": True}
        )
        cls.invoice = cls._invoice(cls.customer, 1000, due=-15)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.phone, cls.final = cls.stages["phone"], cls.stages["final"]
        cls.collector, cls.manager, cls.auditor = (
            new_test_user(
                cls.env,
                f"proof_{group}",
                f"base.group_user,ar_collections.group_{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in ("collector", "credit_manager", "auditor")
        )

    def _done(self, channel="call", day=0, case=None):
        case = case or self.case
        action = self.env["ar.collection.action"].create(
            {
                "case_id": case.id,
                "partner_id": case.partner_id.id,
                "company_id": case.company_id.id,
                "channel": channel,
                "date_planned": self._day(day),
            }
        )
        action.sudo()._mark_done(self._day(day), "reached")
        return action

    @given(
        contacts=st.lists(
            st.tuples(st.sampled_from(["call", "letter", "visit", "email"]), st.integers(-5, 120))
        ),
        wanted=st.tuples(*[st.integers(0, 3)] * 4),
        days=st.integers(0, 100),
    )
    def test_missing_proof_against_counting(self, contacts, wanted, days):
        """Each kind on its own, contact by contact."""
        made = [(channel, DAY - timedelta(days=ago)) for channel, ago in contacts]
        missing = missing_proof(Requirement(*wanted, days=days), made, DAY)
        for (kind, channel), number in zip(KINDS.items(), wanted, strict=True):
            done = 0
            for made_by, ago in contacts:
                if ago >= 0 and (days == 0 or ago <= days) and channel in (None, made_by):
                    done += 1
            self.assertEqual(missing.get(kind, 0), max(number - done, 0))

    def test_every_way_to_the_next_stage_asks_for_proof(self):
        self.phone.write({"exit_calls": 2, "exit_days": 30})
        self._done()
        case = self.case.with_user(self.collector)
        self.assertEqual(case.stage_id, self.phone)
        self.assertEqual(case.proof_missing, "1 × Call")
        for move in (
            lambda: case.write({"stage_id": self.final.id}),
            lambda: case.web_save({"stage_id": self.final.id}, {"stage_id": {}}),
            lambda: case.with_context(ar_proof=True).write({"stage_id": self.final.id}),
            lambda: case.with_context(ar_proof="ANSWERED").write({"stage_id": self.final.id}),
            lambda: self.case.sudo().write({"stage_id": self.final.id}),
        ):
            with self.assertRaisesRegex(UserError, "1 × Call"):
                move()
        result = case.load([".id", "stage_id/.id"], [[str(case.id), str(self.final.id)]])
        self.assertIn("1 × Call", str(result["messages"]))
        self.assertEqual(self.case.stage_id, self.phone)
        self._done()
        case.write({"stage_id": self.final.id})
        self.assertEqual(self.case.stage_id, self.final)
        self.assertTrue(self.case.credit_hold)

    def test_form_shows_what_is_missing(self):
        self.phone.write({"exit_letters": 1, "exit_visits": 2})
        with Form(self.case) as form:
            self.assertEqual(form.proof_missing, "1 × Letter, 2 × Visit")
        self.assertIn("1 × Letter, 2 × Visit", self.phone.guidance)
        self.assertFalse(self.final.guidance)

    def test_no_stage_is_jumped_over_nor_left_by_the_back_door(self):
        self.case.stage_id = self.stages["reminder"]
        self.phone.exit_visits = 1
        with self.assertRaisesRegex(UserError, "1 × Visit"):
            self.case.stage_id = self.final
        self.case.stage_id = self.phone
        self.case.stage_id = self.stages["reminder"]
        self.assertEqual(self.case.stage_id, self.stages["reminder"])

    def test_old_effort_does_not_count(self):
        self.phone.write({"exit_calls": 1, "exit_days": 10})
        self._done(day=-11)
        with self.assertRaises(UserError):
            self.case.stage_id = self.final
        self.phone.exit_days = 0
        self.case.stage_id = self.final

    def test_planned_and_cancelled_contacts_are_no_effort(self):
        self.phone.exit_contacts = 2
        self.assertIn("planned", self.case.action_ids.mapped("state"))
        with self.assertRaises(UserError):
            self.case.stage_id = self.final
        self._done("visit")
        self._done("letter")
        self.case.stage_id = self.final

    def test_manager_answers_for_the_lack(self):
        self.phone.exit_calls = 3
        wizards = self.env["ar.collection.stage.move"]
        values = {
            "case_ids": [Command.set(self.case.ids)],
            "stage_id": self.final.id,
            "reason": "The shop is closed",
        }
        with self.assertRaises(AccessError):
            wizards.with_user(self.collector).create(values)
        with self.assertRaises(AccessError):
            wizards.sudo().create(values).with_user(self.collector).sudo(False).action_move()
        with self.assertRaises(AccessError):
            self.case.with_user(self.collector)._move_without_proof(self.final, "x")
        action = self.case.with_user(self.manager).action_move_without_proof()
        form = Form(wizards.with_user(self.manager).with_context(**action["context"]))
        form.stage_id, form.reason = self.final, "The shop is closed"
        form.save().action_move()
        self.assertEqual(self.case.stage_id, self.final)
        note = self.case.message_ids.filtered(lambda message: "shop is closed" in message.body)
        self.assertEqual(note.author_id, self.manager.partner_id)
        self.assertIn("3 × Call", note.body)

    def test_manager_needs_a_reason(self):
        with self.assertRaises(UserError):
            self.case.with_user(self.manager)._move_without_proof(self.final, "  ")

    def test_daily_run_waits_and_says_why(self):
        self.phone.write({"exit_calls": 1, "exit_days": 60})
        self._run(44)
        self._run(45)
        final = self.case.action_ids.filtered(lambda action: action.step_id.name == "Final")
        self.assertFalse(final)
        self.assertEqual((self.case.stage_id, self.case.waiting_for), (self.phone, "proof"))
        self.assertEqual(self.case.next_action_date, self._day(46))
        calls = self.case.action_ids.filtered(lambda action: action.channel == "call")
        self.assertEqual(calls.mapped("state"), ["planned"], "the missing call is to be made, once")
        preview = self._run(46, execute=False)
        self.assertIn("proof", preview.line_ids.mapped("wait"))
        self._done(day=40)
        self._run(49)
        self.assertEqual((self.case.stage_id, self.case.waiting_for), (self.final, False))
        self.assertTrue(
            self.case.action_ids.filtered(lambda action: action.step_id.name == "Final")
        )

    def test_old_debt_gets_the_highest_step_that_may_be_taken(self):
        self.phone.exit_calls = 1
        old = self._customer("Old")
        self._invoice(old, 500, due=-200)
        self._run(1)
        case = self._case(old)
        self.assertEqual(case.action_ids.step_id.mapped("name"), ["Call"])
        self.assertEqual(case.stage_id, self.phone)
        self._run(2)
        self.assertEqual(case.waiting_for, "proof")
        self.assertEqual(len(case.action_ids), 1, "the call is planned already")
        case.action_ids.sudo()._mark_done(self._day(2), "no_answer")
        self._run(8)
        self.assertIn("Final", case.action_ids.step_id.mapped("name"))

    def test_missing_contacts_are_planned(self):
        self.phone.write({"exit_calls": 1, "exit_letters": 1, "exit_contacts": 4})
        self._done(day=1)
        self._run(50)
        self.assertEqual(self.case.waiting_for, "proof")
        planned = self.case.action_ids.filtered(
            lambda action: action.state == "planned" and not action.step_id
        )
        self.assertIn("letter", planned.mapped("channel"))
        self.assertTrue(all(planned.mapped("activity_id")))
        self._run(51)
        self.assertEqual(
            planned,
            self.case.action_ids.filtered(
                lambda action: action.state == "planned" and not action.step_id
            ),
        )

    def test_proof_costs_the_same_for_many(self):
        def cost(number):
            customers = [self._customer(f"Many {number} {index}") for index in range(number)]
            for customer in customers:
                self._invoice(customer, 100, due=-15)
            self._run(number)
            cases = self.env["ar.collection.case"].search(
                [("partner_id", "in", [customer.id for customer in customers])]
            )
            self.phone.exit_calls = 1
            for case in cases:
                self._done(case=case)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            cases._check_proof(self.final)
            return self.env.cr.sql_log_count - before

        few = cost(2)
        self.assertLessEqual(cost(12), few + 1)

    # The three-month rule

    def test_old_cases_are_proposed_once(self):
        self.company.ar_credit_manager_id = self.manager
        self._run(75)
        self.assertFalse(self.case.escalation)
        self._run(76)
        self.assertRecordValues(
            self.case, [{"escalation": "agency", "escalation_date": self._day(76)}]
        )
        kind = self.env.ref("ar_collections.activity_escalation")
        activities = self.case.activity_ids.filtered(lambda act: act.activity_type_id == kind)
        self.assertEqual(activities.user_id, self.manager)
        self._run(77)
        self._run(90)
        self.assertEqual(
            len(self.case.activity_ids.filtered(lambda act: act.activity_type_id == kind)), 1
        )
        proposed = self.env["ar.collection.case"].search([("escalation", "!=", False)])
        self.assertIn(self.case, proposed)
        self.case.stage_id = self.stages["agency"]
        self.assertFalse(self.case.escalation)
        self._run(95)
        self.assertFalse(self.case.escalation)

    def test_what_is_promised_is_not_proposed(self):
        self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 1000,
                "date": self._day(100),
            }
        )
        self._run(80)
        self.assertFalse(self.case.escalation)

    def test_rule_can_be_off_and_ends_with_the_case(self):
        self.company.ar_escalation_days = 0
        self._run(100)
        self.assertFalse(self.case.escalation)
        self.company.ar_escalation_days = 100
        self._run(101)
        self.assertTrue(self.case.escalation)
        self._pay(self.invoice, day=101)
        self.assertEqual(self.case.state, "closed")
        self.assertFalse(self.case.escalation)
        self.assertFalse(self.case.activity_ids)

    def test_what_is_proposed(self):
        self.assertEqual(propose(False, None, 365), "agency")
        self.assertEqual(propose(False, 366, 365), "agency")
        self.assertEqual(propose(False, 365, 365), "legal")
        self.assertEqual(propose(True, None, 365), "legal")

    def test_lapse_that_makes_the_court_better_is_a_setting(self):
        self.company.ar_escalation_days = 90
        self._own_rule().limitation_years = 1
        self.company.ar_escalation_lapse_days = 30
        self._run(100)
        self.assertEqual(self.case.escalation, "agency")
        self.case.sudo().write({"escalation": False, "escalation_date": False})
        self.company.ar_escalation_lapse_days = 365
        self._run(101)
        self.assertEqual(self.case.escalation, "legal")

    def test_each_company_proposes_its_own_cases(self):
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        self.company.ar_escalation_days = elsewhere.ar_escalation_days = 90
        self._run(1)
        self.env["ar.collection.case"].sudo()._propose_escalations(elsewhere, self._day(200))
        self.assertFalse(self.case.escalation)
        self.env["ar.collection.case"].sudo()._propose_escalations(self.company, self._day(200))
        self.assertTrue(self.case.escalation)

    def test_proposal_is_the_systems(self):
        for user in (self.collector, self.manager, self.auditor):
            with self.assertRaises(AccessError):
                self.case.with_user(user).write({"escalation": "legal"})
        with self.assertRaises(AccessError):
            self.phone.with_user(self.collector).write({"exit_calls": 0})
        self.phone.with_user(self.manager).write({"exit_calls": 1})
        self.assertTrue(ANSWERED)
