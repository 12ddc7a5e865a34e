from datetime import date, timedelta

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestWorkbenchTour(CollectionsCommon, HttpCase):
    # The screens know no other day.
    today = date.today()

    def test_worklist_call_excuse_promise_next_case(self):
        customers = [self._customer("Tour Customer"), self._customer("Second Customer")]
        for customer, amount, due in zip(customers, (1000, 50), (-20, -3), strict=True):
            self._invoice(customer, amount, due=due)
        file = self.env["ar.credit.file"]._get_file(customers[0], self.company, create=True)
        file.decision_maker_id = self._customer(
            "Head of Finance", parent_id=customers[0].id, is_company=False
        )
        self.env["ar.collection.priority.rule"].create(
            {"name": "Large", "domain": "[('amount_overdue', '>=', 500)]", "points": 500}
        )
        self._run(0)
        user = new_test_user(
            self.env,
            "worklist_tour",
            "base.group_user,ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.start_tour("/odoo", "ar_collections_worklist", login=user.login)
        first, second = self._case(customers[0]), self._case(customers[1])
        call = first.action_ids.filtered("excuse_id")
        self.assertRecordValues(
            call, [{"state": "done", "outcome": "reached", "user_id": user.id, "amount": 1000}]
        )
        self.assertRecordValues(
            first.promise_ids,
            [
                {
                    "amount": 400,
                    "date": self.today + timedelta(days=5),
                    "state": "open",
                    "action_id": call.id,
                }
            ],
        )
        self.assertEqual(first.worked_on, self.today)
        self.assertEqual(second.resubmission_date, self.today + timedelta(days=3))
