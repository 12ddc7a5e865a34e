"""Mixins and helpers without a rule of the business."""

from . import (
    res_company,
    res_currency,
    readonly_mixin,
    numbered_mixin,
    state_mixin,
    four_eyes_mixin,
    item_copy,
    ledger_index,
    mail_template,
)
