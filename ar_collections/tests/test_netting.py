from unittest.mock import patch

from odoo import Command
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon


class TestNetting(CollectionsCommon):
    """What is asked for is what is owed: one figure for message, case, hold and gate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency(
            "EUR", rates=[("2020-01-01", 2.0), ("2030-05-20", 3.0), ("2030-06-01", 1.5)]
        )
        cls.position = cls.env["ar.position"]

    def _demand(self, partner=None, day=0):
        partner = partner or self.customer
        demands = self.position._net_demand(self.company, self._day(day), partner)
        return demands[self.company.id, partner.id]

    def _on_account(self, amount, day=0, partner=None, currency=None, **values):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": (partner or self.customer).id,
                "amount": amount,
                "date": self._day(day),
                "journal_id": self.company_data["default_journal_bank"].id,
                "currency_id": (currency or self.company.currency_id).id,
                "payment_method_line_id": self.inbound_payment_method_line.id,
                **values,
            }
        )
        payment.action_post()
        return payment

    def _bank_entry(self, balance, day=0, partner=None):
        """Money on the receivable account by an entry in the bank's journal."""
        journal = self.company_data["default_journal_bank"]
        move = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": self._day(day),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": (partner or self.customer).id,
                            "balance": amount,
                        }
                    )
                    for account, amount in (
                        (self.company_data["default_account_receivable"], balance),
                        (journal.default_account_id, -balance),
                    )
                ],
            }
        )
        move.action_post()
        return move

    def _line(self, move):
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    # Credits

    def test_message_asks_for_the_rest_and_names_both_credits(self):
        invoice = self._invoice(self.customer, 1000, due=-2)
        payment = self._on_account(900)
        note = self._invoice(self.customer, 50, due=-1, move_type="out_refund")
        demand = self._demand()
        self.assertEqual((demand.amount, demand.gross, demand.credits), (50, 1000, -950))
        self.assertEqual(demand.items, [(self._line(invoice).id, 50)])
        self.assertEqual(demand.oldest_due, self._day(-2))
        self._run(0)
        action = self._case().action_ids
        self.assertEqual((action.amount, self._case().amount_demand), (50, 50))
        self.assertEqual(action.item_ids.mapped("residual"), [50])
        self.assertEqual(
            sorted(
                zip(
                    action.credit_ids.mapped("name"),
                    action.credit_ids.mapped("residual"),
                    strict=True,
                )
            ),
            sorted([(payment.move_id.name, -900), (note.name, -50)]),
        )
        self.assertIn("50.00", action.message_id.subject)
        self.assertNotIn("1,000", action.message_id.subject)
        for text in (payment.move_id.name, note.name, "900.00", "already taken off"):
            self.assertIn(text, action.message_id.body)

    def test_text_message_call_and_preview_say_the_same(self):
        self._invoice(self.customer, 1000, due=-16)
        self._on_account(900)
        preview = self._run(0, execute=False)
        self.assertEqual(sum(preview.line_ids.mapped("amount")), 100)
        self._run(0)
        call = self._case().action_ids
        self.assertEqual((call.channel, call.amount), ("call", 100))
        self.assertEqual(self._case().amount_demand, 100)
        self.policy.step_ids.filtered(lambda step: step.channel == "call").days = 14
        late = self._customer("Late")
        self._invoice(late, 1000, due=-8)
        self._on_account(900, partner=late)
        self._run(1)
        text = self._case(late).action_ids.filtered(lambda action: action.channel == "sms")
        self.assertIn("100.00", text.message_id.body)

    def test_letter_lists_the_credits(self):
        self._invoice(self.customer, 1000, due=-2)
        self._on_account(900)
        self._run(0)
        action = self._case().action_ids
        tables = action._letter_credit_tables()
        self.assertEqual([table.title for table in tables], ["In your favour, already taken off"])
        self.assertEqual([row.amount for row in tables[0].rows], [-900])

    def test_balance_of_zero_is_left_in_peace(self):
        """Paid and not matched: no case, no hold, no risk, and the next invoice is posted."""
        grade = (
            self.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "STRICT",
                    "name": "Strict",
                    "risk_tier": "low",
                    "hold_by_rule": True,
                    "on_overdue": "block",
                    "on_hold": "block",
                }
            )
        )
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.sudo().grade_id = grade
        self._invoice(self.customer, 1000, due=-90)
        self._on_account(1000)
        self._run(0)
        self.assertFalse(self._case())
        self.assertRecordValues(
            file, [{"hold": False, "risk_tier": "low", "demand_amount": 0, "overdue_amount": 1000}]
        )
        decision = self.env["ar.credit.control"]._decide(
            self.customer, self.company, 10, self.today
        )
        self.assertNotIn("overdue", [code for code, _text in decision.reasons])
        self.assertEqual(self._invoice(self.customer, 10, due=30).state, "posted")

    def test_more_credit_than_debt(self):
        self._invoice(self.customer, 41.56, due=-70)
        self._run(0)
        self.assertEqual(self._case().state, "open")
        self._on_account(500)
        self.assertEqual(self._case().state, "closed")
        self.assertEqual(self._demand().amount, 0)

    def test_credits_pay_the_oldest_first_due_or_not(self):
        oldest = self._invoice(self.customer, 100, due=-30)
        older = self._invoice(self.customer, 200, due=-20)
        self._invoice(self.customer, 300, due=20)
        self._on_account(150)
        demand = self._demand()
        self.assertEqual(demand.items, [(self._line(older).id, 150)])
        self.assertEqual(demand.oldest_due, self._day(-20))
        self.assertEqual(self._demand(day=21).amount, 450)
        self._on_account(450)
        self.assertEqual(self._demand(day=21).amount, 0)
        self.assertTrue(oldest)

    def test_disputed_and_promised_parts_are_not_asked_for(self):
        invoice = self._invoice(self.customer, 1000, due=-20)
        self._on_account(100)
        self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_quality").id,
                "line_ids": [
                    Command.create({"move_line_id": self._line(invoice).id, "amount": 200})
                ],
            }
        )
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 300,
                "date": self._day(5),
            }
        )
        self.assertEqual(promise.state, "open")
        self.assertEqual(self._demand().amount, 400)

    def test_promise_is_about_what_credits_leave(self):
        """All that is left is promised: nothing is asked for."""
        self._invoice(self.customer, 100, due=-30)
        self._invoice(self.customer, 200, due=-20)
        self._on_account(100)
        self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 200,
                "date": self._day(5),
            }
        )
        self.assertEqual(self._demand().amount, 0)

    def test_currencies(self):
        """A credit pays its own currency first; what is left of it pays the others."""
        self._invoice(self.customer, 300, due=-20, currency=self.euro, date_=self._day(-30))
        self._on_account(300, day=-10, currency=self.euro)
        self.assertEqual(self._demand().amount, 0, "no difference of exchange is asked for")
        self._invoice(self.customer, 80, due=-5)
        self.assertEqual(self._demand().amount, 80)
        # Together 390.00 EUR worth 160.00 USD, of which the invoice took 300.00 EUR.
        self._on_account(90, currency=self.euro)
        self.assertEqual(self._demand().amount, 43.07)
        self._run(0)
        self.assertIn("43.07", self._case().action_ids.amount_text)

    def test_policy_that_nets_nothing(self):
        self._invoice(self.customer, 1000, due=-2)
        payment = self._on_account(900)
        self.policy.net_of_credit = False
        demand = self._demand()
        self.assertEqual((demand.amount, demand.credits), (1000, -900))
        self._run(0)
        action = self._case().action_ids
        self.assertEqual(action.amount, 1000)
        self.assertIn(payment.move_id.name, action.message_id.body)
        self.assertIn("not taken off", action.message_id.body)
        self.policy.net_of_credit = True
        self.assertEqual(self._demand().amount, 100)

    def test_case_with_a_policy_of_its_own_asks_by_it(self):
        """Not by the policy that its customer matches, in either direction."""
        own = self.policy.copy({"name": "Own", "active": True})
        self._invoice(self.customer, 1000, due=-2)
        self._on_account(900)
        self._run(0)
        for gross, netting in ((own, self.policy), (self.policy, own)):
            gross.net_of_credit, netting.net_of_credit = False, True
            for policy, amount in ((gross, 1000), (netting, 100)):
                with self.subTest(policy=policy.name, gross=gross.name):
                    self._case().policy_id = policy
                    self.assertEqual(self._case().policy_id, policy)
                    self.assertEqual(self._demand().amount, amount)

    # Whom nobody asks

    def test_sister_companies_and_staff_are_not_dunned(self):
        sister = self.setup_other_company(name="Sister")["company"]
        clerk = new_test_user(self.env, "clerk_who_buys", "base.group_user")
        clerk.partner_id.email = "clerk@example.com"
        buyer = new_test_user(self.env, "buyer_with_login", "base.group_portal")
        for partner in (sister.partner_id, clerk.partner_id, buyer.partner_id):
            self._invoice(partner, 100, due=-20)
        self._run(0)
        self.assertFalse(self._case(sister.partner_id) | self._case(clerk.partner_id))
        self.assertTrue(self._case(buyer.partner_id))
        self.assertEqual(self._demand(sister.partner_id).amount, 0)
        figures = self.position._figures(self.company, self.today, sister.partner_id)
        self.assertEqual(figures[self.company.id, sister.partner_id.id].overdue_amount, 100)
        files = self.env["ar.credit.file"].search([("is_insider", "=", True)])
        self.assertEqual(files.partner_id, sister.partner_id | clerk.partner_id)
        clerk.active = False
        self._run(1)
        self.assertTrue(self._case(clerk.partner_id), "who has left is a customer like others")

    # Claims

    def test_refund_that_we_paid_out_is_no_claim(self):
        self._on_account(70, payment_type="outbound")
        self.assertEqual(self._demand(day=40).amount, 0)
        self._run(40)
        self.assertFalse(self._case())
        # Its credit note is used up by it, and pays nothing else.
        self._invoice(self.customer, 70, due=-1, move_type="out_refund")
        self._invoice(self.customer, 500, due=1)
        self.assertEqual(self._demand(day=41).amount, 500)

    def test_what_the_bank_took_back_is_as_old_as_the_invoice(self):
        invoice = self._invoice(self.customer, 1000, due=-40)
        receipt = self._bank_entry(-1000, day=-35)
        (self._line(invoice) | self._line(receipt)).reconcile()
        self.assertEqual(self._demand().amount, 0)
        back = self._bank_entry(1000, day=-1)
        demand = self._demand()
        self.assertEqual((demand.amount, demand.oldest_due), (1000, self._day(-40)))
        self.assertEqual(demand.items, [(self._line(back).id, 1000)])
        self._run(0)
        self.assertEqual(self._case().days_overdue, 40)

    def test_what_the_bank_took_back_is_the_payment_of_its_amount(self):
        for amount, due in ((1000, -40), (600, -10)):
            invoice = self._invoice(self.customer, amount, due=due)
            receipt = self._bank_entry(-amount, day=due + 5)
            (self._line(invoice) | self._line(receipt)).reconcile()
        self._bank_entry(700, day=-1)
        self.assertEqual(self._demand().amount, 0, "nobody has paid so much")
        self._bank_entry(1000, day=-1)
        demand = self._demand()
        self.assertEqual((demand.amount, demand.oldest_due), (1000, self._day(-40)))

    def test_money_that_left_the_bank_for_nothing_is_no_claim(self):
        self._bank_entry(1000, day=-10)
        self.assertEqual(self._demand(day=5).amount, 0)
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company)
        self.assertEqual((file.open_amount, file.demand_amount), (1000, 0))

    def test_payment_in_process_takes_off_its_amount_for_a_while(self):
        invoice = self._invoice(self.customer, 1000, due=-5)
        self._pay_in_process(invoice, 10)
        self.assertEqual(self._line(invoice).amount_residual, 1000)
        self.assertEqual(self._demand().amount, 990)
        self.company.ar_in_process_days = 7
        self.assertEqual(self._demand(day=6).amount, 990)
        self.assertEqual(self._demand(day=7).amount, 1000)
        self._run(7)
        self.assertEqual(self._case().amount_demand, 1000)

    def test_payment_in_process_is_of_the_customer_whose_invoice_it_pays(self):
        parent = self._customer("Parent")
        invoice = self._invoice(self.customer, 1000, due=-5)
        self._run(0)
        case = self._case()
        payment = self._pay_in_process(invoice, 400)
        self.assertEqual(case.amount_demand, 600)
        payment.partner_id = parent
        self.assertEqual(self._demand().amount, 600)
        self.assertEqual(case.amount_demand, 600)
        own = self._invoice(parent, 50, due=-5)
        demands = self.env["ar.position"]._net_demand(self.company, self.today, parent)
        self.assertEqual(demands[self.company.id, parent.id].amount, 50, own.name)

    def test_payment_in_process_shows_at_once(self):
        invoice = self._invoice(self.customer, 1000, due=-5)
        self._run(0)
        case = self._case()
        payment = self._pay_in_process(invoice, 400)
        self.assertEqual((case.state, case.amount_demand), ("open", 600))
        payment.action_reject()
        self.assertEqual(case.amount_demand, 1000)
        self._pay_in_process(invoice)
        self.assertEqual(case.state, "closed")

    def test_post_dated_cheque_ends_the_asking(self):
        invoice = self._invoice(self.customer, 1000, due=-5)
        self._run(0)
        self._pay(invoice, day=30)
        case = self._case()
        self.assertEqual(case.state, "closed")
        actions = case.action_ids
        for day in (1, 5, 12):
            self._run(day)
        self.assertEqual((case.state, self._case()), ("closed", case))
        self.assertEqual(case.action_ids, actions)

    # What else follows

    def test_no_late_charges_on_what_was_paid_on_account(self):
        self.company.ar_charge_from = self._day(-100)
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.sudo().write({"late_charge_mode": "custom", "late_charge_rate": 24})
        # As if it had been so from the beginning.
        file.sudo().late_charge_rate_ids.unlink()
        self._invoice(self.customer, 1000, due=-60)
        accruals = self.env["ar.late.charge.accrual"]

        def charged():
            found = accruals._get_accruals(self.company, self.today, self.customer)
            return sum(accrual.amount for accrual in found.get(self.customer.id, ()))

        self.assertGreater(charged(), 0)
        payment = self._on_account(1000, day=-60)
        self.assertEqual(charged(), 0)
        self._bounce(payment)
        self._on_account(1000, day=-30)
        half = charged()
        self.assertAlmostEqual(
            half, 1000 * 0.24 * (30 - self.company.ar_charge_grace_days) / 365, 2
        )

    def test_write_off_says_what_credits_leave(self):
        invoice = self._invoice(self.customer, 1000, due=-400)
        self._on_account(400)
        request = self.env["ar.writeoff.request"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env["ar.writeoff.reason"].search([], limit=1).id,
                "line_ids": [Command.create({"move_line_id": self._line(invoice).id})],
            }
        )
        self.assertEqual((request.amount_total, request.amount_unallocated), (600, -400))

    def test_small_balances_of_customers_with_credit_are_not_offered(self):
        def found():
            return Form(
                self.env["ar.writeoff.small.balance"].with_context(
                    default_amount_max=5, default_older_than=10
                )
            ).item_count

        self._invoice(self.customer, 4, due=-60)
        self.assertEqual(found(), 1)
        self._on_account(4)
        self.assertEqual(found(), 0)

    def test_without_policies_that_ask_gross_nothing_more_is_read(self):
        with patch.object(type(self.env["ar.collection.policy"]), "_fitting_sql") as match:
            self._demand()
            self.assertFalse(match.called)
