"""What a grade does by itself while the risk of its customer is high."""

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form
from odoo.tools import mute_logger

from .test_credit_review import ReviewCommon


class TestRiskRule(ReviewCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fair.write(
            {
                "risk_tier": "low",
                "on_limit": "block",
                "on_overdue": "allow",
                "on_hold": "allow",
                "on_promise": "allow",
                "on_expired": "allow",
                "hold_by_rule": False,
            }
        )
        cls.file.sudo().grade_id = cls.fair
        cls.mine = cls.file.with_user(cls.manager)

    def _risky(self, partner=None, company=None):
        """The customer owes 100 since 200 days, and the run of the day has seen it."""
        invoice = self._invoice(partner or self.customer, 100, due=-200, company=company)
        self._run(0, company=company)
        return invoice

    def _notes(self, file=None):
        bodies = (file or self.file).message_ids.sorted("id").mapped("body")
        return [body for body in bodies if "risk" in body]

    def _codes(self, amount=1, file=None):
        file = file or self.file
        decision = self.env["ar.credit.control"]._decide(
            file.partner_id, file.company_id, amount, self.company._ar_today()
        )
        return decision.action, [code for code, _text in decision.reasons]

    def test_nothing_by_default(self):
        self._risky()
        self.assertEqual((self.file.risk_tier, self.file.effective_limit), ("high", 1000))
        self.assertFalse(self.file.risk_text)
        self.assertFalse(self._notes())
        self.assertEqual(self._codes(), ("allow", []))

    def test_limit_is_cut_and_given_back(self):
        self.fair.risk_limit_share = 0.5
        self.assertEqual(self.file.effective_limit, 1000)
        invoice = self._risky()
        self.assertEqual(self.file.effective_limit, 500)
        self.assertEqual(self.customer.credit_limit, 500, "Odoo knows it as well")
        self.assertEqual(self.file.risk_text, "Limit cut to 50 % while the risk is high")
        self.assertEqual(self.file.history_ids[0].effective_limit, 500)
        self.assertEqual(self._codes(400), ("allow", []))
        self.assertEqual(self._codes(401), ("block", ["limit"]))
        draft = self._invoice(self.customer, 401, due=30, post=False)
        with self.assertRaisesRegex(UserError, "500.00"):
            draft.action_post()
        self._pay(invoice)
        # The signals are gone; the warning stays for its calm days.
        self._run(1)
        self._run(14)
        self.assertEqual((self.file.risk_tier, self.file.effective_limit), ("high", 500))
        self._run(15)
        self.assertEqual((self.file.risk_tier, self.file.effective_limit), ("low", 1000))
        self.assertEqual(self.customer.credit_limit, 1000)
        self.assertFalse(self.file.risk_text)
        self._run(16)
        first, last = self._notes()
        self.assertIn("Limit cut to 50", first)
        self.assertIn("does not cut the limit or stop orders any more", last)
        self.assertFalse(self.file.raised_alone_date, "nobody has raised anything")
        draft.action_post()
        self.assertEqual(draft.state, "posted")

    def test_what_is_cut(self):
        """A limit that somebody agreed is cut as well, cover and no limit are not."""
        self.fair.risk_limit_share = 0.2
        self._risky()
        file = self.file.sudo()
        file.write({"limit_mode": "custom", "custom_limit": 5000})
        self.assertEqual((file.effective_limit, file.custom_limit), (1000, 5000))
        file.write({"temporary_limit": 8000, "temporary_limit_end": self._day(3)})
        self.assertEqual(file.effective_limit, 1600)
        self.env["ar.credit.cover"].sudo().create(
            {"file_id": file.id, "amount": 600, "date_from": self.today}
        )
        self.assertEqual(file.effective_limit, 2200)
        self.assertEqual(self._codes(2100), ("allow", []))
        self.assertEqual(self._codes(2101), ("block", ["limit"]))
        file.write({"temporary_limit": 0, "temporary_limit_end": False, "limit_mode": "unlimited"})
        self.assertFalse(file.is_limited)
        self.assertEqual(self._codes(10**6), ("allow", []))
        self.fair.risk_limit_share = 0
        file.limit_mode = "grade"
        self.assertEqual((file.is_limited, file.effective_limit), (True, 600))

    def test_approval_of_orders(self):
        self.fair.on_risk = "approve"
        invoice = self._risky()
        self.assertEqual(self.file.effective_limit, 1000)
        self.assertEqual(self._codes(), ("approve", ["risk"]))
        self.assertIn("need approval while the risk is high", self.file.risk_text)
        draft = self._invoice(self.customer, 10, due=30, post=False)
        with self.assertRaisesRegex(UserError, "The risk of the customer is high"):
            draft.action_post()
        self._pay(invoice)
        self._run(1)
        self._run(15)
        self.assertEqual(self._codes(), ("allow", []))
        draft.action_post()
        self.assertEqual(len(self._notes()), 2)

    def test_from_medium(self):
        self.fair.write({"risk_from": "medium", "risk_limit_share": 0.5})
        self.assertEqual(self.file.effective_limit, 1000)
        self.file.sudo().broken_promises = 2
        self.env["ar.credit.warning"]._refresh_warnings(self.company, self.today)
        self.assertEqual((self.file.risk_tier, self.file.effective_limit), ("medium", 500))
        self.fair.risk_from = "high"
        self.assertEqual(self.file.effective_limit, 1000)
        self.assertEqual(len(self._notes()), 2, "who changes the rule is told of in the file, too")
        # Another grade, another rule.
        self.poor.write(
            {"risk_tier": "high", "limit_amount": 300, "risk_limit_share": 0.1, "on_risk": "block"}
        )
        self.file.sudo().grade_id = self.poor
        self.assertEqual(self.file.effective_limit, 30)
        self.assertEqual(
            self.file.risk_text,
            "Limit cut to 10 % while the risk is high; "
            "Orders and invoices are blocked while the risk is high",
        )
        self.assertEqual(self._codes(), ("block", ["risk"]))

    def test_what_was_agreed_is_what_is_raised(self):
        """The cut makes nothing smaller that somebody agrees now."""
        self.env["ar.credit.tolerance"].sudo().search([]).unlink()
        self.fair.risk_limit_share = 0.5
        self._risky()
        self.mine.write({"limit_mode": "custom", "custom_limit": 900})
        self.assertEqual(self.file.effective_limit, 450, "less is no raise")
        with (
            self.assertRaisesRegex(UserError, "1,000.00 instead of.*900.00"),
            self.env.cr.savepoint(),
        ):
            self.mine.write({"custom_limit": 1000, "limit_reason": "x"})
        # A grade of the same risk that does not cut would give it back.
        self.env.invalidate_all(flush=False)
        softer = self.fair.copy({"code": "SOFT", "risk_limit_share": 1, "sequence": 99})
        with (
            self.assertRaisesRegex(UserError, "900.00 instead of.*450.00"),
            self.env.cr.savepoint(),
        ):
            self.mine.write({"grade_id": softer.id, "limit_reason": "x"})
        self.env.invalidate_all(flush=False)
        review = self._review()
        self.assertEqual(review.current_limit, 900, "what is agreed, not what is left of it")
        review.write({"grade_id": self.fair.id, "limit_mode": "custom", "limit_amount": 900})
        self.env["ar.credit.authority"]._check_reason(review)

    def test_companies(self):
        """A risk in one company leaves the limit of another one alone, and so does a grade."""
        other = self.setup_other_company(name="Other company")["company"]
        self.fair.risk_limit_share = 0.5
        file = self.env["ar.credit.file"]._get_file(self.customer, other, create=True)
        file.sudo().grade_id = self.fair
        self._risky()
        self._run(0, company=other)
        self.assertEqual((self.file.effective_limit, file.effective_limit), (500, 1000))
        own = self.fair.copy(
            {"code": "OWN", "company_id": other.id, "risk_limit_share": 0.1, "risk_from": "high"}
        )
        file.sudo().grade_id = own
        self.assertEqual((self.file.effective_limit, file.effective_limit), (500, 1000))
        self.assertFalse(self._notes(file))

    def test_new_customers(self):
        """A grade for new customers may be one that cuts, whatever limit Odoo has for them."""
        default = self.env["ar.credit.grade"]._get_default_grade(self.company)
        default.write({"risk_from": "medium", "risk_limit_share": 0.5, "risk_tier": "medium"})
        known, new = self._customer("Known"), self._customer("New")
        known._write_credit_limit(700)
        self.company.account_use_credit_limit = True
        self._invoice(known, 10, due=30)
        self._invoice(new, 10, due=30)
        self._run(0)
        files = self.env["ar.credit.file"]
        self.assertEqual(files._get_file(known, self.company).effective_limit, 350)
        self.assertEqual(known.credit_limit, 350)
        self.assertFalse(files._get_file(new, self.company).is_limited)

    def test_who_sets_the_rule(self):
        for user in (self.collector, self.auditor, self.employee):
            with self.assertRaises(AccessError):
                call_kw(
                    self.env["ar.credit.grade"].with_user(user),
                    "write",
                    [self.fair.ids, {"risk_limit_share": 0.1}],
                    {},
                )
        with Form(self.fair.with_user(self.manager)) as form:
            form.risk_from = "medium"
            form.on_risk = "approve"
            form.risk_limit_share = 0.25
        self.assertEqual(self.fair.risk_limit_share, 0.25)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.fair.risk_limit_share = 1.01
            self.env.flush_all()

    def test_queries_do_not_grow(self):
        self.fair.risk_limit_share = 0.5

        def judged(count, name):
            partners = self.env["res.partner"].create(
                [{"name": f"{name} {index}", "is_company": True} for index in range(count)]
            )
            files = self.env["ar.credit.file"].create(
                [{"partner_id": partner.id, "company_id": self.company.id} for partner in partners]
            )
            files.sudo().grade_id = self.fair
            self.env["ar.credit.warning"]._refresh_warnings(self.company, self.today)
            self.env.flush_all()
            files.sudo().write({"broken_promises": 2})
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env["ar.credit.warning"]._refresh_warnings(self.company, self.today)
            self.env.flush_all()
            return self.cr.sql_log_count - before, files

        self.fair.risk_from = "medium"
        few, _files = judged(5, "Few")
        many, files = judged(30, "Many")
        self.assertEqual(set(files.mapped("effective_limit")), {500})
        # Odoo writes its own limit and a note for each customer who is cut.
        self.assertLess(many - few, 25 * 12)
