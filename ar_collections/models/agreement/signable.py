import secrets
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import consteq, email_normalize, hmac

CODE_MINUTES = 15
CODE_TRIES = 5
MAX_BROWSER = 300


class Signer(NamedTuple):
    """How we know who signs on a page, and from where."""

    email: str
    # A value of ``signed_with``.
    way: str
    address: str
    browser: str


class ArSignable(models.AbstractModel):
    """A paper that the customer signs on its page, or on paper with the scan uploaded.

    Who signs on the page is a contact who has logged in, or has confirmed its e-mail by a code.
    """

    _name = "ar.signable"
    _inherit = ["ar.letter"]
    _description = "Signed by the Customer"

    # What the customer may read: not a draft, nor what was given up before it agreed.
    _customer_states = ()
    # Its word in the address of its page, and what it is printed by.
    _page = None
    _paper = None

    signed_by = fields.Char(readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)
    signed_email = fields.Char(string="Signer's E-mail", readonly=True, copy=False)
    signed_with = fields.Selection(
        [("login", "Login"), ("code", "Code by e-mail")],
        string="Signer Known By",
        readonly=True,
        copy=False,
    )
    signed_address = fields.Char(string="Signed From", readonly=True, copy=False)
    signed_browser = fields.Char(string="Signed With", readonly=True, copy=False)
    signed_hash = fields.Char(
        string="Fingerprint",
        readonly=True,
        copy=False,
        help="SHA-256 of the signed paper: whoever has the file can calculate it again.",
    )
    signing_code = fields.Json(groups=fields.NO_ACCESS, copy=False)
    signature = fields.Image(max_width=1024, max_height=1024, readonly=True, copy=False)
    signed_document = fields.Binary(
        attachment=True, copy=False, help="The paper with the customer's signature."
    )
    signed_document_name = fields.Char(copy=False)

    access_url = fields.Char(string="Page of the Customer", compute="_compute_portal_link")
    # What mails may say. The link asks for a login, and works without one as soon as it is sent.
    portal_link = fields.Char(compute="_compute_portal_link")
    customer_name = fields.Char(compute="_compute_portal_link")

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.name",
            "object.portal_link",
            "object.customer_name",
            "object.company_id.name",
            "object.partner_id.lang",
        )

    def _compute_portal_link(self):
        for record in self:
            record.access_url = f"/my/receivables/{record._page}/{record.id}"
            record.portal_link = record.get_base_url() + record.access_url
            record.customer_name = (record._get_signatory() or record.partner_id).name

    def _letter_contact(self):
        # EXTENDS ar_collections
        return self._get_signatory() or super()._letter_contact()

    def _get_signatory(self):
        """Who agreed, as long as it is there or when it has signed."""
        return self.contact_id if self.signed_on else self.contact_id.filtered("active")

    def write(self, vals):
        if "signed_document" in vals and any(
            record.signed_on and record.signed_document for record in self
        ):
            raise UserError(self.env._("The signed paper is proof: it is not replaced."))
        return super().write(vals)

    def _record_signature(self, name, signature=None):
        """Keep who signed; a signature needs a name.

        :param name: as the customer wrote it
        :param signature: the drawn signature, a base64 image, when signed in the portal
        """
        self.ensure_one()
        if not (name or "").strip():
            raise UserError(self.env._("Write the name of the person who signs."))
        self.sudo().write(
            {
                "signed_by": name.strip(),
                "signed_on": fields.Datetime.now(),
                "signature": signature,
            }
        )

    def _check_signed_document(self):
        """Whoever says for the customer that it signed has the paper."""
        for record in self:
            if not record.signed_document:
                raise UserError(
                    self.env._("Upload the signed paper first, or let the customer sign online.")
                )

    @api.model
    def _find_paper(self, page, record_id):
        """The paper of a page, sudoed, or nothing.

        :param page: its word in the address
        """
        for name in self._inherit_children:
            if self.env[name]._page == page:
                return self.env[name].sudo().browse(record_id).exists()
        return None

    # Who signs

    def _get_signers(self):
        """Contacts who may sign by their e-mail: of the customer, or those we deal with, not us."""
        file = self.file_id
        people = self.env["res.partner"].search([("id", "child_of", self.partner_id.id)])
        people |= self.contact_id | self.env["ar.recipient"]._get_recipients(self, "email")[self]
        people |= file.payer_id | file.decision_maker_id | file.deputy_id | file.legal_contact_id
        return people.filtered(lambda contact: contact.partner_share and contact.email_normalized)

    def _send_signing_code(self, email):
        """Send a code to a contact who wants to sign.

        :raise UserError: with a text that the visitor understands
        """
        self.ensure_one()
        now, email = fields.Datetime.now(), email_normalize(email or "")
        signer = self._get_signers().filtered(lambda contact: contact.email_normalized == email)
        if not signer:
            raise UserError(
                self.env._(
                    "We do not know this address. Enter the address to which we write to you, or "
                    "ask us to add yours."
                )
            )
        sent = fields.Datetime.to_datetime((self.signing_code or {}).get("sent"))
        if sent and now < sent + timedelta(minutes=1):
            raise UserError(self.env._("We have just sent a code. Please wait a minute."))
        code = f"{secrets.randbelow(10**8):08}"
        self.sudo().signing_code = {
            "email": email,
            "hash": self._hash_code(code),
            "sent": fields.Datetime.to_string(now),
            "tries": 0,
        }
        self._mail_signing_code(signer[0], email, code)

    def _mail_signing_code(self, contact, email, code):
        paper = self.with_context(lang=contact.lang or self.env.lang)
        title = paper.env._("Your code to sign %s:", self.name)
        layout = self.env["ir.qweb"].with_context(lang=paper.env.lang)._render
        body = layout("ar_collections.mail_signing_code", {"code": code, "title": title})
        values = {"body": body, "company": self.company_id}
        mail = self.env["mail.mail"].sudo()
        mail = mail.create(
            {
                "subject": paper.env._("Code to sign %s", self.name),
                "email_from": self.company_id.email_formatted or self.env.user.email_formatted,
                "email_to": email,
                "body_html": layout("ar_collections.mail_layout", values),
                "auto_delete": True,
            }
        )
        mail.send_after_commit()

    def _confirm_signing_code(self, code):
        """The address to which the code was sent, nothing when it is wrong, used or too old."""
        self.ensure_one()
        known, now = self.sudo().signing_code or {}, fields.Datetime.now()
        sent = fields.Datetime.to_datetime(known.get("sent"))
        alive = sent and now < sent + timedelta(minutes=CODE_MINUTES)
        if not alive or known["tries"] >= CODE_TRIES or not known["hash"]:
            return ""
        is_right = consteq(known["hash"], self._hash_code((code or "").strip()))
        self.sudo().signing_code = {
            **known,
            "tries": known["tries"] + 1,
            "hash": "" if is_right else known["hash"],
        }
        return known["email"] if is_right else ""

    def _hash_code(self, code):
        return hmac(self.sudo().env, "ar_collections.signing", (self._name, self.id, code))

    # What proves it

    def _keep_evidence(self, signer):
        """Keep how the signer was known, and the paper as it was signed.

        :param signer: :class:`Signer`
        """
        self.ensure_one()
        paper = self.sudo()
        values = {
            "signed_email": signer.email,
            "signed_with": signer.way,
            "signed_address": signer.address,
            "signed_browser": signer.browser[:MAX_BROWSER],
        }
        if report := self.env.ref(paper._paper, raise_if_not_found=False):
            content, extension = (
                report.sudo()
                .with_company(paper.company_id)
                ._render_qweb_pdf(report.report_name, paper.ids)
            )
            values |= {
                "signed_document": b64encode(content),
                "signed_document_name": f"{paper.name.replace('/', '_')}.{extension}",
                "signed_hash": sha256(content).hexdigest(),
            }
        paper.write(values)

    # Mail

    def _mail_customer(self, template):
        """Write to who agreed, or else to the recipient; the message stays in the chatter."""
        self.ensure_one()
        recipient = self.env["ar.recipient"]._get_recipients(
            self, "email", people={self: self.contact_id}
        )[self]
        self.message_post_with_source(
            self.env["mail.template"]._ar_get_shipped(template),
            partner_ids=recipient.ids,
            subtype_xmlid="mail.mt_note",
        )
