"""The books of a ledger by plain arithmetic: what customers owe on any day, and may be asked for.

Nothing here knows Odoo or the addon: this is the oracle that a replay is measured against.
"""

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from replay_currencies import get_decimals

INVOICE, CREDIT_NOTE, PAYMENT, ON_ACCOUNT = "invoice", "credit note", "payment", "on account"
ALLOCATION, BOUNCE, REFUND, WRITE_OFF = "allocation", "bounce", "refund", "write-off"
DISPUTE, RATE, EXCHANGE = "dispute", "rate", "exchange"
#: what is numbered by us, and what money is numbered by
PAPERS, MONEY = (INVOICE, CREDIT_NOTE), (PAYMENT, ON_ACCOUNT, REFUND, BOUNCE)
ZERO = Decimal()


class Event(NamedTuple):
    """Something that happened on a day; amounts are more than zero."""

    line: int
    date: date
    kind: str
    customer: str
    document: str
    #: None where the event has none of its own
    due: date | None
    amount: Decimal | None
    currency: str
    #: numbers of documents, in the order of the file
    applies: tuple = ()


class Match(NamedTuple):
    """What one document took off another: in its own currency and in the company's.

    A difference of exchange is booked by an entry of its own, on a day of its own.
    """

    other: object
    date: date
    amount: Decimal
    balance: Decimal
    exchange: Decimal = ZERO
    exchange_date: date | None = None


@dataclass(eq=False)
class Item:
    """An entry on a customer's account; what we owe is negative."""

    number: str
    kind: str
    customer: str
    date: date
    due: date
    currency: str
    amount: Decimal
    balance: Decimal
    #: the order of booking
    position: int
    matches: list = field(default_factory=list)
    #: the day, the amount, and what was open then
    dispute: tuple | None = None
    #: since when nothing is open, None as long as something is
    settled_on: date | None = None

    @property
    def is_claim(self):
        """What we paid out is none; what the bank took back is one when it had paid something."""
        return self.amount > 0 and self.kind != REFUND

    @property
    def is_money(self):
        return self.kind in MONEY

    def get_residual(self, day=None):
        """What is open at the end of a day, now without one: ``(own, company currency)``."""
        own, balance = self.amount, self.balance
        for match in self.matches:
            if day is None or match.date <= day:
                own -= match.amount
                balance -= match.balance
            if match.exchange and (day is None or match.exchange_date <= day):
                balance -= match.exchange
        return own, balance

    def get_disputed(self, own):
        """What of the residual is in dispute: what was paid since came off the objection."""
        if not self.dispute:
            return ZERO
        _day, amount, before = self.dispute
        return max(min(amount, amount - before + own, own), ZERO)


@dataclass(eq=False)
class Open:
    """An item at the end of a day, with what credits take off it and what may be asked for."""

    item: Item
    own: Decimal
    residual: Decimal
    disputed_own: Decimal = ZERO
    credit_own: Decimal = ZERO
    credit: Decimal = ZERO
    disputed: Decimal = ZERO
    demand: Decimal = ZERO

    @property
    def number(self):
        return self.item.number

    @property
    def due(self):
        return self.item.due

    @property
    def is_claim(self):
        """A difference of exchange is neither claim nor credit."""
        return self.item.is_claim and self.own > 0

    @property
    def is_credit(self):
        return self.item.kind == REFUND or self.own < 0

    @property
    def followed(self):
        return self.residual - self.credit if self.is_claim else ZERO

    def get_days_overdue(self, day):
        return max((day - self.due).days, 0)


class Balance(NamedTuple):
    """What one customer owes on one day, in company currency."""

    open_amount: Decimal
    not_due: Decimal
    overdue_amount: Decimal
    overdue_count: int
    oldest_due: date | None
    #: open credits: zero or negative
    unallocated: Decimal
    #: due or not
    disputed: Decimal
    #: overdue less open credits
    followup_amount: Decimal
    followup_due: date | None
    #: less what is disputed, too
    demand_amount: Decimal
    demand_due: date | None


class Book:
    """What is booked so far.

    :param rates: events that say what one unit of a currency costs from a day on
    """

    def __init__(self, currency, rates=()):
        self.currency = currency
        self.rates = defaultdict(list)
        for event in sorted(rates, key=lambda event: event.date):
            self.rates[event.currency].append((event.date, event.amount))
        self.items = []
        # {day: what is open then}, as long as nothing is entered
        self._known = {}
        # {(paper or money, number): item}
        self._numbered = {}
        self._lines = {}
        self._missed = set()
        self._bounced = set()
        # {claim that money had paid: what the bank took back of it}
        self._standing = defaultdict(list)

    # Entering

    def enter(self, event):
        """Book an event.

        :raises ValueError: saying why it cannot have happened
        """
        self._known.clear()
        getattr(self, f"_enter_{event.kind.replace(' ', '_').replace('-', '_')}")(event)

    def miss(self, event):
        """The document that this should have made is missing: who needs it is not at fault."""
        key = event.kind in MONEY, event.document
        if event.kind in (*PAPERS, *MONEY) and key not in self._numbered:
            self._missed.add(event.document)

    def _enter_rate(self, event):
        if event.currency == self.currency:
            raise ValueError(f"{event.currency} is the currency of the company and has no rate")

    def _enter_invoice(self, event):
        self._add(event, event.amount, event.due)

    def _enter_credit_note(self, event):
        targets = self.find_targets(event)
        self._match_all(self._add(event, -event.amount), targets, event.date)

    def _enter_payment(self, event):
        targets = self.find_targets(event)
        self._match_all(self._add(event, -event.amount), targets, event.date)

    def _enter_on_account(self, event):
        self._add(event, -event.amount)

    def _enter_refund(self, event):
        targets = self.find_targets(event)
        self._match_all(self._add(event, event.amount), targets, event.date)

    def _enter_allocation(self, event):
        credit, targets = self.find_allocation(event)
        most = min(-credit.get_residual()[0], sum(target.get_residual()[0] for target in targets))
        if event.amount is not None and event.amount != most:
            raise ValueError(f"all that can be matched is matched: {most}, not {event.amount}")
        self._match_all(credit, targets, event.date)

    def _enter_bounce(self, event):
        receipts = [
            receipt for receipt in self.find_targets(event) if self._check_can_bounce(receipt)
        ]
        if not receipts:
            return
        amount = -sum(receipt.amount for receipt in receipts)
        if event.amount is not None and event.amount != amount:
            raise ValueError(f"a payment bounces as a whole: {amount}, not {event.amount}")
        if self.is_taken_by_bank(event):
            (receipt,) = receipts
            paid = self._get_paid(receipt)
            due = min(each.due for each in paid)
            balance = self._convert(event._replace(currency=receipt.currency), amount)
            back = self._append(event, BOUNCE, receipt, amount, balance, due)
            for each in paid:
                self._standing[each].append(back)
        else:
            for receipt in receipts:
                back = self._append(
                    event, BOUNCE, receipt, -receipt.amount, -receipt.balance, event.date
                )
                self._unmatch(receipt, event.date)
                self._match(back, receipt, event.date)
        self._bounced.update(receipts)

    def is_taken_by_bank(self, event):
        """Whether a bounce is an entry of the bank alone, which leaves the invoices paid; else it
        reverses the payment.

        By the bank on every other day, for money that paid something. Only its amount tells
        which payment it takes back, so that there must be one of that amount.
        """
        receipts = self.find_targets(event)
        like = [
            item
            for item in self.items
            for receipt in receipts
            if item.kind in (PAYMENT, ON_ACCOUNT)
            and (item.customer, item.currency, item.amount)
            == (receipt.customer, receipt.currency, receipt.amount)
        ]
        return (
            event.date.toordinal() % 2 == 0
            and len(receipts) == len(like) == 1
            and bool(self._get_paid(receipts[0]))
        )

    @staticmethod
    def _get_paid(receipt):
        """The claims that money is matched with."""
        return [match.other for match in receipt.matches if match.other.is_claim]

    def _check_can_bounce(self, receipt):
        if receipt.kind not in (PAYMENT, ON_ACCOUNT):
            raise ValueError(f"{receipt.number} is a {receipt.kind}, which cannot bounce")
        if receipt in self._bounced:
            raise ValueError(f"payment {receipt.number} has bounced before")
        if any(match.other.kind == REFUND for match in receipt.matches):
            raise ValueError(f"payment {receipt.number} was refunded")
        return True

    def _enter_write_off(self, event):
        targets = self.find_targets(event)
        most = sum(target.get_residual()[0] for target in targets)
        if event.amount is not None and event.amount > most:
            raise ValueError(f"only {most} is open, not {event.amount}")
        left = most if event.amount is None else event.amount
        for target in targets:
            part = min(left, target.get_residual()[0])
            left -= part
            if part:
                balance = self._get_share(target, part)
                loss = self._append(event, WRITE_OFF, target, -part, -balance, event.date)
                self._match(target, loss, event.date)

    def _enter_dispute(self, event):
        targets = self.find_targets(event)
        if event.amount is not None:
            if len(event.applies) > 1:
                raise ValueError("an amount in dispute is of one document: write a line for each")
            targets = targets[:1]
        for target in targets:
            own = target.get_residual()[0]
            if target.dispute and target.get_disputed(own):
                raise ValueError(f"{target.number} is in dispute already")
            if event.amount is not None and event.amount > own:
                raise ValueError(f"only {own} of {target.number} is open, not {event.amount}")
        for target in targets:
            own = target.get_residual()[0]
            target.dispute = event.date, event.amount or own, own

    def _add(self, event, amount, due=None):
        key = event.kind in MONEY, event.document
        if key in self._lines:
            raise ValueError(
                f"{'payment' if key[0] else 'invoice'} number {event.document} is already in "
                f"line {self._lines[key]}"
            )
        self._lines[key] = event.line
        balance = self._convert(event, amount)
        self._numbered[key] = item = self._append(
            event, event.kind, event, amount, balance, due or event.date
        )
        item.number = event.document
        return item

    def _append(self, event, kind, like, amount, balance, due):
        item = Item(
            getattr(event, "document", kind),
            kind,
            like.customer,
            event.date,
            due,
            like.currency,
            amount,
            balance,
            len(self.items),
        )
        self.items.append(item)
        return item

    def find_targets(self, event):
        """The documents that an event applies to, in its order.

        :raises ValueError: when they are missing, of somebody else, or nothing of them is open
        :raises Missed: when a line that is wrong itself makes them missing
        """
        return self._find(
            event,
            event.applies,
            is_debit=event.kind not in (REFUND, BOUNCE),
            is_open=event.kind != BOUNCE,
        )

    def find_allocation(self, event):
        """The money or credit note that is allocated, and the invoices."""
        (credit,) = self._find(event, (event.document,), is_debit=False)
        like = event._replace(
            customer=credit.customer, currency=credit.currency, amount=credit.amount
        )
        return credit, self._find(like, event.applies, is_debit=True)

    def _find(self, event, numbers, is_debit, is_open=True):
        targets = []
        for number in numbers:
            found = [
                self._numbered[key]
                for key in ((False, number), (True, number))
                if key in self._numbered
            ]
            fitting = [item for item in found if (item.amount > 0) == is_debit]
            if number in self._missed:
                raise Missed
            if not fitting:
                kind = "invoice" if is_debit else "payment or credit note"
                raise ValueError(f"there is no {kind} {number} by {event.date}")
            if len(fitting) > 1:
                raise ValueError(f"{number} is both a credit note and a payment")
            (target,) = fitting
            if event.customer and target.customer != event.customer:
                raise ValueError(f"{number} is of {target.customer}, not of {event.customer}")
            if event.amount is not None and target.currency != event.currency:
                raise ValueError(f"{number} is in {target.currency}, not in {event.currency}")
            if is_open and target in self._bounced:
                raise ValueError(f"payment {number} has bounced before")
            # What the bank took back is owed instead of what the money had paid.
            open_now = [
                each
                for each in (target, *self._standing.get(target, ()))
                if each.get_residual()[0] or not is_open
            ]
            if not open_now:
                raise ValueError(f"nothing of {number} is open on {event.date}")
            targets += (each for each in open_now if each not in targets)
        if len({(target.customer, target.currency) for target in targets}) > 1:
            raise ValueError(f"{', '.join(numbers)} are not of one customer and currency")
        return targets

    # Matching

    def _match_all(self, item, targets, today):
        for target in targets:
            self._match(*((target, item) if target.amount > 0 else (item, target)), today)

    def _match(self, debit, credit, today):
        """Match as much as can be, as Odoo does it today."""
        (own, balance), (credit_own, credit_balance) = debit.get_residual(), credit.get_residual()
        amount = min(own, -credit_own)
        if amount <= 0:
            return
        debit_share, credit_share = self._get_share(debit, amount), self._get_share(credit, amount)
        common = min(debit_share, credit_share)
        if self._is_near(debit, amount, credit_share) and self._is_near(
            credit, amount, debit_share
        ):
            common = debit_share = credit_share = min(balance, -credit_balance)
        if amount == own:
            debit_share = balance
        if amount == -credit_own:
            credit_share = -credit_balance
        day = max(debit.date, credit.date)
        booked = get_entry_date(day, today)
        debit.matches.append(Match(credit, day, amount, common, debit_share - common, booked))
        credit.matches.append(Match(debit, day, -amount, -common, common - credit_share, booked))
        for item in (debit, credit):
            if not any(item.get_residual()):
                item.settled_on = max(
                    match.exchange_date if match.exchange else match.date for match in item.matches
                )

    def _unmatch(self, item, today):
        """Undo all matchings of an item; differences of exchange stay until they are reversed."""
        for match in item.matches:
            other = match.other
            for each in other.matches:
                if each.other is item:
                    self._reverse_exchange(other, each, today)
            other.matches = [each for each in other.matches if each.other is not item]
            other.settled_on = None
            self._reverse_exchange(item, match, today)
        item.matches, item.settled_on = [], None

    def _reverse_exchange(self, item, match, today):
        if match.exchange:
            day = get_entry_date(match.exchange_date, today)
            left = self._append(item, EXCHANGE, item, ZERO, -match.exchange, match.exchange_date)
            left.date, left.settled_on = match.exchange_date, day
            left.matches = [Match(item, day, ZERO, left.balance)]

    def _get_share(self, item, amount):
        """That part of an item in company currency, all that is left at most."""
        own, balance = item.get_residual()
        share = self._round(amount * item.balance / item.amount)
        return min(share, abs(balance)) if amount != abs(own) else abs(balance)

    def _is_near(self, item, amount, share):
        """Whether a share differs from the item's own only because amounts are rounded."""
        half = Decimal(10) ** -get_decimals(item.currency) / 2
        rate = item.balance / item.amount
        return self._round((amount - half) * rate) <= share <= self._round((amount + half) * rate)

    def _convert(self, event, amount):
        rates = self.rates.get(event.currency)
        if event.currency == self.currency or not rates:
            return amount
        before = [rate for day, rate in rates if day <= event.date]
        return self._round(amount * (before[-1] if before else rates[0][1]))

    def _round(self, amount, currency=None):
        unit = Decimal(10) ** -get_decimals(currency or self.currency)
        return amount.quantize(unit, ROUND_HALF_UP)

    # Asking

    def get_item(self, event):
        """The item that an event has made under its number."""
        return self._numbered[event.kind in MONEY, event.document]

    def get_open(self, day):
        """``{customer: [Open]}`` at the end of a day as known now, the oldest due date first."""
        if day not in self._known:
            self._known[day] = self._compute_open(day)
        return self._known[day]

    def _compute_open(self, day):
        found = defaultdict(list)
        for item in self.items:
            if item.date <= day and not (item.settled_on and item.settled_on <= day):
                own, residual = item.get_residual(day)
                if residual:
                    found[item.customer].append(Open(item, own, residual))
        for opened in found.values():
            opened.sort(key=lambda each: (each.due, each.item.position))
            for each in opened:
                if each.own and each.item.dispute and each.item.dispute[0] <= day:
                    each.disputed_own = each.item.get_disputed(each.own)
            self._net(opened)
        return dict(found)

    def get_balances(self, day):
        """``{customer: Balance}`` of the customers of whom something is open."""
        return {customer: _sum(opened, day) for customer, opened in self.get_open(day).items()}

    def _net(self, opened):
        """Set open credits against claims: in their own currency, then what is left of them."""
        claims = [each for each in opened if each.is_claim]
        spare = ZERO
        for currency in {each.item.currency for each in opened}:
            same = [each for each in opened if each.item.currency == currency]
            credits_ = [each for each in same if each.is_credit]
            pool = total = -sum(each.own for each in credits_)
            for claim in same:
                if claim.is_claim:
                    claim.credit_own = max(min(claim.own, pool), ZERO)
                    pool -= claim.credit_own
                    claim.credit = self._share(claim, claim.credit_own)
            if pool > 0:
                spare += sum(self._share(each, -each.own * pool / total) for each in credits_)
        balance = sum(each.residual for each in opened)
        for claim in claims:
            taken = max(min(claim.residual - claim.credit, spare), ZERO)
            spare -= claim.residual - claim.credit
            claim.credit += taken
            if balance <= 0 or claim.credit == claim.residual:
                claim.credit, claim.credit_own = claim.residual, claim.own
            elif taken:
                claim.credit_own += self._round(
                    claim.own * taken / claim.residual, claim.item.currency
                )
            claimed = self._share(claim, claim.disputed_own)
            claim.disputed = claimed
            claim.demand = max(claim.residual - claim.credit - claimed, ZERO)

    def _share(self, opened, own):
        if not own:
            return ZERO
        if own == opened.own:
            return opened.residual
        return self._round(opened.residual * own / opened.own)


def get_entry_date(day, today):
    """When Odoo dates an entry that belongs to a day: today, else the end of that month."""
    if (today.year, today.month) > (day.year, day.month):
        return date(day.year, day.month, monthrange(day.year, day.month)[1])
    return max(day, today)


class Missed(ValueError):
    """An event needs what another faulty line should have made."""

    def __init__(self):
        super().__init__("")


def _sum(opened, day):
    positive = [each for each in opened if each.residual > 0]
    overdue = [each for each in positive if each.due < day]
    followed = [each for each in overdue if each.followed > 0]
    demanded = [each for each in overdue if each.demand > 0]

    def total(items, name="residual"):
        return sum((getattr(each, name) for each in items), ZERO)

    return Balance(
        open_amount=total(opened),
        not_due=total(positive) - total(overdue),
        overdue_amount=total(overdue),
        overdue_count=len(overdue),
        oldest_due=min((each.due for each in overdue), default=None),
        unallocated=total(opened) - total(positive),
        disputed=total(opened, "disputed"),
        followup_amount=total(followed, "followed"),
        followup_due=min((each.due for each in followed), default=None),
        demand_amount=total(demanded, "demand"),
        demand_due=min((each.due for each in demanded), default=None),
    )
