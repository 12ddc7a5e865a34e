"""Hold by rule, cover, history, groups and the early warning."""

from datetime import date

from lxml.html import fromstring
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from ..models.credit.credit_grade import TIERS
from .common import CollectionsCommon


class TestHold(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls.grade = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "RULE",
                    "name": "Rule",
                    "on_hold": "warn",
                    "hold_by_rule": True,
                    "hold_days": 10,
                    "hold_amount": 50,
                }
            )
        )
        cls.file.grade_id = cls.grade

    def test_rule_holds_and_payment_lifts(self):
        invoice = self._invoice(self.customer, 51, due=-10)
        self._run(0)
        self.assertFalse(self.file.hold, "ten days are not beyond ten days")
        self._run(1)
        self.assertRecordValues(
            self.file,
            [{"hold": True, "hold_cause": "rule", "hold_date": self._day(1)}],
        )
        self.assertIn("51.00", self.file.hold_reason)
        self._pay(invoice, amount=1, day=1)
        self.assertFalse(self.file.hold, "fifty are not beyond fifty; in the same transaction")
        self.assertFalse(self.file.hold_reason)

    def test_rule_leaves_other_holds_alone(self):
        self.file.write({"hold": True, "hold_reason": "Fraud"})
        invoice = self._invoice(self.customer, 51, due=-20)
        self._run(0)
        self.assertEqual(self.file.hold_cause, "manual")
        self._pay(invoice)
        self._run(1)
        self.assertRecordValues(self.file, [{"hold": True, "hold_reason": "Fraud"}])

    def _hold_by_stage(self):
        self.file.grade_id = self.grade.copy({"code": "NONE", "hold_by_rule": False})
        invoice = self._invoice(self.customer, 51, due=-30)
        self._run(0)
        case = self._case()
        case.stage_id = self.stages["final"]
        return invoice, case

    def test_stage_holds_until_the_case_closes(self):
        invoice, case = self._hold_by_stage()
        self.assertRecordValues(self.file, [{"hold": True, "hold_cause": "stage"}])
        self.assertIn("final", self.file.hold_reason)
        self._pay(invoice)
        self.assertEqual(case.state, "closed")
        self.assertRecordValues(self.file, [{"hold": False, "hold_cause": False}])

    def test_rule_does_not_lift_the_hold_of_a_stage(self):
        invoice, case = self._hold_by_stage()
        self.file.sudo().grade_id = self.grade
        self._pay(invoice, amount=1)
        self._run(1)
        self.assertNotEqual(case.state, "closed")
        self.assertRecordValues(self.file, [{"hold": True, "hold_cause": "stage"}])

    def test_stage_leaves_a_hold_by_hand_alone(self):
        self.file.write({"hold": True, "hold_reason": "Fraud"})
        invoice, case = self._hold_by_stage()
        self.assertRecordValues(
            self.file,
            [{"hold": True, "hold_reason": "Fraud", "hold_cause": "manual"}],
        )
        self._pay(invoice)
        self.assertEqual(case.state, "closed")
        self.assertRecordValues(self.file, [{"hold": True, "hold_reason": "Fraud"}])

    def test_hand_does_not_take_over_a_hold_by_rule(self):
        """The wizard holds who is not held; a reason written by hand makes it a hold by hand."""
        invoice = self._invoice(self.customer, 51, due=-20)
        self._run(0)
        self.env["ar.credit.hold"].create(
            {"file_ids": [Command.set(self.file.ids)], "reason": "Me too"}
        ).action_hold()
        self.assertRecordValues(self.file, [{"hold_cause": "rule"}])
        self.file.write({"hold": True, "hold_reason": "Fraud"})
        self._pay(invoice)
        self.assertRecordValues(
            self.file, [{"hold": True, "hold_reason": "Fraud", "hold_cause": "manual"}]
        )

    def test_rule_looks_at_the_customers_at_hand_only(self):
        other = self._customer("Other")
        for partner in (self.customer, other):
            self._invoice(partner, 100, due=-11)
            partner.credit_grade_id = self.grade
        self._run(-1)
        self.assertFalse(self.file.hold)
        rules = self.env["ar.credit.hold.rule"].sudo()
        rules._apply_hold_rules(self.company, self.today, self.env["res.partner"])
        self.assertFalse(self.file.hold)
        rules._apply_hold_rules(self.company, self.today, self.customer)
        self.assertTrue(self.file.hold)
        self.assertFalse(other.credit_file_id.hold)
        other_company = self.setup_other_company(name="Far away")["company"]
        rules._apply_hold_rules(other_company, self.today)
        self.assertFalse(other.credit_file_id.hold)

    def test_grade_without_rule(self):
        self.grade.hold_by_rule = False
        self._invoice(self.customer, 5000, due=-300)
        self._run(0)
        self.assertNotEqual(self.file.hold_cause, "rule")
        self.grade.hold_by_rule = True
        self.file.sudo()._lift_hold()
        self._run(1)
        self.assertEqual(self.file.hold_cause, "rule")
        self.grade.hold_by_rule = False
        self._run(2)
        self.assertFalse(self.file.hold)

    def test_one_statement_for_many(self):
        partners = self.env["res.partner"].create(
            [{"name": f"Held {index}", "is_company": True} for index in range(20)]
        )
        for partner in partners:
            self._invoice(partner, 100, due=-11)
            partner.credit_grade_id = self.grade
        self._run(0)
        self.assertEqual(self.env["ar.credit.file"].search_count([("hold_cause", "=", "rule")]), 20)


class TestCover(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls.file.write({"limit_mode": "custom", "custom_limit": 1000})
        cls.manager = new_test_user(
            cls.env,
            "cover_manager",
            "ar_collections.group_credit_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.company.ar_credit_manager_id = cls.manager

    def _cover(self, **values):
        return (
            self.env["ar.credit.cover"]
            .sudo()
            .create(
                {
                    "file_id": self.file.id,
                    "kind": "insurance",
                    "amount": 500,
                    "covered_share": 0.5,
                    "date_from": self._day(0),
                    "date_to": self._day(40),
                    **values,
                }
            )
        )

    def test_active_cover_raises_the_limit(self):
        cover = self._cover()
        self.assertRecordValues(self.file, [{"cover_amount": 250, "effective_limit": 1250}])
        self.assertEqual(self.customer.credit_limit, 1250, "Odoo agrees")
        self._cover(kind="guarantee", amount=100, covered_share=1)
        self.assertEqual(self.file.effective_limit, 1350)
        cover.active = False
        self.assertEqual(self.file.effective_limit, 1100)
        cover.active = True
        cover.unlink()
        self.assertEqual(self.file.effective_limit, 1100)

    def test_cover_counts_within_its_dates(self):
        self._cover(date_from=self._day(1), date_to=self._day(2))
        self.assertEqual(self.file.effective_limit, 1000)
        for day, limit in ((1, 1250), (2, 1250), (3, 1000)):
            self._run(day)
            self.assertEqual(self.file.effective_limit, limit, day)
            decision = self.env["ar.credit.control"]._decide(
                self.customer, self.company, limit, self._day(day)
            )
            self.assertNotIn("limit", dict(decision.reasons))

    def test_control_does_not_wait_for_the_run(self):
        """A cover that ended yesterday counts no more, though no run came since."""
        self._cover(date_to=self._day(0))
        for day, found in ((0, False), (1, True)):
            decision = self.env["ar.credit.control"]._decide(
                self.customer, self.company, 1100, self._day(day)
            )
            self.assertEqual("limit" in dict(decision.reasons), found)

    def test_currency(self):
        foreign = self.setup_other_currency(
            "CAD", rates=[("2020-01-01", 2.0), (str(self._day(5)), 4.0)]
        )
        self._cover(currency_id=foreign.id, covered_share=1)
        self.assertEqual(self.file.cover_amount, 250)
        self._run(5)
        self.assertEqual(self.file.cover_amount, 125, "at the rate of the day")

    def test_what_is_not_covered(self):
        self._invoice(self.customer, 400, due=30)
        self._run(0)
        self._cover()
        self.assertEqual(self.file.uncovered_amount, 150)
        self._cover(amount=1000)
        self.assertEqual(self.file.uncovered_amount, 0)

    def test_pledged_items_are_marked_and_cover_nothing(self):
        pledged = self._invoice(self.customer, 300, due=30)
        free = self._invoice(self.customer, 200, due=30)
        lines = (pledged | free).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        self._cover(kind="financing", line_ids=[Command.set(lines[0].ids)])
        self.assertEqual(lines.mapped("ar_financed"), [True, False])
        self.assertRecordValues(self.file, [{"cover_amount": 0, "financed_amount": 300}])
        self._pay(pledged)
        self.file.invalidate_recordset()
        self.assertEqual(self.file.financed_amount, 0)
        other = self._invoice(self._customer("Other"), 5, due=30)
        with self.assertRaises(ValidationError):
            self._cover(
                kind="financing",
                line_ids=[
                    Command.set(
                        other.line_ids.filtered(
                            lambda line: line.account_type == "asset_receivable"
                        ).ids
                    )
                ],
            )
        with self.assertRaises(ValidationError):
            self._cover(line_ids=[Command.set(lines[1].ids)])

    def test_days_of_warning_are_the_companys(self):
        self.company.ar_cover_warning_days = 5
        cover = self._cover(date_to=self._day(40))
        self._run(34)
        self.assertFalse(cover.activity_ids)
        self._run(35)
        self.assertTrue(cover.activity_ids)

    def test_warning_of_the_end_comes_once(self):
        cover = self._cover(date_to=self._day(40))
        self._run(9)
        self.assertFalse(cover.activity_ids)
        self._run(10)
        self.assertEqual(cover.activity_ids.user_id, self.manager)
        self._run(11)
        self.assertEqual(len(cover.activity_ids), 1)
        cover.date_to = self._day(50)
        self._run(20)
        self.assertEqual(len(cover.activity_ids), 2, "another end date is news")

    def test_rights_and_bad_input(self):
        cover = self._cover()
        collector = new_test_user(
            self.env,
            "cover_collector",
            "ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assertTrue(cover.with_user(collector).read(["amount"]))
        for values in ({"amount": 1}, {"amount_company": 10**6}):
            with self.assertRaises(AccessError):
                cover.with_user(collector).write(values)
        with self.assertRaises(AccessError):
            cover.with_user(self.manager).write({"amount_company": 10**6})
        cover.with_user(self.manager).amount = 100
        for state, found in (("active", cover), ("expired", cover.browse())):
            domain = [("state", "=", state), ("id", "=", cover.id)]
            self.assertEqual(self.env["ar.credit.cover"].search(domain), found)


class TestHistory(CollectionsCommon):
    def test_limits_with_reason_and_user(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.write(
            {"limit_mode": "custom", "custom_limit": 100, "limit_reason": "First large order"}
        )
        file.collector_id = self.env.user
        file.sudo().custom_limit = 200
        self.assertRecordValues(
            file.history_ids.sorted("id"),
            [
                {"is_limited": False, "effective_limit": 0, "reason": False},
                {"is_limited": True, "effective_limit": 100, "reason": "First large order"},
                {"is_limited": True, "effective_limit": 200, "reason": False},
            ],
        )
        self.assertEqual(file.history_ids.user_id, self.env.user)
        self.assertFalse(file.limit_reason, "a reason belongs to its limit")

    def test_never_changed(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        manager = new_test_user(
            self.env,
            "history_manager",
            "account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        row = file.history_ids.with_user(manager)
        for attempt in (
            lambda: row.write({"reason": "x"}),
            row.unlink,
            lambda: row.create({"file_id": file.id, "date": date.today()}),
        ):
            with self.assertRaises(AccessError):
                attempt()
        # Not even by who has given themselves the right.
        self.env["ir.model.access"].create(
            {
                "name": "More than anybody has",
                "model_id": self.env["ir.model"]._get_id("ar.credit.history"),
                "perm_read": True,
                "perm_write": True,
                "perm_unlink": True,
            }
        )
        for attempt in (lambda: row.write({"reason": "x"}), row.unlink):
            with self.assertRaisesRegex(AccessError, "never changed"):
                attempt()

    def test_end_of_a_temporary_limit_is_kept(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.write({"limit_mode": "custom", "custom_limit": 10})
        file.sudo().write({"temporary_limit": 50, "temporary_limit_end": self._day(0)})
        self._run(1)
        self.assertEqual(file.history_ids[0].effective_limit, 10)
        self.assertIn("temporary limit ended", file.history_ids[0].reason)


class TestGroups(CollectionsCommon):
    def test_one_level(self):
        files = self.env["ar.credit.file"]
        head, member, third = (
            files._get_file(self._customer(name), self.company, create=True) for name in "ABC"
        )
        member.parent_id = head
        with self.assertRaises(ValidationError):
            third.parent_id = member
        with self.assertRaises(ValidationError):
            head.parent_id = third
        self.assertEqual(head.member_ids, member)

    def test_merge_keeps_what_hangs_on_the_file(self):
        files = self.env["ar.credit.file"]
        keep, lose = self._customer("Keep"), self._customer("Lose")
        kept, lost = (
            files._get_file(partner, self.company, create=True) for partner in (keep, lose)
        )
        member = files._get_file(self._customer("Member"), self.company, create=True)
        member.parent_id = lost
        cover = (
            self.env["ar.credit.cover"]
            .sudo()
            .create({"file_id": lost.id, "amount": 70, "date_from": self._day(0)})
        )
        kept.write({"limit_mode": "custom", "custom_limit": 10})
        self.env["base.partner.merge.automatic.wizard"]._merge((keep | lose).ids, keep)
        self.assertFalse(lost.exists())
        self.assertEqual(cover.file_id, kept)
        self.assertEqual(cover.partner_id, keep)
        self.assertEqual(member.parent_id, kept)
        self.assertRecordValues(kept, [{"custom_limit": 10, "effective_limit": 80}])
        keep.credit_limit = 75
        self.assertRecordValues(kept, [{"custom_limit": 5, "effective_limit": 75}])


class TestWarning(CollectionsCommon):
    """The tier of every day, against a slow oracle that knows the five signals."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = cls.env["ar.credit.file"]
        cls.file = cls.files._get_file(cls.customer, cls.company, create=True)
        cls.manager = new_test_user(
            cls.env,
            "risk_manager",
            "ar_collections.group_credit_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.company.ar_credit_manager_id = cls.manager
        cls.good = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create({"code": "LOW", "name": "Low", "risk_tier": "low"})
        )

    @staticmethod
    def _points(file):
        def above(value, *thresholds):
            return sum(value > threshold for threshold in thresholds)

        spreads = (file.days_overdue - file.avg_days_late) / max(file.late_spread, 3)
        months = 0
        if file.demand_amount > 0 and spreads > 1:
            months = file.demand_amount / max(file.avg_monthly_sales, 1)
        usual = file.avg_days_late if file.late_count >= 3 else 0
        rhythm = spreads if file.days_overdue > 0 and file.last_payment_date else 0
        return (
            above(file.days_overdue, 15, 30, 60)
            + above(months, 0.5, 1, 2)
            + above(usual, 15, 30, 60)
            + above(file.broken_promises * 2, 0, 1, 3)
            + above(rhythm, 1, 2, 3)
        )

    def test_against_the_oracle(self):
        steps = []
        for index in range(40):
            partner = self._customer(f"Signal {index}")
            file = self.files._get_file(partner, self.company, create=True)
            file.sudo().write(
                {
                    "grade_id": self.good.id,
                    "days_overdue": (0, 1, 15, 16, 31, 61, 90)[index % 7],
                    "demand_amount": (0, 49, 51, 101, 201)[index % 5],
                    "oldest_due": self.today,
                    "demand_due": self.today,
                    "avg_monthly_sales": (0, 100)[index % 2],
                    "late_count": (0, 2, 3, 9)[index % 4],
                    "on_time_share": (1, 0.7, 0.45, 0.2, 0)[index % 5],
                    "broken_promises": (0, 0, 0, 1, 2)[index % 5],
                    "avg_days_late": (0, 5, 31)[index % 3],
                    "late_spread": (0, 2, 10)[index % 3],
                    "last_payment_date": (False, self._day(-9))[index % 2],
                }
            )
            steps.append(file)
        self.env["ar.credit.warning"]._refresh_warnings(self.company, self.today)
        seen = set()
        for file in steps:
            points = self._points(file)
            tier = TIERS[(points >= 3) + (points >= 6)]
            self.assertEqual((file.warning_points, file.warning_tier), (points, tier))
            self.assertEqual(file.risk_tier, tier, "the grade is a low risk")
            lines = file.warning_text.splitlines() if file.warning_text else []
            self.assertEqual(bool(lines), bool(points))
            seen.add(tier)
        self.assertEqual(seen, set(TIERS))

    def test_grade_is_the_least_risk(self):
        self.file.grade_id = (
            self.env["ar.credit.grade"]
            .sudo()
            .create({"code": "BAD", "name": "Bad", "risk_tier": "high"})
        )
        self._run(0)
        self.assertEqual((self.file.warning_tier, self.file.risk_tier), ("low", "high"))

    def test_rise_makes_one_activity_and_a_row_of_history(self):
        self.file.sudo().grade_id = self.good
        self._invoice(self.customer, 1000, due=0, date_=self._day(-400))
        self._run(0)
        self.assertFalse(self.file.activity_ids)
        self._run(3)
        self.assertEqual(self.file.risk_tier, "low", "three days are no change of rhythm")
        self._run(4)
        self.assertEqual(self.file.risk_tier, "medium", "late with all it ever bought")
        activity = self.file.activity_ids
        self.assertEqual(activity.user_id, self.manager)
        self.assertIn("Medium", activity.summary)
        self.assertIn("months of sales overdue", activity.note)
        self._run(5)
        self.assertEqual(self.file.activity_ids, activity, "no news")
        self._run(61)
        self.assertEqual(self.file.risk_tier, "high")
        self.assertEqual(len(self.file.activity_ids), 1, "the older news is replaced")
        tiers = self.file.history_ids.sorted("id").mapped("risk_tier")
        # The score has rows of its own.
        changes = [new for new, former in zip(tiers, [None, *tiers], strict=False) if new != former]
        self.assertEqual(changes[-3:], ["low", "medium", "high"])
        self.assertEqual(self.file.history_ids[0].risk_level, 3)

    def test_first_judgement_of_an_old_ledger_is_silent(self):
        self._invoice(self.customer, 1000, due=-200)
        self._run(0)
        self.assertEqual(self.file.risk_tier, "high")
        self.assertFalse(self.file.activity_ids)

    def test_own_rhythm(self):
        """Twenty days late is nothing for one who is always twenty days late."""
        usual, changed = self._customer("Usual"), self._customer("Changed")
        for partner, delay in ((usual, 20), (changed, 0)):
            for index in range(4):
                invoice = self._invoice(partner, 1000, due=-200 + index * 30)
                self._pay(invoice, day=-200 + index * 30 + delay)
            self._invoice(partner, 300, due=-20)
        self._run(0)
        read = self.env["ar.credit.warning"]._read_signals
        files = {
            partner: self.files._get_file(partner, self.company) for partner in (usual, changed)
        }
        signals = {
            partner: {name: points for name, _value, points in read(file)[file.id]}
            for partner, file in files.items()
        }
        self.assertEqual(signals[usual]["rhythm"], 0)
        self.assertEqual(signals[changed]["rhythm"], 3)
        self.assertEqual(
            [files[partner].days_beyond_usual for partner in (usual, changed)], [0, 20]
        )
        found = self.files.search(
            [("days_beyond_usual", ">", 0), ("partner_id", "in", (usual | changed).ids)]
        )
        self.assertEqual(found.partner_id, changed)
        self.assertIs(self.file.days_beyond_usual, False, "nobody knows its rhythm")

    def test_what_is_usual_is_no_warning(self):
        """The cases that made every second customer a high risk."""
        cases = {
            # days late of the payments, days overdue now, amount now: tier
            ((5, 5, 5, 5, 5, 5), 3, 3000): "low",
            ((5, 5, 5, 5, 5, 5), 5, 1000): "low",
            ((1, 1, 1, 1, 1, 1), 0, 0): "low",
            ((90, 90, 90, 90, 90, 90), 80, 3000): "high",
            ((0, 0, 0, 0, 0, 0), 12, 3000): "high",
        }
        partners = []
        for number, (delays, now, amount) in enumerate(cases):
            partner = self._customer(f"Case {number}")
            for index, delay in enumerate(delays):
                due = -290 + index * 30
                self._pay(self._invoice(partner, 1000, due=due), day=due + delay)
            if amount:
                self._invoice(partner, amount, due=-now)
            partners.append(partner)
        self._run(0)
        for partner, tier in zip(partners, cases.values(), strict=True):
            file = self.files._get_file(partner, self.company)
            self.assertEqual(file.warning_tier, tier, (partner.name, file.warning_summary))
        files = [self.files._get_file(partner, self.company) for partner in partners[2:4]]
        points = [
            points
            for file in files
            for name, _value, points in self.env["ar.credit.warning"]._read_signals(file)[file.id]
            if name == "usual_delay"
        ]
        self.assertEqual(points, [0, 3], "a day late is not ninety")

    def test_falls_after_calm_days(self):
        self.file.sudo().write(
            {
                "grade_id": self.good.id,
                "oldest_due": self.today,
                "demand_due": self.today,
            }
        )
        judge = self.env["ar.credit.warning"]._refresh_warnings

        def tier(day, promises):
            self.file.sudo().broken_promises = promises
            judge(self.company, self._day(day))
            return self.file.warning_tier

        self.assertEqual(tier(0, 2), "medium")
        self.assertEqual(tier(1, 0), "medium")
        self.assertEqual(self.file.warning_points, 0)
        self.assertIn("less than that since", self.file.warning_text)
        self.assertEqual(tier(5, 2), "medium", "it is back: the days begin anew")
        self.assertFalse(self.file.warning_calm_since)
        self.assertEqual(tier(6, 0), "medium")
        self.assertEqual(tier(19, 0), "medium")
        self.assertEqual(tier(20, 0), "low", "fourteen days later")
        self.assertEqual(self.file.warning_since, self._day(20))
        self.assertFalse(self.file.warning_calm_since)
        self.assertEqual(tier(21, 2), "medium", "it rises at once")
        self._scheme().calm_days = 0
        self.assertEqual(tier(22, 0), "low")

    def test_thresholds_are_the_companys(self):
        self.file.sudo().write(
            {
                "grade_id": self.good.id,
                "days_overdue": 20,
                "oldest_due": self.today,
                "demand_due": self.today,
                "broken_promises": 1,
            }
        )
        warnings = self.env["ar.credit.warning"]

        def judge():
            warnings._refresh_warnings(self.company, self.today)
            return self.file.warning_points, self.file.warning_tier

        self.assertEqual(judge(), (3, "medium"))
        scheme = self._scheme()
        self.assertEqual(judge(), (3, "medium"), "as they were shipped")
        days = scheme.rule_ids.filtered(lambda rule: rule.signal == "overdue_days")
        days[0].threshold = 20
        self.assertEqual(judge(), (2, "medium"), "twenty days are not above twenty")
        scheme.calm_days = 0
        self.assertEqual(judge(), (2, "low"))
        days[0].write({"threshold": 19, "points": 4})
        self.assertEqual(judge(), (6, "high"))
        scheme.high_from = 7
        self.assertEqual(judge(), (6, "medium"))
        days.unlink()
        self.assertEqual(judge(), (2, "low"), "no thresholds, no points")
        self.assertNotIn("overdue", self.file.warning_text)
        scheme.rule_ids.unlink()
        self.assertEqual(judge(), (0, "low"))
        rule = {"scheme_id": scheme.id, "signal": "rhythm"}
        for wrong in ({"threshold": -1}, {"threshold": 1, "points": 0}):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
                scheme.rule_ids.create({**rule, **wrong})
        for wrong in ({"medium_from": 8}, {"medium_from": 0}, {"least_spread": 0}):
            with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
                scheme.write(wrong)
                scheme.flush_recordset()

    def _scheme(self):
        schemes = self.env["ar.credit.warning.scheme"].with_user(self.manager)
        return schemes.create({"company_id": self.company.id})

    def test_thresholds_show_beforehand_what_they_do(self):
        for index in range(4):
            self.files._get_file(self._customer(f"Judged {index}"), self.company, create=True)
        files = self.files.search([("company_id", "=", self.company.id)])
        files.sudo().broken_promises = 0
        files[:3].sudo().broken_promises = 1
        warnings = self.env["ar.credit.warning"]
        warnings._refresh_warnings(self.company, self.today)
        low = len(files)

        def shown(form):
            cells = [
                cell.text_content().split() for cell in fromstring(form.distribution).iter("td")
            ]
            return [int(cell[0]) for cell in cells if cell[0].isdigit()]

        with Form(self.env["ar.credit.warning.scheme"].with_user(self.manager)) as form:
            self.assertEqual(shown(form), [low, low, 0, 0, 0, 0])
            form.medium_from = 2
            self.assertEqual(shown(form), [low, low - 3, 0, 3, 0, 0], "nothing is saved yet")
            form.high_from = 2
            self.assertEqual(shown(form), [low, low - 3, 0, 0, 0, 3])
            with form.rule_ids.edit(len(form.rule_ids) - 2) as rule:
                self.assertEqual((rule.signal, rule.threshold), ("broken_promises", 0))
                rule.threshold = 2
            self.assertEqual(shown(form), [low, low, 0, 0, 0, 0])
        self.assertEqual(set(files.mapped("warning_tier")), {"low"}, "the next run judges")
        settings = self.env["res.config.settings"].with_company(self.company).new()
        self.assertIn(f"{low}", settings.ar_warning_distribution)
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self._scheme()

    def test_policy_follows_the_tier(self):
        strict = self.policy.copy({"name": "Strict", "risk_tier": "high"})
        self.file.sudo().grade_id = self.good
        self._invoice(self.customer, 1000, due=0, date_=self._day(-400))
        self._run(1)
        case = self._case()
        self.assertEqual(case.policy_id, self.policy)
        self._run(61)
        self.assertEqual((self.file.risk_tier, case.policy_id), ("high", strict))

    def test_only_who_rises_is_told_of(self):
        invoice = self._invoice(self.customer, 1000, due=0, date_=self._day(-400))
        self.file.sudo().grade_id = self.good
        self._run(0)
        self._run(61)
        self.assertEqual(self.file.risk_tier, "high")
        self.file.activity_ids.unlink()
        self._pay(invoice, day=61)
        self._run(62)
        self.assertEqual(self.file.risk_tier, "high", "its signals are gone for a day")
        self._run(76)
        self.assertNotEqual(self.file.risk_tier, "high")
        self.assertFalse(self.file.activity_ids, "good news makes no work")
        self.assertEqual(self.file.warning_since, self._day(76))

    def test_without_a_credit_manager_the_collector_is_told(self):
        self.company.ar_credit_manager_id = False
        self._invoice(self.customer, 1000, due=0, date_=self._day(-400))
        self.file.sudo().write({"grade_id": self.good.id, "collector_id": self.manager.id})
        self._run(0)
        self._run(4)
        self.assertEqual(self.file.activity_ids.user_id, self.manager)

    def test_constant_queries(self):
        def count(customers):
            for index in range(customers):
                file = self.files._get_file(
                    self._customer(f"{customers} {index}"), self.company, create=True
                )
                file.sudo().grade_id = self.good
            self.env["ar.credit.warning"]._refresh_warnings(self.company, self.today)
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.env["ar.credit.warning"]._refresh_warnings(self.company, self.today)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self.assertEqual(count(3), count(30))

    def test_broken_promises_are_the_systems(self):
        with self.assertRaises(AccessError):
            self.file.with_user(self.manager).broken_promises = 3
