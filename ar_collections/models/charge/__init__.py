"""Late charges by the day: accrued, proposed, waived, posted as debit notes."""

from . import (
    late_charge_setting,
    late_charge_rate,
    late_charge_accrual,
    late_charge,
    late_charge_run,
    late_charge_plan,
    late_charge_move,
    late_charge_case,
    customer_merge,
)
