from . import (
    res_company,
    readonly_mixin,
    numbered_mixin,
    item_copy,
    letter,
)
