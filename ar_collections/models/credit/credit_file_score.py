from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, split_every

from .credit_criterion import CHOICES, METRICS
from .credit_score import Answer, grade_of, score

WAYS = [
    ("negotiate", "Able and willing: negotiate"),
    ("instalments", "Willing, not able: instalments"),
    ("firm", "Able, not willing: be firm"),
    ("legal", "Neither: legal steps"),
]
BATCH = 1000
# States of a review that is under way.
OPEN = ("draft", "submitted")
SCORE_COLUMNS = (
    "score",
    "ability_score",
    "willingness_score",
    "score_coverage",
    "suggested_way",
)


class Source(NamedTuple):
    """Where the value of a criterion comes from."""

    origin: str
    date: object
    note: str = None


def known_metric(metric, figures):
    """The figure of the credit file, or ``None`` when there is no data behind it.

    :param figures: mapping of the field names to their stored values
    """
    settled = figures["late_count"] or figures["on_time_share"]
    known = {
        "broken_promises": figures["broken_promises"] or settled,
        "written_off_count": figures["written_off_count"] or settled,
        "limit_use": figures["is_limited"],
        # Exactly zero is what the position says without older sales to compare with.
        "sales_trend": figures["sales_trend"],
    }
    return figures[metric] if known.get(metric, settled) else None


class ArCreditFile(models.Model):
    """The score of a customer: what is known today, weighed by the scorecard."""

    _inherit = "ar.credit.file"

    ability_score = fields.Float(string="Ability to Pay", readonly=True, aggregator="avg")
    willingness_score = fields.Float(string="Willingness to Pay", readonly=True, aggregator="avg")
    score_coverage = fields.Float(
        string="Coverage of the Score",
        readonly=True,
        aggregator="avg",
        help="Weight of the criteria with a known value, as a share of the whole scorecard.",
    )
    score_date = fields.Date(
        string="Scored On", readonly=True, help="When the score became what it is."
    )
    suggested_way = fields.Selection(
        WAYS,
        readonly=True,
        index="btree_not_null",
        help="From the ability and the willingness to pay: 50 points and more count as a yes.",
    )
    review_ids = fields.One2many("ar.credit.review", "file_id")
    review_count = fields.Integer(compute="_compute_review_count")

    @api.depends("review_ids")
    def _compute_review_count(self):
        counts = dict(
            self.env["ar.credit.review"]._read_group(
                [("file_id", "in", self.ids)], ["file_id"], ["__count"]
            )
        )
        for file in self:
            file.review_count = counts.get(file, 0)

    def action_open_reviews(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_credit_review_action"
        )
        return {**action, "domain": [("file_id", "=", self.id)], "context": {}}

    def action_open_score_history(self):
        """Draw what the approved reviews of the customer gave, over time."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_credit_review_action_history"
        )
        return {**action, "domain": [("file_id", "=", self.id), ("state", "=", "approved")]}

    def action_start_review(self):
        """Open the customer's review that is under way, or start one."""
        self.ensure_one()
        reviews = self.env["ar.credit.review"]
        review = reviews.search([("file_id", "=", self.id), ("state", "in", OPEN)], limit=1)
        review = review or reviews.create({"file_id": self.id})
        return review._get_records_action()

    def action_rescore(self):
        """Score the chosen customers, and let the user open reviews."""
        wizard = self.env["ar.credit.rescore"]._for(self)
        return {
            **wizard._get_records_action(target="new"),
            "name": self.env._("Score Customers Again"),
        }

    # What is known

    def _answers(self, date):
        """Everything that is known of the customers on a date, by a few queries for all.

        :return: ``{file id: [Answer]}``, one answer per criterion of the company's card; its
            ``source`` is a :class:`Source`
        """
        files = self.sudo()
        names = [metric for metric, _label in METRICS]
        figures = files.read(
            [*names, "is_limited", "company_id", "partner_id"],
            load=None,
        )
        entered = self.env["ar.credit.review.line"]._entered(files)
        ratings = self.env["ar.credit.rating"]._latest(files, date)
        criteria = self.env["ar.credit.criterion"].sudo()
        cards = {
            company.id: [(criterion, criterion._bands()) for criterion in criteria._card(company)]
            for company in files.company_id
        }
        answers = {}
        for row in figures:
            answers[row["id"]] = row_answers = []
            for criterion, bands in cards[row["company_id"]]:
                value = option = source = None
                if criterion.kind == "metric":
                    value = known_metric(criterion.metric, row)
                    source = Source("ledger", date)
                else:
                    found = ratings.get((row["company_id"], row["partner_id"], criterion.id))
                    found = found or entered.get((row["id"], criterion.id))
                    if found and self._still_valid(criterion, found[2].date, date):
                        value, option, source = found
                        if criterion.kind in CHOICES:
                            value = None
                        else:
                            option = None
                row_answers.append(
                    Answer(
                        criterion.id,
                        criterion.aspect,
                        criterion.weight,
                        bands,
                        value,
                        option,
                        source,
                    )
                )
        return answers

    @api.model
    def _still_valid(self, criterion, given, date):
        months = criterion.valid_months
        return not months or given + relativedelta(months=months) >= date

    def _scores(self, date):
        """``{file id: Score}`` of what is known on a date; nothing is written."""
        coverage = {
            file_id: company.ar_score_coverage
            for company, files in self.sudo().grouped("company_id").items()
            for file_id in files.ids
        }
        return {
            file_id: score(answers, coverage[file_id])
            for file_id, answers in self._answers(date).items()
        }

    @api.model
    def _grade_scale(self, company):
        """``[(grade id, lowest score)]`` of a root company, its own grades first."""
        grades = (
            self.env["ar.credit.grade"]
            .sudo()
            .search(
                [("is_default", "=", False), ("company_id", "in", (company.id, False))],
                order="company_id, sequence, id",
            )
        )
        return [(grade.id, grade.score_from) for grade in grades]

    def _grades_by_score(self, scores):
        """The grade that each score earns: ``{file id: grade id or None}``.

        :param scores: see :meth:`_scores`
        """
        grades = {}
        for company, files in self.sudo().grouped("company_id").items():
            scale = self._grade_scale(company)
            for file_id in files.ids:
                found = scores[file_id]
                grades[file_id] = grade_of(found.score, scale) if found.graded else None
        return grades

    # Scoring again

    @api.model
    def _rescore(self, companies, date, files=None):
        """Bring the scores of many customers to the date, and ask where a grade should change.

        The grades stay as they are: a customer whose score now earns another one gets a draft
        review, unless one is open or the last one has already looked at that grade.

        :param files: the credit files, by default all that ever had an approved review
        :return: the files whose score earns another grade than they have
        """
        if files is None:
            files = self.search(
                [
                    ("company_id", "in", companies.ids),
                    ("review_ids", "any", [("state", "=", "approved")]),
                ]
            )
        moved = []
        for ids in split_every(BATCH, files.ids):
            batch = self.browse(ids)
            scores = batch._scores(date)
            batch._write_scores(scores, date)
            grades = batch._grades_by_score(scores)
            changed = batch.filtered(
                lambda file, grades=grades: grades[file.id] not in (None, file.grade_id.id)
            )
            self.env["ar.credit.review"]._open_moved(changed, scores, grades, date)
            moved += changed.ids
        return self.browse(moved)

    @api.model
    def _write_scores(self, scores, date):
        """Store the scores that changed, by one statement.

        :param scores: ``{file id: Score}``
        """
        if not scores:
            return
        self.env["ar.credit.file"].flush_model()
        columns = [SQL.identifier(name) for name in SCORE_COLUMNS]
        rows = [
            (
                file_id,
                found.score or 0,
                found.ability or 0,
                found.willingness or 0,
                found.coverage,
                found.way,
                date if found.score is not None else None,
            )
            for file_id, found in scores.items()
        ]
        row_types = "(%s, %s::float8, %s::float8, %s::float8, %s::float8, %s::varchar, %s::date)"
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_credit_file file SET (%(columns)s, score_date) = (%(fresh)s, fresh.score_date)
              FROM (VALUES %(rows)s) AS fresh(id, %(columns)s, score_date)
             WHERE fresh.id = file.id
               AND ((%(former)s) IS DISTINCT FROM (%(fresh)s)
                    OR (file.score_date IS NULL) <> (fresh.score_date IS NULL))
            """,
                columns=SQL(", ").join(columns),
                fresh=SQL(", ").join(SQL.identifier("fresh", name) for name in SCORE_COLUMNS),
                former=SQL(", ").join(SQL.identifier("file", name) for name in SCORE_COLUMNS),
                rows=SQL(", ").join(SQL(row_types, *row) for row in rows),
            )
        )
        self.browse(scores).invalidate_recordset([*SCORE_COLUMNS, "score_date"], flush=False)
