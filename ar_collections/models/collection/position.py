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
                 WHERE COALESCE(kase.policy_id = ANY(%(gross)s), (%(followed)s)))
            """,
            gross=list(gross_ids),
            followed=self._follows_sql(companies, gross_ids),
        )

    @api.model
    def _follows_sql(self, companies, policy_ids):
        """Condition on ``file``: the policy that its customer matches is one of these.

        Many files share few combinations of what a policy is matched by.
        """
        files = self.env["ar.credit.file"].sudo()
        files.flush_model(["policy_id", "grade_id", "risk_tier"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT MIN(id), company_id, policy_id, grade_id, risk_tier
                  FROM ar_credit_file
                 WHERE company_id IN %s
                 GROUP BY company_id, policy_id, grade_id, risk_tier
                """,
                tuple(companies.sudo().root_id.ids),
            )
        )
        some = files.browse(row[0] for row in rows)
        matched = self.env["ar.collection.policy"].sudo()._get_matching_policies(some)
        following = [
            SQL("(%s::int, %s::int, %s::int, %s::varchar)", *combination)
            for file, (_id, *combination) in zip(some, rows, strict=True)
            if matched[file].id in policy_ids
        ]
        if not following:
            return SQL("FALSE")
        return SQL(
            """
            EXISTS (
                SELECT FROM (VALUES %s) AS matched(company_id, policy_id, grade_id, risk_tier)
                 WHERE matched IS NOT DISTINCT FROM ROW(
                    file.company_id, file.policy_id, file.grade_id, file.risk_tier))
            """,
            SQL(", ").join(following),
        )
