from odoo import api, models


class ArCollectionSender(models.AbstractModel):
    _inherit = "ar.collection.sender"

    @api.model
    def _call_off(self, actions):
        # EXTENDS ar_collections: the service may still try a letter that it has not taken
        result = super()._call_off(actions)
        actions.snailmail_letter_id.filtered(
            lambda letter: letter.state in ("pending", "error")
        ).cancel()
        return result
