from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..figures.settlement import money_sql


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


class ArLateChargeAccrual(models.AbstractModel):
    """Late charges that have accrued, computed from the ledger whenever somebody asks.

    A day costs ``open amount x annual rate / 365`` (simple interest, the formula of ERPNext's
    dunning), a leap year too. Charged are the days after the due date and the free days, the day
    of the payment included; what is open is what was open the evening before, by the real
    matchings with their dates, and by money on account that nobody has matched yet. Rounded once
    per item and period, to the currency. The rate is the one in force when the period is charged.

    * Not charged: items without follow-up, bank entries, and charges themselves unless set.
    * The part of an item that is disputed in time does not accrue while the dispute is open. One
      that was credited never does for that time; one that was rejected or withdrawn accrues for
      all of it.
    * An item in dispute, in a plan whose charges are waived when it is kept, or being paid,
      accrues but cannot be charged before that is decided.
    * Each day of an item is charged once: days that a charge has, waived ones too, are over.
    * What exceeds the cap of an item, or the customer's cap of the year, does not accrue.
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
        return SQL(
            """
            WITH item AS (%(items)s), set_off AS (%(set_offs)s), gap AS (%(gaps)s),
            point AS (%(points)s), segment AS (%(segments)s), period AS (
                SELECT line_id, MIN(day) AS date_from, MAX(day_to) AS date_to,
                       SUM(day_to - day + 1) AS days, SUM(open * (day_to - day + 1)) AS numbers
                  FROM segment WHERE open > 0
                 GROUP BY line_id, first_day
            ), accrued AS (
                SELECT item.*, period.date_from, period.date_to, period.days, period.numbers,
                       ROUND(numbers * rate / 36500 / rounding) * rounding AS amount
                  FROM period JOIN item ON item.line_id = period.line_id
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
                   charge::float8, allowed_value::float8, held
              FROM charge
             WHERE charge > 0
             ORDER BY due, line_id, date_from
            """,
            items=self._get_chargeable_items_sql(company, date, partners),
            set_offs=self.env["ar.netting"]._set_offs_sql(company, date, partners),
            gaps=self._gaps_sql(date),
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
                ), gap AS (
                    SELECT line_id, principal, first_day, last_day FROM noted
                ), point AS (%(points)s), segment AS (%(segments)s), fresh AS (
                    SELECT line_id, first_day, SUM(open * (day_to - day + 1)) AS numbers
                      FROM segment GROUP BY line_id, first_day
                ), excess AS (
                    SELECT noted.id, noted.move_id,
                           noted.amount
                           - ROUND(fresh.numbers * rate / 36500 / rounding) * rounding AS excess
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
                segments=self._segments_sql(),
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
        grade = self.env["ar.credit.grade"]._get_default_grade(company)
        return SQL(
            """
            SELECT item.*,
                   GREATEST(item.due + %(grace)s + 1, %(since)s) AS first_chargeable,
                   money.rounding::numeric AS rounding, money.conversion::numeric AS conversion,
                   %(held)s AS held, %(rate)s AS rate
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
              LEFT JOIN ar_credit_grade grade ON grade.id = COALESCE(file.grade_id, %(grade)s)
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
            grade=grade.id or None,
            held=self._held_sql(company, date),
            rate=SQL(
                """
                COALESCE(CASE file.late_charge_mode WHEN 'none' THEN 0
                              WHEN 'custom' THEN file.late_charge_rate
                              ELSE grade.late_charge_rate END, 0)::numeric
                """
            ),
        )

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
                     UNION ALL
                    SELECT %(date)s + 1, NULL
                 ) taken
                 WHERE item.rate > 0
              ) stretch
             WHERE first_day < date_from
            """,
            date=date,
        )

    @api.model
    def _points_sql(self):
        """SELECT of the days in these stretches from which on another amount was open."""
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
             ) change
             WHERE change.date >= first_day AND change.date < last_day
            """
        )

    @api.model
    def _segments_sql(self):
        """SELECT of the days from one point to the next, and what was open on each of them."""
        return SQL(
            """
            SELECT point.*,
                   COALESCE(LEAD(day) OVER (PARTITION BY line_id, first_day ORDER BY day) - 1,
                            last_day) AS day_to,
                   GREATEST(%s - %s, 0) AS open
              FROM point
            """,
            self._open_sql(),
            self._disputed_sql(),
        )

    @api.model
    def _open_sql(self):
        """What was open the evening before a day; drafts settle nothing, money on account does,
        and what the invoice's own credit note took off was never owed."""
        return SQL(
            """
            (principal - COALESCE((
                SELECT SUM(partial.debit_amount_currency)
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_move document ON document.id = credit.move_id
                  JOIN account_move_line item ON item.id = partial.debit_move_id
                 WHERE partial.debit_move_id = point.line_id
                   AND (partial.max_date < day OR document.reversed_entry_id = item.move_id)
                   AND credit.parent_state = 'posted'), 0)
             - COALESCE((
                SELECT SUM(amount_currency) FROM set_off
                 WHERE line_id = point.line_id AND date < day), 0))
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
