"""What is owed, demanded and paid, by SQL on the ledger; knows no rule and writes nothing."""

from . import (
    res_company,
    settlement,
    position,
    ageing_bucket,
)
