from odoo import api, models
from odoo.tools import SQL


class ArPosition(models.AbstractModel):
    """Open items less what of them is disputed or promised.

    Who claims what is told by others, through ``_claims_sql``; here it meets the ledger.
    """

    _inherit = "ar.position"

    @api.model
    def _claims_sql(self, date, current, partners):
        """SELECT of ``line_id, kind, amount, residual_before``, any number of rows per item.

        ``kind`` is ``disputed`` or ``promised``; amounts are in the currency of the item. What
        came off the item since ``residual_before`` came off the claim; without it, off the rest.
        """
        return SQL(
            "SELECT NULL::int AS line_id, NULL::varchar AS kind, 0.0 AS amount,"
            " 0.0 AS residual_before WHERE FALSE"
        )

    @api.model
    def _claimed_items_sql(
        self, companies, date, partners=None, current=False, ageing=True, as_booked=False
    ):
        """The rows of ``_items_sql`` with ``disputed, promised, demand, demand_currency``,
        and ``disputed_currency``.

        What is disputed is not promised.
        The demand is what is left of an item that may be followed up.
        """
        if partners is not None:
            partners = partners.commercial_partner_id
        return SQL(
            """
            SELECT item.*, claimed - disputed AS promised,
                   CASE WHEN followup THEN residual - claimed ELSE 0 END AS demand,
                   CASE WHEN followup THEN residual_currency - claimed_currency ELSE 0 END
                       AS demand_currency
              FROM (
                SELECT item.*, %(disputed)s AS disputed, %(claimed)s AS claimed,
                       %(claimed_currency)s AS claimed_currency,
                       %(disputed_currency)s AS disputed_currency
                  FROM (%(items)s) item
                  LEFT JOIN (
                    SELECT line_id, ARRAY_AGG(kind) AS kinds, ARRAY_AGG(amount) AS amounts,
                           ARRAY_AGG(residual_before) AS befores
                      FROM (%(claims)s) claim
                     GROUP BY line_id
                  ) claim ON claim.line_id = item.line_id AND item.residual > 0
              ) item
            """,
            disputed=self._share_sql(self._claimed_sql("disputed")),
            claimed=self._share_sql(self._claimed_sql()),
            claimed_currency=self._if_claimed_sql(self._claimed_sql()),
            disputed_currency=self._if_claimed_sql(self._claimed_sql("disputed")),
            items=self._items_sql(companies, date, partners, current, ageing, as_booked),
            claims=self._claims_sql(date, current, partners),
        )

    @api.model
    def _claimed_sql(self, kind=None):
        """What is left of the claims of one item, its own currency, the residual at most."""
        return SQL(
            """
            (SELECT LEAST(COALESCE(SUM(GREATEST(LEAST(
                        part.amount, part.amount - part.before + item.residual_currency
                    ), 0)), 0), item.residual_currency)
               FROM UNNEST(claim.kinds, claim.amounts, claim.befores)
                    AS part(kind, amount, before)
              WHERE %s)
            """,
            SQL("part.kind = %s", kind) if kind else SQL("TRUE"),
        )

    @api.model
    def _if_claimed_sql(self, claimed):
        return SQL("CASE WHEN claim.line_id IS NULL THEN 0 ELSE %s END", claimed)

    @api.model
    def _share_sql(self, claimed):
        """The same in company currency: the share of the residual, to the cent."""
        return SQL(
            """
            CASE WHEN claim.line_id IS NULL THEN 0
                 WHEN %(claimed)s = item.residual_currency THEN item.residual
                 ELSE ROUND(item.residual * %(claimed)s / item.residual_currency, (
                    SELECT currency.decimal_places
                      FROM res_company company
                      JOIN res_currency currency ON currency.id = company.currency_id
                     WHERE company.id = item.root_id))
             END
            """,
            claimed=claimed,
        )

    @api.model
    def _settled_sql(self, line, last_day):
        """SELECT of ``ever, in_time, last_on``: what payments and credit notes took off one item,
        and on which day the last of them.

        Write-offs and other general entries do not count. Amounts are in the item's currency.

        :param line: SQL of the id of the journal item
        :param last_day: SQL of the last day that is in time
        """
        return SQL(
            """
            SELECT COALESCE(SUM(partial.debit_amount_currency), 0) AS ever,
                   COALESCE(SUM(partial.debit_amount_currency)
                            FILTER (WHERE partial.max_date <= %s), 0) AS in_time,
                   MAX(partial.max_date) AS last_on
              FROM account_partial_reconcile partial
              JOIN account_move_line money ON money.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = money.journal_id
             WHERE partial.debit_move_id = %s AND money.parent_state = 'posted'
               AND journal.type <> 'general'
            """,
            last_day,
            line,
        )
