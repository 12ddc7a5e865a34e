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
            f"base.group_user,ar_collections.{group}",
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
