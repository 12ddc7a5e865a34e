from odoo import models


class ArLetter(models.AbstractModel):
    """A document goes to the recipient."""

    _inherit = "ar.letter"

    def _letter_contact(self):
        # EXTENDS ar_collections: who gets it, not only the customer
        recipient = self.env["ar.recipient"]._get_recipients(self, "street")[self]
        return recipient or super()._letter_contact()
