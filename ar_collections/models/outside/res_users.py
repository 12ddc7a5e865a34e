from odoo import api, models

from ..credit.res_users import COLLECTOR, Post


class ResUsers(models.Model):
    """What others do for us is watched by the collector of the case."""

    _inherit = "res.users"

    @api.model
    def _ar_get_posts(self):
        # EXTENDS ar_collections
        return [
            *super()._ar_get_posts(),
            Post("ar.placement", "user_id", [("state", "in", ("draft", "placed"))], COLLECTOR),
            Post("ar.legal.decision", "user_id", [("state", "=", "draft")], COLLECTOR),
        ]
