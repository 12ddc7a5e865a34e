from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

# States of a charge that is on a debit note.
NOTED = ("drafted", "posted")


class ArLateCharge(models.Model):
    """How charges get onto debit notes, and follow what happens to them."""

    _inherit = "ar.late.charge"

    def _check_fresh(self, company, date):
        """The ledger still says what the preview says."""
        accrued = self.env["ar.late.charge.accrual"]._accrued(company, date, self.partner_id)
        now = {
            (accrual.line_id, accrual.date_from, accrual.date_to): accrual.amount
            for accruals in accrued.values()
            for accrual in accruals
            if not accrual.held
        }
        for charge in self:
            key = (charge.move_line_id.id, charge.date_from, charge.date_to)
            if charge.currency_id.compare_amounts(now.get(key, 0), charge.amount):
                raise UserError(
                    self.env._(
                        "%(item)s of %(customer)s has changed since the preview: "
                        "compute the charges again.",
                        item=charge.name,
                        customer=charge.partner_id.display_name,
                    )
                )

    def _draft_notes(self, company, date):
        """One draft debit note per customer and currency, made with the rights of the user.

        :param date: invoice date of the notes
        :return: the notes
        """
        groups = list(self.grouped(lambda charge: (charge.partner_id, charge.currency_id)).items())
        moves = (
            self.env["account.move"]
            .with_company(company)
            .create(
                [
                    charges._prepare_note(company, date, partner, currency)
                    for (partner, currency), charges in groups
                ]
            )
        )
        # The marks and links are the system's.
        moves.sudo().ar_is_late_charge = True
        for move, (_key, charges) in zip(moves, groups, strict=True):
            lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
            for charge, line in zip(charges.sudo(), lines.sorted("sequence"), strict=True):
                charge.write({"state": "drafted", "move_id": move.id, "note_line_id": line.id})
        self.env["ar.collection.case"].sudo()._refresh_charges(
            company, company._ar_today(), self.partner_id
        )
        return moves

    def _prepare_note(self, company, date, partner, currency):
        recipient = self.env["ar.recipient"]._get_recipients(
            self[:1], lines={self[:1]: self.move_line_id.ids}, own=True
        )[self[:1]]
        term = partner.with_company(company).property_payment_term_id
        words = self.with_context(lang=partner.lang).env
        taxes = company.ar_charge_tax_ids
        no_taxes, no_product = taxes.browse(), self.env["product.product"]
        return {
            "move_type": "out_invoice",
            "company_id": company.id,
            "journal_id": company.ar_charge_journal_id.id,
            "partner_id": (recipient or partner).id,
            "currency_id": currency.id,
            "invoice_date": date,
            "invoice_payment_term_id": term.id,
            **({} if term else {"invoice_date_due": date}),
            "ref": words._("Late charges until %s", format_date(words, date)),
            "narration": words._(
                "Simple interest by the day on what was open: amount x rate / 365 x days."
            ),
            "invoice_line_ids": [
                Command.create(
                    {
                        "sequence": index,
                        "name": charge._describe(words),
                        "account_id": company.ar_charge_account_id.id,
                        "quantity": 1,
                        # Taxes that prices include come on top of a charge as all others do.
                        "price_unit": taxes._adapt_price_unit_to_another_taxes(
                            charge.amount, no_product, no_taxes, taxes
                        ),
                        "tax_ids": [Command.set(taxes.ids)],
                    }
                )
                for index, charge in enumerate(self, start=1)
            ],
        }

    def _describe(self, words):
        """The line of the debit note, in the language of an environment."""
        return words._(
            "%(item)s, due %(due)s: %(start)s to %(end)s, %(days)s days on %(base)s at %(rate)s %%",
            item=self.name,
            due=format_date(words, self.due_date),
            start=format_date(words, self.date_from),
            end=format_date(words, self.date_to),
            days=self.days,
            base=format_amount(words, self.base, self.currency_id),
            rate=f"{self.rate:g}",
        )

    # What happens to the debit notes

    @api.model
    def _check_notes(self, moves):
        """The days of a note that was cancelled may be on another note by now."""
        notes = moves.filtered(lambda move: move.ar_is_late_charge and move.state == "draft")
        if not notes:
            return
        free = self.sudo().search([("move_id", "in", notes.ids), ("state", "=", "cancelled")])
        taken = self.sudo().search([("move_id", "in", free.move_id.ids), ("state", "in", NOTED)])
        for move in free.move_id - taken.move_id:
            raise UserError(
                self.env._(
                    "The days on %s were set free: delete it and charge them with a new run.",
                    move.display_name,
                )
            )

    @api.model
    def _notes_posted(self, moves):
        """Charges follow their debit notes as they were posted, and their reversals."""
        notes = moves.filtered("ar_is_late_charge")
        reversals = moves.filtered(
            lambda move: move.move_type == "out_refund" and move.reversed_entry_id.ar_is_late_charge
        )
        charges = self.sudo()
        if notes:
            drafted = charges.search([("move_id", "in", notes.ids), ("state", "=", "drafted")])
            gone = drafted.filtered(lambda charge: not charge.note_line_id)
            gone.write({"state": "cancelled"})
            for charge in drafted - gone:
                line = charge.note_line_id
                charge.write(
                    {
                        "state": "posted",
                        "amount": line.price_subtotal,
                        "amount_company": -line.balance,
                    }
                )
        for reversal in reversals:
            note = reversal.reversed_entry_id
            if note.currency_id.compare_amounts(reversal.amount_total, note.amount_total) >= 0:
                charges.search([("move_id", "=", note.id), ("state", "=", "posted")]).write(
                    {"state": "reversed", "reversal_id": reversal.id}
                )

    @api.model
    def _notes_reset(self, moves):
        """Debit notes are drafts again, and credit notes of them do not count any more."""
        charges = self.sudo().search(
            [
                "|",
                ("reversal_id", "in", moves.ids),
                ("move_id", "in", moves.ids),
                ("state", "in", ("posted", "reversed")),
            ]
        )
        for charge in charges:
            if charge.reversal_id in moves:
                charge.write({"state": "posted", "reversal_id": False})
            elif charge.state == "posted":
                charge.state = "drafted"

    @api.model
    def _notes_dropped(self, moves):
        """The days of debit notes that are cancelled or deleted are free."""
        charges = self.sudo().search([("move_id", "in", moves.ids), ("state", "in", NOTED)])
        charges.write({"state": "cancelled"})
        for company, same in charges.grouped("company_id").items():
            self.env["ar.collection.case"].sudo()._refresh_charges(
                company, company._ar_today(), same.partner_id
            )
