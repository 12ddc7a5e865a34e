from odoo import api, fields, models
from odoo.tools import SQL

from ..figures.settlement import money_sql
from ..figures.trade_receivable import get_trade_receivable_sql


class ArWriteoffUnapproved(models.Model):
    """Receivables that were given up beside the approval, for the auditor.

    An entry or a payment that settles receivables and debits an expense at once, without a
    request, above what the company lets pass. One row is one journal entry. The discount that an
    invoice promised to a payment in time is not given up, whatever account it is booked to; nor is
    what an agency keeps as agreed of what it collected, see ``ar.placement.remittance``.
    """

    _name = "ar.writeoff.unapproved"
    _inherit = "ar.ledger.follower"
    _description = "Unapproved Write-off"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "move_id"

    move_id = fields.Many2one("account.move", string="Journal Entry", readonly=True)
    date = fields.Date(readonly=True)
    journal_id = fields.Many2one("account.journal", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    account_id = fields.Many2one("account.account", string="Expense Account", readonly=True)
    amount = fields.Monetary(string="Given Up", readonly=True)
    user_id = fields.Many2one("res.users", string="Entered By", readonly=True)
    kind = fields.Selection(
        [("entry", "Entry by hand"), ("payment", "Payment difference")], readonly=True
    )

    _depends = {
        "account.account": ["account_type", "non_trade"],
        "account.move": [
            "ar_remitted",
            "company_id",
            "date",
            "journal_id",
            "move_type",
            "reversed_entry_id",
            "state",
        ],
        "account.move.line": [
            "account_id",
            "amount_currency",
            "balance",
            "discount_amount_currency",
            "discount_balance",
            "discount_date",
            "move_id",
            "partner_id",
        ],
        "account.partial.reconcile": [
            "amount",
            "credit_move_id",
            "debit_amount_currency",
            "debit_move_id",
        ],
        "ar.writeoff.request": ["move_id", "reversal_id"],
        "ar.writeoff.recovery": ["move_id", "reversal_id"],
        "res.company": ["ar_writeoff_free_amount"],
    }

    @property
    def _table_query(self):
        return SQL("%s %s %s", self._select(), self._from(), self._where())

    def _select(self):
        return SQL(
            """
            SELECT move.id, move.id AS move_id, move.date, move.journal_id, move.company_id,
                   company.currency_id, settled.partner_id, loss.account_id,
                   LEAST(loss.amount - settled.discount, settled.amount) AS amount,
                   move.create_uid AS user_id,
                   CASE WHEN %s THEN 'payment' ELSE 'entry' END AS kind
            """,
            money_sql(),
        )

    def _from(self):
        return SQL(
            """
              FROM account_move move
              JOIN account_journal journal ON journal.id = move.journal_id
              JOIN res_company company ON company.id = move.company_id
              JOIN res_company root ON root.id = SPLIT_PART(company.parent_path, '/', 1)::int
              JOIN LATERAL (
                SELECT SUM(line.balance) AS amount, MIN(line.account_id) AS account_id
                  FROM account_move_line line
                  JOIN account_account account ON account.id = line.account_id
                 WHERE line.move_id = move.id AND account.account_type LIKE 'expense%%'
              ) loss ON loss.amount > 0
              JOIN LATERAL (
                SELECT SUM(partial.amount) AS amount,
                       MIN(contact.commercial_partner_id) AS partner_id,
                       -- As in core: one payment in time settles the whole item. Its rate may
                       -- be another than that of the invoice.
                       COALESCE(SUM(GREATEST(
                         item.balance - item.discount_balance,
                         (item.amount_currency - item.discount_amount_currency)
                         * partial.amount / NULLIF(partial.debit_amount_currency, 0)
                       )) FILTER (
                         WHERE %s
                           AND item.discount_date >= move.date
                           AND item.amount_currency = partial.debit_amount_currency
                       ), 0) AS discount
                  FROM account_move_line line
                  JOIN account_account account ON account.id = line.account_id
                  JOIN account_partial_reconcile partial ON partial.credit_move_id = line.id
                  JOIN account_move_line item ON item.id = partial.debit_move_id
                  LEFT JOIN res_partner contact ON contact.id = line.partner_id
                 WHERE line.move_id = move.id AND %s
                   -- Who takes an entry back gives nothing up.
                   AND item.move_id IS DISTINCT FROM move.reversed_entry_id
              ) settled ON settled.amount > 0
            """,
            money_sql(),
            get_trade_receivable_sql("account"),
        )

    def _where(self):
        return SQL(
            """
             WHERE move.state = 'posted' AND move.move_type = 'entry'
               AND move.ar_remitted IS NOT TRUE
               AND LEAST(loss.amount - settled.discount, settled.amount)
                   > root.ar_writeoff_free_amount
               AND NOT EXISTS (
                SELECT FROM account_partial_reconcile WHERE exchange_move_id = move.id)
               AND NOT EXISTS (
                SELECT FROM ar_writeoff_request WHERE move.id IN (move_id, reversal_id))
               AND NOT EXISTS (
                SELECT FROM ar_writeoff_recovery WHERE move.id IN (move_id, reversal_id))
            """
        )

    @api.readonly
    def action_open_entry(self):
        self.ensure_one()
        return self.move_id._get_records_action()
