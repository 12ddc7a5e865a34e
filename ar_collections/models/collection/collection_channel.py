from typing import NamedTuple

from odoo import api, fields, models


class Channel(NamedTuple):
    """What the house knows of a channel; the defaults are those of work for a person."""

    # Served by the system. The others are given to the collector.
    is_automatic: bool = False
    # The customer hears from us: it is proof, and the next contact keeps its distance.
    is_contact: bool = True
    # What the recipient has to have: ``email``, ``phone`` or ``street``.
    address: str | None = None
    # What a step needs to have words, each with what is usual: ``{field: XML id}``.
    texts: dict = {}
    # XML id of the activity of who does the work.
    activity_type: str = "ar_collections.activity_task"


class ArCollectionChannel(models.AbstractModel):
    """By what steps and actions reach the customer: the one source of what a channel is.

    An addon adds a channel by extending this model: the value with ``selection_add``, what it is
    in a method ``_channel_<value>``, and when the system serves it, a method
    ``_send_<value>(date)`` that sends the actions.
    """

    _name = "ar.collection.channel"
    _description = "Channel of a Contact"

    channel = fields.Selection(
        [
            ("email", "E-mail"),
            ("sms", "SMS"),
            ("letter", "Letter"),
            ("call", "Call"),
            ("visit", "Visit"),
            ("task", "Task"),
        ]
    )

    @api.model
    def _channel_email(self):
        return Channel(
            is_automatic=True,
            address="email",
            texts={"template_id": "ar_collections.mail_template_reminder"},
        )

    @api.model
    def _channel_sms(self):
        return Channel(
            is_automatic=True,
            address="phone",
            texts={"sms_template_id": "ar_collections.sms_template_reminder"},
        )

    @api.model
    def _channel_letter(self):
        return Channel(
            is_automatic=True,
            address="street",
            texts={
                "template_id": "ar_collections.mail_template_formal_letter",
                "report_id": "ar_collections.report_formal_letter",
            },
        )

    @api.model
    def _channel_call(self):
        return Channel(address="phone", activity_type="ar_collections.activity_call")

    @api.model
    def _channel_visit(self):
        return Channel(address="street", activity_type="ar_collections.activity_visit")

    @api.model
    def _channel_task(self):
        return Channel(is_contact=False)

    @api.model
    def _get_channel(self, value):
        """:return: :class:`Channel`"""
        return getattr(self, f"_channel_{value}", Channel)()

    @api.model
    def _get_channels(self):
        """``{value: Channel}``"""
        values = self._fields["channel"].get_values(self.env)
        return {value: self._get_channel(value) for value in values}

    @api.model
    def _get_contact_channels(self):
        """The channels that count as a contact with the customer."""
        return [value for value, channel in self._get_channels().items() if channel.is_contact]

    def _get_address_field(self):
        """What the recipient has to have: ``email``, ``phone`` or ``street``."""
        self.ensure_one()
        by_mail = self.channel == "letter" and self.letter_by == "email"
        return "email" if by_mail else self._get_channel(self.channel).address or "email"
