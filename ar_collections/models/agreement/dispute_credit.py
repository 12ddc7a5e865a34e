from odoo import Command, models
from odoo.exceptions import UserError

# Prices scaled so often come as near as fixed taxes and rounded lines allow.
MOST_PASSES = 3


class ArDispute(models.Model):
    """Credit notes of what the customer is right about, to the cent."""

    _inherit = "ar.dispute"

    def action_credit(self):
        """Draft the credit notes of the disputed parts; posting them decides the dispute."""
        self._check_open()
        self.ensure_one()
        if not self._draft_credit_notes():
            notes = self.env["account.move"]
            for move, lines in self.line_ids.grouped("move_id").items():
                # What was paid meanwhile is not given back here.
                amount = sum(lines.mapped("amount_left"))
                if move and lines.currency_id.compare_amounts(amount, 0) > 0:
                    notes |= self._draft_credit_note(move, amount)
            if not notes:
                raise UserError(self.env._("Nothing of %s is open any more.", self.name))
            # The link is the system's, the notes are made with the rights of the user.
            self.sudo().credit_note_ids |= notes
        return self.action_open_credit_notes()

    def action_open_credit_notes(self):
        self.ensure_one()
        return self.credit_note_ids._get_records_action(name=self.env._("Credit Notes"))

    def _draft_credit_notes(self):
        # Whoever deals with a dispute need not see credit notes.
        return self.sudo().credit_note_ids.filtered(lambda move: move.state == "draft")

    def _check_no_draft_credit(self):
        for dispute in self:
            if dispute._draft_credit_notes():
                raise UserError(
                    self.env._("Delete the draft credit note of %s first.", dispute.name)
                )

    def _draft_credit_note(self, move, amount):
        """A draft credit note with the invoice's accounts and taxes.

        :param amount: total with taxes, in the currency of the invoice
        """
        today = self.company_id._ar_today()
        values = {
            "ref": self.env._("%(dispute)s, %(invoice)s", dispute=self.name, invoice=move.name),
            "invoice_date": today,
            "date": today,
            "invoice_payment_term_id": False,
            "invoice_date_due": today,
        }
        if not move.is_invoice(include_receipts=True):
            # An opening balance, for example: it has no lines that could be credited.
            return move.create(
                {
                    **values,
                    "move_type": "out_refund",
                    "reversed_entry_id": move.id,
                    "partner_id": self.partner_id.id,
                    "company_id": move.company_id.id,
                    "currency_id": self.line_ids.filtered(
                        lambda line: line.move_id == move
                    ).currency_id.id,
                    "invoice_line_ids": [self._rounding_line(amount, self.reason_id.name)],
                }
            )
        note = move._reverse_moves([values])
        if move.currency_id.compare_amounts(amount, move.amount_total) < 0:
            self._scale(note, amount)
        return note

    def _scale(self, note, amount):
        """Lower the prices so that the total is the amount; what rounding leaves is a line."""
        compare = note.currency_id.compare_amounts
        note.invoice_cash_rounding_id = False
        for _pass in range(MOST_PASSES):
            if not compare(amount, note.amount_total):
                return
            share = amount / note.amount_total
            note.invoice_line_ids = [
                Command.update(line.id, {"price_unit": line.price_unit * share})
                for line in note.invoice_line_ids
                if line.display_type == "product"
            ]
        if rest := note.currency_id.round(amount - note.amount_total):
            largest = note.invoice_line_ids.sorted("price_subtotal")[-1:]
            note.invoice_line_ids = [
                self._rounding_line(rest, self.env._("Rounding"), account_id=largest.account_id.id)
            ]

    def _rounding_line(self, amount, name, **values):
        return Command.create(
            {"name": name, "price_unit": amount, "tax_ids": [Command.clear()], **values}
        )
