"""How a credit limit comes about: pure, so that the file and the control agree on any date."""

from datetime import timedelta
from math import inf
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo.tools import SQL

LIMIT_MODES = [("grade", "By grade"), ("custom", "Custom"), ("unlimited", "Unlimited")]
# What of a credit file decides its limit.
LIMIT_FIELDS = (
    "grade_id",
    "limit_mode",
    "custom_limit",
    "temporary_limit",
    "temporary_limit_end",
    "cover_amount",
    "limit_currency_id",
    "limit_in_currency",
    "equity",
    "customer_since",
)
# Of the same grade, what the risk of the customer leaves of it.
RISK_LIMIT_FIELDS = ("risk_from", "risk_limit_share")
# Rules that follow the sales of the customer.
SALES_RULES = ("months", "term")


class CoverPeriod(NamedTuple):
    """What a credit cover adds, in company currency, and on which days."""

    amount: float
    start: object
    # The last day, false for no end.
    end: object = None


class LimitTerms(NamedTuple):
    """What decides the limit of one customer; amounts in company currency."""

    mode: str = "grade"
    custom: float = 0.0
    temporary: float = 0.0
    temporary_end: object = None
    # The grade's rule; see ``ar.credit.grade``.
    rule: str = "none"
    fixed: float = 0.0
    months: float = 0.0
    cap: float = 0.0
    avg_monthly_sales: float = 0.0
    # How long an invoice is usually open: its term and the usual delay.
    days_unpaid: float = 0.0
    # The company's default limit, ``None`` when it has none.
    default: float = None
    # What credit cover adds, and on which days; ``None``: on any.
    cover: float = 0.0
    periods: tuple = None
    # Caps of the grade; zero for none: of the equity, ``None`` when unknown, and of the cover.
    equity_share: float = 0.0
    equity: float = None
    cover_share: float = 0.0
    # Who is a customer for fewer months, or was never invoiced, gets so much at most.
    young_months: int = 0
    young_limit: float = 0.0
    since: object = None
    # What the risk leaves of what was agreed, as a share.
    risk_share: float = 1.0


def effective_limit(terms, date=None):
    """The limit under the terms, ``None`` for no limit; zero is no credit at all.

    A temporary limit replaces any other until its last day. Cover raises what the company itself
    risks: limit + sum of covered amounts (so Dynamics 365: 100,000 + 50,000 x 50 % = 125,000). A
    risk cuts what the company itself risks, and not the cover.

    :param date: judges whether a temporary limit still counts; without one it does
    """
    limit = _own_limit(terms, date)
    return None if limit is None else limit * terms.risk_share + get_cover(terms, date)


def get_cover(terms, date=None):
    """What credit cover adds on a day."""
    if terms.periods is None or date is None:
        return terms.cover
    return sum(
        period.amount
        for period in terms.periods
        if period.start <= date and not (period.end and period.end < date)
    )


def agreed_limit(terms, date=None):
    """The limit that was agreed, whatever the risk leaves of it; as :func:`effective_limit`."""
    return effective_limit(terms._replace(risk_share=1.0), date)


def _own_limit(terms, date):
    if terms.temporary_end and (date is None or date <= terms.temporary_end):
        return terms.temporary
    if terms.mode == "unlimited":
        return None
    if terms.mode == "custom":
        return terms.custom
    return grade_limit(terms, date)


def find_raise(former, terms, date):
    """What terms allow more than the former ones, on the day from a date on when it is most.

    A limit changes by itself when a temporary one ends, or a cover begins or ends: what comes
    then counts as well. What is agreed counts also while the risk cuts it, for it comes back.

    :return: ``(amount, limit before, limit now)``, limits as :func:`effective_limit` says; the
        amount is infinite when no limit is left, and zero or negative when nothing is raised
    """
    periods = (*(former.periods or ()), *(terms.periods or ()))
    ends = {each.temporary_end for each in (former, terms)} | {each.end for each in periods}
    ends -= {None, False}
    days = {date, *ends, *(end + timedelta(days=1) for end in ends)}
    days |= {each.start for each in periods}
    changes = [
        (get_limit(former, day), get_limit(terms, day))
        for day in sorted(days)
        if day >= date
        for get_limit in (agreed_limit, effective_limit)
    ]
    return max(((get_increase(*change), *change) for change in changes), key=lambda rise: rise[0])


def get_increase(former, limit):
    """By how much a limit is above the former one, ``None`` being no limit."""
    if former is None:
        return 0.0
    return inf if limit is None else limit - former


def grade_limit(terms, date=None):
    """The limit that the rule of the grade gives, ``None`` for no limit.

    :param date: see :func:`is_young`
    """
    limit = rule_limit(terms)
    amounts = [amount for _code, amount in get_caps(terms, date)]
    return min(amounts if limit is None else [limit, *amounts], default=None)


def rule_limit(terms):
    """What the rule of the grade gives before any cap."""
    if terms.rule == "fixed":
        return terms.fixed
    if terms.rule in SALES_RULES:
        return max(terms.avg_monthly_sales, 0) * get_months(terms)
    return terms.default


def get_caps(terms, date=None):
    """What caps the limit by grade: list of ``(code, amount)``."""
    caps = []
    if terms.cap and terms.rule in SALES_RULES:
        caps.append(("grade", terms.cap))
    if terms.equity_share and terms.equity is not None:
        caps.append(("equity", max(terms.equity, 0) * terms.equity_share))
    if terms.cover_share:
        caps.append(("cover", get_cover(terms, date) * terms.cover_share))
    if is_young(terms, date):
        caps.append(("young", terms.young_limit))
    return caps


def is_young(terms, date=None):
    """Whether somebody is a customer for fewer months than the grade asks for.

    :param date: without one nobody has become older yet
    """
    if not terms.young_months:
        return False
    return not (
        terms.since and date and date >= terms.since + relativedelta(months=terms.young_months)
    )


def get_months(terms):
    """How many months of sales the rule gives credit for.

    By term it is what is open when everything goes as usual: (term + delay) / 30.
    """
    return terms.months if terms.rule == "months" else terms.days_unpaid / 30


def limit_use_sql(exposure):
    """How much of its limit a row of the table ``file`` uses; SQL.

    :param exposure: SQL of the exposure to be
    """
    return SQL(
        """CASE WHEN file.is_limited IS NOT TRUE OR COALESCE(%(exposure)s, 0) <= 0 THEN 0
                WHEN file.effective_limit > 0 THEN %(exposure)s / file.effective_limit
                ELSE 1 END""",
        exposure=exposure,
    )
