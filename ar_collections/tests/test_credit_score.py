from datetime import timedelta
from statistics import pstdev
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from hypothesis import given, settings, strategies as st
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import BaseCase
from odoo.tools import SQL, mute_logger

from ..models.credit.credit_criterion import Metric
from ..models.credit.credit_score import (
    Answer,
    Band,
    Range,
    cap_grade,
    find_band,
    find_faults,
    grade_of,
    score,
)
from .common import CollectionsCommon
from .test_credit_review import ReviewCommon

POINTS = st.integers(0, 100)
BANDS = st.lists(st.tuples(st.integers(-5, 20), POINTS), max_size=5, unique_by=lambda band: band[0])
ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(("ability", "willingness")),
        st.integers(1, 400).map(lambda weight: weight / 4),
        BANDS,
        st.none() | st.integers(-8, 25),
        st.booleans(),
    ),
    max_size=8,
)


def _answers(rows):
    answers = []
    for number, (aspect, weight, bands, value, chosen) in enumerate(rows):
        bands = tuple(Band(index, *band) for index, band in enumerate(bands, 1))
        option = bands[value % len(bands)].id if chosen and bands and value is not None else None
        answers.append(Answer(number, aspect, weight, bands, None if option else value, option))
    return answers


def _oracle(answers):
    """Slow and obvious: as somebody with a pencil fills in the card."""
    sums, known, total = {}, 0, 0
    for answer in answers:
        total += answer.weight
        points = None
        if answer.option is not None:
            points = {band.id: band.points for band in answer.bands}[answer.option]
        elif answer.value is not None and answer.bands:
            ladder = sorted(answer.bands, key=lambda band: band.value_from)
            points = ladder[0].points
            for band in ladder:
                if answer.value >= band.value_from:
                    points = band.points
        if points is None:
            continue
        known += answer.weight
        for name in ("score", answer.aspect):
            weight, weighted = sums.get(name, (0, 0))
            sums[name] = weight + answer.weight, weighted + answer.weight * points
    means = {name: weighted / weight for name, (weight, weighted) in sums.items()}
    return means, known / total if total else 0


class TestPureScore(BaseCase):
    def _card(self, *values):
        bands = (Band(1, 0, 100), Band(2, 10, 60), Band(3, 30, 0))
        return [
            Answer(index, aspect, weight, bands, value)
            for index, (aspect, weight, value) in enumerate(values)
        ]

    def test_weighted_mean(self):
        found = score(self._card(("ability", 30, 0), ("willingness", 10, 10)), 0.5)
        self.assertEqual(
            (found.score, found.ability, found.willingness, found.coverage), (90, 100, 60, 1)
        )
        self.assertEqual([line.points for line in found.lines], [100, 60])
        self.assertEqual([line.contribution for line in found.lines], [75, 15])
        self.assertEqual(found.lines[1].reason, ("from", (10, 10)))

    def test_edges_of_bands(self):
        bands = (Band(1, 0, 100), Band(3, 30, 0), Band(2, 10, 60))
        for value, points, code in (
            (-5, 100, "below"),
            (0, 100, "from"),
            (9.99, 100, "from"),
            (10, 60, "from"),
            (29.999, 60, "from"),
            (30, 0, "from"),
            (1e9, 0, "from"),
        ):
            band, reason = find_band(Answer(0, "ability", 1, bands, value))
            self.assertEqual((band.points, reason[0]), (points, code), value)

    def test_options(self):
        bands = (Band(7, 0, 90), Band(8, 0, 10))
        self.assertEqual(find_band(Answer(0, "ability", 1, bands, None, 8))[0].points, 10)
        self.assertIsNone(find_band(Answer(0, "ability", 1, bands, None, 9))[0], "not there")
        self.assertIsNone(find_band(Answer(0, "ability", 1, bands))[0])
        self.assertIsNone(find_band(Answer(0, "ability", 1, (), 5))[0], "no bands, no points")

    def test_unknown_lowers_the_coverage_only(self):
        card = self._card(("ability", 60, 0), ("willingness", 40, None))
        found = score(card, 0.5)
        self.assertEqual((found.score, found.coverage, found.graded), (100, 0.6, True))
        self.assertIsNone(found.willingness)
        self.assertIsNone(found.way, "nothing is known of the willingness")
        self.assertFalse(score(card, 0.61).graded)
        self.assertTrue(score(card, 0.6).graded, "the least coverage is enough")

    def test_nothing_known(self):
        for card in ([], self._card(("ability", 5, None))):
            found = score(card, 0)
            self.assertEqual((found.score, found.coverage, found.graded), (None, 0, False))
            self.assertIsNone(found.way)

    def test_ways(self):
        for ability, willingness, way in (
            (0, 0, "negotiate"),
            (40, 0, "instalments"),
            (0, 40, "firm"),
            (40, 40, "legal"),
        ):
            card = self._card(("ability", 1, ability), ("willingness", 1, willingness))
            self.assertEqual(score(card, 0.5).way, way)
        half = (Band(1, 0, 50),)
        card = [Answer(0, "ability", 1, half, 1), Answer(1, "willingness", 1, half, 1)]
        self.assertEqual(score(card, 0.5).way, "negotiate", "50 counts as a yes")

    def test_both_bounds_of_a_grade_decide(self):
        scale = [Range(1, 80, 100), Range(2, 65, 80), Range(3, 0, 50), Range(4, 0, 0)]
        for points, grade in (
            *((100, 1), (80, 1), (79.99, 2), (65, 2), (64.99, None), (50.01, None), (50, 3)),
            (0, 3),
        ):
            self.assertEqual(grade_of(points, scale), grade, points)
        self.assertIsNone(grade_of(5, [Range(1, 10, 100)]))
        self.assertIsNone(grade_of(5, []))
        alike = [Range(4, 0, 100), Range(5, 0, 100)]
        self.assertEqual(grade_of(9, alike), 4, "the first of two alike")
        self.assertIsNone(grade_of(0, [Range(4, 0, 0)]), "given by hand only")

    def test_faults_of_a_scale(self):
        for spans, gaps, overlaps in (
            (((80, 100), (0, 80)), [], []),
            (((80, 100), (0, 70)), [(70, 80)], []),
            (((5, 90),), [(0, 5), (90, 100)], []),
            (((60, 100), (0, 65)), [], [(2, 1)]),
            (((0, 100), (20, 30), (0, 0)), [], [(1, 2)]),
            (((0, 0),), [], []),
        ):
            scale = [Range(number, *span) for number, span in enumerate(spans, 1)]
            self.assertEqual(find_faults(scale), (gaps, overlaps), spans)

    def test_knockouts_cap(self):
        scale = [Range("A", 80, 100), Range("C", 50, 80), Range("E", 0, 50)]
        for earned, caps, found in (
            ("A", [], ("A", None)),
            ("A", [("rule", 50)], ("C", "rule")),
            ("A", [("mild", 50), ("hard", 0)], ("E", "hard")),
            ("E", [("rule", 50)], ("E", None)),
            ("C", [("rule", 50)], ("C", None)),
            (None, [("rule", 50)], ("C", "rule")),
            ("A", [("rule", 60)], ("C", "rule")),
            ("A", [("rule", -1)], ("E", "rule")),
        ):
            self.assertEqual(cap_grade(earned, caps, scale), found, (earned, caps))
        self.assertEqual(cap_grade("A", [("rule", 50)], []), ("A", None), "no scale, no cap")

    def test_yes_from_the_companys_points(self):
        card = self._card(("ability", 1, 10), ("willingness", 1, 0))
        for yes_from, way in ((59, "negotiate"), (60, "negotiate"), (61, "instalments")):
            self.assertEqual(score(card, 0.5, yes_from).way, way)

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(ANSWERS, st.integers(0, 4).map(lambda quarter: quarter / 4))
    def test_equals_the_oracle(self, rows, least):
        answers = _answers(rows)
        found = score(answers, least)
        means, coverage = _oracle(answers)
        for name in ("score", "ability", "willingness"):
            value = getattr(found, name)
            if name in means:
                self.assertAlmostEqual(value, means[name], delta=0.00501)
                self.assertTrue(0 <= value <= 100)
            else:
                self.assertIsNone(value)
        self.assertAlmostEqual(found.coverage, coverage, 4)
        self.assertEqual(found.graded, bool(means) and coverage >= least - 1e-9)
        self.assertAlmostEqual(
            sum(line.contribution for line in found.lines), means.get("score", 0), 6
        )
        self.assertEqual(len(found.lines), len(answers))

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(ANSWERS, st.randoms(use_true_random=False))
    def test_order_and_scale_of_weights_do_not_matter(self, rows, dice):
        answers = _answers(rows)
        shuffled = [answer._replace(weight=answer.weight * 8) for answer in answers]
        dice.shuffle(shuffled)
        one, other = score(answers, 0.5), score(shuffled, 0.5)
        self.assertEqual(
            (one.score, one.coverage, one.way), (other.score, other.coverage, other.way)
        )


class TestCard(CollectionsCommon):
    def test_default_card(self):
        card = self.env["ar.credit.criterion"]._get_card_criteria(self.company)
        self.assertEqual(len(card), 17)
        self.assertEqual(sum(card.mapped("weight")), 100)
        self.assertEqual(set(card.mapped("kind")), {"metric", "number", "rating", "external"})
        self.assertEqual(len(card.filtered(lambda criterion: criterion.kind == "metric")), 10)
        for criterion in card:
            criterion._check_bands()
            self.assertTrue(criterion.description)
            points = criterion.band_ids.mapped("points")
            self.assertGreaterEqual(max(points) - min(points), 80, criterion.name)

    def test_ledger_alone_is_enough_for_a_grade(self):
        """Customers without limit too, as all are on the first day."""
        card = self.env["ar.credit.criterion"]._get_card_criteria(self.company)
        ledger = card.filtered(
            lambda criterion: criterion.kind == "metric" and criterion.metric != "limit_use"
        )
        self.assertGreaterEqual(sum(ledger.mapped("weight")), 100 * self.company.ar_score_coverage)

    def _criterion(self, bands, **values):
        return self.env["ar.credit.criterion"].create(
            {
                "name": "Test",
                "weight": 5,
                "band_ids": [Command.create(band) for band in bands],
                **values,
            }
        )

    def _refused(self, text, function, error=ValidationError):
        with self.assertRaisesRegex(error, text), self.env.cr.savepoint():
            function()
            self.env.flush_all()

    def test_errors_of_set_up(self):
        band = {"value_from": 0, "points": 50}
        self._refused("at least one band", lambda: self._criterion([]))
        self._refused("start at the same", lambda: self._criterion([band, band]))
        for constraint, function in (
            ("band_points", lambda: self._criterion([{**band, "points": 101}])),
            ("band_points", lambda: self._criterion([{**band, "points": -1}])),
            ("weight", lambda: self._criterion([band], weight=0)),
            ("valid_months", lambda: self._criterion([band], valid_months=-1)),
        ):
            with mute_logger("odoo.sql_db"):
                self._refused(f"criterion_{constraint}", function, IntegrityError)
        self._refused("figure of the ledger", lambda: self._criterion([band], kind="metric"))
        for labels in (("AA", " aa "), ("AA", False)):
            self._refused(
                "label of its own",
                lambda labels=labels: self._criterion(
                    [{"name": label, "points": 1} for label in labels], kind="rating"
                ),
            )

    def test_bands_are_checked_when_they_change_later(self):
        criterion = self._criterion(
            [{"value_from": 0, "points": 50}, {"value_from": 1, "points": 60}]
        )
        low, high = criterion.band_ids
        self._refused("start at the same", lambda: high.write({"value_from": 0}))
        self._refused("label of its own", lambda: criterion.write({"kind": "rating"}))
        low.unlink()
        self._refused("at least one band", high.unlink)
        self._refused("at least one band", lambda: criterion.write({"band_ids": [(5, 0, 0)]}))
        criterion.active = False
        high.unlink()
        self._refused("at least one band", lambda: criterion.write({"active": True}))

    def test_values_as_one_reads_them(self):
        share = self.env.ref("ar_collections.credit_criterion_on_time_share")
        self.assertEqual(share._format_value(0.955), "95.5 %")
        days = self.env.ref("ar_collections.credit_criterion_avg_days_late")
        self.assertEqual(
            (days._format_value(12), days._format_value(12.34)), ("12 days", "12.3 days")
        )
        ratio = self.env.ref("ar_collections.credit_criterion_debt_ratio")
        self.assertEqual(ratio._format_value(45.25), "45.25 %")
        self.assertEqual(share.band_ids[:2].mapped("display_name"), ["from 0.0 %", "from 50.0 %"])

    def _known(self, **figures):
        """What the criteria know of a customer with these figures, all others zero."""
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        nothing = dict.fromkeys(
            (
                "avg_days_late",
                "on_time_share",
                "late_count",
                "max_days_late",
                "broken_promises",
                "written_off_count",
                "limit_use",
                "sales_trend",
            ),
            0,
        )
        values = {**nothing, "is_limited": False, **figures}
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE ar_credit_file SET %s WHERE id = %s",
                SQL(", ").join(
                    SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items()
                ),
                file.id,
            )
        )
        self.env.invalidate_all()
        criteria = self.env["ar.credit.criterion"].create(
            [
                {
                    "name": metric,
                    "kind": "metric",
                    "metric": metric,
                    "band_ids": [Command.create({"value_from": 0, "points": 50})],
                }
                for metric in nothing
            ]
        )
        found = criteria._read_metrics(file)[file.id]
        criteria.unlink()
        return found

    def test_figures_without_data_have_no_value(self):
        self.assertEqual(set(self._known().values()), {None})
        always = self._known(on_time_share=1)
        self.assertEqual(always["avg_days_late"], 0)
        self.assertEqual(always["late_count"], 0)
        self.assertEqual(always["broken_promises"], 0)
        self.assertEqual(always["written_off_count"], 0)
        self.assertIsNone(always["sales_trend"])
        self.assertIsNone(always["limit_use"])
        never = self._known(late_count=2, avg_days_late=9)
        self.assertEqual((never["on_time_share"], never["avg_days_late"]), (0, 9))
        self.assertEqual(self._known(broken_promises=2)["broken_promises"], 2)
        self.assertEqual(self._known(written_off_count=1)["written_off_count"], 1)
        self.assertEqual(self._known(is_limited=True)["limit_use"], 0)
        self.assertEqual(self._known(sales_trend=-0.5)["sales_trend"], -0.5)

    def _metric_of_a_module(self, metric):
        criterion = self._criterion([{"value_from": 0, "points": 80}], weight=1000)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ar_credit_criterion SET kind = 'metric', metric = %s WHERE id = %s",
            (metric, criterion.id),
        )
        self.env.invalidate_all()
        return criterion

    def test_a_module_adds_a_metric(self):
        """A value of the selection and a method of its name are all that it takes."""
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.sudo().custom_limit = 80
        criterion = self._metric_of_a_module("test_room")

        def metric_test_room(self):
            return Metric(
                SQL("file.custom_limit / 100"),
                SQL("file.custom_limit > 100"),
                is_share=True,
            )

        cls = self.env.registry["ar.credit.criterion"]
        with patch.object(cls, "_metric_test_room", metric_test_room, create=True):
            self.assertTrue(criterion.is_share)
            self.assertEqual(criterion._format_value(0.8), "80.0 %")
            scoring = self.env["ar.credit.scoring"]
            answers = scoring._get_answers(file, self.today)[file.id]
            self.assertEqual([a.value for a in answers if a.criterion == criterion.id], [0.8])
            self.assertEqual(scoring._get_scores(file, self.today)[file.id].score, 80)
            file.sudo().custom_limit = 101
            answers = scoring._get_answers(file, self.today)[file.id]
            self.assertEqual([a.value for a in answers if a.criterion == criterion.id], [None])

    def test_a_metric_that_nobody_knows_is_unknown(self):
        """Its module is gone, or half written: the day goes on for everybody."""
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        criterion = self._metric_of_a_module("of_a_module_that_is_gone")
        scoring = self.env["ar.credit.scoring"]
        answers = scoring._get_answers(file, self.today)[file.id]
        self.assertEqual([a.value for a in answers if a.criterion == criterion.id], [None])
        self.assertLess(scoring._get_scores(file, self.today)[file.id].coverage, 0.1)
        scoring._score_again(self.company, self.today, file)
        self.assertFalse(criterion.is_share)
        self.assertEqual(criterion._format_value(3), "3")
        review = self.env["ar.credit.review"].create({"file_id": file.id})
        line = review.line_ids.filtered(lambda line: line.criterion_id == criterion)
        self.assertFalse(line.has_value)

    def test_share_of_companies(self):
        own = self._criterion([{"value_from": 0, "points": 50}], company_id=self.company.id)
        other = self.setup_other_company(name="Other company")["company"]
        criteria = self.env["ar.credit.criterion"]
        self.assertIn(own, criteria._get_card_criteria(self.company))
        self.assertNotIn(own, criteria._get_card_criteria(other))


class TestBehaviour(CollectionsCommon):
    """The spread of delays and the trend of sales, against a slow oracle."""

    def _behaviour(self, day=0):
        found = self.env["ar.position"]._behaviour(self.company, self._day(day), self.customer)
        return found.get((self.company.id, self.customer.id))

    def _trend(self, sales, date):
        """Of ``[(date, amount)]``, as somebody would do it with a calendar."""
        year = sum(a for d, a in sales if date - timedelta(365) < d <= date)
        quarter = sum(a for d, a in sales if date - timedelta(90) < d <= date)
        if year <= 0 or year - quarter <= 0:
            return 0
        return quarter * 365 / 90 / year - 1

    def test_trend_of_sales(self):
        sales = []
        for days, amount in ((400, 900), (364, 100), (200, 300), (90, 50), (89, 70), (10, 40)):
            date = self._day(-days)
            self._invoice(self.customer, amount, due=0, date_=date)
            sales.append((date, amount))
        self._invoice(self.customer, 30, due=0, date_=self._day(-5), move_type="out_refund")
        sales.append((self._day(-5), -30))
        for day in (-300, -80, -10, 0, 20, 80, 84, 85, 200):
            with self.subTest(day=day):
                found = self._behaviour(day)
                self.assertAlmostEqual(
                    found.sales_trend if found else 0, self._trend(sales, self._day(day)), 6
                )
        self.assertAlmostEqual(self._behaviour().sales_trend, 80 * 365 / 90 / 530 - 1, 6)

    def test_no_trend_without_older_sales(self):
        self._invoice(self.customer, 100, due=0, date_=self._day(-20))
        self.assertEqual(self._behaviour().sales_trend, 0)

    def test_spread_of_delays(self):
        delays = (0, 3, 3, 20, 41)
        for index, delay in enumerate(delays):
            invoice = self._invoice(self.customer, 100 * (index + 1), due=-60)
            self._pay(invoice, day=-60 + delay)
        self.assertAlmostEqual(self._behaviour().late_spread, pstdev(delays), 6)
        self._pay(self._invoice(self.customer, 10, due=-30), day=-35)
        self.assertAlmostEqual(self._behaviour().late_spread, pstdev((*delays, 0)), 6)
        self._run(0)
        self.assertAlmostEqual(self.customer.credit_file_id.late_spread, pstdev((*delays, 0)), 6)

    def test_one_item_has_no_spread(self):
        self._pay(self._invoice(self.customer, 10, due=-30), day=-10)
        self.assertEqual(self._behaviour().late_spread, 0)


class TestRescore(ReviewCommon):
    def _rescore(self, files=None, day=1):
        return self.env["ar.credit.scoring"]._score_again(self.company, self._day(day), files)

    def _queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _open_reviews(self, file=None):
        return self.env["ar.credit.review"].search(
            [
                ("file_id", "=", (file or self.file).id),
                ("state", "in", ("draft", "submitted")),
            ]
        )

    def test_a_moved_grade_opens_a_review_and_changes_nothing(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        self.assertEqual(self.file.grade_id, self.good)
        self.assertFalse(self._rescore())
        self.assertFalse(self._open_reviews())
        self._figures(self.file, avg_days_late=50)
        self.assertEqual(self._rescore(), self.file)
        self.assertRecordValues(
            self.file,
            [
                {
                    "grade_id": self.good.id,
                    # 30 x 100 + 10 x 90 of 80
                    "score": 48.75,
                    "ability_score": 100,
                    "willingness_score": 18,
                    "suggested_way": "firm",
                    "score_date": self._day(1),
                }
            ],
        )
        review = self._open_reviews()
        self.assertRecordValues(
            review,
            [
                {
                    "reason": "metrics",
                    "state": "draft",
                    "requester_id": False,
                    "date": self._day(1),
                    "proposed_grade_id": self.fair.id,
                    "score": 48.75,
                }
            ],
        )
        self.assertIn("48.8", review.reason_note)
        self.assertEqual(self._rescore(day=8), self.file, "still, but it is being looked at")
        self.assertEqual(self._open_reviews(), review)

    def test_a_decided_grade_is_not_asked_for_again(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        self._figures(self.file, avg_days_late=50)
        self._rescore()
        review = self._open_reviews()
        review.with_user(self.collector).action_submit()
        review.with_user(self.manager).decision_note = "One bad month"
        review.with_user(self.manager).action_refuse()
        self.assertEqual(self._rescore(day=8), self.file)
        self.assertFalse(self._open_reviews())
        self._line(self._approved_review(), self.ratio).sudo().value = 0
        self._rescore(day=15)
        self.assertRecordValues(
            self._open_reviews(), [{"reason": "metrics", "proposed_grade_id": self.poor.id}]
        )

    def _approved_review(self):
        return self.env["ar.credit.review"].search(
            [("file_id", "=", self.file.id), ("state", "=", "approved")]
        )

    def test_everybody_is_scored_and_only_reviewed_customers_get_a_review(self):
        self._figures(self.file, avg_days_late=50)
        new = self.env["ar.credit.file"]._get_file(self._customer("New"), self.company, create=True)
        self.assertFalse(self._rescore())
        self.assertRecordValues(
            self.file + new,
            [
                {"score": 0, "score_coverage": 0.4, "score_date": self._day(1)},
                {"score": False, "score_coverage": 0, "score_date": False},
            ],
        )
        self.assertIs(new.score, False, "no score, which is not zero")
        self.assertFalse(self._open_reviews())

    def test_too_little_known_earns_no_grade(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        self._figures(self.file, on_time_share=0, late_count=0)
        self.assertFalse(self._rescore())
        self.assertRecordValues(
            self.file, [{"score_coverage": 0.4, "suggested_way": False, "score": 97.5}]
        )

    def test_entered_values_expire(self):
        self._figures(self.file, avg_days_late=0)
        self.ratio.valid_months = 1
        self._approved()
        self._rescore(day=30)
        self.assertEqual(self.file.score_coverage, 0.8)
        self._rescore(day=31)
        self.assertEqual(self.file.score_coverage, 0.5)

    def test_latest_valid_rating_counts(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        ratings = self.env["ar.credit.rating"]
        for rating, day, until in (("AA", 1, None), ("B", 5, 10), ("AA", 30, None)):
            ratings.create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "criterion_id": self.bureau.id,
                    "rating": rating,
                    "date": self._day(day),
                    "valid_until": until and self._day(until),
                }
            )
        # Without and with AA or B, 20 of then 100: 79 points of 80 before.
        for day, expected in ((0, 98.75), (1, 97), (5, 83), (10, 83), (11, 97), (31, 97)):
            self._rescore(day=day)
            self.assertEqual(self.file.score, expected, day)

    def test_unchanged_scores_are_not_written(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        self._rescore(day=1)
        before = self.file.score_date
        self.env.cr.execute("SELECT xmin::text FROM ar_credit_file WHERE id = %s", [self.file.id])
        version = self.env.cr.fetchone()
        self._rescore(day=8)
        self.env.cr.execute("SELECT xmin::text FROM ar_credit_file WHERE id = %s", [self.file.id])
        self.assertEqual(self.env.cr.fetchone(), version)
        self.assertEqual(self.file.score_date, before)

    def test_queries_do_not_grow(self):
        def files(name, count):
            found = self.env["ar.credit.file"].union(
                *(
                    self.env["ar.credit.file"]._get_file(
                        self._customer(f"{name} {index}"), self.company, create=True
                    )
                    for index in range(count)
                )
            )
            for index, file in enumerate(found):
                self._figures(file, avg_days_late=index % 40)
            found.sudo().grade_id = self.good
            return found

        few, many = files("Few", 5), files("Many", 50)
        # Nothing to open: the scores alone.
        (few + many).sudo().grade_id = self.fair
        scoring = self.env["ar.credit.scoring"]
        scores = scoring._get_scores(few + many, self._day(1))
        self.assertEqual(len(scores), 55)
        self.assertEqual(
            self._queries(lambda: scoring._get_scores(few, self._day(1))),
            self._queries(lambda: scoring._get_scores(many, self._day(1))),
        )
        self.assertEqual(
            self._queries(lambda: self._rescore(few)),
            self._queries(lambda: self._rescore(many)),
        )

    def test_opening_many_reviews_costs_the_same(self):
        """92 queries more for 48 files it was: a number, a file and a customer for each."""
        self.env["ar.credit.document.type"].create({"name": "Statement"})

        def opened(name, count):
            files = self.env["ar.credit.file"].union(
                *(
                    self.env["ar.credit.file"]._get_file(
                        self._customer(f"{name} {index}"), self.company, create=True
                    )
                    for index in range(count)
                )
            )
            files.sudo().collector_id = self.collector
            reviews = self.env["ar.credit.review"]
            queries = self._queries(lambda: reviews._open_for(files, "metrics", "x", self.today))
            made = reviews.search([("file_id", "in", files.ids)])
            self.assertEqual(len(set(made.mapped("name"))), count)
            self.assertEqual(len(made.activity_ids), count)
            return queries

        opened("First", 1)
        few, many = opened("Few", 5), opened("Many", 50)
        self.assertLessEqual(many, few + 5, "inserts of many rows are cut into batches")

    def test_numbers_without_gaps_and_of_two_years(self):
        reviews = self.env["ar.credit.review"].sudo()
        first = reviews._get_next_numbers(self.company, self.today, 3)
        self.assertEqual(len(set(first)), 3)
        start = int(first[0].split("/")[-1])
        self.assertEqual(first, [f"CR/{self.today.year}/{start + index:04d}" for index in range(3)])
        later = reviews._get_next_numbers(self.company, self.today + relativedelta(years=1), 2)
        self.assertEqual(later, [f"CR/{self.today.year + 1}/{index:04d}" for index in (1, 2)])
        sequence = (
            self.env["ir.sequence"]
            .sudo()
            .search([("code", "=", reviews._name), ("company_id", "=", self.company.id)])
        )
        sequence.use_date_range = False
        self.assertEqual(len(set(reviews._get_next_numbers(self.company, self.today, 3))), 3)
        sequence.implementation = "no_gap"
        self.assertEqual(len(set(reviews._get_next_numbers(self.company, self.today, 3))), 3)

    def test_wizard(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        self._figures(self.file, avg_days_late=50)
        other = self.env["ar.credit.file"]._get_file(
            self._customer("Other"), self.company, create=True
        )
        files = (self.file + other).with_user(self.manager)
        self._refused(files.with_user(self.collector).action_rescore)
        wizard = (
            self.env["ar.credit.rescore"]
            .with_user(self.manager)
            .browse(files.action_rescore()["res_id"])
        )
        self.assertRecordValues(wizard, [{"file_count": 2, "graded_count": 1, "changed_count": 1}])
        self.assertRecordValues(
            wizard.line_ids,
            [
                {
                    "file_id": self.file.id,
                    "current_grade_id": self.good.id,
                    "grade_id": self.fair.id,
                    "is_changed": True,
                    "score": 48.75,
                },
                {
                    "file_id": other.id,
                    "current_grade_id": other.grade_id.id,
                    "grade_id": False,
                    "is_changed": False,
                    "score": 0,
                },
            ],
        )
        action = wizard.action_apply()
        review = self.env["ar.credit.review"].search(action["domain"])
        self.assertEqual(review.file_id, self.file)
        self.assertRecordValues(self.file, [{"score": 48.75, "grade_id": self.good.id}])
        again = (
            self.env["ar.credit.rescore"]
            .with_user(self.manager)
            .browse(files.action_rescore()["res_id"])
        )
        again.open_for = "all"
        reviews = self.env["ar.credit.review"].search(again.action_apply()["domain"])
        self.assertEqual(reviews.file_id, other, "the first one has a review under way")
        last = (
            self.env["ar.credit.rescore"]
            .with_user(self.manager)
            .browse(files.action_rescore()["res_id"])
        )
        last.open_for = "none"
        self.assertEqual(last.action_apply()["type"], "ir.actions.act_window_close")
        self._refused(wizard.with_user(self.collector).action_apply)

    def test_way_is_searchable(self):
        self._figures(self.file, avg_days_late=0)
        self._approved()
        found = self.env["ar.credit.file"].search([("suggested_way", "=", "negotiate")])
        self.assertEqual(found, self.file)
        self._refused(lambda: self.file.with_user(self.manager).write({"suggested_way": "legal"}))
