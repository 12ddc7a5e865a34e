from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from ..models.common.res_company import Clock
from .common import CollectionsCommon


class TestPlacementRemittance(CollectionsCommon):
    """What a customer paid to its agency is paid, whatever of it the agency kept as agreed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency("EUR")
        cls.stages["agency"] = cls.env["ar.collection.stage"].create(
            {"name": "agency", "kind": "agency", "sequence": 8}
        )
        cls.agent = cls._customer("Inkasso")
        cls.receivable = cls.company_data["default_account_receivable"]
        cls.payable = cls.company_data["default_account_payable"]
        cls.bank = cls.company_data["default_journal_bank"].default_account_id
        cls.expense = cls.company_data["default_account_expense"]
        cls.fees = cls.expense.copy({"name": "Commission of agencies"})
        cls.company.ar_commission_account_id = cls.fees
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls._run(0)

    def _items(self, moves):
        return moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _placed(self, customer=None, rate=0.2, **values):
        placement = self.env["ar.placement"].create(
            {
                "partner_id": (customer or self.customer).id,
                "company_id": self.company.id,
                "agent_id": self.agent.id,
                "commission_rate": rate,
                **values,
            }
        )
        placement.action_place()
        return placement

    def _entry(self, *lines, day=3, journal="misc", match=None):
        """A posted entry of ``(account, balance, partner)``, matched with the invoice."""
        move = self.env["account.move"].create(
            {
                "date": self._day(day),
                "auto_post": "no",
                "journal_id": self.company_data[f"default_journal_{journal}"].id,
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "balance": balance, "partner_id": partner.id}
                    )
                    for account, balance, partner in lines
                ],
            }
        )
        move.action_post()
        self._match(move, match or self.invoice)
        return move

    def _match(self, move, items):
        lines = self._items(items)
        own = self._items(move).filtered(lambda line: line.balance < 0)
        (own | lines).filtered(lambda line: not line.reconciled).reconcile()

    def _remit(self, amount, day=3, match=None):
        """Money that the agency paid, on the debt of its customer."""
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.agent.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "date": self._day(day),
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        if match is not False:
            self._match(payment.move_id, match or self.invoice)
        return payment

    def _keep(self, amount, account=None, **values):
        """An entry by which the agency keeps a part of what it collected."""
        return self._entry(
            (self.receivable, -amount, self.customer),
            (account or self.fees, amount, self.agent),
            **values,
        )

    def _unapproved(self):
        return self.env["ar.writeoff.unapproved"].search([]).move_id

    def _remit_and_keep(self):
        self._remit(800)
        self._keep(200)

    def _keep_and_remit(self):
        self._keep(200)
        self.assertTrue(self._unapproved(), "nothing came in of which to keep a share")
        self._remit(800)

    def _book_at_once(self):
        self._entry(
            (self.receivable, -1000, self.customer),
            (self.fees, 200, self.agent),
            (self.bank, 800, self.agent),
        )

    def _book_as_owed_by_agency(self):
        self._entry(
            (self.receivable, -1000, self.customer),
            (self.fees, 200, self.agent),
            (self.receivable, 800, self.agent),
        )

    def _book_by_bank(self):
        self._entry(
            (self.receivable, -1000, self.customer),
            (self.fees, 200, self.agent),
            (self.bank, 800, self.agent),
            journal="bank",
        )

    def _pay_with_difference(self):
        self._pay(
            self.invoice,
            800,
            day=3,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.fees.id,
        )

    def _set_off_bill(self):
        self._remit(800)
        self._entry((self.receivable, -200, self.customer), (self.payable, 200, self.agent))

    def test_agency_remits_less_its_commission(self):
        """However it is booked: all is collected, nothing of it is given up."""
        self.company.ar_writeoff_gate = False
        for book in (
            self._remit_and_keep,
            self._keep_and_remit,
            self._book_at_once,
            self._book_as_owed_by_agency,
            self._book_by_bank,
            self._pay_with_difference,
            self._set_off_bill,
        ):
            with self.subTest(book=book.__name__), self.env.cr.savepoint() as savepoint:
                placement = self._placed()
                case = self._case()
                book()
                self.assertRecordValues(
                    placement,
                    [
                        {
                            "state": "closed",
                            "result": "paid",
                            "amount_recovered": 1000,
                            "commission": 200,
                            "commission_kept": 200,
                            "commission_due": 0,
                            "amount_net": 800,
                        }
                    ],
                )
                self.assertRecordValues(
                    case,
                    [
                        {
                            "state": "closed",
                            "close_reason": "paid",
                            "amount_collected": 1000,
                            "amount_set_off": 0,
                            "date_closed": self.today,
                        }
                    ],
                )
                self.assertFalse(self._unapproved())
                self.env.flush_all()
                savepoint.rollback()
            self.env.invalidate_all(flush=False)

    def test_what_is_no_commission_stays_listed(self):
        elsewhere = self._customer("Elsewhere")
        other = self._customer("Other agency")
        cases = {
            "more than was agreed": lambda: (self._remit(700), self._keep(300)),
            "more in two parts": lambda: (self._remit(600), self._keep(150), self._keep(250)),
            "another account": lambda: (self._remit(800), self._keep(200, self.expense)),
            "loss beside it": lambda: self._entry(
                (self.receivable, -1000, self.customer),
                (self.fees, 100, self.agent),
                (self.expense, 100, self.agent),
                (self.bank, 800, self.agent),
            ),
            "owed by who does not collect": lambda: self._entry(
                (self.receivable, -1000, self.customer),
                (self.fees, 200, self.agent),
                (self.receivable, 800, other),
            ),
            "before the hand-over": lambda: (self._remit(800), self._keep(200, day=-1)),
            "nothing came": lambda: self._keep(200),
            "another debt as well": lambda: (
                self._remit(800),
                self._entry(
                    (self.receivable, -200, self.customer),
                    (self.receivable, -50, elsewhere),
                    (self.fees, 250, self.agent),
                    match=self.invoice | self._invoice(elsewhere, 50, due=-16),
                ),
            ),
        }
        for name, book in cases.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                placement = self._placed()
                book()
                self.assertEqual(len(self._unapproved()), 1)
                self.assertNotEqual(placement.result, "paid")
                self.assertFalse(self._unapproved().ar_remitted)
                self.env.flush_all()
                savepoint.rollback()
            self.env.invalidate_all(flush=False)

    def test_without_placement_or_account_it_is_a_write_off(self):
        self._remit(800)
        entry = self._keep(200)
        self.assertEqual(self._unapproved(), entry)
        self.assertEqual(self._case().amount_collected, 800)
        self.company.ar_commission_account_id = False
        later = self._invoice(self.customer, 1000, due=-16)
        self._run(1)
        placement = self._placed()
        self._remit(800, match=later)
        entry |= self._keep(200, match=later)
        self.assertEqual(self._unapproved(), entry)
        self.assertRecordValues(placement, [{"result": "part", "amount_recovered": 800}])
        # What was booked before follows the choice of the account.
        self.company.ar_commission_account_id = self.fees
        self.assertEqual(self._unapproved(), entry[0])
        self.assertRecordValues(placement, [{"amount_recovered": 1000, "commission_kept": 200}])

    def test_it_is_judged_again_when_money_goes_back(self):
        placement = self._placed()
        payment = self._remit(800)
        entry = self._keep(200)
        self.assertEqual(placement.commission_kept, 200)
        self.assertTrue(entry.ar_remitted)
        self._bounce(payment)
        self.assertEqual(self._unapproved(), entry)
        self.assertFalse(entry.ar_remitted)
        self.assertRecordValues(placement, [{"state": "placed", "amount_recovered": 0}])
        self._remit(800)
        self.assertRecordValues(placement, [{"result": "paid", "amount_recovered": 1000}])
        self._items(entry).remove_move_reconcile()
        self.assertRecordValues(placement, [{"state": "placed", "amount_open": 200}])
        self.assertFalse(entry.ar_remitted, "it pays nothing any more")

    def test_one_remittance_for_many_customers_with_tax(self):
        """In two currencies, at two rates: each bears its own share of what was kept."""
        other = self._customer("Other")
        foreign = self._invoice(other, 500, due=-16, currency=self.euro)
        owed = self._items(foreign).balance
        self._run(1)
        first, second = self._placed(), self._placed(other, rate=0.1)
        tax = self.company_data["default_tax_purchase"]
        commission = round(200 + owed * 0.1, 2)
        vat = round(commission * tax.amount / 100, 2)
        move = self.env["account.move"].create(
            {
                "date": self._day(3),
                "auto_post": "no",
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.fees.id,
                            "balance": commission,
                            "tax_ids": [Command.set(tax.ids)],
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.receivable.id,
                            "balance": -1000,
                            "partner_id": self.customer.id,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.receivable.id,
                            "balance": -owed,
                            "currency_id": self.euro.id,
                            "amount_currency": -500,
                            "partner_id": other.id,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.bank.id,
                            "balance": 1000 + owed - commission - vat,
                        }
                    ),
                ],
            }
        )
        move.action_post()
        self.assertTrue(move.line_ids.tax_line_id)
        for customer, invoice in ((self.customer, self.invoice), (other, foreign)):
            lines = self._items(move).filtered(lambda line, c=customer: line.partner_id == c)
            (lines | self._items(invoice)).reconcile()
        self.assertFalse(self._unapproved())
        self.assertRecordValues(
            first | second,
            [
                {"result": "paid", "amount_recovered": 1000, "commission_kept": 200},
                {
                    "result": "paid",
                    "amount_recovered": owed,
                    "commission_kept": round(owed * 0.1, 2),
                },
            ],
        )

    def test_gate_lets_the_agreed_share_pass(self):
        self.company.ar_writeoff_gate = True
        self._placed()
        wizard = {"payment_difference_handling": "reconcile", "writeoff_account_id": self.fees.id}
        for amount in (700, 799):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self._pay(self.invoice, amount, day=3, **wizard)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            other = {**wizard, "writeoff_account_id": self.expense.id}
            self._pay(self.invoice, 800, day=3, **other)
        with self.env.cr.savepoint() as savepoint:
            self._pay(self.invoice, 800, day=3, **wizard)
            self.assertFalse(self._unapproved())
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._keep(200)
        self._remit(800)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._keep(200, self.expense)
        self._keep(200)
        self.assertFalse(self._unapproved())

    def test_money_of_the_agency_is_seen_until_it_is_matched(self):
        """It is of no customer by itself, and found where somebody looks for it."""
        placement = self._placed()
        stranger = self._customer("Stranger")
        money = self._remit(800, match=False)
        line = self._items(money.move_id)
        self.assertRecordValues(placement, [{"agent_credit": 800, "amount_recovered": 0}])
        action = placement.action_open_agent_credit()
        self.assertEqual(self.env["account.move.line"].search(action["domain"]), line)
        finder = self.env["ar.payment.finder"]
        for customer, found in ((self.customer, line), (stranger, line.browse())):
            self.assertEqual(
                finder._find_payments(self.company, customer, 800, self.company.currency_id),
                found,
            )
        self._match(money.move_id, self.invoice)
        placement.invalidate_recordset()
        self.assertRecordValues(placement, [{"agent_credit": 0, "amount_recovered": 800}])

    def test_nobody_says_so_but_the_ledger(self):
        biller = new_test_user(
            self.env,
            "remit_biller",
            "base.group_user,account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        entry = self._keep(200)
        with self.assertRaises(AccessError):
            entry.with_user(biller).ar_remitted = True
        with self.assertRaises(AccessError):
            self.env["account.move"].with_user(biller).create(
                {"move_type": "entry", "ar_remitted": True}
            )
        self.assertFalse(entry.copy().ar_remitted)

    # The day of the money

    def test_commission_is_on_what_came_since_the_hand_over(self):
        """By the day of the money, whenever it was booked and matched."""
        before = self._bank(150, day=-2)
        placement = self._placed()
        self.assertEqual(placement.amount, 850, "what credits pay is not handed over")
        self._match(before, self.invoice)
        late = self._bank(250, day=-1)
        self._match(late, self.invoice)
        self.assertRecordValues(placement, [{"amount_recovered": 0, "commission": 0}])
        self._match(self._bank(300, day=0), self.invoice)
        self.assertRecordValues(placement, [{"amount_recovered": 300, "commission": 60}])
        in_time = self._bank(100, day=4)
        placement.result = "part"
        placement.with_context(ar_clock=Clock(self._day(5))).action_close()
        self._match(self._bank(50, day=6), self.invoice)
        self.assertRecordValues(placement, [{"amount_recovered": 300}])
        self._match(in_time, self.invoice)
        self.assertRecordValues(placement, [{"amount_recovered": 400, "commission": 80}])

    def test_what_the_customer_had_paid_before_is_paid_and_earns_nothing(self):
        placement = self._placed()
        self._match(self._bank(1000, day=-1), self.invoice)
        self.assertRecordValues(
            placement,
            [{"state": "closed", "result": "paid", "amount_recovered": 0, "commission": 0}],
        )

    def _bank(self, amount, day):
        move = self.env["account.move"].create(
            {
                "date": self._day(day),
                "auto_post": "no",
                "journal_id": self.company_data["default_journal_bank"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "balance": balance,
                            "partner_id": self.customer.id,
                        }
                    )
                    for account, balance in ((self.receivable, -amount), (self.bank, amount))
                ],
            }
        )
        move.action_post()
        return move
