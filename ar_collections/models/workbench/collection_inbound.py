from datetime import timedelta

from odoo import fields, models

# What people write, as the type of the message and the channel it goes by.
WRITTEN = {"comment": "email", "email_outgoing": "email", "sms": "sms"}


def is_colleague(message):
    author = message.author_id
    return bool(author.user_ids and not author.partner_share)


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
        if message.message_type == "email" and not is_colleague(message):
            self._customer_wrote(message)
        elif is_colleague(message) and (channel := WRITTEN.get(message.message_type)):
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
        """Tell the collector, and wait some days before the next automatic contact.

        Who answers to a former case is heard in the one that is open now.
        """
        # The mail gateway has no rights on collection.
        for former in self.sudo():
            case = former
            if former.state == "closed":
                case = former._open_of(former.partner_id, former.company_id)
            if not case:
                continue
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
