from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .credit_decision import CONTROL_OF, Facts
from .credit_limit import LimitTerms, effective_limit

# What a customer without any grade meets.
NO_GRADE = {"on_limit": "warn", "on_overdue": "warn", "on_hold": "block"}
CONTROL_FIELDS = tuple(dict.fromkeys(CONTROL_OF.values()))


class FileRow(NamedTuple):
    company_id: int
    partner_id: int
    file_id: int
    group_name: str
    group_limit: float
    members: list
    limit_mode: str
    custom_limit: float
    temporary_limit: float
    temporary_limit_end: object
    avg_monthly_sales: float
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
    max_term_days: int
    tolerated_days: int
    tolerated_overdue: float
    ungraded: bool
    waiting: bool
    has_unposted_matching: bool
    controls: list


class FigureRow(NamedTuple):
    exposure: float
    overdue: float
    days_overdue: int
    cover: float
    cover_expiry: object
    first_sale: bool


class ArCreditFacts(models.AbstractModel):
    """Gathers what the credit control knows of customers: two statements for a whole batch."""

    _name = "ar.credit.facts"
    _description = "Facts for the Credit Control"

    @api.model
    def _gather_facts(self, keys, date, lock=False):
        """What is known of the customers.

        :param keys: set of (root company id, commercial partner id)
        :param lock: until the end of the transaction nobody else passes these customers' limits
        :return: ``{key: Facts}``
        """
        rows = self._read_files(keys, lock)
        members = {(row.company_id, partner) for row in rows for partner in row.members or ()}
        figures = self._read_figures(rows, members, date)
        companies = self.env["res.company"].browse({company_id for company_id, _partner in keys})
        defaults = {company.id: company._ar_default_credit_limit() for company in companies}
        return {
            (row.company_id, row.partner_id): self._prepare_facts(
                row, figures, defaults[row.company_id], date
            )
            for row in rows
        }

    @api.model
    def _read_files(self, keys, lock):
        """File, grade and group of the customers, one :class:`FileRow` each."""
        files = self.env["ar.credit.file"].sudo()
        files.flush_model()
        self.env["ar.credit.grade"].flush_model()
        self.env["ar.credit.release"].flush_model(["file_id", "state"])
        self.env["account.move.line"].flush_model(["parent_state", "matching_number"])
        query = SQL(
            """
            WITH asked (company_id, partner_id) AS (VALUES %(keys)s), own AS (
                SELECT asked.company_id, asked.partner_id, file.id AS file_id,
                       file.is_limited, head.id AS head_id, head.group_limit,
                       customer.name AS group_name, grade.id AS grade_id
                  FROM asked
                  LEFT JOIN ar_credit_file file ON file.company_id = asked.company_id
                                               AND file.partner_id = asked.partner_id
                  LEFT JOIN ar_credit_file head ON head.id = COALESCE(file.parent_id, file.id)
                                               AND head.group_limited
                  LEFT JOIN res_partner customer ON customer.id = head.partner_id
                  LEFT JOIN LATERAL (
                    SELECT id FROM ar_credit_grade
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
            SELECT own.company_id, own.partner_id, own.file_id, own.group_name, own.group_limit,
                   CASE WHEN own.head_id IS NOT NULL THEN ARRAY(
                    SELECT partner_id FROM ar_credit_file
                     WHERE own.head_id IN (id, parent_id)) END,
                   COALESCE(file.limit_mode, 'grade'), file.custom_limit, file.temporary_limit,
                   file.temporary_limit_end, COALESCE(file.avg_monthly_sales, 0)::float8,
                   file.limit_expiry, file.next_review_date, file.hold, file.hold_reason,
                   file.hold_date, COALESCE(file.broken_promises, 0),
                   COALESCE(file.written_off_open, 0)::float8,
                   grade.limit_rule, COALESCE(grade.limit_amount, 0)::float8,
                   COALESCE(grade.limit_months, 0)::float8, COALESCE(grade.limit_cap, 0)::float8,
                   COALESCE(grade.max_term_days, 0), COALESCE(grade.overdue_tolerance_days, 0),
                   COALESCE(grade.overdue_tolerance_amount, 0)::float8,
                   grade.id IS NULL OR grade.is_default IS TRUE,
                   EXISTS (
                    SELECT FROM ar_credit_release
                     WHERE file_id = own.file_id AND state IN ('held', 'requested')),
                   %(unposted)s,
                   ARRAY[%(controls)s]
              FROM own
              LEFT JOIN ar_credit_file file ON file.id = own.file_id
              LEFT JOIN ar_credit_grade grade ON grade.id = own.grade_id
            """,
            keys=SQL(", ").join(SQL("(%s, %s)", *key) for key in sorted(keys)),
            lock=lock,
            unposted=self.env["ar.position"]._has_unposted_matching_sql(),
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
            return self._read_files(keys, lock)
        return rows

    @api.model
    def _read_figures(self, rows, members, date):
        """``{(company id, partner id): FigureRow}`` of the customers and their groups.

        Open items are read as they are now; orders as the credit file has them, which follows
        when they are confirmed, changed, invoiced or cancelled.
        """
        asked = dict.fromkeys(members, (0, False))
        asked.update(
            ((row.company_id, row.partner_id), (row.tolerated_days, row.ungraded)) for row in rows
        )
        if not asked:
            return {}
        companies = self.env["res.company"].browse({company_id for company_id, _id in asked})
        partners = self.env["res.partner"].browse({partner_id for _id, partner_id in asked})
        self.env["ar.credit.cover"].flush_model()
        query = SQL(
            """
            WITH asked (company_id, partner_id, tolerated_days, is_new) AS (
                VALUES %(asked)s
            ), open_item AS (
                SELECT asked.company_id, asked.partner_id, SUM(item.residual) AS open_amount,
                       SUM(item.demand) FILTER (WHERE item.late > tolerated_days) AS overdue,
                       MAX(item.late) FILTER (WHERE item.late > tolerated_days) AS days_overdue
                  FROM asked
                  JOIN (
                    SELECT root_id, partner_id, residual, demand,
                           CASE WHEN demand > 0 THEN %(date)s::date - due END AS late
                      FROM (%(items)s) open_item
                  ) item ON item.root_id = asked.company_id AND item.partner_id = asked.partner_id
                 GROUP BY 1, 2
            ), cover AS (
                SELECT cover.company_id, cover.partner_id,
                       SUM(amount_company) FILTER (
                        WHERE date_from <= %(date)s AND COALESCE(date_to, %(date)s) >= %(date)s
                       ) AS amount,
                       MAX(date_to) FILTER (WHERE date_to < %(date)s) AS expiry
                  FROM ar_credit_cover cover
                  JOIN asked USING (company_id, partner_id)
                 WHERE cover.active
                 GROUP BY 1, 2
            )
            SELECT asked.company_id, asked.partner_id,
                   (COALESCE(open_item.open_amount, 0) + COALESCE(file.order_amount, 0))::float8,
                   COALESCE(open_item.overdue, 0)::float8,
                   COALESCE(open_item.days_overdue, 0),
                   COALESCE(cover.amount, 0)::float8, cover.expiry,
                   CASE WHEN asked.is_new THEN NOT EXISTS (
                    SELECT FROM res_partner contact
                      JOIN account_move sale ON sale.partner_id = contact.id
                     WHERE contact.commercial_partner_id = asked.partner_id
                       AND sale.move_type = 'out_invoice' AND sale.state = 'posted')
                   ELSE FALSE END
              FROM asked
              LEFT JOIN open_item USING (company_id, partner_id)
              LEFT JOIN cover USING (company_id, partner_id)
              LEFT JOIN ar_credit_file file USING (company_id, partner_id)
            """,
            asked=SQL(", ").join(
                SQL("(%s, %s, %s, %s)", *key, *asked[key]) for key in sorted(asked)
            ),
            date=date,
            items=self.env["ar.position"]._claimed_items_sql(
                companies,
                date,
                partners,
                current=True,
                ageing=False,
                as_booked=not any(row.has_unposted_matching for row in rows),
            ),
        )
        return {
            (company_id, partner_id): FigureRow._make(values)
            for company_id, partner_id, *values in self.env.execute_query(query)
        }

    @api.model
    def _prepare_facts(self, row, figures, default_limit, date):
        own = figures[row.company_id, row.partner_id]
        return Facts(
            controls=(
                dict(zip(CONTROL_FIELDS, row.controls, strict=True))
                if row.controls[0]
                else NO_GRADE
            ),
            exposure=own.exposure,
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
                    default=default_limit,
                    cover=own.cover,
                ),
                date,
            ),
            group_name=row.group_name or "",
            group_exposure=sum(
                figures[row.company_id, partner_id].exposure for partner_id in row.members or ()
            ),
            group_limit=None if row.members is None else float(row.group_limit or 0),
            overdue=own.overdue,
            days_overdue=own.days_overdue,
            tolerated_overdue=row.tolerated_overdue,
            hold=bool(row.hold),
            hold_reason=row.hold_reason,
            hold_date=row.hold_date,
            broken_promises=row.broken_promises,
            written_off=row.written_off,
            review_date=row.next_review_date,
            limit_expiry=row.limit_expiry,
            cover_expiry=own.cover_expiry,
            max_term_days=row.max_term_days,
            ungraded=own.first_sale,
            waiting=row.waiting,
        )
