"""The score counts what is unpaid: with the shipped card, grades and knock-out rules."""

from datetime import timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from .common import CollectionsCommon
from .test_credit_review import ReviewCommon


class ArrearsCommon(CollectionsCommon):
    def _score(self, day=0, customer=None):
        """The credit file as the day of the run leaves it."""
        date = self._day(day)
        refresh = self.env["ar.credit.refresh"]
        refresh._refresh_figures(self.company, date)
        refresh._adopt_behaviour(self.company, date)
        self.env["ar.credit.scoring"]._score_again(self.company, date)
        return (customer or self.customer).credit_file_id

    def _known(self, file, *metrics):
        criteria = self.env["ar.credit.criterion"].search([("metric", "in", metrics)])
        known = criteria._read_metrics(file)[file.id]
        return tuple(known.get(metric) for metric in metrics)

    def _grade(self, code):
        return self.env.ref(f"ar_collections.credit_grade_{code.lower()}")


class TestArrears(ArrearsCommon):
    def test_one_paid_nine_unpaid(self):
        """Paid 5,000 on time once, and owes nine times as much for 228 days."""
        self._pay(self._invoice(self.customer, 5000, due=-300), day=-300)
        file = self._score(-229)
        self.assertEqual(file.willingness_score, 100)
        for _item in range(9):
            self._invoice(self.customer, 5000, due=-228)
        file = self._score()
        self.assertRecordValues(
            file,
            [
                {
                    "arrears_amount": 45000,
                    "arrears_count": 9,
                    "arrears_days": 228,
                    "arrears_mean_days": 228,
                    "settled_amount": 5000,
                    "settled_count": 1,
                    # 3 x 40 times late, 5 x 100 promises kept, 4 x 100 no case, of 45 points
                    "willingness_score": 22.67,
                    "score_grade_id": self._grade("E").id,
                    "knockout_id": False,
                }
            ],
        )
        # 45,000 for 228 days and 5,000 for none; one of ten on time.
        self.assertEqual(
            self._known(file, "avg_days_late", "on_time_share", "late_count", "max_days_late"),
            (205.2, 0.1, 9, 228),
        )
        self.assertLess(file.score, 25)

    def test_who_never_paid_has_a_score_once_late(self):
        self._invoice(self.customer, 1000, due=5)
        file = self._score()
        self.assertIs(file.score, False, "nobody knows yet")
        self.assertFalse(file.score_grade_id)
        file = self._score(45)
        self.assertEqual(self._known(file, "avg_days_late", "arrears_share"), (40, 1))
        self.assertEqual(file.score, 41.47)
        self.assertEqual(file.score_grade_id.code, "D")

    def test_early_and_late_are_both_kept(self):
        for amount, due, day in ((300, -40, -50), (100, -40, -20)):
            self._pay(self._invoice(self.customer, amount, due=due), day=day)
        file = self._score()
        self.assertAlmostEqual(file.avg_days_late, 5)
        self.assertAlmostEqual(file.avg_days_early, 7.5)

    def test_what_is_disputed_or_paid_on_account_is_no_arrears(self):
        invoices = [self._invoice(self.customer, 1000, due=-due) for due in (100, 50, 20)]
        note = self._invoice(self.customer, 1200, due=-1, move_type="out_refund")
        file = self._score()
        # The credit note takes the oldest item and 200 of the next.
        self.assertEqual((file.arrears_amount, file.arrears_days), (1800, 50))
        self.assertAlmostEqual(file.arrears_mean_days, (800 * 50 + 1000 * 20) / 1800, 2)
        note.button_draft()
        reason = self.env["ar.dispute.reason"].search([], limit=1)
        line = invoices[0].line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": reason.id,
                "line_ids": [(0, 0, {"move_line_id": line.id, "amount": 1000})],
            }
        )
        file = self._score()
        self.assertEqual((file.arrears_amount, file.arrears_days), (2000, 50))

    def test_arrears_equal_the_items(self):
        """Against a slow count, in a foreign currency and with parts paid too."""
        self._invoice(self.customer, 333.33, due=-7)
        self._invoice(self.customer, 1000, due=-61)
        self._pay(self._invoice(self.customer, 900, due=-30), amount=250, day=-2)
        self._invoice(self.customer, 50, due=3)
        file = self._score()
        items = [(333.33, 7), (1000, 61), (650, 30)]
        total = sum(amount for amount, _days in items)
        self.assertAlmostEqual(file.arrears_amount, total, 2)
        self.assertAlmostEqual(
            file.arrears_mean_days, sum(a * days for a, days in items) / total, 2
        )
        found = self.env["ar.position"]._figures(self.company, self.today, self.customer)
        figures = found[self.company.id, self.customer.id]
        self.assertAlmostEqual(figures.arrears_amount, total, 2)
        self.assertEqual((figures.arrears_count, figures.arrears_days), (3, 61))
        share = self._known(file, "arrears_share")[0]
        self.assertAlmostEqual(share, total / (total + 50), 6)

    def test_collection_is_a_metric(self):
        self._invoice(self.customer, 1000, due=-20)
        file = self._score()
        self.assertEqual(self._known(file, "collection_stage"), (0,))
        self._run(0)
        self.assertEqual(self._known(file, "collection_stage"), (2,), "on the phone")
        criterion = self.env["ar.credit.criterion"].create(
            [
                {
                    "name": name,
                    "kind": "metric",
                    "metric": name,
                    "band_ids": [(0, 0, {"value_from": 0, "points": 50})],
                }
                for name in ("legal", "hold")
            ]
        )
        self.assertEqual(self._known(file, "legal", "hold"), (0, 0))
        legal = self.env["ar.collection.stage"].create({"name": "Court", "kind": "legal"})
        self._case().stage_id = legal
        file.hold = True
        self.assertEqual(self._known(file, "legal", "hold", "collection_stage"), (1, 1, 6))
        self._case().sudo()._close(self.today, "paid")
        self.assertEqual(self._known(file, "legal", "collection_stage"), (0, 0))
        self.assertTrue(criterion)

    def test_scores_of_today_are_those_of_the_run(self):
        """Every day, and whether somebody has reviewed the customer or not."""
        self._pay(self._invoice(self.customer, 100, due=-30), day=-30)
        self._run(0)
        before = self.customer.credit_file_id.score
        self._invoice(self.customer, 100, due=1)
        self._run(3)
        self.assertLess(self.customer.credit_file_id.score, before)
        self.assertFalse(self.customer.credit_file_id.review_ids)

    def test_history_keeps_both_sides(self):
        self._pay(self._invoice(self.customer, 100, due=-30), day=-10)
        self._run(0)
        file = self.customer.credit_file_id
        row = file.history_ids[0]
        self.assertEqual(row.score, file.score)
        self.assertEqual(row.willingness_score, file.willingness_score)
        self.assertEqual(row.ability_score, file.ability_score)
        self._run(1)
        self.assertEqual(file.history_ids[0], row, "nothing new, no row")
        self._invoice(self.customer, 100, due=1)
        self._run(40)
        row = file.history_ids[0]
        self.assertEqual(row.willingness_score, file.willingness_score)
        self.assertLess(row.willingness_score, file.history_ids[1].willingness_score)


class TestKnockout(ArrearsCommon):
    def _good_payer(self):
        for due in (200, 150, 100, 90):
            self._pay(self._invoice(self.customer, 5000, due=-due), day=-due)
        file = self._score()
        self.assertEqual(file.score_grade_id.code, "A")
        return file

    def test_shipped_rules(self):
        rules = self.env["ar.credit.knockout"].search([])
        self.assertEqual(
            {rule.name: rule.grade_id.code for rule in rules},
            {
                "More than 90 days overdue": "D",
                "Credit is held": "D",
                "With a lawyer or in court": "E",
                "A payment plan was not kept, and items are still overdue": "D",
            },
        )

    def test_a_hold_caps_and_lets_go(self):
        file = self._good_payer()
        file.write({"hold": True, "hold_reason": "Rumours"})
        self._score()
        self.assertEqual(file.score_grade_id.code, "D")
        self.assertEqual(file.knockout_id.name, "Credit is held")
        self.assertEqual(self.customer.credit_grade_id, file.grade_id, "a review alone changes it")
        file.sudo().hold = False
        self._score()
        self.assertEqual((file.score_grade_id.code, file.knockout_id.id), ("A", False))

    def test_91_days(self):
        file = self._good_payer()
        self._invoice(self.customer, 10, due=-90)
        self._invoice(self.customer, 5000, due=20)
        self._score()
        self.assertFalse(file.knockout_id)
        self._score(1)
        self.assertEqual(file.knockout_id.name, "More than 90 days overdue")
        self.assertEqual(file.score_grade_id.code, "D")

    def test_with_the_lawyer(self):
        file = self._good_payer()
        self._invoice(self.customer, 43224, due=-20)
        self._run(0)
        self._case().stage_id = self.env["ar.collection.stage"].create(
            {"name": "Court", "kind": "legal"}
        )
        self._score()
        self.assertEqual(file.score_grade_id.code, "E")
        self.assertEqual(file.knockout_id.name, "With a lawyer or in court")
        review = self.env["ar.credit.review"].create({"file_id": file.id})
        self.assertEqual(review.proposed_grade_id.code, "E")
        self.assertEqual(review.knockout_id, file.knockout_id)
        self.assertEqual((review.arrears_amount, review.arrears_days), (43224, 20))
        self.assertEqual(review.limit_amount, 0)
        review.write({"grade_id": self._grade("C").id, "reason_note": "Old friends"})
        with self.assertRaisesRegex(UserError, "lawyer.*best grade still possible is E"):
            review.action_submit()
        review.grade_id = self._grade("E")
        review.action_submit()
        self.assertEqual(review.state, "submitted")

    def test_a_plan_that_was_not_kept(self):
        file = self._good_payer()
        self._invoice(self.customer, 900, due=-5)
        self._score()
        self.assertFalse(file.knockout_id)
        plan = self.env["ar.payment.plan"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        plan.sudo().state = "defaulted"
        self._score()
        self.assertIn("payment plan", file.knockout_id.name)
        self.assertEqual(file.score_grade_id.code, "D")

    def test_a_rule_of_ones_own(self):
        file = self._good_payer()
        rule = self.env["ar.credit.knockout"].create(
            {
                "name": "Lives in Arcadia",
                "domain": "[('partner_id.city', '=', 'Arcadia')]",
                "grade_id": self._grade("B").id,
                "company_id": self.company.id,
            }
        )
        self.customer.city = "Arcadia"
        self._score()
        self.assertEqual((file.knockout_id, file.score_grade_id.code), (rule, "B"))
        other = self.setup_other_company(name="Other company")["company"]
        rule.company_id = other
        self._score()
        self.assertFalse(file.knockout_id, "of another company")
        rule.write({"company_id": False, "active": False})
        self._score()
        self.assertFalse(file.knockout_id, "archived")

    def test_a_domain_that_cannot_be_searched_is_refused(self):
        for domain in ("[('no_such_field', '=', 1)]", "nonsense", "[('hold', '=', user)]"):
            with self.subTest(domain=domain), self.assertRaises(ValidationError):
                self.env["ar.credit.knockout"].create(
                    {"name": "Wrong", "domain": domain, "grade_id": self._grade("D").id}
                )


class TestScale(ArrearsCommon):
    def test_a_score_in_a_gap_has_no_grade(self):
        self._pay(self._invoice(self.customer, 100, due=-30), day=-30)
        file = self._score()
        grade = file.score_grade_id
        self.assertTrue(grade.score_from <= file.score <= grade.score_to)
        (self.env["ar.credit.grade"].search([("score_to", ">", 0)]) - grade).active = False
        grade.write({"score_from": 0, "score_to": file.score - 0.01})
        self._score()
        self.assertFalse(file.score_grade_id)
        grade.score_to = file.score
        self._score()
        self.assertEqual(file.score_grade_id, grade)

    def test_gaps_and_overlaps_are_told(self):
        b = self._grade("B")
        self.assertFalse(b.scale_faults)
        b.score_from = 70
        self.assertEqual(b.scale_faults, "No grade is earned by a score between 65 and 70.")
        self._grade("C").score_to = 72.5
        b.invalidate_recordset(["scale_faults"])
        self.assertEqual(
            b.scale_faults, "C Fair and B Good overlap: the grade that begins higher counts."
        )

    def test_until_graded_there_are_warnings_only(self):
        new = self.env["ar.credit.grade"]._get_default_grade(self.company)
        self.assertEqual(new.limit_rule, "none")
        controls = {
            name: new[name]
            for name in ("on_limit", "on_overdue", "on_promise", "on_expired", "on_terms")
        }
        self.assertEqual(set(controls.values()), {"warn"})
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        self.assertEqual((file.grade_id, file.is_limited), (new, False))

    def test_a_grade_given_by_hand_gets_its_review_date(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        self.assertFalse(file.next_review_date, "nobody has graded it")
        self.customer.credit_grade_id = self._grade("C")
        self.assertEqual(file.next_review_date, self.today.replace(year=2031))
        file.write({"grade_id": self._grade("E").id, "next_review_date": self._day(9)})
        self.assertEqual(file.next_review_date, self._day(9), "somebody says when")
        file.grade_id = self._grade("E")
        self.assertEqual(file.next_review_date, self._day(9), "the same grade")
        # As an import with an empty column writes it.
        file.sudo().write({"grade_id": self._grade("D").id, "next_review_date": False})
        self.assertEqual(file.next_review_date, self.today.replace(month=12))
        made = self.env["ar.credit.file"].create(
            {"partner_id": self._customer("Made").id, "grade_id": self._grade("E").id}
        )
        self.assertEqual(made.next_review_date, self.today.replace(month=9))


class TestNoScore(ArrearsCommon):
    """Where there is no score, none is shown, exported, read or found."""

    def setUp(self):
        super().setUp()
        self.never = self._customer("Never")
        self.bad = self._customer("Bad")
        for customer in (self.customer, self.bad):
            self.env["ar.credit.file"]._get_file(customer, self.company, create=True)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ar_credit_file SET score = 0 WHERE id = %s", [self.bad.credit_file_id.id]
        )
        self.env.invalidate_all()

    def test_reading(self):
        file = self.customer.credit_file_id
        for name in ("score", "ability_score", "willingness_score"):
            self.assertIs(file.read([name])[0][name], False)
            self.assertEqual(file.export_data([name])["datas"], [[""]])
        self.assertIs(self.customer.read(["credit_score"])[0]["credit_score"], False)
        self.assertIs(self.never.credit_score, False)
        self.assertEqual(self.bad.credit_score, 0)
        self.assertEqual(self.bad.credit_file_id.export_data(["score"])["datas"], [[0.0]])
        review = self.env["ar.credit.review"].create({"file_id": file.id})
        self.assertIs(review.read(["score"])[0]["score"], False)
        self.assertIs(review.willingness_score, False)

    def test_searching(self):
        ours = self.customer + self.never + self.bad
        for operator, value, found in (
            ("=", False, self.customer + self.never),
            ("!=", False, self.bad),
            ("=", 0, self.bad),
            ("<", 50, self.bad),
            ("<=", 0, self.bad),
            (">", 0, ours.browse()),
            ("in", [0, 7], self.bad),
        ):
            with self.subTest(operator=operator, value=value):
                domain = [("id", "in", ours.ids), ("credit_score", operator, value)]
                self.assertEqual(self.env["res.partner"].search(domain), found.sorted())
                if operator != "!=":
                    files = ours.credit_file_id.filtered_domain([("score", operator, value)])
                    self.assertEqual(files.partner_id, found - self.never)

    def test_averages_leave_it_out(self):
        self.bad.credit_file_id.sudo().score = 60
        domain = [("partner_id", "in", (self.customer + self.bad).ids)]
        self.assertEqual(
            self.env["ar.credit.file"]._read_group(domain, [], ["score:avg"]), [(60.0,)]
        )


class TestFiguresOfReviews(ReviewCommon):
    def test_old_figures_are_refreshed_on_submit(self):
        self._pay(self._invoice(self.customer, 1000, due=-20), day=-20)
        self.env["ar.credit.refresh"]._refresh_customers(self.file, self.today)
        review = self._review()
        self._fill(review)
        self.assertEqual((review.figures_date, review.arrears_days), (self.today, 0))
        self._invoice(self.customer, 500, due=1)
        for days, refreshed in ((7, False), (8, True)):
            later = review.with_context(ar_clock=self._clock(days)).with_user(self.collector)
            with self.subTest(days=days):
                later.action_submit()
                date = self._day(days) if refreshed else self.today
                self.assertEqual(review.figures_date, date)
                self.assertEqual(review.arrears_days, days - 1 if refreshed else 0)
                late = self._line(review, self.late)
                self.assertEqual(late.value, 500 * 7 / 1500 if refreshed else 0)
                later.action_draft()

    def _clock(self, days):
        return type(self.env.context["ar_clock"])(self._day(days))

    def test_a_chosen_grade_stays_chosen(self):
        self._pay(self._invoice(self.customer, 1000, due=-20), day=-20)
        self.env["ar.credit.refresh"]._refresh_customers(self.file, self.today)
        review = self._review()
        self._fill(review)
        self.assertEqual(review.grade_id, self.good)
        review.grade_id = self.fair
        later = review.with_context(ar_clock=self._clock(30)).with_user(self.collector)
        later.action_submit()
        self.assertEqual((review.grade_id, review.figures_date), (self.fair, self._day(30)))


class TestFirstGrading(ReviewCommon):
    def test_a_whole_ledger_is_graded_in_one_list(self):
        late, new = self._customer("Late"), self._customer("New")
        self._invoice(late, 1000, due=-50)
        self._pay(self._invoice(self.customer, 1000, due=-50), day=-50)
        self.ratio.weight = self.visit.weight = self.bureau.weight = 1
        refresh = self.env["ar.credit.refresh"]
        refresh._refresh_figures(self.company, self.today)
        refresh._adopt_behaviour(self.company, self.today)
        new_file = self.env["ar.credit.file"]._get_file(new, self.company, create=True)
        files = (self.file + late.credit_file_id + new_file).with_user(self.manager)
        self.assertEqual(
            files.search(
                [
                    ("id", "in", files.ids),
                    "|",
                    ("grade_id", "=", False),
                    ("grade_id.is_default", "=", True),
                ]
            ),
            files.sorted(),
        )
        wizard = self.env["ar.credit.rescore"].with_user(self.manager)
        action = wizard.browse(files.action_rescore()["res_id"]).action_apply()
        reviews = self.env["ar.credit.review"].search(action["domain"])
        self.assertEqual(action["views"][0][1], "list")
        self.assertEqual(
            {(r.partner_id, r.reason, r.grade_id, bool(r.reason_note)) for r in reviews},
            {
                (self.customer, "first", self.good, True),
                (late, "first", self.poor, True),
            },
        )
        reviews.with_user(self.manager).action_submit()
        self._refused(reviews.with_user(self.manager).action_approve, UserError)
        reviews.with_user(self.second).action_approve()
        self.assertEqual(self.file.grade_id, self.good)
        self.assertEqual(late.credit_file_id.grade_id, self.poor)
        self.assertFalse(new_file._is_graded())
        self.assertTrue(self.file.next_review_date)


class TestManyFiles(ArrearsCommon):
    COUNT = 2500

    def test_many_files_take_no_more_queries(self):
        few = self._make_files(200)
        self._measure(few)
        few.sudo().write({"score": False})
        queries = self._measure(few)
        many = self._make_files(self.COUNT)
        found = self._measure(many)
        self.assertEqual(found, queries)
        self.assertLessEqual(found, 60)
        scored = many.search_count([("id", "in", many.ids), ("score", "!=", False)])
        self.assertGreater(scored, self.COUNT * 0.9)

    def _make_files(self, count):
        name = f"One of {count}"
        self.env.cr.execute(
            """
            WITH made AS (
                INSERT INTO res_partner (name, complete_name, active, is_company, type,
                                         autopost_bills)
                SELECT %(name)s, %(name)s, TRUE, TRUE, 'contact', 'ask'
                  FROM GENERATE_SERIES(1, %(count)s)
             RETURNING id
            )
            SELECT COUNT(*) FROM made
            """,
            {"name": name, "count": count},
        )
        self.env.cr.execute(
            "UPDATE res_partner SET commercial_partner_id = id WHERE name = %s", [name]
        )
        self.env["ar.credit.refresh"]._make_files(
            self.company, SQL("SELECT id FROM res_partner WHERE name = %s", name)
        )
        self.env.cr.execute(
            """
            UPDATE ar_credit_file file
               SET (late_count, on_time_share, avg_days_late, max_days_late, settled_amount,
                    settled_count, arrears_amount, arrears_count, arrears_days,
                    arrears_mean_days, open_amount)
                 = (file.id %% 7, 0.1 * (file.id %% 11), file.id %% 40, file.id %% 90, 1000,
                    10, 100 * (file.id %% 3), file.id %% 3, file.id %% 120, file.id %% 60, 2000)
              FROM res_partner partner
             WHERE partner.id = file.partner_id AND partner.name = %s
         RETURNING file.id
            """,
            [name],
        )
        found = self.env["ar.credit.file"].browse(id_ for (id_,) in self.env.cr.fetchall())
        self.env.invalidate_all(flush=False)
        return found

    def _measure(self, files):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        date = self.today + timedelta(days=1)
        self.env["ar.credit.scoring"]._score_again(self.company, date, files)
        return self.env.cr.sql_log_count - before
