from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import CollectionsCommon


class TestCasePeriod(CollectionsCommon):
    """Who was responsible for a case when, in which stage and by which policy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ar.collection.assignment"].search([]).active = False
        cls.lea, cls.nia = (
            new_test_user(
                cls.env,
                f"period_{name}",
                "base.group_user,ar_collections.group_collector",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for name in ("lea", "nia")
        )
        cls.move = cls._invoice(cls.customer, 1000, due=-1)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])

    def _periods(self):
        periods = self.env["ar.case.period"].search([("case_id", "=", self.case.id)], order="id")
        return [
            (
                (period.date_from - self.today).days,
                period.date_to and (period.date_to - self.today).days,
                period.collector_id,
                period.stage_id,
                period.amount_overdue,
            )
            for period in periods
        ]

    def _live(self):
        """Opened on day 0, given to somebody on day 5 and to somebody else that day, moved on
        day 20, paid on day 25, opened again on day 40."""
        nobody, first = self.case.collector_id, self.case.stage_id
        self._run(5)
        self.case.collector_id = self.lea
        # What one transaction tracks is one message.
        self.env.cr.flush()
        self.case.collector_id = self.nia
        self.env.cr.flush()
        self._run(20)
        self.case.stage_id = self.stages["final"]
        final = self.case.stage_id
        return [
            (0, 5, nobody, first, 1000),
            (5, 5, self.lea, first, 1000),
            (5, 20, self.nia, first, 1000),
            (20, False, self.nia, final, 1000),
        ]

    def test_life(self):
        expected = self._live()
        self.assertEqual(self._periods(), expected)
        payment = self._pay(self.move, day=25)
        self.assertEqual(self.case.state, "closed")
        closed = (self.case.date_closed - self.today).days
        expected[-1] = (20, closed, *expected[-1][2:])
        self.assertEqual(self._periods(), expected)
        self._run(40)
        self._bounce(payment)
        self.assertEqual(self.case.state, "open")
        periods = self._periods()
        self.assertEqual(periods[:-1], expected)
        self.assertEqual(periods[-1][:4], (40, False, self.nia, self.case.stage_id))

    def test_what_says_nothing_new_begins_nothing(self):
        self.case.write({"stage_id": self.case.stage_id.id})
        self.case.action_pause()
        self.assertEqual(len(self._periods()), 1)

    def test_nobody_changes_it(self):
        period = self.env["ar.case.period"].search([("case_id", "=", self.case.id)])
        manager = new_test_user(
            self.env, "period_manager", "ar_collections.group_credit_manager,base.group_system"
        )
        for change in (
            lambda: period.with_user(manager).write({"date_from": self._day(-9)}),
            lambda: period.with_user(manager).unlink(),
            lambda: period.with_user(manager).create(
                {"case_id": self.case.id, "date_from": self._day(-9)}
            ),
        ):
            with self.assertRaises(AccessError):
                change()

    def test_as_many_queries_for_many(self):
        def follow(count):
            customers = [self._customer(f"Many {count} {number}") for number in range(count)]
            for customer in customers:
                self._invoice(customer, 100, due=-1)
            self._run(self.env["ar.collection.run"].search_count([]))
            cases = self.env["ar.collection.case"].search(
                [("partner_id", "in", [customer.id for customer in customers])]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["ar.case.period"]._follow_cases(cases)
            return self.env.cr.sql_log_count - before

        follow(2)
        self.assertEqual(follow(3), follow(30))

    def test_made_from_tracking(self):
        """The rows of an upgrade are those that were written at the time; what happened between
        two values on one day is lost."""
        self.case = self.case.with_context(tracking_disable=False, mail_notrack=False)
        expected = self._live()
        self.env.cr.flush()
        # All was tracked within one moment: each message gets the day on which it was lived.
        values = self.case.message_ids.tracking_value_ids.sorted("id")
        for value in values:
            day = 20 if value.field_id.name == "stage_id" else 5
            self.env.cr.execute(
                "UPDATE mail_message SET date = %s WHERE id = %s",
                [self._day(day), value.mail_message_id.id],
            )
        self.env.cr.execute("DELETE FROM ar_case_period WHERE case_id = %s", [self.case.id])
        self.env.invalidate_all()
        self.env["ar.case.period"]._make_from_tracking()
        del expected[1]
        # Nobody knows what was overdue on a day that is over.
        self.assertEqual(
            self._periods(),
            [expected[0], *((*period[:-1], 0) for period in expected[1:])],
        )
