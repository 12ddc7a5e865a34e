from odoo.exceptions import ValidationError

from .common import CollectionsCommon


class TestPolicyConditions(CollectionsCommon):
    """Which policy a customer follows, and what it decides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policies = cls.env["ar.collection.policy"]
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls.policy.sequence = 50

    def _fitting(self, file=None):
        file = file or self.file
        return self.policies._get_matching_policies(file)[file]

    def _copy(self, name, **values):
        return self.policy.copy({"name": name, **values})

    def test_each_kind_of_condition(self):
        self._invoice(self.customer, 600, due=-5)
        self._run(0)
        category = self.env["res.partner.category"].create({"name": "Retail"})
        conditions = {
            "way": (
                {"suggested_way": "firm"},
                lambda: self.file.sudo().write({"suggested_way": "firm"}),
            ),
            "amount": (
                {"domain": "[('overdue_amount', '>=', 1000), ('overdue_amount', '<', 5000)]"},
                lambda: self._invoice(self.customer, 600, due=-5),
            ),
            "category": (
                {"domain": f"[('partner_id.category_id', 'in', [{category.id}])]"},
                lambda: self.customer.write({"category_id": [(4, category.id)]}),
            ),
            "country": (
                {"domain": "[('partner_id.country_id.code', '=', 'JP')]"},
                lambda: self.customer.write({"country_id": self.env.ref("base.jp").id}),
            ),
            "salesperson": (
                {"domain": f"[('partner_id.user_id', '=', {self.env.user.id})]"},
                lambda: self.customer.write({"user_id": self.env.user.id}),
            ),
        }
        for number, (name, (values, meet)) in enumerate(conditions.items()):
            policy = self._copy(name, sequence=40 - number, **values)
            with self.subTest(name):
                self.assertNotEqual(self._fitting(), policy)
                meet()
                self.env["ar.credit.file"].invalidate_model()
                self.assertEqual(self._fitting(), policy)
                self.policies._follow(self._case())
                self.assertEqual(self._case().policy_id, policy, "open cases follow")

    def test_order(self):
        """Own policy, grade's, then the first of those with conditions, then of those without."""
        everybody = self._copy("Everybody", sequence=1)
        late = self._copy("Late", sequence=3, domain="[('days_overdue', '>=', 0)]")
        tier = self._copy("Tier", sequence=2, risk_tier=self.file.risk_tier)
        self.assertEqual(self._fitting(), tier)
        tier.sequence = 4
        self.assertEqual(self._fitting(), late)
        late.company_id = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertEqual(self._fitting(), tier)
        tier.company_id = late.company_id
        self.assertEqual(self._fitting(), everybody)
        tier.company_id = False
        tier.step_ids.active = False
        self.assertEqual(self._fitting(), everybody, "without steps it is none")
        self.file.grade_id.policy_id = self.policy
        self.assertEqual(self._fitting(), self.policy)
        self.file.policy_id = late.copy({"name": "Own", "company_id": False})
        self.assertEqual(self._fitting(), self.file.policy_id)
        self.file.policy_id.active = False
        self.assertEqual(self._fitting(), self.policy)

    def test_what_a_manager_chose_stays_until_another_one_fits(self):
        self._invoice(self.customer, 100, due=-5)
        self._run(0)
        case = self._case()
        chosen = self._copy("Chosen", sequence=99)
        case.policy_id = chosen
        self._run(1)
        self.assertEqual(case.policy_id, chosen)
        firm = self._copy("Firm", domain="[('partner_id.ref', '=', 'firm')]")
        self.customer.ref = "firm"
        self._run(2)
        self.assertEqual(case.policy_id, firm)
        case.policy_id = chosen
        chosen.active = False
        self._run(3)
        self.assertEqual(case.policy_id, firm, "an archived policy asks nobody")

    def test_wrong_condition_is_refused(self):
        for domain in ("[('no_field', '=', 1)]", "[", "open('x')"):
            with self.subTest(domain), self.assertRaises(ValidationError):
                self.policy.domain = domain

    def test_tone_brings_its_text(self):
        ref = self.env.ref
        step = self.policy.step_ids.create(
            {"policy_id": self.policy.id, "days": 77, "channel": "email", "tone": "decision"}
        )
        second = ref("ar_collections.mail_template_second_reminder")
        self.assertEqual(step.template_id, second)
        step.tone = "awareness"
        self.assertEqual(step.template_id, ref("ar_collections.mail_template_reminder"))
        own = second.copy({"name": "Own words"})
        own.ar_tone = False
        step.template_id = own
        step.tone = "consequence"
        self.assertEqual(step.template_id, own, "what somebody chose stays")
        step.channel = "letter"
        letter = self.policy.step_ids.create(
            {"policy_id": self.policy.id, "days": 78, "channel": "letter", "tone": "consequence"}
        )
        self.assertEqual(letter.template_id, ref("ar_collections.mail_template_formal_letter"))

    def test_length_of_plans(self):
        def months():
            return self.file._get_agreement_limits().plan_months

        self.file.grade_id.max_plan_months = 9
        self.assertEqual(months(), 9)
        self._copy("Willing", suggested_way="instalments", max_plan_months=18)
        self.file.sudo().suggested_way = "instalments"
        self.assertEqual(months(), 18)
        self._invoice(self.customer, 100, due=-5)
        self._run(0)
        self._case().policy_id = self.policy
        self.assertEqual(months(), 9, "the case follows another one")
