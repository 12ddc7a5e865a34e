"""Amounts that are shipped in US dollars fit the currency of each company."""

from hypothesis import given, settings, strategies as st

from odoo.tests import BaseCase, tagged

from ..models.common.amount_scale import scale, scale_domain
from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestScale(BaseCase):
    def test_friendly_figures(self):
        for amount, ratio, figure in (
            (2000, 150, 300_000),
            (2000, 151.37, 300_000),
            (200, 7, 1500),
            (10_000, 7, 70_000),
            (10, 150, 1500),
            (10, 7, 70),
            (100_000, 1300, 150_000_000),
            (2000, 0.3, 600),
            (5, 0.3, 1.5),
            (1, 0.038, 0.04),
            (-2000, 150, -300_000),
            (0, 150, 0),
            (1234.56, 1, 1234.56),
            (9990, 1.0001, 10_000),
        ):
            self.assertEqual(scale(amount, ratio), figure, (amount, ratio))

    @settings(max_examples=200, deadline=None)
    @given(st.floats(0.01, 1e9), st.floats(0.001, 30_000))
    def test_near_what_it_would_be(self, amount, ratio):
        self.assertAlmostEqual(scale(amount, ratio) / (amount * ratio), 1, delta=0.26)
        self.assertGreater(scale(amount, ratio), 0)


class TestAmounts(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.yen, cls.yuan = cls.env.ref("base.JPY"), cls.env.ref("base.CNY")
        cls.env["res.currency.rate"].search([]).unlink()
        cls.first = cls.env["res.company"]._ar_get_first()
        cls.env.user.company_ids |= cls.first
        cls.env["ar.writeoff.tier"].search([("company_id", "!=", False)]).unlink()

    def _company(self, currency):
        company = self.env["res.company"].create(
            {"name": f"In {currency.name}", "currency_id": currency.id}
        )
        self.env.user.company_ids |= company
        return company

    def _amounts(self, company):
        """What of the shipped amounts counts in a company."""
        tiers = self.env["ar.writeoff.tier"]._get_tiers(company)
        rules = self.env["ar.collection.priority.rule"].search(
            [("company_id", "in", (company.id, False))]
        )
        rules -= rules.replaces_id
        watch = self.env.ref("ar_collections.credit_grade_d")
        own = watch.search([("replaces_id", "=", watch.id), ("company_id", "=", company.id)])
        return (
            company.ar_amount_factor,
            tiers.mapped("amount_from"),
            sorted(
                number
                for rule in rules
                for number in (50_000, 10_000, 200, 7_000_000, 1_500_000, 30_000, 70_000, 1500)
                if f", {number})" in rule.domain or f", {number}.0)" in rule.domain
            ),
            (own or watch).limit_amount,
            company.ar_writeoff_free_amount,
        )

    def test_companies_in_yen_and_yuan(self):
        before = self._amounts(self.first)
        self.assertEqual(before, (1, [0, 10_000, 100_000], [200, 10_000, 50_000], 2000, 10))
        yen, yuan, dollar = (
            self._company(currency) for currency in (self.yen, self.yuan, self.env.ref("base.USD"))
        )
        self.assertEqual(
            self._amounts(yen),
            (150, [0, 1_500_000, 15_000_000], [30_000, 1_500_000, 7_000_000], 300_000, 1500),
        )
        factor, tiers, _rules, limit, free = self._amounts(yuan)
        self.assertEqual((factor, tiers, limit, free), (7, [0, 70_000, 700_000], 15_000, 70))
        self.assertEqual(self._amounts(dollar), before)
        self.assertFalse(
            self.env["ar.writeoff.tier"].search([("company_id", "=", dollar.id)]),
            "the shared ones are in its currency",
        )
        self.assertEqual(self._amounts(self.first), before, "who is set up keeps its amounts")
        wizard = self.env["ar.writeoff.small.balance"].with_company(yen)
        self.assertEqual(wizard.default_get(["amount_max"])["amount_max"], 700)

    def test_a_grade_in_the_place_of_the_shared_one(self):
        company = self._company(self.yen)
        watch = self.env.ref("ar_collections.credit_grade_d")
        own = watch.search([("replaces_id", "=", watch.id), ("company_id", "=", company.id)])
        grades = self.env["ar.credit.grade"]
        scale_ids = [each[0] for each in grades._get_scale(company)]
        self.assertIn(own.id, scale_ids)
        self.assertNotIn(watch.id, scale_ids)
        self.assertIn(watch.id, [each[0] for each in grades._get_scale(self.first)])
        self.assertFalse(grades._describe_faults(company))
        better = self.env.ref("ar_collections.credit_grade_c")
        self.assertEqual(better._count_steps_up(own), better._count_steps_up(watch))
        file = self.env["ar.credit.file"]._get_file(self.customer, company, create=True)
        file.sudo().grade_id = own
        self.assertEqual(file.effective_limit, 300_000)
        key = (company.id, self.customer.id)
        facts = self.env["ar.credit.facts"]._gather_facts({key}, self.today)[key]
        self.assertEqual(facts.limit, 300_000)

    def test_own_rules_score_alone(self):
        """20,000 yen are no large debt, though they are above the shared 10,000."""
        company = self._company(self.yen)
        rules = self.env["ar.collection.priority.rule"]
        case = (
            self.env["ar.collection.case"]
            .sudo()
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": company.id,
                    "amount_overdue": 20_000,
                }
            )
        )
        rules._score_cases(company)
        hits = rules.browse(rule_id for rule_id, _points in case.priority_rule_ids or ())
        self.assertFalse(hits.filtered(lambda rule: "amount_overdue" in rule.domain))
        case.amount_overdue = 2_000_000
        self.env.flush_all()
        rules._score_cases(company)
        hits = rules.browse(rule_id for rule_id, _points in case.priority_rule_ids or ())
        self.assertEqual(hits.company_id, company)

    def test_factor_is_shown_and_changed(self):
        company = self._company(self.yen)
        settings_ = self.env["res.config.settings"].with_company(company).create({})
        self.assertEqual(settings_.ar_amount_factor, 150)
        settings_.ar_amount_factor = 100
        settings_.execute()
        self.assertEqual(self._amounts(company)[:2], (100, [0, 1_000_000, 10_000_000]))
        tiers = self.env["ar.writeoff.tier"].search([("company_id", "=", company.id)])
        self.assertEqual(len(tiers), 3, "no second copies")
        # What somebody changed is scaled from what it is.
        tiers[1].amount_from = 3_000_000
        company.ar_amount_factor = 200
        self.assertEqual(tiers.mapped("amount_from"), [0, 6_000_000, 20_000_000])
        company.ar_amount_factor = 200
        company.name = "Tokyo"
        self.assertEqual(tiers.mapped("amount_from"), [0, 6_000_000, 20_000_000], "once")
        # A dollar company whose factor somebody changes gets amounts of its own, and its files.
        other = self._company(self.env.ref("base.USD"))
        file = self.env["ar.credit.file"]._get_file(self.customer, other, create=True)
        file.sudo().grade_id = self.env.ref("ar_collections.credit_grade_d")
        other.ar_amount_factor = 2
        self.assertEqual(self._amounts(other)[1], [0, 20_000, 200_000])
        self.assertEqual((file.grade_id.company_id, file.effective_limit), (other, 4000))

    def test_currency_that_comes_with_the_chart(self):
        """A company begins in the currency at hand; its own comes before anything is booked."""
        company = self._company(self.env.ref("base.USD"))
        company.currency_id = self.yen
        self.assertEqual(self._amounts(company)[:2], (150, [0, 1_500_000, 15_000_000]))
        company.currency_id = self.env.ref("base.USD")
        self.assertEqual(self._amounts(company)[:2], (1, [0, 10_000, 100_000]))

    def test_first_company_scales_what_is_shared(self):
        """As the installation does in a database that is in yen."""
        self.first.ar_amount_factor = 150
        watch = self.env.ref("ar_collections.credit_grade_d")
        self.assertEqual(watch.limit_amount, 300_000)
        self.assertFalse(watch.search([("replaces_id", "!=", False), ("company_id", "=", 1)]))
        self.assertEqual(self._amounts(self.first)[1], [0, 1_500_000, 15_000_000])
        # Who shared its amounts in dollars, or begins now in dollars, has them in dollars.
        for company in (self.company, self._company(self.env.ref("base.USD"))):
            self.assertEqual(self._amounts(company)[1], [0, 10_000, 100_000])
            self.assertEqual(self._amounts(company)[3], 2000)
        yuan = self._company(self.yuan)
        self.assertEqual(self._amounts(yuan)[1], [0, 70_000, 700_000])
        self.assertEqual(self._amounts(self._company(self.yen))[1], [0, 1_500_000, 15_000_000])

    def test_real_rates_are_better(self):
        rates = self.env["res.currency.rate"].sudo()
        self.assertEqual(self.yen._ar_get_factor(), 150)
        self.assertEqual(self.env.ref("base.EUR")._ar_get_factor(), 1)
        values = {"currency_id": self.yen.id, "company_id": self.first.id}
        old = rates.create({**values, "name": self._day(-400), "rate": 90})
        self.assertEqual(self.yen._ar_get_factor(), 150, "too old")
        old.write({"name": self._day(-30), "rate": 111.234})
        dollar = self.first.currency_id
        self.assertEqual(dollar.name, "USD")
        self.assertEqual(self.yen._ar_get_factor(), 111)
        self.assertEqual(self._company(self.yen).ar_amount_factor, 111)

    def test_policies_of_the_company(self):
        company = self._company(self.env.ref("base.USD"))
        policy = self.policy.copy(
            {
                "company_id": company.id,
                "min_amount": 50,
                "domain": "[('overdue_amount', '>', 1000), ('days_overdue', '>', 30)]",
            }
        )
        policy.step_ids[:1].min_amount = 20
        self.policy.min_amount = 50
        company.ar_amount_factor = 7
        self.assertEqual((policy.min_amount, policy.step_ids[0].min_amount), (300, 150))
        self.assertEqual(
            policy.domain, "[('overdue_amount', '>', 7000), ('days_overdue', '>', 30)]"
        )
        self.assertEqual(self.policy.min_amount, 50)
        fields = self.env["ar.credit.file"]._fields
        domain = ["|", ("exposure", ">", 1), ("partner_id.name", "=", "x")]
        self.assertEqual(scale_domain(domain, 7, fields)[1], ("exposure", ">", 7))

    # What is shared and has no copy of a company's own

    def test_shared_tolerance_in_the_currency_of_each(self):
        yen, dollar = self._company(self.yen), self._company(self.env.ref("base.USD"))
        tolerances = self.env["ar.credit.tolerance"].sudo()
        tolerances.search([]).unlink()
        role = self.env.ref("ar_collections.group_credit_manager")
        shared = tolerances.create(
            {"group_id": role.id, "limit_amount": 500, "hold_amount": 40, "limit_share": 0.1}
        )
        get_tolerance = self.env["ar.credit.tolerance"]._get_tolerance
        for company, limit, hold in ((yen, 70_000, 6000), (dollar, 500, 40), (self.first, 500, 40)):
            found = get_tolerance(company)
            self.assertEqual((found.limit_amount, found.hold_amount), (limit, hold), company.name)
            self.assertEqual(found.limit_share, 0.1)
        # A company's own word counts instead, as it is written: also when it is less.
        tolerances.create({"group_id": role.id, "limit_amount": 9, "company_id": yen.id})
        self.assertEqual(get_tolerance(yen)[:4], (0, 0, 9, 0))
        yen.ar_amount_factor = 300
        self.assertEqual(get_tolerance(yen).limit_amount, 20, "9 x 2, in friendly figures")
        self.assertEqual((shared.limit_amount, get_tolerance(dollar).limit_amount), (500, 500))

    def test_shared_policy_in_the_currency_of_each(self):
        """Who owes 5,000 yen, some 33 dollars, is not asked when 50 dollars is the least."""
        yen = self._company(self.yen)
        self.policy.min_amount = 50
        step = self.steps["Call"]
        step.min_amount = 1000
        planner = self.env["ar.collection.planner"]
        for company, least, call in ((yen, 7000, 150_000), (self.company, 50, 1000)):
            values = planner._get_policy_values(company, self.today, self.policy.ids)
            self.assertEqual(values[self.policy.id]["min_amount"], least)
            self.assertEqual(values[self.policy.id]["steps"][15], (call, True))
            self.assertEqual(step._get_min_amount(company), call)
        shown = self.policy.with_company(yen)
        self.assertEqual(shown.currency_id, self.first.currency_id, "no 50 yen")
        own = self.policy.copy({"company_id": yen.id, "min_amount": 50})
        self.assertEqual((own._get_min_amount(yen), own.currency_id), (50, self.yen))

    def test_shared_conditions_in_the_currency_of_each(self):
        yen = self._company(self.yen)
        files = self.env["ar.credit.file"]
        here, there = (
            files._get_file(self.customer, company, create=True) for company in (self.company, yen)
        )
        for file in (here, there):
            file.sudo().overdue_amount = 20_000
        domain = "[('overdue_amount', '>', 1000)]"
        self.policy.write({"domain": domain, "sequence": 0})
        other = self.policy.copy({"domain": "[]", "sequence": 1})
        matching = self.env["ar.collection.policy"]._get_matching_policies(here | there)
        self.assertEqual(matching, {here: self.policy, there: other})
        grade = self.env.ref("ar_collections.credit_grade_d")
        rules = self.env["ar.credit.knockout"]
        rules.search([]).active = False
        rule = rules.create({"name": "Owes a lot", "grade_id": grade.id, "domain": domain})
        caps = rules._get_caps(here | there)
        self.assertEqual([bool(caps[file.id]) for file in (here, there)], [True, False])
        there.sudo().overdue_amount = 150_001
        self.assertTrue(rules._get_caps(there)[there.id])
        rule.company_id = yen
        there.sudo().overdue_amount = 20_000
        self.assertTrue(rules._get_caps(there)[there.id], "its own rule is in yen")

    def test_a_shared_priority_rule_that_comes_later(self):
        yen = self._company(self.yen)
        rules = self.env["ar.collection.priority.rule"]
        rules.search([]).active = False
        rules.create({"name": "Large", "domain": "[('amount_overdue', '>', 2000)]", "points": 7})
        values = {"partner_id": self.customer.id, "amount_overdue": 20_000}
        cases = self.env["ar.collection.case"].sudo()
        there = cases.create({**values, "company_id": yen.id})
        here = cases.create({**values, "company_id": self.company.id})
        for company in (yen, self.company):
            rules._score_cases(company)
        self.assertEqual((there.priority, here.priority), (0, 7))

    def test_a_shared_grade_that_comes_later(self):
        yen = self._company(self.yen)
        grade = self.env["ar.credit.grade"].create(
            {"code": "Z9", "name": "New", "limit_rule": "fixed", "limit_amount": 500}
        )
        own = grade.search([("replaces_id", "=", grade.id), ("company_id", "=", yen.id)])
        self.assertEqual(own.limit_amount, 70_000)
        grade.limit_amount = 600
        self.assertEqual(own.limit_amount, 70_000, "what a company has is its own")
        tiers = self.env["ar.writeoff.tier"]
        tiers.search([]).sudo().unlink()
        values = {"name": "All", "group_id": self.env.ref("base.group_user").id}
        tiers.create([{**values, "amount_from": 0}, {**values, "amount_from": 1000}])
        self.assertEqual(tiers._get_tiers(yen).mapped("amount_from"), [0, 150_000])
        self.assertEqual(tiers._get_tiers(self.company).mapped("amount_from"), [0, 1000])

    def test_a_document_from_a_limit_on(self):
        yen = self._company(self.yen)
        types = self.env["ar.credit.document.type"]
        types.search([]).active = False
        types.create({"name": "Statement", "required": True, "limit_from": 10_000})
        asked = {}
        for company in (yen, self.company):
            file = self.env["ar.credit.file"]._get_file(self.customer, company, create=True)
            file.sudo().write({"limit_mode": "custom", "custom_limit": 20_000})
            review = self.env["ar.credit.review"].sudo().create({"file_id": file.id})
            asked[company] = review.document_ids.required
        self.assertEqual(asked, {yen: False, self.company: True})
