from odoo import fields, models


class ArCollectionStage(models.Model):
    _name = "ar.collection.stage"
    _description = "Collection Stage"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    fold = fields.Boolean(string="Folded in Kanban")
    kind = fields.Selection(
        [
            ("reminder", "Reminder"),
            ("phone", "Phone"),
            ("visit", "Visit"),
            ("final", "Final demand"),
            ("agency", "Agency"),
            ("legal", "Legal"),
            ("writeoff", "Write-off"),
        ],
        default="reminder",
        required=True,
    )
    hold_credit = fields.Boolean(
        help="A customer whose case enters this stage gets no more credit until the case closes."
    )
    description = fields.Text(
        translate=True, help="What the collector does in this stage; shown on the column."
    )
