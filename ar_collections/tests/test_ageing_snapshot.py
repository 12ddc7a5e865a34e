from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import CollectionsCommon

MARCH, APRIL, MAY = date(2030, 3, 31), date(2030, 4, 30), date(2030, 5, 31)


class TestAgeingSnapshot(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.snapshots = cls.env["ar.ageing.snapshot"]

    def _of(self, day, partner=None):
        return self.snapshots.search(
            [
                ("company_id", "=", self.company.id),
                ("date", "=", day),
                ("partner_id", "=", (partner or self.customer).id),
            ]
        )

    def _amounts(self, snapshot):
        rows = self.env["ar.ageing.snapshot.bucket"].search(
            [
                ("company_id", "=", snapshot.company_id.id),
                ("partner_id", "=", snapshot.partner_id.id),
                ("date", "=", snapshot.date),
            ]
        )
        return {row.bucket_id.display_name: row.amount for row in rows}

    def test_daily_run_keeps_the_month_that_is_over(self):
        self._invoice(self.customer, 100, due=-10)
        self._invoice(self.customer, 70, due=20, date_=MAY)
        self._invoice(self.customer, 30, due=-40, move_type="out_refund")
        self._run(-5)
        self.assertFalse(self._of(MAY), "May is not over on the 29th")
        self.assertTrue(self._of(APRIL), "the month before is kept as well")
        self._run(0)
        self.assertRecordValues(
            self._of(MAY),
            [
                {
                    "open_amount": 140,
                    "not_due": 70,
                    "overdue_amount": 100,
                    "unallocated": -30,
                    "oldest_due": self._day(-10),
                    "risk_tier": "medium",
                    "grade_id": self.env.ref("ar_collections.credit_grade_unrated").id,
                }
            ],
        )
        self.assertEqual(self._amounts(self._of(MAY)), {"Not due": 70, "1-30": 100})

    def test_months_before_the_history_know_no_tier(self):
        self._invoice(self.customer, 100, due=-40)
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        self.env.cr.execute(
            "UPDATE ar_credit_history SET date = %s WHERE file_id = %s", (MAY, file.id)
        )
        self.snapshots._take_snapshot(self.company, APRIL)
        self.snapshots._take_snapshot(self.company, MAY)
        self.assertRecordValues(
            self._of(APRIL) | self._of(MAY),
            [
                {"date": APRIL, "risk_tier": "unknown", "grade_id": False},
                {"date": MAY, "risk_tier": "medium", "grade_id": file.grade_id.id},
            ],
        )

    def test_figures_are_those_of_the_position(self):
        other = self._customer("Other")
        for index, partner in enumerate((self.customer, other, self.customer)):
            invoice = self._invoice(partner, 100 + index, due=-20 * index - 5)
        self._pay(invoice, 40, day=-20)
        self._pay(invoice, day=-1)
        self.snapshots._take_snapshot(self.company, MAY)
        figures = self.env["ar.position"]._figures(self.company, MAY)
        kept = self.snapshots.search([("company_id", "=", self.company.id), ("date", "=", MAY)])
        self.assertEqual(len(kept), len(figures))
        buckets = self.env["ar.ageing.bucket"]._get_buckets(self.company)
        for snapshot in kept:
            found = figures[self.company.id, snapshot.partner_id.id]
            self.assertEqual(snapshot.open_amount, found.open_amount)
            self.assertEqual(
                [snapshot.buckets[str(bucket.id)] for bucket in buckets], found.buckets
            )

    def test_once_per_month(self):
        self._invoice(self.customer, 100, due=-10)
        self._run(0)
        first = self._of(MAY)
        self._run(1)
        self._invoice(self._customer("Late entry"), 50, due=-20)
        self.assertEqual(self.snapshots._take_snapshot(self.company, MAY), 0)
        self.assertEqual(self._of(MAY), first)
        self.assertFalse(
            self._of(MAY, self.env["res.partner"].search([("name", "=", "Late entry")]))
        )

    def test_a_run_that_was_killed_is_done_again(self):
        self._invoice(self.customer, 100, due=-10)
        with self.env.cr.savepoint() as savepoint:
            self.snapshots._take_snapshot(self.company, MAY)
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertFalse(self._of(MAY))
        self._run(0)
        self.assertEqual(len(self._of(MAY)), 1)

    def test_a_preview_keeps_nothing(self):
        self._invoice(self.customer, 100, due=-10)
        self._run(0, execute=False)
        self.assertFalse(self._of(MAY))

    def test_past_months_are_made_from_the_ledger(self):
        invoice = self._invoice(self.customer, 100, due=-70)
        self._pay(invoice, day=-20)
        self._invoice(self.customer, 50, due=-200, post=False)
        self.snapshots._take_snapshot(self.company, APRIL)
        self.assertEqual(self.snapshots._take_missing(self.company, self.today), 2)
        kept = self.snapshots.search([("company_id", "=", self.company.id)], order="date")
        self.assertEqual(
            [(each.date, self._amounts(each)) for each in kept],
            [
                (date(2030, 2, 28), {"Not due": 100}),
                (MARCH, {"1-30": 100}),
                (APRIL, {"31-60": 100}),
            ],
        )
        self.assertEqual(self.snapshots._take_missing(self.company, self.today), 0)

    def test_months_are_whole(self):
        with self.assertRaises(UserError):
            self.snapshots._take_snapshot(self.company, date(2030, 5, 30))

    def test_branches_are_in(self):
        self._invoice(self.customer, 100, due=-10)
        self._invoice(self.customer, 11, due=-10, company=self.branch)
        self.snapshots._take_snapshot(self.branch, MAY)
        self.assertEqual(self._of(MAY).open_amount, 111)

    def test_ageing_of_another_kind_later(self):
        self._invoice(self.customer, 100, due=-45)
        self.snapshots._take_snapshot(self.company, APRIL)
        self.company.ar_ageing_days = "15,45"
        self.snapshots._take_snapshot(self.company, MAY)
        self.assertEqual(self._amounts(self._of(APRIL)), {"1-30": 100})
        self.assertEqual(self._amounts(self._of(MAY)), {"16-45": 100})

    def test_nobody_changes_or_deletes(self):
        self._invoice(self.customer, 100, due=-10)
        self.snapshots._take_snapshot(self.company, MAY)
        snapshot = self._of(MAY)
        for attempt in (
            lambda: snapshot.write({"open_amount": 1}),
            lambda: snapshot.sudo().write({"open_amount": 1}),
            snapshot.unlink,
            snapshot.sudo().unlink,
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        self.assertEqual(self._of(MAY).open_amount, 100)

    def test_merged_customers_have_one_snapshot_per_month(self):
        other = self._customer("Other")
        self._invoice(self.customer, 100, due=-10)
        self._invoice(other, 50, due=-10)
        self._invoice(other, 7, due=-60)
        self.snapshots._take_snapshot(self.company, MAY)
        self.snapshots._take_snapshot(self.company, APRIL)
        self._run(0)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (other | self.customer).ids, self.customer, extra_checks=False
        )
        self.env.invalidate_all()
        self.assertEqual(self._of(MAY).open_amount, 157)
        self.assertEqual(self._amounts(self._of(MAY)), {"1-30": 150, "31-60": 7})
        self.assertEqual(
            self.snapshots.search_count([("date", "=", MAY), ("company_id", "=", self.company.id)]),
            1,
        )

    def test_each_company_sees_its_own(self):
        self._invoice(self.customer, 100, due=-60)
        self.env["ar.ageing.snapshot"]._take_month_end(self.company, self.today)
        other = self.setup_other_company(name="Other company")["company"]
        snapshots = self.env["ar.ageing.snapshot"].search([("company_id", "=", self.company.id)])
        self.assertTrue(snapshots)
        trend = self.env["ar.ageing.snapshot.bucket"]
        for company, seen in ((self.company, True), (other, False)):
            user = new_test_user(
                self.env,
                f"snapshot_{company.id}",
                "base.group_user,ar_collections.group_credit_manager",
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
            )
            found = snapshots.with_user(user).search([("id", "in", snapshots.ids)])
            self.assertEqual(bool(found), seen)
            self.assertEqual(bool(trend.with_user(user).search([])), seen)
            if not seen:
                with self.assertRaises(AccessError):
                    snapshots.with_user(user).read(["open_amount"])

    def test_many_customers_cost_as_much_as_few(self):
        def take(day):
            self.env.cr.flush()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.snapshots._take_snapshot(self.company, day)
            return self.env.cr.sql_log_count - before

        self._invoice(self.customer, 100, due=-100)
        take(MARCH)
        few = take(APRIL)
        for index in range(30):
            self._invoice(self._customer(f"Many {index}"), 10, due=-10)
        self.assertEqual(take(MAY), few)
