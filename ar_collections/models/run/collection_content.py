from typing import NamedTuple

from odoo import models
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
    """What an action would say if it were sent now."""

    _inherit = "ar.collection.action"

    def _render_sms(self):
        """``{action id: text}`` in each customer's language."""
        bodies = {}
        for template, actions in self.grouped(
            lambda action: action.step_id.sms_template_id
        ).items():
            bodies.update(template._render_field("body", actions.ids, compute_lang=True))
        return {
            # One character outside the GSM alphabet doubles the price of the text.
            action_id: html2plaintext(body).replace("\u00a0", " ").replace("\u202f", " ")
            for action_id, body in bodies.items()
        }

    def _content(self, date, line_ids=None):
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
        self._freeze_now(date, line_ids)
        if self.channel == "sms":
            self._set_contacts(self._recipients("phone"))
            return Content(sms_text=self._render_sms()[self.id])
        by_mail = self.channel == "email" or self.letter_by == "email"
        self._set_contacts(self._recipients("email" if by_mail else "street"))
        subject, body = "", ""
        if by_mail:
            subjects, bodies = self._render_messages()
            subject, body = subjects[self.id], bodies[self.id]
        self._print_letters(date)
        letter = self.attachment_id
        return Content(subject, body, "", letter.name or "", letter.raw or b"")

    def action_preview(self):
        """Look at what these actions would send, before it is sent."""
        return self.env["ar.collection.preview"]._open_for_actions(self)


class ArCollectionRun(models.Model):
    _inherit = "ar.collection.run"

    def action_preview_messages(self):
        """Look at the messages that the previewed run would send."""
        self.ensure_one()
        return self.env["ar.collection.preview"]._open_for_run(self.line_ids)


class ArCollectionRunLine(models.Model):
    _inherit = "ar.collection.run.line"

    def action_preview(self):
        """Look at this message among those of its run."""
        self.ensure_one()
        return self.env["ar.collection.preview"]._open_for_run(self.run_id.line_ids, self)

    def _draft_action(self):
        """The action that the run would take; to be rolled back.

        The case it opens is not there yet: the action says the same without one.
        """
        return self.env["ar.collection.action"].create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "step_id": self.step_id.id,
                "rung": self.step_id.days,
                "channel": self.step_id.channel,
                "user_id": self.env["ar.credit.file"]
                ._for(self.partner_id, self.company_id)
                .collector_id.id,
                "date_planned": self.run_id.date,
            }
        )
