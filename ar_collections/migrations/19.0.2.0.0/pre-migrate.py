def migrate(cr, version):
    """A hold knows its cause: what was set by a stage was called automatic.

    The company keeps the day of its last run, which every posting asks for.
    """
    cr.execute("ALTER TABLE ar_credit_file ADD COLUMN IF NOT EXISTS hold_cause varchar")
    cr.execute(
        "UPDATE ar_credit_file SET hold_cause = CASE WHEN hold_automatic THEN 'stage'"
        " ELSE 'manual' END WHERE hold"
    )
    cr.execute("ALTER TABLE res_company ADD COLUMN IF NOT EXISTS ar_run_date date")
    cr.execute(
        "UPDATE res_company company SET ar_run_date = run.date FROM ("
        " SELECT company_id, MAX(date) AS date FROM ar_collection_run"
        " WHERE state IN ('running', 'done') GROUP BY company_id) run"
        " WHERE run.company_id = company.id"
    )
