"""What a claim is worth on each way: plain functions of plain values."""

from typing import NamedTuple

OPTIONS = [
    ("court", "Go to court"),
    ("agency", "Give to an agency"),
    ("plan", "Agree on instalments"),
    ("insurance", "Claim on the insurance"),
    ("writeoff", "Write off"),
]
MONTHS = 12


class Claim(NamedTuple):
    amount: float
    # Yearly rate at which money that comes later is worth less, and the tax saved per loss.
    interest: float = 0.0
    tax_rate: float = 0.0
    # Chances and shares are from 0 to 1, waits in months. A way whose chance is unknown is none.
    court_chance: float | None = 0.0
    court_fee: float = 0.0
    lawyer_fee: float = 0.0
    court_months: float = 0.0
    # The court fee comes back with a claim that is won.
    fee_back: bool = False
    agency_chance: float | None = 0.0
    commission: float = 0.0
    agency_months: float = 0.0
    plan_chance: float | None = 0.0
    plan_months: float = 0.0
    # What the insurer stands for.
    insured: float = 0.0
    insurance_months: float = 0.0


class Worth(NamedTuple):
    option: str
    # What is to be expected, before costs and undiscounted.
    expected: float
    costs: float
    months: float
    # Tax saved by writing off what does not come.
    relief: float
    # All of it as of today: what the ways are compared by.
    value: float


def present(amount, months, interest):
    """The value today of an amount that comes after so many months, at yearly compound interest."""
    return amount / (1 + interest) ** (months / MONTHS)


def weigh(claim):
    """The ways that are open, the best first; of equals the one with less trouble.

    ``value = discounted(amount x chance + tax relief on the rest - commission) - fees paid now``.
    Instalments come on average after half of the plan. Every way that fails ends in a write-off,
    so that its tax relief is counted everywhere.

    :param claim: :class:`Claim`
    :return: ``[Worth]``; the insurance is there only when something is insured, court, agency and
        instalments only when their chance is known
    """
    ways = [("writeoff", 0.0, 0.0, 0.0, 0.0)]
    if claim.plan_chance is not None:
        ways.append(_plan(claim))
    if claim.insured > 0:
        paid = min(claim.insured, claim.amount)
        ways.append(("insurance", paid, 0.0, 0.0, claim.insurance_months))
    if claim.agency_chance is not None:
        expected = claim.amount * claim.agency_chance
        ways.append(("agency", expected, 0.0, expected * claim.commission, claim.agency_months))
    if claim.court_chance is not None:
        ways.append(_court(claim))
    worth = [_worth(claim, *way) for way in ways]
    # A stable sort: simple ways come first.
    return sorted(worth, key=lambda way: -round(way.value, 6))


def _plan(claim):
    # n monthly instalments, the first after a month.
    months = (claim.plan_months + 1) / 2 if claim.plan_months else 0
    return ("plan", claim.amount * claim.plan_chance, 0.0, 0.0, months)


def _court(claim):
    back = claim.court_fee * claim.court_chance if claim.fee_back else 0.0
    return (
        "court",
        claim.amount * claim.court_chance,
        claim.court_fee + claim.lawyer_fee,
        -back,
        claim.court_months,
    )


def _worth(claim, option, expected, costs_now, costs_later, months):
    relief = max(claim.amount - expected, 0) * claim.tax_rate
    later = expected + relief - costs_later
    value = present(later, months, claim.interest) - costs_now
    return Worth(option, expected, costs_now + costs_later, months, relief, value)
