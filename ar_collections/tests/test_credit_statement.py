import base64
from datetime import date

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form
from odoo.tools import mute_logger

from .test_credit_review import ReviewCommon

FIGURES = {
    "inventories": 20,
    "current_assets": 120,
    "total_assets": 200,
    "current_liabilities": 80,
    "total_liabilities": 150,
    "revenue": 400,
    "operating_profit": 30,
    "interest": 0,
    "net_profit": -8,
}


class TestStatement(ReviewCommon):
    """What records of their own say about a customer, and the scorecard takes from them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ratio.ratio = "current_ratio"

    def _statement(self, year, file=None, **figures):
        return (
            self.env["ar.credit.statement"]
            .with_user(self.collector)
            .create({"file_id": (file or self.file).id, "year": year, **figures})
        )

    def test_ratios_and_the_year_before(self):
        self._statement(2027, revenue=999)
        self._statement(2028, revenue=320, net_profit=-5, total_assets=100, total_liabilities=60)
        statement = self._statement(2029, **FIGURES)
        self.assertEqual(statement.date_end, date(2029, 12, 31))
        self.assertRecordValues(
            statement,
            [
                {
                    "equity": 50,
                    "current_ratio": 1.5,
                    "quick_ratio": 1.25,
                    "debt_ratio": 75,
                    "profit_margin": -2,
                    "return_on_equity": -16,
                    "interest_cover": False,
                    "equity_growth": 25,
                    # A loss is no base to grow from.
                    "profit_growth": False,
                }
            ],
        )
        self.assertAlmostEqual(statement.revenue_growth, 25)
        statement.write({"current_liabilities": 0, "total_liabilities": 230})
        self.assertRecordValues(
            statement, [{"current_ratio": False, "equity": -30, "return_on_equity": False}]
        )
        statement.write({"total_liabilities": False, "inventories": False})
        self.assertRecordValues(statement, [{"equity": False, "debt_ratio": False}])

    def test_form(self):
        statements = self.env["ar.credit.statement"].with_user(self.collector)
        with Form(statements.with_context(default_file_id=self.file.id)) as form:
            form.year = 2029
            form.current_assets = 30
            form.current_liabilities = 20
            self.assertEqual(form.current_ratio, 1.5)
            form.date_end = date(2029, 6, 30)
        self.assertEqual(form.record.date_end, date(2029, 6, 30))

    def test_bad_input(self):
        statement = self._statement(2029, **FIGURES)
        for values, error in (
            ({"year": 20}, IntegrityError),
            ({"revenue": -1}, IntegrityError),
            ({"inventories": 121}, ValidationError),
            ({"current_liabilities": 151}, ValidationError),
            ({"equity": 9}, AccessError),
            ({"current_ratio": 9}, AccessError),
        ):
            with self.subTest(values=values), mute_logger("odoo.sql_db"):
                self._refused(lambda values=values: statement.write(values), error)
        with mute_logger("odoo.sql_db"):
            self._refused(lambda: self._statement(2029), IntegrityError)
        self._refused(statement.with_user(self.auditor).unlink)
        self._refused(lambda: statement.with_user(self.auditor).write({"note": "x"}))
        self._refused(statement.with_user(self.employee).read)

    def test_papers_belong_to_the_statement(self):
        paper = (
            self.env["ir.attachment"]
            .with_user(self.collector)
            .create({"name": "2029.pdf", "datas": base64.b64encode(b"%PDF")})
        )
        statement = self._statement(2029, attachment_ids=[Command.link(paper.id)])
        self.assertEqual((paper.res_model, paper.res_id), (statement._name, statement.id))
        self.assertEqual(paper.with_user(self.auditor).raw, b"%PDF")

    def test_scorecard_takes_the_latest_ratio(self):
        self._statement(2027, current_assets=10, current_liabilities=40)
        self._statement(2028, current_assets=30, current_liabilities=20)
        # Of the future, as seen from that day.
        self._statement(2030, current_assets=90, current_liabilities=20)
        review = self._review()
        line = self._line(review, self.ratio)
        self.assertRecordValues(
            line,
            [{"value": 1.5, "points": 60, "origin": "statement", "value_date": date(2028, 12, 31)}],
        )
        self.assertIn("Financial statement 2028", line.source)
        line.value = 3
        review.action_refresh()
        self.assertEqual(line.value, 3, "what somebody entered here stays")
        review.reason_note, review.grade_id = "x", self.fair
        review.action_submit()
        review.with_user(self.manager).action_approve()
        again = self._review()
        self.assertEqual(self._line(again, self.ratio).value, 1.5, "the record comes first")
        self.ratio.valid_months = 12
        again.action_refresh()
        self.assertEqual(self._line(again, self.ratio).value, 3, "the statement is too old")

    def test_merged_customers_keep_their_statements(self):
        other = self._customer("Double")
        double = self.env["ar.credit.file"]._get_file(other, self.company, create=True)
        for year in (2027, 2028):
            self._statement(year, file=double, revenue=1)
        own = self._statement(2028, revenue=2)
        self.env["ar.customer.merge"].sudo()._merge_customers(other, self.customer)
        self.assertEqual(self.file.statement_ids.mapped("year"), [2028, 2027])
        self.assertIn(own, self.file.statement_ids)


class TestOutlook(ReviewCommon):
    """One row rates all customers of an industry or country; a visit rates the one it saw."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outlook = cls._criterion(
            "Outlook", "ability", 10, [("Growing", 100), ("Crisis", 0)], kind="rating"
        )
        cls.mining = cls.env["res.partner.industry"].create({"name": "Mining"})
        cls.country = cls.env.ref("base.cl")

    def _rate(self, option, day=0, **scope):
        return (
            self.env["ar.credit.outlook"]
            .with_user(self.manager)
            .create(
                {
                    "criterion_id": self.outlook.id,
                    "option_id": self._option(self.outlook, option).id,
                    "date": self._day(day),
                    **scope,
                }
            )
        )

    def _points(self, file, criterion=None, day=0):
        """What the scoring gives on a day: points, origin."""
        answers = self.env["ar.credit.scoring"]._get_answers(file, self._day(day))
        answer = next(
            answer
            for answer in answers[file.id]
            if answer.criterion == (criterion or self.outlook).id
        )
        points = {band.id: band.points for band in answer.bands}
        return points.get(answer.option), answer.source and answer.source.origin

    def test_one_row_reaches_all(self):
        files = self.file.browse()
        for index in range(5):
            customer = self._customer(f"Mine {index}", industry_id=self.mining.id)
            files |= files._get_file(customer, self.company, create=True)
        self.assertEqual(self._points(files[0]), (None, None))
        self._rate("Growing", industry_id=self.mining.id)
        for file in files:
            self.assertEqual(self._points(file), (100, "outlook"))
        self.assertEqual(self._points(self.file), (None, None))
        self._rate("Crisis", day=5, industry_id=self.mining.id)
        self.assertEqual(self._points(files[0], day=4)[0], 100)
        self.assertEqual(self._points(files[0], day=5)[0], 0)
        own = self._rate("Growing", industry_id=self.mining.id, company_id=self.company.id)
        self.assertEqual(self._points(files[0], day=5)[0], 100, "the company's own comes first")
        own.active = False
        self.outlook.valid_months = 1
        self.assertEqual(self._points(files[0], day=40), (None, None))

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["ar.credit.scoring"]._get_answers(some, self.today)
            return self.env.cr.sql_log_count - before

        count(files)
        self.assertEqual(count(files[:1]), count(files))

    def test_country(self):
        self.customer.country_id = self.country
        self._rate("Crisis", country_id=self.country.id)
        review = self._review()
        self.assertRecordValues(
            self._line(review, self.outlook), [{"points": 0, "origin": "outlook"}]
        )
        self.assertEqual(self._line(review, self.outlook).source[:7], "Outlook")

    def test_bad_input(self):
        with mute_logger("odoo.sql_db"):
            self._refused(lambda: self._rate("Crisis"), IntegrityError)
            both = {"country_id": self.country.id, "industry_id": self.mining.id}
            self._refused(lambda: self._rate("Crisis", **both), IntegrityError)
        wrong = self._option(self.visit, "Good").id
        self._refused(
            lambda: self._rate("Crisis", industry_id=self.mining.id, option_id=wrong),
            ValidationError,
        )
        row = self._rate("Crisis", industry_id=self.mining.id)
        self._refused(lambda: row.with_user(self.collector).write({"note": "x"}))

    def test_a_visit_fills_its_criterion(self):
        self.visit.by_visit = True
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        visits = self.env["ar.collection.action"].with_user(self.collector)
        for option, points in (("Good", 90), ("Bad", 10)):
            visit = visits.create(
                {
                    "case_id": self._case().id,
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "channel": "visit",
                    "date_planned": self.today,
                    "visit_option_id": self._option(self.visit, option).id,
                }
            )
            before = self._points(self.file, self.visit)
            self.assertNotEqual(before[0], points, "nobody has been there yet")
            visit.action_done()
            self.assertEqual(self._points(self.file, self.visit), (points, "visit"))
        review = self._review()
        self.assertRecordValues(self._line(review, self.visit), [{"points": 10, "origin": "visit"}])
