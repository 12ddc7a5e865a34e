"""Doors: thin ways into Odoo's own models. The wings load around them, from the ground up."""

# From the ground up: a wing knows itself and what is below it.
from . import common, law, figures, credit, collection, agreement  # isort: skip
from . import (
    res_partner,
    ledger_touch,
    account_payment_term,
    account_move,
    account_move_line,
    account_partial_reconcile,
    account_payment,
    payment_transaction,
    mail_activity,
    mail_mail,
    sms_sms,
    mail_message,
    ir_attachment,
)
from . import outside, charge, writeoff, allowance, workbench, portal, run  # isort: skip
