from . import (
    res_company,
    res_config_settings,
    account_move_line,
    limitation,
    placement,
    placement_line,
    placement_bundle,
    legal_decision,
    collection_case,
)
