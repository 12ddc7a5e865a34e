from odoo import api, models
from odoo.tools import SQL, format_amount


class ArCreditHoldRule(models.AbstractModel):
    """Holds the credit of whom the rule of the grade holds, for all customers at once."""

    _name = "ar.credit.hold.rule"
    _description = "Credit Hold by Rule"

    @api.model
    def _apply_hold_rules(self, company, date, partners=None):
        """Hold whom the rule of the grade holds; lift holds by rule whose cause has ended.

        :param company: root company
        :param partners: commercial partners to look at, by default all
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
        self.env["ar.credit.grade"].flush_model()
        scope = SQL()
        if partners is not None:
            scope = SQL("AND file.partner_id IN %s", tuple(partners.ids) or (0,))
        rows = self.env.execute_query(
            SQL(
                """
            SELECT file.id, caused.held
              FROM ar_credit_file file
              LEFT JOIN ar_credit_grade grade ON grade.id = file.grade_id
             CROSS JOIN LATERAL (
                SELECT grade.hold_by_rule IS TRUE
                       AND file.demand_amount > COALESCE(grade.hold_amount, 0)
                       AND %(date)s - file.demand_due > COALESCE(grade.hold_days, 0) AS held
             ) caused
             WHERE file.company_id = %(company)s %(scope)s
               AND CASE WHEN caused.held THEN file.hold IS NOT TRUE
                        ELSE file.hold AND file.hold_cause = 'rule' END
             ORDER BY file.id
            """,
                date=date,
                company=company.id,
                scope=scope,
            )
        )
        files.browse(id_ for id_, held in rows if not held)._lift_hold()
        if not company._ar_is_started():
            # Nobody's orders stop before a person has said so.
            return
        for file in files.browse(id_ for id_, held in rows if held):
            file._set_hold(
                self.env._(
                    "%(amount)s overdue since %(days)s days",
                    amount=format_amount(self.env, file.demand_amount, file.currency_id),
                    days=(date - file.demand_due).days,
                ),
                date,
                "rule",
            )
