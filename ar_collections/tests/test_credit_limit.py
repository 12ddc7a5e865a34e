from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo.exceptions import UserError

from ..models.common.res_company import Clock
from .test_credit_review import ReviewCommon


class TestEffectiveLimit(ReviewCommon):
    """What caps a limit, when it begins, and in which currency it was agreed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file.sudo().grade_id = cls.fair

    def _limits(self, file=None):
        """The limit as the file has it, as Odoo has it, and as the control sees it today."""
        file = file or self.file
        self.env.flush_all()
        key = (file.company_id.id, file.partner_id.id)
        facts = self.env["ar.credit.facts"]._gather_facts({key}, self.company._ar_today())[key]
        self.assertEqual(facts.limit, file.effective_limit if file.is_limited else None)
        self.assertEqual(file.partner_id.credit_limit, file.effective_limit or 0.01)
        return file.effective_limit

    def _proposal(self):
        review = self._review()
        review.grade_id = self.fair
        return review

    def test_share_of_the_equity(self):
        statements = self.env["ar.credit.statement"].with_user(self.collector)
        self.fair.equity_share = 0.1
        self.assertEqual(self._limits(), 1000, "nobody knows the equity")
        euro = self.setup_other_currency("EUR", rates=[("2025-01-01", 2.0)])
        statement = statements.create(
            {
                "file_id": self.file.id,
                "year": 2029,
                "currency_id": euro.id,
                "total_assets": 30_000,
                "total_liabilities": 18_000,
            }
        )
        self.assertEqual(self.file.equity, 6000, "two euros a dollar")
        self.assertEqual(self._limits(), 600)
        self.assertEqual(self.file.history_ids[:1].reason, "Financial statement 2029")
        review = self._proposal()
        self.assertEqual((review.proposed_limit, review.equity), (600, 6000))
        self.assertIn("10 % of the equity", review.limit_explanation)
        statement.total_liabilities = 31_000
        self.assertEqual(self._limits(), 0, "negative equity carries nothing")
        self.assertEqual(review.proposed_limit, 600, "until somebody refreshes the figures")
        review.action_refresh()
        review.grade_id = self.fair
        self.assertEqual(review.proposed_limit, 0)
        self.file.sudo().write({"limit_mode": "custom", "custom_limit": 777})
        self.assertEqual(self._limits(), 777, "what two people agreed is not capped")
        self.file.sudo().limit_mode = "grade"
        statement.with_user(self.manager).unlink()
        self.assertEqual(self._limits(), 1000)

    def test_share_of_the_cover(self):
        self.fair.cover_share = 0.5
        self.assertEqual(self._limits(), 0, "no risk of our own without cover")
        self.env["ar.credit.cover"].sudo().create(
            {"file_id": self.file.id, "amount": 600, "date_from": self.today}
        )
        self.assertEqual(self._limits(), 900, "600 covered, and half as much at our own risk")
        review = self._proposal()
        self.assertEqual(review.proposed_limit, 300)
        self.assertIn("50 % of the cover", review.limit_explanation)

    def test_a_cap_is_a_limit_for_a_grade_without_one(self):
        self.fair.write({"limit_rule": "none", "cover_share": 0.5})
        self.assertEqual(self._limits(), 0)

    def test_young_customers(self):
        self.fair.write({"young_months": 6, "young_limit": 200})
        self.assertEqual(self._limits(), 200, "never invoiced")
        self._invoice(self.customer, 10, due=0, date_=self._day(-150))
        self._invoice(self.customer, 10, due=0, date_=self._day(-20))
        self._run(0)
        self.assertEqual(self.file.customer_since, self._day(-150))
        self.assertEqual(self._limits(), 200)
        review = self._proposal()
        self.assertEqual(review.proposed_limit, 200)
        self.assertIn("customer for less than 6 months", review.limit_explanation)
        review.action_cancel()
        day = self.file.customer_since + relativedelta(months=6)
        for date_, limit in ((day - timedelta(days=1), 200), (day, 1000)):
            with self.subTest(date=date_):
                self._run((date_ - self.today).days)
                self.assertEqual(self.file.effective_limit, limit)
                self.assertEqual(self.file.partner_id.credit_limit, limit)
        # Whoever says that the customer is an old one gives more credit.
        other = self.env["ar.credit.file"]._get_file(self._customer("Old"), self.company, True)
        other.sudo().grade_id = self.fair
        self.assertEqual(self._limits(other), 200)
        with self.assertRaisesRegex(UserError, "submit a review"):
            other.with_user(self.manager).write(
                {"customer_since": date(2001, 1, 1), "limit_reason": "x"}
            )
        other.sudo().customer_since = date(2001, 1, 1)
        self.assertEqual(self._limits(other), 1000)

    def test_currency_of_the_customer(self):
        euro = self.setup_other_currency("EUR", rates=[("2025-01-01", 2.0)])
        review = self._review()
        review.write(
            {
                "limit_mode": "custom",
                "limit_currency_id": euro.id,
                "limit_in_currency": 5000,
                "grade_id": self.fair.id,
                "reason_note": "Orders in euros",
            }
        )
        self.assertEqual(review.limit_amount, 2500)
        self.assertIn("5,000.00", review.limit_explanation)
        review.action_submit()
        review.with_user(self.manager).action_approve()
        self.assertRecordValues(
            self.file, [{"limit_in_currency": 5000, "limit_currency_id": euro.id}]
        )
        self.assertEqual(self._limits(), 2500)
        again = self._review()
        self.assertRecordValues(again, [{"limit_in_currency": 5000, "limit_amount": 2500}])
        self.env["res.currency.rate"].create(
            {
                "name": self._day(1),
                "rate": 4,
                "currency_id": euro.id,
                "company_id": self.company.id,
            }
        )
        tomorrow = self.env(context={**self.env.context, "ar_clock": Clock(self._day(1))})
        company = self.company.with_env(tomorrow)
        tomorrow["ar.credit.refresh"]._refresh_limits(company, self._day(1))
        self.assertEqual(self._limits(), 1250)
        self.assertEqual(self.file.history_ids[:1].reason, "Exchange rate")
        manager = self.file.with_user(self.manager)
        with self.assertRaisesRegex(UserError, "submit a review"):
            manager.write({"limit_in_currency": 9000, "limit_reason": "x"})
        manager.write({"custom_limit": 100})
        self.assertRecordValues(self.file, [{"effective_limit": 100, "limit_currency_id": False}])

    def test_effective_from_a_date(self):
        review = self._submitted_from(10, self.good, "Audited figures")
        review.action_approve()
        self.assertRecordValues(review, [{"state": "approved", "applied_date": False}])
        self.assertEqual((self.file.grade_id, self._limits()), (self.fair, 1000))
        for day, grade in ((9, self.fair), (10, self.good)):
            self._run(day)
            self.assertEqual(self.file.grade_id, grade)
        self.assertEqual(review.applied_date, self._day(10))
        with self.assertRaisesRegex(UserError, "not possible"):
            review.action_cancel()

    def test_what_is_decided_later_stands(self):
        first = self._submitted_from(10, self.good, "Audited figures")
        first.action_approve()
        second = self._submitted_from(False, self.poor, "The plant burnt down")
        second.action_approve()
        self.assertEqual(first.state, "cancelled")
        self._run(10)
        self.assertEqual(self.file.grade_id, self.poor)
        third = self._submitted_from(20, self.fair, "Insurance paid")
        third.action_approve()
        third.action_cancel()
        self._run(20)
        self.assertEqual(self.file.grade_id, self.poor)

    def test_what_somebody_decides_by_hand_since_stands(self):
        """Approved on day 0 for day 10: grade 1. On day 5 a manager hears of the fire."""
        review = self._submitted_from(10, self.good, "Audited figures")
        review.action_approve()
        file = self.file.with_user(self.manager)
        file.write({"collector_id": self.collector.id})
        self.assertEqual(review.state, "approved", "no decision on credit")
        file.write({"grade_id": self.poor.id})
        self.assertEqual(review.state, "cancelled")
        self.assertIn("decided something else since", review.message_ids[0].body)
        self._run(10)
        self.assertEqual((self.file.grade_id, self._limits()), (self.poor, 0))

    def test_a_hold_that_was_set_since_stays(self):
        self.file.sudo().write({"hold": True, "hold_reason": "A cheque"})
        review = self._review()
        review._ask_for(
            {
                "grade_id": self.fair.id,
                "limit_mode": "grade",
                "more": {"hold": False},
                "reason": "The cheque was paid",
            }
        )
        review.date_from = self._day(10)
        review.action_submit()
        review.with_user(self.manager).action_approve()
        # Set anew on day 3, by the insolvency of the customer.
        self.file.sudo()._lift_hold()
        self.file.sudo()._set_hold("Insolvent", self._day(3))
        self._run(10)
        self.assertTrue(review.applied_date)
        self.assertRecordValues(self.file, [{"hold": True, "hold_reason": "Insolvent"}])

    def _submitted_from(self, day, grade, why):
        review = self._review()
        review.write({"grade_id": grade.id, "limit_mode": "grade", "reason_note": why})
        review.date_from = day and self._day(day)
        review.action_submit()
        return review.with_user(self.manager)
