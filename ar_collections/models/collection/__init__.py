"""Who is asked when and how: policy, step, stage, case, action, message, planner."""

from . import (
    res_users,
    collection_stage,
    collection_policy,
    position,
    collection_channel,
    collection_step,
    collection_cadence,
    case_rule,
    collection_priority_rule,
    case_record,
    collection_case,
    collection_sync,
    ledger_touch,
    customer_merge,
    collection_assignment,
    collection_action,
    collection_sender,
    collection_planner,
    credit_file,
    credit_grade,
)
