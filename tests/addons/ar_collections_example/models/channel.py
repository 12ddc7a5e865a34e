from odoo import fields, models

from odoo.addons.ar_collections.models.collection.collection_channel import Channel


class ArCollectionChannel(models.AbstractModel):
    _inherit = "ar.collection.channel"

    channel = fields.Selection(
        selection_add=[("messenger", "Messenger")],
        ondelete={"messenger": lambda records: records.write({"channel": "task"})},
    )

    def _channel_messenger(self):
        return Channel(is_automatic=True, address="phone")

    def _send_messenger(self, date):
        self._mark_done(date, "sent")
