"""Mixins and helpers without a rule of the business."""

from . import (
    res_company,
    ledger_follower,
    ledger_touch,
    readonly_mixin,
    numbered_mixin,
    state_mixin,
    four_eyes_mixin,
    item_copy,
)
