from collections import defaultdict
from typing import NamedTuple

from odoo import api, models

from ..figures.trade_receivable import is_trade_receivable

# Accounts on which money lies, and those that an entry of a bank may go over.
MONEY_ACCOUNTS = ("asset_cash", "liability_credit_card")
ON_THE_WAY = ("asset_current",)


class Kept(NamedTuple):
    """What an entry leaves to an agency, in company currency."""

    # Debited to the commission account, which is checked against what was agreed.
    commission: float = 0.0
    # Set against what we owe the agency, by its bill for example.
    set_off: float = 0.0


def read_entry(move, account, agent):
    """What an entry leaves to an agency, if it books nothing but that and what was paid.

    It may debit the commission account, taxes, bank and cash, and what the agency owes us or we
    owe it.

    :param account: the commission account of the company, may be empty
    :param agent: commercial partner
    :return: :class:`Kept`, or ``None`` when the entry is something else
    """
    plain = MONEY_ACCOUNTS
    if move.journal_id.ar_settlement == "money":
        plain += ON_THE_WAY
    commission = set_off = 0
    for line in move.line_ids:
        kind = line.account_id.account_type
        of_agent = line.partner_id.commercial_partner_id == agent
        if line.tax_line_id or not line.balance:
            continue
        if line.balance < 0:
            if not is_trade_receivable(line):
                return None
        elif account and line.account_id == account:
            commission += line.balance
        elif kind == "liability_payable" and of_agent:
            set_off += line.balance
        elif kind not in plain and not (is_trade_receivable(line) and of_agent):
            return None
    return Kept(commission, set_off)


class ArPlacementRemittance(models.AbstractModel):
    """Tells what customers paid to an agency or lawyer from what was given up.

    Of 1,000 that it collected an agency remits 800 and keeps 200. An entry that books the 200, by
    itself or with the 800, is what the customer paid, no write-off, if

    - all that it settles was placed with that agency, since the hand-over and by the day of the
      entry, and the placement was not closed or withdrawn before;
    - it debits nothing but the commission account of the company, taxes, bank and cash, and what
      the agency owes us or we owe it;
    - the commission, with what was kept of the placement before, is at most the agreed share of
      what came in of it, this entry included; each entry may be a smallest unit more.

    Such entries are marked, and are money wherever somebody asks what paid an item. It is judged
    again when the matching of a placed item changes. All others stay what they are: an expense
    that nobody approved is listed as such.
    """

    _name = "ar.placement.remittance"
    _description = "Remittance of an Agency"

    @api.model
    def _follow_matching(self, lines):
        """Mark the entries that were paid to an agency, before anybody asks what they paid.

        :param lines: journal items whose matching changed, some may not exist any more
        """
        placed = self.env["ar.placement.item"].search(
            [("move_line_id", "in", lines.ids), ("placement_id.state", "!=", "draft")]
        )
        partials = placed.placement_id.item_ids.move_line_id.matched_credit_ids
        marked = lines.exists().move_id.filtered("ar_remitted")
        moves = partials.credit_move_id.move_id.filtered(self._is_candidate) | marked
        if not moves:
            return
        remitted = self.env["account.move"].union(*self._judge(moves))
        (moves & remitted).filtered(lambda move: not move.ar_remitted).ar_remitted = True
        (moves - remitted).filtered("ar_remitted").ar_remitted = False

    @api.model
    def _get_remittances(self, moves, lines):
        """Of entries about to be matched, those that would be marked.

        :param moves: entries
        :param lines: all journal items that are matched together
        """
        items = lines.filtered(lambda line: line.balance > 0)
        credits_ = lines - items
        own = credits_.filtered(lambda line: line.move_id in moves)
        money = (credits_ - own).filtered(lambda line: line.journal_id.ar_settlement == "money")
        planned = [(line, items, -line.amount_residual) for line in own]
        left = sum(items.mapped("amount_residual")) + sum(own.mapped("amount_residual"))
        incoming = max(min(-sum(money.mapped("amount_residual")), left), 0)
        return moves.browse().union(*self._judge(moves, planned, incoming))

    @api.model
    def _may_keep(self, items, account, commission, paid):
        """Whether an agency may keep a commission of a payment that is about to be made.

        :param items: what it pays
        :param account: to which the commission is debited
        :param paid: all that it takes off the items, in company currency
        """
        if account != items.company_id.root_id.ar_commission_account_id:
            return False
        placed = self.env["ar.placement.item"].search(
            [("move_line_id", "in", items.ids), ("placement_id.state", "=", "placed")]
        )
        placement = placed.placement_id
        if len(placement) != 1 or placed.move_line_id != items:
            return False
        gross, kept = self._get_sums(placement, self.env["account.move"])
        return self._is_agreed(placement, kept[placement] + commission, gross[placement] + paid)

    @api.model
    def _is_agreed(self, placement, kept, gross):
        """Whether an agency keeps no more than its share of what came in, to the cent."""
        currency = placement.currency_id
        share = placement.commission_rate * gross
        return currency.compare_amounts(kept - currency.rounding, share) <= 0

    @api.model
    def _get_kept(self, placements):
        """What the agencies kept of what they collected, in company currency.

        :return: ``{placement: amount}``
        """
        moves = placements.item_ids.move_line_id.matched_credit_ids.credit_move_id.move_id
        kept = dict.fromkeys(placements, 0)
        for shares in self._judge(moves.filtered("ar_remitted")).values():
            for placement, (commission, set_off) in shares.items():
                if placement in kept:
                    kept[placement] += commission + set_off
        return kept

    @api.model
    def _is_candidate(self, move):
        """Whether an entry that settles placed items may be more, or other, than money."""
        if move.move_type != "entry" or move.state != "posted" or move.ar_write_off:
            return False
        account = move.company_id.root_id.ar_commission_account_id
        return (
            move.journal_id.ar_settlement != "money"
            or bool(account)
            and account in move.line_ids.account_id
        )

    @api.model
    def _judge(self, moves, planned=(), incoming=0):
        """The entries that book what was paid to an agency.

        :param planned: ``[(credit, its items, amount)]`` of what is about to be matched
        :param incoming: money that is matched at the same time
        :return: ``{entry: {placement: Kept}}``
        """
        settled = self._get_parts(moves, planned)
        placements = self.env["ar.placement"].union(
            *(p for parts in settled.values() for p in parts)
        )
        gross, kept = self._get_sums(placements, moves)
        for placement in placements:
            gross[placement] += incoming
        found = {}
        for move in moves.sorted("id"):
            parts = settled.get(move)
            shares = self._get_shares(move, parts)
            if shares is None:
                continue
            # What came by the bank is among what came in already.
            is_counted = move.journal_id.ar_settlement == "money"
            came = {
                placement: gross[placement] + (0 if is_counted else parts[placement])
                for placement in parts
            }
            if all(
                self._is_agreed(placement, kept[placement] + share.commission, came[placement])
                for placement, share in shares.items()
                if share.commission
            ):
                found[move] = shares
                gross.update(came)
                for placement, share in shares.items():
                    kept[placement] += share.commission
        return found

    @api.model
    def _get_shares(self, move, parts):
        """What an entry leaves to the agency of each placement, if it books nothing else.

        One remittance may be for many customers: who paid more, and at a higher rate, bears more
        of the commission.

        :param parts: ``{placement: amount settled}``, ``None`` when it settles something else
        :return: ``{placement: Kept}`` or ``None``
        """
        agents = {placement.agent_id.commercial_partner_id for placement in parts or ()}
        if len(agents) != 1:
            return None
        entry = read_entry(move, move.company_id.root_id.ar_commission_account_id, agents.pop())
        if entry is None:
            return None
        weights = {
            placement: amount * placement.commission_rate for placement, amount in parts.items()
        }
        if not any(weights.values()):
            weights = parts
        total = sum(weights.values())
        return {
            placement: Kept(*(amount * weight / total for amount in entry))
            for placement, weight in weights.items()
        }

    @api.model
    def _get_parts(self, moves, planned=()):
        """What entries took off placed items.

        :return: ``{entry: {placement: amount}}``, without entries that settle anything else
        """
        pairs = [
            (partial.credit_move_id, partial.debit_move_id, partial.amount)
            for partial in moves.line_ids.matched_debit_ids
        ]
        pairs += planned
        items = self.env["account.move.line"].union(*(items for _line, items, _amount in pairs))
        placed = (
            self.env["ar.placement.item"]
            .search([("move_line_id", "in", items.ids), ("placement_id.state", "!=", "draft")])
            .sorted("id", reverse=True)
            .grouped("move_line_id")
        )
        found, strange = defaultdict(lambda: defaultdict(float)), set()
        for line, items, amount in pairs:
            placements = {
                next(
                    (
                        part.placement_id
                        for part in placed.get(item, ())
                        if part._is_since_placed(line.id, line.date)
                    ),
                    None,
                )
                for item in items
            }
            placement = placements.pop() if len(placements) == 1 else None
            if placement:
                found[line.move_id][placement] += amount
            else:
                strange.add(line.move_id)
        return {move: dict(parts) for move, parts in found.items() if move not in strange}

    @api.model
    def _get_sums(self, placements, moves):
        """What came in of placements, and what agencies kept of it, beside entries to judge.

        :return: two ``{placement: amount}`` in company currency
        """
        gross, kept = defaultdict(float), defaultdict(float)
        placed = placements.item_ids.filtered("move_line_id").grouped("move_line_id")
        items = self.env["account.move.line"].union(*placed)
        judged = set(moves.filtered(lambda move: move.journal_id.ar_settlement != "money").ids)
        others = self.env["account.move"].browse()
        for credit in self.env["ar.settlement"]._get_credits(items):
            if credit.is_paid and credit.move_id not in judged:
                others |= others.browse(credit.move_id)
                for line in placed[items.browse(credit.item_id)]:
                    if line._is_since_placed(credit.line_id, credit.date):
                        gross[line.placement_id] += credit.amount
        others = (others - moves).filtered("ar_remitted")
        for move, parts in self._get_parts(others).items():
            for placement, share in (self._get_shares(move, parts) or {}).items():
                kept[placement] += share.commission
        return gross, kept
