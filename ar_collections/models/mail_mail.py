from datetime import timedelta

from odoo import fields, models

# What is stopped is looked at again after so long, so that it does not keep others waiting.
LOOK_AGAIN_MINUTES = 15


class MailMail(models.Model):
    _inherit = "mail.mail"

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        # EXTENDS mail: what somebody has stopped meanwhile stays in the outbox
        # Odoo sends after the transaction what may have been deleted in it.
        mails = self.exists()
        messages = self.env["ar.collection.sender"]._get_stopped_messages(mails.mail_message_id)
        stopped = mails.filtered(lambda mail: mail.mail_message_id in messages)
        stopped.scheduled_date = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        return super(MailMail, mails - stopped).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )
