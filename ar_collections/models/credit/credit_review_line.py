from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL, format_date

from .credit_criterion import ASPECTS, CHOICES, CRITERION_KINDS
from .credit_score import Answer, Source

# What an analyst fills in.
INPUTS = ("value", "has_value", "option_id")
# Values that somebody entered in a review, this one or an earlier one.
ENTERED = ("entered", "review")


class ArCreditReviewLine(models.Model):
    """The answer to one criterion of the scorecard, and what it is worth."""

    _name = "ar.credit.review.line"
    _inherit = "ar.readonly.mixin"
    _description = "Criterion of a Credit Review"
    _order = "review_id, aspect, sequence, id"
    _rec_name = "criterion_id"

    review_id = fields.Many2one(
        "ar.credit.review", required=True, readonly=True, index=True, ondelete="cascade"
    )
    criterion_id = fields.Many2one(
        "ar.credit.criterion", required=True, readonly=True, ondelete="restrict"
    )
    # Copied from the criterion, which may change later.
    sequence = fields.Integer(readonly=True)
    kind = fields.Selection(CRITERION_KINDS, required=True, readonly=True)
    aspect = fields.Selection(ASPECTS, required=True, readonly=True)
    weight = fields.Float(readonly=True)
    unit = fields.Char(related="criterion_id.unit")
    description = fields.Text(related="criterion_id.description")

    value = fields.Float(aggregator=None)
    option_id = fields.Many2one(
        "ar.credit.criterion.band",
        string="Rating",
        domain="[('criterion_id', '=', criterion_id)]",
        ondelete="restrict",
    )
    has_value = fields.Boolean(
        string="Known",
        compute="_compute_has_value",
        store=True,
        readonly=False,
        help="Tick it for a number that is known to be zero.",
    )
    answer = fields.Char(compute="_compute_answer")
    points = fields.Integer(compute="_compute_points", store=True, aggregator="avg")
    contribution = fields.Float(
        compute="_compute_points", store=True, help="Share of these points in the score."
    )
    explanation = fields.Char(compute="_compute_points", store=True)
    note = fields.Char()
    origin = fields.Selection(
        [
            ("ledger", "Ledger"),
            ("entered", "Entered"),
            ("review", "Last review"),
            ("bureau", "Bureau"),
            ("statement", "Financial statement"),
            ("outlook", "Outlook"),
            ("visit", "Visit"),
        ],
        readonly=True,
    )
    origin_note = fields.Char(readonly=True)
    value_date = fields.Date(string="Value As Of", readonly=True)
    source = fields.Char(compute="_compute_source")

    _criterion_uniq = models.UniqueIndex(
        "(review_id, criterion_id)", "A criterion is only once in a review."
    )

    # Computes

    @api.depends("value", "option_id", "kind")
    def _compute_has_value(self):
        for line in self:
            line.has_value = bool(line.option_id if line.kind in CHOICES else line.value)

    @api.depends("has_value", "value", "option_id")
    def _compute_answer(self):
        for line in self:
            line.answer = line._format_answer()

    def _format_answer(self):
        if not self.has_value:
            return False
        if self.kind in CHOICES:
            return self.option_id.name
        return self.criterion_id._format_value(self.value)

    # All answers of the review share the score.
    @api.depends(
        "review_id.line_ids.has_value",
        "review_id.line_ids.value",
        "review_id.line_ids.option_id",
    )
    def _compute_points(self):
        for review, lines in self.grouped("review_id").items():
            found = {line.criterion: line for line in review._get_score().lines}
            for line in lines:
                result = found.get(line.criterion_id.id)
                line.points = (result and result.points) or 0
                line.contribution = (result and result.contribution) or 0
                line.explanation = result and line._explain_points(*result.reason)

    def _explain_points(self, code, values):
        """Why the criterion has these points, from the reason of the pure score."""
        if code == "unknown":
            return self.env._("Not known: lowers the coverage only")
        if code == "option":
            return self.env._("Rated %s", self.option_id.name)
        value, start = (self.criterion_id._format_value(number) for number in values)
        if code == "below":
            return self.env._(
                "%(value)s is below the lowest band, from %(start)s", value=value, start=start
            )
        return self.env._("%(value)s is in the band from %(start)s", value=value, start=start)

    @api.depends("origin", "origin_note", "value_date", "has_value")
    def _compute_source(self):
        for line in self:
            note = line.origin_note
            origin = {
                "ledger": self.env._("Ledger"),
                "entered": self.env._("Entered by %s", note),
                "review": self.env._("Review %s", note),
                "bureau": note or self.env._("Bureau"),
                "statement": self.env._("Financial statement %s", note),
                "outlook": self.env._("Outlook"),
                "visit": self.env._("Visit"),
            }.get(line.origin)
            date = line.value_date and format_date(self.env, line.value_date)
            line.source = line.has_value and ", ".join(filter(None, (origin, date)))

    @api.constrains("option_id")
    def _check_option(self):
        for line in self:
            if line.option_id and line.option_id.criterion_id != line.criterion_id:
                raise ValidationError(
                    self.env._(
                        "%(option)s is not an option of “%(criterion)s”.",
                        option=line.option_id.display_name,
                        criterion=line.criterion_id.name,
                    )
                )

    # CRUD

    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        self.check_access("write")
        for line in self:
            line.review_id._check_editable(vals)
        entered = not vals.keys().isdisjoint(INPUTS)
        if entered and "metric" in self.mapped("kind"):
            raise UserError(self.env._("Figures of the ledger are not entered by hand."))
        result = super().write(vals)
        if entered:
            self._sign_input()
        return result

    def _sign_input(self):
        """Note who entered the values, and when."""
        for company, lines in self.sudo().grouped(lambda line: line.review_id.company_id).items():
            lines.write(
                {
                    "origin": "entered",
                    "origin_note": self.env.user.name,
                    "value_date": company._ar_today(),
                }
            )

    # Between the card and the review

    def _get_answer(self):
        """What the pure score takes."""
        self.ensure_one()
        choice = self.kind in CHOICES
        return Answer(
            self.criterion_id.id,
            self.aspect,
            self.weight,
            self.criterion_id._get_bands(),
            self.value if self.has_value and not choice else None,
            self.option_id.id or None if self.has_value and choice else None,
        )

    def _refresh_lines(self, reviews, answers):
        """Make the lines of draft reviews what the card asks and what is known.

        :param self: all lines of the reviews
        :param answers: ``{credit file id: [Answer]}``
        """
        former = {(line.review_id.id, line.criterion_id.id): line for line in self}
        criteria, new = self.env["ar.credit.criterion"], []
        for review in reviews:
            for answer in sorted(answers[review.file_id.id], key=lambda answer: answer.aspect):
                criterion = criteria.browse(answer.criterion)
                values = {
                    "sequence": criterion.sequence,
                    "kind": criterion.kind,
                    "aspect": answer.aspect,
                    "weight": answer.weight,
                }
                line = former.pop((review.id, criterion.id), self.browse())
                if line.origin != "entered" or not line.has_value:
                    values |= self._get_known_values(answer)
                if line:
                    line.write(values)
                else:
                    new.append({"review_id": review.id, "criterion_id": criterion.id, **values})
        self.browse().union(*former.values()).unlink()
        self.create(new)

    @api.model
    def _get_known_values(self, answer):
        known = answer.value is not None or answer.option is not None
        source = (known and answer.source) or Source(False, False)
        return {
            "value": answer.value or 0,
            "option_id": answer.option or False,
            "has_value": known,
            "origin": source.origin,
            "origin_note": source.note,
            "value_date": source.date,
        }

    @api.model
    def _get_entered_values(self, files):
        """What was entered in the latest approved review of each customer, or before it.

        :return: ``{(file id, criterion id): (value, option id, Source)}``
        """
        self.env["ar.credit.review"].flush_model()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT review.file_id, line.criterion_id, COALESCE(line.value, 0), line.option_id,
                   line.value_date, review.name
              FROM (SELECT DISTINCT ON (file_id) id, file_id, name
                      FROM ar_credit_review
                     WHERE state = 'approved' AND file_id IN %s
                     ORDER BY file_id, decision_date DESC, id DESC
                   ) review
              JOIN ar_credit_review_line line ON line.review_id = review.id
             WHERE line.has_value AND line.origin IN %s
            """,
                tuple(files.ids) or (0,),
                ENTERED,
            )
        )
        return {
            (file_id, criterion_id): (value, option_id, Source("review", date, name))
            for file_id, criterion_id, value, option_id, date, name in rows
        }
