from hypothesis import given, settings, strategies as st

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user

from .common import CollectionsCommon


class TestDispute(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls.item = cls._item(cls.invoice)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.reason = cls.env.ref("ar_collections.dispute_reason_quality")
        cls.collector, cls.manager = (
            new_test_user(
                cls.env,
                f"dispute_{group}",
                f"base.group_user,ar_collections.group_{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in ("collector", "credit_manager")
        )

    @classmethod
    def _item(cls, move):
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _dispute(self, amount=1000, item=None, **values):
        return (
            self.env["ar.dispute"]
            .with_user(self.collector)
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "reason_id": self.reason.id,
                    "line_ids": [
                        Command.create({"move_line_id": (item or self.item).id, "amount": amount})
                    ],
                    **values,
                }
            )
        )

    def _figures(self, day=0):
        return self.env["ar.position"]._figures(self.company, self._day(day), self.customer)[
            self.company.id, self.customer.id
        ]

    def test_disputed_part_leaves_dunning(self):
        dispute = self._dispute(400)
        self.assertRecordValues(
            dispute,
            [
                {
                    "state": "open",
                    "amount": 400,
                    "case_id": self.case.id,
                    "in_window": True,
                    "target_date": self._day(15),
                }
            ],
        )
        self.assertRecordValues(
            self.case,
            [{"amount_overdue": 1000, "amount_disputed": 400, "amount_demand": 600}],
        )
        self.assertEqual(self._figures().disputed, 400)
        # The rest is asked for, and nothing but the rest.
        self._run(44)
        final = self.case.action_ids.filtered(lambda action: action.step_id == self.steps["Final"])
        self.assertEqual(final.item_ids.mapped("residual"), [600])

    def test_call_asks_for_nothing_that_is_disputed(self):
        other = self._invoice(self.customer, 50, due=-16)
        self._dispute(50, self._item(other))
        call = self.case.action_ids.filtered(lambda action: action.channel == "call")
        call.with_user(self.collector).action_done()
        self.assertEqual(call.item_ids.move_line_id, self.item)

    def test_late_dispute_stops_nothing(self):
        self.company.ar_dispute_days = 15
        dispute = self._dispute(400)
        self.assertEqual((dispute.in_window, dispute.line_ids.window_end), (False, self._day(-31)))
        self.assertEqual((self.case.amount_disputed, self.case.amount_demand), (0, 1000))
        with self.assertRaises(AccessError):
            dispute.action_accept_late()
        dispute.with_user(self.manager).action_accept_late()
        self.assertEqual((self.case.amount_disputed, self.case.amount_demand), (400, 600))

    def test_window_of_customer_before_term_before_company(self):
        term = self.env["account.payment.term"].create({"name": "T", "ar_dispute_days": 60})
        self.invoice.button_draft()
        self.invoice.invoice_payment_term_id = term
        self.invoice.action_post()
        self.company.ar_dispute_days = 15
        item = self._item(self.invoice)
        dispute = self._dispute(100, item)
        self.assertEqual(dispute.line_ids.window_end, self._day(-46 + 60))
        self.case.file_id.dispute_days = 20
        dispute = self._dispute(100, item)
        self.assertEqual(dispute.line_ids.window_end, self._day(-46 + 20))
        self.invoice.delivery_date = self._day(-10)
        dispute = self._dispute(100, item)
        self.assertEqual(dispute.line_ids.window_end, self._day(10))

    def test_rejected_with_notice_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.customer.lang = "zh_CN"
        template = self.env.ref("ar_collections.mail_template_dispute_rejected")
        template.with_context(lang="zh_CN").subject = "关于 {{ object.name }} 的决定"
        dispute = self._dispute()
        with self.assertRaises(UserError):
            dispute.action_reject()
        dispute.decision_note = "The certificate came too late."
        dispute.action_reject()
        self.assertRecordValues(dispute, [{"state": "rejected", "date_closed": self.today}])
        notice = dispute.message_ids.filtered(lambda m: self.customer in m.partner_ids)
        self.assertEqual(notice.subject, f"关于 {dispute.name} 的决定")
        self.assertIn("The certificate came too late.", notice.body)
        self.assertEqual(self.case.amount_demand, 1000)
        with self.assertRaises(UserError):
            dispute.action_withdraw()

    def test_credit_note_of_a_part_decides(self):
        dispute = self._dispute(400)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        note = dispute.credit_note_ids
        self.assertRecordValues(
            note, [{"state": "draft", "amount_total": 400, "reversed_entry_id": self.invoice.id}]
        )
        self.assertEqual(dispute.state, "open")
        dispute.action_credit()
        self.assertEqual(dispute.credit_note_ids, note)
        note.sudo().action_post()
        self.assertEqual(self.invoice.amount_residual, 600)
        self.assertEqual(dispute.state, "credited")
        self.assertEqual((self.case.amount_disputed, self.case.amount_demand), (0, 600))
        self.assertTrue(note.sudo().reversal_move_ids or note.reversed_entry_id)

    def test_credit_note_of_the_whole(self):
        dispute = self._dispute()
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        dispute.credit_note_ids.sudo().action_post()
        self.assertEqual((dispute.state, self.invoice.payment_state), ("credited", "reversed"))
        self.assertEqual(self.case.state, "closed")

    def test_payment_ends_the_dispute(self):
        dispute = self._dispute(400)
        self._pay(self.invoice, 600)
        self.assertEqual(dispute.state, "open")
        self.assertEqual((self.case.amount_disputed, self.case.amount_demand), (400, 0))
        self._pay(self.invoice, 400)
        self.assertEqual(dispute.state, "cancelled")

    def test_not_more_than_the_item(self):
        self._dispute(700)
        with self.assertRaises(ValidationError):
            self._dispute(301)
        self._dispute(300)
        with self.assertRaises(ValidationError):
            self.env["ar.dispute"].create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "reason_id": self.reason.id,
                }
            )

    def test_blocking_asks_for_a_dispute_and_solving_unblocks(self):
        biller = new_test_user(
            self.env,
            "dispute_biller",
            "base.group_user,account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        invoice = self.invoice.with_user(biller)
        invoice.action_toggle_block_payment()
        self.assertEqual(invoice.payment_state, "blocked")
        dispute = self.env["ar.dispute"].search([("partner_id", "=", self.customer.id)])
        self.assertRecordValues(dispute, [{"state": "open", "amount": 1000}])
        self.assertEqual(self.case.amount_demand, 0)
        dispute.with_user(self.collector).decision_note = "No reason was given."
        dispute.with_user(self.collector).action_reject()
        self.assertEqual(invoice.payment_state, "not_paid")
        # And the other way round.
        invoice.action_toggle_block_payment()
        second = self.env["ar.dispute"].search([("state", "=", "open")])
        self.assertEqual(len(second), 1)
        invoice.action_toggle_block_payment()
        self.assertEqual((second.state, invoice.payment_state), ("cancelled", "not_paid"))
        self.assertEqual(self.case.amount_demand, 1000)

    def test_block_stays_as_long_as_another_dispute_is_open(self):
        first, second = self._dispute(400), self._dispute(600)
        self.invoice.action_toggle_block_payment()
        self.assertEqual(self.invoice.payment_state, "blocked")
        elsewhere = self._dispute(30, self._item(self._invoice(self.customer, 30, due=-3)))
        first.decision_note = "Goods were fine"
        first.action_reject()
        self.assertEqual(self.invoice.payment_state, "blocked")
        second.with_user(self.collector).action_withdraw()
        self.assertEqual(self.invoice.payment_state, "not_paid")
        self.assertEqual(elsewhere.state, "open")

    def test_decided_late_dispute_is_not_accepted(self):
        self.company.ar_dispute_days = 5
        dispute = self._dispute()
        self.assertFalse(dispute.in_window)
        dispute.action_withdraw()
        with self.assertRaisesRegex(UserError, "decided already"):
            dispute.with_user(self.manager).action_accept_late()

    def test_credit_notes_of_what_is_open_alone(self):
        other = self._invoice(self.customer, 300, due=-3)
        dispute = self._dispute(
            line_ids=[
                Command.create({"move_line_id": item.id, "amount": amount})
                for item, amount in ((self.item, 400), (self._item(other), 100))
            ]
        )
        self._pay(other, day=0)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        self.assertEqual(dispute.credit_note_ids.sudo().reversed_entry_id, self.invoice)

    def test_what_was_decided_stays_without_its_invoice(self):
        other = self._invoice(self.customer, 300, due=-3)
        dispute = self._dispute(300, self._item(other), decision_note="No")
        dispute.action_reject()
        other.button_draft()
        other.with_context(force_delete=True).unlink()
        self._run(1)
        self.assertRecordValues(dispute, [{"state": "rejected", "date_closed": self.today}])

    def test_each_item_is_disputed_for_itself(self):
        other = self._invoice(self.customer, 300, due=-3)
        self._dispute(1000)
        self.assertEqual(self._dispute(300, self._item(other)).amount, 300)
        with self.assertRaisesRegex(ValidationError, "in dispute already"):
            self._dispute(1, self._item(other))

    def test_only_trade_receivables_are_disputed(self):
        loan = self._non_trade(self.customer, 55, day=-10)
        with self.assertRaisesRegex(ValidationError, "open item"):
            self._dispute(55, loan)
        self.assertEqual(self._figures().disputed, 0)
        domain = self.env["ar.dispute.line"]._fields["move_line_id"].domain
        self.assertIn(self.item, self.env["account.move.line"].search(domain))
        self.assertNotIn(loan, self.env["account.move.line"].search(domain))

    def test_blocking_a_loan_disputes_nothing(self):
        self.invoice.line_ids.account_id.filtered(
            lambda account: account.account_type == "asset_receivable"
        ).non_trade = True
        self.invoice.action_toggle_block_payment()
        self.assertEqual(self.invoice.payment_state, "blocked")
        self.assertFalse(self.env["ar.dispute"].search([("partner_id", "=", self.customer.id)]))

    def test_not_decided_beside_a_draft_credit_note(self):
        dispute = self._dispute(400)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        dispute.decision_note = "No"
        for decide in (dispute.action_reject, dispute.action_withdraw):
            with self.assertRaisesRegex(UserError, "draft credit note"):
                decide()
        self.assertEqual((dispute.state, self.case.amount_disputed), ("open", 400))
        dispute.credit_note_ids.sudo().unlink()
        dispute.action_reject()
        self.assertEqual(dispute.state, "rejected")

    def test_blocking_takes_what_others_left(self):
        other = self._invoice(self.customer, 300, due=-3)
        both = self._dispute(
            line_ids=[
                Command.create({"move_line_id": item.id, "amount": amount})
                for item, amount in ((self.item, 1000), (self._item(other), 100))
            ]
        )
        for invoice, amounts in ((self.invoice, []), (other, [200])):
            invoice.action_toggle_block_payment()
            self.assertEqual(invoice.payment_state, "blocked")
            new = self.env["ar.dispute"].search([("state", "=", "open")]) - both
            self.assertEqual(new.mapped("amount"), amounts)

    def test_dispute_ends_with_its_invoice(self):
        other = self._invoice(self.customer, 300, due=-3)
        cancelled, deleted = self._dispute(), self._dispute(300, self._item(other))
        self.invoice.button_draft()
        self.assertEqual(cancelled.state, "open", "it may come back")
        self.invoice.button_cancel()
        self.assertEqual(cancelled.state, "cancelled")
        other.button_draft()
        other.with_context(force_delete=True).unlink()
        self._run(1)
        self.assertEqual((deleted.state, deleted.date_closed), ("cancelled", self._day(1)))

    def test_owner_and_escalation(self):
        owner = new_test_user(self.env, "dispute_owner", "base.group_user")
        self.reason.owner_id = owner
        self.company.ar_credit_manager_id = self.manager
        dispute = self._dispute()
        self.assertEqual(dispute.owner_id, owner)
        self.assertEqual(dispute.activity_ids.user_id, owner)
        self.assertEqual(dispute.with_user(owner).reason_id.name, self.reason.name)
        with self.assertRaises(AccessError):
            self._dispute_of_other().with_user(owner).read(["name"])
        self._run(15)
        self.assertFalse(dispute.date_escalated)
        for day in (16, 17):
            self._run(day)
        self.assertEqual(dispute.date_escalated, self._day(16))
        self.assertEqual(dispute.activity_ids.user_id, owner | self.manager)

    def _dispute_of_other(self):
        self.reason.owner_id = False
        return self._dispute(1, self._item(self._invoice(self.customer, 10, due=-1)))

    def test_new_target_date_is_the_owners(self):
        dispute = self._dispute(reason_id=self.env.ref("ar_collections.dispute_reason_other").id)
        self._run(30)
        self.assertEqual(dispute.date_escalated, self._day(30))
        dispute.target_date = self._day(40)
        own = dispute.activity_ids.filtered(lambda activity: activity.user_id == dispute.owner_id)
        self.assertEqual(set(own.mapped("date_deadline")), {self._day(40)})
        self._run(41)
        self.assertEqual(dispute.date_escalated, self._day(41), "missed again")

    def test_own_faults_are_counted(self):
        product = self.product_a
        self.invoice.button_draft()
        self.invoice.invoice_line_ids.product_id = product
        self.invoice.invoice_line_ids.price_unit = 1000
        self.invoice.invoice_line_ids.tax_ids = False
        self.invoice.action_post()
        dispute = self._dispute(400, self._item(self.invoice))
        self.assertFalse(dispute.own_fault)
        dispute.cause_id = self.env.ref("ar_collections.dispute_cause_quality_1")
        self.assertRecordValues(
            dispute.line_ids,
            [
                {
                    "own_fault": True,
                    "salesperson_id": self.invoice.invoice_user_id.id,
                    "product_id": product.id,
                    "amount_company": 400,
                }
            ],
        )
        dispute.decision_note = "No."
        dispute.action_reject()
        self.assertFalse(dispute.own_fault)

    def test_nobody_decides_by_writing(self):
        dispute = self._dispute(400)
        for values in (
            {"state": "credited"},
            {"date": self._day(-30)},
            {"accepted_late": True},
            {"date_closed": self.today},
        ):
            with self.assertRaises(AccessError):
                dispute.write(values)
        with self.assertRaises(AccessError):
            dispute.line_ids.write({"in_window": True})
        with self.assertRaises(AccessError):
            dispute.unlink()
        dispute.action_withdraw()
        with self.assertRaises(UserError):
            dispute.line_ids.amount = 1
        with self.assertRaises(UserError):
            dispute.owner_id = self.manager

    def test_who_only_reads_decides_nothing(self):
        self.company.ar_dispute_days = 15
        dispute = self._dispute(400)
        dispute.sudo().decision_note = "No."
        auditor = self._user("dispute_auditor", "ar_collections.group_auditor")
        for action in ("action_reject", "action_withdraw", "action_credit", "action_accept_late"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(dispute.with_user(auditor), action)()
        self.assertRecordValues(
            dispute, [{"state": "open", "accepted_late": False, "credit_note_ids": []}]
        )

    def test_foreign_currency_to_the_cent(self):
        euro = self.setup_other_currency("EUR", rates=[("2030-01-01", 3.0)])
        invoice = self._invoice(self.customer, 1000, due=-10, currency=euro)
        item = self._item(invoice)
        self.assertEqual(item.amount_residual, 333.33)
        self._dispute(100, item)
        self.assertEqual(self._figures().disputed, 33.33)
        self._dispute(900, item)
        self.assertEqual(self._figures().disputed, 333.33)

    def _user(self, login, *groups):
        return new_test_user(
            self.env,
            login,
            ",".join(("base.group_user", *groups)),
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    # Credit notes

    def _taxed(self, currency, rounding_method="round_per_line"):
        self.company.tax_calculation_rounding_method = rounding_method
        taxes = self.env["account.tax"].create(
            [
                {"name": "19", "amount": 19, "type_tax_use": "sale"},
                {"name": "7", "amount": 7, "type_tax_use": "sale"},
                {
                    "name": "in",
                    "amount": 10,
                    "type_tax_use": "sale",
                    "price_include_override": "tax_included",
                },
                {
                    "name": "per piece",
                    "amount": 0.05,
                    "amount_type": "fixed",
                    "type_tax_use": "sale",
                },
            ]
        )
        invoice = self._invoice(self.customer, 100, due=-5, currency=currency, post=False)
        invoice.invoice_line_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "name": "Goods",
                        "quantity": quantity,
                        "price_unit": price,
                        "discount": discount,
                        "tax_ids": [Command.set(tax.ids)],
                        "account_id": self.company_data["default_account_revenue"].id,
                    }
                )
                for quantity, price, discount, tax in (
                    (1000, 0.03, 0, taxes[0]),
                    (3, 33.33, 5, taxes[1]),
                    (7, 14.29, 0, taxes[2]),
                    (90, 1.11, 0, taxes[3]),
                    (1, -4.21, 0, taxes[0]),
                )
            ),
        ]
        invoice.action_post()
        return invoice

    def _check_credit_notes(self, invoice, units):
        item = self._item(invoice)
        biller = self._user("dispute_credit", "account.group_account_invoice")
        biller.group_ids += self.env.ref("ar_collections.group_collector")

        @settings(max_examples=5, deadline=None)
        @given(st.integers(1, units))
        def to_the_cent(amount):
            amount = invoice.currency_id.round(amount * invoice.currency_id.rounding)
            dispute = self._dispute(amount, item).with_user(biller)
            dispute.action_credit()
            note = dispute.credit_note_ids
            self.assertEqual(note.currency_id, invoice.currency_id)
            self.assertEqual(
                note.currency_id.compare_amounts(note.amount_total, amount), 0, note.amount_total
            )
            self.assertEqual(self._item(note).mapped("amount_currency"), [-note.amount_total])
            note.unlink()
            dispute.action_withdraw()

        to_the_cent()

    def test_credit_note_to_the_cent_with_taxes(self):
        invoice = self._taxed(self.company.currency_id)
        self._check_credit_notes(invoice, round(invoice.amount_total * 100))

    def test_credit_note_to_the_cent_in_yen(self):
        yen = self.setup_other_currency("JPY", rounding=1.0, rates=[("2030-01-01", 0.7)])
        invoice = self._taxed(yen, "round_globally")
        self._check_credit_notes(invoice, round(invoice.amount_total))

    def test_credit_note_is_for_the_disputed_instalment(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "30/70",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 30, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 70, "nb_days": 10}),
                ],
            }
        )
        invoice = self._invoice(self.customer, 100, due=-5, post=False)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        first, second = self._item(invoice).sorted("date_maturity")
        dispute = self._dispute(20, second)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        dispute.credit_note_ids.sudo().action_post()
        self.assertEqual((first.amount_residual, second.amount_residual), (30, 50))
        self.assertEqual(dispute.state, "credited")

    def test_credit_note_of_what_is_still_open(self):
        dispute = self._dispute(400)
        self._pay(self.invoice, 700)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        self.assertEqual(dispute.credit_note_ids.amount_total, 300)
        with self.assertRaisesRegex(UserError, "draft credit note"):
            dispute.action_withdraw()

    def test_credit_note_of_what_was_paid_meanwhile(self):
        dispute = self._dispute(400)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        note = dispute.credit_note_ids.sudo()
        self._pay(self.invoice)
        note.action_post()
        self.assertEqual((note.state, note.amount_residual), ("posted", 400))

    def test_credit_note_of_an_opening_balance(self):
        entry = self.env["account.move"].create(
            {
                "date": self._day(-20),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": self.item.account_id.id,
                            "partner_id": self.customer.id,
                            "debit": 80,
                        }
                    ),
                    Command.create(
                        {
                            "account_id": self.company_data["default_account_revenue"].id,
                            "credit": 80,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        dispute = self._dispute(30, self._item(entry))
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        self.assertRecordValues(
            dispute.credit_note_ids,
            [{"move_type": "out_refund", "amount_total": 30, "partner_id": self.customer.id}],
        )
        dispute.credit_note_ids.sudo().action_post()
        self.assertEqual(dispute.state, "credited")
        self.assertEqual(self._item(entry).amount_residual, 50)

    def test_draft_credit_note_that_was_given_up(self):
        dispute = self._dispute(400)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        former = dispute.credit_note_ids.sudo()
        former.button_cancel()
        dispute.action_credit()
        (dispute.credit_note_ids.sudo() - former).action_post()
        self.assertEqual(dispute.state, "credited")
        self.assertEqual((self._case().amount_disputed, self._case().amount_demand), (0, 600))

    # What the ledger decides

    def test_undone_payment_opens_it_again(self):
        dispute = self._dispute(400)
        payment = self._pay(self.invoice, day=2)
        self.assertEqual((dispute.state, dispute.date_closed), ("cancelled", self._day(2)))
        self.assertEqual((self._figures(1).disputed, self._figures(2).disputed), (400, 0))
        self._bounce(payment)
        self.assertEqual((dispute.state, dispute.date_closed), ("open", False))
        self.assertEqual((self._case().amount_disputed, self._case().amount_demand), (400, 600))
        # What somebody decided stays decided.
        dispute.action_withdraw()
        self._bounce(self._pay(self.invoice, day=2))
        self.assertEqual(dispute.state, "cancelled")

    def test_undone_credit_note_opens_it_again(self):
        dispute = self._dispute(400)
        self.collector.group_ids += self.env.ref("account.group_account_invoice")
        dispute.action_credit()
        note = dispute.credit_note_ids.sudo()
        note.action_post()
        self.assertEqual(dispute.state, "credited")
        note.button_draft()
        self.assertEqual((dispute.state, self.case.amount_disputed), ("open", 400))

    # Items

    def test_figures_follow_changed_items(self):
        dispute = self._dispute(400)
        other = self._item(self._invoice(self.customer, 100, due=-4))
        dispute.line_ids = [Command.create({"move_line_id": other.id, "amount": 100})]
        self.assertEqual((self.case.amount_disputed, dispute.amount), (500, 500))
        dispute.line_ids[0].amount = 50
        self.assertEqual(self.case.amount_disputed, 150)
        dispute.line_ids[0].unlink()
        self.assertEqual(self.case.amount_disputed, 100)
        with self.assertRaises(ValidationError):
            dispute.line_ids.unlink()

    def test_context_of_a_request_decides_nothing(self):
        self.company.ar_dispute_days = 15
        self.collector = self.collector.with_context(default_in_window=True)
        dispute = (
            self.env["ar.dispute"]
            .with_user(self.collector)
            .with_context(
                default_in_window=True, default_accepted_late=True, default_date=self._day(-60)
            )
            .create(
                {
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "reason_id": self.reason.id,
                    "line_ids": [Command.create({"move_line_id": self.item.id, "amount": 10})],
                }
            )
        )
        self.assertRecordValues(
            dispute, [{"in_window": False, "accepted_late": False, "date": self.today}]
        )
        self.assertEqual(self.case.amount_disputed, 0)

    def test_amount_is_in_company_currency(self):
        euro = self.setup_other_currency("EUR")
        dispute = self._dispute(400, currency_id=euro.id)
        self.assertEqual(dispute.currency_id, self.company.currency_id)

    def test_product_can_be_named(self):
        dispute = self._dispute(400)
        self.assertFalse(dispute.line_ids.product_id)
        dispute.line_ids.product_id = self.product_b
        self.assertEqual(dispute.line_ids.product_id, self.product_b)

    # Owner

    def test_whoever_takes_over_is_told(self):
        first, second = self._user("dispute_first"), self._user("dispute_second")
        self.reason.owner_id = first
        dispute = self._dispute()
        dispute.owner_id = second
        self.assertEqual(dispute.activity_ids.user_id, second)
        self.assertIn(second.partner_id, dispute.message_partner_ids)
        self.assertTrue(dispute.with_user(second).name)
        dispute.decision_note = "No."
        dispute.with_user(second).action_reject()
        self.assertFalse(dispute.activity_ids)

    # Blocked invoices

    def test_biller_unblocks_what_a_collector_knows(self):
        self.case.collector_id = self.collector
        biller = self._user("dispute_blocker", "account.group_account_invoice")
        dispute = self._dispute(400)
        invoice = self.invoice.with_user(biller)
        # It is in dispute already: no second one.
        invoice.action_toggle_block_payment()
        self.assertEqual(invoice.payment_state, "blocked")
        self.assertEqual(self.case.dispute_count, 1)
        invoice.action_toggle_block_payment()
        self.assertEqual((dispute.state, invoice.payment_state), ("cancelled", "not_paid"))
        self.assertEqual(self.case.amount_disputed, 0)

    def test_payment_unblocks(self):
        self.invoice.action_toggle_block_payment()
        self._pay(self.invoice)
        self.assertEqual(self.case.file_id.company_id, self.company)
        self.assertNotEqual(self.invoice.payment_state, "blocked")

    def test_merged_customer_keeps_its_disputes(self):
        double = self._customer("Double")
        item = self._item(self._invoice(double, 50, due=-16))
        self._run(1)
        dispute = self._dispute(20, item, partner_id=double.id)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (double | self.customer).ids, self.customer
        )
        self.env.invalidate_all()
        self.assertEqual((dispute.partner_id, dispute.case_id), (self.customer, self.case))
        self.assertEqual(dispute.line_ids.partner_id, self.customer)
        self.assertEqual(self._figures(1).disputed, 20)
