TABLES = (
    "ar_payment_promise_line",
    "ar_payment_plan_item",
    "ar_dispute_line",
    "ar_placement_item",
)


def migrate(cr, version):
    """What was claimed before keeps what was known of it then: nothing is computed again."""
    for table in TABLES:
        cr.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS booked_before integer")
