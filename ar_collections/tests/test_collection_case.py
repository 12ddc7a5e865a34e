from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tools import mute_logger

from .common import CollectionsCommon


class TestCase(CollectionsCommon):
    def test_collected_since_the_case_was_opened(self):
        earlier = self._invoice(self.customer, 50, due=-30)
        self._pay(earlier, day=-2)
        branch = self._invoice(self.customer, 300, due=-5, company=self.branch)
        invoices = self._invoice(self.customer, 1000, due=-5)
        others = [
            self._invoice(self._customer(f"Other {number}"), 100, due=-5) for number in range(6)
        ]
        self._run(0)
        self.assertEqual(self._case().amount_collected, 0)
        self._pay(invoices, 400, day=1)
        self._pay(branch, 20, day=2)
        self._pay(others[0], 30, day=1)
        self._run(3)
        self._pay(others[1], 100, day=3)
        paid = self.env["account.payment"].create(
            {
                "partner_id": others[1].partner_id.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": 7,
                "date": self._day(4),
            }
        )
        paid.action_post()
        cases = self.env["ar.collection.case"].search(
            [("partner_id", "in", (self.customer | others[0].partner_id).ids)]
        )
        self.env.invalidate_all()
        self.assertEqual(set(cases.mapped("amount_collected")), {420, 30})
        closed = self._case(others[1].partner_id)
        self.assertEqual(closed.state, "closed")
        self.assertEqual(closed.amount_collected, 100, "what came later is not of this case")

    def test_reason_is_what_settled_its_items(self):
        """A payment of what is not due yet is no payment of the case."""
        credited, mixed, offset = (self._customer(name) for name in ("Credited", "Mixed", "Offset"))
        invoices = {
            partner: self._invoice(partner, 1000, due=-5) for partner in (credited, mixed, offset)
        }
        self._run(0)
        later = self._invoice(credited, 50, due=60)
        note = self._invoice(credited, 1000, due=1, date_=self._day(1), move_type="out_refund")
        self._pay(later, day=1)
        self._lines(invoices[credited] | note).reconcile()
        note = self._invoice(mixed, 300, due=1, date_=self._day(1), move_type="out_refund")
        self._lines(invoices[mixed] | note).reconcile()
        self._pay(invoices[mixed], day=2)
        bill = self.env["account.move"].create(
            {
                "date": self._day(3),
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "partner_id": offset.id, "balance": balance}
                    )
                    for account, balance in (
                        (self.company_data["default_account_receivable"], -1000),
                        (self.company_data["default_account_payable"], 1000),
                    )
                ],
            }
        )
        bill.action_post()
        self._lines(invoices[offset] | bill).reconcile()
        names = ["close_reason", "amount_opened", "amount_collected", "amount_set_off"]
        names += ["amount_credited", "date_closed"]
        for partner, values in (
            (credited, ("credited", 1000, 0, 0, 1000, self.today)),
            (mixed, ("paid", 1000, 700, 0, 300, self.today)),
            (offset, ("set_off", 1000, 0, 1000, 0, self.today)),
        ):
            case = self._case(partner)
            case.invalidate_recordset()
            self.assertRecordValues(
                case, [{"state": "closed", **dict(zip(names, values, strict=True))}]
            )

    def test_money_that_the_bank_tells_of_days_later(self):
        invoice = self._invoice(self.customer, 100, due=-5)
        self._run(0)
        self._pay(invoice, day=-2)
        self.assertRecordValues(
            self._case(),
            [{"close_reason": "paid", "amount_collected": 100, "date_closed": self.today}],
        )

    def test_money_on_account_closes_a_case_as_paid(self):
        self._invoice(self.customer, 100, due=-5)
        self._run(0)
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": 100,
                "date": self.today,
            }
        )
        payment.action_post()
        self.assertRecordValues(self._case(), [{"state": "closed", "close_reason": "paid"}])

    def _lines(self, moves):
        return moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def test_instalment_of_a_loan_is_not_collected(self):
        self._invoice(self.customer, 1000, due=-5)
        self._run(0)
        self._non_trade(self.customer, -70, day=1, journal_type="bank")
        self.env.invalidate_all()
        self.assertEqual(self._case().amount_collected, 0)

    def test_life_of_a_case(self):
        invoice = self._invoice(self.customer, 1000, due=0)
        self._run(0)
        self.assertFalse(self._case(), "due today is not overdue")
        run = self._run(1)
        case = self._case()
        self.assertRecordValues(
            case,
            [
                {
                    "state": "open",
                    "amount_overdue": 1000,
                    "days_overdue": 1,
                    "oldest_due_date": self._day(0),
                    "policy_id": self.policy.id,
                    "last_contact_date": self._day(1),
                    "next_action_date": self._day(7),
                }
            ],
        )
        self.assertRecordValues(
            case.action_ids,
            [
                {
                    "state": "done",
                    "step_id": self.steps["First"].id,
                    "amount": 1000,
                    "date_done": self._day(1),
                    "run_id": run.id,
                    "contact_id": self.customer.id,
                }
            ],
        )
        self.assertRecordValues(
            case.action_ids.item_ids,
            [
                {
                    "move_line_id": invoice.line_ids.filtered("date_maturity").id,
                    "residual": 1000,
                    "days_overdue": 1,
                    "name": invoice.name,
                }
            ],
        )
        self._pay(invoice, 400, day=2)
        self.assertEqual(case.amount_overdue, 600, "a part payment shows at once")
        self._run(8)
        self.assertEqual(
            case.action_ids.sorted("id").step_id.mapped("name"), ["First", "Second", "Text"]
        )
        payment = self._pay(invoice, day=9)
        self.assertRecordValues(
            case,
            [
                {
                    "state": "closed",
                    "close_reason": "paid",
                    "amount_overdue": 0,
                }
            ],
        )
        payment.move_id.line_ids.remove_move_reconcile()
        self.assertEqual(case.state, "closed", "the money is there, matched or not")
        self._bounce(payment)
        self.assertRecordValues(
            case,
            [
                {
                    "state": "open",
                    "close_reason": False,
                    "amount_overdue": 600,
                }
            ],
        )

    def test_step_asks_for_what_is_overdue_only(self):
        late = self._invoice(self.customer, 100, due=0)
        for due in (1, 5):
            self._invoice(self.customer, 50, due=due)
        self._run(1)
        action = self._case().action_ids
        self.assertEqual(action.amount, 100)
        self.assertEqual(action.item_ids.move_line_id.move_id, late)

    def test_message_is_kept_on_the_case(self):
        """The customer's chatter leads there, and does not repeat it."""
        invoice = self._invoice(self.customer, 1234.5, due=0)
        self._run(1)
        action = self._case().action_ids
        message = action.message_id
        self.assertEqual((message.model, message.res_id), ("ar.collection.case", self._case().id))
        self.assertIn(invoice.name, message.body)
        self.assertIn("1,234.50", message.subject)
        on_customer = self.customer.message_ids.filtered(lambda m: m.subject == message.subject)
        self.assertNotIn(invoice.name, on_customer.body)
        link = f'data-oe-model="ar.collection.case" data-oe-id="{message.res_id}"'
        self.assertIn(link, on_customer.body)
        mail = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
        self.assertRecordValues(mail, [{"state": "outgoing", "recipient_ids": self.customer.ids}])
        self.assertIn(invoice.name, mail.body_html)
        mail.unlink()
        self.assertTrue(message.exists(), "the proof outlives the mail")

    def test_reversal_credits(self):
        invoice = self._invoice(self.customer, 100, due=0)
        self._run(1)
        invoice._reverse_moves([{"invoice_date": self._day(2)}], cancel=True)
        self.assertRecordValues(self._case(), [{"state": "closed", "close_reason": "credited"}])

    def test_reset_to_draft_and_cancel(self):
        invoice = self._invoice(self.customer, 100, due=0)
        self._run(1)
        invoice.button_draft()
        self.assertEqual(self._case().state, "closed")
        invoice.action_post()
        self.assertEqual(self._case().state, "open", "the same case again")
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(self._case().close_reason, "cancelled")

    def test_payment_back_to_draft_reopens(self):
        invoice = self._invoice(self.customer, 100, due=0)
        self._run(1)
        payment = self._pay(invoice, day=2)
        self.assertEqual(self._case().state, "closed")
        payment.move_id.button_draft()
        self.assertEqual(self._case().state, "open")

    def test_later_debt_is_a_new_case(self):
        first = self._invoice(self.customer, 100, due=0)
        self._run(1)
        old = self._case()
        self._pay(first, day=2)
        self._invoice(self.customer, 200, due=10)
        self._run(11)
        self.assertNotEqual(self._case(), old)
        self.assertEqual((old.state, self._case().state), ("closed", "open"))

    def test_moving_the_due_date_or_excluding_closes(self):
        invoice = self._invoice(self.customer, 100, due=0)
        self._run(1)
        invoice.no_followup = True
        self.assertEqual(self._case().state, "closed")
        invoice.no_followup = False
        self.assertEqual(self._case().state, "open")
        invoice.line_ids.filtered("date_maturity").date_maturity = self._day(30)
        self.assertEqual(self._case().state, "closed")

    def test_branch_and_contact_are_one_customer(self):
        contact = self.env["res.partner"].create(
            {
                "name": "Payables",
                "parent_id": self.customer.id,
                "type": "invoice",
                "email": "payables@example.com",
            }
        )
        self._invoice(self.customer, 100, due=0)
        self._invoice(contact, 20, due=0)
        self._invoice(self.customer, 3, due=0, company=self.branch)
        self._run(1)
        self.assertRecordValues(self._case(), [{"amount_overdue": 123}])
        self.assertEqual(self._case().action_ids.contact_id, contact, "the invoice address")

    def test_dunning_contact_comes_first(self):
        contact = self.env["res.partner"].create(
            {
                "name": "Finance",
                "email": "finance@example.com",
            }
        )
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.dunning_contact_id = contact
        self._invoice(self.customer, 100, due=0)
        self._run(1)
        self.assertEqual(self._case().action_ids.contact_id, contact)

    def test_invoice_contact_without_address_falls_back(self):
        self.env["res.partner"].create(
            {
                "name": "Payables",
                "parent_id": self.customer.id,
                "type": "invoice",
                "email": False,
            }
        )
        self._invoice(self.customer, 100, due=0)
        self._run(1)
        self.assertEqual(self._case().action_ids.contact_id, self.customer)

    @mute_logger("odoo.sql_db")
    def test_the_database_keeps_one_open_case(self):
        self._invoice(self.customer, 100, due=0)
        self._run(1)
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._case().sudo().copy()

    def test_activity_moves_its_own_contact_only(self):
        other = self._customer("Other")
        for partner in (self.customer, other):
            self._invoice(partner, 100, due=-16)
        self._run(0)
        mine, theirs = self._case().action_ids, self._case(other).action_ids
        mine.activity_id.date_deadline = self._day(3)
        self.assertRecordValues(
            mine | theirs, [{"date_planned": self._day(3)}, {"date_planned": self.today}]
        )

    def test_pause_ends(self):
        self.policy.skip_rest_days = False
        self._invoice(self.customer, 100, due=-100)
        self._run(-99)
        case = self._case()
        with self.assertRaises(ValidationError):
            case._pause_until("waiting", self.company._ar_today())
        case.sudo().write(
            {"state": "paused", "pause_reason": "waiting", "pause_end": self._day(-80)}
        )
        self._run(-90)
        self.assertEqual(len(case.action_ids), 1, "nothing while it is paused")
        self._run(-80)
        self.assertEqual(case.state, "open")
        self.assertEqual(len(case.action_ids), 2)

    def test_proof_cannot_be_changed(self):
        self._invoice(self.customer, 100, due=0)
        self._run(1)
        action = self._case().action_ids
        manager = self.env["res.users"].create(
            {
                "name": "m",
                "login": "m",
                "group_ids": [Command.link(self.env.ref("ar_collections.group_credit_manager").id)],
                "company_ids": [Command.link(self.company.id)],
                "company_id": self.company.id,
            }
        )
        action = action.with_user(manager)
        for write in (
            lambda: action.write({"amount": 1}),
            lambda: action.write({"state": "planned"}),
            lambda: action.item_ids.write({"residual": 1}),
            lambda: action.unlink(),
            lambda: action.action_cancel(),
        ):
            with self.assertRaises(UserError):
                write()

    def test_customers_that_are_merged(self):
        double = self._customer("Double")
        self._invoice(self.customer, 100, due=0)
        self._invoice(double, 50, due=0)
        self._run(1)
        self.assertEqual(self._case(double).state, "open")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | double).ids, self.customer)
        self.assertFalse(double.exists())
        files = self.env["ar.credit.file"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(len(files), 1)
        cases = self.env["ar.collection.case"].search([("partner_id", "=", self.customer.id)])
        self.assertEqual(sorted(cases.mapped("state")), ["closed", "open"])
        self._run(2)
        case = cases.filtered(lambda case: case.state == "open")
        self.assertEqual(case.amount_overdue, 150)
        self.assertEqual(cases.action_ids.partner_id, self.customer, "the proofs of both")

    def test_closed_case_of_a_merge_plans_nothing(self):
        double = self._customer("Double")
        self._invoice(self.customer, 100, due=0)
        self._invoice(double, 50, due=0)
        for day in (1, 7, 15):
            self._run(day)
        closed = self._case(double)
        call = closed.action_ids.filtered(lambda action: action.state == "planned")
        self.assertEqual(call.channel, "call")
        self.assertTrue(call.activity_id)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | double).ids, self.customer)
        self.assertEqual((closed.state, closed.close_reason), ("closed", "cancelled"))
        self.assertEqual(call.state, "cancelled")
        self.assertFalse(call.activity_id)
        self.assertFalse(closed.next_action_date)
