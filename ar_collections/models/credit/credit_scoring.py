from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL, split_every

from .credit_criterion import CHOICES
from .credit_score import Answer, Source, grade_of, score

BATCH = 1000
SCORE_COLUMNS = (
    "score",
    "ability_score",
    "willingness_score",
    "score_coverage",
    "suggested_way",
)


class ArCreditScoring(models.AbstractModel):
    """Scores many customers by what is known of them today, weighed by the scorecard."""

    _name = "ar.credit.scoring"
    _description = "Scoring of Customers"

    @api.model
    def _score_again(self, companies, date, files=None):
        """Bring the scores of many customers to the date, and ask where a grade should change.

        The grades stay as they are: a customer whose score now earns another one gets a draft
        review, unless one is open or the last one has already looked at that grade.

        :param files: the credit files, by default all that ever had an approved review
        :return: the files whose score earns another grade than they have
        """
        if files is None:
            files = self.env["ar.credit.file"].search(
                [
                    ("company_id", "in", companies.ids),
                    ("review_ids", "any", [("state", "=", "approved")]),
                ]
            )
        moved = []
        for ids in split_every(BATCH, files.ids):
            batch = files.browse(ids)
            scores = self._get_scores(batch, date)
            self._write_scores(scores, date)
            grades = self._get_earned_grades(batch, scores)
            changed = batch.filtered(
                lambda file, grades=grades: grades[file.id] not in (None, file.grade_id.id)
            )
            self.env["ar.credit.review"]._open_moved(changed, scores, grades, date)
            moved += changed.ids
        return files.browse(moved)

    @api.model
    def _get_scores(self, files, date):
        """``{file id: Score}`` of what is known on a date; nothing is written."""
        companies = {
            file_id: company
            for company, company_files in files.sudo().grouped("company_id").items()
            for file_id in company_files.ids
        }
        return {
            file_id: score(answers, **companies[file_id]._ar_score_terms())
            for file_id, answers in self._get_answers(files, date).items()
        }

    @api.model
    def _get_earned_grades(self, files, scores):
        """The grade that each score earns: ``{file id: grade id or None}``.

        :param scores: see :meth:`_get_scores`
        """
        grades = {}
        for company, company_files in files.sudo().grouped("company_id").items():
            scale = self.env["ar.credit.grade"]._get_scale(company)
            for file_id in company_files.ids:
                found = scores[file_id]
                grades[file_id] = grade_of(found.score, scale) if found.graded else None
        return grades

    @api.model
    def _get_answers(self, files, date):
        """Everything that is known of the customers on a date, by a few queries for all.

        :return: ``{file id: [Answer]}``, one answer per criterion of the company's card; its
            ``source`` is a :class:`Source`
        """
        files = files.sudo()
        entered = self.env["ar.credit.review.line"]._get_entered_values(files)
        ratings = self.env["ar.credit.rating"]._get_latest_ratings(files, date)
        criteria = self.env["ar.credit.criterion"].sudo()
        cards = {
            company: [
                (criterion, criterion._get_bands())
                for criterion in criteria._get_card_criteria(company)
            ]
            for company in files.company_id
        }
        on_cards = criteria.union(*(criterion for card in cards.values() for criterion, _ in card))
        figures = on_cards._read_metrics(files)
        answers = {}
        for file in files:
            answers[file.id] = file_answers = []
            for criterion, bands in cards[file.company_id]:
                value = option = source = None
                if criterion.kind == "metric":
                    value = figures[file.id].get(criterion.metric)
                    source = Source("ledger", date)
                else:
                    key = (file.company_id.id, file.partner_id.id, criterion.id)
                    found = ratings.get(key) or entered.get((file.id, criterion.id))
                    if found and self._is_still_valid(criterion, found[2].date, date):
                        value, option, source = found
                        if criterion.kind in CHOICES:
                            value = None
                        else:
                            option = None
                file_answers.append(
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
    def _is_still_valid(self, criterion, given, date):
        months = criterion.valid_months
        return not months or given + relativedelta(months=months) >= date

    @api.model
    def _write_scores(self, scores, date):
        """Store the scores that changed, by one statement.

        :param scores: ``{file id: Score}``
        """
        if not scores:
            return
        files = self.env["ar.credit.file"]
        files.flush_model()
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
        files.browse(scores).invalidate_recordset([*SCORE_COLUMNS, "score_date"], flush=False)
