from datetime import timedelta
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
    # What is on its way: announced by a payment provider, or registered and not booked yet.
    processing: float = 0.0


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
        processing = self._get_amounts_in_process(file.company_id, lines, date)
        result = []
        for item, line in zip(items, lines, strict=True):
            currency, left = line.currency_id, line.amount_residual_currency
            # Nothing is left to pay of what is matched with a payment of a later day.
            payable = currency.round(max(left - processing[line], 0))
            state = item_state(
                item.residual_currency,
                item.days_overdue,
                item.disputed,
                item.promised,
                currency.is_zero(payable),
            )
            result.append(
                PortalItem(
                    line,
                    item.residual_currency,
                    item.days_overdue,
                    state,
                    0.0 if state == "credit" else payable,
                    item.demand_currency if item.days_overdue else 0.0,
                    processing[line],
                )
            )
        return result

    @api.model
    def _get_amounts_in_process(self, company, lines, date):
        """What is on its way of open items; of an invoice it pays the oldest items first.

        A payment in process that is not booked takes off its amount for as many days as the
        company says, as it does everywhere.

        :param company: root company
        :return: ``{line: amount}`` in the currency of each item, at most what is open of it
        """
        on_its_way = dict.fromkeys(lines, 0.0)
        transactions = self.env["payment.transaction"].search(
            [
                "|",
                ("ar_line_ids", "in", lines.ids),
                ("invoice_ids", "in", lines.move_id.ids),
                "|",
                ("state", "in", IN_PROCESS),
                "&",
                ("state", "=", "done"),
                ("is_post_processed", "=", False),
                # Nobody knows whether a bank transfer that was only announced is on its way.
                ("provider_code", "not in", ("none", "custom")),
            ]
        )
        payments = self.env["account.payment"].search(
            [
                ("invoice_ids", "in", lines.move_id.ids),
                ("state", "=", "in_process"),
                ("move_id", "=", False),
                ("payment_type", "=", "inbound"),
                ("date", ">", date - timedelta(days=company.ar_in_process_days)),
            ]
        )
        pays = [(each, each.ar_line_ids or each.invoice_ids.line_ids) for each in transactions]
        pays += [(each, each.invoice_ids.line_ids) for each in payments]
        for paying, paid in pays:
            left = paying.amount
            for line in lines:
                if line in paid:
                    # In the currency of the item, as far as it is not paid on its way already.
                    amount = paying.currency_id._convert(left, line.currency_id, company, date)
                    open_ = max(line.amount_residual_currency - on_its_way[line], 0)
                    part = min(amount, open_)
                    on_its_way[line] = line.currency_id.round(on_its_way[line] + part)
                    left = left * (amount - part) / amount if amount else 0
        return on_its_way

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
