from datetime import date

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestWriteoffTour(CollectionsCommon, HttpCase):
    # The screens know no other day.
    today = date.today()

    def _user(self, login, *groups):
        return new_test_user(
            self.env,
            login,
            ",".join(("base.group_user", *(f"ar_collections.{group}" for group in groups))),
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_from_request_to_recovery(self):
        debtor = self._customer("Tour Debtor")
        invoice = self._invoice(debtor, 800, due=-300)
        self._run(0)
        collector = self._user("tour_wo_collector", "group_collector")
        first = self._user("tour_wo_first", "group_credit_manager")
        second = self._user("tour_wo_second", "group_credit_manager")
        biller = self._user("tour_wo_biller", "group_credit_manager")
        biller.group_ids += self.env.ref("account.group_account_invoice")
        self.env["ar.writeoff.tier"].search([]).active = False
        self.env["ar.writeoff.tier"].create(
            [
                {"name": name, "user_ids": [Command.set(user.ids)], "sequence": sequence}
                for sequence, (name, user) in enumerate((("First", first), ("Second", second)))
            ]
        )
        self.company.ar_writeoff_account_id = self.company_data["default_account_expense"]
        self.company.ar_recovery_account_id = self.company_data["default_account_revenue"]
        self.company.ar_writeoff_high_risk = 100

        def tour(name, user):
            self.start_tour("/odoo", f"ar_collections_writeoff_{name}", login=user.login)

        tour("request", collector)
        request = self.env["ar.writeoff.request"].search([("partner_id", "=", debtor.id)])
        self.assertEqual((request.state, request.user_id), ("submitted", collector))
        tour("refuse", first)
        self.assertEqual(request.state, "refused")
        tour("resubmit", collector)
        tour("approve", first)
        self.assertEqual(request.state, "submitted")
        tour("approve", second)
        self.assertEqual(request.state, "approved")
        self.assertEqual(
            request.approval_ids.mapped("decision"), ["refused", "approved", "approved"]
        )
        tour("post", biller)
        self.assertEqual(request.state, "posted")
        self.assertEqual(invoice.amount_residual, 0)
        payment = self.env["account.payment"].create(
            {
                "partner_id": debtor.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": 800,
                "date": self.today,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        tour("recover", biller)
        self.assertRecordValues(request, [{"state": "recovered", "amount_recovered": 800}])
