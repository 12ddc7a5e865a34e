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

    def test_foreign_currency_to_the_cent(self):
        euro = self.setup_other_currency("EUR", rates=[("2030-01-01", 3.0)])
        invoice = self._invoice(self.customer, 1000, due=-10, currency=euro)
        item = self._item(invoice)
        self.assertEqual(item.amount_residual, 333.33)
        self._dispute(100, item)
        self.assertEqual(self._figures().disputed, 33.33)
        self._dispute(900, item)
        self.assertEqual(self._figures().disputed, 333.33)
