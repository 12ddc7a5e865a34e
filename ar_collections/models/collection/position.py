from odoo import api, models
from odoo.tools import SQL


class ArPosition(models.AbstractModel):
    """Whose policy asks for everything overdue, whatever credits are open."""

    _inherit = "ar.position"

    @api.model
    def _is_gross_sql(self, companies):
        # EXTENDS ar_collections
        gross_ids = self.env["ar.collection.policy"]._get_gross_ids()
        if not gross_ids:
            return super()._is_gross_sql(companies)
        self.env["ar.collection.case"].flush_model(["file_id", "policy_id", "state"])
        return SQL(
            """
            (root_id, partner_id) IN (
                SELECT file.company_id, file.partner_id
                  FROM ar_credit_file file
                  LEFT JOIN ar_collection_case kase ON kase.file_id = file.id
                                                   AND kase.state <> 'closed'
                 WHERE COALESCE(kase.policy_id, %(fitting)s) = ANY(%(gross)s))
            """,
            gross=list(gross_ids),
            fitting=self.env["ar.collection.policy"]._fitting_sql(),
        )
