from datetime import timedelta

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon


class TestCreditFile(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grade = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "TEST",
                    "name": "Test",
                    "limit_rule": "fixed",
                    "limit_amount": 500,
                    "risk_tier": "high",
                }
            )
        )
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)

    def test_figures_are_stored_for_everybody(self):
        self._invoice(self.customer, 100, due=-10)
        self._invoice(self.customer, 40, due=10)
        self._invoice(self.customer, 30, due=5, move_type="out_refund")
        newcomer = self._customer("Newcomer")
        self._invoice(newcomer, 7, due=10)
        self._run(0)
        self.assertRecordValues(
            self.file,
            [
                {
                    "open_amount": 110,
                    "not_due": 40,
                    "overdue_amount": 100,
                    "unallocated": -30,
                    "overdue_count": 1,
                    "days_overdue": 10,
                    "oldest_due": self._day(-10),
                    "exposure": 110,
                }
            ],
        )
        self.assertRecordValues(
            newcomer.credit_file_id,
            [
                {
                    "open_amount": 7,
                    "overdue_amount": 0,
                    "days_overdue": 0,
                    "limit_mode": "grade",
                    "grade_id": self.env["ar.credit.grade"]._get_default_grade(self.company).id,
                }
            ],
        )

    def test_ageing_of_today(self):
        today = (self.company._ar_today() - self.today).days
        for amount, due in ((60, today - 40), (30, today - 200), (10, today)):
            self._invoice(self.customer, amount, due=due)
        self.assertEqual(
            [(label, share) for label, _amount, share in self.file.ageing],
            [
                ("Not due", 0.1),
                ("1-30", 0),
                ("31-60", 0.6),
                ("61-90", 0),
                ("91-180", 0),
                ("> 180", 0.3),
            ],
        )

    def test_monthly_sales_since_the_first(self):
        """Months of 31 days since the first sale of the year, begun ones whole."""
        position = self.env["ar.position"]
        for days, months in (
            ((0,), 1),
            ((30, 10), 1),
            ((31, 0), 2),
            ((60, 30), 2),
            ((61, 31), 2),
            ((62, 31), 3),
            ((300, 20), 10),
            ((364, 100), 12),
            # Of a customer who is older than the year, what the year saw.
            ((400, 61, 31), 2),
        ):
            customer = self._customer(f"Since {days[0]}")
            for day in days:
                self._invoice(customer, 10_000, due=30, date_=self._day(-day))
            # A credit note is no first sale.
            self._invoice(customer, 1, due=0, date_=self._day(-350), move_type="out_refund")
            sold = 10_000 * sum(day < 365 for day in days) - 1
            found = position._behaviour(self.company, self.today, customer)
            with self.subTest(days=days):
                self.assertAlmostEqual(
                    found[self.company.id, customer.id].avg_monthly_sales, sold / months, 2
                )

    def test_limit_by_term_and_delay(self):
        """(term + usual delay) / 30 x average monthly sales: what is open when all is as usual."""
        late = self._invoice(self.customer, 3000, due=-40, date_=self._day(-60))
        self._pay(late, day=-30)
        self._invoice(self.customer, 1000, due=30, date_=self._day(-30))
        self._invoice(self.customer, 1000, due=0, date_=self._day(-10), move_type="out_refund")
        found = self.env["ar.position"]._behaviour(self.company, self.today, self.customer)
        figures = found[self.company.id, self.customer.id]
        self.assertEqual(figures.avg_term_days, 30, "20 days of 3,000 and 60 days of 1,000")
        self.file.grade_id = self.grade
        self.grade.write({"limit_rule": "term", "limit_cap": 0})
        self._run(0)
        self.assertRecordValues(
            self.file,
            [{"avg_term_days": 30, "avg_days_late": 10, "effective_limit": 2000}],
        )
        facts = self.env["ar.credit.facts"]._gather_facts(
            {(self.company.id, self.customer.id)}, self.today
        )
        self.assertEqual(facts[self.company.id, self.customer.id].limit, 2000)

    def test_payment_behaviour(self):
        late = self._invoice(self.customer, 300, due=-40)
        early = self._invoice(self.customer, 100, due=-30)
        self._pay(late, day=-20)
        self._pay(early, day=-35)
        self._invoice(self.customer, 200, due=10)
        self._invoice(self.customer, 900, due=10, post=False)
        behaviour = self.env["ar.position"]._behaviour(self.company, self.today, self.customer)
        found = behaviour[self.company.id, self.customer.id]
        self.assertEqual(found.avg_days_late, 15, "20 days on 300 of 400")
        self.assertEqual((found.on_time_share, found.late_count, found.max_days_late), (0.5, 1, 20))
        self.assertEqual(found.avg_monthly_sales, 200, "in the third month since the first sale")
        self.assertEqual(found.last_payment_date, self._day(-20))
        self._run(0)
        self.assertRecordValues(
            self.file,
            [
                {
                    "avg_days_late": 15,
                    "late_count": 1,
                    "avg_monthly_sales": 200,
                }
            ],
        )
        self.assertFalse(
            self.env["ar.position"]
            ._behaviour(self.company, self._day(-100), self.customer)
            .get((self.company.id, self.customer.id), False)
        )

    def test_payment_behaviour_is_looked_at_once_a_week(self):
        self._run(0)
        self._pay(self._invoice(self.customer, 100, due=-10), day=-5)
        self._run(6)
        self.assertEqual(self.file.late_count, 0)
        self._run(7)
        self.assertEqual(self.file.late_count, 1)

    def test_limit_modes(self):
        file, grade = self.file, self.grade
        self.assertFalse(file.is_limited)
        file.grade_id = grade
        self.assertRecordValues(
            file,
            [
                {
                    "is_limited": True,
                    "effective_limit": 500,
                    "risk_tier": "high",
                }
            ],
        )
        grade.limit_amount = 600
        self.assertEqual(file.effective_limit, 600)
        grade.write({"limit_rule": "months", "limit_months": 2, "limit_cap": 90})
        self._invoice(self.customer, 480, due=10, date_=self._day(-364))
        self._run(0)
        self.assertEqual(file.effective_limit, 80, "two months of 40")
        grade.limit_cap = 70
        self.assertEqual(file.effective_limit, 70)
        file.write({"limit_mode": "custom", "custom_limit": 0})
        self.assertRecordValues(
            file,
            [
                {
                    "is_limited": True,
                    "effective_limit": 0,
                    "limit_use": 1,
                }
            ],
        )
        file.sudo().limit_mode = "unlimited"
        self.assertRecordValues(file, [{"is_limited": False, "limit_use": 0}])

    def test_temporary_limit_ends(self):
        self.file.write({"limit_mode": "custom", "custom_limit": 10})
        with self.assertRaises(ValidationError):
            self.file.temporary_limit = 50
        self.file.sudo().write({"temporary_limit": 50, "temporary_limit_end": self._day(2)})
        self.assertEqual(self.file.effective_limit, 50)
        self._run(2)
        self.assertEqual(self.file.effective_limit, 50, "its last day")
        self._run(3)
        self.assertRecordValues(self.file, [{"effective_limit": 10, "temporary_limit_end": False}])

    def test_limit_use(self):
        self.file.write({"limit_mode": "custom", "custom_limit": 200})
        self._invoice(self.customer, 150, due=10)
        self._run(0)
        self.assertEqual(self.file.limit_use, 0.75)
        self.file.sudo().custom_limit = 300
        self.assertEqual(self.file.limit_use, 0.5)

    def test_odoo_agrees_with_the_file(self):
        partner = self.customer
        self.file.write({"limit_mode": "custom", "custom_limit": 250})
        self.assertEqual(partner.credit_limit, 250)
        self.assertEqual(partner.with_company(self.branch).credit_limit, 250)
        self.file.custom_limit = 0
        self.assertEqual(partner.credit_limit, self.company.currency_id.rounding)
        self.file.sudo().limit_mode = "unlimited"
        self.assertEqual(partner.credit_limit, 0)
        partner.credit_limit = 70
        self.assertRecordValues(self.file, [{"limit_mode": "custom", "custom_limit": 70}])
        partner.with_context(ar_limit_source="forged").credit_limit = 60
        self.assertEqual(self.file.custom_limit, 60, "a context from outside lifts nothing")

    def test_limits_in_use_before_the_addon(self):
        known, unknown = self._customer("Known"), self._customer("Unknown")
        self.env.cr.execute(
            "UPDATE res_partner SET credit_limit = %s::jsonb WHERE id = %s",
            [f'{{"{self.company.id}": 90.0}}', known.id],
        )
        known.invalidate_recordset()
        for partner in (known, unknown):
            self._invoice(partner, 30, due=5)
        self._run(0)
        self.assertRecordValues(
            known.credit_file_id,
            [
                {
                    "limit_mode": "custom",
                    "custom_limit": 90,
                    "effective_limit": 90,
                    "limit_use": 1 / 3,
                }
            ],
        )
        self.assertRecordValues(
            unknown.credit_file_id,
            [
                {
                    "limit_mode": "grade",
                    "is_limited": False,
                }
            ],
        )

    def test_company_default_limit(self):
        self.company.account_use_credit_limit = True
        self.env["ir.default"].set(
            "res.partner", "credit_limit", 1000.0, company_id=self.company.id
        )
        customer = self._customer("Default")
        file = self.env["ar.credit.file"]._get_file(customer, self.company, create=True)
        self.assertRecordValues(file, [{"is_limited": True, "effective_limit": 1000}])
        file.sudo().limit_mode = "unlimited"
        self.assertEqual(customer.credit_limit, 0)

    def test_partner_shows_and_searches(self):
        contact = self.env["res.partner"].create({"name": "Desk", "parent_id": self.customer.id})
        stranger = self._customer("Stranger")
        contact.credit_grade_id = self.grade
        self.assertEqual(self.file.grade_id, self.grade)
        self._invoice(self.customer, 100, due=-10)
        self._run(0)
        self.file.sudo()._set_hold("test", self.today)
        self.assertRecordValues(
            contact,
            [
                {
                    "credit_grade_id": self.grade.id,
                    "credit_hold": True,
                    "credit_hold_reason": "test",
                    "risk_tier": "high",
                    "amount_overdue": 100,
                    "days_overdue": 10,
                    "credit_file_id": self.file.id,
                }
            ],
        )
        family = self.customer | contact
        scope = [("id", "in", (family | stranger).ids)]
        for domain, found in (
            ([("credit_hold", "=", True)], family),
            ([("credit_hold", "=", False)], stranger),
            ([("credit_hold", "!=", True)], stranger),
            ([("amount_overdue", ">", 0)], family),
            ([("amount_overdue", "=", 0)], stranger),
            ([("amount_overdue", "<", 50)], stranger),
            ([("days_overdue", ">=", 10)], family),
            ([("credit_grade_id", "=", self.grade.id)], family),
            ([("credit_grade_id", "=", False)], stranger),
            ([("credit_grade_id", "!=", False)], family),
            ([("credit_grade_id.code", "=", "TEST")], family),
            ([("risk_tier", "in", ["high", "low"])], family),
            ([("credit_file_id", "=", False)], stranger),
        ):
            self.assertEqual(self.env["res.partner"].search(scope + domain), found, domain)

    def test_what_nobody_may_read_is_not_guessed_by_searching(self):
        contact = self.env["res.partner"].create({"name": "Desk", "parent_id": self.customer.id})
        employee = new_test_user(self.env, "file_employee", "base.group_user")
        portal = new_test_user(self.env, "file_portal", "base.group_portal", partner_id=contact.id)
        every = {"credit_grade_id", "credit_hold", "credit_score", "risk_tier"}
        collection = {"credit_file_id", "amount_overdue", "days_overdue"}
        for user, refused in ((employee, collection), (portal, collection | every)):
            partners = self.env["res.partner"].with_user(user)
            for name in collection | every:
                with self.subTest(user=user.login, field=name):
                    if name in refused:
                        with self.assertRaises(AccessError):
                            partners.search([(name, "!=", False)])
                    else:
                        partners.search([(name, "!=", False)])

    def test_company_decides_which_file_is_shown(self):
        other = self.setup_other_company(name="Other company")["company"]
        self.customer.credit_grade_id = self.grade
        self.assertFalse(self.customer.with_company(other).credit_grade_id)
        self.assertEqual(self.customer.with_company(self.branch).credit_grade_id, self.grade)

    def test_file_belongs_to_customer_and_root(self):
        contact = self.env["res.partner"].create({"name": "Desk", "parent_id": self.customer.id})
        files = self.env["ar.credit.file"]
        self.assertEqual(files._get_file(contact, self.branch), self.file)
        with self.assertRaises(ValidationError):
            files.create({"partner_id": contact.id, "company_id": self.company.id})
        with self.assertRaises(ValidationError):
            files.create({"partner_id": self._customer("X").id, "company_id": self.branch.id})
        other = self.setup_other_company(name="Other company")["company"]
        theirs = files.sudo()._get_file(self.customer, other, create=True)
        self.assertEqual(theirs.company_id, other)
        self.assertEqual(files.sudo()._get_file(self.customer, self.company), self.file)

    def test_invoice_banner_is_of_its_own_company(self):
        self.file.write({"limit_mode": "custom", "custom_limit": 120})
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        draft = self._invoice(self.customer, 30, due=30, post=False)
        alert = draft._get_alerts()["ar_credit"]
        self.assertEqual(alert["level"], "warning")
        self.assertIn(
            "100.00 overdue, the oldest since 20 days", alert["message"].replace("\xa0", " ")
        )
        self.assertIn("130.00", alert["message"])
        other = self.setup_other_company(name="Other company")["company"]
        self.assertEqual(
            draft.with_company(other)._get_alerts()["ar_credit"]["message"],
            alert["message"],
            "whatever company is active",
        )
        self.file.sudo()._set_hold("fraud", self.today)
        draft.invalidate_recordset()
        alert = draft._get_alerts()["ar_credit"]
        self.assertEqual(alert["level"], "danger")
        self.assertIn("fraud", alert["message"])
        self.assertNotIn("account_partner_credit_warning", draft._get_alerts())

    def test_open_items_are_of_the_company_and_its_branches(self):
        here = self._invoice(self.customer, 10, due=30)
        branch = self._invoice(self.customer, 20, due=30, company=self.branch)
        self._pay(self._invoice(self.customer, 40, due=30))
        items = self.env["account.move.line"].sudo()
        found = items.search(self.file.action_open_items()["domain"])
        self.assertEqual(found.move_id, here | branch)
        other = self.setup_other_company(name="Other company")["company"]
        theirs = (
            self.env["ar.credit.file"]
            .with_company(other)
            ._get_file(self.customer, other, create=True)
        )
        self.assertNotEqual(theirs, self.file)
        self.assertFalse(items.search(theirs.action_open_items()["domain"]))

    def test_hold_by_hand(self):
        self.file.write({"hold": True, "hold_reason": "Cheque came back"})
        self.assertRecordValues(
            self.file,
            [{"hold_date": self.company._ar_today(), "hold_user_id": self.env.uid}],
        )
        action = self.file.sudo().action_release_hold()
        self.env["ar.credit.hold"].sudo().with_context(**action["context"]).create(
            {"reason": "The bank was wrong"}
        ).action_release()
        self.assertRecordValues(self.file, [{"hold": False, "hold_reason": False}])
        action = self.file.action_hold()
        self.env["ar.credit.hold"].with_context(**action["context"]).create(
            {"reason": "Moved without telling"}
        ).action_hold()
        self.assertRecordValues(
            self.file,
            [{"hold": True, "hold_reason": "Moved without telling", "hold_cause": "manual"}],
        )

    def test_grade_on_the_partner_form(self):
        with Form(self.customer) as form:
            form.credit_grade_id = self.grade
        self.assertEqual(self.file.grade_id, self.grade)

    def test_policy_follows_the_grade(self):
        strict = self.policy.copy({"name": "Strict", "risk_tier": "high"})
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertEqual(self._case().policy_id, self.policy)
        self.file.grade_id = self.grade
        self.assertEqual(self._case().policy_id, strict)
        own = self.policy.copy({"name": "Own"})
        self.file.policy_id = own
        self.assertEqual(self._case().policy_id, own)

    def test_buckets_are_a_setting(self):
        self.company.ar_ageing_days = "10,20"
        self._invoice(self.customer, 1, due=0)
        figures = self.env["ar.position"]._figures
        for days, index in ((0, 0), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3)):
            found = figures(self.company, self.today + timedelta(days=days), self.customer)
            buckets = found[self.company.id, self.customer.id].buckets
            self.assertEqual(buckets, [float(index == each) for each in range(4)])
        self.assertEqual(self.company._ar_bucket_labels()[1:], ["1-10", "11-20", "> 20"])
        for wrong in ("", "a", "30,20", "0,30", "30,30"):
            with self.assertRaises(ValidationError):
                self.company.ar_ageing_days = wrong
        self.company.ar_ageing_days = "1,30"
        self.assertEqual(self.company._ar_bucket_edges(), [1, 30])
