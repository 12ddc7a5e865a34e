from . import (
    collection_run,
    collection_action,
)
