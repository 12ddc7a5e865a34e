"""What open credits take off the items that may be asked for: nothing is booked."""

from odoo import api, models
from odoo.tools import SQL


class ArNetting(models.AbstractModel):
    """Sets a customer's open credits against the items that may be asked for, the oldest first.

    Credits are credit notes, payments on account and payments in process that are not booked
    yet, less what we paid out. Differences of exchange are neither claim nor credit. A credit
    counts in its own currency first; what is left of it then counts in company currency against
    items of other currencies. Who owes nothing on balance is asked for nothing.
    """

    _name = "ar.netting"
    _description = "Netting of Open Credits"

    @api.model
    def _netted_items_sql(self, items, companies, date, partners, current):
        """The rows of ``ar.position._items_sql`` with ``credit`` and ``credit_currency``.

        :param items: that SELECT
        :return: SELECT; what credits take off an item, in company currency and in its own, is
            zero or positive and at most its residual
        """
        return SQL(
            """
            SELECT netted.*,
                   CASE WHEN is_settled THEN residual ELSE own_credit + other_credit END AS credit,
                   CASE WHEN is_settled THEN residual_currency
                        WHEN other_credit = 0 THEN own_credit_currency
                        WHEN other_credit = residual - own_credit THEN residual_currency
                        ELSE own_credit_currency + ROUND(
                            residual_currency * other_credit / residual, (
                                SELECT decimal_places FROM res_currency WHERE id = currency_id))
                   END AS credit_currency
              FROM (
                SELECT shared.*, followup AND balance <= 0 AS is_settled,
                       CASE WHEN netted THEN LEAST(residual - own_credit, GREATEST(
                           spare - (rest_so_far - (residual - own_credit)), 0))
                       ELSE 0 END AS other_credit
                  FROM (
                    SELECT own.*,
                           SUM(residual) OVER customer AS balance,
                           SUM(spare_credit) OVER customer AS spare,
                           SUM(residual - own_credit) FILTER (WHERE netted)
                               OVER by_due AS rest_so_far
                      FROM (%(own)s) own
                    WINDOW customer AS (PARTITION BY root_id, partner_id),
                           by_due AS (customer ORDER BY due, line_id ROWS UNBOUNDED PRECEDING)
                  ) shared
                OFFSET 0
              ) netted
             WHERE line_id IS NOT NULL
            """,
            own=self._own_currency_sql(items, companies, date, partners, current),
        )

    @api.model
    def _owed_items_sql(self, items):
        """The same of customers without any credit."""
        return SQL(
            """
            SELECT item.*, FALSE AS is_credit, 0.0 AS credit, 0.0 AS credit_currency
              FROM (%s) item
            """,
            items,
        )

    @api.model
    def _own_currency_sql(self, items, companies, date, partners, current):
        """SELECT of the items with ``own_credit, own_credit_currency`` from credits in the same
        currency, and ``spare_credit``, the share of a credit that nothing in its currency took.
        """
        position = self.env["ar.position"]
        return SQL(
            """
            SELECT taken.*, %(share)s AS own_credit,
                   CASE WHEN NOT is_credit THEN 0
                        WHEN pool > COALESCE(asked, 0)
                        THEN %(spare)s
                        ELSE 0 END AS spare_credit
              FROM (
                SELECT pooled.*,
                       CASE WHEN netted THEN LEAST(residual_currency, GREATEST(
                           pool - (asked_so_far - residual_currency), 0))
                       ELSE 0 END AS own_credit_currency
                  FROM (
                    SELECT item.*,
                           SUM(-residual_currency) FILTER (WHERE is_credit) OVER own AS pool,
                           SUM(residual_currency) FILTER (WHERE netted) OVER own AS asked,
                           SUM(residual_currency) FILTER (WHERE netted)
                               OVER by_due AS asked_so_far
                      FROM (
                        SELECT item.*,
                               residual < 0 AND residual_currency < 0 OR is_paid_out AS is_credit,
                               followup AND NOT (%(gross)s) AS netted
                          FROM (%(items)s UNION ALL %(in_process)s) item
                      ) item
                    WINDOW own AS (PARTITION BY root_id, partner_id, currency_id),
                           by_due AS (own ORDER BY due, line_id ROWS UNBOUNDED PRECEDING)
                  ) pooled
                OFFSET 0
              ) taken
            OFFSET 0
            """,
            share=position._share_sql(SQL("own_credit_currency")),
            spare=position._share_sql(
                SQL("(-residual_currency * (pool - COALESCE(asked, 0)) / pool)")
            ),
            items=items,
            gross=position._is_gross_sql(companies),
            in_process=self._in_process_sql(companies, date, partners, current),
        )

    @api.model
    def _set_offs_sql(self, companies, date, partners=None):
        """SELECT of ``line_id, date, amount_currency``: which item is paid since when by credits
        in its currency that nobody has matched, both the oldest first.
        """
        self.env["account.move.line"].flush_model(["date"])
        return SQL(
            """
            WITH item AS MATERIALIZED (%(items)s), claim AS (
                SELECT root_id, partner_id, currency_id, line_id, residual_currency AS amount,
                       SUM(residual_currency) OVER (
                           PARTITION BY root_id, partner_id, currency_id ORDER BY due, line_id
                       ) AS upto
                  FROM item WHERE followup
            ), credit AS (
                SELECT root_id, item.partner_id, item.currency_id, line.date,
                       -residual_currency AS amount,
                       SUM(-residual_currency) OVER (
                           PARTITION BY root_id, item.partner_id, item.currency_id
                           ORDER BY line.date, line_id) AS upto
                  FROM item
                  JOIN account_move_line line ON line.id = item.line_id
                 WHERE residual < 0 AND residual_currency < 0
            )
            SELECT claim.line_id, credit.date,
                   LEAST(claim.upto, credit.upto)
                   - GREATEST(claim.upto - claim.amount, credit.upto - credit.amount)
                       AS amount_currency
              FROM claim
              JOIN credit USING (root_id, partner_id, currency_id)
             WHERE LEAST(claim.upto, credit.upto)
                   > GREATEST(claim.upto - claim.amount, credit.upto - credit.amount)
            """,
            items=self.env["ar.position"]._items_sql(
                companies, date, partners, current=True, ageing=False
            ),
        )

    @api.model
    def _in_process_sql(self, companies, date, partners, current):
        """SELECT of payments that are on their way, as items without a journal item.

        What is paid for an invoice is of its customer, whoever pays.
        """
        self.env["account.payment"].flush_model()
        self.env["account.move"].flush_model(["commercial_partner_id"])
        days = SQL(", ").join(
            SQL("(%s, %s)", root.id, root.ar_in_process_days) for root in companies.sudo().root_id
        )
        scope = self.env["ar.position"]._get_scope(companies, few=True)[0]
        return SQL(
            """
            SELECT scope.root_id, scope.edges, scope.digits, payer.customer_id, NULL, NULL,
                   -payment.amount_company_currency_signed, -payment.amount, payment.currency_id,
                   FALSE, FALSE
              FROM account_payment payment
              JOIN (%(scope)s) AS scope(company_id, root_id, edges, digits)
                ON scope.company_id = payment.company_id
              JOIN (VALUES %(days)s) AS counts(root_id, days) ON counts.root_id = scope.root_id
             CROSS JOIN LATERAL (
                SELECT COALESCE(
                    (SELECT MIN(customer.commercial_partner_id)
                       FROM account_move__account_payment link
                       JOIN account_move invoice ON invoice.id = link.invoice_id
                       JOIN res_partner customer ON customer.id = invoice.commercial_partner_id
                      WHERE link.payment_id = payment.id),
                    (SELECT commercial_partner_id FROM res_partner WHERE id = payment.partner_id)
                ) AS customer_id
             ) payer
             WHERE payment.state = 'in_process' AND payment.move_id IS NULL
               AND payment.payment_type = 'inbound' AND payment.partner_type = 'customer'
               AND payment.date > %(date)s - counts.days
               AND (%(current)s OR payment.date <= %(date)s)
               %(partners)s
            """,
            scope=scope,
            days=days,
            date=date,
            current=current,
            partners=SQL()
            if partners is None
            else SQL("AND payer.customer_id IN %s", tuple(partners.ids) or (0,)),
        )
