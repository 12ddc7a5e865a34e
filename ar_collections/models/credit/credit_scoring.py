from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL, split_every

from .credit_criterion import CHOICES
from .credit_score import Answer, Source, cap_grade, grade_of, score

# So many customers are in memory at once.
BATCH = 10_000
# What a scoring stores in the credit file, with the type of each column.
SCORE_COLUMNS = {
    "score": "float8",
    "ability_score": "float8",
    "willingness_score": "float8",
    "score_coverage": "float8",
    "suggested_way": "varchar",
    "score_grade_id": "int4",
    "knockout_id": "int4",
}
# What of the credit file the scoring looks at beside the figures.
READ_COLUMNS = ("company_id", "partner_id", "grade_id")


class Earned(NamedTuple):
    """The grade that a score earns, ``None`` when there is none, and the rule that caps it."""

    grade: int | None
    knockout: int | None


class Question(NamedTuple):
    """What a criterion of a scorecard asks, read once for all customers.

    :ivar bands: see ``Answer``
    :ivar metric: name of the figure that answers it, false when somebody or a record does
    :ivar is_choice: whether it is answered by an option, not by a value
    """

    criterion: int
    aspect: str
    weight: float
    bands: list
    metric: str | bool
    is_choice: bool
    valid_months: int


class ArCreditScoring(models.AbstractModel):
    """Scores many customers by what is known of them today, weighed by the scorecard."""

    _name = "ar.credit.scoring"
    _description = "Scoring of Customers"

    @api.model
    def _score_again(self, companies, date, files=None):
        """Bring the scores of many customers to the date, and ask where a grade should change.

        The number of queries does not grow with the customers of a batch. The grades stay as they
        are: a customer with an approved review whose score now earns another grade gets a draft
        review, unless one is open or the last one has already looked at that grade.

        :param files: the credit files, by default all
        :return: the files of these customers whose score earns another grade than they have
        """
        if files is None:
            files = self.env["ar.credit.file"].search([("company_id", "in", companies.ids)])
        moved = files.browse()
        for ids in split_every(BATCH, files.ids):
            moved |= self._score_batch(files.browse(ids), date)
        return moved

    @api.model
    def _score_batch(self, files, date):
        scores = self._get_scores(files, date)
        earned = self._get_earned_grades(files, scores)
        moved = files.filtered(lambda file: earned[file.id].grade not in (None, file.grade_id.id))
        self._write_scores(scores, earned, date)
        reviewed = moved.sudo().search(
            [("id", "in", moved.ids), ("review_ids", "any", [("state", "=", "approved")])]
        )
        moved = reviewed.with_env(self.env)
        if moved:
            self._open_reviews(moved, scores, earned, date)
        return moved

    @api.model
    def _open_reviews(self, files, scores, earned, date):
        """Open reviews of customers whose score earns another grade than they have.

        Not again for a grade that the last review proposed already, whatever was decided then.

        :param scores: ``{file id: Score}``
        :param earned: ``{file id: Earned}``
        """
        self.env["ar.credit.review"].flush_model()
        proposed = dict(
            self.env.execute_query(
                SQL(
                    """
                SELECT DISTINCT ON (file_id) file_id, proposed_grade_id
                  FROM ar_credit_review
                 WHERE decision_date IS NOT NULL AND file_id IN %s
                 ORDER BY file_id, decision_date DESC, id DESC
                """,
                    tuple(files.ids),
                )
            )
        )
        files = files.filtered(lambda file: proposed.get(file.id) != earned[file.id].grade)
        notes = {file.id: self._explain_grade(scores[file.id], earned[file.id]) for file in files}
        return self.env["ar.credit.review"]._open_for(files, "metrics", notes, date)

    @api.model
    def _get_scores(self, files, date):
        """``{file id: Score}`` of what is known on a date; nothing is written."""
        files = files.sudo()
        answers = self._get_answers(files, date)
        scores = {}
        for company, same in files.grouped("company_id").items():
            terms = company._ar_score_terms()
            scores.update((id_, score(answers[id_], **terms)) for id_ in same.ids)
        return scores

    @api.model
    def _get_earned_grades(self, files, scores):
        """The grade that each score earns after the knock-out rules: ``{file id: Earned}``.

        :param scores: see :meth:`_get_scores`
        """
        files = files.sudo()
        files.fetch(READ_COLUMNS)
        caps = self.env["ar.credit.knockout"]._get_caps(files)
        scales = {
            company.id: self.env["ar.credit.grade"]._get_scale(company)
            for company in files.company_id
        }
        grades = {}
        for row in files.read(["company_id"], load=None):
            file_id, scale = row["id"], scales[row["company_id"]]
            found = scores[file_id]
            earned = grade_of(found.score, scale) if found.graded else None
            grades[file_id] = Earned(*cap_grade(earned, caps[file_id], scale))
        return grades

    @api.model
    def _explain_grade(self, score, earned):
        """Why the system proposes a grade, for the assessment of a review.

        :param score: :class:`Score`
        :param earned: :class:`Earned`
        """
        rule = self.env["ar.credit.knockout"].sudo().browse(earned.knockout or ())
        grade = self.env["ar.credit.grade"].sudo().browse(earned.grade or ()).display_name
        if rule:
            return self.env._("%(rule)s: grade %(grade)s at best.", rule=rule.name, grade=grade)
        if not grade:
            return self.env._("Too little is known for a grade.")
        return self.env._(
            "The score of %(score)s earns grade %(grade)s.",
            score=round(score.score, 1),
            grade=grade,
        )

    @api.model
    def _get_answers(self, files, date):
        """Everything that is known of the customers on a date, by a few queries for all.

        :return: ``{file id: [Answer]}``, one answer per criterion of the company's card; its
            ``source`` is a :class:`Source`
        """
        files = files.sudo()
        files.fetch(READ_COLUMNS)
        entered = self.env["ar.credit.review.line"]._get_entered_values(files)
        ratings = self.env["ar.credit.rating"]._get_latest_ratings(files, date)
        criteria = self.env["ar.credit.criterion"].sudo()
        cards = {company.id: criteria._get_card_criteria(company) for company in files.company_id}
        on_cards = criteria.union(*cards.values())
        questions = {
            company_id: [self._get_question(criterion) for criterion in card]
            for company_id, card in cards.items()
        }
        figures = on_cards._read_metrics(files)
        known = on_cards._get_known(files, date)
        today = Source("ledger", date)
        answers = {}
        for row in files.read(["company_id", "partner_id"], load=None):
            file_id, company_id = row["id"], row["company_id"]
            answers[file_id] = file_answers = []
            for question in questions[company_id]:
                value = option = source = None
                if question.metric:
                    value, source = figures[file_id].get(question.metric), today
                else:
                    key = (company_id, row["partner_id"], question.criterion)
                    ours = file_id, question.criterion
                    # What has a record of its own comes before what somebody typed.
                    for found in (ratings.get(key), known.get(ours), entered.get(ours)):
                        if found and self._is_still_valid(question, found[2].date, date):
                            value, option, source = found
                            break
                    if source:
                        if question.is_choice:
                            value = None
                        else:
                            option = None
                file_answers.append(
                    Answer(
                        question.criterion,
                        question.aspect,
                        question.weight,
                        question.bands,
                        value,
                        option,
                        source,
                    )
                )
        return answers

    @api.model
    def _get_question(self, criterion):
        return Question(
            criterion.id,
            criterion.aspect,
            criterion.weight,
            criterion._get_bands(),
            criterion.kind == "metric" and criterion.metric,
            criterion.kind in CHOICES,
            criterion.valid_months,
        )

    @api.model
    def _is_still_valid(self, question, given, date):
        months = question.valid_months
        return not months or given + relativedelta(months=months) >= date

    @api.model
    def _write_scores(self, scores, earned, date):
        """Store the scores that changed, by one statement.

        :param scores: ``{file id: Score}``
        :param earned: ``{file id: Earned}``
        """
        if not scores:
            return
        files = self.env["ar.credit.file"]
        files.flush_model()
        rows = [
            (
                file_id,
                found.score,
                found.ability,
                found.willingness,
                found.coverage,
                found.way,
                earned[file_id].grade,
                earned[file_id].knockout,
            )
            for file_id, found in scores.items()
        ]
        types = ("int4", *SCORE_COLUMNS.values())
        columns = [SQL.identifier(name) for name in SCORE_COLUMNS]
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_credit_file file
               SET (%(columns)s, score_date)
                 = (%(fresh)s, CASE WHEN fresh.score IS NOT NULL THEN %(date)s::date END)
              FROM UNNEST(%(rows)s) AS fresh(id, %(columns)s)
             WHERE fresh.id = file.id AND (%(former)s) IS DISTINCT FROM (%(fresh)s)
            """,
                columns=SQL(", ").join(columns),
                fresh=SQL(", ").join(SQL.identifier("fresh", name) for name in SCORE_COLUMNS),
                former=SQL(", ").join(SQL.identifier("file", name) for name in SCORE_COLUMNS),
                rows=SQL(", ").join(
                    SQL("%s::%s[]", list(values), SQL.identifier(kind))
                    for values, kind in zip(zip(*rows, strict=True), types, strict=True)
                ),
                date=date,
            )
        )
        files.browse(scores).invalidate_recordset([*SCORE_COLUMNS, "score_date"], flush=False)

    @api.model
    def _record_scores(self, companies, date):
        """Keep the scores that changed on a date in the history, unless a row has them already."""
        files = self.env["ar.credit.file"].search(
            [("company_id", "in", companies.ids), ("score_date", "=", date)]
        )
        files._record_history(self.env._("Scored by the system"))
