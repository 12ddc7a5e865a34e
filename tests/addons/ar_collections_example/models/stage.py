from odoo import fields, models

from odoo.addons.ar_collections.models.collection.collection_stage import StageKind


class ArCollectionStage(models.Model):
    _inherit = "ar.collection.stage"

    kind = fields.Selection(
        selection_add=[("mediator", "Mediator")], ondelete={"mediator": "set default"}
    )

    def _kind_mediator(self):
        return StageKind(is_outside=True)
