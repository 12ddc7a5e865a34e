"""How dangerous a write-off is: plain functions of plain values.

Causes that are usual in internal control of receivables: too early, too little effort, a customer
who is still there, and whoever gains by it. Points add up to 100 at most.
"""

from typing import NamedTuple

# Code, label, default meaning of the threshold.
CAUSES = [
    ("young", "Overdue for less than … days"),
    ("few_contacts", "Fewer than … contacts made"),
    ("trading", "Bought or paid in the last … days"),
    ("no_hold", "No credit hold"),
    ("involved", "Requested by the collector or salesperson"),
    ("near_tier", "Within … % below the next approval tier"),
    ("split", "Other requests for the customer in the last … days"),
    ("no_evidence", "Required evidence is missing"),
    ("frequent", "Write-off number … or later of the requester this quarter"),
]


class WriteoffFacts(NamedTuple):
    """What is known of one request; ``None`` for what does not apply to it."""

    # Of the youngest item.
    days_overdue: int = None
    contacts: int = None
    # Since the last invoice or payment of the customer.
    days_since_trade: int = None
    on_hold: bool = None
    requester_involved: bool = None
    amount: float = 0.0
    # Where the next tier starts.
    next_tier: float = None
    # Days since the other requests for the customer were submitted.
    other_requests: tuple = ()
    missing_evidence: int = 0
    # Of the requester in this quarter, with this one.
    requests_in_quarter: int = 0


class RiskRule(NamedTuple):
    code: str
    points: int
    threshold: float = 0.0


class Cause(NamedTuple):
    code: str
    points: int
    # What was found, and the threshold: for the text.
    values: dict


def assess(facts, rules):
    """The risk of a write-off and its causes.

    :param facts: :class:`WriteoffFacts`
    :param rules: iterable of :class:`RiskRule`, in the order in which the causes are shown
    :return: ``(score from 0 to 100, [Cause])``
    """
    causes = []
    for rule in rules:
        found = _find(rule.code, rule.threshold, facts)
        if found is not None:
            causes.append(
                Cause(rule.code, rule.points, {"found": found, "threshold": rule.threshold})
            )
    return min(sum(cause.points for cause in causes), 100), causes


def _find(code, threshold, facts):
    """What speaks for a cause, ``None`` when nothing does."""
    values = {
        "young": facts.days_overdue,
        "few_contacts": facts.contacts,
        "trading": facts.days_since_trade,
        "no_hold": facts.on_hold,
        "near_tier": facts.next_tier,
    }
    if code in values and values[code] is None:
        return None
    applies, found = {
        "young": lambda: (facts.days_overdue < threshold, facts.days_overdue),
        "few_contacts": lambda: (facts.contacts < threshold, facts.contacts),
        "trading": lambda: (facts.days_since_trade <= threshold, facts.days_since_trade),
        "no_hold": lambda: (not facts.on_hold, 0),
        "involved": lambda: (facts.requester_involved, 0),
        "near_tier": lambda: (
            facts.next_tier * (1 - threshold / 100) <= facts.amount < facts.next_tier,
            facts.next_tier,
        ),
        "split": lambda: _count(facts.other_requests, threshold),
        "no_evidence": lambda: (facts.missing_evidence > 0, facts.missing_evidence),
        "frequent": lambda: (
            facts.requests_in_quarter >= threshold,
            facts.requests_in_quarter,
        ),
    }[code]()
    return found if applies else None


def _count(days, threshold):
    count = sum(1 for age in days if age <= threshold)
    return count > 0, count
