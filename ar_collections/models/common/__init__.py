from . import (
    readonly_mixin,
    numbered_mixin,
    state_mixin,
    four_eyes_mixin,
    item_copy,
    letter,
)
