from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user

from ..models.common.res_company import Clock
from .common import CollectionsCommon


class TestAccess(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            group: new_test_user(
                cls.env,
                group,
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
        cls.invoice = cls._invoice(cls.customer, 100, due=-15)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.file = cls.case.file_id
        cls.cover = (
            cls.env["ar.credit.cover"]
            .sudo()
            .create({"file_id": cls.file.id, "amount": 10, "date_from": cls.today})
        )
        cls.review = cls.env["ar.credit.review"].create({"file_id": cls.file.id})
        cls.file.write({"hold": True, "hold_reason": "Cheque came back"})
        held = cls._invoice(cls.customer, 10, due=30, post=False)
        held.action_request_credit_release()
        cls.release = cls.env["ar.credit.release"].browse(held.ar_release_ids.id)
        cls.credit_records = (
            cls.cover,
            cls.review,
            cls.review.line_ids[:1],
            cls.release,
            cls.file.history_ids[:1],
        )

    def _refused(self, function, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            function()
            self.env.flush_all()

    def test_nobody_creates_what_the_system_alone_writes(self):
        """Over RPC and import a new record has no more rights than an old one."""
        wanted = {
            "ar.dispute": {"accepted_late": True},
            "ar.payment.promise": {"state": "kept"},
            "ar.payment.plan": {"state": "accepted"},
            "ar.collection.action": {"state": "done"},
            "ar.placement": {"date_closed": self.today},
        }
        for model, values in wanted.items():
            records = self.env[model].with_user(self.manager)
            with self.subTest(model=model):
                self.assertTrue(records._fields[next(iter(values))].readonly)
                self._refused(
                    lambda records=records, values=values: records.create(
                        {"partner_id": self.customer.id, "company_id": self.company.id, **values}
                    )
                )

    def test_auditors_are_shown_what_they_cannot_change(self):
        """What a rule opens to auditors, other rows of the table may let everybody change."""
        group = self.env.ref("ar_collections.group_auditor")
        rules = self.env["ir.rule"].search([("groups", "in", group.ids)])
        self.assertGreater(len(rules), 5)
        for rule in rules:
            with self.subTest(rule=rule.name):
                self.assertEqual(rule.groups, group)
                self.assertFalse(rule.perm_write or rule.perm_create or rule.perm_unlink)
        rows = self.env["ir.model.access"].search([("group_id", "=", group.id)])
        for row in rows.filtered(lambda row: not row.model_id.transient):
            with self.subTest(row=row.name):
                self.assertFalse(row.perm_write or row.perm_create or row.perm_unlink)

    def test_delegation_of_somebody_else_is_not_the_auditors(self):
        values = {"delegate_id": self.auditor.id, "date_from": self.today, "date_to": self._day(9)}
        delegations = self.env["ar.writeoff.delegation"]
        theirs = delegations.create({"user_id": self.manager.id, **values})
        mine = delegations.with_user(self.auditor)
        self._refused(lambda: theirs.with_user(self.auditor).write({"date_to": self._day(90)}))
        self._refused(lambda: theirs.with_user(self.auditor).unlink())
        self._refused(lambda: mine.create({"user_id": self.manager.id, **values}))

    def test_why_a_contact_that_is_over_is_not_changed(self):
        """What only the system writes is refused as that, over or not."""
        call = self.case.sudo()._plan_call(self.today, "Ask")
        call.action_done()
        self._refused(lambda: call.with_user(self.collector).write({"state": "planned"}))
        self._refused(lambda: call.with_user(self.collector).write({"user_id": False}), UserError)

    def test_collector_works_cases(self):
        case = self.case.with_user(self.collector)
        case.read(["amount_overdue", "amount_collected", "open_item_ids", "attention"])
        case.collector_id = self.collector
        case._pause_until("Waiting for the boss", self.company._ar_today().replace(year=2099))
        case.action_resume()
        action = case.action_ids
        action.outcome = "reached"
        action.action_done()
        self.assertEqual(action.state, "done")
        call = action.create(
            {
                "case_id": case.id,
                "partner_id": case.partner_id.id,
                "company_id": case.company_id.id,
                "channel": "call",
                "date_planned": self.today,
            }
        )
        call.action_done()
        self.assertRecordValues(call, [{"state": "done", "user_id": self.collector.id}])
        case.file_id.dunning_contact_id = self.customer

    def test_collector_does_not_decide(self):
        file = self.file.with_user(self.collector)
        for values in (
            {"grade_id": False},
            {"limit_mode": "unlimited"},
            {"custom_limit": 5},
            {"hold": True},
            {"hold_reason": "x"},
            {"policy_id": self.policy.id},
            {"collector_id": self.collector.id},
            {"late_charge_mode": "none"},
            {"late_charge_rate": 1},
            {"dispute_days": 90},
            {"score": 5},
        ):
            self._refused(lambda values=values: file.write(values))
        self._refused(file.action_hold)
        self._refused(file.action_release_hold)
        self._refused(
            lambda: (
                self.env["ar.credit.file"]
                .with_user(self.collector)
                .create(
                    {
                        "partner_id": self._customer("New").id,
                        "company_id": self.company.id,
                        "limit_mode": "unlimited",
                    }
                )
            )
        )
        partner = self.customer.with_user(self.collector)
        self._refused(lambda: partner.write({"credit_grade_id": False}))
        run = self.env["ar.collection.run"].with_user(self.collector).search([], limit=1)
        self._refused(run.action_execute)
        self._refused(run.action_preview)
        self._refused(lambda: run.create({"company_id": self.company.id, "date": self._day(9)}))
        self._refused(lambda: self.policy.with_user(self.collector).write({"min_amount": 1}))
        self._refused(lambda: self.case.with_user(self.collector).unlink())

    def test_figures_are_nobodys_to_write(self):
        """Stored figures and states come from the ledger and the run, not over RPC."""
        for user in (self.collector, self.manager):
            case = self.case.with_user(user)
            for values in (
                {"amount_overdue": 1},
                {"state": "closed", "close_reason": "paid"},
                {"priority": 99},
                {"oldest_due_date": self.today},
                {"partner_id": 1},
            ):
                self._refused(lambda case=case, values=values: case.write(values), UserError)
            file = self.file.with_user(user)
            for values in ({"open_amount": 0}, {"overdue_amount": 0}, {"effective_limit": 1}):
                self._refused(lambda file=file, values=values: file.write(values), UserError)

    def test_history_is_nobodys_to_change(self):
        row = self.file.history_ids[:1]
        values = {"file_id": self.file.id, "date": row.date, "reason": "Forged"}
        for user in (self.collector, self.manager, self.auditor):
            history = row.with_user(user)
            self._refused(lambda history=history: history.create(values))
            self._refused(lambda history=history: history.write({"reason": "Forged"}))
            self._refused(history.unlink)

    def test_criteria_are_the_managers(self):
        criterion = self.env["ar.credit.criterion"].search([], limit=1)
        self._refused(lambda: criterion.with_user(self.collector).write({"weight": 99}))
        self._refused(lambda: criterion.band_ids.with_user(self.collector).write({"points": 1}))
        criterion.with_user(self.manager).weight = 99
        self.assertEqual(criterion.weight, 99)

    def test_auditor_reads_only(self):
        for record in (
            self.case,
            self.file,
            self.case.action_ids,
            self.case.action_ids.item_ids,
            self.policy,
            self.policy.step_ids,
            self.env["ar.collection.run"].search([], limit=1),
            self.env["ar.credit.grade"].search([], limit=1),
            self.env["ar.credit.criterion"].search([], limit=1),
            *self.credit_records,
        ):
            record = record.with_user(self.auditor)
            record.read()
            name = next(
                name
                for name, field in record._fields.items()
                if field.store
                and field.type in ("char", "integer", "date", "text")
                and name not in ("id", "create_date", "write_date")
            )
            self._refused(lambda record=record, name=name: record.write({name: False}))
            self._refused(record.unlink)
        self._refused(self.case.with_user(self.auditor).action_resume)
        self._refused(lambda: self.case.with_user(self.auditor)._pause_until("x", self._day(9999)))
        self._refused(self.case.action_ids.with_user(self.auditor).action_done)
        unreachable = self._customer("Unreachable", email=False)
        self._invoice(unreachable, 100, due=-1)
        self._run(1)
        failed = self._case(unreachable).action_ids
        unreachable.email = "found@example.com"
        self._refused(failed.with_user(self.auditor).action_send)
        self._refused(failed.with_user(self.auditor).action_cancel)
        self.assertEqual(failed.state, "failed")

    def test_biller_is_warned_without_collection_rights(self):
        draft = self._invoice(self.customer, 5, due=30, post=False).with_user(self.biller)
        self.assertIn("ar_credit", draft._get_alerts())
        self._refused(self.case.with_user(self.biller).read)
        self._pay(self.invoice.with_user(self.biller).sudo(False), day=1)
        self.assertEqual(self.case.state, "closed", "whoever books the payment")

    def test_sales_user_sees_grade_but_no_amount(self):
        user = new_test_user(
            self.env,
            "sales",
            "base.group_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        partner = self.customer.with_user(user)
        partner.read(["credit_grade_id", "credit_hold", "risk_tier"])
        self._refused(lambda: partner.read(["amount_overdue"]))
        self._refused(lambda: partner.search([("amount_overdue", ">", 0)]))

    def test_others_read_partners_and_invoices_as_before(self):
        """All fields that we add and somebody may see can be read without our own rights."""

        def read_ours(record, user):
            record = record.with_user(user)
            ours = [
                name
                for name in record.fields_get()
                if record._fields[name]._module == "ar_collections"
            ]
            self.assertTrue(ours)
            record.read(ours)

        employee = new_test_user(
            self.env,
            "employee",
            "base.group_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        read_ours(self.customer, employee)
        for record in (self.customer, self.invoice, self.invoice.line_ids):
            read_ours(record, self.biller)
        portal = new_test_user(
            self.env,
            "portal",
            "base.group_portal",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        portal.partner_id.parent_id = self.customer
        customer = self.customer.with_user(portal)
        self._refused(lambda: customer.read(["credit_hold"]))
        self._refused(lambda: customer.read(["risk_tier"]))

    def test_companies_are_apart(self):
        other = self.setup_other_company(name="Other company")["company"]
        stranger = new_test_user(
            self.env,
            "stranger",
            "ar_collections.group_credit_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        for record in (
            self.case,
            self.file,
            self.case.action_ids,
            self.case.action_ids.item_ids,
            *self.credit_records,
        ):
            self.assertFalse(record.with_user(stranger).search([("id", "in", record.ids)]))
            self._refused(record.with_user(stranger).read)

    def test_nothing_private_over_rpc(self):
        for model, methods in {
            "ar.position": ("_figures", "_behaviour", "_items"),
            "ar.collection.run": ("_run_for", "_execute", "_cron_daily"),
            "ar.credit.file": ("_set_hold", "_lift_hold", "_push_limit"),
            "ar.credit.refresh": ("_refresh_figures", "_refresh_orders", "_refresh_behaviour"),
            "ar.credit.control": ("_decide", "_gate", "_decide_in_order"),
            "ar.credit.facts": ("_gather_facts",),
            "ar.credit.scoring": ("_score_again", "_write_scores"),
            "ar.credit.warning": ("_refresh_warnings",),
            "ar.credit.hold.rule": ("_apply_hold_rules",),
            "ar.credit.release": (
                "_hold_documents",
                "_use_up",
                "_request_decision",
                "_cancel_waiting",
                "_record_decision",
            ),
            "ar.credit.review": ("_apply_to_file", "_write_decision", "_open_for", "_open_due"),
            "ar.credit.cover": ("_refresh_all",),
            "account.move": ("_ar_credit_demands", "_ar_credit_exemption"),
            "ar.collection.case": ("_close", "_pause_until"),
            "ar.collection.sync": ("_sync_cases", "_open_new"),
            "ar.ledger.touch": ("_touch_items", "_touch_customers", "_settle_touched"),
            "ar.collection.action": ("_mark_done", "_send", "_take_steps", "_fail"),
        }.items():
            for method in methods:
                with self.assertRaises(AccessError):
                    get_public_method(self.env[model], method)

    def test_manager_runs(self):
        run = (
            self.env["ar.collection.run"]
            .with_user(self.manager)
            .create(
                {
                    "company_id": self.company.id,
                    "date": self._day(1),
                }
            )
        )
        run.action_preview()
        self.assertEqual(run.state, "preview")
        run.with_context(ar_clock=Clock(self._day(1))).action_execute()
        self.assertEqual(run.state, "done")
        self._refused(run.unlink, UserError)
        for values in ({"state": "draft"}, {"action_count": 0}, {"date": self._day(5)}):
            self._refused(lambda values=values: run.write(values), UserError)
