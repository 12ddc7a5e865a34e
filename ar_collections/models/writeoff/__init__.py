"""What is given up: request, tiers, approvals, entry, reversal, recovery."""

from . import (
    res_company,
    res_users,
    writeoff_reason,
    writeoff_tier,
    writeoff_risk_rule,
    writeoff_request,
    writeoff_line,
    writeoff_evidence,
    writeoff_approval,
    writeoff_routing,
    writeoff_assessment,
    writeoff_booking,
    writeoff_recovery,
    writeoff_recovery_booking,
    writeoff_case,
    customer_merge,
    writeoff_unapproved,
    credit_file_writeoff,
    credit_criterion,
    writeoff_move,
)
