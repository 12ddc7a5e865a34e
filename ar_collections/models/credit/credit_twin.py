from odoo import api, models
from odoo.tools import SQL

# As the index has it: letters and digits alone, whatever somebody put between them.
TAX_NUMBER = "UPPER(REGEXP_REPLACE(vat, '[^[:alnum:]]', '', 'g'))"
# Who is no good customer, over the tables ``bad`` and ``bad_grade``.
IS_BAD = SQL(
    "(bad.hold OR bad.written_off_open > 0 OR (bad_grade.risk_tier = 'high'"
    " AND bad_grade.is_default IS NOT TRUE))"
)


class ArCreditTwin(models.AbstractModel):
    """Customers with the tax number of one who is held, or bad: the same firm, or its successor."""

    _name = "ar.credit.twin"
    _description = "Customers of One Tax Number"

    @api.model
    def _get_twin_sql(self, company, partner):
        """SELECT of the worst other customer with the same tax number; SQL.

        :param company: SQL of the id of a root company
        :param partner: SQL of the id of a commercial partner
        """
        return SQL(
            """
            SELECT other.id, other.name
              FROM (SELECT id, %(number)s AS number FROM res_partner WHERE vat IS NOT NULL) mine
              JOIN (SELECT id, name, %(number)s AS number
                      FROM res_partner WHERE vat IS NOT NULL) other
                ON other.number = mine.number AND other.id <> mine.id
              JOIN ar_credit_file bad ON bad.partner_id = other.id AND bad.company_id = %(company)s
              LEFT JOIN ar_credit_grade bad_grade ON bad_grade.id = bad.grade_id
             WHERE mine.id = %(partner)s AND mine.number <> '' AND %(is_bad)s
             ORDER BY bad.hold DESC NULLS LAST, bad.id
             LIMIT 1
            """,
            number=SQL(TAX_NUMBER),
            company=company,
            partner=partner,
            is_bad=IS_BAD,
        )

    @api.model
    def _refresh_twins(self, company, date):
        """Note who shares a tax number with a bad customer, and ask somebody to look at the new.

        The search begins at the bad customers, who are few.
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
        self.env["res.partner"].flush_model(["vat"])
        rows = self.env.execute_query(
            SQL(
                """
            WITH suspect AS MATERIALIZED (
                SELECT DISTINCT same.id
                  FROM ar_credit_file bad
                  LEFT JOIN ar_credit_grade bad_grade ON bad_grade.id = bad.grade_id
                  JOIN (SELECT id, %(number)s AS number
                          FROM res_partner WHERE vat IS NOT NULL) one ON one.id = bad.partner_id
                  JOIN (SELECT id, %(number)s AS number
                          FROM res_partner WHERE vat IS NOT NULL) same
                    ON same.number = one.number AND same.id <> one.id
                 WHERE bad.company_id = %(company)s AND one.number <> '' AND %(is_bad)s
            ), fresh AS (
                SELECT file.id, file.twin_id AS former, twin.id AS twin
                  FROM ar_credit_file file
                  LEFT JOIN suspect ON suspect.id = file.partner_id
                  LEFT JOIN LATERAL (%(twin)s) twin ON suspect.id IS NOT NULL
                 WHERE file.company_id = %(company)s
                   AND (suspect.id IS NOT NULL OR file.twin_id IS NOT NULL)
            )
            UPDATE ar_credit_file file SET twin_id = fresh.twin
              FROM fresh
             WHERE fresh.id = file.id AND fresh.former IS DISTINCT FROM fresh.twin
         RETURNING file.id, fresh.former, fresh.twin
            """,
                number=SQL(TAX_NUMBER),
                company=company.id,
                is_bad=IS_BAD,
                twin=self._get_twin_sql(SQL("%s", company.id), SQL.identifier("suspect", "id")),
            )
        )
        files.invalidate_model(["twin_id"], flush=False)
        self._ask_about(
            files.browse(id_ for id_, former, twin in rows if twin and not former), company, date
        )

    @api.model
    def _ask_about(self, files, company, date):
        """One activity on each file: is this the same firm?"""
        for file in files:
            if user := company._ar_credit_manager(file) or self.env["res.users"]._ar_get_manager(
                company
            ):
                file.activity_schedule(
                    "ar_collections.activity_risk",
                    date,
                    summary=self.env._("Same tax number as %s", file.twin_id.display_name),
                    note=self.env._(
                        "Somebody we know as a bad customer has the tax number of this one. Is it "
                        "the same firm? Then hold the credit, or merge the two."
                    ),
                    user_id=user.id,
                )
