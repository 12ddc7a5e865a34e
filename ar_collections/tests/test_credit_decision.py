"""The pure rules: limits and decisions, against what somebody would write by hand."""

from datetime import date, timedelta

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from odoo.tests import BaseCase, tagged

from ..models.credit.credit_decision import ACTIONS, CONTROL_OF, Facts, decide, strictest
from ..models.credit.credit_limit import LimitTerms, effective_limit

TODAY = date(2030, 6, 3)
QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
AMOUNTS = st.integers(-300, 300)
DAYS = st.one_of(st.none(), st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days)))
FACTS = st.builds(
    Facts,
    controls=st.fixed_dictionaries(
        {control: st.sampled_from(ACTIONS) for control in sorted(set(CONTROL_OF.values()))}
    ),
    exposure=AMOUNTS,
    limit=st.one_of(st.none(), st.integers(0, 300)),
    group_name=st.just("Group"),
    group_exposure=AMOUNTS,
    group_limit=st.one_of(st.none(), st.integers(0, 300)),
    overdue=st.integers(0, 100),
    days_overdue=st.integers(0, 90),
    tolerated_overdue=st.integers(0, 100),
    hold=st.booleans(),
    broken_promises=st.integers(0, 2),
    written_off=st.integers(0, 2),
    review_date=DAYS,
    limit_expiry=DAYS,
    cover_expiry=DAYS,
    max_term_days=st.integers(0, 60),
    ungraded=st.booleans(),
    twin=st.sampled_from(("", "Twin")),
    risk=st.sampled_from(("", "high")),
)


def oracle(facts, amount, term_days):
    """One rule after the other, as the product description tells them."""
    wanted = []
    if facts.exposure + amount <= 0:
        return wanted
    if facts.hold:
        wanted.append("hold")
    if facts.limit is not None and facts.exposure + amount > facts.limit:
        wanted.append("limit")
    if facts.group_limit is not None and facts.group_exposure + amount > facts.group_limit:
        wanted.append("group_limit")
    if facts.overdue > facts.tolerated_overdue:
        wanted.append("overdue")
    if facts.broken_promises > 0:
        wanted.append("promise")
    if facts.written_off > 0:
        wanted.append("written_off")
    for code, day in (
        ("review_expired", facts.review_date),
        ("limit_expired", facts.limit_expiry),
        ("cover_expired", facts.cover_expiry),
    ):
        if day is not None and day < TODAY:
            wanted.append(code)
    if term_days is not None and term_days > facts.max_term_days:
        wanted.append("terms")
    wanted += [code for code in ("ungraded", "twin", "risk") if getattr(facts, code)]
    return [code for code in wanted if facts.controls[CONTROL_OF[code]] != "allow"]


@tagged("post_install", "-at_install")
class TestDecision(BaseCase):
    @QUICK
    @given(facts=FACTS, amount=AMOUNTS, term_days=st.one_of(st.none(), st.integers(0, 90)))
    def test_every_reason_and_no_other(self, facts, amount, term_days):
        found = decide(facts, amount, TODAY, term_days)
        self.assertEqual([finding.code for finding in found], oracle(facts, amount, term_days))
        worst = max((ACTIONS.index(finding.action) for finding in found), default=0)
        self.assertEqual(strictest(found), ACTIONS[worst])

    def test_edges(self):
        controls = dict.fromkeys(CONTROL_OF.values(), "block")
        clean = Facts(controls=controls, limit=100, max_term_days=30)
        for facts, amount, term_days, codes in (
            (clean, 100, 30, []),
            (clean, 100.004, 30, []),
            (clean, 100.01, 30, ["limit"]),
            (clean, 50, 31, ["terms"]),
            (clean._replace(limit=0), 0.01, None, ["limit"]),
            (clean._replace(limit=0), 0, None, []),
            (clean._replace(limit=None), 10**9, None, []),
            (clean._replace(exposure=-100, hold=True), 100, None, []),
            (clean._replace(exposure=-100, hold=True), 100.01, None, ["hold"]),
            (clean._replace(review_date=TODAY), 1, None, []),
            (clean._replace(review_date=TODAY - timedelta(days=1)), 1, None, ["review_expired"]),
            (clean._replace(overdue=5, tolerated_overdue=5), 1, None, []),
            (clean._replace(group_limit=0), 1, None, ["group_limit"]),
        ):
            found = [finding.code for finding in decide(facts, amount, TODAY, term_days)]
            self.assertEqual(found, codes, facts)

    def test_limits(self):
        before, after = TODAY, TODAY + timedelta(days=1)
        for terms, day, limit in (
            (LimitTerms(), None, None),
            (LimitTerms(default=70), None, 70),
            (LimitTerms(rule="fixed", fixed=0, default=70), None, 0),
            (LimitTerms(rule="months", months=2, avg_monthly_sales=40), None, 80),
            (LimitTerms(rule="months", months=2, avg_monthly_sales=40, cap=50), None, 50),
            (LimitTerms(rule="months", months=2, avg_monthly_sales=-40), None, 0),
            (LimitTerms(rule="term", months=9, avg_monthly_sales=40, days_unpaid=45), None, 60),
            (LimitTerms(rule="term", avg_monthly_sales=40, days_unpaid=45, cap=50), None, 50),
            (LimitTerms(rule="term", avg_monthly_sales=40), None, 0),
            (LimitTerms("custom", custom=0, rule="fixed", fixed=9), None, 0),
            (LimitTerms("unlimited", custom=5), None, None),
            (LimitTerms("unlimited", temporary=5, temporary_end=TODAY), None, 5),
            (LimitTerms("custom", 10, 50, TODAY), before, 50),
            (LimitTerms("custom", 10, 50, TODAY), after, 10),
            (LimitTerms("custom", 10, 50, TODAY, cover=5), after, 15),
            (LimitTerms("custom", 0, cover=100), None, 100),
            (LimitTerms("unlimited", cover=100), None, None),
            (LimitTerms("custom", 100_000, cover=0.5 * 50_000), None, 125_000),
        ):
            self.assertEqual(effective_limit(terms, day), limit, terms)
