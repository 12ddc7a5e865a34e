from odoo import api, fields, models


class ArCollectionAction(models.Model):
    """What proves that a demand arrived: noted once, when the contact is over."""

    _inherit = "ar.collection.action"

    receipt = fields.Selection(
        [
            ("post", "Receipt of the post"),
            ("delivered", "Proof of delivery"),
            ("acknowledged", "Confirmed by the customer"),
        ],
        string="Proof of Arrival",
        help="Where the law asks for it, only a demand whose arrival is proven starts limitation "
        "anew.",
    )
    receipt_reference = fields.Char(
        string="Number of the Proof", help="Where the receipt is found: its number or file."
    )

    @api.model
    def _get_fields_of_afterwards(self):
        # EXTENDS ar_collections: a receipt comes later
        return super()._get_fields_of_afterwards() | {"receipt", "receipt_reference"}
