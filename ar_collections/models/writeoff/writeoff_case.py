from odoo import models
from odoo.tools import SQL

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN


class ArCollectionCase(models.Model):
    """A case that ends because its items were given up."""

    _inherit = "ar.collection.case"

    def _written_off_since_opened(self):
        """The cases of which an item was given up by a request since they were opened.

        A small rest is given up of a debt that was paid.
        """
        if not self:
            return self
        self.env["account.partial.reconcile"].flush_model()
        self.env["ar.writeoff.request"].flush_model()
        return self.browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT kase.id FROM ar_collection_case kase
             WHERE kase.id IN %s AND EXISTS (
                SELECT FROM ar_writeoff_request request
                  JOIN ar_writeoff_request_line line ON line.request_id = request.id
                  JOIN account_partial_reconcile partial
                    ON partial.debit_move_id = line.move_line_id
                  JOIN account_move_line lost ON lost.id = partial.credit_move_id
                 WHERE lost.move_id = request.move_id AND line.partner_id = kase.partner_id
                   AND request.company_id = kase.company_id AND request.kind = 'customer'
                   AND request.state IN ('posted', 'recovered')
                   AND partial.create_date >= kase.create_date)
             ORDER BY kase.id
            """,
                    tuple(self.ids),
                )
            )
        )

    def action_write_off(self):
        """Draft a write-off of all overdue items."""
        self.ensure_one()
        request = self.env["ar.writeoff.request"]._start(self.open_item_ids)
        return request._get_records_action()


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_ar_write_off(self):
        """Draft a write-off of what is open of these invoices."""
        request = self.env["ar.writeoff.request"]._start(
            self.filtered(lambda move: move.is_sale_document(include_receipts=True)).line_ids
        )
        return request._get_records_action()


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_ar_write_off(self):
        """Draft a write-off of all open items of the customer in the company at hand."""
        self.ensure_one()
        items = self.env["account.move.line"].search(
            [
                ("partner_id", "child_of", self.commercial_partner_id.id),
                ("company_id", "child_of", self.env.company.root_id.id),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )
        return self.env["ar.writeoff.request"]._start(items)._get_records_action()
