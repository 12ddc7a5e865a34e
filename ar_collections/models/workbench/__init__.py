from . import (
    res_company,
    collection_excuse,
    collection_case,
    case_record,
    payment_finder,
    collection_action,
    collection_planner,
)
