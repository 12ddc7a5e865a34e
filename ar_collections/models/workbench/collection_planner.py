from odoo import api, models


class ArCollectionPlanner(models.AbstractModel):
    _inherit = "ar.collection.planner"

    @api.model
    def _wait_replied(self, company, date):
        """The customer has written: a person answers first."""
        return (
            self.env["ar.collection.case"]
            .search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "open"),
                    ("contact_pause_end", ">", date),
                ]
            )
            .ids
        )
