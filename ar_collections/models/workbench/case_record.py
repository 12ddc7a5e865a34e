from odoo import models

from .collection_case import is_colleague


class ArCaseRecord(models.AbstractModel):
    """What customers answer to a plan, a paper or a decision is told on the case as well."""

    _inherit = "ar.case.record"

    def _message_post_after_hook(self, message, msg_vals):
        # EXTENDS mail
        result = super()._message_post_after_hook(message, msg_vals)
        if message.message_type == "email" and not is_colleague(message):
            # The mail gateway has no rights on collection.
            for case in self.sudo()._open_cases().values():
                case._customer_wrote(message)
        return result
