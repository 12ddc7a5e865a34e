from collections import defaultdict
from typing import NamedTuple

from odoo import models

# A transaction in one of these states may still bring the money.
IN_PROCESS = ("pending", "authorized")


class PortalItem(NamedTuple):
    """One open item as the customer sees it; amounts in the currency of the item."""

    line: object
    residual: float
    days_overdue: int
    # overdue, due, disputed, promised, processing or credit: see ``item_state``
    state: str
    # What a payment of this item pays; nothing when it cannot be paid here now.
    payable: float


def item_state(residual, overdue, disputed, promised, processing):
    """What the customer is told of an item: the first of these that is so."""
    if residual < 0:
        return "credit"
    if processing:
        return "processing"
    if disputed:
        return "disputed"
    if promised:
        return "promised"
    return "overdue" if overdue else "due"


class ArCreditFile(models.Model):
    """What a customer's page shows."""

    _inherit = "ar.credit.file"

    def _portal_items(self, date):
        """The open items of the customer, the oldest due date first.

        :return: list of :class:`PortalItem`
        """
        self.ensure_one()
        items = (
            self.env["ar.position"]
            ._items(self.company_id, date, self.partner_id)
            .get((self.company_id.id, self.partner_id.id), [])
        )
        lines = self.env["account.move.line"].browse(item.line_id for item in items)
        processing = self._portal_processing(lines)
        result = []
        for item, line in zip(items, lines, strict=True):
            # A payment that the bank has not confirmed, or that is dated later, is on its way.
            left = line.amount_residual_currency
            on_its_way = line in processing or line.reconciled
            state = item_state(
                item.residual_currency,
                item.days_overdue,
                item.disputed,
                item.promised,
                on_its_way,
            )
            payable = 0.0 if state in ("credit", "processing") else left
            result.append(
                PortalItem(line, item.residual_currency, item.days_overdue, state, payable)
            )
        return result

    def _portal_processing(self, lines):
        """The items for which a payment is on its way."""
        moves = lines.move_id
        transactions = self.env["payment.transaction"].search(
            [
                "|",
                ("ar_line_ids", "in", lines.ids),
                ("invoice_ids", "in", moves.ids),
                "|",
                ("state", "in", IN_PROCESS),
                "&",
                ("state", "=", "done"),
                ("is_post_processed", "=", False),
                # Nobody knows whether a bank transfer that was only announced is on its way.
                ("provider_code", "not in", ("none", "custom")),
            ]
        )
        chosen = transactions.filtered("ar_line_ids")
        whole = moves.filtered(lambda move: move.payment_state == "in_payment")
        whole |= (transactions - chosen).invoice_ids
        return chosen.ar_line_ids | lines.filtered(lambda line: line.move_id in whole)

    def _portal_statement(self, date):
        """What the page of the customer shows, as of a date.

        :return: dict with ``items`` (:class:`PortalItem`), ``totals`` (per currency what is open,
            overdue and unallocated; the company's own first), ``buckets`` (label and amount in
            company currency) and ``figures`` (:class:`Figures`)
        """
        self.ensure_one()
        company = self.company_id
        figures = self.env["ar.position"]._figures(company, date, self.partner_id)[
            company.id, self.partner_id.id
        ]
        items, own = self._portal_items(date), company.currency_id
        totals = defaultdict(lambda: {"open": 0.0, "overdue": 0.0, "unallocated": 0.0})
        for item in items:
            total = totals[item.line.currency_id]
            total["open"] += item.residual
            if item.residual < 0:
                total["unallocated"] += item.residual
            elif item.days_overdue:
                total["overdue"] += item.residual
        return {
            "items": items,
            "totals": dict(sorted(totals.items(), key=lambda pair: (pair[0] != own, pair[0].name))),
            "buckets": list(zip(company._ar_bucket_labels(), figures.buckets, strict=True)),
            "figures": figures,
        }
