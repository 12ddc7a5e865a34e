from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..figures.claim import get_document_date_sql

TOTALS = ("gross_amount", "credit_amount", "covered_amount", "exposed_amount")
MOVEMENTS = ("opening", "taken_over", "used", "recovered", "added", "released", "closing")


class ArAllowanceComputation(models.AbstractModel):
    """What is expected to be lost, by one statement for all customers, and how that changed.

    The provision matrix of IFRS 9 (5.5.15, B5.5.35): the allowance of a bucket is its amount at
    risk times the loss rate of its risk tier. At risk is what is open, less the customer's
    unallocated credit (off the oldest items) and less what is covered (spread over the rest). A
    specific allowance takes the place of the matrix; the stage of a case may raise the rate.
    """

    _name = "ar.allowance.computation"
    _description = "Computation of the Allowance"

    @api.model
    def _compute_run(self, run):
        """Make lines, flows and movements of a run anew, from the ledger at its date.

        :raises UserError: the accounts are not chosen, or a later run is posted
        """
        self._check_accounts(run)
        previous = run._get_last_posted(run.company_id)
        if previous and previous.date >= run.date:
            raise UserError(
                self.env._(
                    "%(run)s is posted already. Reverse it first, or choose a later month.",
                    run=previous.name,
                )
            )
        run.previous_id = previous
        run.line_ids.unlink()
        run.movement_ids.unlink()
        self.env.flush_all()
        self._make_lines(run)
        run.flow_ids = self.env["ar.allowance.ledger"]._get_new_flows(run)
        self._make_movements(run)
        self.env.invalidate_all(flush=False)
        run.write(
            {
                **self._get_sums(run, "ar.allowance.line", TOTALS),
                **self._get_sums(run, "ar.allowance.movement", MOVEMENTS),
            }
        )

    @api.model
    def _get_sums(self, run, model, names):
        (sums,) = self.env[model]._read_group(
            [("run_id", "=", run.id)], [], [f"{name}:sum" for name in names]
        )
        return dict(zip(names, sums, strict=True))

    @api.model
    def _check_accounts(self, run):
        company = run.company_id
        if not company.ar_allowance_account_id or not company.ar_allowance_expense_account_id:
            raise UserError(
                self.env._(
                    "Choose the allowance account and the impairment expense account in the "
                    "settings of %s first.",
                    company.name,
                )
            )

    # The lines

    @api.model
    def _make_lines(self, run):
        """What is expected to be lost of each customer's debts of each age, in one statement."""
        company, date = run.company_id, run.date
        buckets = self.env["ar.ageing.bucket"]._get_buckets(company)
        self.env.cr.execute(
            SQL(
                """
            WITH figure AS MATERIALIZED (%(figures)s),
            insured AS MATERIALIZED (%(insured)s), cover AS (%(cover)s),
            stage AS (%(stage)s), specific AS (%(specific)s),
            item AS (
                SELECT figure.company_id, figure.partner_id, bucket.number, bucket.id AS bucket_id,
                       bucket.gross, LEAST(bucket.gross, GREATEST(-figure.unallocated - COALESCE(
                           SUM(bucket.gross) OVER (
                               PARTITION BY figure.partner_id ORDER BY bucket.number DESC
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0)) AS credit
                  FROM figure
                 CROSS JOIN LATERAL (VALUES %(buckets)s) AS bucket(number, id, gross)
            ), net AS (
                SELECT item.*, gross - credit AS net,
                       SUM(gross - credit) OVER customer AS total,
                       SUM(gross - credit) OVER (customer ORDER BY number) AS upto
                  FROM item WINDOW customer AS (PARTITION BY partner_id)
            ), line AS (
                SELECT net.*, matrix.risk_tier, specific.id AS specific_id, specific.kind,
                       stage.id AS stage_id, specific.rate AS specific_rate, matrix.rate AS
                       matrix_rate, stage.rate AS stage_rate, %(covered)s AS covered,
                       %(fixed)s AS fixed
                  FROM net
                  LEFT JOIN cover ON cover.partner_id = net.partner_id
                  LEFT JOIN stage ON stage.partner_id = net.partner_id
                  LEFT JOIN specific ON specific.partner_id = net.partner_id
                  LEFT JOIN LATERAL (%(standing)s) standing ON TRUE
                  JOIN (VALUES %(matrix)s) AS matrix(risk_tier, bucket_id, rate)
                    ON matrix.risk_tier = COALESCE(
                           standing.risk_tier, standing.present_tier, 'medium')
                   AND matrix.bucket_id = net.bucket_id
                 WHERE net.gross <> 0
            )
            INSERT INTO ar_allowance_line (
                   run_id, company_id, date, partner_id, risk_tier, bucket_id, gross_amount,
                   credit_amount, covered_amount, exposed_amount, rate, source, specific_id,
                   stage_id, amount, create_uid, create_date, write_uid, write_date)
            SELECT %(run)s, company_id, %(date)s, partner_id, risk_tier, bucket_id, gross, credit,
                   covered, net - covered, rate, source, specific_id,
                   CASE WHEN source = 'stage' THEN stage_id END,
                   CASE WHEN kind = 'amount' THEN fixed
                        ELSE ROUND((net - covered) * rate::numeric, %(digits)s) END,
                   %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM (
                SELECT line.*,
                       CASE WHEN specific_id IS NOT NULL THEN 'specific'
                            WHEN stage_rate > matrix_rate THEN 'stage'
                            ELSE 'matrix' END AS source,
                       CASE WHEN kind = 'amount' THEN COALESCE(fixed / NULLIF(net, 0), 0)
                            WHEN kind = 'rate' THEN specific_rate
                            ELSE GREATEST(matrix_rate, stage_rate) END AS rate
                  FROM line
              ) line
             ORDER BY partner_id, number
            """,
                figures=self.env["ar.position"]._figures_sql(company, date),
                insured=self._get_insured_sql(run),
                cover=self._get_cover_sql(run),
                stage=self._get_stage_sql(run),
                specific=self._get_specific_sql(run),
                buckets=SQL(", ").join(
                    SQL("(%s, %s, %s)", number, bucket.id, SQL.identifier(f"bucket_{number}"))
                    for number, bucket in enumerate(buckets)
                ),
                covered=self._get_spread_sql(
                    run, SQL("CASE WHEN specific.kind = 'amount' THEN 0 ELSE cover.amount END")
                ),
                fixed=self._get_spread_sql(run, SQL("specific.amount")),
                standing=self.env["ar.ageing.snapshot"]._standing_sql(date, "net"),
                matrix=SQL(", ").join(
                    SQL("(%s, %s, %s::float8)", cell.risk_tier, cell.bucket_id.id, cell.rate)
                    for cell in self.env["ar.allowance.rate"]._get_matrix(company)
                ),
                run=run.id,
                date=date,
                digits=company.currency_id.decimal_places,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )

    @api.model
    def _get_spread_sql(self, run, amount):
        """The part of an amount that falls on one bucket, by what is owed in it.

        The shares up to each bucket are rounded, not the shares: so they add up to the amount,
        and no bucket gets more than is owed in it.
        """
        return SQL(
            """
            CASE WHEN total = 0 THEN 0 ELSE
                ROUND(LEAST(COALESCE(%(amount)s, 0), total) * upto / total, %(digits)s)
                - ROUND(LEAST(COALESCE(%(amount)s, 0), total) * (upto - net) / total, %(digits)s)
            END
            """,
            amount=amount,
            digits=run.company_id.currency_id.decimal_places,
        )

    @api.model
    def _get_cover_sql(self, run):
        """SELECT of ``partner_id, amount``: what stands behind a customer's debt at the date.

        An insurer makes good a loss, it is no money in hand: the insured share of what is owed,
        up to the insured amount, of invoices that were made while the policy ran and that nobody
        disputes, less the deductible. Several covers never make more than what is owed.
        Receivables that were sold, or pledged, cover nothing, as for the credit limit.
        """
        covers = self.env["ar.credit.cover"]
        covers.flush_model()
        company = run.company_id
        domain = [("company_id", "=", company.id), ("kind", "!=", "financing")]
        rates = [
            (
                currency.id,
                currency._get_conversion_rate(currency, company.currency_id, company, run.date),
            )
            for (currency,) in covers._read_group(domain, ["currency_id"])
        ]
        return SQL(
            """
            SELECT cover.partner_id, SUM(ROUND(GREATEST(CASE
                       WHEN kind = 'insurance'
                       THEN LEAST(owed.amount, most.amount) * covered_share::numeric
                       ELSE most.amount * covered_share::numeric
                   END - most.deductible, 0), %(digits)s)) AS amount
              FROM ar_credit_cover cover
              JOIN (VALUES %(rates)s) AS rate(currency_id, rate)
                ON rate.currency_id = cover.currency_id
             CROSS JOIN LATERAL (
                SELECT cover.amount * rate.rate::numeric AS amount,
                       COALESCE(cover.deductible, 0) * rate.rate::numeric AS deductible
             ) most
             CROSS JOIN LATERAL (
                SELECT COALESCE(SUM(item.amount), 0) AS amount FROM insured item
                 WHERE item.partner_id = cover.partner_id AND item.date >= cover.date_from
                   AND (cover.date_to IS NULL OR item.date <= cover.date_to)
             ) owed
             WHERE active AND company_id = %(company)s AND kind <> 'financing'
               AND date_from <= %(date)s
               -- What was invoiced while it ran stays insured.
               AND (kind = 'insurance' OR date_to IS NULL OR date_to >= %(date)s)
             GROUP BY cover.partner_id
            """,
            digits=company.currency_id.decimal_places,
            rates=SQL(", ").join(SQL("(%s, %s::float8)", *rate) for rate in rates or [(0, 0)]),
            company=company.id,
            date=run.date,
        )

    @api.model
    def _get_insured_sql(self, run):
        """SELECT of ``partner_id, date, amount``: what insured customers owe and nobody disputes,
        by the day of the invoice, less what open credits leave of it."""
        company = run.company_id
        customers = (
            self.env["ar.credit.cover"]
            .search([("company_id", "=", company.id), ("kind", "=", "insurance")])
            .partner_id
        )
        return SQL(
            """
            SELECT item.partner_id, document.date,
                   GREATEST(item.residual - item.credit - item.disputed, 0) AS amount
              FROM (%(items)s) item
             CROSS JOIN LATERAL (%(document)s) document
             WHERE item.residual > 0
            """,
            document=get_document_date_sql(),
            items=self.env["ar.position"]._claimed_items_sql(company, run.date, customers),
        )

    @api.model
    def _get_stage_sql(self, run):
        """SELECT of ``partner_id, id, rate``: the stage in which a case was at the date."""
        self.env["ar.case.period"].flush_model()
        self.env["ar.collection.stage"].flush_model()
        return SQL(
            """
            SELECT DISTINCT ON (period.partner_id) period.partner_id, stage.id,
                   stage.allowance_rate AS rate
              FROM ar_case_period period
              JOIN ar_collection_stage stage ON stage.id = period.stage_id
             WHERE period.company_id = %(company)s AND stage.allowance_rate > 0
               AND period.date_from <= %(date)s
               AND (period.date_to IS NULL OR period.date_to > %(date)s)
             ORDER BY period.partner_id, stage.allowance_rate DESC
            """,
            company=run.company_id.id,
            date=run.date,
        )

    @api.model
    def _get_specific_sql(self, run):
        """SELECT of ``partner_id, id, kind, rate, amount``: the specific allowances at the date."""
        self.env["ar.allowance.specific"].flush_model()
        return SQL(
            """
            SELECT DISTINCT ON (partner_id) partner_id, id, kind, rate, amount
              FROM ar_allowance_specific
             WHERE company_id = %(company)s AND date_from <= %(date)s
               AND (date_to IS NULL OR date_to >= %(date)s)
             ORDER BY partner_id, date_from DESC, id DESC
            """,
            company=run.company_id.id,
            date=run.date,
        )

    # Between two runs

    @api.model
    def _make_movements(self, run):
        """One row per customer; what is neither opened, used nor recovered is added or released."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
            WITH part AS (
                SELECT partner_id, closing AS opening, 0 AS taken_over, 0 AS used, 0 AS recovered,
                       0 AS closing
                  FROM ar_allowance_movement WHERE run_id = %(previous)s
                 UNION ALL
                SELECT partner_id, 0, CASE kind WHEN 'other' THEN amount ELSE 0 END,
                       CASE kind WHEN 'used' THEN -amount ELSE 0 END,
                       CASE kind WHEN 'recovered' THEN amount ELSE 0 END, 0
                  FROM (%(flows)s) flow
                  JOIN ar_allowance_run_flow known ON known.line_id = flow.line_id
                 WHERE known.run_id = %(run)s
                 UNION ALL
                SELECT partner_id, 0, 0, 0, 0, amount FROM ar_allowance_line WHERE run_id = %(run)s
            ), total AS (
                SELECT partner_id, SUM(opening) AS opening, SUM(taken_over) AS taken_over,
                       SUM(used) AS used, SUM(recovered) AS recovered, SUM(closing) AS closing,
                       SUM(closing - opening - taken_over + used - recovered) AS change
                  FROM part GROUP BY partner_id
            )
            INSERT INTO ar_allowance_movement (
                   run_id, company_id, date, partner_id, opening, taken_over, used, recovered,
                   added, released, closing, create_uid, create_date, write_uid, write_date)
            SELECT %(run)s, %(company)s, %(date)s, partner_id, opening, taken_over, used, recovered,
                   GREATEST(change, 0), GREATEST(-change, 0), closing,
                   %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM total
             WHERE (opening, taken_over, used, recovered, closing) <> (0, 0, 0, 0, 0)
             ORDER BY partner_id
            """,
                previous=run.previous_id.id or 0,
                flows=self.env["ar.allowance.ledger"]._get_flows_sql(run),
                run=run.id,
                company=run.company_id.id,
                date=run.date,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
