from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from ..common.table_statistics import take_statistics
from ..figures.item_shape import read_shape
from .credit_limit import SALES_RULES, LimitTerms, effective_limit, limit_use_sql

# What the ageing makes of the open items; the other figures are the position's to name.
AGEING_COLUMNS = ("open_amount", "not_due", "overdue_amount")
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
    "avg_term_days",
    "settled_amount",
    "settled_count",
    "avg_days_early",
)
# What every file needs to have and gets by its insertion.
REQUIRED_COLUMNS = ("partner_id", "company_id", "limit_mode")
# A year of behaviour does not change overnight, and it costs more than all the rest.
BEHAVIOUR_DAYS = 7


class ArCreditRefresh(models.AbstractModel):
    """Brings the stored figures of the credit files to a date, one statement for all of them."""

    _name = "ar.credit.refresh"
    _description = "Refresh of Credit Files"

    @api.model
    def _refresh_figures(self, companies, date, partners=None):
        """Bring the figures of all customers, or of some, to the date; make missing files.

        What is booked counts whatever its date: only lateness is judged by the date.

        :param companies: root companies
        :return: the customers whose items to follow up changed
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
        new = [self._get_new_file_values(company) for company in companies]
        rows = self._write_figures(companies, date, partners, new)
        files.invalidate_model(flush=False)
        made = files.browse(id_ for id_, _partner_id, _to_chase in rows if id_)
        self._complete_files(made, new)
        # Orders tell of their own changes: only the day and new files ask for all.
        if partners is None:
            self._refresh_orders(companies, date)
        elif made:
            self._refresh_orders(companies, date, made.partner_id)
        return self.env["res.partner"].browse(
            {partner_id for _id, partner_id, to_chase in rows if to_chase}
        )

    @api.model
    def _make_files(self, company, customers):
        """Make the missing files of customers who owe nothing yet: one statement for all.

        :param customers: SELECT of ids of commercial partners
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
        new = [self._get_new_file_values(company)]
        columns = self._get_position_columns()
        nothing = SQL(", ").join(
            SQL("NULL::date") if files._fields[name].type == "date" else SQL("0")
            for name in columns
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH fresh (
                    id, company_id, partner_id, %(columns)s, days_overdue, exposure
                ) AS (
                    SELECT NULL::int, %(company)s, customer.id, %(nothing)s, 0, 0
                      FROM (%(customers)s) customer
                     WHERE NOT EXISTS (
                        SELECT FROM ar_credit_file
                         WHERE company_id = %(company)s AND partner_id = customer.id)
                ), inserted AS (%(inserted)s)
                SELECT id FROM inserted
                """,
                columns=_list_sql(columns),
                company=company.id,
                nothing=nothing,
                customers=customers,
                inserted=self._get_inserted_sql(columns, new),
            )
        )
        self._complete_files(files.browse(id_ for (id_,) in rows), new)

    @api.model
    def _complete_files(self, files, new):
        """What follows the insertion of files.

        :param new: see ``_get_new_file_values``, of each company
        """
        take_statistics(self.env, len(files), "ar.credit.file")
        self._refresh_limit_use(files)
        files._record_history()
        take_statistics(self.env, len(files), "ar.credit.history")
        if any(limit is not None for _company, _grade, _tier, limit, _default in new):
            # Odoo does not know yet what the grade of a new customer allows.
            files.filtered(lambda file: file.limit_mode == "grade")._push_limit()
        grades = self.env["ar.credit.grade"].browse(grade_id for _company, grade_id, *_rest in new)
        if any(grade._explain_risk(grade.risk_tier) for grade in grades):
            # A custom limit that the customer had in Odoo is cut as well.
            files._follow_risk_tier()

    @api.model
    def _refresh_orders(self, companies, date, partners=None):
        """Bring ``order_amount`` of the files to the date, where there are orders."""

    @api.model
    def _get_position_columns(self):
        """Names of the figures that the files copy from the position, as both call them."""
        fields = self.env["ar.credit.file"]._fields
        added = self.env["ar.position"]._get_figure_columns()
        return [*AGEING_COLUMNS, *(name for name in added if name in fields)]

    @api.model
    def _write_figures(self, companies, date, partners, new):
        """Write what changed, and files of customers who have none.

        :param new: see ``_get_new_file_values``, of each company
        :return: ``[(id of the file when it is new, customer, whether what is to be followed up
            changed)]``
        """
        columns = self._get_position_columns()
        return self.env.execute_query(
            SQL(
                """
            WITH fresh (
                id, company_id, partner_id, %(columns)s, days_overdue, exposure, to_chase
            ) AS MATERIALIZED (%(fresh)s), updated AS (
                UPDATE ar_credit_file file
                   SET (%(columns)s, days_overdue, exposure, limit_use)
                     = (%(fresh_columns)s, fresh.days_overdue, fresh.exposure, %(limit_use)s)
                  FROM fresh
                 WHERE fresh.id = file.id
            ), inserted AS (%(inserted)s)
            SELECT inserted.id, fresh.partner_id, fresh.to_chase
              FROM fresh
              LEFT JOIN inserted ON inserted.company_id = fresh.company_id
                                AND inserted.partner_id = fresh.partner_id
             WHERE inserted.id IS NOT NULL OR fresh.to_chase
            """,
                columns=_list_sql(columns),
                fresh=self._get_fresh_sql(columns, companies, date, partners),
                fresh_columns=_list_sql(columns, "fresh"),
                limit_use=limit_use_sql(SQL.identifier("fresh", "exposure")),
                inserted=self._get_inserted_sql(columns, new),
            )
        )

    @api.model
    def _get_fresh_sql(self, columns, companies, date, partners):
        """SELECT of the figures that differ from those stored, with the file when there is one."""
        files, position = self.env["ar.credit.file"], self.env["ar.position"]
        scope = SQL("company_id IN %s", tuple(companies.ids))
        if partners is not None:
            ids = tuple(partners.commercial_partner_id.ids) or (0,)
            scope = SQL("%s AND partner_id IN %s", scope, ids)

        def values(alias, names):
            return SQL(", ").join(
                SQL.identifier(alias, name)
                if files._fields[name].type == "date"
                else SQL("COALESCE(%s, 0)", SQL.identifier(alias, name))
                for name in names
            )

        shape = read_shape(self.env, partners)
        return SQL(
            """
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
            """,
            figures=values("figure", columns),
            followed=values("figure", FOLLOWED_COLUMNS),
            followed_before=values("file", FOLLOWED_COLUMNS),
            date=date,
            figures_sql=position._figures_sql(companies, date, partners, True, False, shape),
            scope=scope,
            file_columns=_list_sql(columns, "file"),
        )

    @api.model
    def _get_inserted_sql(self, columns, new):
        """INSERT of the files that are missing.

        A customer with a credit limit of its own in Odoo keeps it as a custom limit.
        """
        defaults = self._get_required_defaults()
        return SQL(
            """
            INSERT INTO ar_credit_file (
                   company_id, partner_id, grade_id, risk_tier, limit_mode, custom_limit,
                   is_limited, effective_limit, %(columns)s, days_overdue, exposure,
                   %(default_columns)s create_uid, write_uid, create_date, write_date)
            SELECT fresh.company_id, fresh.partner_id, new.grade_id, new.risk_tier,
                   CASE WHEN own.credit_limit IS NULL THEN 'grade'
                        WHEN own.credit_limit = 0 THEN 'unlimited' ELSE 'custom' END,
                   COALESCE(own.credit_limit, 0),
                   COALESCE(own.credit_limit <> 0, new.credit_limit IS NOT NULL),
                   COALESCE(own.credit_limit, new.credit_limit, 0),
                   %(fresh_columns)s, fresh.days_overdue, fresh.exposure,
                   %(defaults)s %(uid)s, %(uid)s, %(now)s, %(now)s
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
            """,
            columns=_list_sql(columns),
            fresh_columns=_list_sql(columns, "fresh"),
            default_columns=SQL().join(SQL("%s, ", SQL.identifier(name)) for name in defaults),
            defaults=SQL().join(SQL("%s, ", value) for value in defaults.values()),
            new=SQL(", ").join(
                SQL("(%s, %s::int, %s::varchar, %s::numeric, %s::numeric)", *values)
                for values in new
            ),
            uid=self.env.uid,
            now=self.env.cr.now(),
        )

    @api.model
    def _get_required_defaults(self):
        """``{column: value}`` of what upper wings require of a file and give a default."""
        files = self.env["ar.credit.file"]
        required = [
            name
            for name, field in files._fields.items()
            if field.required and field.store and name not in REQUIRED_COLUMNS
        ]
        return files.default_get(required)

    @api.model
    def _get_new_file_values(self, company):
        """Company, grade, risk tier, limit and Odoo's default limit of a new file."""
        grade = self.env["ar.credit.grade"]._get_default_grade(company)
        Partner = self.env["res.partner"].with_company(company)
        fallback = Partner._fields["credit_limit"].get_company_dependent_fallback(Partner) or 0
        default = company._ar_default_credit_limit()
        limit = effective_limit(
            LimitTerms(
                default=default,
                risk_share=grade._get_risk_share(grade.risk_tier),
                **grade._limit_terms(),
            )
        )
        return company.id, grade.id or None, grade.risk_tier or None, limit, fallback

    @api.model
    def _push_limits(self, files):
        """Write the effective limits through to Odoo's own credit limits.

        There, zero means unlimited: no credit at all becomes the smallest amount.
        """
        for company, company_files in files.sudo().grouped("company_id").items():
            for branch in self.env["res.company"].sudo().search([("id", "child_of", company.id)]):
                for file in company_files:
                    limit = 0.0
                    if file.is_limited:
                        limit = file.effective_limit or company.currency_id.rounding
                    partner = file.partner_id.with_company(branch)
                    if partner.credit_limit != limit:
                        partner._write_credit_limit(limit)
        self._refresh_limit_use(files)

    @api.model
    def _refresh_limit_use(self, files):
        files.flush_recordset()
        if files:
            self.env.cr.execute(
                SQL(
                    "UPDATE ar_credit_file file SET limit_use = %s WHERE file.id IN %s",
                    limit_use_sql(SQL.identifier("file", "exposure")),
                    tuple(files.ids),
                )
            )
            files.invalidate_recordset(["limit_use"], flush=False)

    @api.model
    def _refresh_limits(self, companies, date):
        """Bring the limits to the date: temporary ones end, rates change, customers grow older."""
        files = self.env["ar.credit.file"].search(
            [("company_id", "in", companies.ids), ("temporary_limit_end", "<", date)]
        )
        files.write(
            {
                "temporary_limit": 0,
                "temporary_limit_end": False,
                "limit_reason": self.env._("The temporary limit ended"),
            }
        )
        self._follow_rates(companies)
        self._follow_age(companies, date)

    @api.model
    def _follow_rates(self, companies):
        """Custom limits in other currencies follow the rates."""
        files = self.env["ar.credit.file"].search(
            [("company_id", "in", companies.ids), ("limit_currency_id", "!=", False)]
        )
        former = {file: file.custom_limit for file in files}
        files.modified(["limit_in_currency"])
        changed = files.filtered(lambda file: file.custom_limit != former[file])
        changed._push_limit()
        changed._record_history(self.env._("Exchange rate"))

    @api.model
    def _follow_age(self, companies, date):
        """Note since when customers are ours, where a grade asks for it, who is young no more."""
        files = self.env["ar.credit.file"]
        files.flush_model()
        self.env["ar.credit.grade"].flush_model(["young_months"])
        self.env["account.move"].flush_model()
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_credit_file file SET customer_since = first.date
              FROM (
                SELECT file.id, MIN(COALESCE(sale.invoice_date, sale.date)) AS date
                  FROM ar_credit_file file
                  JOIN ar_credit_grade grade ON grade.id = file.grade_id AND grade.young_months > 0
                  JOIN res_partner contact ON contact.commercial_partner_id = file.partner_id
                  JOIN account_move sale ON sale.partner_id = contact.id
                  JOIN res_company company ON company.id = sale.company_id
                 WHERE file.customer_since IS NULL AND file.company_id IN %(companies)s
                   AND sale.move_type = 'out_invoice' AND sale.state = 'posted'
                   AND company.parent_path LIKE file.company_id || '/%%'
                 GROUP BY file.id
              ) first
             WHERE first.id = file.id
            """,
                companies=tuple(companies.ids),
            )
        )
        rows = self.env.execute_query(
            SQL(
                """
            UPDATE ar_credit_file file SET is_young = fresh.is_young
              FROM (
                SELECT file.id,
                       file.customer_since IS NULL OR %(date)s < file.customer_since
                       + MAKE_INTERVAL(months => grade.young_months) AS is_young
                  FROM ar_credit_file file
                  JOIN ar_credit_grade grade ON grade.id = file.grade_id AND grade.young_months > 0
                 WHERE file.company_id IN %(companies)s
              ) fresh
             WHERE fresh.id = file.id AND file.is_young IS DISTINCT FROM fresh.is_young
         RETURNING file.id
            """,
                companies=tuple(companies.ids),
                date=date,
            )
        )
        files.invalidate_model(["customer_since", "is_young"], flush=False)
        moved = files.browse(id_ for (id_,) in rows)
        moved.modified(["is_young"])
        moved._push_limit()
        moved._record_history(self.env._("By the age of the business relation"))

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
        self._adopt_behaviour(companies, date)
        companies.ar_behaviour_date = date
        return True

    @api.model
    def _refresh_customers(self, files, date):
        """Bring figures and behaviour of some customers to the date, however old they are."""
        for company, company_files in files.grouped("company_id").items():
            partners = company_files.partner_id
            self._refresh_figures(company, date, partners)
            self._adopt_behaviour(company, date, partners)

    @api.model
    def _adopt_behaviour(self, companies, date, partners=None):
        """Write the behaviour, and the limits that follow from it."""
        files = self.env["ar.credit.file"]
        files.flush_model()
        changed = self._write_behaviour(companies, date, partners)
        files.invalidate_model(flush=False)
        by_sales = (
            self.env["ar.credit.grade"]
            .with_context(active_test=False)
            .search([("limit_rule", "in", SALES_RULES)])
        )
        limited = files.browse(id_ for id_, grade_id in changed if grade_id in by_sales.ids)
        self.env.add_to_compute(files._fields["effective_limit"], limited)
        limited._push_limit()
        limited._record_history(self.env._("By average monthly sales"))

    @api.model
    def _write_behaviour(self, companies, date, partners=None):
        """Write what changed, of all customers or some.

        :return: ``[(id of the file, id of its grade)]``
        """
        fields = self.env["ar.credit.file"]._fields

        def value(name):
            if fields[name].type == "date":
                return SQL.identifier("behaviour", name)
            kind = {"monetary": "numeric", "integer": "int"}.get(fields[name].type, "float8")
            column = SQL.identifier(name)
            return SQL("COALESCE(behaviour.%s, 0)::%s AS %s", column, SQL(kind), column)

        return self.env.execute_query(
            SQL(
                """
            WITH behaviour AS (
                %(behaviour)s
            ), fresh AS (
                SELECT file.id, %(values)s
                  FROM ar_credit_file file
                  LEFT JOIN behaviour ON behaviour.company_id = file.company_id
                                     AND behaviour.partner_id = file.partner_id
                 WHERE file.company_id IN %(companies)s AND %(scope)s
            )
            UPDATE ar_credit_file file SET (%(columns)s) = (%(fresh)s)
              FROM fresh
             WHERE fresh.id = file.id AND (%(current)s) IS DISTINCT FROM (%(fresh)s)
         RETURNING file.id, file.grade_id
            """,
                behaviour=self.env["ar.position"]._behaviour_sql(companies, date, partners),
                values=SQL(", ").join(map(value, BEHAVIOUR_COLUMNS)),
                companies=tuple(companies.ids),
                scope=SQL("TRUE")
                if partners is None
                else SQL("file.partner_id IN %s", tuple(partners.ids) or (0,)),
                columns=_list_sql(BEHAVIOUR_COLUMNS),
                fresh=_list_sql(BEHAVIOUR_COLUMNS, "fresh"),
                current=_list_sql(BEHAVIOUR_COLUMNS, "file"),
            )
        )


def _list_sql(names, *alias):
    """The columns, of a table when an alias is given, separated by commas."""
    return SQL(", ").join(SQL.identifier(*alias, name) for name in names)
