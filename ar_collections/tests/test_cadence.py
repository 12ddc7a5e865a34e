from datetime import date, timedelta

from hypothesis import given, strategies as st

from odoo.tests import BaseCase, tagged

from ..models.collection.collection_cadence import Situation, decide

DAY = date(2030, 1, 1)


def situation(days_overdue, rungs=(1, 7, 15), **values):
    values.setdefault("amount", 100)
    return Situation(DAY, DAY - timedelta(days=days_overdue), days_overdue, rungs, **values)


@tagged("post_install", "-at_install")
class TestCadence(BaseCase):
    def test_takes_the_highest_rung_reached(self):
        self.assertEqual(decide(situation(1)).rung, 1)
        self.assertEqual(decide(situation(6)).rung, 1)
        self.assertEqual(decide(situation(20)).rung, 15)

    def test_waits_for_the_next_rung(self):
        decision = decide(situation(8, asked_at=7))
        self.assertEqual((decision.rung, decision.wait), (None, None))
        self.assertEqual(decision.next_date, DAY + timedelta(days=7))

    def test_reasons_to_wait(self):
        recent = {"last_contact": DAY - timedelta(days=2), "min_days_between": 5}
        self.assertEqual(decide(situation(7, amount=0)).wait, "below_minimum")
        self.assertEqual(decide(situation(7, amount=4, min_amount=5)).wait, "below_minimum")
        self.assertEqual(decide(situation(7, **recent)).wait, "contact_cap")
        self.assertEqual(decide(situation(7, **recent)).next_date, DAY + timedelta(days=3))
        self.assertEqual(decide(situation(7, held_back="rest_day")).wait, "rest_day")

    @given(
        st.sets(st.integers(1, 120), min_size=1, max_size=8),
        st.lists(st.booleans(), min_size=150, max_size=150),
        st.integers(0, 10),
    )
    def test_a_life(self, rungs, working, gap):
        """Whatever days are free: each rung at most once, rising, never early, never too often."""
        taken, asked_at, last = {}, 0, None
        for days, free in enumerate(working, 1):
            decision = decide(
                Situation(
                    DAY + timedelta(days=days),
                    DAY,
                    days,
                    tuple(rungs),
                    frozenset(taken),
                    asked_at,
                    100,
                    0,
                    last,
                    gap,
                    None if free else "rest_day",
                )
            )
            if decision.rung is not None:
                self.assertNotIn(decision.rung, taken)
                self.assertGreater(decision.rung, max(taken, default=0))
                self.assertLessEqual(decision.rung, days)
                self.assertTrue(free)
                if last:
                    self.assertGreaterEqual(DAY + timedelta(days=days) - last, timedelta(days=gap))
                taken[decision.rung] = days
                asked_at, last = days, DAY + timedelta(days=days)
            if decision.next_date and not decision.wait:
                self.assertGreater(decision.next_date, DAY + timedelta(days=days))
        if all(working) and not gap:
            self.assertEqual(set(taken), rungs)
