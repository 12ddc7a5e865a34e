from odoo import api, models
from odoo.exceptions import UserError

from ..figures.trade_receivable import is_trade_receivable


class ByRequest:
    """In the context: the request itself undoes its entry. Nobody sends it from outside."""


BY_REQUEST = ByRequest()


class AccountMove(models.Model):
    """The entry of a write-off lives and dies with its request."""

    _inherit = "account.move"

    def _ar_bookings(self):
        """The write-offs and recoveries that these entries book or reverse."""
        ids = self.ids
        if not ids:
            return []
        # Whoever touches an entry need not see the requests.
        requests = self.env["ar.writeoff.request"].sudo()
        recoveries = self.env["ar.writeoff.recovery"].sudo()
        among = ["|", ("move_id", "in", ids), ("reversal_id", "in", ids)]
        return [*requests.search(among), *recoveries.search(among)]

    def _ar_check_not_booked(self):
        if self.env.context.get("ar_writeoff") is BY_REQUEST:
            return
        entries = self.filtered(lambda move: move.move_type == "entry" and move.posted_before)
        if entries and (bookings := entries._ar_bookings()):
            raise UserError(
                self.env._(
                    "The journal entry belongs to %s: reverse it there.",
                    ", ".join({booking.display_name for booking in bookings}),
                )
            )

    def _ar_reverse_booked(self, date, ref):
        """Reverse an entry in the name of its request.

        :return: the reversal
        """
        return (
            self.with_context(ar_writeoff=BY_REQUEST)
            ._reverse_moves([{"date": date, "ref": ref}], cancel=True)
            .with_context(ar_writeoff=None)
        )

    def _ar_check_undoing(self):
        # EXTENDS ar_collections: to draft and cancelled from every path
        self._ar_check_not_booked()
        return super()._ar_check_undoing()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        # EXTENDS account
        self._ar_check_not_booked()
        return super()._reverse_moves(default_values_list, cancel)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        self._ar_check_not_booked()

    def action_ar_write_off(self):
        """Draft a write-off of what is open of these invoices."""
        request = self.env["ar.writeoff.request"]._create_for_items(
            self.filtered(lambda move: move.is_sale_document(include_receipts=True)).line_ids
        )
        return request._get_records_action()


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def _ar_check_undoing(self, lines):
        # EXTENDS ar_collections: what a write-off settled is opened again by its reversal only
        lines.move_id._ar_check_not_booked()
        return super()._ar_check_undoing(lines)


class AccountMoveLine(models.Model):
    """Receivables that are cleared to an expense by hand, above what the company lets pass."""

    _inherit = "account.move.line"

    def _reconcile_pre_hook(self):
        # EXTENDS account
        for company, lines in self.grouped(lambda line: line.company_id.root_id).items():
            if company.sudo().ar_writeoff_gate:
                lines._ar_check_manual_writeoff(company.sudo())
        return super()._reconcile_pre_hook()

    def _ar_check_manual_writeoff(self, company):
        credits_ = self.filtered(
            lambda line: (
                is_trade_receivable(line)
                and line.balance < 0
                and line.move_id.move_type == "entry"
                and line.journal_id.type == "general"
            )
        )
        settled = self.filtered(lambda line: line.balance > 0).move_id
        # Who takes an entry back gives nothing up.
        moves = credits_.move_id.filtered(
            lambda move: settled - move.reversed_entry_id and not move._ar_bookings()
        )
        # Nor does who books what an agency kept of what it collected.
        moves -= self.env["ar.placement.remittance"].sudo()._get_remittances(moves, self)
        for move in moves:
            lost = sum(
                line.balance
                for line in move.line_ids
                if line.account_id.internal_group == "expense"
            )
            company._ar_check_writeoff(lost)

    def action_ar_recover(self):
        """Book these open payments as recovery of what was written off before.

        :return: the action that shows the write-offs, or that asks which of them somebody else
            has paid
        """
        self.check_access("read")
        booking = self.env["ar.writeoff.recovery.booking"]
        self.env["ar.writeoff.request"]._check_accounting()
        booking._check_payments(self)
        if not all(map(booking._is_clear, self)):
            booking._check_written_off(self.company_id.root_id)
            return self._ar_ask_for_writeoff()
        recoveries = booking._book_payments(self)
        return recoveries.request_id._get_records_action(name=self.env._("Recovered Write-offs"))

    def _ar_ask_for_writeoff(self):
        """Whoever pays for somebody else does not say for what."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Book as Recovery"),
            "res_model": "ar.writeoff.recover",
            "view_mode": "form",
            "target": "new",
            "context": {"default_payment_line_ids": self.ids},
        }
