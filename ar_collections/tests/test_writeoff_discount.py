from datetime import timedelta

from odoo import Command
from odoo.tests import Form, tagged

from .common_writeoff import WriteoffCommon


@tagged("post_install", "-at_install")
class TestWriteoffDiscount(WriteoffCommon):
    """A discount for early payment that the invoice promised is no write-off; more is one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.account_journal_early_pay_discount_loss_account_id = cls.expense
        cls.terms = cls.env["account.payment.term"].create(
            {
                "name": "3 % in 10 days",
                "early_discount": True,
                "discount_days": 10,
                "discount_percentage": 3,
                "line_ids": [Command.create({"value": "percent", "value_amount": 100})],
            }
        )

    def _discounted(self, amount=1000, currency=None, taxes=None):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "currency_id": (currency or self.company.currency_id).id,
                "invoice_date": self._day(0),
                "invoice_payment_term_id": self.terms.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Goods",
                            "price_unit": amount,
                            "tax_ids": [Command.set(taxes.ids if taxes else [])],
                        }
                    )
                ],
            }
        )
        invoice.action_post()
        self.assertEqual(self._items(invoice).discount_date, self._day(0) + timedelta(days=10))
        return invoice

    def _listed(self):
        return self.env["ar.writeoff.unapproved"].with_user(self.auditor).search([])

    def _wizard(self, invoice, day):
        wizard = Form(
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            )
        )
        wizard.payment_date = self._day(day)
        return wizard

    def test_discount_in_time(self):
        wizard = self._wizard(self._discounted(), 10).save()
        self.assertTrue(wizard.early_payment_discount_mode)
        self.assertEqual(wizard.amount, 970)
        wizard._create_payments()
        self.assertFalse(self._listed())

    def test_discounts_of_taxed_invoices_in_one_payment(self):
        self.company.ar_writeoff_free_amount = 0
        for computation in ("included", "excluded", "mixed"):
            with self.subTest(computation):
                self.terms.early_pay_discount_computation = computation
                taxes = self.company_data["default_tax_sale"]
                invoices = self._discounted(333.33, taxes=taxes) | self._discounted(777.77)
                wizard = self._wizard(invoices, 3)
                wizard.group_payment = True
                wizard = wizard.save()
                self.assertTrue(wizard.early_payment_discount_mode)
                payment = wizard._create_payments()
                self.assertEqual(len(payment), 1)
                self.assertEqual(set(invoices.mapped("amount_residual")), {0})
                self.assertFalse(self._listed())

    def test_discount_at_another_rate(self):
        currency = self.setup_other_currency(
            "GBP", rates=[(str(self._day(0)), 2), (str(self._day(5)), 1.5)]
        )
        wizard = self._wizard(self._discounted(currency=currency), 5).save()
        self.assertTrue(wizard.early_payment_discount_mode)
        wizard._create_payments()
        self.assertFalse(self._listed())

    def test_more_than_the_discount(self):
        payment = self._pay(
            self._discounted(),
            900,
            payment_date=self._day(0),
            payment_difference_handling="reconcile",
            writeoff_account_id=self.expense.id,
        )
        self.assertRecordValues(
            self._listed(), [{"move_id": payment.move_id.id, "amount": 70, "kind": "payment"}]
        )

    def test_too_late_for_the_discount(self):
        payment = self._pay(
            self._discounted(),
            970,
            payment_date=self._day(11),
            payment_difference_handling="reconcile",
            writeoff_account_id=self.expense.id,
        )
        self.assertRecordValues(
            self._listed(), [{"move_id": payment.move_id.id, "amount": 30, "kind": "payment"}]
        )

    def test_nothing_was_promised(self):
        payment = self._pay(
            self.invoice,
            970,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.expense.id,
        )
        self.assertRecordValues(self._listed(), [{"move_id": payment.move_id.id, "amount": 30}])

    def test_entry_in_the_sales_journal(self):
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": self.company_data["default_journal_sale"].id,
                "date": self._day(0),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.item.account_id.id,
                            "partner_id": self.customer.id,
                            "credit": 100,
                        }
                    ),
                    Command.create({"account_id": self.expense.id, "debit": 100}),
                ],
            }
        )
        move.action_post()
        (self._items(move) | self.item).reconcile()
        self.assertRecordValues(
            self._listed(), [{"move_id": move.id, "amount": 100, "kind": "entry"}]
        )
