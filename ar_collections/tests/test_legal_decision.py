from hypothesis import given, strategies as st
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from ..models.outside.legal_options import Claim, present, weigh
from .common import CollectionsCommon

shares = st.floats(0, 1)
amounts = st.floats(1, 1e7)
months = st.integers(0, 60)
TERMS = {
    "business": "open",
    "court_chance": 0.6,
    "court_fee": 100,
    "agency_chance": 0.4,
    "commission": 0.25,
    "plan_chance": 0.3,
    "interest": 0.06,
    "tax_rate": 0.25,
}


class TestLegalDecision(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice(cls.customer, 10000, due=-40)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.collector, cls.manager, cls.auditor = (
            new_test_user(
                cls.env,
                f"sue_{group}",
                f"base.group_user,ar_collections.group_{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in ("collector", "credit_manager", "auditor")
        )

    def _sheet(self, **values):
        action = self.case.with_user(self.collector).action_legal_decision()
        sheet = self.env["ar.legal.decision"].browse(action["res_id"])
        sheet.write({**TERMS, **values})
        return sheet

    # The function

    def test_by_hand(self):
        claim = Claim(
            amount=10000,
            interest=0.1,
            tax_rate=0.25,
            court_chance=0.6,
            court_fee=300,
            lawyer_fee=700,
            court_months=12,
            fee_back=True,
            agency_chance=0.4,
            commission=0.25,
            agency_months=0,
            plan_chance=0.5,
            plan_months=0,
        )
        worth = {way.option: way for way in weigh(claim)}
        # (6000 + 25 % of 4000 + 60 % of 300) / 1.1 - 1000
        self.assertAlmostEqual(worth["court"].value, 7180 / 1.1 - 1000)
        # 4000 + 25 % of 6000 - 25 % of 4000
        self.assertAlmostEqual(worth["agency"].value, 4500)
        self.assertAlmostEqual(worth["plan"].value, 5000 + 1250)
        self.assertAlmostEqual(worth["writeoff"].value, 2500)
        self.assertNotIn("insurance", worth)
        self.assertEqual(weigh(claim)[0].option, "plan")

    def test_insurance_pays_the_claim_at_most(self):
        ways = {way.option: way for way in weigh(Claim(100, insured=500, tax_rate=0.2))}
        self.assertEqual((ways["insurance"].expected, ways["insurance"].value), (100, 100))

    def test_of_equals_the_simple_way(self):
        self.assertEqual(weigh(Claim(100))[0].option, "writeoff")

    def test_instalments_wait_half_the_plan(self):
        plan = next(
            way
            for way in weigh(Claim(1200, plan_chance=1, plan_months=12, interest=0.12))
            if way.option == "plan"
        )
        self.assertEqual(plan.months, 6.5)
        one_by_one = sum(present(100, month, 0.12) for month in range(1, 13))
        self.assertAlmostEqual(plan.value, one_by_one, delta=2)

    @given(amounts, shares, shares, st.floats(0, 1e4), months, shares, shares)
    def test_what_is_better_is_worth_more(self, amount, tax, chance, fee, wait, other, interest):
        def court(**values):
            claim = Claim(
                **{
                    "amount": amount,
                    "tax_rate": tax,
                    "court_chance": chance,
                    "court_fee": fee,
                    "court_months": wait,
                    "interest": interest,
                    "agency_chance": other,
                    **values,
                }
            )
            ways = weigh(claim)
            self.assertEqual(ways, sorted(ways, key=lambda way: -round(way.value, 6)))
            for way in ways:
                self.assertLessEqual(way.expected, amount)
                self.assertLessEqual(way.value, amount * (1 + 1e-9))
            return next(way.value for way in ways if way.option == "court")

        slack = 1e-6 * amount
        self.assertGreaterEqual(court(court_chance=min(chance + 0.1, 1)), court() - slack)
        self.assertLessEqual(court(court_fee=fee + 10), court() + slack)
        self.assertLessEqual(court(court_months=wait + 6), court() + slack)
        self.assertGreaterEqual(court(fee_back=True), court() - slack)

    # The sheet

    def test_starts_from_the_case(self):
        cover = (
            self.env["ar.credit.cover"]
            .sudo()
            .create(
                {
                    "file_id": self.case.file_id.id,
                    "amount": 4000,
                    "covered_share": 0.9,
                    "date_from": self.today,
                }
            )
        )
        self.env["ar.credit.cover"].sudo().create(
            {
                "file_id": self.case.file_id.id,
                "amount": 9999,
                "kind": "guarantee",
                "date_from": self.today,
            }
        )
        other = self.env["ar.credit.file"]._get_file(
            self._customer("Well Insured"), self.company, create=True
        )
        self.env["ar.credit.cover"].sudo().create(
            {"file_id": other.id, "amount": 5000, "covered_share": 1, "date_from": self.today}
        )
        sheet = self._sheet()
        self.assertRecordValues(
            sheet, [{"amount": 10000, "insured_amount": 3600, "case_id": self.case.id}]
        )
        cover.date_to = self.today
        self.assertIn(f"SN/{self.today.year}/", sheet.name)
        self.assertEqual(self.case.action_legal_decision()["res_id"], sheet.id)

    def test_fees_of_the_last_placement(self):
        placement = self.env["ar.placement"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "cost_ids": [
                    Command.create({"kind": kind, "amount": amount, "date": self.today})
                    for kind, amount in (("court", 100), ("lawyer", 250), ("court", 50))
                ],
            }
        )
        self.assertEqual(placement.case_id, self.case)
        action = self.case.with_user(self.collector).action_legal_decision()
        sheet = self.env["ar.legal.decision"].browse(action["res_id"])
        self.assertRecordValues(sheet, [{"court_fee": 150, "lawyer_fee": 250}])

    def test_form_weighs_while_it_is_filled_in(self):
        sheet = self._sheet(agency_chance=0, plan_chance=0, tax_rate=0)
        with Form(sheet.with_user(self.collector)) as form:
            form.court_chance = 0.9
            self.assertEqual(form.best, "court")
            form.court_chance = 0
            self.assertEqual(form.best, "writeoff")
            self.assertIn("Go to court", form.comparison)
        self.assertEqual(sheet.best, "writeoff")

    def test_decision_is_kept(self):
        sheet = self._sheet(court_chance=0.9)
        self.assertEqual(sheet.best, "court")
        with self.assertRaises(AccessError):
            sheet.with_user(self.collector).action_decide()
        managed = sheet.with_user(self.manager)
        with self.assertRaises(UserError):
            managed.action_decide()
        managed.decision = "agency"
        with self.assertRaises(UserError):
            managed.action_decide()
        managed.reason = "No lawyer at hand"
        managed.action_decide()
        self.assertRecordValues(
            sheet,
            [{"state": "decided", "decided_by_id": self.manager.id, "date": self.today}],
        )
        self.assertIn("Give to an agency", self.case.message_ids[0].body)
        with self.assertRaises(UserError):
            managed.amount = 5
        with self.assertRaises(UserError):
            managed.action_decide()
        with self.assertRaises(UserError):
            managed.unlink()
        self.assertNotEqual(self.case.action_legal_decision()["res_id"], sheet.id)
        placement = self.env["ar.placement"].browse(managed.action_placement()["res_id"])
        self.assertRecordValues(
            placement, [{"kind": "agency", "commission_rate": sheet.commission, "amount": 10000}]
        )

    def test_the_best_way_needs_no_reason(self):
        sheet = self._sheet(court_chance=0.9)
        sheet.decision = sheet.best
        sheet.with_user(self.manager).action_decide()
        self.assertEqual(sheet.state, "decided")

    def test_costs_that_nobody_set_advise_nothing(self):
        action = self.case.with_user(self.collector).action_legal_decision()
        sheet = self.env["ar.legal.decision"].browse(action["res_id"])
        self.assertFalse(sheet.best)
        self.assertIn("still in business", sheet.missing)
        self.assertEqual((sheet.interest, sheet.tax_rate), (False, False))
        sheet.decision = "court"
        with self.assertRaises(UserError):
            sheet.with_user(self.manager).action_decide()
        sheet.business = "open"
        self.assertEqual(sheet.best, "writeoff", "nothing else is known")
        self.assertIn("Set your costs first", sheet.missing)
        self.assertIn("Court Fee", sheet.missing)
        self.assertNotIn("Go to court", sheet.comparison)
        sheet.court_chance = 0.9
        self.assertEqual(sheet.best, "writeoff", "a court takes its fee")
        sheet.court_fee = 100
        self.assertEqual(sheet.best, "writeoff", "a court takes its time")
        self.assertIn("Interest a Year", sheet.missing)
        self.assertIn("Tax Saved by a Write-Off", sheet.missing)
        sheet.interest = 0
        self.assertNotIn("Interest a Year", sheet.missing, "zero is an answer")
        self.assertNotIn("Go to court", sheet.comparison)
        sheet.tax_rate = 0.3
        self.assertNotIn("Tax Saved", sheet.missing)
        sheet.write({name: TERMS[name] for name in ("agency_chance", "commission", "plan_chance")})
        self.assertIs(sheet.missing, False, "all is known")
        self.assertEqual(sheet.best, "court")
        for business in ("closed", "insolvent"):
            sheet.business = business
            self.assertEqual(sheet.best, "writeoff")
            self.assertFalse(sheet.missing)
            self.assertNotIn("Go to court", sheet.comparison)

    def test_starts_from_the_terms_of_the_company(self):
        self.company.write(
            {
                "ar_court_chance": 0.5,
                "ar_court_fee_share": 0.02,
                "ar_lawyer_fee_share": 0.1,
                "ar_court_months": 9,
                "ar_plan_chance": 0,
                "ar_legal_interest": 0.08,
            }
        )
        action = self.case.action_legal_decision()
        sheet = self.env["ar.legal.decision"].browse(action["res_id"])
        self.assertRecordValues(
            sheet,
            [
                {
                    "court_chance": 0.5,
                    "court_fee": 200,
                    "lawyer_fee": 1000,
                    "court_months": 9,
                    "agency_chance": False,
                    "plan_chance": 0,
                    "interest": 0.08,
                    "tax_rate": False,
                    "basis": "",
                }
            ],
        )
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.company.ar_court_chance = 1.5
            self.company.flush_recordset()

    def test_own_results_are_better_than_settings(self):
        self.company.ar_agency_chance = 0.9
        for index, paid in enumerate((600, 0, 300)):
            customer = self._customer(f"Placed {index}")
            invoice = self._invoice(customer, 1000, due=-40)
            self._run(index + 1)
            placement = self.env["ar.placement"].create(
                {
                    "partner_id": customer.id,
                    "company_id": self.company.id,
                    "agent_id": self._customer(f"Agency {index}").id,
                    "commission_rate": 0.2,
                }
            )
            placement.action_place()
            placement.sudo().date = self._day(-73)
            if paid:
                self._pay(invoice, paid)
            self.assertEqual(self._terms()["agency_chance"], 0.9, "too few to say anything")
            placement.action_withdraw()
        terms = self._terms()
        self.assertAlmostEqual(terms["agency_chance"], 0.3)
        self.assertAlmostEqual(terms["commission"], 0.2)
        self.assertEqual(terms["agency_months"], 2)
        self.assertIn("own results of 3 placements", terms["basis"])
        self.assertIs(terms["court_chance"], False, "no lawyer had a case yet")

    def _terms(self):
        fields = ["agency_chance", "commission", "agency_months", "basis", "court_chance"]
        sheet = self.env["ar.legal.decision"].new(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        return {name: sheet[name] for name in fields}

    def test_only_what_needs_somebody_is_placed(self):
        sheet = self._sheet(decision="writeoff", reason="Small")
        with self.assertRaises(UserError):
            sheet.with_user(self.manager).action_placement()
        sheet.with_user(self.manager).action_decide()
        with self.assertRaises(UserError):
            sheet.with_user(self.manager).action_placement()

    def test_rights(self):
        sheet = self._sheet()
        sheet.with_user(self.auditor).read(["comparison", "best"])
        for values in ({"state": "decided"}, {"decided_by_id": self.manager.id}):
            with self.assertRaises(AccessError):
                sheet.with_user(self.manager).write(values)
        with self.assertRaises(AccessError):
            sheet.with_user(self.auditor).write({"court_chance": 1})
        with self.assertRaises(AccessError):
            sheet.with_user(self.auditor).action_decide()

    def test_paper(self):
        sheet = self._sheet(decision="writeoff", reason="Too small to sue")
        sheet.with_user(self.manager).action_decide()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("ar_collections.report_legal_decision", sheet.ids)[0]
            .decode()
        )
        for text in ("Too small to sue", "Go to court", self.manager.name, "10,000.00"):
            self.assertIn(text, html)
