"""What is money: the one definition for figures, cases, promises, recoveries and reports."""

from odoo.fields import Domain
from odoo.tools import SQL

# Journals of which an entry on a receivable is money that came or went.
MONEY_JOURNALS = ("bank", "cash", "credit")


def money_domain(journal="journal_id"):
    """Domain: entries of the journal are money.

    :param journal: name of the field that leads to the journal
    """
    return Domain(f"{journal}.type", "in", MONEY_JOURNALS)


def money_sql(journal="journal"):
    """Condition: entries of the journal are money.

    :param journal: alias of ``account_journal`` in the statement
    """
    return SQL("%s IN %s", SQL.identifier(journal, "type"), MONEY_JOURNALS)


def settling_sql(journal="journal"):
    """Condition: entries of the journal settle a claim: money, credit notes, set off bills.

    What is written off or moved by a general entry is no settlement by the customer.

    :param journal: alias of ``account_journal`` in the statement
    """
    return SQL("%s <> 'general'", SQL.identifier(journal, "type"))
