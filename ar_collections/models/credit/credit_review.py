from dateutil.relativedelta import relativedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..common.optional_float import OptionalFloat
from .credit_authority import read_asked
from .credit_file import REVIEW_OPEN, SUGGESTED_WAYS
from .credit_score import cap_grade, grade_of, score

ACTIVITY = "ar_collections.activity_credit_review"
MANAGER = "ar_collections.group_credit_manager"
# Older figures are read again before somebody decides by them.
FIGURES_DAYS = 7

REASONS = [
    ("hand", "By hand"),
    ("first", "First grading"),
    ("application", "Credit application"),
    ("due", "Review date"),
    ("limit_use", "Limit nearly used up"),
    ("metrics", "Payment figures changed"),
    ("broken_promise", "Broken promise"),
    ("excuse", "Excuse that is a danger sign"),
    ("warning", "Early warning"),
]
# What somebody proposes; a second person approves it.
PROPOSAL = ("grade_id", "limit_mode", "limit_amount", "limit_currency_id", "limit_in_currency")
# What stays true for days: a review under way is told once.
STANDING = ("first", "due", "limit_use", "metrics")


class ArCreditReview(models.Model):
    """Somebody looks at a customer's credit, proposes grade and limit; somebody else approves."""

    _name = "ar.credit.review"
    _inherit = [
        "ar.credit.proposal",
        "ar.numbered.mixin",
        "ar.state.mixin",
        "ar.four.eyes.mixin",
        "ar.readonly.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Credit Review"
    _order = "date desc, id desc"
    _check_company_auto = True
    _creation_fields = ("file_id",)
    _number_prefix = "CR"
    _asker_fields = ("requester_id", "submitter_id", "proposer_ids")

    file_id = fields.Many2one(
        "ar.credit.file",
        string="Credit File",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        related="file_id.partner_id", string="Customer", store=True, index=True
    )
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("submitted", "Submitted"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
    )
    reason = fields.Selection(
        REASONS, string="Opened By", default="hand", required=True, readonly=True
    )
    events = fields.Json(
        readonly=True, help="What else happened while the review was open: [[reason, text]]."
    )
    reason_note = fields.Text(
        string="Assessment", help="What matters beyond the figures, for whoever approves."
    )
    date = fields.Date(
        string="Opened On",
        required=True,
        readonly=True,
        default=lambda self: self.env.company._ar_today(),
    )
    figures_date = fields.Date(string="Figures As Of", readonly=True)
    requester_id = fields.Many2one(
        "res.users",
        string="Requested By",
        readonly=True,
        default=lambda self: self.env.user,
        help="Empty when the system opened the review.",
    )
    submitter_id = fields.Many2one("res.users", string="Submitted By", readonly=True, copy=False)
    submitted_date = fields.Date(string="Submitted On", readonly=True, copy=False)
    proposer_ids = fields.Many2many(
        "res.users",
        "ar_credit_review_proposer",
        string="Proposed By",
        readonly=True,
        copy=False,
        help="Who chose the grade or the limit of the proposal: somebody else approves it.",
    )
    approver_id = fields.Many2one("res.users", string="Decided By", readonly=True, copy=False)
    decision_date = fields.Date(string="Decided On", readonly=True, index=True, copy=False)
    decision_note = fields.Text(
        string="Reason of the Decision", copy=False, help="Needed to refuse a review."
    )
    line_ids = fields.One2many("ar.credit.review.line", "review_id")
    document_ids = fields.One2many("ar.credit.review.document", "review_id")
    application_ids = fields.One2many("ar.credit.application", "review_id", readonly=True)

    score = OptionalFloat(compute="_compute_score", store=True, aggregator="avg")
    ability_score = OptionalFloat(
        string="Ability to Pay", compute="_compute_score", store=True, aggregator="avg"
    )
    willingness_score = OptionalFloat(
        string="Willingness to Pay", compute="_compute_score", store=True, aggregator="avg"
    )
    coverage = fields.Float(
        compute="_compute_score",
        store=True,
        aggregator="avg",
        help="Weight of the criteria with a known value, as a share of the whole scorecard.",
    )
    is_graded = fields.Boolean(
        string="Enough Is Known", compute="_compute_score", store=True, help="For a grade by score."
    )
    suggested_way = fields.Selection(SUGGESTED_WAYS, compute="_compute_score", store=True)

    knockout_id = fields.Many2one(
        "ar.credit.knockout",
        string="Grade Capped By",
        readonly=True,
        help="The score may earn more: no better grade than the rule leaves is proposed.",
    )
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    arrears_amount = fields.Monetary(
        string="In Arrears",
        readonly=True,
        help="Overdue items to follow up, less what is disputed; promised or not.",
    )
    arrears_days = fields.Integer(
        string="Days in Arrears", readonly=True, aggregator="max", help="Of the oldest item."
    )

    current_grade_id = fields.Many2one("ar.credit.grade", string="Grade So Far", readonly=True)
    proposed_grade_id = fields.Many2one(
        "ar.credit.grade", string="Grade by Score", compute="_compute_proposed_grade", store=True
    )
    grade_id = fields.Many2one(
        "ar.credit.grade",
        string="Proposed Grade",
        compute="_compute_grade",
        store=True,
        readonly=False,
        tracking=True,
        check_company=True,
        help="Follows the score whenever an answer changes; choose another one at the end.",
    )

    current_is_limited = fields.Boolean(readonly=True)
    current_limit = fields.Monetary(
        string="Limit So Far",
        readonly=True,
        help="Agreed limit of the customer, with credit cover and a temporary limit if any.",
    )
    date_from = fields.Date(
        string="Effective From",
        tracking=True,
        help="What is approved before waits for this day. Empty for the day of the approval.",
    )
    applied_date = fields.Date(string="In Effect Since", readonly=True, copy=False)
    asked = fields.Json(
        readonly=True,
        copy=False,
        help="What else the approval changes in the credit file: {field: value}.",
    )
    asked_text = fields.Text(string="Also Asked For", compute="_compute_asked_text")

    _one_open = models.UniqueIndex(
        "(file_id) WHERE state IN ('draft', 'submitted')",
        "This customer already has a credit review that is not decided.",
    )

    # Computes. Only what a draft may change is among the dependencies: a review that was
    # submitted keeps its figures, whatever becomes of the scorecard, the grades and the ledger.

    @api.depends("name", "partner_id")
    def _compute_display_name(self):
        for review in self:
            number = review.name if review.id else self.env._("New review")
            review.display_name = " ".join(filter(None, (number, review.partner_id.display_name)))

    def _get_score(self):
        """The :class:`Score` of the answers as they are now."""
        self.ensure_one()
        return score(
            [line._get_answer() for line in self.line_ids],
            **self.company_id.sudo()._ar_score_terms(),
        )

    @api.depends("line_ids.value", "line_ids.has_value", "line_ids.option_id")
    def _compute_score(self):
        for review in self:
            found = review._get_score()
            review.score = found.score
            review.ability_score = found.ability
            review.willingness_score = found.willingness
            review.coverage = found.coverage
            review.is_graded = found.graded
            review.suggested_way = found.way

    @api.depends("score", "is_graded", "knockout_id")
    def _compute_proposed_grade(self):
        for company, reviews in self.grouped("company_id").items():
            scale = self.env["ar.credit.grade"]._get_scale(company)
            for review in reviews:
                earned = grade_of(review.score, scale) if review.is_graded else None
                caps = [(rule, rule.grade_id.score_from) for rule in review.sudo().knockout_id]
                review.proposed_grade_id, _rule = cap_grade(earned, caps, scale)

    @api.depends("proposed_grade_id")
    def _compute_grade(self):
        for review in self:
            review.grade_id = review.proposed_grade_id

    @api.depends("asked")
    def _compute_asked_text(self):
        for review in self:
            review.asked_text = self.env["ar.credit.authority"]._describe_asked(review)

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        file_ids = [vals["file_id"] for vals in vals_list if vals.get("file_id")]
        files = self.env["ar.credit.file"].browse(file_ids).grouped("id")
        none = self.env["ar.credit.file"]
        reviews = super().create(
            [
                {**self._get_agreed_limit(files.get(vals.get("file_id"), none), vals), **vals}
                for vals in vals_list
            ]
        )
        reviews.sudo()._prepare_new()
        return reviews

    def write(self, vals):
        if not self.env.su:
            self.check_access("write")
            for review in self:
                review._check_editable(vals)
            if not vals.keys().isdisjoint(PROPOSAL):
                self.sudo().proposer_ids = [Command.link(self.env.uid)]
        return super().write(vals)

    def _check_editable(self, names):
        """What was submitted stays as it is; who decides may add the reason."""
        if self.state == "draft":
            if "decision_note" in names:
                raise UserError(self.env._("The decision follows when the review is submitted."))
            return
        manager = self.env.user.has_group("ar_collections.group_credit_manager")
        if self.state != "submitted" or not manager or set(names) - {"decision_note"}:
            raise UserError(
                self.env._(
                    "%(review)s has the status “%(state)s”: it cannot be changed any more.",
                    review=self.display_name,
                    state=self._get_state_label(),
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        for review in self:
            if review.state != "draft" or review.submitted_date:
                raise UserError(
                    self.env._(
                        "%s was submitted: it stays as a record of what was looked at. "
                        "Cancel it instead.",
                        review.display_name,
                    )
                )

    # Actions

    @api.readonly
    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    def action_refresh(self):
        """Read the ledger, the ratings and the last review again; what was entered here stays."""
        self.check_access("write")
        if any(review.state != "draft" for review in self):
            raise UserError(self.env._("Only a draft takes new figures."))
        for company, reviews in self.sudo().grouped("company_id").items():
            reviews._refresh_figures(company._ar_today())
        return True

    def action_submit(self):
        """Hand the proposal over to a credit manager; it is not changed any more."""
        self.check_access("write")
        self.sudo()._refresh_stale()
        for review in self:
            review._check_complete()
            review.sudo().write(
                {
                    "state": "submitted",
                    "submitter_id": self.env.uid,
                    "submitted_date": review.company_id._ar_today(),
                    **review.sudo()._get_current_values(),
                }
            )
        self.activity_unlink([ACTIVITY])
        self._notify_managers()
        return True

    def action_approve(self):
        """Apply grade, limit and score to the credit file."""
        self._check_may_decide()
        for review in self.sudo():
            review._write_decision("approved")
            review._get_waiting().action_cancel()
            if not review.date_from or review.date_from <= review.decision_date:
                review._apply_to_file()
        return True

    def _get_waiting(self):
        """Reviews of the same customers that were approved and are not in effect yet."""
        return self.search(
            [
                ("file_id", "in", self.file_id.ids),
                ("id", "not in", self.ids),
                *self._get_waiting_domain(),
            ]
        )

    @api.model
    def _get_waiting_domain(self):
        return [
            ("state", "=", "approved"),
            ("applied_date", "=", False),
            ("date_from", "!=", False),
        ]

    @api.model
    def _apply_due(self, company, date):
        """What was approved for a day comes into effect."""
        due = self.search(
            [
                ("company_id", "=", company.id),
                *self._get_waiting_domain(),
                ("date_from", "<=", date),
            ]
        )
        for review in due:
            review._apply_to_file()

    def action_refuse(self):
        """Leave everything as it is; the reason is in the decision note."""
        self._check_may_decide()
        for review in self.sudo():
            if not (review.decision_note or "").strip():
                raise UserError(self.env._("Write down why you refuse the review."))
            review._write_decision("refused")
        return True

    def action_cancel(self):
        """Give the review up."""
        self.check_access("write")
        for review in self:
            is_waiting = review.date_from and not review.applied_date
            review._check_state(*REVIEW_OPEN, *(("approved",) if is_waiting else ()))
            if review.state != "draft":
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

    # Content

    @api.model
    def _get_agreed_limit(self, file, vals):
        """What a new review starts from, as values: the limit as it is agreed now.

        Not when somebody asks for another one at once.
        """
        if not file or "limit_mode" in vals:
            return {}
        if file.limit_mode == "custom":
            return {
                "limit_mode": "custom",
                "limit_amount": file.custom_limit,
                "limit_currency_id": file.limit_currency_id.id,
                "limit_in_currency": file.limit_in_currency,
            }
        return {"limit_mode": file.limit_mode}

    def _ask_for(self, asked):
        """Propose what somebody may not decide alone; see ``ar.credit.authority``."""
        self.ensure_one()
        if self.state != "draft":
            raise UserError(
                self.env._(
                    "%s was submitted already: decide it first, or take it back to draft.",
                    self.display_name,
                )
            )
        grade = self.env["ar.credit.grade"].browse(asked["grade_id"] or ())
        values = {"limit_mode": asked["limit_mode"]}
        if values["limit_mode"] == "custom":
            names = ("limit_amount", "limit_currency_id", "limit_in_currency")
            values |= {name: asked.get(name) for name in names}
        if grade and not grade.is_default:
            values["grade_id"] = grade.id
        if asked["reason"]:
            values["reason_note"] = "\n".join(filter(None, (self.reason_note, asked["reason"])))
        self.write(values)
        self.sudo().asked = {**(self.asked or {}), **read_asked(asked["more"])}
        return self

    def _prepare_new(self):
        """Give new reviews the card, what is known and the documents to ask."""
        self.with_context(tracking_disable=True)._refresh_figures()

    def _refresh_stale(self):
        """Nobody decides by figures of last week, whether the daily run has been or not.

        A grade that somebody chose stays chosen.
        """
        stale = self.filtered(
            lambda review: (
                review.state == "draft"
                and review.figures_date
                < review.company_id._ar_today() - relativedelta(days=FIGURES_DAYS)
            )
        )
        chosen = {
            review: review.grade_id
            for review in stale
            if review.grade_id != review.proposed_grade_id
        }
        for company, reviews in stale.grouped("company_id").items():
            today = company._ar_today()
            self.env["ar.credit.refresh"]._refresh_customers(reviews.file_id, today)
            reviews._refresh_figures(today)
        for review, grade in chosen.items():
            review.grade_id = grade

    def _refresh_figures(self, date=None):
        """Fill in what is known on a date, by default the day that each review was opened."""
        for day, reviews in self.grouped(lambda review: date or review.date).items():
            answers = self.env["ar.credit.scoring"]._get_answers(reviews.file_id, day)
            reviews.line_ids._refresh_lines(reviews, answers)
            caps = self.env["ar.credit.knockout"]._get_caps(reviews.file_id)
            for review in reviews:
                file = review.file_id
                rule, _ceiling = min(caps[file.id], key=lambda cap: cap[1], default=(False, None))
                review.write(
                    {
                        "figures_date": day,
                        "avg_monthly_sales": file.avg_monthly_sales,
                        "days_unpaid": file.avg_term_days + file.avg_days_late,
                        "equity": file.equity,
                        "cover_amount": file.cover_amount,
                        "customer_since": file.customer_since,
                        "overdue_amount": file.overdue_amount,
                        "arrears_amount": file.arrears_amount,
                        "arrears_days": file.arrears_days,
                        "knockout_id": rule,
                        **review._get_current_values(),
                    }
                )
        self.document_ids._refresh_documents(self)

    def _get_current_values(self):
        """What the credit file says now, to compare the proposal with."""
        file = self.file_id
        return {
            "current_grade_id": file.grade_id.id,
            "current_is_limited": file.is_limited,
            # What the risk leaves of it comes and goes.
            "current_limit": file._get_agreed_limit() or 0,
        }

    # Decision

    def _check_complete(self):
        self._check_state("draft")
        if not self.grade_id:
            raise UserError(self.env._("Choose the grade that you propose."))
        rule = self.sudo().knockout_id
        is_kept = "hold" in (self.asked or {}) and self.grade_id == self.current_grade_id
        if rule and not is_kept and self.grade_id.score_from > rule.grade_id.score_from:
            raise UserError(
                self.env._(
                    "%(rule)s: the best grade still possible is %(grade)s.",
                    rule=rule.name,
                    grade=rule.grade_id.display_name,
                )
            )
        if not self.is_graded and not (self.reason_note or "").strip():
            raise UserError(
                self.env._(
                    "Only %(known)s %% of the scorecard is known, %(least)s %% are needed. Fill in "
                    "more of it, or explain the proposal in the assessment.",
                    known=round(100 * self.coverage),
                    least=round(100 * self.company_id.sudo().ar_score_coverage),
                )
            )
        self.env["ar.credit.authority"]._check_reason(self)
        missing = self.document_ids.filtered("is_missing")
        if missing:
            raise UserError(
                self.env._(
                    "Attach these documents first: %s.", ", ".join(missing.type_id.mapped("name"))
                )
            )

    def _check_mine(self):
        user = self.env.user
        if user not in self._get_askers() and not user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only %s or a credit manager can do that.", self._get_asker_names())
            )

    def _check_may_decide(self):
        """Both the buttons and calls from outside pass here, whatever their rights are."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Credit reviews are decided by a credit manager."))
        self.check_access("write")
        self.lock_for_update(allow_referencing=True)
        self._check_state("submitted")
        self._check_four_eyes()

    def _write_decision(self, state):
        self.write(
            {
                "state": state,
                "approver_id": self.env.uid,
                "decision_date": self.company_id._ar_today(),
            }
        )
        self.activity_unlink([ACTIVITY])

    def _apply_to_file(self):
        """Write what was approved to the credit file, in the name of the approver."""
        limit = {"limit_mode": self.limit_mode}
        if self.limit_mode == "custom" and self.limit_currency_id:
            limit["limit_currency_id"] = self.limit_currency_id.id
            limit["limit_in_currency"] = self.limit_in_currency
        elif self.limit_mode == "custom":
            limit["custom_limit"] = self.limit_amount
        today = self.company_id._ar_today()
        self.applied_date = today
        authority = self.env["ar.credit.authority"]
        authority._apply_covers(self)
        self.file_id.write(
            {
                **limit,
                "raised_alone_date": False,
                "grade_id": self.grade_id.id,
                "limit_reason": self.env._("Credit review %s", self.name),
                "score": self.score,
                "ability_score": self.ability_score,
                "willingness_score": self.willingness_score,
                "score_coverage": self.coverage,
                "score_date": self.decision_date if self.coverage else False,
                "suggested_way": self.suggested_way,
                "score_grade_id": self.proposed_grade_id.id,
                "knockout_id": self.knockout_id.id,
                "next_review_date": self.grade_id._get_review_date(today),
                **authority._get_asked_values(self),
            }
        )
        self.file_id._message_log(
            body=self.env._("Credit review %s was approved.", self._get_html_link(title=self.name))
        )

    # Activities

    def _notify_managers(self):
        """Ask the credit manager of the company, or all of them, to decide."""
        for review in self.sudo():
            people = review._get_askers()
            company = review.company_id
            managers = (company.ar_credit_manager_id - people)._ar_at_work(company, MANAGER)
            managers = managers or self.env.ref(MANAGER).sudo().all_user_ids._ar_at_work(company)
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
            people = review.file_id.collector_id | review.company_id.ar_credit_manager_id
            user = people and people._ar_or_next(review.company_id)
            deadline = date + relativedelta(days=review.company_id.ar_review_work_days)
            if review.reason == "due" and review.file_id.next_review_date:
                deadline = max(review.file_id.next_review_date, date)
            return user, deadline

        reviews = self.with_context(mail_activity_quick_update=True)
        # Each activity is called as its review is: customers are read once.
        self.partner_id.mapped("display_name")
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

        A review under way gets to know why another one would have been opened.

        :param files: credit files
        :param reason: a value of ``reason``
        :param note: text for the assessment, or ``{file id: text}``
        :param date: the day of the reviews, by default today
        :return: the new reviews
        """
        notes = note if isinstance(note, dict) else dict.fromkeys(files.ids, note)
        opened = self.sudo().search([("file_id", "in", files.ids), ("state", "in", REVIEW_OPEN)])
        opened._add_event(reason, notes)
        files = (files.sudo() - opened.file_id).sorted("id")
        reviews = self.sudo().with_context(mail_create_nolog=True, tracking_disable=True)
        reviews = reviews.create(
            [
                {
                    "file_id": file.id,
                    "reason": reason,
                    "reason_note": notes.get(file.id),
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

    def _add_event(self, reason, notes):
        """Tell reviews under way what else happened; what they know already is not repeated.

        :param notes: ``{file id: text}``
        """
        label = dict(self._fields["reason"]._description_selection(self.env))[reason]
        bodies = {}
        for review in self:
            event = [reason, notes.get(review.file_id.id) or ""]
            known = review.events or []
            if reason in STANDING:
                is_known = reason == review.reason or reason in dict(known)
            else:
                is_known = event in known
            if not is_known:
                review.events = [*known, event]
                bodies[review.id] = ": ".join(filter(None, (label, event[1])))
        self.browse(bodies)._message_log_batch(bodies=bodies)

    @api.model
    def _open_due(self, company, date):
        """Open the reviews whose day comes, and those of customers who need a larger limit.

        :return: the new reviews
        """
        files = self.env["ar.credit.file"].sudo()
        ours = ("company_id", "=", company.id)
        ahead = relativedelta(days=company.ar_review_days_ahead)
        settled = relativedelta(days=company.ar_review_limit_use_days)
        due = files.search(
            [
                ours,
                ("next_review_date", "<=", date + ahead),
                self._not_decided_since(date - ahead),
            ]
        )
        used = files.search(
            [
                ours,
                ("is_limited", "=", True),
                ("limit_use", ">", company.ar_review_limit_use),
                ("exposure", ">", 0),
                "|",
                ("review_ids", "any", [("state", "=", "approved")]),
                ("grade_id.is_default", "=", False),
                self._not_decided_since(date - settled),
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
        opened = (file.sudo().review_ids | reviews).filtered(
            lambda review: review.state in REVIEW_OPEN
        )
        for review in opened[1:]:
            review.activity_unlink([ACTIVITY])
            review.write({"state": "cancelled", "decision_date": file.company_id._ar_today()})
        reviews.flush_recordset()
        reviews.write({"file_id": file.id})
