from . import (
    res_company,
    position,
    position_claim,
    position_movement,
    ageing_bucket,
)
