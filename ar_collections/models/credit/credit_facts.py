from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..figures.item_shape import read_shape
from .credit_decision import CONTROL_OF, Facts
from .credit_grade import is_risky
from .credit_limit import LimitTerms, effective_limit

# What a customer without any grade meets.
NO_GRADE = {"on_limit": "warn", "on_overdue": "warn", "on_hold": "block", "on_twin": "warn"}
CONTROL_FIELDS = tuple(dict.fromkeys(CONTROL_OF.values()))


class FileRow(NamedTuple):
    company_id: int
    partner_id: int
    file_id: int
    exposure: float
    # What may be asked for, by due date: ever, and on the day of the last run.
    earliest_due: object
    demand: float
    demand_due: object
    is_of_day: bool
    group_name: str
    group_limit: float
    group_exposure: float
    limit_mode: str
    custom_limit: float
    temporary_limit: float
    temporary_limit_end: object
    avg_monthly_sales: float
    days_unpaid: float
    limit_expiry: object
    next_review_date: object
    hold: bool
    hold_reason: str
    hold_date: object
    broken_promises: int
    written_off: float
    limit_rule: str
    limit_amount: float
    limit_months: float
    limit_cap: float
    equity_share: float
    equity: float
    cover_share: float
    young_months: int
    young_limit: float
    customer_since: object
    max_term_days: int
    tolerated_days: int
    tolerated_overdue: float
    cover: float
    cover_expiry: object
    first_sale: bool
    waiting: bool
    twin: str
    risk_tier: str
    risk_from: str
    risk_limit_share: float
    controls: list

    @property
    def risk(self):
        """The risk tier when the grade acts at it, else empty."""
        return self.risk_tier if is_risky(self.risk_tier, self.risk_from) else ""

    def get_figures(self, date):
        """:class:`FigureRow` as far as the file tells, ``None`` when the items have to be read."""
        if not self.file_id:
            return None
        due = self.demand_due if self.is_of_day else self.earliest_due
        days = (date - due).days if due else 0
        if days <= self.tolerated_days:
            return FigureRow()
        if self.is_of_day and not self.tolerated_days:
            return FigureRow(overdue=self.demand, days_overdue=days)
        return None


class FigureRow(NamedTuple):
    open_amount: float = 0.0
    # Of the items that are overdue for longer than the grade tolerates.
    overdue: float = 0.0
    days_overdue: int = 0


class ArCreditFacts(models.AbstractModel):
    """Gathers what the credit control knows of customers: two statements at most for a batch.

    The credit file has followed the ledger when it is read, so it tells the exposure. What is
    overdue it tells when the run of the day has been, or when nothing is due for long enough; the
    open items are read for the others only.
    """

    _name = "ar.credit.facts"
    _description = "Facts for the Credit Control"

    @api.model
    def _gather_facts(self, keys, date, lock=False):
        """What is known of the customers.

        :param keys: set of (root company id, commercial partner id)
        :param lock: until the end of the transaction nobody else passes these customers' limits
        :return: ``{key: Facts}``
        """
        rows = self._read_files(keys, date, lock)
        figures = self._read_figures([row for row in rows if not row.get_figures(date)], date)
        companies = self.env["res.company"].browse({company_id for company_id, _partner in keys})
        defaults = {company.id: company._ar_default_credit_limit() for company in companies}
        return {
            (row.company_id, row.partner_id): self._prepare_facts(
                row,
                row.get_figures(date) or figures[row.company_id, row.partner_id],
                defaults[row.company_id],
                date,
            )
            for row in rows
        }

    @api.model
    def _read_files(self, keys, date, lock):
        """File, grade, cover and group of the customers, one :class:`FileRow` each."""
        files = self.env["ar.credit.file"].sudo()
        files.flush_model()
        self.env["res.company"].flush_model(["ar_run_date"])
        self.env["ar.credit.grade"].flush_model()
        self.env["ar.credit.cover"].flush_model()
        self.env["ar.credit.release"].flush_model(["file_id", "state"])
        self.env["account.move"].flush_model(["partner_id", "move_type", "state"])
        self.env["res.partner"].flush_model(["vat"])
        query = SQL(
            """
            WITH asked (company_id, partner_id) AS (VALUES %(keys)s), own AS (
                SELECT asked.company_id, asked.partner_id, file.id AS file_id,
                       file.is_limited, head.id AS head_id, head.group_limit,
                       customer.name AS group_name, grade.id AS grade_id,
                       grade.id IS NULL OR grade.is_default IS TRUE AS is_new
                  FROM asked
                  LEFT JOIN ar_credit_file file ON file.company_id = asked.company_id
                                               AND file.partner_id = asked.partner_id
                  LEFT JOIN ar_credit_file head ON head.id = COALESCE(file.parent_id, file.id)
                                               AND head.group_limited
                  LEFT JOIN res_partner customer ON customer.id = head.partner_id
                  LEFT JOIN LATERAL (
                    SELECT id, is_default FROM ar_credit_grade
                     WHERE id = file.grade_id
                        OR (file.grade_id IS NULL AND is_default AND active
                            AND COALESCE(company_id, asked.company_id) = asked.company_id)
                     ORDER BY company_id NULLS LAST, sequence, id
                     LIMIT 1
                  ) grade ON TRUE
            ), locked AS (  -- a change, so that whoever waits for it has to look again
                UPDATE ar_credit_file SET control_tick = COALESCE(control_tick, 0) + 1
                 WHERE %(lock)s AND id IN (
                    SELECT file_id FROM own WHERE is_limited UNION SELECT head_id FROM own)
            )
            SELECT own.company_id, own.partner_id, own.file_id,
                   (COALESCE(file.open_amount, 0) + COALESCE(file.order_amount, 0))::float8,
                   file.earliest_due, COALESCE(file.demand_amount, 0)::float8, file.demand_due,
                   company.ar_run_date IS NOT DISTINCT FROM %(date)s,
                   own.group_name, own.group_limit,
                   CASE WHEN own.head_id IS NOT NULL THEN (
                    SELECT SUM(COALESCE(open_amount, 0) + COALESCE(order_amount, 0))::float8
                      FROM ar_credit_file
                     WHERE own.head_id IN (id, parent_id)) END,
                   COALESCE(file.limit_mode, 'grade'), file.custom_limit, file.temporary_limit,
                   file.temporary_limit_end, COALESCE(file.avg_monthly_sales, 0)::float8,
                   COALESCE(file.avg_term_days, 0) + COALESCE(file.avg_days_late, 0),
                   file.limit_expiry, file.next_review_date, file.hold, file.hold_reason,
                   file.hold_date, COALESCE(file.broken_promises, 0),
                   COALESCE(file.written_off_open, 0)::float8,
                   grade.limit_rule, COALESCE(grade.limit_amount, 0)::float8,
                   COALESCE(grade.limit_months, 0)::float8, COALESCE(grade.limit_cap, 0)::float8,
                   COALESCE(grade.equity_share, 0)::float8, file.equity::float8,
                   COALESCE(grade.cover_share, 0)::float8, COALESCE(grade.young_months, 0),
                   COALESCE(grade.young_limit, 0)::float8, file.customer_since,
                   COALESCE(grade.max_term_days, 0), COALESCE(grade.overdue_tolerance_days, 0),
                   COALESCE(grade.overdue_tolerance_amount, 0)::float8,
                   COALESCE(cover.amount, 0)::float8, cover.expiry,
                   CASE WHEN own.is_new THEN NOT EXISTS (
                    SELECT FROM res_partner contact
                      JOIN account_move sale ON sale.partner_id = contact.id
                     WHERE contact.commercial_partner_id = own.partner_id
                       AND sale.move_type = 'out_invoice' AND sale.state = 'posted')
                   ELSE FALSE END,
                   EXISTS (
                    SELECT FROM ar_credit_release
                     WHERE file_id = own.file_id AND state IN ('held', 'requested')),
                   twin.name, COALESCE(file.risk_tier, grade.risk_tier), grade.risk_from,
                   COALESCE(grade.risk_limit_share, 1)::float8,
                   ARRAY[%(controls)s]
              FROM own
              JOIN res_company company ON company.id = own.company_id
              LEFT JOIN ar_credit_file file ON file.id = own.file_id
              LEFT JOIN ar_credit_grade grade ON grade.id = own.grade_id
             CROSS JOIN LATERAL (
                SELECT SUM(amount_company) FILTER (
                        WHERE date_from <= %(date)s AND COALESCE(date_to, %(date)s) >= %(date)s
                       ) AS amount,
                       MAX(date_to) FILTER (WHERE date_to < %(date)s) AS expiry
                  FROM ar_credit_cover
                 WHERE active AND company_id = own.company_id AND partner_id = own.partner_id
             ) cover
              LEFT JOIN LATERAL (%(twin)s) twin ON TRUE
            """,
            keys=SQL(", ").join(SQL("(%s, %s)", *key) for key in sorted(keys)),
            lock=lock,
            date=date,
            twin=self.env["ar.credit.twin"]._get_twin_sql(
                SQL.identifier("own", "company_id"), SQL.identifier("own", "partner_id")
            ),
            controls=SQL(", ").join(SQL.identifier("grade", name) for name in CONTROL_FIELDS),
        )
        rows = [FileRow._make(row) for row in self.env.execute_query(query)]
        missing = [row for row in rows if not row.file_id]
        if lock and missing:
            # A first sale needs a file as well: by it two users at once are kept apart.
            for row in missing:
                files._get_file(
                    self.env["res.partner"].browse(row.partner_id),
                    self.env["res.company"].browse(row.company_id),
                    create=True,
                )
            return self._read_files(keys, date, lock)
        return rows

    @api.model
    def _read_figures(self, rows, date):
        """``{(company id, partner id): FigureRow}`` of customers, from their items as they are."""
        if not rows:
            return {}
        partners = self.env["res.partner"].browse({row.partner_id for row in rows})
        query = SQL(
            """
            SELECT root_id, item.partner_id, SUM(residual)::float8,
                   COALESCE(SUM(demand) FILTER (WHERE %(is_late)s), 0)::float8,
                   COALESCE(MAX(%(date)s - due) FILTER (WHERE demand > 0 AND %(is_late)s), 0)
              FROM (%(items)s) item
              JOIN (VALUES %(asked)s) AS asked (company_id, partner_id, tolerated_days)
                ON item.root_id = asked.company_id AND item.partner_id = asked.partner_id
             GROUP BY 1, 2
            """,
            asked=SQL(", ").join(
                SQL("(%s, %s, %s)", row.company_id, row.partner_id, row.tolerated_days)
                for row in rows
            ),
            date=date,
            is_late=SQL("%s - due > tolerated_days", date),
            items=self.env["ar.position"]._claimed_items_sql(
                self.env["res.company"].browse({row.company_id for row in rows}),
                date,
                partners,
                current=True,
                ageing=False,
                shape=read_shape(self.env, partners),
            ),
        )
        figures = {(row.company_id, row.partner_id): FigureRow() for row in rows}
        for company_id, partner_id, *values in self.env.execute_query(query):
            figures[company_id, partner_id] = FigureRow._make(values)
        return figures

    @api.model
    def _prepare_facts(self, row, figures, default_limit, date):
        return Facts(
            controls=(
                dict(zip(CONTROL_FIELDS, row.controls, strict=True))
                if row.controls[0]
                else NO_GRADE
            ),
            exposure=row.exposure if row.file_id else figures.open_amount,
            limit=effective_limit(
                LimitTerms(
                    mode=row.limit_mode,
                    custom=float(row.custom_limit or 0),
                    temporary=float(row.temporary_limit or 0),
                    temporary_end=row.temporary_limit_end,
                    rule=row.limit_rule or "none",
                    fixed=row.limit_amount,
                    months=row.limit_months,
                    cap=row.limit_cap,
                    avg_monthly_sales=row.avg_monthly_sales,
                    days_unpaid=row.days_unpaid,
                    default=default_limit,
                    cover=row.cover,
                    equity_share=row.equity_share,
                    equity=row.equity,
                    cover_share=row.cover_share,
                    young_months=row.young_months,
                    young_limit=row.young_limit,
                    since=row.customer_since,
                    risk_share=row.risk_limit_share if row.risk else 1.0,
                ),
                date,
            ),
            group_name=row.group_name or "",
            group_exposure=row.group_exposure or 0,
            group_limit=None if row.group_exposure is None else float(row.group_limit or 0),
            overdue=figures.overdue,
            days_overdue=figures.days_overdue,
            tolerated_overdue=row.tolerated_overdue,
            hold=bool(row.hold),
            hold_reason=row.hold_reason,
            hold_date=row.hold_date,
            broken_promises=row.broken_promises,
            written_off=row.written_off,
            review_date=row.next_review_date,
            limit_expiry=row.limit_expiry,
            cover_expiry=row.cover_expiry,
            max_term_days=row.max_term_days,
            ungraded=row.first_sale,
            waiting=row.waiting,
            twin=row.twin or "",
            risk=row.risk,
        )
