from odoo import api, models
from odoo.exceptions import UserError


class MailMessage(models.Model):
    _inherit = "mail.message"

    def write(self, vals):
        # EXTENDS mail
        if not self.env.su and not {"body", "subject", "attachment_ids"}.isdisjoint(vals):
            self._ar_check_no_proof()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_proof(self):
        if not self.env.su:
            self._ar_check_no_proof()

    def _ar_check_no_proof(self):
        """What was sent to a customer stays as it was sent."""
        actions = self.env["ar.collection.action"].sudo()
        if action := actions.search([("message_id", "in", self.ids)], limit=1):
            raise UserError(
                self.env._(
                    "This message is proof of “%s”: it stays as it was sent.", action.display_name
                )
            )
