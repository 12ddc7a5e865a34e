from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date, formatLang, plaintext2html


class ArCollectionAction(models.Model):
    """The words of an action and how they reach the customer.

    Messages are made in batches: one message in the chatter of the case and one in the
    customer's, both kept as proof, and one outgoing e-mail that Odoo's queue sends.
    """

    _inherit = "ar.collection.action"

    # What templates may say; see mail_allowed_qweb_expressions.
    items_table = fields.Html(compute="_compute_texts", sanitize=False)
    payment_details = fields.Html(compute="_compute_texts", sanitize=False)
    portal_link = fields.Char(compute="_compute_portal_link")
    contact_details = fields.Html(compute="_compute_texts", sanitize=False)
    amount_text = fields.Char(compute="_compute_texts")
    due_text = fields.Char(compute="_compute_texts")
    days_text = fields.Char(compute="_compute_texts")
    lang = fields.Char(compute="_compute_lang")

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.lang",
            "object.partner_id.ref",
            "object.contact_id.name",
            "object.company_id.name",
            "object.company_id.phone",
            "object.user_id.email",
            "object.user_id.phone",
            "object.items_table",
            "object.payment_details",
            "object.portal_link",
            "object.contact_details",
            "object.amount_text",
            "object.due_text",
            "object.days_text",
        )

    @api.depends("partner_id")
    def _compute_lang(self):
        for action in self:
            action.lang = action.partner_id.lang or action.company_id.partner_id.lang

    @api.depends("partner_id", "company_id")
    def _compute_portal_link(self):
        """The customer's page, for messages that only the customer reads."""
        files = {
            (file.company_id, file.partner_id): file
            for file in self.env["ar.credit.file"].search(
                [
                    ("partner_id", "in", self.partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        }
        for action in self:
            file = files.get((action.company_id, action.partner_id))
            # What is printed does not work any more when it is read.
            online = file and action.channel in ("email", "sms")
            token = online and file._portal_token(action.company_id._ar_today())
            action.portal_link = token and file._portal_url(token)

    @api.depends("item_ids")
    @api.depends_context("lang")
    def _compute_texts(self):
        qweb = self.env["ir.qweb"]
        for action in self:
            totals = defaultdict(float)
            for item in action.item_ids:
                totals[item.currency_id] += item.residual_currency
            amounts = [
                formatLang(self.env, amount, currency_obj=currency)
                for currency, amount in totals.items()
            ]
            action.amount_text = " + ".join(amounts)
            action.due_text = action.due_date and format_date(self.env, action.due_date)
            action.days_text = str(max(action.item_ids.mapped("days_overdue"), default=0))
            values = {
                "action": action,
                "totals": amounts,
                "format_date": lambda date: format_date(self.env, date),
                "format_amount": lambda amount, currency: formatLang(
                    self.env, amount, currency_obj=currency
                ),
            }
            action.items_table = qweb._render("ar_collections.action_items_table", values)
            action.payment_details = qweb._render("ar_collections.action_payment", values)
            action.contact_details = qweb._render("ar_collections.action_contact", values)

    # Recipients

    def _recipients(self, field):
        """The first contact of each customer that has the address wanted.

        The dunning contact comes first, then the invoice address, then the customer.

        :param field: ``email``, ``phone`` or ``street``
        :return: ``{action: res.partner}``, an empty partner when nobody has one
        """
        files = {
            (file.company_id, file.partner_id): file
            for file in self.env["ar.credit.file"].search(
                [
                    ("partner_id", "in", self.partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        }
        recipients = {}
        for action in self:
            partner = action.partner_id
            file = files.get((action.company_id, partner), self.env["ar.credit.file"])
            invoice_id = partner.address_get(["invoice"])["invoice"]
            candidates = file.dunning_contact_id | partner.browse(invoice_id) | partner
            recipients[action] = candidates.filtered(field)[:1]
        return recipients

    @api.model
    def _address_field(self, action):
        """What a contact needs to get the action: ``email``, ``phone`` or ``street``."""
        if action.channel == "sms":
            return "phone"
        return "street" if action.letter_by not in (False, "email") else "email"

    def _copy_to(self, action):
        role = action.step_id.cc_role
        if not role:
            return self.env["res.partner"]
        file = self.env["ar.credit.file"]._for(action.partner_id, action.company_id)
        return file[role].filtered("email")

    # Sending

    def _send(self, date):
        """Send the messages of these actions; what cannot be sent fails visibly."""
        for way, actions in self.grouped(lambda action: action.letter_by or action.channel).items():
            actions._send_by(way, date)

    def _send_by(self, way, date):
        """Send by one way: a channel, or how a letter is sent; paper waits to be printed.

        :param way: ``email``, ``sms`` or ``print``
        """
        if way == "sms":
            self._send_sms(date)
        elif way == "print":
            self.write({"state": "planned", "failure_reason": False})
        else:
            self._send_emails(date)

    def _send_emails(self, date):
        recipients = self._recipients("email")
        unreachable = self.filtered(lambda action: not recipients[action])
        unreachable._fail(self.env._("The customer has no e-mail address."), date)
        actions = self - unreachable
        actions._set_contacts(recipients)
        actions._print_letters(date)
        subjects, bodies = actions._render_messages()
        layout = self.env["ir.qweb"]._render
        messages = actions._log_messages(
            [
                {
                    "subject": subjects[action.id],
                    "body": bodies[action.id],
                    "message_type": "email_outgoing",
                    "partner_ids": [(6, 0, recipients[action].ids)],
                    "attachment_ids": [(6, 0, action.attachment_id.ids)],
                }
                for action in actions
            ]
        )
        copies = {action: actions._copy_to(action) for action in actions}
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

    def _send_sms(self, date):
        recipients = self._recipients("phone")
        unreachable = self.filtered(lambda action: not recipients[action])
        unreachable._fail(self.env._("The customer has no phone number."), date)
        actions = self - unreachable
        actions._set_contacts(recipients)
        bodies = actions._render_sms()
        messages = actions._log_messages(
            [
                {"body": plaintext2html(bodies[action.id]), "message_type": "sms"}
                for action in actions
            ]
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

    def _render_messages(self):
        """``({action id: subject}, {action id: body})`` in each customer's language."""
        subjects, bodies = {}, {}
        for template, actions in self.grouped(lambda action: action.step_id.template_id).items():
            subjects.update(template._render_field("subject", actions.ids, compute_lang=True))
            bodies.update(template._render_field("body_html", actions.ids, compute_lang=True))
        return subjects, bodies

    def _log_messages(self, vals_list):
        """One message per action on its case, with a copy on the customer.

        :return: the messages that are sent: those on the case, or on the customer before there
            is a case
        """
        subtype_id = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_note")
        sent, copies = [], []
        for action, vals in zip(self, vals_list, strict=True):
            author = action.user_id.partner_id or self.env.user.partner_id
            company = action.company_id
            common = {
                **vals,
                "subtype_id": subtype_id,
                "author_id": author.id,
                "email_from": action.user_id.email_formatted
                or company.email_formatted
                or self.env.user.email_formatted,
                "reply_to": company.catchall_formatted
                or action.user_id.email_formatted
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
                copies.append(on_customer)
            else:
                sent.append(on_customer)
        messages = self.env["mail.message"].create(sent)
        self.env["mail.message"].create(copies)
        return messages

    def _set_contacts(self, recipients):
        for action in self:
            action.write({"contact_id": recipients[action].id, "failure_reason": False})

    def _print_letters(self, date):
        """Print and keep the letter of each action whose step has one.

        :param date: the date on the letters
        """
        reports = self.env["ir.actions.report"].with_context(ar_letter_date=date)
        for action in self.filtered("step_id.report_id"):
            content, extension = reports._render(action.step_id.report_id, action.ids)
            name = f"{action.summary} {action.partner_id.name} {date}.{extension}"
            action.attachment_id = self.env["ir.attachment"].create(
                {
                    "name": name,
                    "raw": content,
                    "res_model": "ar.collection.action",
                    "res_id": action.id,
                }
            )

    # Failures

    def _fail(self, reason, date):
        """Mark as failed and tell the collector, once per case and not once per channel."""
        if not self:
            return
        self.write({"state": "failed", "failure_reason": reason})
        told = self.env["ar.collection.case"]
        activities = []
        for action in self.filtered("case_id"):
            others = action.case_id.action_ids.filtered(
                lambda other, action=action: (
                    other.rung == action.rung
                    and other.due_date == action.due_date
                    and other.state == "done"
                    and other.channel != action.channel
                )
            )
            if not others and action.case_id not in told:
                told |= action.case_id
                activities.append(
                    {
                        "res_model_id": self.env["ir.model"]._get_id("ar.collection.case"),
                        "res_id": action.case_id.id,
                        "activity_type_id": self.env.ref("ar_collections.activity_task").id,
                        "automated": True,
                        "summary": self.env._("%(step)s failed", step=action.summary),
                        "note": Markup("<p>%s</p>") % reason,
                        "date_deadline": date,
                        "user_id": action.user_id.id,
                    }
                )
        self.env["mail.activity"].with_context(mail_activity_quick_update=True).create(activities)

    @api.model
    def _sweep_undelivered(self, company, date):
        """Mark as failed what the mail or SMS gateway could not deliver."""
        undelivered = ("bounce", "exception")
        actions = self.search(
            [
                ("message_id.notification_ids.notification_status", "in", undelivered),
                ("company_id", "=", company.id),
                ("state", "=", "done"),
            ]
        )
        reasons = defaultdict(self.browse)
        for action in actions:
            failed = action.message_id.notification_ids.filtered(
                lambda notification: notification.notification_status in undelivered
            )
            reasons[failed[0].format_failure_reason()] |= action
        for reason, same in reasons.items():
            same._fail(reason, date)
