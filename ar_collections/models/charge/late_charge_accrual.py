from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..figures.settlement import money_sql

# A due date is at most so many days before the working day to which it moves.
DAYS_BEFORE = 30


class Accrual(NamedTuple):
    """Days of one item that accrued late charges and that nobody has charged or waived."""

    partner_id: int
    line_id: int
    currency_id: int
    # First and last day, and how many between them had something to charge.
    date_from: object
    date_to: object
    days: int
    # Average of the amount that was open on these days, currency of the item.
    base: float
    # Percent a year.
    rate: float
    amount: float
    amount_company: float
    # Why it cannot be charged yet: ``plan``, ``dispute``, ``payment`` or ``None``.
    held: str
    # Days of a year in the formula, see ``ar.country.rule``.
    day_count: str


class ArLateChargeAccrual(models.AbstractModel):
    """Late charges that have accrued, computed from the ledger whenever somebody asks.

    A day costs ``open amount x annual rate / days of the year`` (simple interest, the formula of
    ERPNext's dunning); the days are 365, 360 or those of the year, as the country pack says.
    Charged are the days after the due date and the free days, the day of the payment included;
    a due date on a day off is the next working day where the law says so. What is open is what
    was open the evening before, by the real matchings with their dates, and by money on account
    that nobody has matched yet. Each day has the rate that was in force on it: of the grade that
    the customer had, its own, or by law. A stretch of days is rounded once, to the currency, and
    its rates share that amount.

    * Not charged: items without follow-up, bank entries, and charges themselves unless set.
    * The part of an item that is disputed in time does not accrue while the dispute is open. One
      that was credited never does for that time; one that was rejected or withdrawn accrues for
      all of it.
    * An item in dispute, in a plan whose charges are waived when it is kept, or being paid,
      accrues but cannot be charged before that is decided.
    * Each day of an item is charged once: days that a charge has, waived ones too, are over.
    * What exceeds the cap of an item, or the customer's cap of the year, does not accrue.
    * What was written off accrues nothing, also not for the days before.
    * Days of which a plan has waived a share accrue the rest.
    """

    _name = "ar.late.charge.accrual"
    _description = "Accrued Late Charges"

    @api.model
    def _get_accruals(self, company, date, partners=None):
        """What has accrued up to and including a date, in one statement.

        :param company: a root company; its branches are part of it
        :param partners: of these customers only, or ``None`` for all
        :return: ``{commercial partner id: [Accrual]}``, by due date
        """
        accrued = {}
        if company.ar_charge_from:
            for row in self.env.execute_query(self._get_accruals_sql(company, date, partners)):
                accrual = Accrual(*row)
                accrued.setdefault(accrual.partner_id, []).append(accrual)
        return accrued

    @api.model
    def _get_accruals_sql(self, company, date, partners=None):
        """SELECT of the columns of :class:`Accrual`."""
        # It reads the ledger, what is agreed and disputed, grades, files and charges.
        self.env.flush_all()
        weight, year = self._get_day_count_sql(company)
        return SQL(
            """
            WITH item AS MATERIALIZED (%(items)s), file_term AS MATERIALIZED (%(file_terms)s),
            grade_term AS MATERIALIZED (%(grade_terms)s), law_term AS MATERIALIZED (%(law_terms)s),
            term_day AS (%(term_days)s), set_off AS (%(set_offs)s), gap AS (%(gaps)s),
            point AS (%(points)s), segment AS (%(segments)s), rated AS (
                SELECT segment.*, %(rate)s AS rate
                  FROM segment JOIN item ON item.line_id = segment.line_id
                  JOIN file_term ON file_term.file_key = item.file_key
                       AND day >= file_term.date AND day < file_term.until
                  LEFT JOIN grade_term ON grade_term.grade_id = file_term.grade_id
                       AND day >= grade_term.date AND day < grade_term.until
            ), marked AS (
                SELECT rated.*, (rate IS DISTINCT FROM LAG(rate) OVER (
                           PARTITION BY line_id, first_day ORDER BY day))::int AS is_other
                  FROM rated
            ), cut AS (
                SELECT marked.*, SUM(is_other) OVER (
                           PARTITION BY line_id, first_day ORDER BY day) AS run
                  FROM marked
            ), period AS (
                SELECT line_id, first_day, run, rate, MIN(day) AS date_from,
                       MAX(day_to) AS date_to, SUM(day_to - day + 1) AS days,
                       SUM(open * (day_to - day + 1)) AS numbers,
                       SUM(open * (day_to - day + 1) * rate * %(weight)s) AS exact
                  FROM cut WHERE open > 0 AND rate > 0
                 GROUP BY line_id, first_day, run, rate
            ), summed AS (
                SELECT period.*, SUM(exact) OVER (
                           PARTITION BY line_id, first_day ORDER BY run) AS until
                  FROM period
            ), accrued AS (
                SELECT item.*, summed.date_from, summed.date_to, summed.days, summed.numbers,
                       summed.rate,
                       (ROUND(until / %(year)s / rounding)
                        - ROUND((until - exact) / %(year)s / rounding)) * rounding AS amount
                  FROM summed JOIN item ON item.line_id = summed.line_id
            ), capped AS (
                SELECT accrued.*, %(item_left)s AS allowed FROM accrued
            ), valued AS (
                SELECT capped.*,
                       ROUND(allowed * conversion / %(rounding)s) * %(rounding)s AS value
                  FROM capped
            ), final AS (
                SELECT valued.*, %(year_left)s AS allowed_value FROM valued
            ), charge AS (
                SELECT final.*,
                       CASE WHEN allowed_value < value
                            THEN ROUND(allowed * allowed_value / value / rounding) * rounding
                            ELSE allowed END AS charge
                  FROM final
            )
            SELECT partner_id, line_id, currency_id, date_from, date_to, days::int,
                   ROUND(numbers / days / rounding) * rounding::float8, rate::float8,
                   charge::float8, allowed_value::float8, held, %(day_count)s
              FROM charge
             WHERE charge > 0
             ORDER BY due, line_id, date_from
            """,
            items=self._get_chargeable_items_sql(company, date, partners),
            file_terms=self._get_file_terms_sql(company),
            grade_terms=self._get_grade_terms_sql(),
            law_terms=self._get_law_terms_sql(company),
            rate=self._get_rate_sql(company),
            weight=weight,
            year=year,
            day_count=company._ar_get_country_rule().day_count,
            set_offs=self.env["ar.netting"]._set_offs_sql(company, date, partners),
            gaps=self._gaps_sql(date),
            term_days=self._get_term_days_sql(company, date),
            points=self._points_sql(),
            segments=self._segments_sql(),
            item_left=self._item_left_sql(company),
            year_left=self._year_left_sql(company, date),
            rounding=self._get_exact_sql(company.currency_id.rounding),
        )

    @api.model
    def _get_excess_by_charge(self, chosen):
        """``{charge id: what is too much}`` of the charges on debit notes that have too much.

        What a note's credit notes gave back counts against its charges, one after the other.

        :param chosen: SQL condition on ``charge``
        """
        # It reads the ledger, what is agreed and disputed, grades, files and charges.
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                WITH noted AS (
                    SELECT charge.id, charge.move_id, charge.amount::numeric AS amount,
                           charge.base::numeric * charge.days AS numbers,
                           charge.days * currency.rounding::numeric AS unsure,
                           charge.rate::numeric AS rate, currency.rounding::numeric AS rounding,
                           CASE charge.day_count WHEN '360' THEN 36000 ELSE 36500 END AS year,
                           line.id AS line_id, line.amount_currency::numeric AS principal,
                           charge.date_from AS first_day, charge.date_to AS last_day
                      FROM ar_late_charge charge
                      JOIN account_move_line line ON line.id = charge.move_line_id
                      JOIN res_currency currency ON currency.id = charge.currency_id
                     WHERE charge.state IN ('drafted', 'posted')
                       AND charge.move_id IN (
                        SELECT move_id FROM ar_late_charge charge WHERE %(chosen)s)
                ), set_off AS (  -- only what is matched gives a charge back
                    SELECT NULL::int AS line_id, NULL::date AS date, 0.0 AS amount_currency
                     WHERE FALSE
                ), term_day AS (
                    SELECT NULL::int AS line_id, NULL::date AS date WHERE FALSE
                ), gap AS (
                    SELECT line_id, principal, first_day, last_day FROM noted
                ), point AS (%(points)s), segment AS (%(segments)s), fresh AS (
                    SELECT line_id, first_day, SUM(open * (day_to - day + 1)) AS numbers
                      FROM segment GROUP BY line_id, first_day
                ), excess AS (
                    SELECT noted.id, noted.move_id,
                           noted.amount
                           - ROUND(fresh.numbers * rate / year / rounding) * rounding AS excess
                      FROM noted JOIN fresh USING (line_id, first_day)
                     WHERE fresh.numbers < noted.numbers - unsure
                ), uncredited AS (
                    SELECT excess.id, LEAST(excess, SUM(excess) OVER (
                               PARTITION BY move_id ORDER BY excess.id) - COALESCE((
                                SELECT SUM(credit.amount_untaxed) FROM account_move credit
                                 WHERE credit.reversed_entry_id = excess.move_id
                                   AND credit.state = 'posted'), 0)) AS excess
                      FROM excess WHERE excess > 0
                )
                SELECT id, excess::float8 FROM uncredited WHERE excess > 0
                """,
                chosen=chosen,
                points=self._points_sql(),
                segments=self._segments_sql(given_up=False),
            )
        )
        return dict(rows)

    @api.model
    def _get_exact_sql(self, value):
        """A number of ours as exact as it is written."""
        return SQL("%s::numeric", repr(float(value)))

    @api.model
    def _get_chargeable_items_sql(self, company, date, partners):
        """SELECT of the items that can have accrued something, open or settled lately."""
        self.env["ar.insolvency"].flush_model(["file_id", "state"])
        scope, accounts = self.env["ar.position"]._get_scope(company, few=partners is not None)
        customers = SQL()
        if partners is not None:
            customers = self.env["ar.position"]._partner_clause(partners.commercial_partner_id)
        charges = SQL()
        if not company.ar_charge_on_charges:
            charges = SQL(
                "AND l.move_id NOT IN"
                " (SELECT move_id FROM ar_late_charge WHERE move_id IS NOT NULL)"
            )
        return SQL(
            """
            SELECT item.*,
                   GREATEST(payable.due + %(grace)s + 1, %(since)s) AS first_chargeable,
                   payable.due + 1 AS breach, COALESCE(file.id, 0) AS file_key,
                   money.rounding::numeric AS rounding, money.conversion::numeric AS conversion,
                   %(held)s AS held
              FROM (
                SELECT l.id AS line_id, l.currency_id, l.amount_currency::numeric AS principal,
                       l.move_id, COALESCE(l.date_maturity, l.date) AS due,
                       COALESCE(contact.commercial_partner_id, l.partner_id) AS partner_id
                  FROM account_move_line l
                  JOIN (%(scope)s) AS scope(company_id, root_id, edges)
                    ON scope.company_id = l.company_id
                  JOIN account_journal journal ON journal.id = l.journal_id
                  JOIN res_partner contact ON contact.id = l.partner_id
                 WHERE l.id IN (
                        SELECT l.id FROM account_move_line l
                         WHERE l.account_id = ANY(%(accounts)s) AND l.reconciled IS NOT TRUE
                           AND l.parent_state = 'posted' AND l.amount_residual <> 0
                           %(customers)s
                         UNION ALL
                        SELECT debit_move_id FROM account_partial_reconcile
                         WHERE max_date > GREATEST(%(since)s, %(date)s - %(settled)s)
                   )
                   AND l.account_id = ANY(%(accounts)s) AND l.parent_state = 'posted'
                   AND l.amount_currency > 0 AND l.no_followup IS NOT TRUE
                   AND NOT %(is_money)s
                   AND COALESCE(l.date_maturity, l.date) + %(grace)s < %(date)s
                   %(customers)s %(charges)s
              ) item
              JOIN (VALUES %(currencies)s) AS money(id, rounding, conversion)
                ON money.id = item.currency_id
              LEFT JOIN ar_credit_file file
                ON file.partner_id = item.partner_id AND file.company_id = %(company)s
              LEFT JOIN (VALUES %(days_off)s) AS day_off(day, moved) ON day_off.day = item.due
             CROSS JOIN LATERAL (SELECT COALESCE(day_off.moved, item.due) AS due) payable
             WHERE NOT EXISTS (
                SELECT FROM ar_insolvency insolvency
                 WHERE insolvency.file_id = file.id AND insolvency.state = 'open')
            """,
            grace=company.ar_charge_grace_days,
            since=company.ar_charge_from,
            settled=company.ar_charge_settled_days,
            date=date,
            scope=scope,
            accounts=accounts,
            customers=customers,
            charges=charges,
            is_money=money_sql(),
            currencies=self._currencies_sql(company, date),
            company=company.id,
            days_off=self._get_days_off_sql(company, date),
            held=self._held_sql(company, date),
        )

    @api.model
    def _get_days_off_sql(self, company, date):
        """VALUES of days off and the working day to which what is due on them moves, where the
        law says so. What was due before the first chargeable day needs none."""
        moved = [(None, None)]
        if company._ar_get_country_rule().due_on_working_day:
            moved = (
                list(
                    company._ar_get_moved_days(
                        company.ar_charge_from - timedelta(days=DAYS_BEFORE), date
                    ).items()
                )
                or moved
            )
        return SQL(", ").join(SQL("(%s::date, %s::date)", *pair) for pair in moved)

    # The terms of each day

    @api.model
    def _get_file_terms_sql(self, company):
        """SELECT of ``file_key, date, until, mode, rate, grade_id``: what customers' files said
        from one day to the day before another; the file itself where nothing was changed.
        Without a file, key zero, it is the default grade."""
        return SQL(
            """
            SELECT term.*, LEAD(date, 1, 'infinity') OVER (
                       PARTITION BY file_key ORDER BY date) AS until
              FROM (
                SELECT file.id AS file_key, COALESCE(term.date, '-infinity') AS date,
                       COALESCE(term.mode, file.late_charge_mode) AS mode,
                       COALESCE(term.rate, file.late_charge_rate, 0)::numeric AS rate,
                       COALESCE(CASE WHEN term.id IS NULL THEN file.grade_id
                                     ELSE term.file_grade_id END, %(grade)s) AS grade_id
                  FROM ar_credit_file file
                  LEFT JOIN ar_late_charge_rate term ON term.file_id = file.id
                 WHERE file.id IN (SELECT file_key FROM item)
                 UNION ALL
                SELECT 0, '-infinity', 'grade', 0, %(grade)s
              ) term
            """,
            grade=self.env["ar.credit.grade"]._get_default_grade(company).id or None,
        )

    @api.model
    def _get_grade_terms_sql(self):
        """SELECT of ``grade_id, date, until, kind, rate``, as for files."""
        return SQL(
            """
            SELECT term.*, LEAD(date, 1, 'infinity') OVER (
                       PARTITION BY grade_id ORDER BY date) AS until
              FROM (
                SELECT grade.id AS grade_id, COALESCE(term.date, '-infinity') AS date,
                       COALESCE(term.kind, grade.late_charge_kind) AS kind,
                       COALESCE(term.rate, grade.late_charge_rate, 0)::numeric AS rate
                  FROM ar_credit_grade grade
                  LEFT JOIN ar_late_charge_rate term ON term.grade_id = grade.id
              ) term
            """
        )

    @api.model
    def _get_law_terms_sql(self, company):
        """SELECT of ``date, rate`` of the statutory interest of the company."""
        rates = company._ar_get_country_rule()._get_interest_rates() or [(None, 0)]
        return SQL(
            "SELECT * FROM (VALUES %s) AS law(date, rate)",
            SQL(", ").join(
                SQL("(%s::date, %s)", day, self._get_exact_sql(percent)) for day, percent in rates
            ),
        )

    @api.model
    def _get_term_days_sql(self, company, date):
        """SELECT of ``line_id, date``: the days on which another rate of an item, or another
        year, may begin."""
        rule = company._ar_get_country_rule()
        days = SQL(
            """
            SELECT item.line_id, file_term.date
              FROM item JOIN file_term ON file_term.file_key = item.file_key
             WHERE file_term.date > '-infinity'
             UNION
            SELECT item.line_id, grade_term.date
              FROM item JOIN file_term ON file_term.file_key = item.file_key
              JOIN grade_term ON grade_term.grade_id = file_term.grade_id
             WHERE grade_term.date > '-infinity'
            """
        )
        if not rule.interest_fixed and rule.rate_ids:
            days = SQL("%s UNION SELECT item.line_id, law_term.date FROM item, law_term", days)
        if rule.day_count == "actual":
            days = SQL(
                "%s UNION SELECT item.line_id, MAKE_DATE(year, 1, 1)"
                " FROM item, GENERATE_SERIES(%s, %s) year",
                days,
                company.ar_charge_from.year,
                date.year,
            )
        return days

    @api.model
    def _get_rate_sql(self, company):
        """Percent a year of ``item`` on ``day``, by the terms in force."""
        rule = company._ar_get_country_rule()
        return SQL(
            """
            CASE file_term.mode WHEN 'none' THEN 0 WHEN 'custom' THEN file_term.rate
                 ELSE CASE WHEN file_term.mode = 'law' OR grade_term.kind = 'law' THEN COALESCE((
                            SELECT rate FROM law_term WHERE date <= %s
                             ORDER BY date DESC LIMIT 1), 0)
                           ELSE COALESCE(grade_term.rate, 0) END END
            """,
            SQL("item.breach") if rule.interest_fixed else SQL("day"),
        )

    @api.model
    def _get_day_count_sql(self, company):
        """What a day weighs, and by what the sum of weights is divided: exact for all years."""
        kind = company._ar_get_country_rule().day_count
        if kind != "actual":
            return SQL("1"), SQL("%s::numeric", 100 * int(kind))
        leap = SQL("(DATE_PART('doy', MAKE_DATE(DATE_PART('year', day)::int, 12, 31)) = 366)")
        return SQL("CASE WHEN %s THEN 365 ELSE 366 END", leap), SQL("%s::numeric", 36500 * 366)

    @api.model
    def _currencies_sql(self, company, date):
        """VALUES of currency, smallest unit and rate to the company's currency."""
        currencies = self.env["res.currency"].search([("active", "in", (True, False))])
        rates = currencies._get_rates(company, date)
        own = rates[company.currency_id.id]
        return SQL(", ").join(
            SQL(
                "(%s, %s, %s)",
                currency.id,
                self._get_exact_sql(currency.rounding),
                self._get_exact_sql(own / rates[currency.id]),
            )
            for currency in currencies
        )

    @api.model
    def _held_sql(self, company, date):
        """Why what accrued on ``item`` cannot be charged yet, NULL when it can."""
        return SQL(
            """
            CASE WHEN EXISTS (
                    SELECT FROM ar_payment_plan_item part
                      JOIN ar_payment_plan plan ON plan.id = part.plan_id
                     WHERE part.move_line_id = item.line_id AND plan.state = 'accepted'
                       AND plan.waive_charges) THEN 'plan'
                 WHEN EXISTS (
                    SELECT FROM ar_dispute_line line
                      JOIN ar_dispute dispute ON dispute.id = line.dispute_id
                     WHERE line.move_line_id = item.line_id AND dispute.state = 'open'
                       AND %s) THEN 'dispute'
                 WHEN item.move_id IN (
                    SELECT link.invoice_id FROM account_payment payment
                      JOIN account_move__account_payment link ON link.payment_id = payment.id
                     WHERE payment.state = 'in_process' AND payment.move_id IS NULL
                       AND payment.date > %s)
                 THEN 'payment' END
            """,
            self._dispute_holds_sql(),
            # As long as it is expected, see ar.netting.
            date - timedelta(days=company.ar_in_process_days),
        )

    @api.model
    def _dispute_holds_sql(self):
        return SQL("(line.in_window OR dispute.accepted_late)")

    @api.model
    def _gaps_sql(self, date):
        """SELECT of the stretches of days of each item that no charge has."""
        return SQL(
            """
            SELECT line_id, principal, first_day, date_from - 1 AS last_day
              FROM (
                SELECT item.line_id, principal, taken.date_from,
                       GREATEST(first_chargeable, LAG(taken.date_to) OVER (
                           PARTITION BY item.line_id ORDER BY taken.date_from) + 1) AS first_day
                  FROM item
                 CROSS JOIN LATERAL (
                    SELECT date_from, date_to FROM ar_late_charge
                     WHERE move_line_id = item.line_id AND date_from <= %(date)s
                       AND state IN ('drafted', 'posted', 'waived', 'reversed')
                       AND COALESCE(waived_share, 0) = 0
                     UNION ALL
                    SELECT %(date)s + 1, NULL
                 ) taken
              ) stretch
             WHERE first_day < date_from
            """,
            date=date,
        )

    @api.model
    def _points_sql(self):
        """SELECT of the days in these stretches from which on another amount was open, or from
        which on other terms may count."""
        return SQL(
            """
            SELECT gap.*, first_day AS day FROM gap
             UNION
            SELECT gap.*, change.date + 1
              FROM gap
             CROSS JOIN LATERAL (
                SELECT max_date AS date FROM account_partial_reconcile
                 WHERE debit_move_id = gap.line_id
                 UNION ALL
                SELECT date FROM set_off WHERE line_id = gap.line_id
                 UNION ALL
                SELECT UNNEST(ARRAY[dispute.date, dispute.date_closed])
                  FROM ar_dispute_line line JOIN ar_dispute dispute ON dispute.id = line.dispute_id
                 WHERE line.move_line_id = gap.line_id
                 UNION ALL
                SELECT UNNEST(ARRAY[part.date_from - 1, part.date_to]) FROM ar_late_charge part
                 WHERE part.move_line_id = gap.line_id AND part.waived_share > 0
                   AND part.state = 'waived'
             ) change
             WHERE change.date >= first_day AND change.date < last_day
             UNION
            SELECT gap.*, term_day.date
              FROM gap JOIN term_day ON term_day.line_id = gap.line_id
             WHERE term_day.date > first_day AND term_day.date <= last_day
            """
        )

    @api.model
    def _segments_sql(self, given_up=True):
        """SELECT of the days from one point to the next, and what was open on each of them.

        :param given_up: what was written off was never owed
        """
        return SQL(
            """
            SELECT point.*,
                   COALESCE(LEAD(day) OVER (PARTITION BY line_id, first_day ORDER BY day) - 1,
                            last_day) AS day_to,
                   GREATEST(%s - %s, 0) * (1 - %s) AS open
              FROM point
            """,
            self._open_sql(given_up),
            self._disputed_sql(),
            self._waived_sql(),
        )

    @api.model
    def _open_sql(self, given_up):
        """What was open the evening before a day; drafts settle nothing, money on account does,
        and what the invoice's own credit note or a write-off took off was never owed."""
        return SQL(
            """
            (principal - COALESCE((
                SELECT SUM(partial.debit_amount_currency)
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_move document ON document.id = credit.move_id
                  JOIN account_move_line item ON item.id = partial.debit_move_id
                 WHERE partial.debit_move_id = point.line_id
                   AND (partial.max_date < day OR document.reversed_entry_id = item.move_id
                        OR document.ar_write_off AND %s)
                   AND credit.parent_state = 'posted'), 0)
             - COALESCE((
                SELECT SUM(amount_currency) FROM set_off
                 WHERE line_id = point.line_id AND date < day), 0))
            """,
            given_up,
        )

    @api.model
    def _waived_sql(self):
        """The share of a day that a plan has waived."""
        return SQL(
            """
            (SELECT LEAST(COALESCE(SUM(part.waived_share), 0), 1)::numeric
               FROM ar_late_charge part
              WHERE part.move_line_id = point.line_id AND part.state = 'waived'
                AND part.waived_share > 0 AND day BETWEEN part.date_from AND part.date_to)
            """
        )

    @api.model
    def _disputed_sql(self):
        return SQL(
            """
            COALESCE((
                SELECT SUM(line.amount) FROM ar_dispute_line line
                  JOIN ar_dispute dispute ON dispute.id = line.dispute_id
                 WHERE line.move_line_id = point.line_id AND %s
                   AND dispute.state IN ('open', 'credited') AND dispute.date < day
                   AND (dispute.date_closed IS NULL OR dispute.date_closed >= day)), 0)
            """,
            self._dispute_holds_sql(),
        )

    @api.model
    def _item_left_sql(self, company):
        if not company.ar_charge_cap_share:
            return SQL("amount")
        return SQL(
            """
            GREATEST(LEAST(amount, ROUND(principal * %(share)s / 100 / rounding) * rounding
                - COALESCE((SELECT SUM(charge.amount) FROM ar_late_charge charge
                             WHERE charge.move_line_id = accrued.line_id
                               AND charge.state IN ('drafted', 'posted')), 0)
                - SUM(amount) OVER (PARTITION BY line_id ORDER BY date_from) + amount), 0)
            """,
            share=self._get_exact_sql(company.ar_charge_cap_share),
        )

    @api.model
    def _year_left_sql(self, company, date):
        """In company currency; what can be charged now comes before what is held."""
        if not company.ar_charge_cap_year:
            return SQL("value")
        return SQL(
            """
            GREATEST(LEAST(value, %(cap)s
                - COALESCE((SELECT SUM(charge.amount_company) FROM ar_late_charge charge
                             WHERE charge.partner_id = valued.partner_id
                               AND charge.company_id = %(company)s
                               AND charge.date BETWEEN %(start)s AND %(end)s
                               AND charge.state IN ('drafted', 'posted')), 0)
                - SUM(value) OVER (PARTITION BY partner_id
                                   ORDER BY held NULLS FIRST, due, line_id, date_from)
                + value), 0)
            """,
            cap=self._get_exact_sql(company.ar_charge_cap_year),
            company=company.id,
            start=date.replace(month=1, day=1),
            end=date.replace(month=12, day=31),
        )
