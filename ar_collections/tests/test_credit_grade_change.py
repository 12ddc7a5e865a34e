from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import BaseCase, Form, tagged

from ..models.credit.credit_authority import NeedsReview
from ..models.credit.credit_grade_change import CONTROL_FIELDS, RULES, find_loosened
from .test_credit_review import ReviewCommon

STRICT = {
    **dict.fromkeys(RULES, 0),
    **dict.fromkeys(CONTROL_FIELDS, "block"),
    "limit_rule": "fixed",
    "limit_amount": 1000,
    "limit_months": 2,
    "limit_cap": 5000,
    "equity_share": 0.1,
    "cover_share": 0.5,
    "young_months": 6,
    "young_limit": 200,
    "hold_by_rule": True,
    "hold_days": 30,
    "hold_amount": 10,
    "max_term_days": 30,
    "risk_tier": "high",
    "risk_from": "medium",
    "risk_limit_share": 0.5,
    "review_months": 6,
}


@tagged("post_install", "-at_install")
class TestLoosened(BaseCase):
    def test_what_gives_more(self):
        for change, loosened in (
            ({"limit_amount": 1001}, ["limit_amount"]),
            ({"limit_amount": 999}, []),
            ({"limit_months": 9, "limit_cap": 0}, []),
            ({"limit_rule": "months"}, ["limit_rule"]),
            ({"limit_rule": "none"}, ["limit_rule"]),
            ({"equity_share": 0.2}, ["equity_share"]),
            ({"equity_share": 0}, ["equity_share"]),
            ({"equity_share": 0.05, "cover_share": 0}, ["cover_share"]),
            ({"young_months": 0}, ["young_months"]),
            ({"young_months": 9, "young_limit": 201}, ["young_limit"]),
            ({"young_months": 9}, []),
            ({"on_hold": "approve"}, ["on_hold"]),
            ({"on_limit": "allow", "on_risk": "warn"}, ["on_limit", "on_risk"]),
            ({"overdue_tolerance_days": 1}, ["overdue_tolerance_days"]),
            ({"max_term_days": 29}, []),
            ({"max_term_days": 31}, ["max_term_days"]),
            ({"hold_by_rule": False}, ["hold_by_rule"]),
            ({"hold_days": 31}, ["hold_days"]),
            ({"hold_amount": 9}, []),
            ({"risk_tier": "medium"}, ["risk_tier"]),
            ({"risk_from": "high"}, ["risk_from"]),
            ({"risk_limit_share": 0.4}, []),
            ({"risk_limit_share": 1}, ["risk_limit_share"]),
            ({"review_months": 0}, ["review_months"]),
            ({"review_months": 3}, []),
        ):
            found = find_loosened(STRICT, {**STRICT, **change})
            self.assertEqual(sorted(found), sorted(loosened), change)
        by_sales = {**STRICT, "limit_rule": "months"}
        self.assertEqual(find_loosened(by_sales, {**by_sales, "limit_cap": 0}), ["limit_cap"])
        self.assertEqual(find_loosened(by_sales, {**by_sales, "limit_amount": 9**9}), [])
        no_credit = {**STRICT, "limit_amount": 0}
        self.assertEqual(find_loosened(by_sales, no_credit), [])
        self.assertEqual(find_loosened(STRICT, STRICT), [])


class TestGradeChange(ReviewCommon):
    """One manager raises the limit of all customers of a grade, and lets held ones buy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file.sudo().grade_id = cls.fair
        cls.mine = cls.fair.with_user(cls.manager).sudo(False)

    def _refused_alone(self, function):
        with self.assertRaises(NeedsReview) as refused, self.env.cr.savepoint():
            function()
            self.env.flush_all()
        self.env.invalidate_all(flush=False)
        return refused.exception

    def _ask(self, refused, user=None):
        _message, action, _label, context = refused.args
        action = self.env["ir.actions.server"].browse(action).with_user(user or self.manager)
        shown = action.with_context(**context).run()
        return self.env["ar.credit.grade.change"].browse(shown["res_id"]).with_user(self.manager)

    def test_every_path(self):
        self.env["ir.model.data"].sudo().create(
            {"module": "test", "name": "fair", "model": self.fair._name, "res_id": self.fair.id}
        )
        for path in (
            lambda: self.mine.write({"limit_amount": 1001}),
            lambda: self.mine.write({"limit_rule": "none"}),
            lambda: self.mine.write({"on_hold": "warn"}),
            lambda: call_kw(self.mine, "write", [self.mine.ids, {"max_term_days": 61}], {}),
            lambda: call_kw(
                self.mine, "web_save", [self.mine.ids, {"review_months": 7}], {"specification": {}}
            ),
            lambda: (self.mine | self.poor.with_env(self.mine.env)).write({"on_limit": "allow"}),
        ):
            self._refused_alone(path)
        with self.assertRaises(NeedsReview), Form(self.mine) as form:
            form.limit_amount = 5000
        found = self.mine.load(["id", "limit_amount"], [["test.fair", "5000"]])
        self.assertFalse(found["ids"])
        self.assertIn("second credit manager", found["messages"][0]["message"])
        self.assertRecordValues(self.fair, [{"limit_amount": 1000, "on_hold": "block"}])
        self.assertEqual(self.file.effective_limit, 1000)

    def test_less_is_decided_alone(self):
        self.mine.write({"limit_amount": 900, "on_limit": "block", "name": "Middling"})
        self.assertEqual(self.file.effective_limit, 900)
        self.assertFalse(self.fair.change_ids)

    def test_what_concerns_nobody_yet(self):
        """No customer has the grade, or the company is being set up."""
        self.good.with_env(self.mine.env).write({"limit_months": 9})
        self.company.sudo().ar_started_database = False
        self.mine.write({"limit_amount": 1500})
        self.assertEqual(self.file.effective_limit, 1500)
        self.company._ar_mark_started()
        self._refused_alone(lambda: self.mine.write({"limit_amount": 1501}))

    def test_one_asks_another_approves(self):
        refused = self._refused_alone(
            lambda: self.mine.write({"limit_amount": 4000, "on_hold": "warn", "hold_days": 3})
        )
        self.assertIn("Fixed Limit: 4,000 instead of 1,000", str(refused))
        self.assertFalse(self.fair.change_ids)
        change = self._ask(refused)
        self.assertEqual(change.file_count, 1)
        self.assertIn("On Credit Hold: Warn instead of Block", change.rules_text)
        with self.assertRaisesRegex(UserError, "Write down why"):
            change.action_submit()
        change.reason = "Prices have doubled"
        change.action_submit()
        self.assertIn(self.second, change.activity_ids.user_id)
        self.assertNotIn(self.manager, change.activity_ids.user_id)
        with self.assertRaisesRegex(UserError, "somebody else decides"):
            change.action_approve()
        with self.assertRaises(AccessError):
            change.with_user(self.collector).action_approve()
        with self.assertRaises(AccessError):
            change.write({"rules": {"limit_amount": [1000, 9**9]}})
        change.with_user(self.second).action_approve()
        self.assertRecordValues(
            self.fair, [{"limit_amount": 4000, "on_hold": "warn", "hold_days": 3}]
        )
        self.assertEqual(self.file.effective_limit, 4000)
        self.assertRecordValues(
            change, [{"state": "approved", "approver_id": self.second.id, "activity_ids": []}]
        )
        with self.assertRaises(UserError):
            change.reason = "Something else"

    def test_what_was_changed_meanwhile_is_asked_for_again(self):
        change = self._ask(self._refused_alone(lambda: self.mine.write({"limit_amount": 2000})))
        change.reason = "Prices"
        change.action_submit()
        self.mine.limit_amount = 10
        with self.assertRaisesRegex(UserError, "changed meanwhile"):
            change.with_user(self.second).action_approve()
        with self.assertRaisesRegex(UserError, "why you refuse"):
            change.with_user(self.second).action_refuse()
        change.with_user(self.second).decision_note = "Too late"
        change.with_user(self.second).action_refuse()
        self.assertEqual((change.state, self.fair.limit_amount), ("refused", 10))

    def test_a_request_changes_rules_alone(self):
        refused = self._refused_alone(lambda: self.mine.write({"limit_amount": 2000}))
        _message, _action, _label, context = refused.args
        context["ar_rules"][0]["rules"] |= {"active": False, "policy_id": 1}
        change = self._ask(refused)
        self.assertEqual(change.rules, {"limit_amount": [1000, 2000]})
        with self.assertRaises(AccessError):
            self._ask(refused, user=self.collector)
        with self.assertRaises(AccessError):
            self.env["ar.credit.grade.change"].with_user(self.manager).create(
                {"grade_id": self.fair.id}
            )
        change.action_cancel()
        self.assertEqual(change.state, "cancelled")

    def test_the_grade_of_new_customers(self):
        """Nobody has it yet, and everybody who is new gets it."""
        grades = self.mine.browse()
        usual = grades._find_default(self.company.id).sudo()
        usual.write({"limit_rule": "fixed", "limit_amount": 500, "on_limit": "warn"})
        self.env["ar.credit.file"].search([("grade_id", "=", usual.id)]).sudo().grade_id = self.poor
        self._refused_alone(lambda: usual.with_env(self.mine.env).write({"limit_amount": 600}))
        usual.with_env(self.mine.env).write({"limit_amount": 400})
        lax = grades.create({"code": "LX", "name": "Lax", "limit_rule": "none", "sequence": 0})
        for path in (
            lambda: lax.write({"is_default": True}),
            lambda: lax.write({"is_default": True, "company_id": self.company.id}),
            lambda: grades.create({"code": "L2", "name": "Lax", "is_default": True, "sequence": 0}),
        ):
            self._refused_alone(path)
        change = self._ask(self._refused_alone(lambda: lax.write({"is_default": True})))
        self.assertIn("For New Customers: yes instead of no", change.rules_text)
        change.reason = "We sell to everybody"
        change.action_submit()
        change.with_user(self.second).action_approve()
        self.assertEqual(grades._get_default_grade(self.company), lax)
        strict = grades.create(
            {
                "code": "S1",
                "name": "Strict",
                "limit_rule": "fixed",
                "max_term_days": 0,
                "on_limit": "block",
                "sequence": -1,
                "is_default": True,
            }
        )
        self.assertEqual(grades._get_default_grade(self.company), strict, "less is decided alone")
