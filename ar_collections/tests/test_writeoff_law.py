"""What the law lets a write-off do, by the country pack and the shipped reasons."""

from datetime import date

from odoo import Command
from odoo.exceptions import UserError

from .common_writeoff import WriteoffCommon
from .test_house_migration import MIGRATIONS, load


class TestWriteoffLaw(WriteoffCommon):
    def _taxed(self, rate, amount):
        tax = self.company_data["default_tax_sale"].copy(
            {"name": f"VAT {self.env['account.tax'].search_count([])}", "amount": rate}
        )
        move = self._invoice(self.customer, amount, due=-200, post=False)
        move.invoice_line_ids.tax_ids = [Command.set(tax.ids)]
        move.action_post()
        return self._items(move)

    def test_china_gives_no_tax_back(self):
        """1,000 and 13 % tax: the loss is 1,130, the tax zero, by every shipped reason (it was a
        loss of 1,000 and a tax of 130)."""
        reasons = self.env["ar.writeoff.reason"].search([("tax_treatment", "=", "relief")])
        self.assertEqual(len(reasons), 3)
        self._own_rule("cn")
        for reason in reasons:
            item = self._taxed(13, 1000)
            entry = self._posted({item: 1130}, reason_id=self._bare(reason).id).move_id
            debit = entry.line_ids.filtered(lambda line: line.balance > 0)
            self.assertEqual(debit.mapped("balance"), [1130])
            self.assertEqual(debit.account_id, self.expense)
            self.assertFalse(debit.tax_ids | debit.tax_line_id)

    def test_germany_gives_the_tax_back(self):
        """1,000 and 19 % tax: the loss is 1,000, the tax 190."""
        self._own_rule("de")
        item = self._taxed(19, 1000)
        reason = self._bare(self.env.ref("ar_collections.writeoff_reason_bankrupt"))
        entry = self._posted({item: 1190}, reason_id=reason.id).move_id
        debit = entry.line_ids.filtered(lambda line: line.balance > 0)
        self.assertEqual(sorted(debit.mapped("balance")), [190, 1000])

    def _bare(self, reason):
        """The reason without its papers, which are not what is tested."""
        reason.evidence_ids.unlink()
        reason.write({"expense_account_id": self.expense.id, "minimum_contacts": 0})
        return reason

    # Small debts

    def _small_reason(self):
        reason = self._bare(self.env.ref("ar_collections.writeoff_reason_one_year_small"))
        reason.maximum_currency_id = self.company.currency_id
        return reason

    def _small(self, amount, part=None, due=-400):
        item = self._items(self._invoice(self.customer, amount, due=due))
        return self._request({item: part or amount}, reason_id=self._small_reason().id)

    def test_small_is_up_to_50000_each(self):
        """50,000 passes; 50,000.01 and 339,000 do not, and not by parts either."""
        self._small(50000).action_submit()
        for amount, part in ((50000.01, None), (339000, None), (339000, 49000)):
            with self.assertRaisesRegex(UserError, "50,000.00 at most"):
                self._small(amount, part).action_submit()

    def test_the_shipped_reason_gets_its_limits_by_an_update(self):
        """19.0.5.6.0: once, and not where somebody has entered limits."""
        reason = self.env.ref("ar_collections.writeoff_reason_one_year_small")
        migration = load(MIGRATIONS / "19.0.5.6.0/post-writeoff_limits.py")
        limits = ["maximum_amount", "maximum_currency_id", "maximum_revenue_share"]
        fresh = [reason[name] for name in limits]
        self.assertEqual(fresh, [50000, self.env.ref("base.CNY"), 0.01])
        for before, after in ((0, 50000), (20000, 20000)):
            reason.write({"maximum_amount": before, "maximum_revenue_share": 0})
            self.env.flush_all()
            migration.migrate(self.env.cr, "19.0.5.5.0")
            self.env.invalidate_all()
            self.assertEqual(reason.maximum_amount, after)

    def test_or_up_to_a_share_of_the_revenue_of_the_year(self):
        """The revenue of 2029 is 339,000 + 600,000,000 + 1,000: 0.01 % are 60,034.00."""
        request = self._small(339000)
        with self.assertRaisesRegex(UserError, "50,000.00 at most"):
            request.action_submit()
        day = (date(2029, 12, 1) - self.today).days
        self._invoice(self._customer("Large"), 600000000, due=day + 30)
        with self.assertRaisesRegex(UserError, "60,034.00 at most"):
            request.action_submit()
        self._small(60034, due=-100 - 365 * 2)
        self._small(60034, due=-100 - 365 * 2).action_submit()

    def test_in_the_currency_of_the_law(self):
        """50,000 yuan at 5 yuan are 10,000 of the company."""
        yuan = self.setup_other_currency("CNY", rates=[("2020-01-01", 5.0)])
        reason = self._small_reason()
        self.assertEqual(
            self.env.ref("ar_collections.writeoff_reason_three_years").maximum_amount, 0
        )
        reason.maximum_currency_id = yuan
        item = self._items(self._invoice(self.customer, 10001, due=-400))
        documents, most = reason._get_too_large(item, self.company, self.today)
        self.assertEqual((documents, most), (item.move_id, 10000))

    # What was written off is still owed

    def test_claims_that_were_written_off_stay_watched(self):
        """Asked for by e-mail on 3 June 2030: by the neutral pack the clock runs until 3 June
        2033. What was given up as a small balance has none."""
        self._posted()
        self.assertTrue(self.item.reconciled)
        watched = self.env["ar.limitation"].search([("partner_id", "=", self.customer.id)])
        self.assertRecordValues(
            watched,
            [
                {
                    "move_line_id": self.item.id,
                    "is_written_off": True,
                    "residual": 1000,
                    "lapse_date": date(2033, 6, 3),
                }
            ],
        )
        # It is no reason to propose the court for what is open.
        lapses = self.env["ar.limitation"]._get_first_lapses(
            self.company, self.today, self.customer
        )
        self.assertFalse(lapses)
        # Somebody is told before it lapses.
        file = self.env["ar.credit.file"].search([("partner_id", "=", self.customer.id)])
        self.env["ar.limitation"].sudo()._warn(self.company, date(2033, 5, 1))
        self.assertIn(self.item.move_name, "".join(file.activity_ids.mapped("note")))
        self.reason.for_small_balances = True
        self.assertFalse(self.env["ar.limitation"].search([("partner_id", "=", self.customer.id)]))
