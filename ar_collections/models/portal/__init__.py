"""What the customer sees and says: statement, claims, links."""

from . import (
    res_company,
    statement,
    credit_file_portal,
    portal_statement,
    portal_claim,
)
