"""What the customer sees and says: statement, claims, links."""

from . import (
    res_company,
    credit_file,
    portal_link,
    statement,
    portal_statement,
    portal_claim,
    portal_application,
    payment_plan,
    collection_action,
    collection_case,
)
