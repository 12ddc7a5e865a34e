from datetime import timedelta
from unittest.mock import patch

from odoo import Command

from .common import CollectionsCommon


class TestRunSilent(CollectionsCommon):
    """Every open case has a next date or a reason that a person can act on, after each run."""

    def _policy(self, *steps, **values):
        """``steps``: ``(days, channel, values)``"""
        return self.env["ar.collection.policy"].create(
            {
                "name": "Special",
                "sequence": 99,
                "risk_tier": "low",
                "step_ids": [
                    Command.create(
                        {
                            "name": f"{channel} {days}",
                            "days": days,
                            "channel": channel,
                            "template_id": self.mail_template.id if channel == "email" else False,
                            **more,
                        }
                    )
                    for days, channel, more in steps
                ],
                **values,
            }
        )

    def _late(self, name, policy=None, amount=1000, due=-90, **values):
        """A customer with one overdue invoice, whose file names the policy."""
        partner = self._customer(name, **values)
        self._invoice(partner, amount, due=due)
        if policy is not None:
            file = self.env["ar.credit.file"]._get_file(partner, self.company, create=True)
            file.policy_id = policy
        return partner

    def _promise(self, case, day):
        return self.env["ar.payment.promise"].create(
            {
                "partner_id": case.partner_id.id,
                "company_id": self.company.id,
                "amount": case.amount_demand,
                "date": self._day(day),
            }
        )

    def _dispute(self, case, target):
        item = case.open_item_ids
        return self.env["ar.dispute"].create(
            {
                "partner_id": case.partner_id.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "target_date": target,
                "line_ids": [
                    Command.create({"move_line_id": item.id, "amount": item.amount_residual})
                ],
            }
        )

    def test_ways_into_silence(self):
        """What each case says after the run: what it waits for, and the days until its next date.

        ``None``: there is no date, and the reason asks for a person.
        """
        done, mail = {"min_days_between": 0, "repeat_days": 0}, (1, "email", {})
        no_end = self._policy(mail, **done)
        dying = self._policy((1, "email", {}), (95, "call", {}), min_days_between=0)
        emptied = self._policy(mail, **done)
        orphan = self._policy(mail, **done)
        proof_stage = self.env["ar.collection.stage"].create(
            {"name": "Proof", "sequence": 10, "exit_visits": 1}
        )
        late_stage = self.env["ar.collection.stage"].create({"name": "Late", "sequence": 11})
        unproven = self._policy(
            (1, "email", {"stage_id": proof_stage.id}),
            (30, "email", {"stage_id": late_stage.id}),
            **done,
        )
        bank = self._policy(mail, max_bank_age=1)
        partners = {
            "all steps taken": self._late("Done", no_end),
            "steps to come": self._late("Ahead", dying),
            "last step repeats": self._late("Repeats", self.policy),
            "policy archived": self._late("Archived", dying),
            "policy without steps": self._late("Emptied", emptied),
            "no policy": self._late("Orphan", orphan),
            "proof missing": self._late("Unproven", unproven),
            "below minimum": self._late(
                "Small", self._policy((1, "email", {}), min_amount=5000), amount=10
            ),
            "step above amount": self._late(
                "Tiny", self._policy((1, "email", {"min_amount": 5000}), **done)
            ),
            "last step above amount": self._late(
                "Half", self._policy(mail, (30, "call", {"min_amount": 5000}), **done)
            ),
            "only steps above minimum to come": self._late(
                "Later", self._policy((300, "email", {}), **done)
            ),
            "only tasks": self._late("Task", self._policy((1, "task", {}), **done)),
            "no address": self._late("Nowhere", no_end, email=False, phone=False),
            "bank entries too old": self._late("Bank", bank),
            "promised": self._late("Promised", no_end),
            "disputed": self._late("Disputed", no_end),
            "dispute without an answer": self._late("Unanswered", no_end),
            "paused": self._late("Paused", no_end),
            "customer wrote": self._late("Wrote", dying, due=-91),
        }
        self._pay(self._invoice(self._customer("Payer"), 1, due=0), day=-9)
        self._run(0)
        cases = {name: self._case(partner) for name, partner in partners.items()}
        self._promise(cases["promised"], 20)
        self._dispute(cases["disputed"], self._day(15))
        self._dispute(cases["dispute without an answer"], self._day(1))
        cases["paused"]._pause_until("Holidays", self._day(8))
        cases["customer wrote"].sudo().contact_pause_end = self._day(9)
        cases["policy archived"].policy_id = dying.copy({"active": False})
        cases["no policy"].policy_id = False
        cases["policy without steps"].policy_id = self._policy()
        self._run(4)
        self.assertEqual(cases["policy archived"].policy_id, dying)
        expected = {
            "all steps taken": ("no_step", None),
            "steps to come": (False, 1),
            "last step repeats": (False, 26),
            "policy archived": (False, 1),
            "policy without steps": ("no_step", None),
            "no policy": ("no_step", None),
            "proof missing": ("proof", 1),
            "below minimum": ("below_minimum", None),
            "step above amount": ("below_minimum", None),
            "last step above amount": ("no_step", None),
            "only steps above minimum to come": (False, 206),
            "only tasks": ("no_step", None),
            # Tried again with growing pauses; the collector is asked for the address.
            "no address": ("undelivered", 2),
            "bank entries too old": ("stale_bank", 1),
            "promised": ("claimed", 16),
            "disputed": ("claimed", 11),
            "dispute without an answer": ("claimed", None),
            "paused": ("no_step", 4),
            "customer wrote": ("replied", 1),
        }
        for name, (reason, days) in expected.items():
            case = cases[name]
            with self.subTest(name=name):
                date = days and self._day(4) + timedelta(days=days)
                self.assertEqual((case.waiting_for, case.next_action_date), (reason, date or False))
                if reason == "no_step":
                    self.assertEqual(len(case.activity_ids.filtered(self._is_decision)), 1)
        for day in (5, 7, 9, 40):
            self._run(day)
            self.assertFalse(
                self.env["ar.collection.case"]._get_silent_cases(self.company, self._day(day))
            )
        told = cases["all steps taken"].activity_ids.filtered(self._is_decision)
        self.assertEqual(len(told), 1, "once")

    def _is_decision(self, activity):
        return "No step is left" in (activity.summary or "")

    def test_a_case_without_either_is_named(self):
        """Nothing brings a case there today: a run that says nothing of it has to be made."""
        partner = self._late("Forgotten")
        self._run(0)
        case = self._case(partner)
        sync = self.registry["ar.collection.sync"]

        def say_nothing(sync, values):
            case.sudo().write({"next_action_date": False, "waiting_for": False})

        case.activity_ids.unlink()
        with patch.object(sync, "_write_next_actions", say_nothing):
            run = self._run(1, failing=True)
            again = self._run(2, failing=True)
        for each in (run, again):
            self.assertIn("Forgotten", each.log)
        self.assertEqual(len(case.activity_ids), 1)
        self._run(3)
        self.assertTrue(case.next_action_date)

    def test_a_case_whose_policy_is_gone(self):
        partner = self._late("Gone")
        self._run(0)
        case = self._case(partner)
        self.env["ar.collection.policy"].search([]).active = False
        for policy in (self.policy, self.policy.browse()):
            case.policy_id = policy
            self._run(policy and 1 or 2)
            self.assertEqual(case.policy_id, policy, "none fits better")
        self.assertEqual((case.waiting_for, case.next_action_date), ("no_step", False))
        self.assertEqual(len(case.activity_ids.filtered(self._is_decision)), 1)
        self.policy.active = True
        self._run(3)
        self.assertEqual(case.policy_id, self.policy)
        self.assertTrue(case.next_action_date)

    def test_old_ledger_is_contacted_on_the_first_day(self):
        """60 customers of many ages, by both choices, with stages that ask for proof."""
        self.stages["phone"].write({"exit_calls": 1})
        self.policy.step_ids = [
            Command.create({"name": "Lawyer?", "days": 90, "channel": "task"}),
        ]
        ages = [1 + 7 * number for number in range(60)]
        partners = [self._customer(f"Aged {age}") for age in ages]
        self.env["account.move"].union(
            *(
                self._invoice(partner, 1000, due=-age, post=False)
                for partner, age in zip(partners, ages, strict=True)
            )
        ).action_post()
        for choice in ("age", "first"):
            self.company.ar_first_contact = choice
            with self.env.cr.savepoint() as savepoint:
                self._run(0)
                for partner, age in zip(partners, ages, strict=True):
                    by_age = {"First"} if age < 7 else {"Second", "Text"} if age < 15 else {"Call"}
                    with self.subTest(choice=choice, age=age):
                        taken = self._case(partner).action_ids
                        self.assertEqual(
                            set(taken.step_id.mapped("name")),
                            by_age if choice == "age" else {"First"},
                        )
                        self.assertLessEqual(set(taken.mapped("state")), {"planned", "done"})
                savepoint.rollback()
            self.env.invalidate_all(flush=False)

    def test_everybody_climbs_from_the_first_reminder(self):
        """Each further step follows as many days later as the policy puts between them."""
        self.company.ar_first_contact = "first"
        self.policy.skip_rest_days = False
        old, young = self._late("Old", due=-400), self._late("Young", due=-1)
        taken = {}
        for day in (0, 1, 5, 6, 7, 13, 14, 15, 40, 59, 60, 61, 88, 89):
            self._run(day)
            for partner in (old, young):
                case = self._case(partner)
                taken.setdefault(partner, []).append(sorted(case.action_ids.step_id.mapped("name")))
                self.assertTrue(case.next_action_date)
        self.assertEqual(taken[old], taken[young])
        final = self._case(old).action_ids.filtered(lambda action: action.step_id.name == "Final")
        self.assertEqual(len(final), 2, "the last one repeats")
        self.assertEqual(sorted(final.mapped("date_planned")), [self._day(59), self._day(89)])
