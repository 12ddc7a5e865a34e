from datetime import timedelta

from odoo import fields, models

# What people write, as the type of the message and the channel it goes by.
WRITTEN = {"comment": "email", "email_outgoing": "email", "sms": "sms"}


class ArCollectionCase(models.Model):
    """What goes to and fro in the chatter.

    What customers answer reaches the collector, and machines keep silent for a while. What a
    colleague writes to the customer is a contact like any other.
    """

    _inherit = "ar.collection.case"

    contact_pause_end = fields.Date(
        string="No Automatic Contact Until",
        readonly=True,
        help="The customer has written: a person answers first.",
    )

    def _message_post_after_hook(self, message, msg_vals):
        # EXTENDS mail
        result = super()._message_post_after_hook(message, msg_vals)
        author = message.author_id
        is_colleague = author.user_ids and not author.partner_share
        if message.message_type == "email" and not is_colleague:
            self._customer_wrote(message)
        elif is_colleague and (channel := WRITTEN.get(message.message_type)):
            for case in self:
                contacts = message.partner_ids.filtered(
                    lambda contact, case=case: contact.commercial_partner_id == case.partner_id
                )
                if contacts or channel == "sms":
                    case._log_written(message, channel, contacts[:1])
        return result

    def _log_written(self, message, channel, contact):
        """Keep a message as a contact; nobody says which items it asks for, so it proves none."""
        today = self.company_id._ar_today()
        # What was sent is proof, written by the system alone.
        action = self.env["ar.collection.action"].sudo()
        action = action.create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "case_id": self.id,
                "channel": channel,
                "user_id": self.env.uid,
                "contact_id": contact.id,
                "date_planned": today,
                "message_id": message.id,
                "note": message.subject,
            }
        )
        action._mark_done(today, "sent")

    def _customer_wrote(self, message):
        """Tell the collector, and wait some days before the next automatic contact."""
        # The mail gateway has no rights on collection.
        for case in self.sudo().filtered(lambda case: case.state != "closed"):
            company = case.company_id
            today = company._ar_today()
            if company.ar_reply_pause_days:
                case.contact_pause_end = today + timedelta(days=company.ar_reply_pause_days)
            # Back into the worklist, whatever was planned.
            case.write({"resubmission_date": False, "worked_on": False})
            case.activity_schedule(
                "ar_collections.activity_reply",
                today,
                summary=message.subject or self.env._("The customer has written"),
                user_id=(
                    case.collector_id
                    or company._ar_credit_manager(case.file_id)
                    or self.env.ref("base.user_admin")
                ).id,
            )
