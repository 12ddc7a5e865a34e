from datetime import date, timedelta

from hypothesis import given, strategies as st

from odoo.tests import BaseCase, tagged

from ..models.collection.collection_cadence import Situation, decide

DAY = date(2030, 1, 1)


def situation(days_overdue, step_days=(1, 7, 15), **values):
    values.setdefault("amount", 100)
    return Situation(DAY, DAY - timedelta(days=days_overdue), days_overdue, step_days, **values)


@tagged("post_install", "-at_install")
class TestCadence(BaseCase):
    def test_takes_the_last_step_day_reached(self):
        self.assertEqual(decide(situation(1)).step_day, 1)
        self.assertEqual(decide(situation(6)).step_day, 1)
        self.assertEqual(decide(situation(20)).step_day, 15)

    def test_waits_for_the_next_step_day(self):
        decision = decide(situation(8, asked_at=7))
        self.assertEqual((decision.step_day, decision.wait), (None, None))
        self.assertEqual(decision.next_date, DAY + timedelta(days=7))

    def test_last_step_is_repeated(self):
        had = {"taken": frozenset((1, 7, 15)), "asked_at": 15, "last_age": 40}
        self.assertEqual(decide(situation(400, **had)).step_day, None)
        had["repeat_days"] = 30
        decision = decide(situation(69, **had))
        self.assertEqual((decision.step_day, decision.next_date), (None, DAY + timedelta(days=1)))
        decision = decide(situation(70, **had))
        self.assertEqual((decision.step_day, decision.next_date), (70, DAY + timedelta(days=30)))
        early = {**had, "taken": frozenset((1, 7)), "asked_at": 7}
        self.assertEqual(decide(situation(14, **early)).next_date, DAY + timedelta(days=1))

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
    def test_a_life(self, step_days, working, gap):
        """Whatever days are free: each step day once at most, rising, never early or too often."""
        taken, asked_at, last = {}, 0, None
        for days, free in enumerate(working, 1):
            decision = decide(
                Situation(
                    DAY + timedelta(days=days),
                    DAY,
                    days,
                    tuple(step_days),
                    frozenset(taken),
                    asked_at,
                    100,
                    0,
                    last,
                    gap,
                    None if free else "rest_day",
                )
            )
            if decision.step_day is not None:
                self.assertNotIn(decision.step_day, taken)
                self.assertGreater(decision.step_day, max(taken, default=0))
                self.assertLessEqual(decision.step_day, days)
                self.assertTrue(free)
                if last:
                    self.assertGreaterEqual(DAY + timedelta(days=days) - last, timedelta(days=gap))
                taken[decision.step_day] = days
                asked_at, last = days, DAY + timedelta(days=days)
            if decision.next_date and not decision.wait:
                self.assertGreater(decision.next_date, DAY + timedelta(days=days))
        if all(working) and not gap:
            self.assertEqual(set(taken), step_days)
