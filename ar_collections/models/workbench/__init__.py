"""The collector's desk: call, excuse, next step, reply, visit, worklist."""

from . import (
    res_company,
    collection_excuse,
    collection_case,
    payment_finder,
    collection_action,
    collection_planner,
    credit_criterion,
)
