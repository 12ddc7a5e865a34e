from datetime import date, timedelta

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestCaseTour(CollectionsCommon, HttpCase):
    """The life of a case in a real browser, the customer's part included."""

    # The screens know no other day.
    today = date.today()

    def test_call_promise_broken_letter_plan_paid_closed(self):
        self.policy.step_ids = [
            Command.create(
                {
                    "name": "Letter",
                    "days": 90,
                    "channel": "letter",
                    "template_id": self.mail_template.id,
                    "report_id": self.env.ref("ar_collections.report_formal_letter").id,
                    "automatic": False,
                }
            )
        ]
        customer = self._customer("Late Customer")
        invoice = self._invoice(customer, 1000, due=-20)
        self._run(-1)
        case = self._case(customer)
        user = new_test_user(
            self.env,
            "case_tour",
            "base.group_user,ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

        self.start_tour("/odoo", "ar_collections_case_call", login=user.login)
        promise = case.promise_ids
        self.assertRecordValues(
            promise, [{"amount": 1000, "date": self.today + timedelta(days=5), "state": "open"}]
        )
        self.assertEqual(case.amount_demand, 0)

        # The browser knows no other day: what was promised was promised earlier.
        promise.sudo().write({"date_made": self._day(-9), "date": self._day(-4)})
        self._run(0)
        self.assertEqual(promise.state, "broken")
        self.assertEqual(case.amount_demand, 1000)

        self.start_tour("/odoo", "ar_collections_case_letter_and_plan", login=user.login)
        letter = case.action_ids.filtered(lambda action: action.channel == "letter")
        self.assertRecordValues(letter, [{"state": "done", "outcome": "sent", "amount": 1000}])
        self.assertEqual(letter.item_ids.move_line_id.move_id, invoice)
        self.assertTrue(letter.attachment_id)
        plan = case.plan_ids
        self.assertEqual(plan.state, "proposed")
        self.assertEqual(sum(plan.line_ids.mapped("amount")), 1000)

        file = case.file_id
        link = f"/my/receivables/{file.id}?access_token={file._portal_token(self.today)}"
        contact = self._customer("Director", parent_id=customer.id, is_company=False)
        signer = new_test_user(self.env, "case_signer", "base.group_portal", partner_id=contact.id)
        self.start_tour(link, "ar_collections_portal_sign", login=signer.login)
        self.assertRecordValues(plan, [{"state": "accepted", "signed_by": "Director of Accounts"}])
        self.assertEqual(case.amount_demand, 0)

        self._pay(invoice)
        self.assertEqual(plan.state, "done")
        self.assertRecordValues(case, [{"state": "closed", "close_reason": "paid"}])
        self.start_tour(
            f"/odoo/collection-cases/{case.id}", "ar_collections_case_closed", login=user.login
        )
