"""What the customer sees and says: statement, claims, links."""

from . import (
    res_company,
    credit_file,
    statement,
    signable,
    portal_statement,
    portal_claim,
    payment_plan,
    debt_acknowledgement,
    collection_action,
    collection_case,
)
