from odoo import api, fields, models
from odoo.exceptions import UserError


class ArSignable(models.AbstractModel):
    """A paper that the customer signs in the portal, or on paper with the scan uploaded."""

    _name = "ar.signable"
    _inherit = ["portal.mixin", "ar.letter"]
    _description = "Signed by the Customer"

    # What the customer may read: not a draft, nor what was given up before it agreed.
    _customer_states = ()

    signed_by = fields.Char(readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)
    signature = fields.Image(max_width=1024, max_height=1024, readonly=True, copy=False)
    signed_document = fields.Binary(
        attachment=True, copy=False, help="The paper with the customer's signature."
    )
    signed_document_name = fields.Char(copy=False)

    # What mails may say.
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
            record.portal_link = record.get_base_url() + record._get_share_url()
            record.customer_name = (record._get_signatory() or record.partner_id).name

    def _portal_ensure_token(self):
        # OVERRIDES portal: no token of its own, which would work for ever
        return self.file_id._get_page_token()

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
