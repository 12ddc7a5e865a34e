"""When the next step of a case is due: plain functions of plain values."""

from datetime import timedelta
from typing import NamedTuple

# Why a case waits although a step's day has come.
WAITS = {
    "below_minimum": "Below the minimum amount",
    "contact_cap": "Contacted too recently",
    "rest_day": "Not a working day",
    "stale_bank": "Bank entries are too old",
    "stopped": "Stopped by a manager",
    "undelivered": "A message has not got through",
    "claimed": "Promised or disputed",
    "replied": "The customer has written",
    "insolvent": "The customer is insolvent",
    "placed": "With an agency or lawyer",
    "proof": "Proof of effort is missing",
    "no_step": "No step is left: decide",
}


class Situation(NamedTuple):
    date: object
    # Due date of the oldest overdue item and its days overdue.
    due: object
    days_overdue: int
    # Days of the policy's steps after the due date, any order.
    step_days: tuple
    # Step days that the oldest item has been part of, and its days overdue at the last of them.
    taken: frozenset = frozenset()
    asked_at: int = 0
    amount: float = 0.0
    min_amount: float = 0.0
    last_contact: object = None
    min_days_between: int = 0
    # Why nothing goes out on this day at all, a key of WAITS, or None.
    held_back: object = None
    # Its days overdue when it was asked for last, by any step, and the days after which the last
    # step comes again, zero for never.
    last_age: int = 0
    repeat_days: int = 0


class Decision(NamedTuple):
    # The step day whose steps are taken now, or None.
    step_day: object
    # Why a step that is due has to wait, a key of WAITS, or None.
    wait: object
    # The next day on which something can happen, or None when nothing is planned.
    next_date: object


def decide(case):
    """Take the last step day that the oldest overdue item has reached and not yet had.

    Days before it are skipped: an old debt that is found late gets one contact, not all of them.
    The last of all is repeated: its step day is then the age of the item.
    """
    reached = [day for day in case.step_days if day <= case.days_overdue]
    ahead = [day for day in case.step_days if day > case.days_overdue]
    next_date = case.due + timedelta(days=min(ahead)) if ahead else None
    top = max(reached, default=None)
    nothing_now = Decision(None, None if ahead else "no_step", next_date)
    if top is None:
        return nothing_now
    if top in case.taken or case.asked_at >= top:
        if ahead or not case.repeat_days:
            return nothing_now
        again = max(case.asked_at, case.last_age) + case.repeat_days
        next_date = case.due + timedelta(days=again)
        if case.days_overdue < again:
            return Decision(None, None, next_date)
        top = case.days_overdue
        next_date = case.due + timedelta(days=top + case.repeat_days)
    if case.amount <= 0 or case.amount < case.min_amount:
        return Decision(None, "below_minimum", next_date)
    if case.last_contact:
        free_again = case.last_contact + timedelta(days=case.min_days_between)
        if free_again > case.date:
            return Decision(None, "contact_cap", free_again)
    if case.held_back:
        return Decision(None, case.held_back, case.date + timedelta(days=1))
    return Decision(top, None, next_date)


def begin_with_first(case, step_day, days_since):
    """The situation of a customer who climbs the steps from the first one, whatever the age.

    The item is looked at as if it had been as old as the last step day when that step was taken:
    each further step follows as many days later as the policy puts between them.

    :param step_day: of the last step, zero when there was none
    :param days_since: days since then
    """
    first = min(case.step_days, default=None)
    age = step_day + days_since if step_day else first
    if age is None or age >= case.days_overdue:
        return case
    return case._replace(
        due=case.date - timedelta(days=age),
        days_overdue=age,
        taken=frozenset(),
        asked_at=step_day,
        last_age=step_day,
    )
