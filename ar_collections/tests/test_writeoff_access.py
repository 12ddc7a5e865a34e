from datetime import datetime
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..models.writeoff.writeoff_approval import DECIDED
from .common_writeoff import WriteoffCommon


class TestWriteoffAccess(WriteoffCommon):
    """Four eyes, whatever way somebody tries to get around them."""

    def _refused(self, function, error=UserError):
        with self.assertRaises(error), self.env.cr.savepoint():
            function()
            self.env.flush_all()

    # Approving

    def test_nobody_approves_their_own(self):
        for user in (self.manager, self.biller):
            request = self._request(user=user)
            request.action_submit()
            self._refused(request.action_approve)
            self._refused(lambda request=request: request._refuse_request("No"))
            self.assertFalse(request.approval_ids)
            request.action_cancel()
        # Neither who made it nor who submitted it.
        request = self._request(user=self.second)
        request.with_user(self.manager).action_submit()
        self._refused(request.action_approve)
        self._refused(request.with_user(self.manager).action_approve)

    def test_whoever_typed_it_for_a_colleague_asks_too(self):
        request = self._request(user=self.second)
        request.sudo().user_id = self.collector
        request.with_user(self.collector).action_submit()
        self.assertEqual(request.create_uid, self.second)
        self.assertEqual(request.approver_ids, self.manager, "not who typed it")
        self.assertFalse(request.with_user(self.second).may_approve)
        self._refused(request.with_user(self.second).action_approve)
        self._refused(lambda: request.with_user(self.second)._refuse_request("No"))
        request.with_user(self.manager).action_approve()
        self.assertEqual(request.state, "approved")

    def test_the_approver_decides_on_the_risk_of_today(self):
        rule = self.env["ar.writeoff.risk.rule"].with_context(active_test=False).search([])
        rule = rule.filtered(lambda each: each.code == "trading")
        rule.write({"active": True, "points": 100})
        request = self._request()
        # The invoice itself is no trade of the last days.
        self.assertEqual((request.risk_score, request.is_high_risk), (0, False))
        request.action_submit()
        self._pay(self._invoice(self.customer, 10, due=0), day=0)
        request.with_user(self.manager).action_approve()
        self.assertEqual((request.risk_score, request.is_high_risk), (100, True))
        self.assertEqual((request.state, request.approver_ids), ("submitted", self.chief))
        self.assertEqual(request.approval_ids.risk_score, 100)

    def test_others_do_not_take_back_what_they_did_not_ask_for(self):
        colleague = self._user("wo_colleague", "ar_collections.group_collector")
        request = self._request()
        request.action_submit()
        theirs = request.with_user(colleague)
        for button in (theirs.action_draft, theirs.action_cancel):
            with self.assertRaisesRegex(AccessError, self.collector.login):
                button()
        self.assertEqual(request.state, "submitted")
        # Who asked, who submitted and a credit manager may.
        request.with_user(self.collector).action_draft()
        request.with_user(self.manager).action_submit()
        request.with_user(self.manager).action_draft()
        request.with_user(self.second).action_cancel()
        self.assertEqual(request.state, "cancelled")

    def test_every_decision_locks_what_it_decides(self):
        """Of two at once the second is told so, whatever they do; see also two connections."""
        locked = []

        def lock(records, **kwargs):
            self.assertTrue(kwargs["allow_referencing"], "journal items refer to it meanwhile")
            locked.append((records._name, *records.ids))

        request = self._request()
        request.action_submit()
        model = self.registry["ar.writeoff.request"]
        with patch.object(model, "lock_for_update", lock):
            wanted = [(request._name, request.id)]

            def decided(button):
                locked.clear()
                button()
                self.assertEqual(locked, wanted)

            decided(lambda: request.with_user(self.manager)._refuse_request("Call again"))
            request.action_submit()
            decided(request.with_user(self.manager).action_approve)
            decided(request.with_user(self.biller).action_post)
            payment = self._pay_on_account(400)
            decided(payment.with_user(self.biller).action_ar_recover)
            recovery = request.recovery_ids
            decided(recovery.with_user(self.biller).action_reverse)
            decided(request.with_user(self.biller).action_reverse)

    def _pay_on_account(self, amount):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "date": self.today,
            }
        )
        payment.action_post()
        return self._items(payment.move_id)

    def test_the_status_is_told_as_it_stands_on_the_screen(self):
        request = self._request()
        request.action_submit()
        with self.assertRaisesRegex(UserError, "status “To Approve”"):
            request.action_submit()
        self.env["res.lang"]._activate_lang("zh_CN")
        chinese = request.with_context(lang="zh_CN")
        label = dict(chinese._fields["state"]._description_selection(chinese.env))["submitted"]
        self.assertNotEqual(label, "To Approve")
        self.assertEqual(chinese._get_state_label(), label)
        with self.assertRaisesRegex(UserError, label):
            chinese.action_submit()

    def test_nobody_approves_twice(self):
        self.tier.approvals_required = 2
        request = self._request()
        request.action_submit()
        request.with_user(self.manager).action_approve()
        self.assertEqual(request.state, "submitted")
        self.assertEqual(request.approver_ids, self.second)
        self._refused(request.with_user(self.manager).action_approve)
        request.with_user(self.second).action_approve()
        self.assertEqual(request.state, "approved")
        self._refused(request.with_user(self.second).action_approve)

    def test_tiers_in_order(self):
        item = self._items(self._invoice(self.customer, 6000, due=-200))
        request = self._request({item: 6000})
        request.action_submit()
        self._refused(request.with_user(self.chief).action_approve)
        request.with_user(self.manager).action_approve()
        self.assertEqual((request.state, request.approver_ids), ("submitted", self.chief))
        # Over the limit of the first tier.
        self._refused(request.with_user(self.second).action_approve)
        request.with_user(self.chief).action_approve()
        self.assertEqual(request.state, "approved")
        self.assertEqual(request.approval_ids.mapped("tier_name"), ["Managers", "Chief"])

    def test_only_submitted_requests_are_decided(self):
        request = self._request()
        self._refused(request.with_user(self.manager).action_approve)
        self._refused(request.with_user(self.biller).action_post)
        request.action_submit()
        self._refused(request.with_user(self.biller).action_post)
        self._refused(request.action_submit)

    def test_change_needs_new_approvals(self):
        changes = (
            lambda request: request.line_ids.write({"amount": 900}),
            lambda request: request.write(
                {"line_ids": [Command.update(request.line_ids.id, {"amount": 800})]}
            ),
            lambda request: request.write(
                {"reason_id": self.reason.copy({"code": request.name}).id}
            ),
            lambda request: request.write({"line_ids": [Command.clear()]}),
            lambda request: request.line_ids.unlink(),
        )
        for change in changes:
            request = self._approved()
            approval = request.approval_ids
            self.assertTrue(approval.is_valid)
            change(request)
            self.assertEqual(request.state, "draft")
            self.assertEqual(request.approval_ids, approval)
            self.assertFalse(approval.is_valid)
            self._refused(request.with_user(self.biller).action_post)
            self._refused(request.with_user(self.manager).action_approve)
            if request.line_ids:
                # Whoever approved before decides anew.
                request.action_submit()
                request.with_user(self.manager).action_approve()
                self.assertEqual(request.state, "approved")
            request.action_cancel()

    def test_notes_do_not_change_what_was_approved(self):
        request = self._approved()
        self.cr.precommit.run()
        tracked = request.with_context(tracking_disable=False, mail_notrack=False)
        tracked.note = "Spoke to the receiver"
        request.with_user(self.biller).date = self._day(1)
        self.assertEqual(request.state, "approved")
        self.cr.precommit.run()
        # What the approvers read before stays in the chatter.
        changed = request.message_ids.sudo().tracking_value_ids.filtered(
            lambda value: value.field_id.name == "note"
        )
        self.assertEqual(changed.mapped("new_value_text"), ["Spoke to the receiver"])

    def test_refused_and_submitted_again(self):
        request = self._request()
        request.action_submit()
        self._refused(request.with_user(self.manager).action_refuse)
        wizard = (
            self.env["ar.writeoff.refuse"]
            .with_user(self.manager)
            .create({"request_id": request.id, "reason": "Call them once more"})
        )
        wizard.action_refuse()
        self.assertRecordValues(
            request, [{"state": "refused", "decision_note": "Call them once more"}]
        )
        self.assertEqual(request.activity_ids.user_id, self.collector)
        self._refused(request.with_user(self.second).action_approve)
        request.action_submit()
        # Who refused may approve what is better now.
        request.with_user(self.manager).action_approve()
        self.assertEqual(request.state, "approved")
        self.assertEqual(request.approval_ids.mapped("decision"), ["refused", "approved"])

    def test_delegation(self):
        delegation = self.env["ar.writeoff.delegation"]
        self._refused(
            lambda: delegation.with_user(self.collector).create(
                {
                    "user_id": self.chief.id,
                    "delegate_id": self.collector.id,
                    "date_from": self.today,
                    "date_to": self._day(5),
                }
            )
        )
        self.tier.user_ids = self.manager
        request = self._request(user=self.second)
        request.action_submit()
        self._refused(request.with_user(self.collector).action_approve)
        for delegate, first, last in (
            (self.auditor, self._day(1), self._day(5)),
            (self.second, self.today, self._day(5)),
            (self.collector, self.today, self._day(5)),
        ):
            delegation.with_user(self.manager).create(
                {"delegate_id": delegate.id, "date_from": first, "date_to": last}
            )
        own = delegation.with_user(self.collector).search([("delegate_id", "=", self.collector.id)])
        self._refused(lambda: own.write({"date_to": self._day(500)}))
        self._refused(own.unlink)
        # Not before the first day, and never the requester.
        self.assertEqual(request.approver_ids, self.manager | self.collector)
        self._refused(request.with_user(self.auditor).action_approve)
        self._refused(request.action_approve)
        request.with_user(self.collector).action_approve()
        self.assertRecordValues(
            request.approval_ids,
            [{"user_id": self.collector.id, "on_behalf_id": self.manager.id}],
        )

    def test_absent_approver_does_not_count_twice(self):
        self.tier.approvals_required = 2
        self.tier.user_ids = self.manager
        self.env["ar.writeoff.delegation"].with_user(self.manager).create(
            {
                "delegate_id": self.second.id,
                "date_from": self.today,
                "date_to": self._day(5),
            }
        )
        request = self._request()
        request.action_submit()
        request.with_user(self.second).action_approve()
        self._refused(request.with_user(self.manager).action_approve)

    # Around the buttons

    def test_fields_are_the_systems(self):
        request = self._request()
        request.action_submit()
        admin = self.env.ref("base.user_admin")
        admin.write({"company_ids": [Command.link(self.company.id)]})
        for user in (self.collector, self.manager, admin):
            record = request.with_user(user).with_context(allowed_company_ids=self.company.ids)
            for values in (
                {"state": "approved"},
                {"user_id": self.second.id},
                {"submitter_id": self.second.id},
                {"risk_score": 0},
                {"is_high_risk": False},
                {"approver_ids": [Command.link(user.id)]},
                {"approval_ids": [Command.clear()]},
                {"round": 7},
                {"move_id": self.invoice.id},
                {"partner_id": self.env.user.partner_id.id},
                {"submitted_partner": 1},
            ):
                self._refused(lambda record=record, values=values: record.write(values))
        self.assertEqual(request.state, "submitted")

    def test_created_or_imported_as_approved(self):
        values = {
            "partner_id": self.customer.id,
            "company_id": self.company.id,
            "reason_id": self.reason.id,
        }
        requests = self.env["ar.writeoff.request"].with_user(self.manager)
        for extra in (
            {"state": "approved"},
            {"user_id": self.second.id},
            {"round": 1},
            {"approver_ids": [Command.link(self.manager.id)]},
        ):
            self._refused(lambda extra=extra: requests.create({**values, **extra}))
        result = requests.load(
            ["partner_id/.id", "company_id/.id", "reason_id/.id", "state"],
            [[str(self.customer.id), str(self.company.id), str(self.reason.id), "approved"]],
        )
        self.assertTrue(result["messages"])
        self.assertFalse(result["ids"])

    def test_decisions_are_for_ever(self):
        request = self._approved()
        approval = request.approval_ids
        admin = self.env.ref("base.user_admin")
        for record in (
            approval.with_user(self.manager),
            approval.with_user(admin),
            approval.sudo(),
        ):
            for values in ({"note": "x"}, {"decision": "refused"}, {"user_id": admin.id}):
                self._refused(lambda record=record, values=values: record.write(values))
            self._refused(record.unlink)
        values = {
            "request_id": request.id,
            "company_id": self.company.id,
            "user_id": self.second.id,
            "decision": "approved",
            "date": datetime(2030, 6, 3, 12),
            "round": request.round,
        }
        for user in (self.manager, admin, self.env.user):
            approvals = self.env["ar.writeoff.approval"].with_user(user)
            self._refused(lambda approvals=approvals: approvals.create(values))
            for mark in (True, "DECIDED", {"a": 1}):
                self._refused(
                    lambda approvals=approvals, mark=mark: approvals.with_context(
                        ar_writeoff_decision=mark
                    ).create(values)
                )
        self._refused(
            lambda: (
                self.env["ar.writeoff.approval"]
                .with_user(self.manager)
                .with_context(ar_writeoff_decision=DECIDED)
                .create(values)
            ),
            AccessError,
        )
        self._refused(request.sudo().unlink)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.tier.unlink()

    def test_superuser_has_no_say(self):
        request = self._request()
        request.action_submit()
        self.tier.write(
            {
                "user_ids": [Command.clear()],
                "group_id": self.env.ref("ar_collections.group_credit_manager").id,
            }
        )
        root = self.env.ref("base.user_root")
        self._refused(request.with_user(root).action_approve)
        # Superuser rights do not make somebody else of a user.
        self._refused(request.sudo().action_approve)

    def test_rights(self):
        request = self._posted()
        for user in (self.collector, self.manager, self.auditor, self.biller):
            request.with_user(user).read(["name", "amount_total", "timeline_html", "risk_html"])
            request.with_user(user).line_ids.read(["amount"])
            request.with_user(user).approval_ids.read(["user_id"])
        stranger = self._user("wo_stranger")
        self._refused(lambda: request.with_user(stranger).read(["name"]), AccessError)
        # Approvers without any other right see what they decide.
        self.tier.user_ids = stranger
        other = self._request({self._items(self._invoice(self.customer, 50, due=-200)): 50})
        other.action_submit()
        other.with_user(stranger).read(["name", "amount_total", "timeline_html", "risk_html"])
        other.with_user(stranger).action_approve()
        other.with_user(stranger).read(["state"])
        self._refused(lambda: other.with_user(stranger).write({"note": "x"}), AccessError)
        for record in (request, request.line_ids):
            self._refused(lambda record=record: record.with_user(self.auditor).unlink())
        self._refused(lambda: request.with_user(self.auditor).write({"note": "x"}), AccessError)
        for model in ("ar.writeoff.tier", "ar.writeoff.risk.rule", "ar.writeoff.reason"):
            self._refused(
                lambda model=model: (
                    self.env[model]
                    .with_user(self.collector)
                    .with_context(active_test=False)
                    .search([], limit=1)
                    .write({"active": False})
                ),
                AccessError,
            )
        self._refused(
            lambda: self.tier.with_user(self.manager).write({"approvals_required": 1}), AccessError
        )

    def test_poster_needs_accounting_rights(self):
        request = self._approved()
        self._refused(request.action_post, AccessError)
        self._refused(request.with_user(self.auditor).action_post, AccessError)
        request.with_user(self.biller).action_post()
        self._refused(request.with_user(self.biller).action_post)
        self._refused(lambda: request.line_ids.write({"amount": 1}))
        self._refused(request.action_cancel)
        self._refused(request.action_draft)

    def test_entry_lives_with_the_request(self):
        request = self._posted()
        move = request.move_id
        partial = self.item.matched_credit_ids
        for function in (
            move.button_draft,
            move.button_cancel,
            lambda: move.with_context(ar_writeoff=True).button_draft(),
            lambda: move.write({"state": "draft"}),
            lambda: move.with_context(force_delete=True).unlink(),
            lambda: move._reverse_moves([{}], cancel=True),
            lambda: (
                self.env["account.move.reversal"]
                .with_context(active_model="account.move", active_ids=move.ids)
                .create({"journal_id": move.journal_id.id})
                .reverse_moves()
            ),
            partial.unlink,
            self.item.remove_move_reconcile,
            move.line_ids.remove_move_reconcile,
        ):
            self._refused(function)
        self.assertEqual(move.state, "posted")
        self.assertTrue(self.item.reconciled)
        request.with_user(self.biller).action_reverse()
        self._refused(request.reversal_id.button_draft)
        self._refused(move.button_draft)

    def test_evidence_stays_as_submitted(self):
        self.reason.evidence_ids = [Command.create({"name": "Court paper"})]
        request = self._request()
        self.assertRecordValues(request.evidence_ids, [{"name": "Court paper", "is_missing": True}])
        files = self.env["ir.attachment"].with_user(self.collector)
        paper = files.create({"name": "court.pdf", "raw": b"x"})
        request.evidence_ids.attachment_ids = paper
        self.assertFalse(request.evidence_ids.is_missing)
        request.action_submit()
        self.assertEqual(paper.with_user(self.second).raw, b"x")
        self._refused(paper.unlink, AccessError)
        self._refused(lambda: request.evidence_ids.write({"attachment_ids": [Command.clear()]}))
        self._refused(request.evidence_ids.unlink)
        self._refused(request.evidence_ids.sudo().unlink)
        self._refused(
            lambda: request.evidence_ids.create({"request_id": request.id, "name": "Other"})
        )
        item = self._items(self._invoice(self.customer, 50, due=-200))
        draft = self._request({item: 50})
        self._refused(lambda: draft.evidence_ids.write({"request_id": request.id}))

    def test_other_company(self):
        other = self.setup_other_company()["company"]
        request = self._request()
        stranger = self._user("wo_elsewhere", "ar_collections.group_credit_manager")
        stranger.write({"company_id": other.id, "company_ids": [Command.set(other.ids)]})
        self._refused(lambda: request.with_user(stranger).read(["name"]), AccessError)
        self.tier.user_ids |= stranger
        request.action_submit()
        self.assertNotIn(stranger, request.approver_ids)
