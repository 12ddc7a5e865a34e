from odoo import Command, api, models
from odoo.exceptions import UserError

MAX_REFERENCES = 3


class ArPortalApplication(models.AbstractModel):
    """Credit that a customer asks for in the portal; it opens the first review at once."""

    _name = "ar.portal.application"
    _description = "Credit Applications of the Portal"

    @api.model
    def _get_undecided(self, partner, company):
        """The application of the customer that nobody has decided on."""
        return self.env["ar.credit.application"].search(
            [
                ("partner_id", "=", partner.id),
                ("company_id", "=", company.id),
                ("state", "=", "submitted"),
                ("review_state", "in", ("draft", "submitted")),
            ],
            limit=1,
        )

    @api.model
    def _apply(self, user, company, name, amount, term_days, note, references, files):
        """Make and submit an application.

        :param user: of the portal; the application is of its customer
        :param company: root company
        :param amount: company currency
        :param references: ``[(firm, contact)]``
        :param files: ``[(file name, bytes)]``, judged by their content
        :return: the application
        :raise UserError: with a text that the customer understands
        """
        claims = self.env["ar.portal.claim"]
        partner = user.partner_id.commercial_partner_id
        words = [note or "", *(word or "" for reference in references for word in reference)]
        claims._check_words(name, "\n".join(words))
        if not amount:
            raise UserError(self.env._("Enter the credit that you ask for."))
        if self._get_undecided(partner, company):
            raise UserError(
                self.env._("We have your application already, and will answer as soon as we can.")
            )
        references = references[:MAX_REFERENCES]
        if any(contact and not firm for firm, contact in references):
            raise UserError(self.env._("Name the firm of each reference."))
        papers = claims._check_files(files)
        application = self.env["ar.credit.application"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "date": company._ar_today(),
                "applicant": name.strip(),
                "email": user.email,
                "phone": user.partner_id.phone,
                "currency_id": company.currency_id.id,
                "amount": company.currency_id.round(amount),
                "term_days": term_days or 0,
                "note": note,
                "is_from_portal": True,
                "reference_ids": [
                    Command.create({"name": firm, "contact": contact})
                    for firm, contact in references
                    if firm
                ],
            }
        )
        application.attachment_ids = self.env["ir.attachment"].create(
            [
                {
                    "name": file_name,
                    "raw": content,
                    "mimetype": mimetype,
                    "res_model": application._name,
                    "res_id": application.id,
                    "ar_from_customer": True,
                }
                for file_name, content, mimetype in papers
            ]
        )
        application.action_submit()
        return application
