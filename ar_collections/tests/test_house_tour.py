from datetime import date, timedelta

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestTour(CollectionsCommon, HttpCase):
    # The screens know no other day.
    today = date.today()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tour_customer = cls._customer("Tour Customer")
        cls._invoice(cls.tour_customer, 1000, due=-20)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.tour_customer.id)])

    def _user(self, login, group):
        return new_test_user(
            self.env,
            login,
            f"base.group_user,{group if '.' in group else f'ar_collections.{group}'}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_collector_logs_a_call(self):
        user = self._user("tour_collector", "group_collector")
        self.start_tour("/odoo", "ar_collections_collector", login=user.login)
        call = self.case.action_ids.filtered("note")
        self.assertRecordValues(
            call,
            [
                {
                    "channel": "call",
                    "state": "done",
                    "outcome": "reached",
                    "note": "Pays on Friday",
                    "amount": 1000,
                    "user_id": user.id,
                }
            ],
        )
        self.assertEqual(call.item_ids.residual, 1000)

    def test_manager_pauses_and_resumes(self):
        user = self._user("tour_manager", "group_credit_manager")
        self.start_tour("/odoo", "ar_collections_manager", login=user.login)
        self.assertRecordValues(
            self.case,
            [
                {
                    "state": "open",
                    "pause_reason": False,
                    "pause_end": False,
                }
            ],
        )
        tracked = self.case.message_ids.tracking_value_ids
        self.assertIn("Waiting for the auditor", tracked.mapped("new_value_char"))
        self.assertIn(
            self.today + timedelta(days=10),
            [value.date() for value in tracked.mapped("new_value_datetime") if value],
        )

    def test_more_credit_is_asked_for_by_one_click(self):
        customer = self._customer("Modest Customer")
        file = self.env["ar.credit.file"]._get_file(customer, self.company, create=True)
        file.write({"limit_mode": "custom", "custom_limit": 100})
        manager = self._user("tour_generous", "group_credit_manager")
        url = f"/odoo/credit-files/{file.id}"
        self.start_tour(url, "ar_collections_ask_for_more", login=manager.login)
        self.assertEqual(file.limit_mode, "custom")
        self.assertRecordValues(
            file.review_ids,
            [{"state": "draft", "limit_mode": "unlimited", "requester_id": manager.id}],
        )

    def test_stopped_invoice_is_released(self):
        grade = self.env["ar.credit.grade"].create(
            {"code": "TOUR", "name": "Tour", "on_hold": "approve"}
        )
        customer = self._customer("Held Customer")
        file = self.env["ar.credit.file"]._get_file(customer, self.company, create=True)
        file.write({"grade_id": grade.id, "hold": True, "hold_reason": "Court case opened"})
        invoice = self._invoice(customer, 500, due=10, post=False)
        biller = self._user("tour_biller", "account.group_account_invoice")
        manager = self._user("tour_releaser", "group_credit_manager")

        invoices = "/odoo/customer-invoices"
        self.start_tour(invoices, "ar_collections_request_release", login=biller.login)
        self.assertEqual(invoice.state, "draft")
        release = invoice.ar_release_ids
        self.assertRecordValues(
            release, [{"state": "requested", "requester_id": biller.id, "amount": 500}]
        )
        self.assertIn(manager, release.activity_ids.user_id)

        self.start_tour("/odoo", "ar_collections_release", login=manager.login)
        self.assertRecordValues(
            release,
            [
                {
                    "state": "approved",
                    "approver_id": manager.id,
                    "amount_granted": 500,
                    "decision_note": "Paid in advance by the court",
                }
            ],
        )

        self.start_tour(invoices, "ar_collections_confirm_released", login=biller.login)
        self.assertEqual(invoice.state, "posted")
        self.assertEqual(release.state, "used")
