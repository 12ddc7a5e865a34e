"""What others do for us: agency, lawyer, sue-or-not sheet, insolvency, limitation clock."""

from . import (
    res_company,
    res_users,
    account_move_line,
    demand_receipt,
    limitation,
    placement,
    placement_remittance,
    ledger_touch,
    customer_merge,
    credit_file,
    placement_line,
    placement_bundle,
    insolvency,
    res_partner,
    account_move,
    legal_decision,
    collection_case,
    collection_planner,
)
