"""What was agreed: promise, plan, acknowledgement, dispute; what they claim of open items."""

from . import (
    res_company,
    claim_line,
    collection_case_agreement,
    collection_promise,
    signable,
    collection_plan,
    collection_plan_flow,
    debt_acknowledgement,
    dispute_reason,
    dispute,
    dispute_line,
    dispute_credit,
    credit_file_promise,
    agreement_letter,
)
