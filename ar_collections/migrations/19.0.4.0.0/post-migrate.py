def migrate(cr, version):
    """Stages of others and of the end have a least allowance, as in a new database."""
    cr.execute(
        "UPDATE ar_collection_stage"
        " SET allowance_rate = CASE kind WHEN 'writeoff' THEN 1.0 ELSE 0.5 END"
        " WHERE kind IN ('agency', 'legal', 'writeoff') AND COALESCE(allowance_rate, 0) = 0"
    )
