from . import (
    readonly_mixin,
    numbered_mixin,
    item_copy,
    letter,
)
