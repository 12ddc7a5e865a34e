"""What takes something off receivables: the kinds of settlement, and what came off items."""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .trade_receivable import get_trade_receivable_sql

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


# What takes a claim away without paying it. Money, set-offs and what an addon adds pay.
UNPAID = ("credit_note", "write_off", "other")


def get_kind_sql(credit="credit", journal="journal"):
    """Expression: what a credit on a receivable is, ``money``, ``set_off``, ``credit_note``,
    ``write_off``, ``other`` or a kind of journal that an addon adds.

    A set-off is against what we owe: a bill, or an entry that clears a payable as well. Which
    journals hold money and documents is said by the journals. Who paid does not matter: what is
    matched with an item is of its customer, whoever's entry it is.

    :param credit: alias of ``account_move_line`` in the statement
    :param journal: alias of its ``account_journal``
    """
    return SQL(
        """
        (SELECT CASE
            WHEN %(settles)s NOT IN ('document', 'none') THEN %(settles)s
            WHEN move.ar_remitted THEN 'money'
            WHEN move.ar_write_off THEN 'write_off'
            WHEN move.move_type IN ('out_refund', 'out_invoice', 'out_receipt') THEN 'credit_note'
            WHEN %(settles)s = 'document' THEN 'set_off'
            WHEN EXISTS (
                SELECT FROM account_move_line payable
                  JOIN account_account account ON account.id = payable.account_id
                 WHERE payable.move_id = move.id AND account.account_type = 'liability_payable'
            ) THEN 'set_off'
            ELSE 'other' END
           FROM account_move move WHERE move.id = %(move_id)s)
        """,
        settles=SQL.identifier(journal, "ar_settlement"),
        move_id=SQL.identifier(credit, "move_id"),
    )


def is_paid_sql(credit="credit", journal="journal"):
    """Condition: a credit on a receivable pays it, by money or by what we owe."""
    return SQL(
        "(%s = 'money' OR %s NOT IN %s)",
        SQL.identifier(journal, "ar_settlement"),
        get_kind_sql(credit, journal),
        UNPAID,
    )


class AccountMove(models.Model):
    _inherit = "account.move"

    ar_write_off = fields.Boolean(
        string="Write-Off",
        readonly=True,
        copy=False,
        help="The entry gives up receivables by an approved request.",
    )
    ar_remitted = fields.Boolean(
        string="Paid to an Agency",
        readonly=True,
        copy=False,
        help="The entry books what a customer paid to the agency or lawyer that collects for us, "
        "with what they kept of it as agreed.",
    )


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
        "kept, and behaviour is judged, by money and by bills that are set off. Credit notes and "
        "entries that settle nothing take the claim away. The figures of the past follow a change.",
    )

    @api.depends("type")
    def _compute_ar_settlement(self):
        for journal in self:
            if journal.type in MONEY_JOURNALS:
                journal.ar_settlement = "money"
            else:
                journal.ar_settlement = "none" if journal.type == "general" else "document"


class ItemSettlement(NamedTuple):
    """What the customer paid of one item, in its currency."""

    # All, and the part that came until a day.
    ever: float
    in_time: float
    # The day of the last of all that came off it, in time or not.
    last_on: date | None
    # What is left to pay: nothing of what is settled, cancelled or gone.
    residual: float


class Credit(NamedTuple):
    """What one credit took off one item."""

    item_id: int
    line_id: int
    move_id: int
    # The day of the credit itself, which may be before it was matched and before the item.
    date: date
    kind: str
    # In company currency, and in the currency of the item: zero for differences of exchange.
    amount: float
    amount_currency: float

    @property
    def is_paid(self):
        return self.kind not in UNPAID


class ArSettlement(models.AbstractModel):
    """What took how much off items, read from their matching."""

    _name = "ar.settlement"
    _description = "Settlement of Items"

    @api.model
    def _flush_matching(self):
        self.env["account.partial.reconcile"].flush_model()
        self.env["account.move.line"].flush_model(
            ["parent_state", "reconciled", "date", "journal_id", "amount_residual_currency"]
        )
        self.env["account.move"].flush_model(["move_type", "ar_write_off", "ar_remitted"])
        self.env["account.journal"].flush_model(["ar_settlement"])

    @api.model
    def _get_settled(self, asked):
        """What was paid of items by some days, by money or set-off; nothing else counts.

        :param asked: an item's id, ``None`` for one that is gone; the first and the last day of
            money that is in time, ``None`` for any day; the last journal item that was booked
            before, whose like does not count, zero for none
        :return: ``{(item id, first day, last day, booked before): ItemSettlement}``
        """
        asked = set(asked)
        if not asked:
            return {}
        self._flush_matching()
        ids, first_days, last_days, booked_before = map(list, zip(*asked, strict=True))
        return {
            (id_, first_day, last_day, booked): ItemSettlement(*settled)
            for id_, first_day, last_day, booked, *settled in self.env.execute_query(
                SQL(
                    """
            SELECT asked.item_id, asked.first_day, asked.last_day, asked.booked,
                   settled.ever::float8, settled.in_time::float8, settled.last_on,
                   (CASE WHEN item.id IS NULL OR item.parent_state = 'cancel'
                              OR item.reconciled IS TRUE THEN 0
                         WHEN item.parent_state = 'posted' THEN item.amount_residual_currency
                         ELSE item.amount_currency END)::float8
              FROM UNNEST(%(ids)s::int[], %(first_days)s::date[], %(last_days)s::date[],
                          %(booked)s::int[]) AS asked(item_id, first_day, last_day, booked)
              LEFT JOIN account_move_line item ON item.id = asked.item_id
             CROSS JOIN LATERAL (
                SELECT COALESCE(SUM(partial.debit_amount_currency) FILTER (WHERE is_paid), 0)
                           AS ever,
                       COALESCE(SUM(partial.debit_amount_currency) FILTER (
                           WHERE is_paid
                             AND credit.date >= COALESCE(asked.first_day, '-infinity')
                             AND partial.max_date <= COALESCE(asked.last_day, 'infinity')
                       ), 0) AS in_time,
                       MAX(partial.max_date) AS last_on
                  FROM account_partial_reconcile partial
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = credit.journal_id
                 CROSS JOIN LATERAL (SELECT %(is_paid)s AS is_paid) split
                 WHERE partial.debit_move_id = asked.item_id AND credit.parent_state = 'posted'
                   AND credit.id > asked.booked
             ) settled
            """,
                    ids=ids,
                    first_days=first_days,
                    last_days=last_days,
                    booked=booked_before,
                    is_paid=is_paid_sql(),
                )
            )
        }

    @api.model
    def _get_credits(self, items):
        """What took how much off journal items, each matching by itself.

        :return: list of :class:`Credit`, in the order in which they were matched
        """
        if not items:
            return []
        self._flush_matching()
        return [
            Credit(*row)
            for row in self.env.execute_query(
                SQL(
                    """
            SELECT partial.debit_move_id, credit.id, credit.move_id, credit.date, %(kind)s,
                   partial.amount::float8, partial.debit_amount_currency::float8
              FROM account_partial_reconcile partial
              JOIN account_move_line credit ON credit.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = credit.journal_id
             WHERE partial.debit_move_id IN %(items)s AND credit.parent_state = 'posted'
             ORDER BY partial.id
            """,
                    kind=get_kind_sql(),
                    items=tuple(items.ids),
                )
            )
        ]

    @api.model
    def _get_last_booked(self):
        """Id of the last journal item: what comes later is booked later."""
        ((last,),) = self.env.execute_query(SQL("SELECT MAX(id) FROM account_move_line"))
        return last or 0

    @api.model
    def _get_settled_by_kind(self, company, spans):
        """What took how much off the items of customers in company currency, by kind.

        :param company: root company
        :param spans: ``{partner id: (first day, last journal item booked before, day)}``: what
            came since the first day, or was booked since, off items overdue on the day
        :return: ``{partner id: {kind: (amount, day of the last)}}``
        """
        if not spans:
            return {}
        self._flush_matching()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        settled = defaultdict(dict)
        for partner_id, kind, amount, last_on in self.env.execute_query(
            SQL(
                """
            SELECT span.partner_id, kind, SUM(partial.amount)::float8, MAX(partial.max_date)
              FROM (VALUES %(spans)s) AS span(partner_id, first_day, booked, day)
              JOIN res_partner contact ON contact.commercial_partner_id = span.partner_id
              JOIN account_move_line item ON item.partner_id = contact.id
              JOIN res_company company ON company.id = item.company_id
               AND SPLIT_PART(company.parent_path, '/', 1) = %(root)s
              JOIN account_account account ON account.id = item.account_id AND %(trade)s
              JOIN account_partial_reconcile partial ON partial.debit_move_id = item.id
              JOIN account_move_line credit ON credit.id = partial.credit_move_id
              JOIN account_journal journal ON journal.id = credit.journal_id
             CROSS JOIN LATERAL (SELECT %(kind)s AS kind) split
             WHERE item.parent_state = 'posted' AND credit.parent_state = 'posted'
               AND COALESCE(item.date_maturity, item.date) < span.day
               AND (partial.max_date >= span.first_day OR credit.id > span.booked)
             GROUP BY span.partner_id, kind
            """,
                spans=SQL(", ").join(
                    SQL("(%s, %s::date, %s::int, %s::date)", partner_id, *span)
                    for partner_id, span in spans.items()
                ),
                root=str(company.id),
                trade=get_trade_receivable_sql("account"),
                kind=get_kind_sql(),
            )
        ):
            settled[partner_id][kind] = amount, last_on
        return settled

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
             WHERE %s = 'money' AND money.parent_state = 'posted' AND partial.max_date <= %s
            """,
            get_kind_sql("money"),
            date,
        )
