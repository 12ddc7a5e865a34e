from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .test_credit_review import ReviewCommon


class TestApplication(ReviewCommon):
    """Who asks for credit by the form gets a review; bank lines stand in the file."""

    def _application(self, **values):
        return (
            self.env["ar.credit.application"]
            .with_user(self.collector)
            .create(
                {
                    "partner_id": self._customer("Applicant").id,
                    "company_id": self.company.id,
                    "applicant": "Ann Lee, finance",
                    "amount": 5000,
                    "term_days": 45,
                    "note": "Spring season",
                    "reference_ids": [
                        Command.create({"name": "Acme", "contact": "Bob, +1 555 0101"})
                    ],
                    **values,
                }
            )
        )

    def test_opens_the_first_review(self):
        application = self._application()
        self.assertRegex(application.name, r"^CA/\d{4}/\d{4}$")
        self.assertFalse(application.partner_id.credit_file_id, "a draft opens nothing")
        application.action_submit()
        review = application.review_id
        self.assertRecordValues(
            review,
            [
                {
                    "partner_id": application.partner_id.id,
                    "state": "draft",
                    "reason": "application",
                    "limit_mode": "custom",
                    "limit_amount": 5000,
                }
            ],
        )
        for text in ("Ann Lee, finance asks for", "5,000.00", "45 days", "Spring", "Acme, Bob"):
            self.assertIn(text, review.reason_note)
        # Whoever hands it in does not approve it.
        self.assertIn(self.collector, review._get_askers())
        review.grade_id = self.fair
        review.with_user(self.collector).action_submit()
        review.with_user(self.manager).action_approve()
        self.assertEqual(application.partner_id.credit_file_id.effective_limit, 5000)

    def test_asked_of_the_root_company(self):
        with self.assertRaisesRegex(UserError, "Credit is asked for of"):
            self.env["ar.credit.application"].create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.branch.id,
                    "applicant": "Ann Lee",
                    "amount": 5000,
                }
            )

    def test_in_another_currency(self):
        euro = self.setup_other_currency("EUR", rates=[("2025-01-01", 2.0)])
        application = self._application(currency_id=euro.id)
        application.action_submit()
        self.assertRecordValues(
            application.review_id, [{"limit_in_currency": 5000, "limit_amount": 2500}]
        )

    def test_joins_the_review_under_way(self):
        review = self._review()
        review.write({"limit_mode": "unlimited", "reason_note": "By the boss"})
        application = self._application(partner_id=self.customer.id)
        application.action_submit()
        self.assertEqual(application.review_id, review)
        self.assertEqual(review.limit_mode, "unlimited", "what somebody proposes stays")
        self.assertEqual(review.events[0][0], "application")

    def test_what_was_submitted_stays(self):
        application = self._application()
        application.action_submit()
        self._refused(lambda: application.write({"amount": 9}), UserError)
        self._refused(application.action_submit, UserError)
        self._refused(application.action_cancel, UserError)
        self._refused(application.with_user(self.manager).unlink, UserError)
        # What a reference says comes in later.
        application.reference_ids.answer = "Pays in 40 days since 2019"
        application.write({"reference_ids": [Command.create({"name": "Bank"})]})
        self.assertEqual(len(application.reference_ids), 2)

    def test_bad_input(self):
        with mute_logger("odoo.sql_db"):
            self._refused(lambda: self._application(amount=0), IntegrityError)
            self._refused(lambda: self._application(term_days=-1), IntegrityError)
        contact = self.env["res.partner"].create({"name": "Desk", "parent_id": self.customer.id})
        self._refused(lambda: self._application(partner_id=contact.id), UserError)
        self._refused(lambda: self._application(company_id=self.branch.id), Exception)
        self._refused(lambda: self._application(review_id=1))
        draft = self._application()
        self._refused(lambda: draft.write({"state": "submitted"}))
        self._refused(draft.with_user(self.auditor).action_submit)
        self._refused(draft.with_user(self.employee).read)
        draft.action_cancel()
        self.assertEqual(draft.state, "cancelled")

    def test_bank_lines(self):
        bank = self.env["res.bank"].create({"name": "Bank of Tests"})
        values = {"file_id": self.file.id, "bank_id": bank.id, "amount": 1000}
        lines = self.env["ar.credit.bank.line"].with_user(self.collector)
        line = lines.create({**values, "used": 700, "security": "Stock"})
        self.assertRecordValues(
            line, [{"free": 300, "company_id": self.company.id, "date": self.today}]
        )
        line.used = 1200
        self.assertEqual(line.free, 0)
        with mute_logger("odoo.sql_db"):
            self._refused(lambda: line.write({"used": -1}), IntegrityError)
        self._refused(lambda: line.with_user(self.auditor).write({"used": 1}))
        self._refused(line.with_user(self.employee).read)
        other = self._customer("Double")
        double = self.env["ar.credit.file"]._get_file(other, self.company, create=True)
        lines.create({**values, "file_id": double.id})
        self.env["ar.customer.merge"].sudo()._merge_customers(other, self.customer)
        self.assertEqual(len(self.file.bank_line_ids), 2)
