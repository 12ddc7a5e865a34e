"""Late charges, one day after the other: slow, and nothing to misunderstand."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

ONE_DAY = timedelta(days=1)
DAYS_OF_A_YEAR = 365


class Debt(NamedTuple):
    principal: float
    due: object
    # [(day, amount)]: payments and credit notes matched with it, by their dates.
    settled: tuple = ()
    # [(amount, raised, decided or None, state)]: disputes in time.
    disputes: tuple = ()
    # [(first day, last day)]: days that were charged or waived.
    taken: tuple = ()


def set_off(lived):
    """What is not matched any more is on account, and pays the oldest debts in its currency.

    :param lived: list of ``[item, Debt, [(day, id, amount on account)]]``; the debts learn of it
    """
    for currency in {line.currency_id for line, _debt, _freed in lived}:
        same = [each for each in lived if each[0].currency_id == currency]
        credits_ = sorted(credit for _line, _debt, freed in same for credit in freed)
        for each in sorted(same, key=lambda each: (each[1].due, each[0].id)):
            debt = each[1]
            left = Decimal(str(debt.principal)) - sum(
                Decimal(str(amount)) for _day, amount in debt.settled
            )
            paid = list(debt.settled)
            while left and credits_:
                day, id_, amount = credits_.pop(0)
                part = min(left, Decimal(str(amount)))
                paid.append((day, part))
                left -= part
                if rest := Decimal(str(amount)) - part:
                    credits_.insert(0, (day, id_, rest))
            each[1] = debt._replace(settled=tuple(paid))


def evening(debt, day):
    """What accrues of a debt for the night that follows a day."""
    left = Decimal(str(debt.principal))
    left -= sum(Decimal(str(amount)) for paid, amount in debt.settled if paid <= day)
    for amount, raised, decided, state in debt.disputes:
        if state in ("open", "credited") and raised <= day and (not decided or day < decided):
            left -= Decimal(str(amount))
    return max(left, Decimal(0))


def stretches(debt, since, until, grace=0):
    """``[(first day, last day, days, sum of what was open)]`` of the days nobody has taken."""
    found, current = [], []
    day = max(debt.due + ONE_DAY * (grace + 1), since)
    while day <= until:
        if any(first <= day <= last for first, last in debt.taken):
            found.append(current)
            current = []
        else:
            current.append((day, evening(debt, day - ONE_DAY)))
        day += ONE_DAY
    found.append(current)
    for days in found:
        charged = [(day, left) for day, left in days if left]
        if charged:
            yield (
                charged[0][0],
                charged[-1][0],
                len(charged),
                sum(left for _day, left in charged),
            )


def charge(numbers, rate, rounding):
    unit = Decimal(str(rounding))
    exact = numbers * Decimal(str(rate)) / 100 / DAYS_OF_A_YEAR
    return float((exact / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit)


def terms_stretches(debt, since, until, terms, days_of_a_year):
    """What each day costs, unrounded: ``[exact]``.

    :param terms: ``[(first day, percent a year)]``
    :param days_of_a_year: zero for those of each year
    """
    costs = []
    day = max(debt.due + ONE_DAY, since)
    while day <= until:
        rate = max((first, rate) for first, rate in terms if first <= day)[1]
        is_leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
        days = days_of_a_year or (366 if is_leap else 365)
        costs.append(Fraction(evening(debt, day - ONE_DAY)) * Fraction(str(rate)) / 100 / days)
        day += ONE_DAY
    return costs


def charge_by_terms(costs, rounding):
    """Rounded once, half away from zero."""
    unit = Fraction(str(rounding))
    return float(int(sum(costs) / unit + Fraction(1, 2)) * unit)
