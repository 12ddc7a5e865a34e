"""Which parts of the statement of open items some customers need.

PostgreSQL plans such a statement for longer than it runs, for few customers. A part that has
nothing to say of them is left out, which changes no figure.
"""

from typing import NamedTuple

from odoo.tools import SQL

from .settlement import money_sql
from .trade_receivable import get_trade_receivable_sql


class Shape(NamedTuple):
    # Matchings that are to be undone: with an entry in draft, or after a date in the past.
    has_undone: bool = True
    # What is set against what is owed, payments in process included, and debits in bank journals:
    # money that we paid out, or a payment that the bank took back.
    has_credits: bool = True


def read_shape(env, partners=None):
    """The :class:`Shape` of these customers' items as they are booked, of all without any."""
    env["account.move.line"].flush_model()
    env["account.payment"].flush_model(["state", "move_id", "partner_id", "invoice_ids"])
    env["account.move"].flush_model(["commercial_partner_id"])
    env["account.account"].flush_model(["account_type", "non_trade"])
    env["account.journal"].flush_model(["ar_settlement"])
    env["res.partner"].flush_model(["commercial_partner_id"])
    undone = SQL(
        """EXISTS (
            SELECT FROM account_move_line
             WHERE parent_state <> 'posted' AND matching_number IS NOT NULL)"""
    )
    if partners is None:
        ((has_undone,),) = env.execute_query(SQL("SELECT %s", undone))
        return Shape(has_undone)
    customers = tuple(partners.commercial_partner_id.ids) or (0,)
    query = SQL(
        """
        SELECT %(undone)s,
               COALESCE(BOOL_OR(
                amount_residual <= 0 OR amount_residual_currency <= 0
                OR balance > 0 AND journal_id IN (
                    SELECT id FROM account_journal journal WHERE %(money)s)), FALSE)
               OR EXISTS (
                SELECT FROM account_payment payment
                 WHERE payment.state = 'in_process' AND payment.move_id IS NULL
                   AND (payment.partner_id IN (%(contacts)s) OR EXISTS (
                    SELECT FROM account_move__account_payment link
                      JOIN account_move invoice ON invoice.id = link.invoice_id
                     WHERE link.payment_id = payment.id
                       AND invoice.commercial_partner_id IN (%(contacts)s))))
          FROM account_move_line
         WHERE partner_id IN (%(contacts)s) AND parent_state = 'posted' AND reconciled IS NOT TRUE
           AND amount_residual <> 0
           AND account_id IN (SELECT id FROM account_account WHERE %(accounts)s)
        """,
        undone=undone,
        money=money_sql(),
        accounts=get_trade_receivable_sql(),
        contacts=SQL("SELECT id FROM res_partner WHERE commercial_partner_id IN %s", customers),
    )
    ((has_undone, has_credits),) = env.execute_query(query)
    # What was matched with an entry that is back in draft may be a credit again.
    return Shape(has_undone, has_undone or has_credits)


def get_undone_sql(date, current):
    """CTEs up to ``undone``: what matchings that do not count took off each journal item.

    :param current: see ``ar.position._items_sql``
    """
    return SQL(
        """
        unposted AS (
            SELECT id FROM account_move_line
             WHERE parent_state <> 'posted' AND matching_number IS NOT NULL
        ), matching AS (  -- that had not happened yet, or does not count any more
            SELECT id FROM account_partial_reconcile
             WHERE NOT %(current)s AND max_date > %(date)s
             UNION
            SELECT partial.id FROM unposted
              JOIN account_partial_reconcile partial ON partial.debit_move_id = unposted.id
             UNION
            SELECT partial.id FROM unposted
              JOIN account_partial_reconcile partial ON partial.credit_move_id = unposted.id
        ), undone AS (
            SELECT line_id, SUM(side.amount) AS amount,
                   SUM(side.amount_currency) AS amount_currency
              FROM matching
              JOIN account_partial_reconcile partial ON partial.id = matching.id
             CROSS JOIN LATERAL (VALUES
                (debit_move_id, amount, debit_amount_currency),
                (credit_move_id, -amount, -credit_amount_currency)
              ) side(line_id, amount, amount_currency)
             GROUP BY line_id
        ),
        """,
        current=current,
        date=date,
    )
