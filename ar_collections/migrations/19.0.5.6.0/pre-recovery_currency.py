def migrate(cr, version):
    """Recoveries so far were measured in company currency: what they were of the debt is the
    share of its amount in its own currency."""
    cr.execute(
        """
        ALTER TABLE ar_writeoff_recovery
          ADD COLUMN IF NOT EXISTS debt_currency_id int4,
          ADD COLUMN IF NOT EXISTS debt_amount numeric,
          ADD COLUMN IF NOT EXISTS exchange_difference numeric
        """
    )
    cr.execute(
        """
        WITH debt AS (
            SELECT request_id, currency_id, SUM(amount) AS amount, SUM(amount_company) AS value,
                   COUNT(*) OVER (PARTITION BY request_id) AS currencies
              FROM ar_writeoff_request_line
             GROUP BY request_id, currency_id
        )
        UPDATE ar_writeoff_recovery recovery
           SET debt_currency_id = COALESCE(debt.currency_id, company.currency_id),
               debt_amount = ROUND(
                   COALESCE(recovery.amount * debt.amount / NULLIF(debt.value, 0),
                            recovery.amount),
                   currency.decimal_places),
               exchange_difference = 0
          FROM ar_writeoff_request request
          JOIN res_company company ON company.id = request.company_id
          -- Of several currencies nobody knows which one was paid.
          LEFT JOIN debt ON debt.request_id = request.id AND debt.currencies = 1
          JOIN res_currency currency
            ON currency.id = COALESCE(debt.currency_id, company.currency_id)
         WHERE request.id = recovery.request_id AND recovery.debt_currency_id IS NULL
        """
    )
