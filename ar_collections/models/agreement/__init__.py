"""What was agreed: promise, plan, acknowledgement, dispute; what they claim of open items."""

from . import (
    agreement_limit,
    res_company,
    res_users,
    credit_grade,
    claim_line,
    position,
    collection_case,
    collection_planner,
    collection_promise,
    signable,
    collection_plan,
    collection_plan_line,
    debt_acknowledgement,
    dispute_reason,
    dispute,
    dispute_line,
    credit_file_promise,
    ledger_touch,
    customer_merge,
)
