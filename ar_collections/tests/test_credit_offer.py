"""Better terms for customers of low risk: proposed by the day, decided by a credit manager."""

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import Form

from .test_credit_review import ReviewCommon


class TestOffer(ReviewCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.month, cls.long, cls.discount = (
            cls.env["account.payment.term"].create(
                {
                    "name": name,
                    "line_ids": [
                        Command.create({"value": "percent", "value_amount": 100, "nb_days": days})
                    ],
                    **values,
                }
            )
            for name, days, values in (
                ("A month", 30, {}),
                ("Two months", 60, {}),
                (
                    "A month or 2 %",
                    30,
                    {"early_discount": True, "discount_percentage": 2, "discount_days": 10},
                ),
            )
        )
        cls.good.write({"risk_tier": "low", "better_term_id": cls.long.id})
        cls.company.ar_credit_manager_id = cls.manager
        cls.customer.property_payment_term_id = cls.month
        cls._earn(cls.customer)
        cls.file.sudo().grade_id = cls.good
        cls.mine = cls.file.with_user(cls.manager)

    @classmethod
    def _earn(cls, partner, count=4, age=400):
        """A customer since so many days, with so many payments in time."""
        for index in range(count):
            due = -age + 30 if not index else -30 * index
            cls._pay(cls._invoice(partner, 100, due=due), day=due)

    def _proposals(self, file=None):
        return (file or self.file).activity_ids.filtered(
            lambda activity: activity.summary == "Offer better terms?"
        )

    def _grade(self, partner, grade=None):
        file = self.env["ar.credit.file"]._get_file(partner, self.company, create=True)
        file.sudo().grade_id = grade or self.good
        return file

    def test_proposed_once_and_accepted(self):
        self._run(0)
        self.assertEqual(self.file.risk_tier, "low")
        self.assertEqual(self.file.offered_term_id, self.long)
        activity = self._proposals()
        self.assertRecordValues(activity, [{"user_id": self.manager.id}])
        self.assertIn("Two months instead of A month", activity.note)
        self._run(1)
        self.assertEqual(self._proposals(), activity, "no doubles")
        self.assertEqual(self.customer.property_payment_term_id, self.month, "only a proposal")
        self.mine.action_accept_terms()
        for company in (self.company, self.branch):
            term = self.customer.with_company(company).property_payment_term_id
            self.assertEqual(term, self.long)
        self.assertFalse(self.file.offered_term_id or self._proposals())
        for record in (self.file, self.customer):
            self.assertIn("Two months instead of A month", record.message_ids[0].body)
        self._run(2)
        self.assertFalse(self.file.offered_term_id, "the customer has it")

    def test_term_so_far_follows_the_customer(self):
        self.assertEqual(self.file.payment_term_id, self.month)
        self.customer.with_company(self.company).property_payment_term_id = self.long
        self.assertEqual(self.file.payment_term_id, self.long)

    def test_declined_for_a_while(self):
        self.company.ar_terms_again_days = 60
        self._run(0)
        self.mine.action_decline_terms()
        self.assertRecordValues(
            self.file, [{"offered_term_id": False, "terms_declined_on": self.today}]
        )
        self.assertFalse(self._proposals())
        self.assertIn("declined", self.file.message_ids[0].body)
        self._run(1)
        self._run(59)
        self.assertFalse(self.file.offered_term_id)
        self._run(60)
        self.assertEqual(self.file.offered_term_id, self.long)
        self.assertEqual(len(self._proposals()), 1)

    def test_who_has_not_earned_it(self):
        young, few, held, bad, late = (
            self._customer(name) for name in ("Young", "Few", "Held", "Bad", "Late")
        )
        self._earn(young, age=300)
        self._earn(few, count=3)
        for partner in (held, bad, late):
            self._earn(partner)
        files = {partner: self._grade(partner) for partner in (young, few, held, late)}
        files[bad] = self._grade(bad, self.good.copy({"code": "NO", "better_term_id": False}))
        files[held].sudo()._set_hold("Fraud", self.today)
        self._invoice(late, 1000, due=-200)
        self._run(0)
        self.assertEqual(self.file.offered_term_id, self.long)
        for partner, file in files.items():
            self.assertFalse(file.offered_term_id, partner.name)
        self.good.better_term_months = 9
        self._run(1)
        self.assertEqual(files[young].offered_term_id, self.long)

    def test_taken_back(self):
        """Who has not earned it any more is not offered it, whatever the screen still shows."""
        self._run(0)
        self._invoice(self.customer, 1000, due=-200)
        self.file.sudo().warning_tier = "high"
        with self.assertRaisesRegex(UserError, "has not earned"):
            self.mine.action_accept_terms()
        self._run(1)
        self.assertFalse(self.file.offered_term_id or self._proposals())

    def test_only_what_is_better(self):
        is_better = self.env["ar.credit.offer"]._is_better
        none = self.env["account.payment.term"]
        for term, former, better in (
            (self.long, self.month, True),
            (self.month, self.long, False),
            (self.month, self.month, False),
            (self.month, none, True),
            (self.discount, self.month, True),
            (self.discount, self.discount, False),
            (self.discount, self.long, False),
            (self.long, self.discount, True),
        ):
            self.assertEqual(is_better(term, former, self.today), better, (term.name, former.name))
        self.good.better_term_id = self.discount
        self._run(0)
        self.assertEqual(self.file.offered_term_id, self.discount)
        self.customer.property_payment_term_id = self.long
        self._run(1)
        self.assertFalse(self.file.offered_term_id)

    def test_grade_and_company(self):
        with self.assertRaisesRegex(ValidationError, "60 days long"):
            self.good.max_term_days = 59
        other = self.setup_other_company(name="Elsewhere")["company"]
        self.long.company_id = other
        self._run(0)
        self.assertFalse(self.file.offered_term_id, "a term of another company")

    def test_who_decides(self):
        self._run(0)
        for user in (self.collector, self.auditor, self.employee):
            for method in ("action_accept_terms", "action_decline_terms"):
                with self.assertRaises(AccessError):
                    call_kw(self.file.with_user(user), method, [self.file.ids], {})
            with self.assertRaises(AccessError):
                self.file.with_user(user).write({"offered_term_id": self.discount.id})
        with self.assertRaises(AccessError):
            self.mine.write({"offered_term_id": self.discount.id})
        with Form(self.mine) as form:
            self.assertEqual(form.offered_term_id, self.long)
            self.assertEqual(form.payment_term_id, self.month)

    def test_constant_queries(self):
        offers = self.env["ar.credit.offer"]

        def count(day):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            found = offers._find_earned(self.company, self._day(day))
            return self.cr.sql_log_count - before, len(found)

        self._run(0)
        few, found = count(1)
        self.assertEqual(found, 1)
        for index in range(12):
            partner = self._customer(f"Good {index}")
            self._earn(partner)
            self._grade(partner)
        self._run(8)
        many, found = count(9)
        self.assertEqual(found, 13)
        self.assertLessEqual(many, few)
