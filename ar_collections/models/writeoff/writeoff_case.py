from odoo import models

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN
from .writeoff_request import BOOKED


class ArCollectionCase(models.Model):
    """A case that ends because its items were given up."""

    _inherit = "ar.collection.case"

    def _written_off_since_opened(self):
        # EXTENDS ar_collections: by a request; a small rest is given up of a debt that was paid
        # Whoever matches a payment need not see the requests.
        requests = (
            self.env["ar.writeoff.request"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                    ("kind", "=", "customer"),
                    ("state", "in", BOOKED),
                ]
            )
        )
        by_customer = requests.grouped(lambda request: (request.partner_id, request.company_id))
        return self.filtered(
            lambda case: any(
                partial.create_date >= case.create_date
                for request in by_customer.get((case.partner_id, case.company_id), ())
                for partial in request.move_id.line_ids.matched_debit_ids
            )
        )

    def action_write_off(self):
        """Draft a write-off of all overdue items."""
        self.ensure_one()
        request = self.env["ar.writeoff.request"]._create_for_items(self.open_item_ids)
        return request._get_records_action()


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_ar_write_off(self):
        """Draft a write-off of all open items of the customer in the company at hand."""
        self.ensure_one()
        items = self.env["account.move.line"].search(
            [
                ("partner_id.commercial_partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "child_of", self.env.company.root_id.id),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )
        return self.env["ar.writeoff.request"]._create_for_items(items)._get_records_action()
