from odoo import api, models
from odoo.tools import html2plaintext, plaintext2html


class ArCollectionSender(models.AbstractModel):
    """Sends the messages of actions.

    Messages are made in batches: one message in the chatter of the case and one in the
    customer's, both kept as proof, and one outgoing e-mail that Odoo's queue sends.
    """

    _name = "ar.collection.sender"
    _description = "Sender of Collection Messages"

    @api.model
    def _send_emails(self, actions, date):
        """One outgoing e-mail per action, with its letter; Odoo's queue sends them."""
        recipients = actions._get_recipients("email")
        unreachable = actions.filtered(lambda action: not recipients[action])
        unreachable._fail(self.env._("The customer has no e-mail address."), date, "address")
        actions -= unreachable
        actions._set_contacts(recipients)
        actions._print_letters(date)
        subjects, bodies = self._render_emails(actions)
        layout = self.env["ir.qweb"]._render
        messages = self._log_messages(
            actions,
            [
                {
                    "subject": subjects[action.id],
                    "body": bodies[action.id],
                    "message_type": "email_outgoing",
                    "partner_ids": [(6, 0, recipients[action].ids)],
                    "attachment_ids": [(6, 0, action.attachment_id.ids)],
                }
                for action in actions
            ],
        )
        copies = self._get_copy_contacts(actions)
        mails = self.env["mail.mail"].create(
            [
                {
                    "mail_message_id": message.id,
                    "is_notification": True,
                    "auto_delete": True,
                    "recipient_ids": [(6, 0, (recipients[action] | copies[action]).ids)],
                    "body_html": layout(
                        "ar_collections.mail_layout",
                        {
                            "body": bodies[action.id],
                            "company": action.company_id,
                        },
                    ),
                    "state": "outgoing",
                }
                for action, message in zip(actions, messages, strict=True)
            ]
        )
        self.env["mail.notification"].create(
            [
                {
                    "author_id": message.author_id.id,
                    "mail_message_id": message.id,
                    "mail_mail_id": mail.id,
                    "res_partner_id": partner.id,
                    "notification_type": "email",
                    "notification_status": "ready",
                    "is_read": True,
                }
                for action, message, mail in zip(actions, messages, mails, strict=True)
                for partner in recipients[action] | copies[action]
            ]
        )
        for action, message in zip(actions, messages, strict=True):
            action.message_id = message
        actions._mark_done(date, "sent")

    @api.model
    def _send_texts(self, actions, date):
        """One text message per action; Odoo's queue sends them."""
        recipients = actions._get_recipients("phone")
        unreachable = actions.filtered(lambda action: not recipients[action])
        unreachable._fail(self.env._("The customer has no phone number."), date, "address")
        actions -= unreachable
        actions._set_contacts(recipients)
        bodies = self._render_texts(actions)
        messages = self._log_messages(
            actions,
            [
                {"body": plaintext2html(bodies[action.id]), "message_type": "sms"}
                for action in actions
            ],
        )
        texts = self.env["sms.sms"].create(
            [
                {
                    "body": bodies[action.id],
                    "mail_message_id": message.id,
                    "partner_id": recipients[action].id,
                    "number": recipients[action]._phone_format(fname="phone")
                    or recipients[action].phone,
                    "state": "outgoing",
                }
                for action, message in zip(actions, messages, strict=True)
            ]
        )
        self.env["mail.notification"].create(
            [
                {
                    "author_id": message.author_id.id,
                    "mail_message_id": message.id,
                    "res_partner_id": sms.partner_id.id,
                    "sms_number": sms.number,
                    "sms_id_int": sms.id,
                    "sms_tracker_ids": [(0, 0, {"sms_uuid": sms.uuid})],
                    "notification_type": "sms",
                    "notification_status": "ready",
                    "is_read": True,
                }
                for message, sms in zip(messages, texts, strict=True)
            ]
        )
        for action, message in zip(actions, messages, strict=True):
            action.message_id = message
        actions._mark_done(date, "sent")

    @api.model
    def _get_stopped(self, actions):
        """Those of the actions whose company, policy or channel may not send now."""
        return actions.filtered(
            lambda action: (
                action.company_id._ar_is_stopped()
                or action.step_id.policy_id.stopped
                or action.channel in action.company_id._ar_get_stopped_channels()
            )
        )

    @api.model
    def _get_stopped_messages(self, messages):
        """Those of the messages that wait in the outbox because somebody has stopped them."""
        actions = self.env["ar.collection.action"].sudo()
        return self._get_stopped(actions.search([("message_id", "in", messages.ids)])).message_id

    @api.model
    def _get_copy_contacts(self, actions):
        """``{action: who gets a copy}``, by the role that the step names."""
        files = {
            (file.company_id, file.partner_id): file
            for file in self.env["ar.credit.file"].search(
                [
                    ("partner_id", "in", actions.filtered("step_id.cc_role").partner_id.ids),
                    ("company_id", "in", actions.company_id.ids),
                ]
            )
        }
        nobody = self.env["res.partner"]
        return {
            action: files[action.company_id, action.partner_id][action.step_id.cc_role].filtered(
                lambda contact: contact.active and contact.email
            )
            if action.step_id.cc_role and (action.company_id, action.partner_id) in files
            else nobody
            for action in actions
        }

    @api.model
    def _mark_posted(self, actions, date):
        """The printed letters are in the post: a message of the case keeps each of them."""
        messages = self._log_messages(
            actions,
            [
                {
                    "subject": action.summary,
                    "body": self.env._(
                        "%(letter)s sent by post to %(contact)s.",
                        letter=action.summary,
                        contact=action.contact_id.display_name,
                    ),
                    "message_type": "comment",
                    "attachment_ids": [(6, 0, action.attachment_id.ids)],
                }
                for action in actions
            ],
        )
        for action, message in zip(actions, messages, strict=True):
            action.message_id = message
        actions._mark_done(date, "posted")
        for activity in actions.activity_id.filtered("active"):
            activity.action_feedback()

    @api.model
    def _call_off(self, actions):
        """What the queues still keep of messages that failed is never sent by somebody's retry."""
        messages = actions.message_id
        if not messages:
            return
        self.env["mail.mail"].search(
            [("mail_message_id", "in", messages.ids), ("state", "in", ("outgoing", "exception"))]
        ).write({"state": "cancel"})
        self.env["sms.sms"].search(
            [("mail_message_id", "in", messages.ids), ("state", "in", ("outgoing", "error"))]
        ).write({"state": "canceled"})

    @api.model
    def _render_emails(self, actions):
        """``({action id: subject}, {action id: body})`` in each customer's language."""
        subjects, bodies = {}, {}
        for template, same in actions.grouped(lambda action: action.step_id.template_id).items():
            subjects.update(template._render_field("subject", same.ids, compute_lang=True))
            bodies.update(template._render_field("body_html", same.ids, compute_lang=True))
        return subjects, bodies

    @api.model
    def _render_texts(self, actions):
        """``{action id: text}`` in each customer's language."""
        bodies = {}
        for template, same in actions.grouped(
            lambda action: action.step_id.sms_template_id
        ).items():
            bodies.update(template._render_field("body", same.ids, compute_lang=True))
        return {
            # One character outside the GSM alphabet doubles the price of the text.
            action_id: html2plaintext(body).replace("\u00a0", " ").replace("\u202f", " ")
            for action_id, body in bodies.items()
        }

    @api.model
    def _log_messages(self, actions, vals_list):
        """One message per action on its case, and a line that tells of it on the customer.

        :return: the messages that are sent: those on the case, or on the customer before there
            is a case
        """
        subtype_id = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note")
        sent, copies = [], []
        for action, vals in zip(actions, vals_list, strict=True):
            company = action.company_id
            # Nobody writes as who left.
            writer = action.user_id._ar_at_work(company)
            author = writer.partner_id or self.env.user.partner_id
            common = {
                **vals,
                "subtype_id": subtype_id,
                "author_id": author.id,
                "email_from": writer.email_formatted
                or company.email_formatted
                or self.env.user.email_formatted,
                "reply_to": company.catchall_formatted
                or writer.email_formatted
                or company.email_formatted,
                "record_company_id": company.id,
            }
            on_customer = {
                **common,
                "model": "res.partner",
                "res_id": action.partner_id.id,
                "record_name": action.partner_id.display_name,
            }
            if action.case_id:
                sent.append(
                    {
                        **common,
                        "model": "ar.collection.case",
                        "res_id": action.case_id.id,
                        "record_name": action.partner_id.display_name,
                    }
                )
                if vals["message_type"] == "email_outgoing":
                    on_customer["body"] = self._get_pointer(action.case_id, vals["subject"])
                copies.append(on_customer)
            else:
                sent.append(on_customer)
        messages = self.env["mail.message"].create(sent)
        self.env["mail.message"].create(copies)
        return messages

    @api.model
    def _get_pointer(self, case, subject):
        """What the customer's chatter says of an e-mail on the case: its text is kept once."""
        return self.env._(
            "The whole message is in the collection case: %s", case._get_html_link(title=subject)
        )
