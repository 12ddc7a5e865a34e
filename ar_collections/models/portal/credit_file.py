from datetime import datetime, time, timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import hash_sign, verify_hash_signed

SCOPE = "ar_collections.portal"


class ArCreditFile(models.Model):
    """What a customer sees of its account: the printed statement, and its page in the portal.

    A link opens the page without login. It is signed and not stored: it names the file and the
    last day on which it works, and how often the links of the file were revoked before it was
    made. So a mail to each of ten thousand customers writes nothing, and one number makes all
    links of a customer worthless. Messages are kept with the bare address, and get what opens it
    while they are sent (``ar.portal.link``).
    """

    _name = "ar.credit.file"
    _inherit = ["ar.credit.file", "ar.letter"]

    portal_revocations = fields.Integer(readonly=True, copy=False)
    portal_link = fields.Char(
        compute="_compute_portal_link",
        groups="ar_collections.group_collector",
        help="Opens the page of this customer, and of no other, without login. Send it to "
        "nobody else.",
    )
    portal_link_end = fields.Date(
        string="Link Works Until",
        compute="_compute_portal_link",
        groups="ar_collections.group_collector",
    )

    @api.depends("portal_revocations", "company_id.ar_portal_days")
    def _compute_portal_link(self):
        for file in self:
            days = file.company_id.ar_portal_days
            today = file.company_id._ar_today()
            file.portal_link = file._portal_url(file._portal_token(today)) if days else False
            file.portal_link_end = today + timedelta(days=days) if days else False

    # Actions

    @api.readonly
    def action_statement(self):
        """Print or send the statements of these customers."""
        self.check_access("read")
        return self.env["ar.collection.statement"]._open_for(self)

    @api.readonly
    def action_open_portal(self):
        """Show the page as the customer sees it."""
        self.ensure_one()
        self.check_access("write")
        if not self.portal_link:
            raise UserError(
                self.env._(
                    "%s sends no portal links: set for how many days they work in the settings.",
                    self.company_id.name,
                )
            )
        return {"type": "ir.actions.act_url", "url": self.portal_link, "target": "new"}

    def action_revoke_portal_links(self):
        """Make all links worthless that were sent to the customer so far."""
        self.check_access("write")
        for file in self.sudo():
            file.portal_revocations += 1
            file.message_post(
                body=self.env._("All portal links that were sent so far do not work any more."),
                subtype_xmlid="mail.mt_note",
            )

    # Links

    def _portal_token(self, date):
        """What proves that somebody got a link from us.

        :param date: day on which the link is made; it works as many days as the company says
        :return: text for the parameter ``access_token``, empty when the company sends no links
        """
        self.ensure_one()
        # Whoever sends a mail need not know the secret of the database.
        file = self.sudo()
        days = file.company_id.ar_portal_days
        if not days:
            return ""
        return hash_sign(
            file.env,
            SCOPE,
            [file.id, file.portal_revocations],
            expiration=datetime.combine(date + timedelta(days=days + 1), time.min),
        )

    @api.model
    def _portal_find(self, token):
        """The file whose page a token opens: none when it is forged, expired or revoked."""
        if not isinstance(token, str):
            return self.browse()
        try:
            values = verify_hash_signed(self.sudo().env, SCOPE, token)
        except (ValueError, IndexError):
            values = None
        if not values:
            return self.browse()
        file_id, revocations = values
        return (
            self.sudo()
            .browse(file_id)
            .exists()
            .filtered(lambda file: file.portal_revocations == revocations)
        )

    def _portal_url(self, token=""):
        """The address of the page: with a login, or with a token for whoever has it."""
        self.ensure_one()
        url = f"{self.get_base_url()}/my/receivables/{self.id}"
        return f"{url}?access_token={token}" if token else url

    # Who may see what

    @api.model
    def _portal_files(self, partner):
        """The files of a contact's customer where it owes something, or has agreed something.

        :param partner: the contact who is logged in
        :return: sudoed files, the largest debt first
        """
        files = self.with_user(SUPERUSER_ID).search(
            [("partner_id", "=", partner.commercial_partner_id.id)]
        )
        if not files:
            return files
        today = max(company._ar_today() for company in files.company_id)
        items = self.env["ar.position"]._items(files.company_id, today, files.partner_id)
        papers = self._portal_papers(files)
        return files.filtered(
            lambda file: (file.company_id.id, file.partner_id.id) in items or papers[file]
        ).sorted(lambda file: -file.open_amount)

    @api.model
    def _portal_papers(self, files):
        """``{file: [plans and acknowledgements that the customer may read]}``"""
        papers = {file: [] for file in files}
        for model in files.env["ar.signable"]._inherit_children:
            paper = files.env[model]
            domain = [("file_id", "in", files.ids), ("state", "in", paper._customer_states)]
            for record in paper.search(domain):
                papers[record.file_id].append(record)
        return papers

    def _portal_last_promise(self, date):
        """The last day that the customer may promise on its page, as of a date."""
        self.ensure_one()
        last = date + timedelta(days=self.company_id.ar_portal_promise_days)
        most = self._get_agreement_limits().get_last_promise_day(date)
        return min(last, most) if most else last

    def _portal_contact(self):
        """Who deals with the customer, and gets what it writes.

        :return: ``res.users``: the collector, else the credit manager of the company
        """
        self.ensure_one()
        case = self.env["ar.collection.case"]._get_open_case(self.partner_id, self.company_id)
        return (case.collector_id | self.collector_id)._ar_or_next(self.company_id)

    # The printed statement

    def _get_statement_contacts(self):
        """``{file: who gets the statement by e-mail}``, nobody when nobody has an address."""
        return self.env["ar.recipient"]._get_recipients(self, "email")

    def _send_statements(self):
        """Send each customer its statement by e-mail; the message stays on the credit file.

        :return: the files whose customer was written to
        """
        self.check_access("write")
        contacts = self._get_statement_contacts()
        sent = self.filtered(contacts.get)
        template = self.env["mail.template"]._ar_get_shipped(
            "ar_collections.mail_template_statement"
        )
        for file in sent:
            file.message_post_with_source(
                template, partner_ids=contacts[file].ids, subtype_xmlid="mail.mt_note"
            )
        return sent
