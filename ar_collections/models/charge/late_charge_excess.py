import operator as op

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

COMPARE = {">": op.gt, ">=": op.ge, "<": op.lt, "<=": op.le}


class ArLateCharge(models.Model):
    """Charges that a payment overtook: it is dated on or before days that were charged.

    A charge is never rewritten, its debit note has gone to the customer. It shows what is too
    much until a credit note of the debit note gives that back, or all of it, and the days are
    charged anew.
    """

    _inherit = "ar.late.charge"

    excess = fields.Monetary(
        string="Too High By",
        compute="_compute_excess",
        search="_search_excess",
        help="A payment or credit note that is dated in these days, or before them, was matched "
        "after they were charged. Credit this part of the debit note. Or credit all of it, set "
        "the days free and charge them again.",
    )

    @api.depends("amount", "state", "move_line_id", "date_from", "date_to")
    def _compute_excess(self):
        excess = self._excess_by_charge(SQL("charge.id IN %s", tuple(self.ids) or (0,)))
        for charge in self:
            charge.excess = excess.get(charge._origin.id, 0)

    def _search_excess(self, operator, value):
        if operator not in COMPARE:
            return NotImplemented
        excess, compare = self._excess_by_charge(SQL("TRUE")), COMPARE[operator]
        found = Domain("id", "in", [key for key, part in excess.items() if compare(part, value)])
        return found | Domain("id", "not in", list(excess)) if compare(0, value) else found

    @api.model
    def _excess_by_charge(self, chosen):
        """``{charge id: what is too much}`` of the charges on debit notes that have too much.

        What a note's credit notes gave back counts against its charges, one after the other.

        :param chosen: SQL condition on ``charge``
        """
        self.flush_model()
        accruals = self.env["ar.late.charge.accrual"]
        accruals._flush_ledger()
        rows = self.env.execute_query(
            SQL(
                """
                WITH noted AS (
                    SELECT charge.id, charge.move_id, charge.amount::numeric AS amount,
                           charge.base::numeric * charge.days AS numbers,
                           charge.days * currency.rounding::numeric AS unsure,
                           charge.rate::numeric AS rate, currency.rounding::numeric AS rounding,
                           line.id AS line_id, line.amount_currency::numeric AS principal,
                           charge.date_from AS first_day, charge.date_to AS last_day
                      FROM ar_late_charge charge
                      JOIN account_move_line line ON line.id = charge.move_line_id
                      JOIN res_currency currency ON currency.id = charge.currency_id
                     WHERE charge.state IN ('drafted', 'posted')
                       AND charge.move_id IN (
                        SELECT move_id FROM ar_late_charge charge WHERE %(chosen)s)
                ), gap AS (
                    SELECT line_id, principal, first_day, last_day FROM noted
                ), point AS (%(points)s), segment AS (%(segments)s), fresh AS (
                    SELECT line_id, first_day, SUM(open * (day_to - day + 1)) AS numbers
                      FROM segment GROUP BY line_id, first_day
                ), excess AS (
                    SELECT noted.id, noted.move_id,
                           noted.amount
                           - ROUND(fresh.numbers * rate / 36500 / rounding) * rounding AS excess
                      FROM noted JOIN fresh USING (line_id, first_day)
                     WHERE fresh.numbers < noted.numbers - unsure
                ), uncredited AS (
                    SELECT excess.id, LEAST(excess, SUM(excess) OVER (
                               PARTITION BY move_id ORDER BY excess.id) - COALESCE((
                                SELECT SUM(credit.amount_untaxed) FROM account_move credit
                                 WHERE credit.reversed_entry_id = excess.move_id
                                   AND credit.state = 'posted'), 0)) AS excess
                      FROM excess WHERE excess > 0
                )
                SELECT id, excess::float8 FROM uncredited WHERE excess > 0
                """,
                chosen=chosen,
                points=accruals._points_sql(),
                segments=accruals._segments_sql(),
            )
        )
        return dict(rows)
