from . import (
    res_company,
    position,
    ageing_bucket,
)
