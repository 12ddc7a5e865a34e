import base64
from datetime import timedelta
from unittest.mock import Mock

from dateutil.relativedelta import relativedelta
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, LockError, UserError
from odoo.service.model import get_public_method
from odoo.tests import Form, new_test_user
from odoo.tools import html2plaintext, mute_logger

from .common import CollectionsCommon


class ReviewCommon(CollectionsCommon):
    """A small card: days late and a site visit (willingness), a ratio and a bureau (ability)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ar.credit.criterion"].search([]).active = False
        cls.env["ar.credit.document.type"].search([]).active = False
        cls.env["ar.credit.knockout"].search([]).active = False
        cls.env["ar.credit.grade"].search([("is_default", "=", False)]).active = False
        cls.late = cls._criterion(
            "Days late", "willingness", 40, [(0, 100), (10, 50), (30, 0)], metric="avg_days_late"
        )
        cls.ratio = cls._criterion("Current ratio", "ability", 30, [(0, 0), (1, 60), (2, 100)])
        cls.visit = cls._criterion(
            "Site visit", "willingness", 10, [("Good", 90), ("Bad", 10)], kind="rating"
        )
        cls.bureau = cls._criterion(
            "Bureau", "ability", 20, [("AA", 90), ("B", 20)], kind="external"
        )
        cls.good, cls.fair, cls.poor = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": f"T{code}",
                    "name": name,
                    "score_from": start,
                    "score_to": end,
                    "review_months": months,
                    **limit,
                }
            )
            for code, name, start, end, months, limit in (
                ("1", "Good", 70, 100, 12, {"limit_rule": "months", "limit_months": 2}),
                ("2", "Fair", 40, 70, 6, {"limit_rule": "fixed", "limit_amount": 1000}),
                ("3", "Poor", 0, 40, 3, {"limit_rule": "fixed", "limit_amount": 0}),
            )
        )
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls.collector, cls.manager, cls.second, cls.auditor, cls.employee = (
            new_test_user(
                cls.env,
                name,
                f"base.group_user{group and ',ar_collections.group_' + group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for name, group in (
                ("rev.collector", "collector"),
                ("rev.manager", "credit_manager"),
                ("rev.second", "credit_manager"),
                ("rev.auditor", "auditor"),
                ("rev.employee", ""),
            )
        )

    @classmethod
    def _criterion(cls, name, aspect, weight, bands, kind="number", metric=False, **values):
        options = kind in ("rating", "external")
        return cls.env["ar.credit.criterion"].create(
            {
                "name": name,
                "aspect": aspect,
                "weight": weight,
                "kind": "metric" if metric else kind,
                "metric": metric,
                "band_ids": [
                    Command.create({"name" if options else "value_from": key, "points": points})
                    for key, points in bands
                ],
                **values,
            }
        )

    @classmethod
    def _figures(cls, file, **values):
        """What the ledger says, as the weekly refresh stores it."""
        file.sudo().write({"on_time_share": 0.5, "late_count": 1, **values})

    def _review(self, file=None, user=None):
        reviews = self.env["ar.credit.review"].with_user(user or self.collector)
        return reviews.create({"file_id": (file or self.file).id})

    def _line(self, review, criterion):
        return review.line_ids.filtered(lambda line: line.criterion_id == criterion)

    def _option(self, criterion, name):
        return criterion.band_ids.filtered(lambda band: band.name == name)

    def _fill(self, review, ratio=2, visit="Good"):
        if ratio is not None:
            self._line(review, self.ratio).value = ratio
        if visit:
            self._line(review, self.visit).option_id = self._option(self.visit, visit)

    def _approved(self, file=None, **values):
        review = self._review(file)
        self._fill(review, **values)
        if not review.is_graded:
            review.reason_note = "Known for years"
            review.grade_id = review.grade_id or self.fair
        review.action_submit()
        review.with_user(self.manager).action_approve()
        return review

    def _refused(self, function, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            function()
            self.env.flush_all()


class TestReview(ReviewCommon):
    def test_flow(self):
        self._figures(self.file, avg_days_late=12, avg_monthly_sales=500)
        review = self._review()
        self.assertRegex(review.name, r"^CR/\d{4}/\d{4}$")
        self.assertRecordValues(
            review.line_ids,
            [
                {"criterion_id": self.ratio.id, "has_value": False, "points": 0, "origin": False},
                {"criterion_id": self.bureau.id, "has_value": False, "points": 0, "origin": False},
                {"criterion_id": self.late.id, "has_value": True, "points": 50, "origin": "ledger"},
                {"criterion_id": self.visit.id, "has_value": False, "points": 0, "origin": False},
            ],
        )
        self.assertRecordValues(
            review,
            [{"score": 50, "coverage": 0.4, "is_graded": False, "proposed_grade_id": False}],
        )
        self._fill(review)
        self.assertRecordValues(
            review,
            [
                {
                    # 40 x 50 + 30 x 100 + 10 x 90 of 80
                    "score": 73.75,
                    "ability_score": 100,
                    "willingness_score": 58,
                    "coverage": 0.8,
                    "proposed_grade_id": self.good.id,
                    "grade_id": self.good.id,
                    "limit_amount": 1000,
                    "suggested_way": "negotiate",
                }
            ],
        )
        self.assertIn("2 months x", review.limit_explanation)
        self.assertAlmostEqual(sum(review.line_ids.mapped("contribution")), 73.75)
        review.action_submit()
        self.assertRecordValues(review, [{"state": "submitted", "submitter_id": self.collector.id}])
        self.assertEqual(review.activity_ids.user_id & self.manager, self.manager)
        review.with_user(self.manager).action_approve()
        today = self.company._ar_today()
        self.assertRecordValues(
            review,
            [{"state": "approved", "approver_id": self.manager.id, "decision_date": today}],
        )
        self.assertFalse(review.activity_ids)
        self.assertRecordValues(
            self.file,
            [
                {
                    "grade_id": self.good.id,
                    "limit_mode": "grade",
                    "effective_limit": 1000,
                    "score": 73.75,
                    "ability_score": 100,
                    "willingness_score": 58,
                    "score_coverage": 0.8,
                    "suggested_way": "negotiate",
                    "next_review_date": today + relativedelta(months=12),
                }
            ],
        )
        self.assertIn(self.manager.partner_id, self.file.message_ids.author_id)

    def test_form_lives_with_the_answers(self):
        self._figures(self.file, avg_days_late=12, avg_monthly_sales=500)
        with Form(self.env["ar.credit.review"].with_user(self.collector)) as form:
            form.file_id = self.file.with_user(self.collector)
        review = form.record
        with Form(review) as form:
            with form.line_ids.edit(0) as line:
                line.value = 2
                self.assertTrue(line.has_value)
                self.assertEqual(line.points, 100)
            self.assertEqual(form.score, 71.43)
            self.assertEqual(form.grade_id, self.good)
            self.assertEqual(form.limit_amount, 1000)
            form.limit_mode = "custom"
            form.limit_amount = 750
            self.assertIn("750", form.limit_explanation)
        self.assertRecordValues(review, [{"score": 71.43, "limit_amount": 750}])
        with Form(review) as form:
            with form.line_ids.edit(0) as line:
                line.value = 0
                self.assertFalse(line.has_value, "an empty number is not known")
            self.assertEqual(form.coverage, 0.4)
            with form.line_ids.edit(0) as line:
                line.has_value = True
            self.assertEqual(form.coverage, 0.7, "a zero that is known")
        self.assertRecordValues(self._line(review, self.ratio), [{"has_value": True, "points": 0}])

    def test_points_tell_why(self):
        self._figures(self.file, avg_days_late=12)
        review = self._review()
        self._fill(review, ratio=-1)
        self.assertEqual(
            review.line_ids.mapped("explanation"),
            [
                "-1 is below the lowest band, from 0",
                "Not known: lowers the coverage only",
                "12 days is in the band from 10 days",
                "Rated Good",
            ],
        )
        self.assertEqual(review.line_ids.mapped("answer"), ["-1", False, "12 days", "Good"])
        self.assertIn("Entered by rev.collector", self._line(review, self.ratio).source)
        self.assertIn("Ledger", self._line(review, self.late).source)

    def test_last_review_and_ratings_are_taken_over(self):
        self._figures(self.file, avg_days_late=0)
        first = self._approved()
        self.env["ar.credit.rating"].create(
            {
                "partner_id": self.customer.id,
                "criterion_id": self.bureau.id,
                "rating": "aa",
                "date": self.company._ar_today() - timedelta(days=3),
                "source": "The bureau",
            }
        )
        review = self._review()
        self.assertRecordValues(
            review.line_ids,
            [
                {"value": 2, "origin": "review", "origin_note": first.name, "points": 100},
                {"value": 0, "origin": "bureau", "origin_note": "The bureau", "points": 90},
                {"value": 0, "origin": "ledger", "origin_note": False, "points": 100},
                {"value": 0, "origin": "review", "origin_note": first.name, "points": 90},
            ],
        )
        self.assertEqual(review.coverage, 1)
        self.assertEqual(
            self._line(review, self.ratio).value_date, self._line(first, self.ratio).value_date
        )
        review.action_submit()
        review.with_user(self.manager).action_approve()
        self.assertEqual(self._review().coverage, 1, "and once more from the review before it")

    def test_refresh_keeps_what_was_entered_here(self):
        self._figures(self.file, avg_days_late=12)
        review = self._review()
        self._fill(review)
        self._figures(self.file, avg_days_late=50, avg_monthly_sales=100)
        extra = self._criterion("Extra", "ability", 5, [(0, 10)])
        self.late.weight = 50
        self.ratio.active = False
        review.action_refresh()
        self.assertEqual(review.line_ids.criterion_id, self.late + self.bureau + self.visit + extra)
        self.assertRecordValues(
            self._line(review, self.late), [{"value": 50, "points": 0, "weight": 50}]
        )
        self.assertRecordValues(
            self._line(review, self.visit), [{"points": 90, "origin": "entered"}]
        )
        self.assertRecordValues(
            review, [{"avg_monthly_sales": 100, "score": 15, "figures_date": self._today()}]
        )

    def _today(self):
        return self.company._ar_today()

    def test_frozen_when_submitted(self):
        """Neither the card nor the grades nor the ledger change a review that was submitted."""
        self._figures(self.file, avg_days_late=12, avg_monthly_sales=500)
        review = self._review()
        self._fill(review)
        review.action_submit()
        before = review.read(["score", "coverage", "limit_amount", "limit_explanation"])
        lines = review.line_ids.read(["points", "contribution", "weight", "kind", "explanation"])
        self.ratio.write({"weight": 99, "aspect": "willingness"})
        self.ratio.band_ids.points = 1
        self.late.active = False
        self.good.limit_months = 9
        self._figures(self.file, avg_days_late=99, avg_monthly_sales=9)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(
            review.read(["score", "coverage", "limit_amount", "limit_explanation"]), before
        )
        self.assertEqual(
            review.line_ids.read(["points", "contribution", "weight", "kind", "explanation"]),
            lines,
        )

    # Limit

    def test_limit_proposals(self):
        self._figures(self.file, avg_days_late=12, avg_term_days=30, avg_monthly_sales=500)
        review = self._review()
        self._fill(review)
        by_term = (
            self.env["ar.credit.grade"]
            .sudo()
            .create({"code": "TT", "name": "By Term", "limit_rule": "term"})
        )
        default = (
            self.env["ar.credit.grade"]
            .sudo()
            .create({"code": "T0", "name": "Own", "limit_rule": "none"})
        )
        for grade, values, limited, amount, text in (
            (self.good, {}, True, 1000, "2 months x $ 500.00 average monthly sales = $ 1,000.00."),
            (self.good, {"limit_cap": 800}, True, 800, "Capped at $ 800.00"),
            (self.good, {"limit_cap": 9000, "limit_months": 1.5}, True, 750, "1.5 months"),
            (self.fair, {}, True, 1000, "fixed limit of $ 1,000.00"),
            (self.poor, {}, True, 0, "fixed limit of $ 0.00"),
            (default, {}, False, 0, "no limit."),
            (by_term, {}, True, 700, "1.4 months x $ 500.00"),
            (by_term, {}, True, 700, "open for 42 days"),
            (by_term, {"limit_cap": 650}, True, 650, "Capped at $ 650.00"),
        ):
            grade.write(values)
            review.grade_id = False
            review.grade_id = grade
            self.assertRecordValues(review, [{"is_limited": limited, "limit_amount": amount}])
            self.assertIn(text, review.limit_explanation.replace("\N{NO-BREAK SPACE}", " "))

    def test_a_review_starts_from_what_is_agreed(self):
        self._figures(self.file, avg_days_late=0, avg_monthly_sales=500)
        for agreed, limited, amount in (
            ({"limit_mode": "custom", "custom_limit": 65_000}, True, 65_000),
            ({"limit_mode": "custom", "custom_limit": 0}, True, 0),
            ({"limit_mode": "unlimited"}, False, 0),
            ({"limit_mode": "grade"}, True, 1000),
        ):
            with self.subTest(agreed=agreed):
                self.file.sudo().write(agreed)
                review = self._review()
                self.assertRecordValues(
                    review,
                    [
                        {
                            "limit_mode": agreed["limit_mode"],
                            "is_limited": limited,
                            "limit_amount": amount,
                        }
                    ],
                )
                self._fill(review)
                review.action_submit()
                review.with_user(self.manager).action_approve()
                self.assertRecordValues(
                    self.file,
                    [{**agreed, "is_limited": limited, "effective_limit": amount}],
                )

    def test_a_review_may_ask_for_another_limit_at_once(self):
        self._figures(self.file, avg_days_late=0, avg_monthly_sales=500)
        self.file.write({"limit_mode": "custom", "custom_limit": 65_000})
        review = self.env["ar.credit.review"].create(
            {"file_id": self.file.id, "limit_mode": "grade"}
        )
        self._fill(review)
        self.assertEqual(review.limit_amount, 1000, "what the grade gives")

    def test_opened_by_the_system_too(self):
        self.file.write({"limit_mode": "unlimited"})
        review = self.env["ar.credit.review"]._open_for(self.file, "warning")
        self.assertEqual(review.limit_mode, "unlimited")

    def test_company_default_limit(self):
        self.company.account_use_credit_limit = True
        self.env["ir.default"].set("res.partner", "credit_limit", 300, company_id=self.company.id)
        review = self._review()
        review.grade_id = (
            self.env["ar.credit.grade"]
            .sudo()
            .create({"code": "T0", "name": "Own", "limit_rule": "none"})
        )
        self.assertRecordValues(review, [{"is_limited": True, "limit_amount": 300}])
        self.assertIn("default limit of the company", review.limit_explanation)

    def test_custom_limit_is_applied(self):
        self._figures(self.file, avg_days_late=0, avg_monthly_sales=500)
        review = self._review()
        self._fill(review)
        review.limit_mode = "custom"
        self.assertEqual(review.limit_amount, 1000, "the grade's limit to start from")
        review.limit_amount = 1234
        self.assertIn("1,234.00", review.limit_explanation)
        review.action_submit()
        review.with_user(self.manager).action_approve()
        self.assertRecordValues(
            self.file,
            [{"limit_mode": "custom", "custom_limit": 1234, "effective_limit": 1234}],
        )
        self.assertRecordValues(
            self._review(), [{"current_limit": 1234, "current_grade_id": self.good.id}]
        )

    def test_limit_is_not_negative(self):
        review = self._review()
        with mute_logger("odoo.sql_db"):
            self._refused(
                lambda: review.write({"limit_mode": "custom", "limit_amount": -1}), IntegrityError
            )

    # What a proposal needs

    def test_too_little_known_needs_an_assessment(self):
        self._figures(self.file, avg_days_late=0)
        review = self._review()
        review.grade_id = self.fair
        with self.assertRaisesRegex(UserError, "40 %.*50 %"):
            review.action_submit()
        review.reason_note = "  "
        self._refused(review.action_submit, UserError)
        review.reason_note = "We know the owner for years"
        review.action_submit()
        review.with_user(self.manager).action_approve()
        self.assertRecordValues(
            self.file, [{"grade_id": self.fair.id, "score": 100, "suggested_way": False}]
        )

    def test_grade_is_needed(self):
        self._figures(self.file, avg_days_late=0)
        review = self._review()
        self._fill(review)
        review.grade_id = False
        with self.assertRaisesRegex(UserError, "grade"):
            review.action_submit()

    def test_grade_of_choice(self):
        self._figures(self.file, avg_days_late=0)
        review = self._review()
        self._fill(review)
        review.grade_id = self.fair
        review.reason_note = "Too dependent on one buyer"
        review.action_submit()
        review.with_user(self.manager).action_approve()
        self.assertRecordValues(review, [{"proposed_grade_id": self.good.id}])
        self.assertEqual(self.file.grade_id, self.fair)

    def test_grade_of_new_customers_is_not_proposed(self):
        self._figures(self.file, avg_days_late=0)
        review = self._review()
        self._fill(review)
        self.assertEqual(review.proposed_grade_id, self.good)
        self.good.is_default = True
        self.fair.score_to = 100
        self._fill(review, visit="Bad")
        self.assertEqual(review.proposed_grade_id, self.fair)

    def test_choice_without_an_option_is_unknown(self):
        review = self._review()
        line = self._line(review, self.visit)
        line.write({"has_value": True, "value": 50})
        self.assertRecordValues(line, [{"points": 0, "contribution": 0}])
        line.option_id = self._option(self.visit, "Bad")
        self.assertEqual(line.points, 10)

    def test_checklist(self):
        types = self.env["ar.credit.document.type"].create(
            [
                {"name": "Statements", "required": True, "limit_from": 900, "sequence": 1},
                {"name": "Licence", "required": True, "sequence": 2},
                {"name": "Report", "sequence": 3},
            ]
        )
        self._figures(self.file, avg_days_late=0, avg_monthly_sales=500)
        review = self._review()
        self._fill(review)
        documents = review.document_ids
        self.assertEqual(documents.type_id, types)
        self.assertEqual(documents.mapped("required"), [True, True, False])
        review.write({"limit_mode": "custom", "limit_amount": 899})
        self.assertEqual(documents.mapped("required"), [False, True, False])
        review.limit_amount = 900
        self.assertEqual(documents.mapped("required"), [True, True, False])
        review.limit_amount = 899
        with self.assertRaisesRegex(UserError, "Licence"):
            review.action_submit()
        upload = self._upload(self.collector)
        review.write(
            {
                "document_ids": [
                    Command.update(documents[1].id, {"attachment_ids": [(4, upload.id)]})
                ]
            }
        )
        self.assertRecordValues(
            documents[1], [{"is_missing": False, "date_received": self._today()}]
        )
        self.assertRecordValues(
            upload, [{"res_model": "ar.credit.review.document", "res_id": documents[1].id}]
        )
        review.limit_mode = "grade"
        with self.assertRaisesRegex(UserError, "Statements"):
            review.action_submit()
        review.limit_mode = "custom"
        review.limit_amount = 10
        review.action_submit()
        self.assertEqual(upload.with_user(self.manager).read(["datas"])[0]["datas"], upload.datas)
        self._refused(upload.with_user(self.collector).unlink)
        self._refused(lambda: upload.with_user(self.collector).write({"datas": b"eA=="}))
        self._refused(lambda: upload.with_user(self.employee).read(["datas"]))
        for values in ({"attachment_ids": [(5, 0, 0)]}, {"date_received": False}):
            self._refused(
                lambda values=values: documents[1].with_user(self.collector).write(values),
                UserError,
            )

    def _upload(self, user):
        return (
            self.env["ir.attachment"]
            .with_user(user)
            .create({"name": "licence.pdf", "datas": base64.b64encode(b"%PDF")})
        )

    def test_unlimited_needs_the_documents_of_large_limits(self):
        self.env["ar.credit.document.type"].create(
            {"name": "Statements", "required": True, "limit_from": 900}
        )
        review = self._review()
        review.grade_id = (
            self.env["ar.credit.grade"]
            .sudo()
            .create({"code": "T0", "name": "Own", "limit_rule": "none"})
        )
        self.assertFalse(review.is_limited)
        self.assertTrue(review.document_ids.required)

    # Who decides

    def _submitted(self, user=None):
        self._figures(self.file, avg_days_late=0)
        review = self._review(user=user)
        self._fill(review)
        review.action_submit()
        return review

    def test_four_eyes(self):
        review = self._submitted(self.manager)
        for function in (review.action_approve, review.action_refuse):
            with self.assertRaisesRegex(UserError, "somebody else decides"):
                function()
            # Not with more rights either.
            with self.assertRaisesRegex(UserError, "somebody else decides"):
                getattr(review.sudo(), function.__name__)()
        self.assertEqual(review.state, "submitted")
        review.with_user(self.second).action_approve()
        self.assertEqual(review.approver_id, self.second)

    def test_submitter_does_not_decide_either(self):
        self._figures(self.file, avg_days_late=0)
        review = self._review(user=self.collector)
        self._fill(review)
        review.with_user(self.manager).action_submit()
        with self.assertRaisesRegex(UserError, r"rev\.collector .*, rev\.manager "):
            review.with_user(self.manager).action_approve()
        review.with_user(self.second).action_approve()

    def test_only_managers_decide(self):
        review = self._submitted()
        for user in (self.auditor, self.employee):
            self._refused(review.with_user(user).action_approve)
            self._refused(review.with_user(user).action_refuse)
        other = new_test_user(
            self.env,
            "rev.other",
            "ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self._refused(review.with_user(other).action_approve)
        self._refused(review.with_user(other).sudo().action_approve)
        self._refused(review.with_user(other).action_draft)
        self._refused(review.with_user(other).action_cancel)

    def test_rule_of_the_company_binds_who_decides(self):
        review = self._submitted()
        self.env["ir.rule"].create(
            {
                "name": "Reviews of others",
                "model_id": self.env["ir.model"]._get_id("ar.credit.review"),
                "domain_force": "[('requester_id', '=', user.id)]",
                "perm_read": False,
            }
        )
        self._refused(review.with_user(self.manager).action_approve)
        self.assertEqual(review.state, "submitted")

    def test_decided_once(self):
        review = self._submitted()
        review.with_user(self.manager).action_approve()
        for name in ("action_approve", "action_refuse", "action_cancel", "action_draft"):
            with self.assertRaisesRegex(UserError, "Approved"):
                getattr(review.with_user(self.second), name)()
        with self.assertRaisesRegex(UserError, "Approved"):
            review.action_submit()

    def test_of_two_who_decide_one_wins(self):
        review = self._submitted().with_user(self.manager)
        review.decision_note = "Too little is known"
        self.patch(
            type(review), "lock_for_update", Mock(side_effect=LockError("Cannot grab a lock"))
        )
        for button in (review.action_approve, review.action_refuse):
            with self.assertRaises(LockError):
                button()
        self.assertEqual(review.state, "submitted")

    def test_refusal_needs_a_reason(self):
        review = self._submitted()
        grade = self.file.grade_id
        decider = review.with_user(self.manager)
        self._refused(decider.action_refuse, UserError)
        decider.decision_note = " "
        self._refused(decider.action_refuse, UserError)
        decider.decision_note = "Statements are two years old"
        decider.action_refuse()
        self.assertRecordValues(review, [{"state": "refused", "approver_id": self.manager.id}])
        self.assertEqual(self.file.grade_id, grade)
        self.assertFalse(self.file.score_date)
        review.action_draft()
        self.assertRecordValues(review, [{"state": "draft", "approver_id": False}])
        self._line(review, self.ratio).value = 1
        review.action_submit()
        decider.action_approve()
        self.assertEqual(self.file.score, review.score)

    def test_taken_back_and_cancelled(self):
        review = self._submitted()
        review.action_draft()
        review.action_cancel()
        self.assertEqual(review.state, "cancelled")
        self._refused(review.action_draft, UserError)
        self._refused(review.unlink)
        again = self._submitted()
        again.with_user(self.manager).action_cancel()

    def test_only_who_asked_takes_it_back(self):
        other = new_test_user(
            self.env,
            "review_collector2",
            "ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        review = self._submitted()
        for name in ("action_draft", "action_cancel"):
            self._refused(getattr(review.with_user(other), name))
        self.assertEqual(review.state, "submitted")
        review.with_user(self.second).action_draft()
        review.with_user(other).action_cancel()
        self.assertEqual(review.state, "cancelled", "a draft is everybody's")

    # What cannot be done behind the buttons

    def test_who_may_what(self):
        reviews = self.env["ar.credit.review"]
        for user in (self.auditor, self.employee):
            self._refused(lambda user=user: self._review(user=user))
        review = self._review()
        self._refused(review.with_user(self.employee).read)
        for record in (review, review.line_ids, self.ratio, self.ratio.band_ids):
            record.with_user(self.auditor).read()
        self._refused(lambda: review.with_user(self.auditor).write({"reason_note": "x"}))
        self._refused(review.with_user(self.auditor).action_submit)
        self._refused(review.with_user(self.auditor).action_refresh)
        self._refused(lambda: self.ratio.with_user(self.collector).write({"weight": 1}))
        self._refused(lambda: self.ratio.band_ids[0].with_user(self.collector).write({"points": 1}))
        self._refused(review.with_user(self.collector).unlink)
        for values in ({"state": "approved"}, {"requester_id": self.auditor.id}, {"score": 90}):
            self._refused(
                lambda values=values: reviews.with_user(self.manager).create(
                    {"file_id": self.env["ar.credit.file"].search([], limit=1).id, **values}
                )
            )

    def test_defaults_say_who_it_is_about_and_no_more(self):
        reviews = self.env["ar.credit.review"].with_user(self.collector)
        review = reviews.with_context(default_file_id=self.file.id, default_state="approved")
        self.assertRecordValues(review.create({}), [{"file_id": self.file.id, "state": "draft"}])

    def test_nobody_writes_what_the_system_says(self):
        review = self._review()
        for user in (self.collector, self.manager):
            for values in (
                {"state": "approved"},
                {"state": "submitted"},
                {"score": 99},
                {"is_graded": True},
                {"proposed_grade_id": self.good.id},
                {"requester_id": False},
                {"submitter_id": self.second.id},
                {"approver_id": user.id},
                {"file_id": self.file.id},
                {"avg_monthly_sales": 1e6},
                {"limit_explanation": "x"},
                {"current_limit": 0},
                {"name": "CR/1"},
                {"decision_note": "x"},
            ):
                self._refused(
                    lambda values=values, user=user: review.with_user(user).write(values),
                    UserError,
                )

    def test_lines_are_filled_in_and_no_more(self):
        self._figures(self.file, avg_days_late=99)
        review = self._review()
        late, ratio = self._line(review, self.late), self._line(review, self.ratio)
        for values in ({"value": 0}, {"has_value": False}, {"option_id": False}):
            self._refused(lambda values=values: late.write(values), UserError)
        for values in (
            {"points": 100},
            {"weight": 0},
            {"kind": "number"},
            {"contribution": 9},
            {"origin": "bureau"},
            {"criterion_id": self.late.id},
            {"review_id": review.id},
        ):
            self._refused(lambda values=values: ratio.write(values))
        good = self._option(self.visit, "Good")
        self._refused(
            lambda: self._line(review, self.bureau).write({"option_id": good.id}), UserError
        )
        for command in (
            Command.delete(late.id),
            Command.unlink(late.id),
            Command.clear(),
            Command.create({"criterion_id": self.late.id}),
        ):
            self._refused(lambda command=command: review.write({"line_ids": [command]}))
        self._refused(late.unlink)
        other = self._review(
            self.env["ar.credit.file"]._get_file(self._customer("Other"), self.company, create=True)
        )
        self._refused(lambda: review.write({"line_ids": [Command.link(other.line_ids[0].id)]}))
        self.assertEqual(len(review.line_ids), 4)

    def test_nothing_changes_after_submission(self):
        review = self._submitted()
        ratio = self._line(review, self.ratio)

        def try_all(error=UserError):
            for user in (self.collector, self.manager):
                mine = review.with_user(user)
                for values in (
                    {"grade_id": self.poor.id},
                    {"limit_mode": "custom", "limit_amount": 1e9},
                    {"reason_note": "x"},
                    {"line_ids": [Command.update(ratio.id, {"value": 9})]},
                    {"grade_id": self.poor.id, "decision_note": "x"},
                ):
                    self._refused(lambda mine=mine, values=values: mine.write(values), error)
                for values in ({"value": 9}, {"has_value": False}, {"note": "x"}):
                    self._refused(
                        lambda user=user, values=values: ratio.with_user(user).write(values), error
                    )
                self._refused(mine.unlink, error)
                self._refused(mine.action_refresh, error)

        try_all()
        self._refused(lambda: review.write({"decision_note": "by the collector"}), UserError)
        review.with_user(self.manager).decision_note = "Fine"
        review.with_user(self.manager).action_approve()
        try_all()
        self._refused(
            lambda: review.with_user(self.manager).write({"decision_note": ""}), UserError
        )
        # The record can still be talked about.
        review.with_user(self.collector).message_post(body="Thank you")
        review.with_user(self.manager).activity_schedule(
            "ar_collections.activity_credit_review", user_id=self.manager.id
        )

    def test_draft_can_be_deleted_by_managers(self):
        review = self._review()
        self._refused(review.unlink)
        review.with_user(self.manager).unlink()
        taken_back = self._submitted()
        taken_back.action_draft()
        self._refused(taken_back.with_user(self.manager).unlink, UserError)

    def test_one_open_review(self):
        review = self._review()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._review()
        self.assertEqual(
            self.file.with_user(self.collector).action_start_review()["res_id"], review.id
        )
        review.action_cancel()
        self.assertNotEqual(
            self.file.with_user(self.collector).action_start_review()["res_id"], review.id
        )

    def test_companies_are_apart(self):
        other = self.setup_other_company(name="Other company")["company"]
        stranger = new_test_user(
            self.env,
            "rev.stranger",
            "ar_collections.group_credit_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        review = self._submitted()
        own = self._criterion("Own", "ability", 5, [(0, 10)], company_id=self.company.id)
        rating = self.env["ar.credit.rating"].create(
            {
                "partner_id": self.customer.id,
                "criterion_id": self.bureau.id,
                "rating": "AA",
                "company_id": self.company.id,
            }
        )
        for record in (review, review.line_ids, own, own.band_ids, rating):
            self.assertFalse(record.with_user(stranger).search([("id", "in", record.ids)]))
            self._refused(record.with_user(stranger).read)
        self._refused(review.with_user(stranger).action_approve)
        file = (
            self.env["ar.credit.file"]
            .with_company(other)
            ._get_file(self.customer, other, create=True)
        )
        theirs = self._review(file, stranger)
        self.assertNotIn(own, theirs.line_ids.criterion_id)
        self.assertTrue(theirs.name.endswith("/0001"), "every company counts for itself")

    def test_nothing_private_over_rpc(self):
        for model, methods in {
            "ar.credit.review": (
                "_open_for",
                "_open_due",
                "_apply_to_file",
                "_write_decision",
                "_prepare_new",
            ),
            "ar.credit.file": ("_rescore", "_write_scores"),
            "ar.credit.rating.provider": ("_fetch_rating", "_update_ratings"),
        }.items():
            for method in methods:
                with self.assertRaises(AccessError):
                    get_public_method(self.env[model], method)

    # Activities

    def test_managers_are_asked(self):
        review = self._submitted()
        asked = review.activity_ids.user_id
        self.assertLessEqual(self.manager + self.second, asked)
        self.assertNotIn(self.collector, asked)
        review.action_draft()
        self.assertFalse(review.activity_ids)
        self.company.ar_credit_manager_id = self.second
        review.action_submit()
        self.assertEqual(review.activity_ids.user_id, self.second)
        review.action_cancel()
        own = self._submitted(self.second)
        self.assertIn(self.manager, own.activity_ids.user_id, "somebody else must decide")
        self.assertNotIn(self.second, own.activity_ids.user_id)


class TestOpening(ReviewCommon):
    def _open(self, day=0):
        return self.env["ar.credit.review"]._open_due(self.company, self._day(day))

    def test_open_for(self):
        other = self.env["ar.credit.file"]._get_file(
            self._customer("Other"), self.company, create=True
        )
        self._review(other)
        self.file.collector_id = self.collector
        review = self.env["ar.credit.review"]._open_for(
            self.file + other, "excuse", "Goods unsold", self._day(3)
        )
        self.assertRecordValues(
            review,
            [
                {
                    "file_id": self.file.id,
                    "reason": "excuse",
                    "reason_note": "Goods unsold",
                    "date": self._day(3),
                    "requester_id": False,
                    "state": "draft",
                }
            ],
        )
        self.assertRecordValues(
            review.activity_ids,
            [{"user_id": self.collector.id, "date_deadline": self._day(10)}],
        )
        self.assertFalse(self.env["ar.credit.review"]._open_for(self.file, "warning"))

    def _told(self, review):
        """What the review was told, the last first, as text."""
        return [html2plaintext(body) for body in review.message_ids.mapped("body") if body]

    def test_events_are_added_to_a_review_under_way(self):
        reviews = self.env["ar.credit.review"]
        review = self._review()
        for state in ("draft", "submitted"):
            review.sudo().state = state
            for reason, note, told in (
                ("broken_promise", f"100 of 200, {state}", "Broken promise: 100 of 200"),
                ("excuse", f"Goods unsold, {state}", "danger sign: Goods unsold"),
            ):
                self.assertFalse(reviews._open_for(self.file, reason, {self.file.id: note}))
                self.assertIn(told, self._told(review)[0])
        self.assertEqual(len(review.events), 4)

    def test_what_lasts_is_told_once(self):
        reviews = self.env["ar.credit.review"]
        review = self._review()
        for _day in range(3):
            for reason in ("limit_use", "metrics", "due"):
                reviews._open_for(self.file, reason, f"on day {_day}")
        self.assertEqual(
            [reason for reason, _note in review.events], ["limit_use", "metrics", "due"]
        )
        review.action_cancel()
        opened = reviews._open_for(self.file, "limit_use", "91 %")
        reviews._open_for(self.file, "limit_use", "92 %")
        self.assertFalse(opened.events, "it was opened by it")

    def test_who_gets_the_activity(self):
        self.file.sudo().next_review_date = self._day(9)
        self.company.ar_credit_manager_id = self.second
        review = self._open()
        self.assertRecordValues(
            review.activity_ids, [{"user_id": self.second.id, "date_deadline": self._day(9)}]
        )
        review.action_cancel()
        self.company.ar_credit_manager_id = False
        self.assertFalse(
            self.env["ar.credit.review"]
            ._open_for(self.file, "due", date=self._day(40))
            .activity_ids
        )

    def test_due(self):
        self.file.sudo().next_review_date = self._day(40)
        self.assertFalse(self._open(9))
        review = self._open(10)
        self.assertRecordValues(review, [{"file_id": self.file.id, "reason": "due"}])
        self.assertFalse(self._open(11), "one is enough")

    def test_given_up_is_not_opened_again_at_once(self):
        self.file.sudo().next_review_date = self._day(0)
        review = self._open()
        review.action_cancel()
        review.sudo().decision_date = self._day(1)
        self.assertFalse(self._open(2))
        self.assertFalse(self._open(30))
        self.assertTrue(self._open(31))

    def test_approval_sets_the_next_date(self):
        self.file.sudo().next_review_date = self._today()
        self._figures(self.file, avg_days_late=0)
        self._approved()
        self.assertEqual(self.file.next_review_date, self._today() + relativedelta(months=12))
        found = self.env["ar.credit.review"]._open_due(
            self.company, self._today() + relativedelta(months=10)
        )
        self.assertFalse(found, found.mapped("reason"))

    def _today(self):
        return self.company._ar_today()

    def test_limit_nearly_used(self):
        self.file.write({"limit_mode": "custom", "custom_limit": 100})
        self._invoice(self.customer, 91, due=30)
        self._run(0)
        self.env["ar.credit.review"].search([]).sudo().state = "cancelled"
        self.assertFalse(self._open(1), "nobody ever looked at this customer")
        self.file.grade_id = self.fair
        self.file.write({"limit_mode": "custom", "custom_limit": 100})
        review = self._open(1)
        self.assertRecordValues(review, [{"reason": "limit_use"}])
        self.assertIn("91 %", review.reason_note)
        review.sudo().write({"state": "approved", "decision_date": self._day(1)})
        self.assertFalse(self._open(90))
        self.assertTrue(self._open(91))

    def test_days_and_shares_are_the_companys(self):
        self.company.write(
            {
                "ar_review_days_ahead": 5,
                "ar_review_limit_use": 0.5,
                "ar_review_limit_use_days": 10,
                "ar_review_work_days": 2,
            }
        )
        self.file.write({"next_review_date": self._day(6), "collector_id": self.collector.id})
        self.assertFalse(self._open(0))
        review = self._open(1)
        self.assertEqual(review.reason, "due")
        review.action_cancel()
        self.file.sudo().write({"next_review_date": False, "grade_id": self.fair.id})
        self.file.write({"limit_mode": "custom", "custom_limit": 100})
        self._invoice(self.customer, 51, due=50)
        self._run(20)
        review = self.file.review_ids.filtered(lambda review: review.state == "draft")
        self.assertRecordValues(review, [{"reason": "limit_use", "date": self._day(20)}])
        self.assertEqual(review.activity_ids.date_deadline, self._day(22))
        review.sudo().write({"state": "approved", "decision_date": self._day(20)})
        self.assertFalse(self._open(29))
        self.assertTrue(self._open(30))

    def test_limit_with_room(self):
        self.file.write({"grade_id": self.fair.id, "limit_mode": "custom", "custom_limit": 100})
        self._invoice(self.customer, 90, due=30)
        self._run(0)
        self.assertFalse(self.env["ar.credit.review"].search([("reason", "=", "limit_use")]))
        self.assertFalse(self._open(1))

    def test_numbers(self):
        files = self.env["ar.credit.file"].union(
            *(
                self.env["ar.credit.file"]._get_file(
                    self._customer(name), self.company, create=True
                )
                for name in ("One", "Two", "Three")
            )
        )
        reviews = self.env["ar.credit.review"]._open_for(files, "due", date=self._day(0))
        self.assertEqual(reviews.mapped("name"), ["CR/2030/0001", "CR/2030/0002", "CR/2030/0003"])

    def test_merged_customers_keep_their_reviews(self):
        self._figures(self.file, avg_days_late=0)
        former = self._approved()
        under_way = self._review()
        target = self.env["ar.credit.file"]._get_file(
            self._customer("Other"), self.company, create=True
        )
        own = self._review(target)
        (former + under_way)._move_to(target)
        self.assertEqual((former + under_way).file_id, target)
        self.assertEqual((former + under_way).partner_id, target.partner_id)
        self.assertEqual(
            (former + under_way + own).mapped("state"), ["approved", "cancelled", "draft"]
        )

    def test_printed_sheet(self):
        self._figures(self.file, avg_days_late=12, avg_monthly_sales=500)
        review = self._approved()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("ar_collections.credit_review", review.ids)[0]
            .decode()
        )
        for text in (
            review.name,
            "Current ratio",
            "12 days",
            "2 months x",
            "rev.collector",
            "rev.manager",
            "73.8",
            "Able and willing",
        ):
            self.assertIn(text, html)
