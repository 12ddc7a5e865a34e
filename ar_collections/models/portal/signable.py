from odoo import models


class ArSignable(models.AbstractModel):
    _inherit = "ar.signable"

    def _portal_ensure_token(self):
        # OVERRIDES portal: no token of its own, which would work for ever; that of the customer's
        # page expires and can be revoked.
        return self.file_id._portal_token(self.company_id._ar_today())
