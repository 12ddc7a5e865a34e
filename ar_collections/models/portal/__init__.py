from . import (
    credit_file,
    signable,
    portal_statement,
    portal_claim,
    payment_plan,
)
