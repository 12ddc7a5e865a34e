from odoo import api, models


class ArPosition(models.AbstractModel):
    _inherit = "ar.position"

    @api.model
    def _claims_sql(self, date, current, partners):
        # EXTENDS ar_collections: what is promised, planned or disputed
        return self.env["ar.claim.line"]._get_all_claims_sql(date, current, partners)
