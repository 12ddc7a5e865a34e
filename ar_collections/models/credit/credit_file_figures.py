from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from .credit_limit import LimitTerms, effective_limit

# What the refresh copies from the position, as it is called in both places.
POSITION_COLUMNS = (
    "open_amount",
    "not_due",
    "overdue_amount",
    "overdue_count",
    "oldest_due",
    "unallocated",
    "disputed",
    "promised",
    "followup_amount",
    "followup_due",
    "demand_amount",
    "demand_due",
)
# What collection acts on.
FOLLOWED_COLUMNS = (
    "disputed",
    "promised",
    "followup_amount",
    "followup_due",
    "demand_amount",
    "demand_due",
)
BEHAVIOUR_COLUMNS = (
    "avg_days_late",
    "on_time_share",
    "late_count",
    "max_days_late",
    "avg_monthly_sales",
    "last_payment_date",
    "late_spread",
    "sales_trend",
)
# A year of behaviour does not change overnight, and it costs more than all the rest.
BEHAVIOUR_DAYS = 7


class ArCreditFile(models.Model):
    """The stored figures: written by one statement for all customers, never by hand."""

    _inherit = "ar.credit.file"

    @api.model
    def _refresh(self, companies, date, partners=None, current=False):
        """Bring the figures of all customers, or of some, to the date; make missing files.

        :param companies: root companies
        :param current: see ``ar.position._items_sql``
        :return: the customers whose items to follow up changed
        """
        self.env["ar.credit.file"].flush_model()
        new = [self._new_file_values(company) for company in companies]
        scope = SQL("company_id IN %s", tuple(companies.ids))
        if partners is not None:
            ids = tuple(partners.commercial_partner_id.ids) or (0,)
            scope = SQL("%s AND partner_id IN %s", scope, ids)

        def values(alias, names):
            return SQL(", ").join(
                SQL.identifier(alias, name)
                if self._fields[name].type == "date"
                else SQL("COALESCE(%s, 0)", SQL.identifier(alias, name))
                for name in names
            )

        position = self.env["ar.position"]
        as_booked = current and not position._has_unposted_matching()
        rows = self.env.execute_query(
            SQL(
                """
            WITH fresh (
                id, company_id, partner_id, %(columns)s, days_overdue, exposure, to_chase
            ) AS MATERIALIZED (
                SELECT file.id, COALESCE(figure.company_id, file.company_id),
                       COALESCE(figure.partner_id, file.partner_id), %(figures)s,
                       COALESCE(%(date)s - figure.oldest_due, 0),
                       COALESCE(figure.open_amount, 0) + COALESCE(file.order_amount, 0),
                       (%(followed_before)s) IS DISTINCT FROM (%(followed)s)
                  FROM (%(figures_sql)s) figure
                  FULL JOIN (SELECT * FROM ar_credit_file WHERE %(scope)s) file
                    ON file.company_id = figure.company_id
                   AND file.partner_id = figure.partner_id
                 WHERE (%(file_columns)s, file.days_overdue, file.exposure)
                       IS DISTINCT FROM
                       (%(figures)s, COALESCE(%(date)s - figure.oldest_due, 0),
                        COALESCE(figure.open_amount, 0) + COALESCE(file.order_amount, 0))
            ), updated AS (
                UPDATE ar_credit_file file
                   SET (%(columns)s, days_overdue, exposure, limit_use)
                     = (%(fresh_columns)s, fresh.days_overdue, fresh.exposure, %(limit_use)s)
                  FROM fresh
                 WHERE fresh.id = file.id
            ), inserted AS (
            INSERT INTO ar_credit_file (
                   company_id, partner_id, grade_id, risk_tier, late_charge_mode,
                   limit_mode, custom_limit,
                   is_limited, effective_limit, %(columns)s, days_overdue, exposure,
                   create_uid, write_uid, create_date, write_date)
            SELECT fresh.company_id, fresh.partner_id, new.grade_id, new.risk_tier, 'grade',
                   CASE WHEN own.credit_limit IS NULL THEN 'grade'
                        WHEN own.credit_limit = 0 THEN 'unlimited' ELSE 'custom' END,
                   COALESCE(own.credit_limit, 0),
                   COALESCE(own.credit_limit <> 0, new.credit_limit IS NOT NULL),
                   COALESCE(own.credit_limit, new.credit_limit, 0),
                   %(fresh_columns)s, fresh.days_overdue, fresh.exposure,
                   %(uid)s, %(uid)s, %(now)s, %(now)s
              FROM fresh
              JOIN (VALUES %(new)s)
                   AS new(company_id, grade_id, risk_tier, credit_limit, fallback)
                ON new.company_id = fresh.company_id
              JOIN res_partner partner ON partner.id = fresh.partner_id
             CROSS JOIN LATERAL (
                SELECT NULLIF((partner.credit_limit ->> fresh.company_id::text)::numeric,
                              new.fallback) AS credit_limit
             ) own
             WHERE fresh.id IS NULL
                ON CONFLICT (partner_id, company_id) DO NOTHING
         RETURNING id, company_id, partner_id
            )
            SELECT inserted.id, fresh.partner_id, fresh.to_chase
              FROM fresh
              LEFT JOIN inserted ON inserted.company_id = fresh.company_id
                                AND inserted.partner_id = fresh.partner_id
             WHERE inserted.id IS NOT NULL OR fresh.to_chase
            """,
                columns=SQL(", ").join(map(SQL.identifier, POSITION_COLUMNS)),
                figures=values("figure", POSITION_COLUMNS),
                followed=values("figure", FOLLOWED_COLUMNS),
                followed_before=values("file", FOLLOWED_COLUMNS),
                date=date,
                figures_sql=position._figures_sql(
                    companies, date, partners, current, False, as_booked
                ),
                scope=scope,
                file_columns=SQL(", ").join(
                    SQL.identifier("file", name) for name in POSITION_COLUMNS
                ),
                fresh_columns=SQL(", ").join(
                    SQL.identifier("fresh", name) for name in POSITION_COLUMNS
                ),
                limit_use=self._limit_use_sql(SQL.identifier("fresh", "exposure")),
                new=SQL(", ").join(
                    SQL("(%s, %s::int, %s::varchar, %s::numeric, %s::numeric)", *values)
                    for values in new
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.env["ar.credit.file"].invalidate_model(flush=False)
        files = self.browse(id_ for id_, _partner_id, _to_chase in rows if id_)
        files._refresh_limit_use()
        files._record_history()
        # Orders tell of their own changes: only the day and new files ask for all.
        if partners is None:
            self._refresh_orders(companies, date)
        elif files:
            self._refresh_orders(companies, date, files.partner_id)
        if any(limit is not None for _company, _grade, _tier, limit, _default in new):
            # Odoo does not know yet what the grade of a new customer allows.
            files.filtered(lambda file: file.limit_mode == "grade")._push_limit()
        return self.env["res.partner"].browse(
            {partner_id for _id, partner_id, to_chase in rows if to_chase}
        )

    @api.model
    def _refresh_orders(self, companies, date, partners=None):
        """Bring ``order_amount`` of the files to the date, where there are orders."""

    @api.model
    def _new_file_values(self, company):
        """Company, grade, risk tier, limit and Odoo's default limit of a new file.

        A customer with a credit limit of its own in Odoo keeps it as a custom limit.
        """
        grade = self.env["ar.credit.grade"]._default(company)
        Partner = self.env["res.partner"].with_company(company)
        fallback = Partner._fields["credit_limit"].get_company_dependent_fallback(Partner) or 0
        default = company._ar_default_credit_limit()
        limit = effective_limit(LimitTerms(default=default, **grade._limit_terms()))
        return company.id, grade.id or None, grade.risk_tier or None, limit, fallback

    @api.model
    def _refresh_behaviour(self, companies, date):
        """Bring the payment behaviour of all customers to the date, at most once a week.

        :return: whether it was done
        """
        companies = companies.filtered(
            lambda company: (
                not company.ar_behaviour_date
                or abs(date - company.ar_behaviour_date) >= timedelta(days=BEHAVIOUR_DAYS)
            )
        )
        if not companies:
            return False
        self.env["ar.credit.file"].flush_model()
        columns = [SQL.identifier(name) for name in BEHAVIOUR_COLUMNS]
        fresh = [SQL.identifier("fresh", name) for name in BEHAVIOUR_COLUMNS]
        changed = self.env.execute_query(
            SQL(
                """
            WITH behaviour AS (
                %(behaviour)s
            ), fresh AS (
                SELECT file.id, %(values)s
                  FROM ar_credit_file file
                  LEFT JOIN behaviour ON behaviour.company_id = file.company_id
                                     AND behaviour.partner_id = file.partner_id
                 WHERE file.company_id IN %(companies)s
            )
            UPDATE ar_credit_file file SET (%(columns)s) = (%(fresh)s)
              FROM fresh
             WHERE fresh.id = file.id AND (%(current)s) IS DISTINCT FROM (%(fresh)s)
         RETURNING file.id, file.grade_id
            """,
                behaviour=self.env["ar.position"]._behaviour_sql(companies, date),
                values=SQL(", ").join(
                    SQL(
                        "COALESCE(%s, 0)::%s AS %s",
                        SQL.identifier("behaviour", name),
                        SQL(
                            "numeric"
                            if name == "avg_monthly_sales"
                            else "int"
                            if self._fields[name].type == "integer"
                            else "float8"
                        ),
                        SQL.identifier(name),
                    )
                    if self._fields[name].type != "date"
                    else SQL.identifier("behaviour", name)
                    for name in BEHAVIOUR_COLUMNS
                ),
                companies=tuple(companies.ids),
                columns=SQL(", ").join(columns),
                fresh=SQL(", ").join(fresh),
                current=SQL(", ").join(SQL.identifier("file", name) for name in BEHAVIOUR_COLUMNS),
            )
        )
        self.env["ar.credit.file"].invalidate_model(flush=False)
        companies.ar_behaviour_date = date
        by_sales = (
            self.env["ar.credit.grade"]
            .with_context(active_test=False)
            .search([("limit_rule", "=", "months")])
        )
        files = self.browse(id_ for id_, grade_id in changed if grade_id in by_sales.ids)
        self.env.add_to_compute(self._fields["effective_limit"], files)
        files._push_limit()
        files._record_history(self.env._("By average monthly sales"))
        return True
