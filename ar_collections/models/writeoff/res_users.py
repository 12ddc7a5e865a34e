from odoo import api, models


class ResUsers(models.Model):
    """Who approves write-offs is asked anew when somebody left."""

    _inherit = "res.users"

    @api.model
    def _ar_hand_over(self, users=None, companies=None):
        # EXTENDS ar_collections: approvals are not handed over, those who may give them are asked
        self.env["ar.writeoff.routing"]._refresh_approvers(companies, users)
        return super()._ar_hand_over(users, companies)

    @api.model
    def _ar_get_next(self, company, records, field):
        # EXTENDS ar_collections: what is given up is not the collector's to decide
        if records._name == "ar.writeoff.request":
            return dict.fromkeys(records, self._ar_get_manager(company))
        return super()._ar_get_next(company, records, field)
