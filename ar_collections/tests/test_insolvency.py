from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from .common import CollectionsCommon


class TestInsolvency(CollectionsCommon):
    """An insolvent customer is not dunned and not charged; the claim is filed in time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collector, cls.manager = (
            new_test_user(
                cls.env,
                f"insolvency_{group}",
                f"base.group_user,ar_collections.group_{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in ("collector", "credit_manager")
        )
        cls.company.ar_credit_manager_id = cls.manager
        cls.invoice = cls._invoice(cls.customer, 1000, due=-40)
        cls.later = cls._invoice(cls.customer, 300, due=20, date_=cls._day(-5))
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.file = cls.case.file_id

    def _open(self, **values):
        return (
            self.env["ar.insolvency"]
            .with_user(self.collector)
            .create({"partner_id": self.customer.id, "company_id": self.company.id, **values})
        )

    def test_claims_are_those_of_the_day(self):
        self._pay(self.invoice, 400, day=-2)
        self._pay(self.invoice, 100, day=0)
        other = self._invoice(self.customer, 50, due=30)
        insolvency = self._open(date_opened=self._day(-1))
        self.assertEqual(insolvency.amount, 900)
        self.assertEqual(
            insolvency.item_ids.mapped(lambda item: (item.move_line_id.move_id, item.residual)),
            [(self.invoice, 600), (self.later, 300)],
        )
        self._pay(self.invoice, day=3)
        self.assertEqual(insolvency.amount, 900, "fixed")
        self.assertNotIn(other, insolvency.item_ids.move_line_id.move_id)
        self.assertIn(f"IN/{self.today.year}/", insolvency.name)
        with self.assertRaises(AccessError):
            insolvency.item_ids.residual = 5
        with self.assertRaises(UserError):
            self._open(partner_id=self._customer("Next").id, date_opened=self._day(1))

    def test_nobody_asks_and_nothing_is_charged(self):
        self.company.write({"ar_charge_from": self._day(-100), "ar_charge_grace_days": 0})
        self.file.grade_id.late_charge_rate = 0.1
        self.file.sudo().last_contact_date = False
        accruals = self.env["ar.late.charge.accrual"]
        self.assertTrue(accruals._get_accruals(self.company, self._day(1), self.customer))
        insolvency = self._open()
        self.assertRecordValues(
            self.file, [{"hold": True, "hold_reason": f"Insolvent ({insolvency.name})"}]
        )
        self.assertFalse(accruals._get_accruals(self.company, self._day(1), self.customer))
        before = self.case.action_ids
        self.policy.repeat_days = 30
        for day in (1, 15, 30, 60):
            self._run(day)
        self.assertEqual(self.case.action_ids, before)
        self.assertEqual(self.case.waiting_for, "insolvent")
        self.assertTrue(self.file.hold, "no rule lifts it")
        insolvency.with_user(self.manager).action_close()
        for day in (61, 62, 63):
            self._run(day)
        self.assertGreater(len(self.case.action_ids), len(before), self.case.waiting_for)
        self.assertTrue(accruals._get_accruals(self.company, self._day(63), self.customer))

    def _planned(self):
        return self.case.action_ids.filtered(lambda action: action.state == "planned")

    def test_nobody_calls(self):
        """Neither what was planned before, nor what comes up afterwards."""
        self.case.sudo()._plan_call(self.today, "Ask again")
        self.assertTrue(self._planned())
        insolvency = self._open()
        self.assertFalse(self._planned())
        self.assertFalse(self.case.activity_ids.filtered(lambda one: one.summary == "Ask again"))
        self.case.sudo()._plan_call(self._day(9), "The promise was broken")
        self.assertFalse(self._planned())
        self.assertIn("was broken", self.case.message_ids[0].body)
        self.assertIn("nobody is asked to call", self.case.message_ids[0].body)
        insolvency.with_user(self.manager).action_close()
        self.case.sudo()._plan_call(self.today, "Ask again")
        self.assertTrue(self._planned())

    def test_no_agency_is_proposed(self):
        self.company.ar_escalation_days = 30
        insolvency = self._open()
        self.case.sudo()._propose_escalations(self.company, self._day(30))
        self.assertFalse(self.case.escalation)
        insolvency.with_user(self.manager).action_close()
        self.case.sudo()._propose_escalations(self.company, self._day(30))
        self.assertTrue(self.case.escalation)

    def test_who_writes_by_hand_is_warned(self):
        case = self.case.with_user(self.collector)

        def warning(action, **values):
            composer = self.env[action["res_model"]].with_user(self.collector)
            composer = composer.with_context(**action["context"])
            with Form(composer) as form:
                for name, value in values.items():
                    form[name] = value
                text = form.ar_insolvency_warning
                self.assertEqual(form.save().ar_insolvency_warning, text)
            return text

        writing = [
            (case.action_write_email(), {"body": "<p>Please call me</p>", "subject": "Dear all"}),
            (case.action_write_sms(), {"body": "Please call me"}),
        ]
        for action, values in writing:
            self.assertFalse(warning(action, **values), action["res_model"])
        insolvency = self._open()
        for action, values in writing:
            self.assertIn("Customer: insolvent", warning(action, **values), action["res_model"])
        get_warning = self.env["ar.insolvency"]._get_warning
        self.assertTrue(get_warning("account.move", self.invoice.ids))
        self.assertTrue(get_warning("res.partner", self.customer.ids))
        for model, ids in ((False, []), ("res.users", self.collector.ids), ("account.move", [])):
            self.assertEqual(get_warning(model, ids), "")
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        other = self.env["ar.credit.file"]._get_file(self.customer, elsewhere, create=True)
        self.assertFalse(get_warning(other._name, other.ids), "insolvent with us, asked by them")
        letter = self.env["ar.collection.letter"].with_user(self.collector)
        self.assertTrue(letter.new({"case_id": case.id}).warning)
        # A warning, and no block.
        composer = self.env["mail.compose.message"].with_user(self.collector)
        composer = composer.with_context(**case.action_write_email()["context"])
        composer.create({"subject": "About your claim", "body": "<p>x</p>"}).action_send_mail()
        self.assertIn("About your claim", self.case.message_ids.mapped("subject"))
        insolvency.with_user(self.manager).action_close()
        self.assertFalse(get_warning("res.partner", self.customer.ids))

    def test_no_agency_asks(self):
        """One that has the claim is called back, none gets it now; a lawyer files it."""
        stages = self.env["ar.collection.stage"]
        for kind, sequence in (("agency", 8), ("legal", 9)):
            stages.create({"name": kind, "kind": kind, "sequence": sequence})
        placements = self.env["ar.placement"].with_user(self.collector)
        values = {
            "partner_id": self.customer.id,
            "company_id": self.company.id,
            "agent_id": self._customer("Inkasso").id,
        }
        running = placements.create({**values, "kind": "agency"})
        running.with_user(self.manager).action_place()
        self._open()
        self.assertRecordValues(
            running.activity_ids,
            [
                {
                    "summary": "The customer is insolvent: take the claim back",
                    "user_id": self.collector.id,
                }
            ],
        )
        running.with_user(self.manager).action_withdraw()
        again = placements.create({**values, "kind": "agency"})
        with self.assertRaisesRegex(UserError, "no agency may ask for payment"):
            call_kw(again.with_user(self.manager), "action_place", [again.ids], {})
        again.kind = "lawyer"
        again.with_user(self.manager).action_place()
        self.assertEqual(again.state, "placed")

    def test_who_writes_in_a_chatter_sees_it(self):
        """The box of the chatter is no wizard: the record beside it says so."""
        contact = self.env["res.partner"].create(
            {"name": "Bookkeeper", "parent_id": self.customer.id}
        )
        seller = new_test_user(
            self.env,
            "insolvency_seller",
            "base.group_user,account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

        def seen():
            self.env.invalidate_all()
            alerts = self.invoice.with_user(seller)._get_alerts()
            return (
                *(
                    partner.with_user(seller).ar_insolvency_warning
                    for partner in (self.customer, contact)
                ),
                alerts.get("ar_insolvency", {}).get("message", ""),
                self.file.with_user(self.collector).insolvency_id.name or "",
            )

        self.assertEqual(seen(), ("", "", "", ""))
        insolvency = self._open()
        warning = (
            "Customer: insolvent. Do not ask for payment; the claim is filed with the "
            "administrator."
        )
        self.assertEqual(seen(), (warning, warning, warning, insolvency.name))
        other = self._customer("Solvent")
        both = (self.customer | other).with_user(seller)
        self.assertEqual(both.mapped("ar_insolvency_warning"), [warning, ""])
        with Form(self.customer.with_user(self.manager)) as form:
            self.assertEqual(form.ar_insolvency_warning, warning)
        self._pay(self.invoice)
        self.assertFalse(seen()[2], "a paid invoice is no claim")
        insolvency.with_user(self.manager).action_close()
        self.assertEqual(seen(), ("", "", "", ""))

    def _promise(self, user, amount=200, **values):
        return (
            self.env["ar.payment.promise"]
            .with_user(user)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "amount": amount,
                    "date": self._day(2),
                    **values,
                }
            )
        )

    def _plan(self, user):
        plan = self.env["ar.payment.plan"].browse(self.case.action_plan()["res_id"])
        plan = plan.with_user(user)
        plan.write({"instalment_count": 2, "first_date": self._day(7), "reminder_days": 3})
        plan.action_distribute()
        return plan

    def test_agreements_end_unbroken(self):
        """Of 1,000 a plan pays 800, and 200 were promised: neither is due, kept or broken now."""
        self.company.write({"ar_charge_from": self._day(-100), "ar_charge_grace_days": 0})
        self.file.grade_id.late_charge_rate = 0.1
        plan = self._plan(self.manager)
        plan.item_ids.amount = 800
        plan.write({"waive_charges": True})
        plan.action_distribute()
        plan.action_propose()
        plan.sudo()._accept("Director")
        promise = self._promise(self.collector)
        self.assertEqual((self.file.demand_amount, self.file.promised), (0, 1000))
        insolvency = self._open()
        self.assertRecordValues(plan, [{"state": "cancelled", "date_closed": self.today}])
        self.assertRecordValues(promise, [{"state": "cancelled", "is_decided": False}])
        texts = "".join(self.case.message_ids.mapped("body"))
        self.assertIn(f"Ended, as the customer is insolvent: {plan.display_name}; $", texts)
        self.assertIn(insolvency.name, plan.message_ids[0].body)
        for day in range(1, 12):
            self._run(day)
        self.assertFalse(any(plan.line_ids.mapped("date_reminded")))
        self.assertRecordValues(plan, [{"state": "cancelled"}])
        self.assertEqual((self.file.broken_promises, self.file.promised), (0, 0))
        self.assertFalse(self.env["ar.late.charge"].search([("plan_id", "=", plan.id)]))

    def test_nothing_new_is_agreed_on(self):
        """Whoever pays one creditor now may have to ask for the money back."""
        draft = self._plan(self.collector)
        administrator = self._customer("Receivers and Partners")
        insolvency = self._open(administrator_id=administrator.id)
        self.assertIn("filed with Receivers and Partners", draft.obstacle)
        for user in (self.collector, self.manager, self.env.user):
            with self.assertRaisesRegex(UserError, "Customer is insolvent.*Receivers and Partners"):
                self._promise(user)
            with self.assertRaisesRegex(UserError, "claim is filed with.*enters why, in the field"):
                call_kw(draft.with_user(user), "action_propose", [draft.ids], {})
        with self.assertRaisesRegex(UserError, "Please get in touch|please get in touch"):
            self.env["ar.portal.claim"].sudo()._make_promise(
                self.file.sudo(),
                self.invoice.line_ids.filtered("date_maturity").sudo(),
                50,
                self._day(2),
                "Director",
            )
        draft.exception_reason = "By the plan of reorganisation"
        with self.assertRaisesRegex(UserError, "credit manager has to agree"):
            draft.action_propose()
        draft.with_user(self.manager).action_propose()
        self.assertRecordValues(draft, [{"state": "proposed", "approved_by_id": self.manager.id}])
        self.assertIn("By the plan of reorganisation", "".join(draft.message_ids.mapped("body")))
        insolvency.with_user(self.manager).action_close()
        self.assertTrue(self._promise(self.collector))

    def test_no_payment_lifts_the_hold(self):
        """A hold by rule or stage was there before, and would end with its cause."""
        self.file.sudo()._set_hold("1,000 overdue", self.today, "rule")
        insolvency = self._open()
        self.assertRecordValues(
            self.file,
            [{"hold_cause": "manual", "hold_reason": f"Insolvent ({insolvency.name})"}],
        )
        self._pay(self.invoice)
        self._run(1)
        self.assertTrue(self.file.hold)

    def test_nothing_is_recalled_before_it_falls_due(self):
        customer = self._customer("Not Late Yet")
        self._invoice(customer, 100, due=2)
        self.policy.step_ids = [
            Command.create({"days": -2, "channel": "email", "template_id": self.mail_template.id})
        ]
        plans = self.env["ar.collection.planner"]._plan_courtesy(self.company, self.today)
        self.assertIn(customer.id, [plan.partner_id for plan in plans])
        self.env["ar.insolvency"].create({"partner_id": customer.id, "company_id": self.company.id})
        plans = self.env["ar.collection.planner"]._plan_courtesy(self.company, self.today)
        self.assertNotIn(customer.id, [plan.partner_id for plan in plans])

    def test_somebody_files_in_time(self):
        insolvency = self._open()
        self.assertRecordValues(
            insolvency.activity_ids,
            [{"date_deadline": self._day(7), "user_id": self.manager.id}],
        )
        insolvency.filing_deadline = self._day(40)
        self.assertRecordValues(
            insolvency.activity_ids, [{"date_deadline": self._day(40), "summary": "File the claim"}]
        )
        insolvency.date_filed = self._day(0)
        self.assertFalse(insolvency.activity_ids)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            insolvency.date_filed = self._day(-1)
            insolvency.flush_recordset()

    def test_one_is_open_and_a_manager_closes_it(self):
        insolvency = self._open()
        action = self.case.with_user(self.collector).action_insolvency()
        self.assertEqual(action["res_id"], insolvency.id)
        self.assertEqual(self.case.with_user(self.collector).insolvency_id, insolvency)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._open()
        with self.assertRaises(AccessError):
            insolvency.action_close()
        insolvency.with_user(self.manager).action_close()
        self.assertRecordValues(insolvency, [{"state": "closed", "date_closed": self.today}])
        self.assertFalse(insolvency.activity_ids)
        with self.assertRaises(UserError):
            insolvency.court = "Elsewhere"
        self.assertFalse(self.case.action_insolvency()["res_id"])
        self.case.invalidate_recordset(["insolvency_id"])
        self.assertFalse(self.case.insolvency_id)
        with self.assertRaises(AccessError):
            insolvency.with_user(self.manager).unlink()

    def test_sheet_knows_it(self):
        self._open(kind="closed")
        sheet = self.env["ar.legal.decision"].browse(self.case.action_legal_decision()["res_id"])
        self.assertEqual((sheet.business, sheet.best), ("closed", "writeoff"))

    def test_customers_who_are_merged(self):
        double = self._customer("Double")
        self._invoice(double, 10, due=-3)
        ours = self._open()
        theirs = self.env["ar.insolvency"].create(
            {"partner_id": double.id, "company_id": self.company.id}
        )
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer | double).ids, self.customer
        )
        self.assertEqual((ours | theirs).mapped("partner_id"), self.customer)
        self.assertEqual((ours.state, theirs.state), ("open", "closed"))
