from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import sql

from .common import CollectionsCommon
from .test_house_migration import MIGRATIONS, load


class TestCountryRule(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.neutral, cls.china, cls.germany = (
            cls.env.ref(f"ar_collections.country_rule_{name}") for name in ("neutral", "cn", "de")
        )
        cls.manager, cls.collector, cls.auditor = (
            new_test_user(
                cls.env,
                f"law_{name}",
                f"base.group_user,ar_collections.group_{name}",
                company_id=cls.company.id,
                company_ids=[(6, 0, cls.company.ids)],
            )
            for name in ("credit_manager", "collector", "auditor")
        )

    # Choosing

    def test_companies_begin_with_the_pack_of_their_country(self):
        companies = self.env["res.company"].create(
            [
                {"name": code, "country_id": self.env.ref(f"base.{code}").id}
                for code in ("cn", "de", "nz")
            ]
        )
        self.assertEqual(
            companies.ar_country_rule_id.ids, (self.china | self.germany | self.neutral).ids
        )
        # What somebody chose stays, and a branch lives by the law of its root.
        companies[0].ar_country_rule_id = self.germany
        branch = self.env["res.company"].create({"name": "b", "parent_id": companies[0].id})
        self.assertEqual(branch._ar_get_country_rule(), self.germany)

    def test_without_any_pack_it_is_the_neutral_one(self):
        self.company.ar_country_rule_id = False
        rule = self.company._ar_get_country_rule()
        names = [
            name
            for name, field in rule._fields.items()
            if name.startswith(("limitation", "demand_r", "payment_r", "promise", "lawsuit"))
            and field.store
        ]
        self.assertEqual([rule[name] for name in names], [self.neutral[name] for name in names])

    def test_a_version_of_ones_own(self):
        rule = self.neutral.with_user(self.manager)
        action = rule.action_make_own()
        own = self.env["ar.country.rule"].browse(action["res_id"])
        self.assertEqual(own.company_id, self.company)
        self.assertEqual(self.company.ar_country_rule_id, own)
        own.with_user(self.manager).limitation_years = 6
        self.assertEqual(self.neutral.limitation_years, 3)
        self.assertEqual(self.company._ar_get_country_rule().limitation_years, 6)
        with self.assertRaisesRegex(UserError, "lives by this pack"):
            own.with_user(self.manager).unlink()
        self.neutral.with_user(self.manager).action_use()
        own.with_user(self.manager).unlink()
        self.assertEqual(self.company.ar_country_rule_id, self.neutral)

    def test_rights(self):
        for user in (self.collector, self.auditor):
            rule = self.china.with_user(user)
            self.assertIn("20 years", rule.words)
            with self.assertRaises(AccessError):
                rule.limitation_years = 5
            with self.assertRaises(AccessError):
                rule.rate_ids[0].rate = 5
            with self.assertRaises(AccessError):
                rule.action_use()
            with self.assertRaises(AccessError):
                rule.action_make_own()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.germany._make_own(elsewhere)
        mine = self.env["ar.country.rule"].with_user(self.manager)
        self.assertNotIn(foreign, mine.search([]))
        with self.assertRaises(AccessError):
            foreign.with_user(self.manager).action_use()

    # Words and sources

    def test_every_shipped_statement_has_a_source_or_says_nothing(self):
        """What differs from the neutral pack, which claims no law, has a source."""
        words = self.env["ar.country.words"]
        for rule in (self.china, self.germany):
            topics = set(rule.claim_ids.mapped("topic"))
            self.assertFalse(rule.claim_ids.filtered("is_changed"))
            for topic, _name in rule.claim_ids._fields["topic"].selection:
                if words._get_text(rule, topic) != words._get_text(self.neutral, topic):
                    self.assertIn(topic, topics, rule.name)
            self.assertTrue(rule.note)
        self.assertFalse(self.neutral.claim_ids)

    def test_a_value_that_was_changed_has_no_source_any_more(self):
        own = self.germany._make_own(self.company)
        self.assertFalse(own.claim_ids.filtered("is_changed"))
        self.assertIn("section 197", own.words)
        own.enforcement_years = 20
        claim = own.claim_ids.filtered("is_changed")
        self.assertEqual(claim.topic, "enforcement")
        self.assertIn("for 20 years", own.words)
        self.assertNotIn("section 197", own.words)
        claim.source = "A lawyer's letter"
        self.assertFalse(own.claim_ids.filtered("is_changed"))
        self.assertIn("A lawyer", own.words)
        own.rate_ids[0].rate += 1
        self.assertEqual(own.claim_ids.filtered("is_changed").topic, "rates")

    # Statutory interest

    def test_interest_is_the_base_rate_and_what_is_added(self):
        # Germany, between firms: 9 points above 1.27 % from July 2025, 9 - 0.88 in 2020.
        self.assertEqual(self.germany._get_interest_rate(date(2025, 8, 1)), 10.27)
        self.assertEqual(self.germany._get_interest_rate(date(2020, 1, 1)), 8.12)
        self.assertEqual(self.germany._get_interest_rate(date(2023, 6, 30)), 10.62)
        self.assertEqual(self.germany._get_interest_rate(date(2023, 7, 1)), 12.12)
        # Before the first rate the pack says nothing.
        self.assertIsNone(self.germany._get_interest_rate(date(2016, 6, 30)))
        # China: the LPR and 30 % of it: 3.00 x 1.3.
        self.assertEqual(self.china._get_interest_rate(date(2025, 5, 20)), 3.9)
        self.assertEqual(self.china._get_interest_rate(date(2025, 5, 19)), 4.03)
        self.assertIsNone(self.neutral._get_interest_rate(date(2025, 5, 19)))
        # Never a gift to who pays late.
        own = self.germany._make_own(self.company)
        own.interest_points = 0
        self.assertEqual(own._get_interest_rate(date(2020, 1, 1)), 0)

    # From former versions

    def test_packs_come_by_an_update(self):
        """19.0.5.6.0: a database from before has none, and its companies get theirs."""
        chinese = self.env["res.company"].create(
            {"name": "Old", "country_id": self.env.ref("base.cn").id}
        )
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_company SET ar_country_rule_id = NULL")
        self.env.invalidate_all()
        self.env["ar.country.rule"].search([]).unlink()
        self.env.flush_all()
        load(MIGRATIONS / "19.0.5.6.0/post-country_rule.py").migrate(self.env.cr, "19.0.5.5.0")
        self.env.invalidate_all()
        china = self.env.ref("ar_collections.country_rule_cn")
        self.assertEqual(chinese.ar_country_rule_id, china)
        self.assertEqual(
            self.company.ar_country_rule_id, self.env.ref("ar_collections.country_rule_neutral")
        )
        self.assertEqual((len(china.rate_ids), len(china.claim_ids)), (10, 13))
        self.assertFalse(china.claim_ids.filtered("is_changed"))

    def test_years_that_were_changed_stay(self):
        """19.0.5.6.0: they were a setting of the company."""
        others = self.env["res.company"].create([{"name": "Seven"}, {"name": "Never"}])
        cr = self.env.cr
        if not sql.column_exists(cr, "res_company", "ar_limitation_years"):
            sql.create_column(cr, "res_company", "ar_limitation_years", "int4")
        self.env.flush_all()
        cr.execute("UPDATE res_company SET ar_limitation_years = 3")
        for company, years in zip(others, (7, 0), strict=True):
            cr.execute(
                "UPDATE res_company SET ar_limitation_years = %s WHERE id = %s",
                [years, company.id],
            )
        self.env.flush_all()
        for _again in range(2):
            load(MIGRATIONS / "19.0.5.6.0/post-country_rule.py").migrate(cr, "19.0.5.5.0")
            self.env.invalidate_all()
            self.assertEqual(others.ar_country_rule_id.mapped("limitation_years"), [7, 0])
            self.assertEqual(others.ar_country_rule_id.company_id, others)
            self.assertEqual(self.company.ar_country_rule_id, self.neutral)
            self.assertEqual(
                self.env["ar.country.rule"].search_count([("company_id", "in", others.ids)]), 2
            )
