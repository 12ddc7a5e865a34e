from typing import NamedTuple

from odoo import api, models

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
    # What of it is asked for now.
    demand: float


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


class ArPortalStatement(models.AbstractModel):
    """What a customer's page shows."""

    _name = "ar.portal.statement"
    _description = "Statement in the Portal"

    @api.model
    def _get_items(self, file, date):
        """The open items of the customer of a credit file, the oldest due date first.

        :return: list of :class:`PortalItem`
        """
        file.ensure_one()
        items = (
            self.env["ar.position"]
            ._items(file.company_id, date, file.partner_id, current=True)
            .get((file.company_id.id, file.partner_id.id), [])
        )
        lines = self.env["account.move.line"].browse(item.line_id for item in items)
        processing = self._get_lines_in_process(lines)
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
                PortalItem(
                    line,
                    item.residual_currency,
                    item.days_overdue,
                    state,
                    payable,
                    item.demand_currency if item.days_overdue else 0.0,
                )
            )
        return result

    @api.model
    def _get_lines_in_process(self, lines):
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

    @api.model
    def _get_statement(self, file, date):
        """What the page of the customer of a credit file shows, as of a date.

        :return: dict with ``items`` (:class:`PortalItem`), ``totals`` (per currency what is open,
            asked for now and unallocated), ``labels`` and ``ageing`` (see ``ar.statement``)
        """
        company = file.company_id
        items = self._get_items(file, date)
        ageing = self.env["ar.statement"]._get_ageing(
            company, [(item.line.currency_id, item.residual, item.days_overdue) for item in items]
        )
        totals = {
            currency: {
                "open": amounts[-1],
                "unallocated": amounts[-2],
                "overdue": sum(item.demand for item in items if item.line.currency_id == currency),
            }
            for currency, amounts in ageing.items()
        }
        return {
            "items": items,
            "totals": totals if items else {},
            "labels": company._ar_bucket_labels(),
            "ageing": ageing,
        }
