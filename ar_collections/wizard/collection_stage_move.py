from odoo import fields, models


class ArCollectionStageMove(models.TransientModel):
    """A credit manager moves cases on although the effort is not proven."""

    _name = "ar.collection.stage.move"
    _description = "Move Without Proof"

    case_ids = fields.Many2many("ar.collection.case", required=True)
    stage_id = fields.Many2one("ar.collection.stage", string="To Stage", required=True)
    reason = fields.Text(required=True)

    def action_move(self):
        self.case_ids._move_without_proof(self.stage_id, self.reason)
