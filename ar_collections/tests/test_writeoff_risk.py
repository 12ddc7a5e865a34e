from hypothesis import given, strategies as st

from odoo.tests import BaseCase, tagged

from ..models.writeoff.writeoff_entry import LOSS, TAX, WAITING_TAX, Part, Share, split, spread
from ..models.writeoff.writeoff_risk import CAUSES, RiskRule, WriteoffFacts, assess

CODES = [code for code, _label in CAUSES]


def cents(amount):
    return round(amount, 2)


@tagged("post_install", "-at_install")
class TestWriteoffDecisions(BaseCase):
    def _codes(self, rules, **facts):
        score, causes = assess(WriteoffFacts(**facts), rules)
        return score, [cause.code for cause in causes]

    def test_each_cause_at_its_threshold(self):
        for code, threshold, inside, outside in (
            ("young", 90, {"days_overdue": 89}, {"days_overdue": 90}),
            ("few_contacts", 3, {"contacts": 2}, {"contacts": 3}),
            ("trading", 90, {"days_since_trade": 90}, {"days_since_trade": 91}),
            ("no_hold", 0, {"on_hold": False}, {"on_hold": True}),
            ("involved", 0, {"requester_involved": True}, {"requester_involved": False}),
            (
                "near_tier",
                5,
                {"amount": 950, "next_tier": 1000},
                {"amount": 949.99, "next_tier": 1000},
            ),
            ("split", 30, {"other_requests": (30, 99)}, {"other_requests": (31,)}),
            ("no_evidence", 0, {"missing_evidence": 1}, {"missing_evidence": 0}),
            ("frequent", 3, {"requests_in_quarter": 3}, {"requests_in_quarter": 2}),
        ):
            rules = [RiskRule(code, 7, threshold)]
            self.assertEqual(self._codes(rules, **inside), (7, [code]), code)
            self.assertEqual(self._codes(rules, **outside), (0, []), code)

    def test_what_does_not_apply_is_no_cause(self):
        rules = [RiskRule(code, 10, 1) for code in CODES]
        self.assertEqual(self._codes(rules), (0, []))

    def test_no_more_than_a_hundred(self):
        rules = [RiskRule("no_hold", 80), RiskRule("involved", 80)]
        facts = {"on_hold": False, "requester_involved": True}
        self.assertEqual(self._codes(rules, **facts), (100, ["no_hold", "involved"]))

    @given(
        amount=st.integers(1, 10**9),
        weights=st.lists(st.integers(-500, 100_000), min_size=1, max_size=8),
    )
    def test_parts_add_up(self, amount, weights):
        if sum(weights) <= 0:
            return
        amount /= 100
        parts = split(amount, weights, cents)
        self.assertEqual(cents(sum(parts)), amount)
        for part, weight in zip(parts, weights, strict=True):
            exact = amount * weight / sum(weights)
            self.assertLessEqual(abs(part - exact), 0.01 * len(weights) + 1e-6 * amount)

    def test_spread(self):
        goods = Share(LOSS, 80, '{"1": 100.0}', (5,))
        other = Share(LOSS, 20, None, (5,))
        tax = Share(TAX, 20, None, (), 7, 3)
        waiting = Share(WAITING_TAX, 20, None, (), 8, 4)
        self.assertEqual(spread(60, [], True, cents), [(Part(LOSS), 60)])
        self.assertEqual(
            spread(60, [goods, other, tax], True, cents),
            [
                (Part(LOSS, '{"1": 100.0}', (5,)), 40),
                (Part(LOSS, None, (5,)), 10),
                (Part(TAX, None, (), 7, 3), 10),
            ],
        )
        # Without relief the tax is part of the loss, but a tax that is not due yet never is.
        self.assertEqual(
            spread(60, [goods, other, tax], False, cents),
            [(Part(LOSS, '{"1": 100.0}'), 48), (Part(LOSS), 12)],
        )
        self.assertEqual(
            spread(60, [goods, other, waiting], False, cents),
            [
                (Part(LOSS, '{"1": 100.0}'), 40),
                (Part(LOSS), 10),
                (Part(WAITING_TAX, None, (), 8, 4), 10),
            ],
        )
