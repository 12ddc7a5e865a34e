from . import (
    res_company,
    statement,
    credit_file_portal,
    portal_statement,
    portal_claim,
    collection_action,
    collection_case,
)
