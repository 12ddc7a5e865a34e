from odoo import models


class ArSignable(models.AbstractModel):
    """Papers that the customer reads and signs on its page."""

    _inherit = "ar.signable"

    # What the customer may read: not a draft, nor what was given up before it agreed.
    _portal_states = ()

    def _portal_ensure_token(self):
        # OVERRIDES portal: no token of its own, which would work for ever; that of the customer's
        # page expires and can be revoked.
        return self.file_id._portal_token(self.company_id._ar_today())
