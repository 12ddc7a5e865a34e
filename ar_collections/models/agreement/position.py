from odoo import api, models
from odoo.tools import SQL


class ArPosition(models.AbstractModel):
    _inherit = "ar.position"

    @api.model
    def _claims_sql(self, date, current, partners):
        # EXTENDS ar_collections: what is promised, planned or disputed
        return SQL(" UNION ALL ").join(
            self.env[model]._get_claims_sql(date, current, partners)
            for model in self.env["ar.claim.line"]._get_claim_models()
        )
