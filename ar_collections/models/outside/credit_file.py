from odoo import models


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    def _get_payers(self):
        # EXTENDS ar_collections: agencies and lawyers remit what they collected, also late
        payers = super()._get_payers()
        placements = (
            self.env["ar.placement"]
            .sudo()
            .search(
                [
                    ("company_id", "in", self.company_id.ids),
                    ("partner_id", "in", self.partner_id.ids),
                    ("state", "!=", "draft"),
                ]
            )
            .grouped(lambda placement: (placement.company_id, placement.partner_id))
        )
        for file in self:
            placed = placements.get((file.company_id, file.partner_id))
            if placed:
                payers[file] |= placed.agent_id.commercial_partner_id - file.partner_id
        return payers
