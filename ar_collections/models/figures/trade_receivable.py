"""What counts as owed for goods and services: the one definition, in the forms that callers need.

Receivables that are not of trade, loans to employees for example, are on accounts that say so. No
figure, reminder, dispute or write-off knows them.
"""

from odoo.tools import SQL

# Any receivable: what stands on the other side of the income of a document.
RECEIVABLE = "asset_receivable"
# On journal items, for fields and searches.
TRADE_RECEIVABLE_DOMAIN = [
    ("account_id.account_type", "=", RECEIVABLE),
    ("account_id.non_trade", "=", False),
]


def is_trade_receivable(line):
    """Whether a journal item is owed for goods or services, or paid for them."""
    # Whoever reads a journal item need not have rights on accounts.
    account = line.sudo().account_id
    return account.account_type == RECEIVABLE and not account.non_trade


def filter_trade_receivables(lines):
    """Those of journal items that are owed for goods or services, or paid for them."""
    return lines.filtered(is_trade_receivable)


def get_trade_receivable_sql(alias="account_account"):
    """The condition on accounts; flush ``account_type`` and ``non_trade`` before.

    :param alias: of ``account_account`` in the statement
    """
    return SQL(
        "(%s = %s AND %s IS NOT TRUE)",
        SQL.identifier(alias, "account_type"),
        RECEIVABLE,
        SQL.identifier(alias, "non_trade"),
    )
