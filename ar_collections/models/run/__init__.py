"""The day: the only place that knows all wings."""

from . import (
    run_pace,
    salesperson_digest,
    collection_worker,
    collection_run,
    collection_run_line,
    collection_dispatch,
    collection_action,
    res_company,
)
