from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from .common_writeoff import WriteoffCommon


class TestWriteoff(WriteoffCommon):
    def test_loan_is_not_given_up_as_trade(self):
        """What no figure knows is no item of a request, by whatever path."""
        loan = self._non_trade(self.customer, 55, day=-100)
        requests = self.env["ar.writeoff.request"]
        with self.assertRaisesRegex(ValidationError, "nothing open to write off"):
            requests._create_for_items(loan)
        self.assertEqual(requests._create_for_items(loan | self.item).amount_total, 1000)
        with self.assertRaisesRegex(ValidationError, "choose posted receivables"):
            self._request({loan: 55})
        found = self.env["account.move.line"].search(
            requests.line_ids._fields["move_line_id"].domain
        )
        self.assertIn(self.item, found)
        self.assertNotIn(loan, found)

    def test_instalment_of_a_loan_is_no_recovery(self):
        self._posted()
        instalment = self._non_trade(self.customer, -70, day=1, journal_type="bank")
        recoveries = self.env["ar.writeoff.recovery.booking"]
        self.assertNotIn(instalment, recoveries._get_possible_payments(self.company))
        with self.assertRaisesRegex(UserError, "is not an open payment"):
            recoveries.with_user(self.biller)._book_payments(instalment)

    def test_loan_cleared_to_an_expense_is_no_trade_loss(self):
        loan = self._non_trade(self.customer, 55, day=-100)
        self.company.ar_writeoff_free_amount = 10
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": self.customer.id,
                            "balance": balance,
                        }
                    )
                    for account, balance in ((loan.account_id, -55), (self.expense, 55))
                ],
            }
        )
        entry.action_post()
        (loan | entry.line_ids.filtered(lambda line: line.balance < 0)).reconcile()
        self.env.flush_all()
        self.assertFalse(self.env["ar.writeoff.unapproved"].search([("move_id", "=", entry.id)]))

    def test_request_to_entry(self):
        case = self._case()
        request = self._request()
        self.assertRecordValues(
            request,
            [
                {
                    "state": "draft",
                    "amount_total": 1000,
                    "user_id": self.collector.id,
                    "case_id": case.id,
                    "risk_score": 0,
                }
            ],
        )
        request.action_submit()
        self.assertEqual(request.state, "submitted")
        self.assertEqual(request.approver_ids, self.manager | self.second)
        self.assertEqual(request.activity_ids.user_id, self.manager | self.second)
        self.assertEqual(request.deadline, self._day(7))
        request.with_user(self.manager).action_approve()
        self.assertEqual(request.state, "approved")
        request.with_user(self.biller).action_post()
        self.assertEqual(request.state, "posted")
        self.assertRecordValues(
            request.move_id.line_ids,
            [
                {
                    "account_id": self.item.account_id.id,
                    "partner_id": self.customer.id,
                    "balance": -1000,
                    "reconciled": True,
                },
                {
                    "account_id": self.expense.id,
                    "partner_id": self.customer.id,
                    "balance": 1000,
                    "reconciled": False,
                },
            ],
        )
        self.assertEqual(request.move_id.create_uid, self.biller)
        self.assertEqual(request.move_id.adjusting_entry_origin_move_ids, self.invoice)
        self.assertTrue(self.item.reconciled)
        self.assertRecordValues(case, [{"state": "closed", "close_reason": "written_off"}])
        file = case.file_id
        self.assertRecordValues(
            file, [{"written_off_count": 1, "written_off_amount": 1000, "written_off_open": 1000}]
        )

    def test_reversal_opens_item_and_case(self):
        case = self._case()
        request = self._posted()
        self._pay_on_account(400)
        self._run(1)
        self.assertTrue(request.activity_ids, "a recovery is proposed")
        with self.assertRaises(AccessError):
            request.with_user(self.manager).action_reverse()
        request.with_user(self.biller).action_reverse()
        self.assertFalse(request.activity_ids, "what is open again is not recovered")
        self.assertEqual(request.state, "reversed")
        self.assertEqual(self.item.amount_residual, 1000)
        self.assertEqual(case.state, "open")
        self.assertEqual(self._balance(self.expense), 0)
        self.assertEqual(case.file_id.written_off_count, 0)
        with self.assertRaises(UserError):
            request.with_user(self.biller).action_reverse()

    def test_recovery(self):
        request = self._posted()
        payment = self._pay_on_account(400)
        possible = self.env["ar.writeoff.recovery.booking"]._get_possible_payments(self.company)
        self.assertEqual(possible, self._items(payment.move_id))
        self._run(1)
        self.assertIn("400", request.activity_ids.summary)
        possible.with_user(self.biller).action_ar_recover()
        self.assertRecordValues(
            request, [{"state": "posted", "amount_recovered": 400, "recovery_share": 0.4}]
        )
        self.assertTrue(possible.reconciled)
        self.assertFalse(request.activity_ids)
        more = self._items(self._pay_on_account(700).move_id)
        more.with_user(self.biller).action_ar_recover()
        self.assertRecordValues(request, [{"state": "recovered", "amount_recovered": 1000}])
        self.assertEqual(more.amount_residual, -100)
        with self.assertRaises(UserError):
            more.with_user(self.biller).action_ar_recover()
        with self.assertRaises(UserError):
            request.with_user(self.biller).action_reverse()
        request.recovery_ids.with_user(self.biller).action_reverse()
        self.assertEqual((request.state, request.amount_recovered), ("posted", 0))
        self.assertEqual(possible.amount_residual, -400)

    def test_recovery_paid_by_somebody_else(self):
        """An insurer or agency pays on what was written off."""
        booking = self.env["ar.writeoff.recovery.booking"]
        insurer, stranger = self._customer("Insurer"), self._customer("Stranger")
        request = self._posted()
        self.env["ar.credit.cover"].sudo().create(
            {
                "file_id": self._case().file_id.id,
                "kind": "insurance",
                "issuer_id": insurer.id,
                "amount": 900,
                "date_from": self._day(-300),
                "date_to": self._day(-1),
            }
        )
        payment = self._items(self._pay_on_account(400, partner=insurer).move_id)
        self._pay_on_account(30, partner=stranger)
        self.assertEqual(booking._get_possible_payments(self.company), payment)
        self._run(1)
        self.assertIn("Insurer has paid", request.activity_ids.summary)
        payment.with_user(self.biller).action_ar_recover()
        self.assertRecordValues(request, [{"state": "posted", "amount_recovered": 400}])
        self.assertTrue(payment.reconciled)
        self.assertFalse(request.activity_ids)
        self.assertEqual(self._balance(payment.account_id, insurer), 0)
        # Two customers: nobody knows whose money it is until it is said.
        other = self._customer("Other")
        item = self._items(self._invoice(other, 500, due=-200))
        self._run(2)
        second = self._posted({item: 500})
        self.env["ar.credit.cover"].sudo().create(
            {
                "file_id": self._case(other).file_id.id,
                "kind": "insurance",
                "issuer_id": insurer.id,
                "amount": 900,
                "date_from": self._day(-300),
            }
        )
        payment = self._items(self._pay_on_account(600, partner=insurer).move_id)
        action = payment.with_user(self.biller).action_ar_recover()
        self.assertEqual(action["res_model"], "ar.writeoff.recover")
        self.assertFalse(payment.reconciled)
        self._run(3)
        for each in request | second:
            self.assertIn("600", each.activity_ids.summary)
        payment.partner_id = other
        payment.with_user(self.biller).action_ar_recover()
        self.assertRecordValues(second, [{"state": "recovered", "amount_recovered": 500}])
        self.assertEqual(request.amount_recovered, 400)

    def test_credit_note_is_no_recovery(self):
        request = self._posted()
        refund = self._invoice(self.customer, 100, due=0, move_type="out_refund")
        with self.assertRaises(UserError):
            self._items(refund).with_user(self.biller).action_ar_recover()
        self.assertFalse(request.recovery_ids)
        self.assertEqual(self._items(refund).amount_residual, -100)

    def _pay_on_account(self, amount, day=0, partner=None):
        payment = self.env["account.payment"].create(
            {
                "partner_id": (partner or self.customer).id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "date": self._day(day),
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        return payment

    # Starting

    def test_started_from_everywhere(self):
        other = self._invoice(self.customer, 70, due=-10)
        case = self._case()
        collector = self.collector
        actions = (
            (case.with_user(collector).action_write_off, 1070),
            ((self.invoice | other).with_user(collector).action_ar_write_off, 1070),
            (other.with_user(collector).action_ar_write_off, 70),
            (
                self.customer.with_user(collector)
                .with_context(allowed_company_ids=self.company.ids)
                .action_ar_write_off,
                1070,
            ),
        )
        for action, amount in actions:
            request = self.env["ar.writeoff.request"].browse(action()["res_id"])
            self.assertRecordValues(
                request,
                [{"state": "draft", "amount_total": amount, "partner_id": self.customer.id}],
            )
        stranger = self._invoice(self._customer("Stranger"), 5, due=-10)
        with self.assertRaises(ValidationError):
            (self.invoice | stranger).action_ar_write_off()
        with self.assertRaises(ValidationError):
            self._invoice(self.customer, 5, due=-1, move_type="out_refund").action_ar_write_off()

    def test_items_that_cannot_be_written_off(self):
        stranger = self._items(self._invoice(self._customer("Stranger"), 5, due=-10))
        payable = self._invoice(self.customer, 9, due=-1, move_type="in_invoice").line_ids[:1]
        for lines in ({self.item: 1000.01}, {payable: 5}):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self._request(lines)
        for amount in (0, -5):
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self._request({self.item: amount})
        with self.assertRaises(ValidationError):
            self._request({self.item: 5, stranger: 5})

    def test_items_are_looked_at_again(self):
        """Whatever changes, the customer or the ledger, the items still have to fit."""
        request = self._request()
        with (
            self.assertRaisesRegex(ValidationError, "is not an item of"),
            self.env.cr.savepoint(),
        ):
            request.sudo().partner_id = self._customer("Somebody else")
        request.invalidate_recordset()
        self._pay(self.invoice, 400, day=0)
        with self.assertRaisesRegex(ValidationError, "only .*600.* is open"):
            request.action_submit()
        request.line_ids.amount = 600
        request.action_submit()
        self.assertEqual(request.state, "submitted")

    def test_item_waits_in_one_request_only(self):
        first, second = self._request({self.item: 600}), self._request({self.item: 600})
        first.action_submit()
        with self.assertRaisesRegex(UserError, first.name):
            second.action_submit()

    # Reasons and risk

    def test_strict_reason(self):
        self.reason.write(
            {
                "is_strict": True,
                "minimum_age": 365,
                "minimum_contacts": 2,
                "evidence_ids": [Command.create({"name": "Agency report"})],
            }
        )
        request = self._request()
        with self.assertRaises(UserError) as caught:
            request.action_submit()
        for text in ("Agency report", "365", "Contact the customer 2 times"):
            self.assertIn(text, str(caught.exception))
        self.reason.minimum_age = 200
        self.env["ar.collection.action"].create(
            {
                "case_id": self._case().id,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "channel": "call",
                "date_planned": self.today,
            }
        ).action_done()
        request.evidence_ids.attachment_ids = (
            self.env["ir.attachment"]
            .with_user(self.collector)
            .create({"name": "report.pdf", "raw": b"x"})
        )
        request.action_submit()
        self.assertEqual(request.state, "submitted")

    def test_risk_is_visible_and_adds_a_tier(self):
        rules = self.env["ar.writeoff.risk.rule"].with_context(active_test=False).search([])
        rules.active = True
        self._case().collector_id = self.collector
        request = self._request()
        self.assertEqual(
            {code: points for code, points, _values in request.risk_causes},
            {"few_contacts": 20, "no_hold": 10, "involved": 15},
        )
        self.assertFalse(request.is_high_risk)
        self._invoice(self.customer, 10, due=5)
        request.action_submit()
        self.assertEqual((request.risk_score, request.is_high_risk), (60, True))
        self.assertIn("not on credit hold", request.risk_html)
        self.assertIn("High risk", request.risk_html)
        request.with_user(self.manager).action_approve()
        # The amount is of the first tier, the risk of the second.
        self.assertEqual((request.state, request.approver_ids), ("submitted", self.chief))
        request.with_user(self.chief).action_approve()
        self.assertEqual(request.state, "approved")

    def test_item_that_is_not_due_is_overdue_for_no_day(self):
        rules = self.env["ar.writeoff.risk.rule"].with_context(active_test=False).search([])
        rules.filtered(lambda rule: rule.code == "young").active = True
        item = self._items(self._invoice(self.customer, 100, due=15))
        self.assertIn("overdue for 0 days", self._request({item: 100}).risk_html)

    def test_high_risk_above_the_last_tier(self):
        self.upper.active = False
        self.company.ar_writeoff_high_risk = 10
        rules = self.env["ar.writeoff.risk.rule"].with_context(active_test=False).search([])
        rules.filtered(lambda rule: rule.code == "no_hold").active = True
        request = self._request()
        request.action_submit()
        request.with_user(self.manager).action_approve()
        self.assertEqual(request.state, "submitted")
        request.with_user(self.second).action_approve()
        self.assertEqual(request.state, "approved")

    def test_split_requests_and_the_third_of_a_quarter(self):
        rules = self.env["ar.writeoff.risk.rule"].with_context(active_test=False).search([])
        rules.filtered(lambda rule: rule.code in ("split", "frequent", "near_tier")).active = True
        for amount in (100, 200):
            self._request({self.item: amount}).sudo().action_cancel()
            item = self._items(self._invoice(self.customer, amount, due=-100))
            self._request({item: amount}).action_submit()
        item = self._items(self._invoice(self.customer, 4900, due=-100))
        request = self._request({item: 4900})
        found = {code: values["found"] for code, _points, values in request.risk_causes}
        self.assertEqual(found, {"split": 2, "frequent": 3, "near_tier": 5000})

    # Daily

    def test_approvers_are_reminded(self):
        request = self._request()
        request.action_submit()
        self._run(7)
        self.assertFalse(request.date_reminded)
        self._run(8)
        self.assertEqual(request.date_reminded, self._day(8))
        notices = (
            self.env["mail.message"]
            .search([("model", "=", request._name), ("res_id", "=", request.id)])
            .filtered(lambda message: self.manager.partner_id in message.notified_partner_ids)
        )
        self.assertEqual(len(notices), 1)
        self._run(9)
        self.assertEqual(request.date_reminded, self._day(8))
        self._run(11)
        self.assertEqual(request.date_reminded, self._day(11))

    def test_reminders_come_as_often_as_the_company_wants(self):
        self.company.ar_writeoff_remind_days = 1
        request = self._request()
        request.action_submit()
        for day in (8, 9, 10):
            self._run(day)
            self.assertEqual(request.date_reminded, self._day(day))
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.company.ar_writeoff_remind_days = 0
            self.company.flush_recordset()

    def test_delegation_begins(self):
        request = self._request()
        request.action_submit()
        self.env["ar.writeoff.delegation"].with_user(self.manager).create(
            {
                "delegate_id": self.auditor.id,
                "date_from": self.today,
                "date_to": self._day(2),
            }
        )
        self.assertIn(self.auditor, request.approver_ids)

    # What others read

    def test_claims_are_void(self):
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 1000,
                "date": self._day(20),
            }
        )
        dispute = self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env.ref("ar_collections.dispute_reason_quality").id,
                "line_ids": [Command.create({"move_line_id": self.item.id, "amount": 300})],
            }
        )
        request = self._posted()
        self.assertEqual((promise.state, dispute.state), ("cancelled", "cancelled"))
        request.with_user(self.biller).action_reverse()
        self.assertEqual((promise.state, dispute.state), ("open", "open"))
        self.assertFalse(promise.date_closed)
        promise.action_cancel()
        self._posted().with_user(self.biller).action_reverse()
        self.assertEqual(promise.state, "cancelled", "by hand is for ever")

    def test_plan_lives_again(self):
        plan = self.env["ar.payment.plan"].browse(self._case().action_plan()["res_id"])
        plan.first_date = self._day(7)
        plan.action_distribute()
        plan.action_propose()
        plan._accept("Customer's director")
        request = self._posted()
        self.assertEqual(plan.state, "cancelled")
        request.with_user(self.biller).action_reverse()
        self.assertRecordValues(plan, [{"state": "accepted", "date_closed": False}])
        plan.action_cancel()
        self._posted().with_user(self.biller).action_reverse()
        self.assertEqual(plan.state, "cancelled", "by hand is for ever")

    def test_credit_control_and_score_know(self):
        grade = (
            self.env["ar.credit.grade"]
            .sudo()
            .create({"code": "WO", "name": "Written off", "on_written_off": "block"})
        )
        file = self._case().file_id
        file.grade_id = grade
        self._posted({self.item: 400})
        decision = self.env["ar.credit.control"]._decide(
            self.customer, self.company, 50, self.today
        )
        self.assertEqual(decision.action, "block")
        self.assertIn("written_off", [code for code, _text in decision.reasons])
        criterion = self.env["ar.credit.criterion"].create(
            {
                "name": "Written off",
                "kind": "metric",
                "metric": "written_off_count",
                "band_ids": [
                    Command.create({"value_from": 0, "points": 100}),
                    Command.create({"value_from": 1, "points": 0}),
                ],
            }
        )
        answers = self.env["ar.credit.scoring"]._get_answers(file, self.today)[file.id]
        self.assertEqual([a.value for a in answers if a.criterion == criterion.id], [1])
        # What is paid after all is forgiven by control, not forgotten by the score.
        payment = self._pay_on_account(400)
        self._items(payment.move_id).with_user(self.biller).action_ar_recover()
        self.assertEqual((file.written_off_open, file.written_off_count), (0, 1))
        decision = self.env["ar.credit.control"]._decide(
            self.customer, self.company, 50, self.today
        )
        self.assertNotIn("written_off", [code for code, _text in decision.reasons])

    def test_not_submitted_when_it_was_paid_meanwhile(self):
        request = self._request()
        self._pay(self.invoice, 1)
        with self.assertRaisesRegex(UserError, "999.00 is open"):
            request.action_submit()
        request.line_ids.amount = 999
        request.action_submit()
        self.assertEqual(request.state, "submitted")

    def test_paid_after_the_writeoff_was_reversed(self):
        request = self._posted()
        request.with_user(self.biller).action_reverse()
        self._pay(self.invoice)
        self.assertEqual(self._case().close_reason, "paid")

    def test_paid_part_then_rest_written_off(self):
        self._pay(self.invoice, 900)
        self._posted({self.item: 100})
        self.assertEqual(self._case().close_reason, "written_off")

    def test_merged_customers(self):
        request = self._approved()
        target = self._customer("Target")
        self.env["base.partner.merge.automatic.wizard"]._merge((self.customer | target).ids, target)
        with self.assertRaisesRegex(UserError, "merged"):
            request.with_user(self.biller).action_post()
        request.action_draft()
        request.action_submit()
        request.with_user(self.manager).action_approve()
        request.with_user(self.biller).action_post()
        file = self.env["ar.credit.file"]._get_file(target, self.company)
        self.assertEqual((request.file_id, file.written_off_count), (file, 1))

    # Small balances

    def test_small_balances(self):
        currency = self.setup_other_currency("EUR", rates=[("2029-01-01", 2)])
        partners = [self._customer(f"Small {index}") for index in range(4)]
        small = [self._invoice(partner, 3, due=-100) for partner in partners[:3]]
        self._invoice(partners[3], 3, due=-10)
        self._invoice(partners[3], 5.01, due=-100)
        foreign = self._invoice(partners[3], 9, due=-100, currency=currency)
        self._invoice(partners[3], 11, due=-100, currency=currency)
        wizard = (
            self.env["ar.writeoff.small.balance"]
            .with_user(self.biller)
            .with_context(allowed_company_ids=self.company.ids)
            .create(
                {
                    "company_id": self.company.id,
                    "amount_max": 5,
                    "older_than": 90,
                    "reason_id": self.reason.id,
                }
            )
        )
        self.assertEqual(wizard.item_count, 4)
        wizard.action_create()
        requests = self.env["ar.writeoff.request"].search([("kind", "=", "small")], order="id")
        euro = requests.filtered(lambda request: request.line_ids.currency_id == currency)
        self.assertEqual(euro.line_ids.move_id, foreign)
        home = requests - euro
        self.assertEqual((home.amount_total, home.line_count), (9, 3))
        self.assertEqual(euro.amount_total, 4.5)
        self.assertEqual(wizard.item_count, 4)
        home.action_submit()
        with self.assertRaises(UserError):
            home.action_approve()
        home.with_user(self.manager).action_approve()
        home.action_post()
        self.assertTrue(all(self._items(move).reconciled for move in small))
        self.assertEqual(len(home.move_id.line_ids), 4)
        # The customers are not marked for some cents.
        self.assertFalse(home.file_id)
        file = self.env["ar.credit.file"]._get_file(partners[0], self.company)
        self.assertFalse(file.written_off_count)

    # Beside the request

    def _clear_by_hand(self, amount, match=True):
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self.today,
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.item.account_id.id,
                            "partner_id": self.customer.id,
                            "balance": -amount,
                        }
                    ),
                    Command.create({"account_id": self.expense.id, "balance": amount}),
                ],
            }
        )
        move.action_post()
        if match:
            (self._items(move) | self.item).reconcile()
        return move

    def test_unapproved_write_offs_are_listed(self):
        self._posted({self.item: 500})
        self._clear_by_hand(10)
        move = self._clear_by_hand(100)
        payment = self._pay(
            self.invoice,
            350,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.expense.id,
        )
        listed = self.env["ar.writeoff.unapproved"].with_user(self.auditor).search([])
        self.assertRecordValues(
            listed.sorted("amount"),
            [
                {
                    "move_id": payment.move_id.id,
                    "amount": 40,
                    "kind": "payment",
                    "partner_id": self.customer.id,
                },
                {
                    "move_id": move.id,
                    "amount": 100,
                    "kind": "entry",
                    "partner_id": self.customer.id,
                },
            ],
        )

    def test_differences_of_the_bank_are_listed(self):
        """By RPC, where no wizard asks, and in the reconciliation of a bank statement."""
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": 300,
                "date": self._day(0),
                "write_off_line_vals": [
                    {
                        "name": "Forgotten",
                        "account_id": self.expense.id,
                        "partner_id": self.customer.id,
                        "currency_id": self.company.currency_id.id,
                        "amount_currency": 50,
                        "balance": 50,
                    }
                ],
            }
        )
        payment.action_post()
        (self._items(payment.move_id) | self.item).reconcile()
        statement_line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "partner_id": self.customer.id,
                "payment_ref": "Rest",
                "amount": 580,
                "date": self._day(0),
            }
        )
        _liquidity, suspense, _other = statement_line._seek_for_lines()
        entry = statement_line.move_id
        entry.with_context(skip_readonly_check=True).line_ids = [
            Command.update(suspense.id, {"account_id": self.item.account_id.id, "balance": -650}),
            Command.create({"name": "Let it go", "account_id": self.expense.id, "balance": 70}),
        ]
        (self._items(entry) | self.item).reconcile()
        self.assertTrue(self.item.reconciled)
        listed = self.env["ar.writeoff.unapproved"].with_user(self.auditor).search([])
        self.assertRecordValues(
            listed.sorted("amount"),
            [
                {"move_id": payment.move_id.id, "amount": 50, "kind": "payment"},
                {"move_id": entry.id, "amount": 70, "kind": "payment"},
            ],
        )

    def test_discount_account_hides_nothing(self):
        self.company.account_journal_early_pay_discount_loss_account_id = self.expense
        move = self._clear_by_hand(100)
        listed = self.env["ar.writeoff.unapproved"].search([])
        self.assertRecordValues(listed, [{"move_id": move.id, "amount": 100}])

    def test_reversals_hide_nothing(self):
        """Taking an entry back gives nothing up; calling another one a reversal hides nothing."""
        brought_back = self._clear_by_hand(-100, match=False)
        self.company.ar_writeoff_gate = True
        reversal = brought_back._reverse_moves(cancel=True)
        self.assertTrue(self._items(reversal).reconciled)
        self.assertFalse(self.env["ar.writeoff.unapproved"].search([]))
        false = self._clear_by_hand(100, match=False)
        false.reversed_entry_id = brought_back
        with self.assertRaises(UserError), self.env.cr.savepoint():
            (self._items(false) | self.item).reconcile()
        self.company.ar_writeoff_gate = False
        (self._items(false) | self.item).reconcile()
        listed = self.env["ar.writeoff.unapproved"].with_user(self.auditor).search([])
        self.assertRecordValues(listed, [{"move_id": false.id, "amount": 100}])

    def test_gate(self):
        self.company.ar_writeoff_gate = True
        self._clear_by_hand(10)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._clear_by_hand(10.01)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._pay(
                self.invoice,
                900,
                payment_difference_handling="reconcile",
                writeoff_account_id=self.expense.id,
            )
        self._pay(
            self.invoice,
            985,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.expense.id,
        )
        self.assertEqual(self.invoice.amount_residual, 0)
        # A request is what it is all about.
        self._posted({self._items(self._invoice(self.customer, 700, due=-100)): 700})

    def test_the_gate_is_for_what_customers_owe(self):
        """What we pay back, and pay less of, gives nothing up."""
        self.company.ar_writeoff_gate = True
        credit = self._invoice(self.customer, 100, due=0, move_type="out_refund")
        self._pay(
            credit,
            50,
            payment_difference_handling="reconcile",
            writeoff_account_id=self.company_data["default_account_revenue"].id,
        )
        self.assertEqual(credit.amount_residual, 0)

    def test_groups_stand_in_the_order_of_the_work(self):
        requests = self._posted({self.item: 5}) | self._approved({self.item: 10}) | self._request()
        columns = requests.with_context(read_group_expand=True)
        groups = columns.web_read_group([("id", "in", requests.ids)], ["state"])["groups"]
        self.assertEqual([group["state"] for group in groups], ["draft", "approved", "posted"])

    def test_voucher(self):
        request = self._posted()
        html = self.env["ir.qweb"]._render("ar_collections.writeoff_voucher", {"docs": request})
        for text in (request.name, request.move_id.name, "Lost", "Approved by", "1,000.00"):
            self.assertIn(text, html)
