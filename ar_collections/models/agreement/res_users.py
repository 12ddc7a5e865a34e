from odoo import api, models

from ..credit.res_users import COLLECTOR, Post


class ResUsers(models.Model):
    """Agreements go to the collector of the case, disputes to who deals with their reason."""

    _inherit = "res.users"

    @api.model
    def _ar_get_posts(self):
        # EXTENDS ar_collections
        return [
            *super()._ar_get_posts(),
            Post("ar.payment.promise", "user_id", [("state", "=", "open")], COLLECTOR),
            Post(
                "ar.payment.plan",
                "user_id",
                [("state", "in", ("draft", "proposed", "accepted"))],
                COLLECTOR,
            ),
            Post(
                "ar.debt.acknowledgement",
                "user_id",
                [("state", "in", ("draft", "sent"))],
                COLLECTOR,
            ),
            Post("ar.dispute", "user_id", [("state", "=", "open")], COLLECTOR),
            Post("ar.dispute.reason", "owner_id", []),
            Post("ar.dispute", "owner_id", [("state", "=", "open")]),
        ]

    @api.model
    def _ar_get_next(self, company, records, field):
        # EXTENDS ar_collections: who deals with a dispute need not be a collector
        successors = super()._ar_get_next(company, records, field)
        if records._name == "ar.dispute.reason":
            # Then its disputes are the collector's, until somebody is chosen.
            return dict.fromkeys(records, self.browse())
        if records._name == "ar.dispute" and field != "user_id":
            for dispute in records:
                people = dispute.owner_id | dispute.reason_id.owner_id
                owner = people._ar_at_work(company, None)[:1]
                successors[dispute] = owner or successors[dispute]
        return successors
