import re

from odoo import api, models

# What opens a page in an address, as it stands in texts and in addresses that name another.
TOKENS = re.compile(
    r"(my(?:/|%2F)receivables(?:[\w/-]|%2F)*)(?:\?|%3F)[^\s\"'<>]*access_token(?:=|%3D)"
    r"[\w.=-]*(?:%3D)*",
    re.IGNORECASE,
)
# No record has a higher number, and the database takes none.
MAX_ID = 2**31 - 1
# The address of a page, or of a paper, that nothing opens yet.
PAGES = re.compile(r"(https?://[^\s\"'<>?]*?)/my/receivables/(?:(\w+)/)?(\d+)(?![\w/?])")


class ArPortalLink(models.AbstractModel):
    """Links to the pages of customers, in what is written to them.

    Whoever may read a message must not act for its customer: what is kept has bare addresses, and
    what opens them is added to what goes out, for readers of the customer alone.
    """

    _name = "ar.portal.link"
    _description = "Links in Messages to Customers"

    @api.model
    def _close(self, text):
        """The text without what opens the pages in it, whoever wrote or quoted it."""
        if not text or "access_token" not in text or "receivables" not in text:
            return text
        return type(text)(TOKENS.sub(r"\1", text))

    @api.model
    def _open(self, text, message, reader):
        """The text with links that work without login.

        :param message: ``mail.message`` that goes out; its writer may act for the customer
        :param reader: contact of the customer, or whom the message is addressed to
        """
        if not text or "/my/receivables/" not in text or not reader.partner_share:
            return text

        def open_page(match):
            file = self._find_file(match[2], int(match[3]))
            may = file and match[1] == file.get_base_url() and self._may_open(file, message, reader)
            token = may and file._portal_token(file.company_id._ar_today())
            return f"{match[0]}?access_token={token}" if token else match[0]

        return PAGES.sub(open_page, text)

    @api.model
    def _find_file(self, page, record_id):
        """The credit file of a page, sudoed, empty when there is none.

        :param page: word of a paper in its address, nothing for the customer's page
        """
        if record_id > MAX_ID:
            return self.env["ar.credit.file"]
        if page:
            paper = self.env["ar.signable"]._find_paper(page, record_id)
            return paper.file_id if paper else self.env["ar.credit.file"]
        return self.env["ar.credit.file"].sudo().browse(record_id).exists()

    @api.model
    def _may_open(self, file, message, reader):
        is_theirs = reader.commercial_partner_id == file.partner_id
        writer = message.create_uid
        return (is_theirs or reader in message.partner_ids) and (
            file.with_user(writer).has_access("write")
        )


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail: customers who answer quote the link that they got
        close = self.env["ar.portal.link"]._close
        return super().create(
            [
                {**vals, "body": close(vals["body"])} if "body" in vals else vals
                for vals in vals_list
            ]
        )

    def write(self, vals):
        # EXTENDS mail
        if "body" in vals:
            vals = {**vals, "body": self.env["ar.portal.link"]._close(vals["body"])}
        return super().write(vals)


class MailMail(models.Model):
    _inherit = "mail.mail"

    def _personalize_outgoing_body(self, body, partner=False, doc_to_followers=None):
        # EXTENDS mail
        body = super()._personalize_outgoing_body(body, partner, doc_to_followers=doc_to_followers)
        reader = partner or self.env["res.partner"]
        return self.env["ar.portal.link"]._open(body, self.mail_message_id, reader)


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _send_with_api(self, sms_api, *args, **kwargs):
        # EXTENDS sms: the link is in the text for as long as it takes to hand it over
        bare = {}
        for sms in self:
            text = self.env["ar.portal.link"]._open(sms.body, sms.mail_message_id, sms.partner_id)
            if text != sms.body:
                bare[sms] = sms.body
                sms.body = text
        result = super()._send_with_api(sms_api, *args, **kwargs)
        for sms, text in bare.items():
            sms.exists().body = text
        return result
