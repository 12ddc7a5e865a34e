"""What may be lost: matrix, runs, specific allowances, movement, ageing at month ends."""

from . import (
    res_company,
    ageing_snapshot,
    ageing_snapshot_bucket,
    customer_merge,
    allowance_rate,
    allowance_specific,
    allowance_line,
    allowance_run,
    allowance_ledger,
    allowance_computation,
    allowance_booking,
    allowance_report,
    credit_file,
    allowance_move,
)
