from odoo.exceptions import UserError

from .test_late_charge import LateChargeCommon


class TestLateChargePlan(LateChargeCommon):
    """The fee as a bargaining chip: 4.00 have accrued when the plan is made."""

    def _plan(self, count=2, **values):
        self._case_of_customer()
        plan = self.env["ar.payment.plan"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id, **values}
        )
        plan._distribute_instalments(count=count, first_date=self._day(7), period="week")
        plan.action_propose()
        plan.sudo()._accept("Customer's director")
        return plan

    def test_a_plan_holds_the_charges(self):
        self._plan()
        run = self._charge_run()
        self.assertRecordValues(run, [{"amount": 0, "amount_held": 4}])
        self.assertEqual(self._case().amount_charges, 4)

    def test_who_waives_proposes(self):
        """A collector drafts a plan that waives; who may waive proposes it."""
        self._case_of_customer()
        values = {"partner_id": self.customer.id, "company_id": self.company.id}
        plans = self.env["ar.payment.plan"]
        plan = plans.with_user(self.collector).create(values)
        self.assertFalse(plan.waive_charges)
        self.assertTrue(plans.with_user(self.manager).new(values).waive_charges)
        plan._distribute_instalments(count=2, first_date=self._day(7), period="week")
        plan.action_propose()
        plan.action_revise()
        plan.waive_charges = True
        with self.assertRaises(UserError) as refused:
            plan.action_propose()
        self.assertIn("late charges are waived", str(refused.exception))
        plan.with_user(self.manager).action_propose()
        self.assertEqual(plan.approved_by_id, self.manager)

    def test_kept_plan_waives(self):
        plan = self._plan()
        self._pay(self.invoice, day=7)
        self._run(10)
        self.assertFalse(self._charges())
        self._pay(self.other, day=14)
        self.assertEqual(plan.state, "done")
        charges = self._charges()
        self.assertRecordValues(
            charges,
            [
                {"state": "waived", "date_to": self._day(7), "amount": 3.4, "plan_id": plan.id},
                {"state": "waived", "date_to": self._day(14), "amount": 4.8, "plan_id": plan.id},
            ],
        )
        self.assertIn(plan.name, charges[0].reason)
        # Not even for the days between the last daily run and the last payment.
        self.assertFalse(
            self.env["ar.late.charge.accrual"]._get_accruals(
                self.company, self._day(30), self.customer
            )
        )

    def test_broken_plan_drafts_for_the_manager(self):
        self.company.ar_credit_manager_id = self.manager
        plan = self._plan()
        self._run(10)
        self.assertEqual(plan.state, "defaulted")
        run = self._charges("drafted").run_id
        self.assertRecordValues(run, [{"amount": 8, "state": "done", "date": self._day(10)}])
        self.assertEqual(run.move_ids.state, "draft")
        activity = plan.activity_ids.filtered(
            lambda a: a.activity_type_id == self.env.ref("ar_collections.activity_charge")
        )
        self.assertEqual(activity.user_id, self.manager)
        # Once.
        self._run(11)
        self.assertEqual(len(self._charges()), 2)
        run.with_user(self.manager).action_post()
        self.assertEqual(set(self._charges().mapped("state")), {"posted"})

    def test_broken_plan_posts_at_once(self):
        self.company.ar_charge_post_plans = True
        plan = self._plan()
        self._run(10)
        self.assertEqual(self._charges().move_id.state, "posted")
        self.assertEqual(set(self._charges().mapped("state")), {"posted"})
        self.assertFalse(
            plan.activity_ids.filtered(
                lambda a: a.activity_type_id == self.env.ref("ar_collections.activity_charge")
            )
        )
        # Paid after all, too late: what is charged stays charged.
        self._pay(self.invoice | self.other, day=11)
        self.assertEqual(plan.state, "defaulted")
        self.assertEqual(set(self._charges().mapped("state")), {"posted"})

    def test_missing_settings_do_not_stop_the_day(self):
        plan = self._plan()
        self.company.ar_charge_journal_id = False
        self._run(10)
        self.assertEqual(plan.state, "defaulted")
        self.assertFalse(self._charges())
        activity = plan.activity_ids.filtered(
            lambda a: a.activity_type_id == self.env.ref("ar_collections.activity_charge")
        )
        self.assertIn("Journal of Late Charges", activity.note)
        # Nothing is lost: the next charge run has it.
        self.assertEqual(self._charge_run().amount, 4)

    def test_payment_taken_back_after_the_end(self):
        plan = self._plan()
        self._pay(self.invoice, day=7)
        payment = self._pay(self.other, day=7)
        self.assertEqual(plan.state, "done")
        self.assertEqual(set(self._charges().mapped("state")), {"waived"})
        self._run(20)
        self._bounce(payment)
        self.assertEqual(plan.state, "defaulted")
        self.assertEqual(
            self._charges().mapped("state"), ["cancelled", "cancelled", "drafted", "drafted"]
        )
        self.assertEqual(self._charges("drafted").mapped("amount"), [3.4, 6.0])

    def test_plan_that_does_not_waive(self):
        plan = self._plan(waive_charges=False)
        self.assertEqual(self._charge_run().amount, 4)
        self._pay(self.invoice | self.other, day=7)
        self.assertEqual(plan.state, "done")
        self.assertFalse(self._charges("waived"))

    def test_nothing_happens_without_late_charges(self):
        self.company.ar_charge_from = False
        plan = self._plan()
        self._run(10)
        self.assertEqual(plan.state, "defaulted")
        self.assertFalse(self._charges())
