from . import (
    res_company,
    credit_file,
    signable,
    portal_statement,
    portal_claim,
    payment_plan,
)
