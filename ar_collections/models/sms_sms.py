from odoo import models


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        # EXTENDS sms: what somebody has stopped meanwhile stays in the outbox
        messages = self.env["ar.collection.sender"]._get_stopped_messages(self.mail_message_id)
        going = self.filtered(lambda sms: sms.mail_message_id not in messages)
        if not going:
            return None
        return super(SmsSms, going)._send(
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )
