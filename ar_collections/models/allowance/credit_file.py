from odoo import models


class ArCreditFile(models.Model):
    """A write-off uses up what was set aside for the customer before it is a loss."""

    _inherit = "ar.credit.file"

    def _get_allowance(self):
        # EXTENDS ar_collections
        if not self:
            return super()._get_allowance()
        return self.env["ar.allowance.ledger"]._get_available(self.company_id, self.partner_id)
