from . import (
    position,
    position_claim,
    position_movement,
    ageing_bucket,
)
