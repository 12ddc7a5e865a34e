"""Whether a document may give credit: pure, from values that were gathered before."""

from typing import NamedTuple

# Rising; a decision is the strictest action of its reasons.
ACTIONS = ("allow", "warn", "approve", "block")
# Reason code -> the control of the grade that says what it does.
CONTROL_OF = {
    "limit": "on_limit",
    "group_limit": "on_limit",
    "overdue": "on_overdue",
    "hold": "on_hold",
    "promise": "on_promise",
    "written_off": "on_written_off",
    "review_expired": "on_expired",
    "limit_expired": "on_expired",
    "cover_expired": "on_expired",
    "terms": "on_terms",
    "ungraded": "on_first_sale",
    "twin": "on_twin",
    "risk": "on_risk",
}


class Facts(NamedTuple):
    """What is known of one customer on one day; amounts in company currency."""

    # {field of the grade: action}
    controls: dict
    # Open items, credits negative, and confirmed orders that are not invoiced yet.
    exposure: float = 0.0
    # None for no limit.
    limit: float = None
    group_name: str = ""
    group_exposure: float = 0.0
    group_limit: float = None
    # Items overdue for more days than the grade tolerates, and what it tolerates of them.
    overdue: float = 0.0
    days_overdue: int = 0
    tolerated_overdue: float = 0.0
    hold: bool = False
    hold_reason: str = ""
    hold_date: object = None
    broken_promises: int = 0
    # Given up before, and not paid since.
    written_off: float = 0.0
    review_date: object = None
    limit_expiry: object = None
    cover_expiry: object = None
    max_term_days: int = 0
    ungraded: bool = False
    # Name of a held or bad customer with the same tax number.
    twin: str = ""
    # The risk tier, when it is one at which the grade acts.
    risk: str = ""
    # A document of the customer waits for a release; decides nothing.
    waiting: bool = False


class Finding(NamedTuple):
    code: str
    action: str
    values: dict


def decide(facts, amount, date, term_days=None, precision=0.005):
    """Every reason against giving this customer that much more credit.

    A customer whose balance stays in credit gets none: whatever is known of him, nothing is held
    against a document that is paid in advance.

    :param amount: of the document at hand, company currency
    :param term_days: days until the document is due, ``None`` when unknown
    :param precision: differences up to it are no difference
    :return: list of :class:`Finding`, in a fixed order; without those the grade allows
    """
    exposure, group_exposure = facts.exposure + amount, facts.group_exposure + amount
    if exposure <= precision:
        return []

    def is_over(value, limit):
        return limit is not None and value > limit + precision

    def is_past(day):
        return bool(day) and day < date

    checks = (
        ("hold", facts.hold, {"date": facts.hold_date, "reason": facts.hold_reason}),
        ("limit", is_over(exposure, facts.limit), {"exposure": exposure, "limit": facts.limit}),
        (
            "group_limit",
            is_over(group_exposure, facts.group_limit),
            {"name": facts.group_name, "exposure": group_exposure, "limit": facts.group_limit},
        ),
        (
            "overdue",
            is_over(facts.overdue, facts.tolerated_overdue),
            {"amount": facts.overdue, "days": facts.days_overdue},
        ),
        ("promise", facts.broken_promises, {"count": facts.broken_promises}),
        ("written_off", facts.written_off > precision, {"amount": facts.written_off}),
        ("review_expired", is_past(facts.review_date), {"date": facts.review_date}),
        ("limit_expired", is_past(facts.limit_expiry), {"date": facts.limit_expiry}),
        ("cover_expired", is_past(facts.cover_expiry), {"date": facts.cover_expiry}),
        (
            "terms",
            term_days is not None and term_days > facts.max_term_days,
            {"days": term_days, "longest": facts.max_term_days},
        ),
        ("ungraded", facts.ungraded, {}),
        ("twin", facts.twin, {"name": facts.twin}),
        ("risk", facts.risk, {"risk": facts.risk}),
    )
    findings = (
        Finding(code, facts.controls.get(CONTROL_OF[code], "allow"), values)
        for code, applies, values in checks
        if applies
    )
    return [finding for finding in findings if finding.action != "allow"]


def strictest(findings):
    return max((finding.action for finding in findings), key=ACTIONS.index, default="allow")
