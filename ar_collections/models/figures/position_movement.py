from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL


class Movement(NamedTuple):
    """One receivable journal item of a period."""

    company_id: int
    partner_id: int
    line_id: int
    date: object
    name: str
    label: str
    # In company currency, credits negative.
    balance: float
    amount_currency: float
    currency_id: int


class ArPosition(models.AbstractModel):
    _inherit = "ar.position"

    @api.model
    def _movements(self, companies, date_from, date_to, partners):
        """What was booked on the receivable accounts of some customers, in the order of dates.

        The open amount on the day before plus the movements is the open amount at the end.

        :return: ``{(root company id, commercial partner id): [Movement]}``
        """
        self.env["account.move.line"].flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        scope, accounts = self._scope(companies)
        movements = {}
        query = SQL(
            """
            SELECT scope.root_id, contact.commercial_partner_id, l.id, l.date, l.move_name,
                   COALESCE(l.ref, ''), l.balance::float8, l.amount_currency::float8, l.currency_id
              FROM account_move_line l
              JOIN (%(scope)s) AS scope(company_id, root_id, edges)
                ON scope.company_id = l.company_id
              JOIN res_partner contact ON contact.id = l.partner_id
             WHERE l.account_id = ANY(%(accounts)s) AND l.parent_state = 'posted'
               AND l.date BETWEEN %(date_from)s AND %(date_to)s AND l.balance <> 0 %(partners)s
             ORDER BY l.date, l.move_id, l.id
            """,
            scope=scope,
            accounts=accounts,
            date_from=date_from,
            date_to=date_to,
            partners=self._partner_clause(partners.commercial_partner_id),
        )
        for row in self.env.execute_query(query):
            movement = Movement(*row)
            key = movement.company_id, movement.partner_id
            movements.setdefault(key, []).append(movement)
        return movements
