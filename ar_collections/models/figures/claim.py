"""Which open debits say that a customer owes us, and since when: the one definition.

Invoices, debit notes and opening entries do. What left our bank does only when it took a payment
back; other money that we paid out is never asked for. Nor is anybody who is one of us.
"""

from odoo.tools import SQL

from .settlement import money_sql


def get_bounced_sql():
    """SELECT of ``due``, for ``line.line_id`` of a debit in a bank journal: since when is owed
    what a payment had paid that the bank took back; NULL when it took nothing back.

    What the bank took back has the amount of an earlier payment of the customer, or reverses it.
    """
    return SQL(
        """
        SELECT MIN(COALESCE(paid.date_maturity, paid.date)) AS due
          FROM (
            SELECT receipt.id
              FROM account_move_line back
              JOIN account_move move ON move.id = back.move_id
              JOIN account_move_line receipt ON receipt.account_id = back.account_id
               AND receipt.partner_id = back.partner_id AND receipt.parent_state = 'posted'
               AND receipt.amount_currency < 0 AND receipt.date <= back.date
               AND (receipt.move_id = move.reversed_entry_id
                    OR receipt.amount_currency = -back.amount_currency
                       AND receipt.currency_id = back.currency_id)
              JOIN account_journal journal ON journal.id = receipt.journal_id AND %s
             WHERE back.id = line.line_id AND back.payment_id IS NULL
             ORDER BY receipt.move_id = move.reversed_entry_id DESC NULLS LAST,
                   receipt.date DESC, receipt.id DESC
             LIMIT 1
          ) receipt
          JOIN account_partial_reconcile partial ON partial.credit_move_id = receipt.id
          JOIN account_move_line paid ON paid.id = partial.debit_move_id
         -- An entry of exchange differences is nothing that was paid.
         WHERE paid.id <> line.line_id AND paid.amount_currency <> 0
        """,
        money_sql(),
    )


def get_document_date_sql():
    """SELECT of ``date``, for ``item.line_id``: the day of its invoice, else of its entry."""
    return SQL(
        """
        SELECT COALESCE(document.invoice_date, own.date) AS date
          FROM account_move_line own
          JOIN account_move document ON document.id = own.move_id
         WHERE own.id = item.line_id
        """
    )


def get_debt_due_sql():
    """SELECT of ``due``, for ``item.line_id``: when the last instalment of its document is due.

    Instalments are what a payment term made of one invoice; the lines of an opening entry are
    debts of their own.
    """
    return SQL(
        """
        SELECT MAX(COALESCE(other.date_maturity, other.date)) AS due
          FROM account_move_line own
          JOIN account_move_line other ON other.move_id = own.move_id
           AND other.account_id = own.account_id AND other.display_type = 'payment_term'
         WHERE own.id = item.line_id AND own.display_type = 'payment_term'
        """
    )


def get_insiders_sql():
    """SELECT of the customers who are ourselves: companies of this database and staff.

    They owe like others and are never asked, held or stopped for it.
    """
    return SQL(
        """
        SELECT insider.commercial_partner_id
          FROM res_partner insider
         WHERE insider.id IN (
            SELECT partner_id FROM res_company
             UNION ALL
            SELECT partner_id FROM res_users WHERE active AND share IS NOT TRUE)
        """
    )
