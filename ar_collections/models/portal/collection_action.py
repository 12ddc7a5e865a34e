from odoo import api, fields, models


class ArCollectionAction(models.Model):
    """The customer's page in messages: with a login, until the message is sent."""

    _inherit = "ar.collection.action"

    portal_link = fields.Char(compute="_compute_portal_link")

    @api.depends("partner_id", "company_id")
    def _compute_portal_link(self):
        files = {
            (file.company_id, file.partner_id): file
            for file in self.env["ar.credit.file"].search(
                [
                    ("partner_id", "in", self.partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        }
        for action in self:
            file = files.get((action.company_id, action.partner_id))
            # What is printed does not work any more when it is read.
            online = file and action._is_read_online()
            linked = online and file.company_id.ar_portal_days
            action.portal_link = linked and file._portal_url()

    def _is_read_online(self):
        self.ensure_one()
        channel = self._get_channel(self.channel)
        return channel.is_automatic and channel.address != "street"

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (*super().mail_allowed_qweb_expressions(), "object.portal_link")
