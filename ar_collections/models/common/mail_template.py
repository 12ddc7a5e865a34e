from odoo import api, models
from odoo.exceptions import UserError


class MailTemplate(models.Model):
    """The words that came with the addon: they belong to the company, which may delete them."""

    _inherit = "mail.template"

    @api.model
    def _ar_get_shipped(self, xmlid):
        """The template of that XML id.

        :raises UserError: somebody has deleted it
        """
        template = self.env.ref(xmlid, raise_if_not_found=False)
        if not template:
            raise UserError(
                self.env._(
                    "The e-mail template of this message was deleted: make one with the external "
                    "ID %s.",
                    xmlid,
                )
            )
        return template
