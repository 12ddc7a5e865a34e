from typing import NamedTuple

from odoo import fields, models
from odoo.tools import html2plaintext

# The alphabet of text messages; a text outside of it costs more than twice as much.
GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_DOUBLE = set("^{}\\[~]|€")


def sms_parts(text):
    """How many text messages a text is paid as.

    160 characters of the GSM alphabet fit, or 153 in each part of several; 70 and 67 of any other
    (3GPP TS 23.038 and 23.040).
    """
    if set(text) <= GSM | GSM_DOUBLE:
        length, single, part = sum(2 if c in GSM_DOUBLE else 1 for c in text), 160, 153
    else:
        length, single, part = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= single else -(-length // part)


class Content(NamedTuple):
    """What one action says to the customer."""

    subject: str = ""
    body: str = ""
    sms_text: str = ""
    # Name and content of the letter.
    document_name: str = ""
    document: bytes = b""


class ArCollectionAction(models.Model):
    """The run that took an action, and what it would say if it were sent now."""

    _inherit = "ar.collection.action"

    run_id = fields.Many2one("ar.collection.run", readonly=True, index="btree_not_null")

    def _render_content(self, date, line_ids=None):
        """Render what is sent, or what was sent; what this writes is to be rolled back.

        :param line_ids: the items of a courtesy message; otherwise what is overdue is asked for
        :return: :class:`Content`
        """
        self.ensure_one()
        if self.state == "done":
            message = self.message_id
            text = html2plaintext(message.body or "") if self.channel == "sms" else ""
            return Content(
                message.subject or "",
                "" if text else message.body or "",
                text,
                self.attachment_id.name or "",
                self.attachment_id.raw or b"",
            )
        sender = self.env["ar.collection.sender"]
        self._freeze_now(date, line_ids)
        if self.channel == "sms":
            self._set_contacts(self._get_recipients("phone"))
            return Content(sms_text=sender._render_texts(self)[self.id])
        by_mail = self.channel == "email" or self.letter_by == "email"
        self._set_contacts(self._get_recipients("email" if by_mail else "street"))
        subject, body = "", ""
        if by_mail:
            subjects, bodies = sender._render_emails(self)
            subject, body = subjects[self.id], bodies[self.id]
        self._print_letters(date)
        letter = self.attachment_id
        return Content(subject, body, "", letter.name or "", letter.raw or b"")

    def action_preview(self):
        """Look at what these actions would send, before it is sent."""
        return self.env["ar.collection.preview"]._open_for_actions(self)
