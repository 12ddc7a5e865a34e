"""What takes something off receivables: the kinds of settlement, and what came off items."""

from datetime import date
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Journals of which an entry on a receivable is money that came or went.
MONEY_JOURNALS = ("bank", "cash", "credit")


def money_domain(journal="journal_id"):
    """Domain: entries of the journal are money.

    :param journal: name of the field that leads to the journal
    """
    return Domain(f"{journal}.ar_settlement", "=", "money")


def money_sql(journal="journal"):
    """Condition: entries of the journal are money.

    :param journal: alias of ``account_journal`` in the statement
    """
    return SQL("%s = 'money'", SQL.identifier(journal, "ar_settlement"))


def settling_sql(journal="journal"):
    """Condition: entries of the journal settle a claim: money, credit notes, set off bills.

    What is written off or moved by a general entry is no settlement by the customer.

    :param journal: alias of ``account_journal`` in the statement
    """
    return SQL("%s <> 'none'", SQL.identifier(journal, "ar_settlement"))


class AccountJournal(models.Model):
    _inherit = "account.journal"

    ar_settlement = fields.Selection(
        [
            ("money", "Money"),
            ("document", "Credit notes and set-off bills"),
            ("none", "Nothing"),
        ],
        string="Settles Receivables by",
        compute="_compute_ar_settlement",
        store=True,
        readonly=False,
        precompute=True,
        help="What entries of this journal take off a receivable: promises and payment plans are "
        "kept by money and documents, payment behaviour is judged by money alone. Entries that "
        "settle nothing give the receivable up. The figures of the past follow a change.",
    )

    @api.depends("type")
    def _compute_ar_settlement(self):
        for journal in self:
            if journal.type in MONEY_JOURNALS:
                journal.ar_settlement = "money"
            else:
                journal.ar_settlement = "none" if journal.type == "general" else "document"


class ItemSettlement(NamedTuple):
    """What came off one item, in its currency."""

    # All, and the part that came until a day.
    ever: float
    in_time: float
    # The day of the last payment or credit note, in time or not.
    last_on: date | None
    # Whether nothing is left to pay: it is settled, cancelled or gone.
    is_over: bool


class ArSettlement(models.AbstractModel):
    """What payments and credit notes took off items, read from their matching."""

    _name = "ar.settlement"
    _description = "Settlement of Items"

    @api.model
    def _flush_matching(self):
        self.env["account.partial.reconcile"].flush_model()
        self.env["account.move.line"].flush_model(
            ["parent_state", "reconciled", "date", "journal_id"]
        )
        self.env["account.journal"].flush_model(["ar_settlement"])

    @api.model
    def _get_settled(self, asked):
        """What came off items by some days; write-offs and other general entries do not count.

        :param asked: pairs of an item's id, ``None`` for one that is gone, and the last day that
            is in time, ``None`` for any day
        :return: ``{(item id, last day): ItemSettlement}``
        """
        asked = set(asked)
        if not asked:
            return {}
        self._flush_matching()
        return {
            (id_, last_day): ItemSettlement(*settled)
            for id_, last_day, *settled in self.env.execute_query(
                SQL(
                    """
            SELECT asked.item_id, asked.last_day, settled.ever::float8, settled.in_time::float8,
                   settled.last_on,
                   item.id IS NULL OR item.parent_state = 'cancel' OR item.reconciled IS TRUE
              FROM UNNEST(%(ids)s::int[], %(last_days)s::date[]) AS asked(item_id, last_day)
              LEFT JOIN account_move_line item ON item.id = asked.item_id
             CROSS JOIN LATERAL (
                SELECT COALESCE(SUM(partial.debit_amount_currency), 0) AS ever,
                       COALESCE(SUM(partial.debit_amount_currency) FILTER (
                           WHERE partial.max_date <= COALESCE(asked.last_day, 'infinity')
                       ), 0) AS in_time,
                       MAX(partial.max_date) AS last_on
                  FROM account_partial_reconcile partial
                  JOIN account_move_line money ON money.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = money.journal_id
                 WHERE partial.debit_move_id = asked.item_id AND money.parent_state = 'posted'
                   AND %(settling)s
             ) settled
            """,
                    ids=[id_ or None for id_, _last_day in asked],
                    last_days=[last_day for _id, last_day in asked],
                    settling=settling_sql(),
                )
            )
        }

    @api.model
    def _get_payments_sql(self, date):
        """SELECT of ``line_id, date`` of the money that paid items, matched by a date."""
        self._flush_matching()
        return SQL(
            """
            SELECT partial.debit_move_id AS line_id, money.date
              FROM account_partial_reconcile partial
              JOIN account_move_line money ON money.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = money.journal_id
             WHERE %s AND money.parent_state = 'posted' AND partial.max_date <= %s
            """,
            money_sql(),
            date,
        )
