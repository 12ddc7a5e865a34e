import io
from datetime import date

from openpyxl import load_workbook

from .allowance_common import AllowanceCommon
from .common_writeoff import WriteoffCommon

APRIL, MAY, JUNE = date(2030, 4, 30), date(2030, 5, 31), date(2030, 6, 30)


class TestAllowanceUse(AllowanceCommon, WriteoffCommon):
    """Write-offs use up the allowance of their customer, and the next run tells of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 1,000.00 more than 180 days overdue: an allowance of 850.00.
        cls.env["ar.allowance.specific"].create(
            {
                "company_id": cls.company.id,
                "partner_id": cls.customer.id,
                "rate": 0.85,
                "reason": "Insolvency opened",
                "date_from": cls._day(-300),
            }
        )

    def _booked(self, request):
        """``{account: balance}`` of the entry without the receivable."""
        lines = request.move_id.line_ids.filtered(lambda line: line.balance > 0)
        return {line.account_id: line.balance for line in lines}

    def test_notes_of_the_accounts(self):
        """Of 1,000.00 written off the allowance bears 850.00 and the year 150.00; what was
        written off before the previous run, or went back, is not told again."""
        report = self.env["ar.allowance.report"]
        before = self._posted(
            {self._items(self._invoice(self._customer("Before"), 70, due=-200)): 70},
            date=self._day(-10),
        )
        may = self._allowance(MAY)
        self.assertEqual(report._get_written_off(may), [(before, 70, 0, 70)])
        request = self._posted()
        other = self._posted({self._items(self._invoice(self._customer("Other"), 40, due=-9)): 40})
        other.with_user(self.biller).action_reverse()
        for number, amount in enumerate((100, 600, 300, 200, 500, 400), 1):
            self._invoice(self._customer(f"Debtor {number}"), amount, due=30)
        june = self._june()
        self.assertEqual(report._get_written_off(june), [(request, 1000, 850, 150)])
        largest = report._get_largest(june)
        self.assertEqual([row[1] for row in largest], [600, 500, 400, 300, 200])
        self.assertEqual(largest[0][0].name, "Debtor 2")
        # Of 2,100.00 and the 40.00 that are open again; at 1 % as nothing is due.
        self.assertAlmostEqual(largest[0][2], 600 / 2140)
        self.assertEqual(largest[0][3], 6)
        html = self.env["ir.qweb"]._render("ar_collections.allowance_run_document", {"o": june})
        for text in ("Largest debtors", "Debtor 2", request.name, "850.00", "150.00"):
            self.assertIn(text, html)
        book = load_workbook(io.BytesIO(report._get_workbook(june)))
        self.assertEqual(
            [cell.value for cell in book["Written Off"][2]],
            [self.customer.name, request.name, "Lost", 1000, 850, 150],
        )
        self.assertEqual(book["Largest Debtors"]["B2"].value, 600)

    def _june(self, **values):
        return self._allowance(JUNE, today=date(2030, 7, 2), **values)

    def test_allowance_first_then_expense(self):
        self._allowance(MAY)
        request = self._posted()
        self.assertEqual(self._booked(request), {self.allowance_account: 850, self.expense: 150})
        used = request.move_id.line_ids.filtered(
            lambda line: line.account_id == self.allowance_account
        )
        self.assertEqual(used.partner_id, self.customer)
        self.assertEqual((request.amount_allowance, self._balance()), (850, 0))
        june = self._june()
        self.assertRecordValues(
            june,
            [
                {
                    "opening": 850,
                    "used": 850,
                    "added": 0,
                    "released": 0,
                    "closing": 0,
                    "difference": 0,
                }
            ],
        )
        self.assertFalse(june.move_id)
        self.assertEqual(june.flow_ids, used)

    def test_without_a_posted_run_all_is_expense(self):
        self._allowance(MAY, "approved")
        self.assertEqual(self._booked(self._posted()), {self.expense: 1000})

    def test_the_second_write_off_gets_the_rest(self):
        self._allowance(MAY)
        first = self._posted({self.item: 600})
        second = self._posted({self.item: 400})
        self.assertEqual(self._booked(first), {self.allowance_account: 600})
        self.assertEqual(self._booked(second), {self.allowance_account: 250, self.expense: 150})

    def test_what_is_used_up_is_no_account_to_book_on(self):
        self._allowance(MAY)
        self._posted({self.item: 850})
        ledger = self.env["ar.allowance.ledger"]
        account, amount = ledger._get_available(self.company, self.customer)
        self.assertEqual((account, amount), (self.env["account.account"], 0))

    def test_the_allowance_is_of_its_customer_alone(self):
        other = self._customer("Other")
        item = self._items(self._invoice(other, 100, due=10, date_=self.today))
        self._allowance(MAY)
        self.assertEqual(self._booked(self._posted({item: 100})), {self.expense: 100})

    def test_a_reversed_write_off_gives_it_back(self):
        self._allowance(MAY)
        request = self._posted()
        request.with_user(self.biller).action_reverse()
        self.assertEqual(self._balance(), 850)
        self.assertEqual(self._posted().amount_allowance, 850)
        june = self._june()
        self.assertEqual((june.opening, june.used, june.closing), (850, 850, 0))

    def test_a_reversal_in_the_next_month(self):
        self._allowance(MAY)
        request = self._posted()
        self.assertEqual(self._june().used, 850)
        request.with_user(self.biller).with_context(
            ar_clock=type(self.env.context["ar_clock"])(date(2030, 7, 10))
        ).action_reverse()
        july = self._allowance(date(2030, 7, 31), today=date(2030, 8, 1))
        self.assertRecordValues(
            july, [{"opening": 0, "used": -850, "closing": 850, "change": 0, "difference": 0}]
        )

    def test_recovery_to_the_allowance_is_released(self):
        self.reason.recovery_account_id = self.allowance_account
        self._allowance(MAY)
        self._posted()
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": 300,
                "date": self.today,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        self._items(payment.move_id).with_user(self.biller).action_ar_recover()
        self.assertEqual(self._balance(), 300)
        june = self._june()
        self.assertRecordValues(
            june,
            [
                {
                    "opening": 850,
                    "used": 850,
                    "recovered": 300,
                    "released": 300,
                    "closing": 0,
                    "difference": 0,
                }
            ],
        )
        self.assertEqual(self._balance(), 0)

    def test_a_late_write_off_is_in_the_next_run(self):
        """Dated before the month's end, but booked when its run was posted already."""
        run = self._allowance(MAY)
        request = self._posted(date=date(2030, 5, 20))
        run.invalidate_recordset()
        self.assertEqual(run.difference, -850)
        self.assertEqual(run.stray_ids.move_id, request.move_id)
        june = self._june()
        self.assertEqual((june.used, june.difference), (850, 0))

    def test_a_write_off_between_computing_and_posting(self):
        self._allowance(APRIL)
        may = self._allowance(MAY, "approved")
        self._posted(date=date(2030, 5, 20))
        with self.assertRaisesRegex(Exception, "changed since"):
            may.with_user(self.checker).action_post()

    def test_branches_share_the_allowance(self):
        item = self._items(self._invoice(self.customer, 200, due=-100, company=self.branch))
        self._allowance(MAY)
        request = self._posted({item: 200})
        self.assertEqual(self._booked(request), {self.allowance_account: 200})
        self.assertEqual(request.move_id.company_id, self.branch)
        self.assertEqual(self._june().used, 200)

    def test_foreign_debts_use_company_currency(self):
        euro = self.setup_other_currency("EUR", rates=[("2020-01-01", 3.0)])
        item = self._items(self._invoice(self.customer, 100, due=-100, currency=euro))
        self._allowance(MAY)
        request = self._posted({item: 50})
        self.assertEqual(self._booked(request), {self.allowance_account: 16.67})
        self.assertEqual(item.amount_residual_currency, 50)

    def test_merged_customers_keep_what_is_set_aside(self):
        other = self._customer("Other")
        self._invoice(other, 100, due=-100)
        self._allowance(MAY)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (other | self.customer).ids, self.customer, extra_checks=False
        )
        self.env.invalidate_all()
        _account, amount = self.env["ar.allowance.ledger"]._get_available(
            self.company, self.customer
        )
        self.assertEqual(amount, 850 + 20)
