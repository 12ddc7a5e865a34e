"""The day: the only place that knows all wings."""

from . import (
    collection_run,
    collection_action,
    res_company,
)
