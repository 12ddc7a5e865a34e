from . import (
    res_company,
    limitation,
    placement,
    placement_line,
    placement_bundle,
    legal_decision,
    collection_escalation,
    collection_planner,
)
