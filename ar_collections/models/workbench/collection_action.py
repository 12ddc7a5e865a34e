from datetime import UTC, datetime, time
from string import Template
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount, format_date

# When visits start and end, by the collector's clock, until somebody moves them.
VISIT_HOURS = (time(9), time(10))

# What has to be known before a call with this next step is done, unless nobody was reached.
REQUIRED = {
    "credit_review": ("note",),
    "dispute": ("dispute_reason_id", "disputed_item_ids"),
    "deputy_call": ("other_name",),
    "payment_match": ("paid_date", "paid_amount"),
    "resend_invoice": ("order_number", "invoice_ids"),
    "other_department": ("other_name",),
}


class ArCollectionAction(models.Model):
    """Calls and visits: what to know before, what was said, and what follows from it.

    What an excuse starts is a method ``_next_<next step>(date)``.
    """

    _inherit = "ar.collection.action"

    duration = fields.Integer(string="Minutes")
    call_again_date = fields.Date(string="Call Again On")
    excuse_id = fields.Many2one("ar.collection.excuse", index="btree_not_null", ondelete="restrict")
    excuse_meaning = fields.Text(related="excuse_id.meaning")
    excuse_questions = fields.Text(related="excuse_id.questions")
    excuse_script = fields.Text(string="Answer", compute="_compute_excuse_script")
    next_step = fields.Selection(related="excuse_id.next_step")
    is_own_fault = fields.Boolean(
        string="Own Fault", related="excuse_id.is_own_fault", store=True, depends=["excuse_id"]
    )
    salesperson_id = fields.Many2one(
        "res.users",
        compute="_compute_salesperson_id",
        store=True,
        help="Of the invoices, or else of the customer.",
    )
    # The answers to the questions.
    promise_date = fields.Date(string="Will Pay On")
    promise_amount = fields.Monetary(string="Will Pay", currency_field="promise_currency_id")
    promise_currency_id = fields.Many2one(
        "res.currency",
        string="Will Pay In",
        compute="_compute_promise_currency_id",
        store=True,
        readonly=False,
        precompute=True,
    )
    dispute_reason_id = fields.Many2one(
        "ar.dispute.reason",
        compute="_compute_dispute_reason_id",
        store=True,
        readonly=False,
        ondelete="restrict",
    )
    disputed_item_ids = fields.Many2many(
        "account.move.line", "ar_action_disputed_item_rel", string="Disputed Items"
    )
    other_contact_id = fields.Many2one(
        "res.partner", string="Deputy or Colleague", ondelete="restrict"
    )
    other_name = fields.Char(
        string="Name of the Deputy or Colleague",
        compute="_compute_other_name",
        store=True,
        readonly=False,
    )
    other_phone = fields.Char(
        string="Phone of the Deputy or Colleague",
        compute="_compute_other_phone",
        store=True,
        readonly=False,
    )
    paid_date = fields.Date(string="Says to Have Paid On")
    paid_amount = fields.Monetary(string="Says to Have Paid")
    paid_reference = fields.Char(string="With Reference")
    order_number = fields.Char()
    invoice_ids = fields.Many2many("account.move", "ar_action_invoice_rel", string="Invoices")
    match_ids = fields.Many2many(
        "account.move.line", compute="_compute_match_ids", string="Payments Found"
    )
    # Before the call.
    case_item_ids = fields.Many2many(
        related="case_id.open_item_ids", string="Overdue Items", related_sudo=False
    )
    prepare_contacts = fields.Html(string="Who to Speak To", compute="_compute_prepare")
    prepare_history = fields.Html(string="What Was Said", compute="_compute_prepare")
    # A visit.
    event_id = fields.Many2one(
        "calendar.event", string="Appointment", readonly=True, ondelete="set null"
    )
    event_start = fields.Datetime(related="event_id.start", string="Appointment At")
    address = fields.Char(compute="_compute_address")
    route_url = fields.Char(string="Route", compute="_compute_address")
    visit_option_id = fields.Many2one(
        "ar.credit.criterion.band",
        string="Impression of the Visit",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('criterion_id.by_visit', '=', True)]",
        help="Rates the customer in the scorecard when the visit is done.",
    )
    photo_ids = fields.Many2many(
        "ir.attachment", "ar_action_photo_rel", string="Photos and Documents"
    )

    _positive_answers = models.Constraint(
        "CHECK(duration >= 0 AND promise_amount >= 0 AND paid_amount >= 0)",
        "Minutes and amounts cannot be negative.",
    )

    @api.depends("company_id")
    def _compute_promise_currency_id(self):
        for action in self:
            action.promise_currency_id = action.company_id.currency_id

    @api.depends("excuse_id")
    def _compute_dispute_reason_id(self):
        for action in self:
            action.dispute_reason_id = (
                action.dispute_reason_id or action.excuse_id.dispute_reason_id
            )

    @api.depends("other_contact_id")
    def _compute_other_name(self):
        for action in self:
            action.other_name = action.other_contact_id.name or action.other_name

    @api.depends("other_contact_id")
    def _compute_other_phone(self):
        for action in self:
            action.other_phone = action.other_contact_id.phone or action.other_phone

    @api.depends("partner_id", "invoice_ids")
    def _compute_salesperson_id(self):
        for action in self:
            # Who wrote the invoices that were wrong is known without rights on them.
            sellers = action.sudo().invoice_ids.invoice_user_id
            action.salesperson_id = sellers[:1] or action.partner_id.user_id

    @api.depends("excuse_id", "case_id", "contact_id")
    def _compute_excuse_script(self):
        """The answer in the customer's language, with the figures of the case."""
        for action in self:
            lang = action.partner_id.lang or self.env.lang
            excuse = action.excuse_id.with_context(lang=lang)
            case = action.case_id.with_context(lang=lang)
            names = case.open_item_ids.sudo().mapped("move_name")
            action.excuse_script = Template(excuse.script or "").safe_substitute(
                amount=format_amount(case.env, case.amount_overdue, case.currency_id),
                days=case.days_overdue,
                oldest_due=format_date(case.env, case.oldest_due_date),
                invoices=", ".join(filter(None, names[:3])),
                contact=action.contact_id.name or action.partner_id.name or "",
                company=action.company_id.name or "",
            )

    def _compute_prepare(self):
        """Who decides and who signs when away; the last promises and excuses."""
        qweb = self.env["ir.qweb"]
        recipients = self.case_id._get_recipients("email")
        for action in self:
            file, case = action.case_id.file_id, action.case_id
            partner = action.partner_id
            contacts = [
                (self.env._("Decides"), file.decision_maker_id),
                (self.env._("Signs when away"), file.deputy_id),
                (self.env._("Pays"), file.payer_id),
                (self.env._("Gets the reminders"), recipients.get(case)),
                (self.env._("Legal"), file.legal_contact_id),
                (self.env._("Customer"), partner),
            ]
            values = {
                "contacts": [
                    (role, contact) for role, contact in contacts if contact and contact.active
                ],
                "case": case,
                "terms": partner.with_company(action.company_id).property_payment_term_id,
                "promises": file.promise_ids[:3],
                "calls": case.action_ids.filtered(
                    lambda other: other.state == "done" and other.channel in ("call", "visit")
                )[:3],
                "day": lambda date: format_date(self.env, date),
                "money": lambda amount, currency: format_amount(self.env, amount, currency),
            }
            action.prepare_contacts = qweb._render("ar_collections.call_contacts", values)
            action.prepare_history = qweb._render("ar_collections.call_history", values)

    @api.depends("paid_amount", "paid_date", "paid_reference", "next_step")
    def _compute_match_ids(self):
        for action in self:
            found = action.next_step == "payment_match" and action._get_payments()
            action.match_ids = found and found._filtered_access("read")

    @api.depends("contact_id", "partner_id")
    def _compute_address(self):
        for action in self:
            place = action.contact_id if action.contact_id.city else action.partner_id
            parts = (place.contact_address_inline or "").split(",")
            address = ", ".join(filter(None, map(str.strip, parts)))
            action.address = address
            action.route_url = address and (
                "https://www.openstreetmap.org/directions?to=" + quote_plus(address)
            )

    @api.constrains("promise_date", "promise_amount")
    def _check_promise(self):
        for action in self:
            if bool(action.promise_date) != bool(action.promise_amount):
                raise ValidationError(self.env._("A promise needs a day and an amount."))

    @api.constrains("disputed_item_ids", "invoice_ids")
    def _check_own_items(self):
        for action in self:
            invoices = action.invoice_ids.sudo()
            items = action.disputed_item_ids.sudo() | invoices.line_ids
            if (
                items.partner_id.commercial_partner_id - action.partner_id
                or items.company_id.root_id - action.company_id
                or not all(
                    invoice.state == "posted" and invoice.is_sale_document(include_receipts=True)
                    for invoice in invoices
                )
            ):
                raise ValidationError(
                    self.env._("These are not all items of %s.", action.partner_id.display_name)
                )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        actions._attach_photos()
        return actions

    def write(self, vals):
        result = super().write(vals)
        if "photo_ids" in vals:
            self._attach_photos()
        if vals.get("user_id"):
            for event in self.sudo().event_id.with_context(dont_notify=True):
                user = self.env["res.users"].browse(vals["user_id"])
                event.write({"user_id": user.id, "partner_ids": [Command.set(user.partner_id.ids)]})
        return result

    def _attach_photos(self):
        """What was uploaded to a new action is its own, and seen by whoever sees the action."""
        for action in self:
            own = action.photo_ids.filtered(
                lambda photo: not photo.res_id and photo.create_uid == self.env.user
            )
            own.write({"res_model": self._name, "res_id": action.id})

    @api.model
    def _get_fields_of_afterwards(self):
        # EXTENDS ar_collections
        return super()._get_fields_of_afterwards() | {"duration", "photo_ids"}

    # Doing it

    def action_done(self):
        # EXTENDS ar_collections: an excuse starts its next step
        for action in self:
            action._check_answers()
        result = super().action_done()
        for action in self:
            date = action.company_id._ar_today()
            if action.call_again_date and action.case_id:
                action.sudo()._call_again(action.call_again_date)
            if action._was_reached():
                if action.promise_amount:
                    action._make_promise()
                if action.excuse_id:
                    getattr(action, f"_next_{action.next_step}")(date)
        return result

    def action_done_and_next(self):
        """The call is done, and with it the case for today."""
        self.action_done()
        return self.case_id.action_next_case()

    def _was_reached(self):
        return self.outcome not in ("no_answer", "wrong_person")

    def _check_answers(self):
        """The next step of an excuse needs the answers to its questions."""
        if self.outcome == "call_back" and not self.call_again_date:
            raise UserError(self.env._("Enter the day on which you call again."))
        if not self.excuse_id or not self._was_reached():
            return
        if not self.case_id:
            raise UserError(self.env._("An excuse belongs to a call on a case."))
        missing = [
            self._fields[name]._description_string(self.env)
            for name in REQUIRED.get(self.next_step, ())
            if not self[name]
        ]
        if missing:
            raise UserError(
                self.env._(
                    "After “%(excuse)s” ask for: %(missing)s.",
                    excuse=self.excuse_id.name,
                    missing=", ".join(missing),
                )
            )

    # Promise to pay

    def _next_promise(self, date):
        if not self.promise_amount:
            self._go_on(date)

    def _go_on(self, date):
        """Who names no date and no amount goes to the next stage, as far as we chase ourselves.

        Whoever hands a case to others, or may not leave a stage yet, decides that in person.
        """
        case = self.case_id
        stages = self.env["ar.collection.stage"].search([("active", "=", True)])
        later = stages[stages.ids.index(case.stage_id.id) + 1 :] if case.stage_id in stages else []
        if later and later[0]._get_kind().is_own_effort:
            try:
                case.stage_id = later[0]
                return
            except UserError as error:
                reason = str(error)
        else:
            reason = self.env._("Decide on the next stage.")
        self._tell_collector(date, self.env._("No date, no amount was promised. %s", reason))

    def _next_reorganisation(self, date):
        """Debts go along with the firm: with a day, and with the name of who pays from then on."""
        self._next_promise(date)
        self._open_review(date)
        self._tell_collector(
            self._get_recall_day(date),
            self.env._(
                "Check the new legal entity: who owes this from now on? %s", self.note or ""
            ),
        )

    def _make_promise(self):
        return self.env["ar.payment.promise"].create(
            {
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "amount": self.promise_amount,
                "currency_id": self.promise_currency_id.id,
                "date": self.promise_date,
                "contact_id": self.contact_id.id,
                "action_id": self.id,
                "note": self.note,
            }
        )

    # Danger signs

    def _next_credit_review(self, date):
        self._open_review(date)

    def _open_review(self, date):
        note = self.env._("“%(excuse)s” %(note)s", excuse=self.excuse_id.name, note=self.note or "")
        return self.env["ar.credit.review"]._open_for(self.case_id.file_id, "excuse", note, date)

    def _next_acknowledgement_plan(self, date):
        """Real or not: in writing, in instalments, and no more credit until it is settled."""
        values = {"action_id": self.id, "contact_id": self.contact_id.id}
        self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id, **values}
        )
        for plan in self.case_id._draft_plans(**values).filtered("item_ids"):
            plan._distribute_instalments()
        # What the customer says decides on the hold, not the rights of who listens.
        file = self.case_id.file_id.sudo()
        if not file.hold:
            file._set_hold(self.excuse_id.name, date)
        self._open_review(date)

    # Disputes

    def _next_dispute(self, date):
        parts = self.env["ar.dispute.line"]._get_undisputed_amounts(self.disputed_item_ids)
        if not parts:
            raise UserError(self.env._("These items are paid or in dispute already."))
        self.env["ar.dispute"].create(
            {
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "reason_id": self.dispute_reason_id.id,
                "description": self.note,
                "contact_id": self.contact_id.id,
                "action_id": self.id,
                "line_ids": [
                    Command.create({"move_line_id": item.id, "amount": amount})
                    for item, amount in parts.items()
                ],
            }
        )

    # Other people

    def _next_deputy_call(self, date):
        self.case_id.file_id.deputy_id = self._get_other_contact()
        self._call_other(self._get_recall_day(date))

    def _next_other_department(self, date):
        self._call_other(self.company_id._ar_working_day(date, 1))

    def _call_other(self, date):
        call = self.sudo()._call_again(date)
        call.contact_id = self._get_other_contact()

    def _get_other_contact(self):
        """Who was named: a contact that is known, or a new one of the customer."""
        # Collectors note whom customers name, also without rights on the address book.
        call = self.sudo()
        if not call.other_contact_id:
            call.other_contact_id = call.env["res.partner"].create(
                {
                    "name": call.other_name,
                    "phone": call.other_phone,
                    "parent_id": call.partner_id.id,
                    "lang": call.partner_id.lang,
                }
            )
        elif not call.other_contact_id.phone:
            call.other_contact_id.phone = call.other_phone
        return self.other_contact_id

    def _call_again(self, date, note=None):
        return self.case_id._plan_call(date, note or self.note or self.summary, self.user_id)

    def _get_recall_day(self, date):
        """The day on which the customer is called again, when nothing else is agreed."""
        return self.company_id._ar_working_day(date, self.company_id.ar_recall_days)

    # Paid already

    def _next_payment_match(self, date):
        """Say what was found, and call again when it is not settled by then."""
        found = self._get_payments()
        note = self.env._(
            "The customer says to have paid %(amount)s on %(date)s (%(reference)s).",
            amount=format_amount(self.env, self.paid_amount, self.currency_id),
            date=format_date(self.env, self.paid_date),
            reference=self.paid_reference or self.env._("no reference"),
        )
        if found:
            names = ", ".join(line.move_name or line.name or "" for line in found.sudo())
            note += " " + self.env._("This may be it: %s.", names)
            self._tell_collector(date, note)
        self.sudo()._call_again(self._get_recall_day(date), note)

    def _get_payments(self):
        return self.env["ar.payment.finder"]._find_payments(
            self.company_id,
            self.partner_id,
            self.paid_amount,
            self.currency_id,
            self.paid_date,
            self.paid_reference,
        )

    # Our own part

    def _next_policy_mail(self, date):
        self._mail_to_contact("ar_collections.mail_template_credit_policy")

    def _get_mail_contact(self):
        """Who was spoken to, else the recipient.

        :raises UserError: nobody has an e-mail address
        """
        contact = self.env["ar.recipient"]._get_recipients(
            self,
            "email",
            people={self: self.contact_id},
            lines={self: self.item_ids.move_line_id.ids},
        )[self]
        if not contact:
            raise UserError(self.env._("The customer has no e-mail address."))
        return contact

    def _mail_to_contact(self, template):
        """Write to who was spoken to; the message stays on the case as proof."""
        contact = self._get_mail_contact()
        template = self.env["mail.template"]._ar_get_shipped(template).sudo()
        subject = template._render_field("subject", self.ids, compute_lang=True)[self.id]
        body = template._render_field("body_html", self.ids, compute_lang=True)[self.id]
        self.case_id.message_post(
            subject=subject,
            body=body,
            partner_ids=contact.ids,
            subtype_xmlid="mail.mt_note",
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _next_resend_invoice(self, date):
        """Put the order number on the invoices and send them at once, freshly printed."""
        invoices = self.invoice_ids
        # Whoever talks to the customer need not have the right to change invoices.
        invoices.sudo().write({"ref": self.order_number})
        contact = self._get_mail_contact()
        reports = self.env["ir.actions.report"].sudo().with_context(report_pdf_no_attachment=True)
        texts = (
            self.env.ref("account.email_template_edi_invoice")
            .sudo()
            ._generate_template(invoices.ids, ("subject", "body_html"))
        )
        for invoice in invoices.sudo():
            content, kind = reports._render("account.account_invoices", invoice.ids)
            body = texts[invoice.id]["body_html"]
            seller = invoice.invoice_user_id
            gone = seller - seller._ar_at_work(invoice.company_id, None)
            if gone.signature:
                # Odoo's text is signed by the salesperson: now by who sends it.
                body = body.replace(gone.signature, self.env.user.signature or "")
            invoice.message_post(
                subject=texts[invoice.id]["subject"],
                body=body,
                email_add_signature=not gone,
                partner_ids=contact.ids,
                attachments=[(f"{invoice.name.replace('/', '-')}.{kind}", content)],
                subtype_xmlid="mail.mt_comment",
                email_layout_xmlid="mail.mail_notification_layout_with_responsible_signature",
            )

    def _tell_collector(self, date, note):
        self.case_id.sudo().activity_schedule(
            "ar_collections.activity_task",
            date,
            summary=self.excuse_id.name,
            note=note,
            user_id=self.case_id._get_doer(self.user_id, self.env.user).id,
        )

    # Appointments

    def _schedule_activities(self, date):
        # EXTENDS ar_collections: a visit is in the collector's calendar too
        result = super()._schedule_activities(date)
        visits = self.filtered(lambda action: action.channel == "visit" and action.user_id)
        visits._make_appointments()
        return result

    def _make_appointments(self):
        # The collector's own calendar; who plans the visit may be somebody else.
        events = self.env["calendar.event"].sudo().with_context(dont_notify=True)
        events = events.create([visit._prepare_event_values() for visit in self])
        for visit, event in zip(self.sudo(), events, strict=True):
            visit.event_id = event

    def _prepare_event_values(self):
        zone = ZoneInfo(self.user_id.tz or self.company_id.partner_id.tz or "UTC")
        start, stop = (
            datetime.combine(self.date_planned, hour, zone).astimezone(UTC).replace(tzinfo=None)
            for hour in VISIT_HOURS
        )
        return {
            "name": self.env._("Visit %s", self.partner_id.display_name),
            "start": start,
            "stop": stop,
            "user_id": self.user_id.id,
            "partner_ids": [Command.set(self.user_id.partner_id.ids)],
            "location": self.address,
            "description": self.route_url
            and Markup('<a href="{url}">{text}</a>').format(
                url=self.route_url, text=self.env._("Show the way")
            ),
            "activity_ids": [Command.set(self.activity_id.ids)],
            "res_model_id": self.env["ir.model"]._get_id(self.case_id._name),
            "res_id": self.case_id.id,
        }

    def _drop_plans(self):
        # EXTENDS ar_collections
        result = super()._drop_plans()
        self.sudo().event_id.unlink()
        return result
