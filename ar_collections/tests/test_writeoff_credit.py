from odoo.exceptions import UserError, ValidationError

from .test_writeoff_recovery import RecoveryCommon


class TestWriteoffCredit(RecoveryCommon):
    """What customers have paid too much, by cents, and nobody asks back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.credit_reason = cls.reason.copy(
            {
                "name": "Too much",
                "code": "too_much",
                "for_credit_balances": True,
                "sequence": -1,
                "recovery_account_id": cls.income.id,
            }
        )

    def _wizard(self, **values):
        return self.env["ar.writeoff.small.balance"].create(
            {"company_id": self.company.id, "kind": "credit", **values}
        )

    def _make(self):
        """The requests, by currency."""
        action = self._wizard().action_create()
        requests = self.env["ar.writeoff.request"].search(action.get("domain") or [])
        if action.get("res_id"):
            requests = requests.browse(action["res_id"])
        return requests

    def test_which_are_offered(self):
        free = [self._customer(f"Free {number}") for number in range(4)]
        self._paid(0.4, day=-100, partner=free[0])
        self._paid(4.99, day=-100, partner=free[1])
        self._paid(3, self.euro, day=-100, partner=free[2])
        # Too large, too young, of somebody who owes something, of ourselves.
        self._paid(5.01, day=-100, partner=free[3])
        self._paid(0.3, day=-80, partner=free[3])
        self._paid(0.5, day=-100)
        self._paid(0.6, day=-100, partner=self.branch.partner_id)
        wizard = self._wizard()
        self.assertEqual(wizard.reason_id, self.credit_reason)
        # 3.00 EUR at 0.9 are 3.33.
        self.assertEqual((wizard.item_count, round(wizard.amount_total, 2)), (3, 8.72))
        requests = self._make()
        self.assertEqual(len(requests), 2)
        self.assertEqual(set(requests.mapped("kind")), {"credit"})
        self.assertEqual(sorted(requests.mapped("amount_total")), [3.33, 5.39])
        with self.assertRaisesRegex(UserError, "that small"):
            # They wait to be decided.
            requests.action_submit()
            self._wizard().action_create()

    def test_booked_and_reversed(self):
        customer = self._customer("Free")
        payments = self._paid(0.4, day=-100, partner=customer)
        payments |= self._paid(3, self.euro, day=-100, partner=customer)
        for request in self._make():
            request.action_submit()
            request.with_user(self.manager).action_approve()
            request.with_user(self.biller).action_post()
            income = request.move_id.line_ids.filtered(lambda line: line.account_id == self.income)
            self.assertEqual(income.balance, -request.amount_total)
            self.assertEqual(request.amount_allowance, 0)
        self.assertEqual(set(payments.mapped("reconciled")), {True})
        self.assertFalse(payments.matched_debit_ids.exchange_move_id)
        self.assertEqual(self._balance(payments.account_id, customer), 0)
        file = self._case(customer).file_id
        self.assertFalse(file.written_off_amount, "nobody gave a debt up")
        requests = payments.matched_debit_ids.debit_move_id.move_id._ar_bookings()
        for request in requests:
            request.with_user(self.biller).action_reverse()
        self.assertEqual(payments.mapped("amount_residual_currency"), [-0.4, -3])

    def test_used_since(self):
        customer = self._customer("Free")
        payment = self._paid(0.4, day=-100, partner=customer)
        request = self._make()
        request.action_submit()
        request.with_user(self.manager).action_approve()
        (payment | self._items(self._invoice(customer, 0.1, due=-1))).reconcile()
        with self.assertRaisesRegex(UserError, "is open"):
            request.with_user(self.biller).action_post()

    def test_not_more_than_is_there(self):
        self._paid(0.4, day=-100, partner=self._customer("Free"))
        request = self._make()
        with self.assertRaises(ValidationError):
            request.line_ids.amount = 0.41
        with self.assertRaises(ValidationError):
            request.line_ids.move_line_id = self.item

    def test_day_of_the_credit(self):
        self._paid(0.4, day=-90, partner=self._customer("Free"))
        self.assertEqual(self._wizard().item_count, 1)
        self.assertEqual(self._wizard(older_than=91).item_count, 0)
