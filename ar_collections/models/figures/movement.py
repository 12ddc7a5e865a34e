"""What changes a customer's account: what is booked on it, and what matchings move."""

from odoo.tools import SQL


def get_movements_sql(scope, accounts, date_from, date_to, partners):
    """SELECT of the columns of ``Movement`` in ``position.py``, in the order of dates.

    A matching of items in different currencies moves a debt from one to the other, and one of
    different customers, as when an insurer or an agency pays, from one account to the other.

    :param scope: companies with their roots, see ``ar.position._get_scope``
    :param partners: condition on the partner of a journal item ``l``
    """
    return SQL(
        """
        WITH line AS (
            SELECT scope.root_id, contact.commercial_partner_id AS partner_id, l.id, l.date,
                   l.move_name, COALESCE(l.ref, '') AS label, l.amount_currency,
                   l.currency_id, l.move_id
              FROM account_move_line l
              JOIN (%(scope)s) AS scope(company_id, root_id, edges)
                ON scope.company_id = l.company_id
              JOIN res_partner contact ON contact.id = l.partner_id
             WHERE l.account_id = ANY(%(accounts)s) AND l.parent_state = 'posted'
               AND l.date <= %(date_to)s AND l.balance <> 0 %(partners)s
        ), movement AS (
            SELECT * FROM line WHERE amount_currency <> 0
             UNION ALL
            SELECT debit.root_id, debit.partner_id, side.line_id, partial.max_date,
                   side.move_name, side.label, side.amount, side.currency_id, side.move_id
              FROM account_partial_reconcile partial
              JOIN line debit ON debit.id = partial.debit_move_id
              JOIN line credit ON credit.id = partial.credit_move_id
               AND credit.currency_id <> debit.currency_id
               AND credit.partner_id = debit.partner_id
             CROSS JOIN LATERAL (VALUES
                (credit.id, credit.move_name, debit.move_name, -partial.debit_amount_currency,
                 debit.currency_id, credit.move_id),
                (credit.id, credit.move_name, debit.move_name, partial.credit_amount_currency,
                 credit.currency_id, credit.move_id)
              ) AS side(line_id, move_name, label, amount, currency_id, move_id)
             WHERE partial.max_date <= %(date_to)s AND side.amount <> 0
             UNION ALL
            SELECT own.root_id, own.partner_id, payer.id, side.max_date, payer.move_name,
                   own.move_name, side.amount, own.currency_id, payer.move_id
              FROM line own
             CROSS JOIN LATERAL (
                SELECT credit_move_id, max_date, -debit_amount_currency
                  FROM account_partial_reconcile WHERE debit_move_id = own.id
                 UNION ALL
                SELECT debit_move_id, max_date, credit_amount_currency
                  FROM account_partial_reconcile WHERE credit_move_id = own.id
              ) AS side(payer_id, max_date, amount)
              JOIN account_move_line payer ON payer.id = side.payer_id
               AND payer.parent_state = 'posted'
              LEFT JOIN res_partner contact ON contact.id = payer.partner_id
             WHERE side.max_date <= %(date_to)s AND side.amount <> 0
               AND contact.commercial_partner_id IS DISTINCT FROM own.partner_id
        )
        SELECT root_id, partner_id, id, date, move_name, label, amount_currency::float8,
               currency_id
          FROM movement
         WHERE date >= %(date_from)s
         ORDER BY date, move_id, id
        """,
        scope=scope,
        accounts=accounts,
        date_from=date_from,
        date_to=date_to,
        partners=partners,
    )
