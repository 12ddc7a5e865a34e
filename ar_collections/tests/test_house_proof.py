"""What somebody may be tempted to change behind the screens: proof, policies, approvals."""

import json
from datetime import datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CollectionsCommon
from .common_writeoff import WriteoffCommon
from .test_house_migration import MIGRATIONS, load

REFUSED = UserError


class RemoteCase(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice(cls.customer, 100, due=-15)
        cls._run(0)
        cls.case = cls._case(cls)
        cls.collector, cls.manager, cls.auditor = (
            cls._person(f"proof_{group}", f"ar_collections.group_{group}", cls.company)
            for group in ("collector", "credit_manager", "auditor")
        )

    @classmethod
    def _person(cls, login, group, companies):
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,{group}",
            company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)],
        )

    def _call(self, user, record, method, *args):
        """Call as RPC does."""
        records = self.env(user=user, su=False)[record._name]
        self.env.invalidate_all()
        return call_kw(records, method, [record.ids, *args], {})

    def _refused(self, user, record, method, *args, error=REFUSED):
        with self.assertRaises(error), self.env.cr.savepoint():
            self._call(user, record, method, *args)
            self.env.flush_all()


class TestProof(RemoteCase):
    def _contact(self, **values):
        """A contact that took place."""
        call = self.case.sudo()._plan_call(self.today, "Ask")
        call.write({"outcome": "reached", **values})
        call.action_done()
        return call

    def test_contact_stays_when_its_message_comes_back(self):
        contacts = self._contact(), self._contact()
        contacts[1]._fail("No such mailbox", self.today)
        planned = self.case.sudo()._plan_call(self._day(1), "Another")
        self.case.sudo()._close(self.today, "paid")
        for user in (self.collector, self.manager):
            for contact in contacts:
                self._refused(user, contact, "unlink")
                self._refused(user, contact, "action_cancel") if contact.state == "done" else None
                for command in (
                    Command.delete(contact.id),
                    Command.unlink(contact.id),
                    Command.clear(),
                    Command.set([]),
                    Command.update(contact.id, {"note": "Forged", "state": "planned"}),
                ):
                    self._refused(user, self.case, "write", {"action_ids": [command]})
                items = contact.item_ids
                self.assertTrue(items)
                self._refused(user, items, "unlink")
                self._refused(user, items, "write", {"residual": 1})
                self._refused(user, contact, "write", {"item_ids": [Command.clear()]})
        self._call(self.collector, planned, "unlink")
        self.assertFalse(planned.exists())

    def test_proof_is_not_made_up(self):
        contact = self._contact()
        values = {"action_id": contact.id, "name": "INV/1", "residual": 5}
        records = self.env["ar.collection.action.item"]
        for user in (self.collector, self.manager):
            with self.assertRaises(AccessError):
                call_kw(records.with_user(user), "create", [values], {})

    def test_note_is_written_once(self):
        contact, silent = self._contact(note="They pay on Friday"), self._contact(note=False)
        self._refused(self.collector, contact, "write", {"note": "They never pay"})
        self._refused(self.collector, contact, "write", {"note": False})
        self._call(self.collector, silent, "write", {"note": "Nobody was there"})
        self._refused(self.collector, silent, "write", {"note": "Somebody was there"})
        self.assertEqual(contact.note, "They pay on Friday")

    def test_what_was_sent_stays(self):
        sent = self._customer("Sent")
        self._invoice(sent, 50, due=-1)
        self._run(1)
        action = self._case(sent).action_ids.filtered("message_id")
        letter = self.env["ir.attachment"].create(
            {"name": "x.pdf", "raw": b"x", "res_model": action._name, "res_id": action.id}
        )
        for user in (self.collector, self.manager):
            self._refused(user, action.message_id, "unlink")
            self._refused(user, action.message_id, "write", {"body": "Nothing"})
            self._refused(user, letter, "unlink")
            self._refused(user, letter, "write", {"raw": "eA=="})
            self._refused(user, letter, "write", {"res_id": 1})


class TestRightsOfRoles(RemoteCase):
    def test_auditor_decides_nothing(self):
        dispute = self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env["ar.dispute.reason"].search([], limit=1).id,
                "decision_note": "No",
                "line_ids": [Command.create({"move_line_id": line.id, "amount": 1})
                             for line in self._items(self.invoice)],
            }
        )  # fmt: skip
        buttons = [name for name in dir(type(dispute)) if name.startswith("action_")]
        for button in buttons:
            try:
                with self.env.cr.savepoint():
                    self._call(self.auditor, dispute, button)
            except Exception:  # noqa: BLE001, S112 (what it says is not the point)
                continue
        self.assertRecordValues(dispute, [{"state": "open", "accepted_late": False}])
        for button in ("action_reject", "action_withdraw", "action_accept_late"):
            self._refused(self.auditor, dispute, button, error=AccessError)
        self._refused(self.auditor, dispute, "write", {"decision_note": "Yes"}, error=AccessError)

    def _items(self, invoice):
        return invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def test_manager_of_another_company_starts_no_run(self):
        other = self.setup_other_company(name="Other")["company"]
        stranger = self._person("proof_stranger", "ar_collections.group_credit_manager", other)
        run = self.env["ar.collection.run"].create(
            {"company_id": self.company.id, "date": self._day(1)}
        )
        for button in ("action_preview", "action_execute", "action_preview_messages"):
            self._refused(stranger, run, button, error=AccessError)
        self.assertEqual(run.state, "draft")

    def test_policy_of_a_case_is_the_managers(self):
        policy = self.case.policy_id
        self.assertTrue(policy)
        for value in (False, policy.copy().id):
            self._refused(self.collector, self.case, "write", {"policy_id": value})
        self._call(self.manager, self.case, "write", {"policy_id": policy.copy().id})
        # Without one it is asked nevertheless, by the one that fits.
        self._call(self.manager, self.case, "write", {"policy_id": False})
        self._run(1)
        self.assertEqual(self.case.policy_id, policy)

    def test_counters_count_the_own_companies(self):
        other = self.setup_other_company(name="Other")["company"]
        stranger = self._person("proof_count", "ar_collections.group_credit_manager", other)
        for record in (self.customer, self.invoice):
            count = record.with_user(self.manager).collection_case_count
            self.assertEqual(count, 1)
        partner = self.customer.with_user(stranger)
        self.assertEqual(partner.collection_case_count, 0)
        both = self._person(
            "proof_both", "ar_collections.group_credit_manager", self.company | other
        )
        for companies, count in ((self.company, 1), (other, 0), (self.company | other, 1)):
            partner = self.customer.with_user(both).with_context(allowed_company_ids=companies.ids)
            self.assertEqual(partner.collection_case_count, count, companies.mapped("name"))


class TestApprovals(WriteoffCommon):
    def _call(self, user, record, method, *args):
        self.env.invalidate_all()
        records = self.env(user=user, su=False)[record._name]
        return call_kw(records, method, [record.ids, *args], {})

    def _refused(self, user, record, method, *args):
        with self.assertRaises(REFUSED), self.env.cr.savepoint():
            self._call(user, record, method, *args)
            self.env.flush_all()

    def test_who_wrote_the_amount_does_not_approve(self):
        """Neither the lines, nor the reason, nor through the request."""
        for change in (
            lambda request: (request.line_ids, "write", {"amount": 900}),
            lambda request: (request, "write", {"reason_id": self.reason.copy({"code": "b"}).id}),
            lambda request: (
                request,
                "write",
                {"line_ids": [Command.update(request.line_ids.id, {"amount": 800})]},
            ),
        ):
            request = self._request()
            self._call(self.manager, *change(request))
            request.action_submit()
            self.assertNotIn(self.manager, request.sudo().approver_ids)
            self._refused(self.manager, request, "action_approve")
            self._call(self.second, request, "action_approve")
            self.assertEqual(request.state, "approved")
            request.sudo().action_cancel()

    def test_day_of_an_approved_request_is_the_accountants(self):
        request = self._request()
        self._call(self.collector, request, "write", {"date": self._day(1)})
        request.action_submit()
        self._refused(self.collector, request, "write", {"date": self._day(-300)})
        self._call(self.manager, request, "action_approve")
        for user in (self.collector, self.manager, self.chief, self.auditor):
            self._refused(user, request, "write", {"date": self._day(-300)})
        self._call(self.biller, request, "write", {"date": self._day(0)})
        self.assertEqual(request.state, "approved", "when it is booked changes nothing else")
        self._call(self.biller, request, "action_post")
        self._refused(self.biller, request, "write", {"date": self._day(-300)})

    def test_requests_under_way_keep_their_tiers(self):
        """A tier of the company replaces the shared ones, for requests to come."""
        submitted, approved = self._request({self.item: 100}), self._request({self.item: 50})
        submitted.action_submit()
        with self.assertRaises(UserError):
            approved.action_submit()  # the item waits in the other one
        self.env["ar.writeoff.tier"].create(
            {
                "name": "Anybody",
                "company_id": self.company.id,
                "user_ids": [Command.set(self.collector.ids)],
            }
        )
        self.env["ar.writeoff.routing"]._refresh_approvers()
        self.assertEqual(submitted.sudo().approver_ids, self.manager | self.second)
        self._refused(self.chief, submitted, "action_approve")
        self.tier.active = False
        self.assertEqual(submitted.sudo().approval_status, "0 of 1")
        self._call(self.manager, submitted, "action_approve")
        self.assertEqual(submitted.state, "approved")
        submitted.sudo().action_draft()
        submitted.action_submit()
        self.assertEqual(submitted.sudo().tier_ids.name, "Anybody")

    def test_requests_of_before_keep_their_tiers(self):
        request = self._request()
        request.action_submit()
        tiers = request.sudo().tier_ids
        request.sudo().tier_ids = False
        self.env.flush_all()
        load(MIGRATIONS / "19.0.5.3.0/post-tiers.py").migrate(self.env.cr, "19.0.5.2.0")
        self.env.invalidate_all()
        self.assertEqual(request.sudo().tier_ids, tiers)

    def test_others_do_not_send_a_request_back(self):
        request = self._request()
        request.action_submit()
        colleague = self._user("wo_colleague", "ar_collections.group_collector")
        line = request.line_ids
        for record, method, *args in (
            (line, "write", {"amount": 5}),
            (line, "unlink"),
            (request, "write", {"line_ids": [Command.delete(line.id)]}),
            (request, "write", {"reason_id": self.reason.copy({"code": "c"}).id}),
        ):
            for user in (colleague, self.auditor, self.chief):
                self._refused(user, record, method, *args)
        self.assertRecordValues(request, [{"state": "submitted", "round": 1}])
        self.assertEqual(line.amount, 1000)
        self._call(self.collector, line, "write", {"amount": 5})
        self.assertEqual(request.state, "draft")


@tagged("post_install", "-at_install")
class TestEntrances(RemoteCase, HttpCase):
    """The same walls stand behind each way in."""

    def test_auditor_is_refused_at_every_door(self):
        action = self.case.sudo()._plan_call(self.today, "Ask")
        tries = [(action, "action_done", {}), (self.case, "write", {"vals": {"policy_id": False}})]
        key = (
            self.env["res.users.apikeys"]
            .with_user(self.auditor)
            ._generate("rpc", "test", datetime.now() + timedelta(days=1))
        )
        self.authenticate(self.auditor.login, self.auditor.login)
        for record, method, kwargs in tries:
            answer = self.url_open(
                f"/web/dataset/call_kw/{record._name}/{method}",
                data=json.dumps(
                    {
                        "params": {
                            "model": record._name,
                            "method": method,
                            "args": [record.ids],
                            "kwargs": kwargs,
                        }
                    }
                ),
                headers={"Content-Type": "application/json"},
            ).json()
            self.assertEqual(answer["error"]["data"]["name"], "odoo.exceptions.AccessError")
            answer = self.url_open(
                f"/json/2/{record._name}/{method}",
                data=json.dumps({"ids": record.ids, **kwargs}),
                headers={"Content-Type": "application/json", "Authorization": f"bearer {key}"},
            )
            self.assertEqual(answer.status_code, 403)
        self.assertEqual(action.state, "planned")
        private = self.url_open(
            f"/json/2/{self.case._name}/_close",
            data=json.dumps({"ids": self.case.ids}),
            headers={"Content-Type": "application/json", "Authorization": f"bearer {key}"},
        )
        self.assertIn(private.status_code, (403, 404, 422))
        self.assertEqual(self.case.state, "open")
