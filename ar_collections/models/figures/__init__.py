"""What is owed, demanded and paid, by SQL on the ledger, and who is told when it changes."""

from . import (
    res_company,
    settlement,
    netting,
    position,
    ageing_bucket,
    ledger_touch,
)
