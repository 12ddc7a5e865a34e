from datetime import date
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import HttpCase, new_test_user, tagged

from .allowance_common import AllowanceCommon

APRIL, MAY = date(2030, 4, 30), date(2030, 5, 31)


@tagged("post_install", "-at_install")
class TestAllowanceAccess(AllowanceCommon, HttpCase):
    """Who may do what, from the screen and from outside."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            group: new_test_user(
                cls.env,
                f"allowance_{group.split('.')[-1]}",
                f"base.group_user,{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in (
                "ar_collections.group_collector",
                "ar_collections.group_credit_manager",
                "ar_collections.group_auditor",
                "account.group_account_invoice",
            )
        }
        cls.collector = cls.users["ar_collections.group_collector"]
        cls.manager = cls.users["ar_collections.group_credit_manager"]
        cls.auditor = cls.users["ar_collections.group_auditor"]
        cls.biller = cls.users["account.group_account_invoice"]
        cls._invoice(cls.customer, 1000, due=-16)
        cls.env["ar.ageing.snapshot"]._take_snapshot(cls.company, MAY)
        cls.env["ar.allowance.specific"].create(
            {"partner_id": cls.customer.id, "company_id": cls.company.id, "reason": "Insolvent"}
        )

    def _refused(self, function, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            function()
            self.env.flush_all()

    def _everything(self, run):
        return (
            run,
            run.line_ids,
            run.movement_ids,
            self.env["ar.ageing.snapshot"].search([("company_id", "=", self.company.id)]),
            self.env["ar.ageing.snapshot.bucket"].search([("company_id", "=", self.company.id)]),
            self.env["ar.allowance.rate"].search([("company_id", "=", self.company.id)]),
            self.env["ar.allowance.specific"].search([("company_id", "=", self.company.id)]),
        )

    def test_four_eyes(self):
        run = self._allowance(MAY, "submitted")
        self._refused(run.with_user(self.maker).action_approve, UserError)
        run.with_user(self.checker).action_approve()
        self.assertEqual(run.approver_id, self.checker)
        self._refused(run.with_user(self.checker).action_approve, UserError)

    def test_whoever_computed_is_not_the_approver_either(self):
        run = self._allowance(MAY, "computed")
        run.with_user(self.checker).action_submit()
        for user in (self.maker, self.checker):
            self._refused(run.with_user(user).action_approve, UserError)
        run.with_user(self.manager).action_approve()

    def test_nothing_out_of_order(self):
        run = self.env["ar.allowance.run"].with_user(self.maker).create({"date": MAY})
        for button in ("action_submit", "action_approve", "action_post", "action_reverse"):
            self._refused(getattr(run, button), UserError)
        run.action_compute()
        for button in ("action_approve", "action_post", "action_reverse"):
            self._refused(getattr(run.with_user(self.checker), button), UserError)
        run.action_submit()
        for button in ("action_compute", "action_submit", "action_post"):
            self._refused(getattr(run.with_user(self.checker), button), UserError)
        run.with_user(self.checker).action_approve()
        self._refused(run.action_compute, UserError)
        run.with_user(self.checker).action_post()
        for button in ("action_post", "action_approve", "action_cancel", "action_draft"):
            self._refused(getattr(run.with_user(self.checker), button), UserError)
        run.with_user(self.checker).action_reverse()
        for button in ("action_reverse", "action_post", "action_draft", "action_compute"):
            self._refused(getattr(run.with_user(self.checker), button), UserError)

    def test_a_submitted_run_is_not_changed(self):
        run = self._allowance(MAY, "submitted")
        for values in ({"date": APRIL}, {"include_others": True}, {"company_id": self.branch.id}):
            self._refused(lambda values=values: run.write(values), UserError)
        self._refused(run.unlink, UserError)
        run.action_draft()
        self.assertFalse(run.submitter_id)
        run.date = APRIL

    def test_the_credit_manager_is_asked_unless_they_asked(self):
        self.company.ar_credit_manager_id = self.checker
        run = self._allowance(MAY, "submitted")
        self.assertEqual(run.activity_ids.user_id, self.checker)
        run.action_draft()
        self.assertFalse(run.activity_ids)
        self.company.ar_credit_manager_id = self.maker
        run.action_compute()
        run.action_submit()
        self.assertFalse(run.activity_ids, "nobody is asked to approve their own run")
        self.company.ar_credit_manager_id = self.checker
        run.action_draft()
        run.action_compute()
        run.action_submit()
        run.with_user(self.checker).action_approve()
        self.assertFalse(run.activity_ids)

    def test_another_month_is_computed_anew(self):
        run = self._allowance(MAY, "computed")
        run.note = "As agreed with the auditors"
        self.assertEqual(run.state, "computed")
        for values in ({"date": APRIL}, {"include_others": True}):
            run.action_compute()
            run.write(values)
            self.assertEqual(run.state, "draft", values)
        self._refused(run.action_submit, UserError)

    def test_only_what_nobody_submitted_is_deleted(self):
        for state in ("submitted", "approved", "posted"):
            with self.subTest(state=state):
                run = self._allowance(MAY, state)
                self._refused(run.unlink, UserError)
                if state != "posted":
                    run.action_cancel()
                    run.unlink()
                else:
                    run.with_user(self.checker).action_reverse()
                    self._refused(run.unlink, UserError)
        self._allowance(APRIL, "computed").unlink()

    def test_of_two_who_decide_at_once_the_runs_are_locked(self):
        locked = []

        def lock(records, **_kwargs):
            locked.append((records._name, set(records.ids)))

        run = self._allowance(MAY, "submitted")
        other = self._allowance(APRIL, "computed")
        with patch.object(self.registry["ar.allowance.run"], "lock_for_update", lock):
            run.with_user(self.checker).action_approve()
            self.assertEqual(locked.pop(), (run._name, {run.id}))
            for button in ("action_post", "action_reverse"):
                getattr(run.with_user(self.checker), button)()
                model, ids = locked.pop()
                self.assertEqual(model, run._name)
                self.assertLessEqual({run.id, other.id}, ids, "all of the company")

    def test_computed_figures_are_nobodys_to_write(self):
        run = self._allowance(MAY, "submitted")
        for values in (
            {"state": "approved"},
            {"closing": 0},
            {"added": 5},
            {"computed_by_id": self.checker.id},
            {"submitter_id": False},
            {"approver_id": self.maker.id},
            {"move_id": False},
            {"previous_id": False},
            {"flow_ids": [Command.clear()]},
            {"line_ids": [Command.clear()]},
            {"name": "X"},
        ):
            self._refused(lambda values=values: run.write(values))
        self._refused(lambda: run.create({"date": APRIL, "state": "approved", "closing": 5.0}))
        for record in (run.line_ids, run.movement_ids):
            for user in (self.maker, self.collector):
                record = record.with_user(user)
                self._refused(lambda record=record: record.write({"run_id": False}))
                self._refused(record.unlink)
                self._refused(lambda record=record: record.create({"run_id": run.id}))

    def test_snapshots_are_made_by_the_system_alone(self):
        for user in (self.collector, self.manager, self.auditor, self.env.ref("base.user_admin")):
            snapshots = self.env["ar.ageing.snapshot"].with_user(user)
            self._refused(
                lambda snapshots=snapshots: snapshots.create(
                    {"company_id": self.company.id, "date": MAY, "risk_tier": "low"}
                )
            )
            found = snapshots.browse(snapshots.sudo().search([("date", "=", MAY)], limit=1).ids)
            self._refused(lambda found=found: found.write({"open_amount": 0}))
            self._refused(found.unlink)
        self._refused(self.env["ar.ageing.snapshot"].with_user(self.collector).action_fill)
        self.env["ar.ageing.snapshot"].with_user(self.manager).action_fill()

    def test_collector_and_auditor_read_only(self):
        run = self._allowance(MAY, "computed")
        for user in (self.collector, self.auditor):
            for records in self._everything(run):
                records = records.with_user(user)
                self.assertTrue(records)
                records.read()
                self._refused(lambda records=records: records[:1].write({"date": APRIL}))
                self._refused(records[:1].unlink)
            for button in ("action_compute", "action_submit", "action_cancel", "action_approve"):
                self._refused(getattr(run.with_user(user), button))
            self._refused(
                lambda user=user: (
                    self.env["ar.allowance.run"].with_user(user).create({"date": APRIL})
                )
            )
            self._refused(self.env["ar.allowance.proposal"].with_user(user).action_open)
            self.env["ar.allowance.rate"].with_user(user).action_open_matrix()

    def test_others_see_nothing(self):
        run = self._allowance(MAY, "computed")
        for records in self._everything(run):
            self._refused(records.with_user(self.biller).read)

    def test_companies_are_apart(self):
        run = self._allowance(MAY, "computed")
        other = self.setup_other_company(name="Other company")["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            "ar_collections.group_credit_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for records in self._everything(run):
            self.assertFalse(records.with_user(stranger).search([("id", "in", records.ids)]))
            self._refused(records.with_user(stranger).read)
        self._refused(run.with_user(stranger).action_compute)

    def test_booking_needs_the_right_to_book(self):
        """An approver of credit is no bookkeeper: entries are made with the poster's own rights."""
        run = self._allowance(MAY, "approved")
        self._refused(run.with_user(self.manager).action_post)
        self.assertEqual(run.state, "approved")
        run.with_user(self.checker).action_post()
        self.assertEqual(run.move_id.create_uid, self.checker)
        self._refused(run.with_user(self.manager).action_reverse)

    def test_manager_sets_rates_within_the_matrix(self):
        rates = self.env["ar.allowance.rate"].with_user(self.manager)
        rates.action_open_matrix()
        cell = rates.search([("company_id", "=", self.company.id)], limit=1)
        cell.rate = 0.4
        self.assertEqual(cell.rate, 0.4)
        for values in ({"risk_tier": "low"}, {"bucket_id": False}, {"is_used": False}):
            self._refused(lambda values=values: cell.write(values))
        self._refused(cell.unlink)

    def test_nothing_private_over_rpc(self):
        for model, methods in {
            "ar.ageing.snapshot": ("_take_snapshot", "_take_missing", "_merge_customers"),
            "ar.customer.merge": ("_merge_customers",),
            "ar.allowance.computation": ("_compute_run",),
            "ar.allowance.booking": ("_book_run",),
            "ar.allowance.ledger": ("_get_available",),
            "ar.allowance.report": ("_get_workbook",),
            "ar.allowance.rate": ("_get_matrix",),
        }.items():
            for method in methods:
                with self.assertRaises(AccessError):
                    get_public_method(self.env[model], method)

    def test_download(self):
        run = self._allowance(MAY)
        url = f"/ar_collections/allowance/{run.id}/xlsx"
        for user, status in ((self.auditor, 200), (self.biller, 403)):
            user.password = "allowance_password"
            self.authenticate(user.login, "allowance_password")
            self.assertEqual(self.url_open(url).status_code, status)
