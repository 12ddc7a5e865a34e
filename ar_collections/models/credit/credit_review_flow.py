from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from .credit_file_score import OPEN

ACTIVITY = "ar_collections.activity_credit_review"
MANAGER = "ar_collections.group_credit_manager"
# A review is opened this long before it is due.
DAYS_AHEAD = 30
# Share of the limit from which a review is opened, and for how long a review settles that.
LIMIT_USE, LIMIT_USE_DAYS = 0.9, 90
# Days to work on a review that an event opened.
DAYS_TO_WORK = 7


class ArCreditReview(models.Model):
    """Who opens reviews, and how they are decided."""

    _inherit = "ar.credit.review"

    # Buttons

    def action_submit(self):
        """Hand the proposal over to a credit manager; it is not changed any more."""
        self.check_access("write")
        for review in self:
            review._check_complete()
            review.sudo().write(
                {
                    "state": "submitted",
                    "submitter_id": self.env.uid,
                    "submitted_date": review.company_id._ar_today(),
                    **review.sudo()._current_values(),
                }
            )
        self.activity_unlink([ACTIVITY])
        self._notify_managers()
        return True

    def _check_complete(self):
        self._check_state("draft")
        if not self.grade_id:
            raise UserError(self.env._("Choose the grade that you propose."))
        if not self.is_graded and not (self.reason_note or "").strip():
            raise UserError(
                self.env._(
                    "Only %(known)s %% of the scorecard is known, %(least)s %% are needed. Fill in "
                    "more of it, or explain the proposal in the assessment.",
                    known=round(100 * self.coverage),
                    least=round(100 * self.company_id.sudo().ar_score_coverage),
                )
            )
        missing = self.document_ids.filtered("is_missing")
        if missing:
            raise UserError(
                self.env._(
                    "Attach these documents first: %s.", ", ".join(missing.type_id.mapped("name"))
                )
            )

    def _check_state(self, *states):
        if self.state not in states:
            raise UserError(
                self.env._(
                    "%(review)s is %(state)s.",
                    review=self.display_name,
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        self.state
                    ].lower(),
                )
            )

    def action_approve(self):
        """Apply grade, limit and score to the credit file."""
        self._check_may_decide()
        for review in self.sudo():
            review._decide("approved")
            review._apply()
        return True

    def action_refuse(self):
        """Leave everything as it is; the reason is in the decision note."""
        self._check_may_decide()
        for review in self.sudo():
            if not (review.decision_note or "").strip():
                raise UserError(self.env._("Write down why you refuse the review."))
            review._decide("refused")
        return True

    def action_cancel(self):
        """Give the review up."""
        self.check_access("write")
        for review in self:
            review._check_state(*OPEN)
            if review.state == "submitted":
                review._check_mine()
            review.sudo().write(
                {"state": "cancelled", "decision_date": review.company_id._ar_today()}
            )
        self.activity_unlink([ACTIVITY])
        return True

    def action_draft(self):
        """Take back what was submitted or refused, to work on it again."""
        self.check_access("write")
        for review in self:
            review._check_state("submitted", "refused")
            review._check_mine()
            review.sudo().write({"state": "draft", "approver_id": False, "decision_date": False})
        self.activity_unlink([ACTIVITY])
        return True

    def _check_mine(self):
        people = self.requester_id | self.submitter_id
        if self.env.user not in people and not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only %s or a credit manager can do that.", self._names(people))
            )

    def _names(self, people):
        return ", ".join(people.sudo().mapped("name"))

    def _check_may_decide(self):
        """Both the buttons and calls from outside pass here, whatever their rights are."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Credit reviews are decided by a credit manager."))
        self.check_access("write")
        self.lock_for_update(allow_referencing=True)
        for review in self:
            review._check_state("submitted")
            if self.env.user in review.requester_id | review.submitter_id:
                raise UserError(
                    self.env._(
                        "Four eyes see more than two: %(review)s is from %(people)s, so another "
                        "credit manager decides it.",
                        review=review.display_name,
                        people=self._names(review.requester_id | review.submitter_id),
                    )
                )

    def _decide(self, state):
        self.write(
            {
                "state": state,
                "approver_id": self.env.uid,
                "decision_date": self.company_id._ar_today(),
            }
        )
        self.activity_unlink([ACTIVITY])

    def _apply(self):
        """Write what was approved to the credit file, in the name of the approver."""
        months = self.grade_id.review_months
        self.file_id.write(
            {
                "grade_id": self.grade_id.id,
                "limit_mode": self.limit_mode,
                **({"custom_limit": self.limit_amount} if self.limit_mode == "custom" else {}),
                "limit_reason": self.env._("Credit review %s", self.name),
                "score": self.score,
                "ability_score": self.ability_score,
                "willingness_score": self.willingness_score,
                "score_coverage": self.coverage,
                "score_date": self.decision_date if self.coverage else False,
                "suggested_way": self.suggested_way,
                "next_review_date": months and self.decision_date + relativedelta(months=months),
            }
        )
        self.file_id._message_log(
            body=self.env._("Credit review %s was approved.", self._get_html_link(title=self.name))
        )

    # Activities

    def _notify_managers(self):
        """Ask the credit manager of the company, or all of them, to decide."""
        for review in self.sudo():
            people = review.requester_id | review.submitter_id
            managers = review.company_id.ar_credit_manager_id - people
            managers = managers or self.env.ref(MANAGER).sudo().all_user_ids.filtered(
                lambda user, company=review.company_id: (
                    user.active and user._is_internal() and company in user.company_ids.root_id
                )
            )
            for manager in managers - people:
                review.activity_schedule(
                    ACTIVITY,
                    date_deadline=review.submitted_date,
                    summary=self.env._("Decide the credit review"),
                    user_id=manager.id,
                )

    def _notify_opened(self, date):
        """Ask the collector of each customer, or the credit manager, to fill in the review."""

        def worker(review):
            user = review.file_id.collector_id or review.company_id.ar_credit_manager_id
            deadline = date + relativedelta(days=DAYS_TO_WORK)
            if review.reason == "due" and review.file_id.next_review_date:
                deadline = max(review.file_id.next_review_date, date)
            return user, deadline

        reviews = self.with_context(mail_activity_quick_update=True)
        for (user, deadline), batch in reviews.grouped(worker).items():
            if user:
                batch.activity_schedule(
                    ACTIVITY,
                    date_deadline=deadline,
                    summary=self.env._("Fill in the credit review"),
                    user_id=user.id,
                )

    # Opened by the system

    @api.model
    def _open_for(self, files, reason, note=None, date=None):
        """Open draft reviews, but not of customers whose last one is not decided.

        :param files: credit files
        :param reason: a value of ``reason``
        :param note: text for the assessment, or ``{file id: text}``
        :param date: the day of the reviews, by default today
        :return: the new reviews
        """
        opened = self.sudo()._read_group(
            [("file_id", "in", files.ids), ("state", "in", OPEN)], ["file_id"]
        )
        files = files.sudo().browse(set(files.ids) - {file.id for (file,) in opened}).sorted("id")
        reviews = self.sudo().with_context(mail_create_nolog=True, tracking_disable=True)
        reviews = reviews.create(
            [
                {
                    "file_id": file.id,
                    "reason": reason,
                    "reason_note": note.get(file.id) if isinstance(note, dict) else note,
                    "date": date or file.company_id._ar_today(),
                    # Nobody's own proposal yet.
                    "requester_id": False,
                }
                for file in files
            ]
        )
        for day, batch in reviews.grouped("date").items():
            batch._notify_opened(day)
        return reviews.with_env(self.env)

    @api.model
    def _open_due(self, company, date):
        """Open the reviews whose day comes, and those of customers who need a larger limit.

        :return: the new reviews
        """
        files = self.env["ar.credit.file"].sudo()
        ours = ("company_id", "in", company.ids)
        due = files.search(
            [
                ours,
                ("next_review_date", "<=", date + relativedelta(days=DAYS_AHEAD)),
                self._not_decided_since(date - relativedelta(days=DAYS_AHEAD)),
            ]
        )
        used = files.search(
            [
                ours,
                ("is_limited", "=", True),
                ("limit_use", ">", LIMIT_USE),
                ("exposure", ">", 0),
                "|",
                ("review_ids", "any", [("state", "=", "approved")]),
                ("grade_id.is_default", "=", False),
                self._not_decided_since(date - relativedelta(days=LIMIT_USE_DAYS)),
            ]
        )
        reviews = self._open_for(due, "due", date=date)
        notes = {
            file.id: self.env._("%s %% of the credit limit is in use.", round(100 * file.limit_use))
            for file in used
        }
        return reviews + self._open_for(used, "limit_use", notes, date)

    @api.model
    def _not_decided_since(self, date):
        """A domain of credit files: a decision, whatever it was, settles a question for a while."""
        return ("review_ids", "not any", [("decision_date", ">", date)])

    def _move_to(self, file):
        """Bring the reviews along when their customers become the customer of the file.

        Of several reviews under way the one of the file, or else the first, goes on.
        """
        reviews = self.sudo()
        opened = (file.sudo().review_ids | reviews).filtered(lambda review: review.state in OPEN)
        for review in opened[1:]:
            review.activity_unlink([ACTIVITY])
            review.write({"state": "cancelled", "decision_date": file.company_id._ar_today()})
        reviews.flush_recordset()
        reviews.write({"file_id": file.id})

    @api.model
    def _open_moved(self, files, scores, grades, date):
        """Open reviews of customers whose score earns another grade than they have.

        Not again for a grade that the last review proposed already, whatever was decided then.

        :param scores: ``{file id: Score}``
        :param grades: ``{file id: id of the grade by score}``
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
                    tuple(files.ids) or (0,),
                )
            )
        )
        files = files.filtered(lambda file: proposed.get(file.id) != grades[file.id])
        names = {
            grade.id: grade.display_name
            for grade in self.env["ar.credit.grade"].sudo().browse(set(grades.values()) - {None})
        }
        notes = {
            file.id: self.env._(
                "The score of %(score)s on %(date)s earns grade %(grade)s.",
                score=round(scores[file.id].score, 1),
                date=format_date(self.env, date),
                grade=names[grades[file.id]],
            )
            for file in files
        }
        return self._open_for(files, "metrics", notes, date)
