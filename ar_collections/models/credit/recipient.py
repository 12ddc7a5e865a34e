from odoo import api, models


class ArRecipient(models.AbstractModel):
    """Who gets what is written to a customer, by whatever channel, button, wizard or paper."""

    _name = "ar.recipient"
    _description = "Recipient"

    @api.model
    def _get_recipients(self, records, field=None, people=None, lines=None, own=False):
        """The first of those who come into question that has what is needed.

        First who was spoken to, if anybody was. Then the address on the invoices, where it is one
        and not that of the customer's other invoices; then the dunning contact, the invoice
        address and the customer. Nobody who is archived.

        :param records: each with ``partner_id``, the customer, and ``company_id``
        :param field: what is needed: ``email``, ``phone``, ``street``, or nothing
        :param people: ``{record: res.partner}``, who was spoken to
        :param lines: ``{record: ids of the journal items}`` that it is about
        :param own: only the customer and its contacts, for what is booked on who gets it
        :return: ``{record: res.partner}``, an empty partner when nobody has it
        """
        # Whom we write to does not depend on the rights of who writes.
        files = {
            (file.company_id.id, file.partner_id.id): file.dunning_contact_id.with_env(self.env)
            for file in self.env["ar.credit.file"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", records.partner_id.ids),
                    ("company_id", "in", records.company_id.ids),
                ]
            )
        }
        addresses = self._get_document_addresses(lines or {})
        nobody = self.env["res.partner"]
        recipients = {}
        for record in records:
            customer = record.partner_id
            invoice = customer.browse(customer.address_get(["invoice"])["invoice"])
            address = addresses.get(record, nobody)
            candidates = (
                (people or {}).get(record, nobody)
                | (address - invoice - customer if len(address) == 1 else nobody)
                | files.get((record.company_id.id, customer.id), nobody)
                | invoice
                | customer
            ).filtered("active")
            if own:
                candidates = candidates.filtered(
                    lambda contact, customer=customer: contact.commercial_partner_id == customer
                )
            recipients[record] = (candidates.filtered(field) if field else candidates)[:1]
        return recipients

    @api.model
    def _get_document_addresses(self, lines):
        """The addresses on the entries of journal items.

        :param lines: ``{record: ids of journal items}``
        :return: ``{record: res.partner}``
        """
        # Who writes need not see entries of all journals.
        items = self.env["account.move.line"].sudo()
        items = items.browse({line_id for ids in lines.values() for line_id in ids})
        items.fetch(["move_id"])
        items.move_id.fetch(["partner_id"])
        return {
            record: items.browse(ids).move_id.partner_id.with_env(self.env)
            for record, ids in lines.items()
        }
