"""The collector's desk: call, excuse, next step, reply, visit, worklist."""

from . import (
    res_company,
    collection_excuse,
    collection_inbound,
    collection_call,
    collection_next_step,
    collection_visit,
    collection_worklist,
)
