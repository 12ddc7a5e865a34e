from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..models.common.optional_float import OptionalFloat


class ArCreditRescore(models.TransientModel):
    """Score many customers at once and open reviews where that should change something."""

    _name = "ar.credit.rescore"
    _description = "Score Customers Again"

    date = fields.Date(
        required=True, readonly=True, default=lambda self: self.env.company._ar_today()
    )
    line_ids = fields.One2many("ar.credit.rescore.line", "rescore_id", readonly=True)
    open_for = fields.Selection(
        [
            ("changed", "Customers whose grade should change"),
            ("all", "All these customers"),
            ("none", "Nobody"),
        ],
        string="Open Reviews For",
        default="changed",
        required=True,
        help="A customer whose last review is not decided gets no second one.",
    )
    file_count = fields.Integer(string="Customers", compute="_compute_counts")
    graded_count = fields.Integer(string="With Enough Known", compute="_compute_counts")
    changed_count = fields.Integer(string="Grade Should Change", compute="_compute_counts")

    @api.depends("line_ids.is_changed", "line_ids.grade_id")
    def _compute_counts(self):
        for wizard in self:
            wizard.file_count = len(wizard.line_ids)
            wizard.graded_count = len(wizard.line_ids.filtered("grade_id"))
            wizard.changed_count = len(wizard.line_ids.filtered("is_changed"))

    @api.model
    def _create_for_files(self, files):
        """The wizard for the credit files, with their scores of today."""
        self._check_manager()
        wizard = self.create({})
        scoring = self.env["ar.credit.scoring"]
        scores = scoring._get_scores(files, wizard.date)
        earned = scoring._get_earned_grades(files, scores)
        self.env["ar.credit.rescore.line"].create(
            [
                {
                    "rescore_id": wizard.id,
                    "file_id": file.id,
                    "score": scores[file.id].score,
                    "coverage": scores[file.id].coverage,
                    "current_grade_id": file.grade_id.id,
                    "grade_id": earned[file.id].grade,
                    "knockout_id": earned[file.id].knockout,
                    "is_changed": earned[file.id].grade not in (None, file.grade_id.id),
                }
                for file in files
            ]
        )
        return wizard

    def _check_manager(self):
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Customers are scored again by a credit manager."))

    def action_apply(self):
        """Store the scores, open the reviews and show them; grades stay as they are."""
        self.ensure_one()
        self._check_manager()
        files = self.line_ids.file_id
        files.check_access("write")
        scoring = self.env["ar.credit.scoring"]
        scores = scoring._get_scores(files, self.date)
        earned = scoring._get_earned_grades(files, scores)
        scoring._write_scores(scores, earned, self.date)
        scoring._record_scores(files.company_id, self.date)
        if self.open_for == "none":
            return {"type": "ir.actions.act_window_close"}
        chosen = files
        if self.open_for == "changed":
            chosen = self.line_ids.filtered("is_changed").file_id
        opened = self.env["ar.credit.review"]
        notes = {
            file.id: scoring._explain_grade(scores[file.id], earned[file.id]) for file in chosen
        }
        first = chosen.filtered(lambda file: not file._is_graded())
        reviews = opened._open_for(first, "first", notes, self.date)
        reviews += opened._open_for(chosen - first, "metrics", notes, self.date)
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "ar_collections.ar_credit_review_action"
            ),
            "view_mode": "list,form",
            "views": [
                (self.env.ref("ar_collections.ar_credit_review_view_list").id, "list"),
                (False, "form"),
            ],
            "domain": [("id", "in", reviews.ids)],
            "context": {},
        }


class ArCreditRescoreLine(models.TransientModel):
    _name = "ar.credit.rescore.line"
    _description = "Customer to Score Again"
    _order = "is_changed desc, score, id"

    rescore_id = fields.Many2one("ar.credit.rescore", required=True, ondelete="cascade")
    file_id = fields.Many2one("ar.credit.file", required=True, ondelete="cascade")
    partner_id = fields.Many2one(related="file_id.partner_id")
    score = OptionalFloat()
    coverage = fields.Float()
    current_grade_id = fields.Many2one("ar.credit.grade", string="Grade Now")
    grade_id = fields.Many2one("ar.credit.grade", string="Grade by Score")
    knockout_id = fields.Many2one("ar.credit.knockout", string="Capped By")
    is_changed = fields.Boolean()
