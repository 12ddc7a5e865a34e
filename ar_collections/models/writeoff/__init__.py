"""What is given up: request, tiers, approvals, entry, reversal, recovery."""

from . import (
    res_company,
    writeoff_reason,
    writeoff_tier,
    writeoff_risk_rule,
    writeoff_request,
    writeoff_line,
    writeoff_approval,
    writeoff_assessment,
    writeoff_flow,
    writeoff_posting,
    writeoff_recovery,
    writeoff_case,
    customer_merge,
    writeoff_unapproved,
    credit_file_writeoff,
    credit_criterion,
    writeoff_move,
)
