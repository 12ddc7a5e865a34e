import io
import zipfile

from hypothesis import HealthCheck, given, settings, strategies as st
from openpyxl import load_workbook
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger
from odoo.tools.pdf import PdfFileReader

from ..models.outside.placement_bundle import clean_name
from .common import CollectionsCommon


class TestPlacement(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.setup_other_currency("EUR")
        cls.stages.update(
            {
                kind: cls.env["ar.collection.stage"].create(
                    {"name": kind, "kind": kind, "sequence": sequence, "hold_credit": True}
                )
                for kind, sequence in (("agency", 8), ("legal", 9))
            }
        )
        cls.agent = cls._customer("Inkasso")
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.collector, cls.manager, cls.auditor = (
            new_test_user(
                cls.env,
                f"place_{group}",
                f"base.group_user,ar_collections.group_{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in ("collector", "credit_manager", "auditor")
        )

    def _draft(self, **values):
        action = self.case.with_user(self.collector).action_placement()
        placement = self.env["ar.placement"].browse(action["res_id"])
        placement.write({"agent_id": self.agent.id, "commission_rate": 0.25, **values})
        return placement

    def _placed(self, **values):
        placement = self._draft(**values)
        placement.with_user(self.manager).action_place()
        return placement

    # The way

    def test_hand_over(self):
        self.case.action_ids.filtered(lambda action: action.state == "planned")
        placement = self._placed()
        self.assertRecordValues(
            placement,
            [
                {
                    "state": "placed",
                    "date": self.today,
                    "case_id": self.case.id,
                    "amount": 1000,
                    "amount_recovered": 0,
                    "amount_open": 1000,
                }
            ],
        )
        self.assertEqual(self.case.stage_id, self.stages["agency"])
        self.assertTrue(self.case.credit_hold)
        self.assertNotIn("planned", self.case.action_ids.mapped("state"))
        self.assertIn("Inkasso", self.case.message_ids[0].body)

    def _merge_double(self):
        double = self._customer("Double")
        self._invoice(double, 500, due=-16)
        self._run(1)
        case = self.env["ar.collection.case"].search([("partner_id", "=", double.id)])
        merge = self.env["base.partner.merge.automatic.wizard"]._merge
        return case, lambda: merge((double | self.customer).ids, self.customer)

    def test_merged_customer_stays_with_its_agency(self):
        case, merge = self._merge_double()
        sheet = self.env["ar.legal.decision"].browse(case.action_legal_decision()["res_id"])
        placement = self.env["ar.placement"].browse(
            case.with_user(self.collector).action_placement()["res_id"]
        )
        placement.agent_id = self.agent
        placement.with_user(self.manager).action_place()
        merge()
        self.env.invalidate_all()
        self.assertEqual(case.state, "closed")
        for record in (placement, sheet):
            self.assertRecordValues(
                record,
                [
                    {
                        "partner_id": self.customer.id,
                        "file_id": self.case.file_id.id,
                        "case_id": self.case.id,
                    }
                ],
            )
        self.assertEqual(placement.amount_open, 500)

    def test_lawyer_means_legal(self):
        self._placed(kind="lawyer")
        self.assertEqual(self.case.stage_id, self.stages["legal"])

    def test_case_sends_nothing_while_placed(self):
        placement = self._placed()
        before = self.case.action_ids
        for day in (10, 44, 60):
            self._run(day)
        self.assertEqual(self.case.action_ids, before)
        self.assertEqual(self.case.waiting_for, "placed")
        placement.with_user(self.manager).action_withdraw()
        self.assertFalse(self.case.waiting_for)
        self._run(63)
        self.assertGreater(len(self.case.action_ids), len(before))
        self.assertEqual((placement.state, placement.result), ("withdrawn", "recalled"))

    def test_proof_is_asked_for_here_too(self):
        self.case.stage_id.exit_visits = 1
        with self.assertRaisesRegex(UserError, "1 × Visit"):
            self._placed()
        self.assertNotIn("placed", self.case.placement_ids.mapped("state"))

    def test_one_at_a_time(self):
        self._placed()
        second = self.env["ar.placement"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "agent_id": self.agent.id,
            }
        )
        with self.assertRaises(UserError):
            second.with_user(self.manager).action_place()
        self.assertEqual(self.case.action_placement()["res_id"], max(self.case.placement_ids.ids))

    def test_only_what_may_be_followed_up_is_placed(self):
        kept_back = self._invoice(self.customer, 70, due=-20)
        kept_back.line_ids.no_followup = True
        self._invoice(self.customer, 80, due=20)
        late = self._invoice(self.customer, 90, due=-1)
        placement = self._draft()
        self.assertEqual(placement.item_ids.move_line_id.move_id, self.invoice | late)
        self.assertEqual(placement.amount, 1090)

    def test_only_trade_receivables_are_placed(self):
        loan = self._non_trade(self.customer, 55, day=-40)
        placement = self._draft()
        self.assertEqual(placement.item_ids.move_line_id.move_id, self.invoice)
        with self.assertRaisesRegex(ValidationError, "open item"):
            placement.item_ids = [Command.create({"move_line_id": loan.id, "amount": 55})]

    def _placed_after(self):
        """A placement that payment ended, and another one of the same case that runs."""
        self.stages["agency"].hold_credit = False
        first = self._placed()
        other = self._invoice(self.customer, 50, due=-3)
        self._run(1)
        payment = self._pay(self.invoice)
        self.assertEqual((first.state, self.case.state), ("closed", "open"))
        second = self._placed(agent_id=self._customer("Another Agency").id)
        self.assertEqual(second.item_ids.move_line_id.move_id, other)
        return first, second, payment

    def test_undone_payment_leaves_it_to_the_agency_that_works(self):
        first, second, payment = self._placed_after()
        payment.action_draft()
        self.assertEqual((first.state, second.state), ("closed", "placed"))
        second.with_user(self.manager).action_withdraw()
        # What a manager ended stays ended; the ledger starts again what the ledger ended.
        self.invoice.line_ids.remove_move_reconcile()
        self._pay(self.invoice, day=4)
        self.invoice.line_ids.remove_move_reconcile()
        self.assertEqual((first.state, second.state), ("placed", "withdrawn"))

    def test_payments_undone_together_start_one_agency(self):
        first, second, payment = self._placed_after()
        last = self._pay(second.item_ids.move_line_id.move_id)
        self.assertEqual((first.state, second.state), ("closed", "closed"))
        (payment | last).move_id.line_ids.remove_move_reconcile()
        self.assertEqual(sorted((first | second).mapped("state")), ["closed", "placed"])
        self.assertEqual(second.state, "placed", "the last that worked on it")

    def test_items_are_those_of_the_day(self):
        placement = self._draft()
        other = self._invoice(self.customer, 50, due=-3)
        self._pay(self.invoice, 400)
        placement.with_user(self.manager).action_place()
        self.assertEqual(placement.item_ids.move_line_id.move_id, self.invoice)
        self.assertEqual((placement.amount, placement.amount_recovered), (600, 0))
        self.assertFalse(other.line_ids & placement.item_ids.move_line_id)
        self._pay(self.invoice, 100, day=2)
        placement.invalidate_recordset()
        self.assertEqual((placement.amount, placement.amount_recovered), (600, 100))

    def test_nothing_left_to_place(self):
        placement = self._draft()
        self._invoice(self.customer, 50, due=-3)
        self._run(1)
        self._pay(self.invoice)
        with self.assertRaises(UserError):
            placement.with_user(self.manager).action_place()

    def test_what_a_placement_needs(self):
        placement = self._draft(agent_id=False).with_user(self.manager)
        with self.assertRaisesRegex(UserError, "Choose the agency"):
            placement.action_place()
        with self.assertRaisesRegex(UserError, "not placed"):
            placement.action_close()
        calm = self._customer("Calm")
        self._invoice(calm, 10, due=20)
        lonely = self.env["ar.placement"].create(
            {"partner_id": calm.id, "company_id": self.company.id, "agent_id": self.agent.id}
        )
        with self.assertRaisesRegex(UserError, "no open case"):
            lonely.with_user(self.manager).action_place()
        placement.action_withdraw()
        self.assertRecordValues(
            placement, [{"state": "withdrawn", "date": False, "date_closed": self.today}]
        )
        with self.assertRaisesRegex(UserError, "is over"):
            placement.action_withdraw()
        with self.assertRaisesRegex(UserError, "handed over"):
            placement.action_place()
        for values in ({"commission_rate": 1.01}, {"commission_rate": -0.01}):
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                placement.sudo().write(values)
                placement.flush_recordset()

    def test_its_own_steps_end_and_what_people_planned_stays(self):
        planned = (
            self.env["ar.collection.action"]
            .sudo()
            .create(
                [
                    {
                        "case_id": self.case.id,
                        "partner_id": self.customer.id,
                        "company_id": self.company.id,
                        "channel": "call",
                        "date_planned": self._day(3),
                        "step_id": step.id,
                    }
                    for step in (self.steps["Call"], self.env["ar.collection.step"])
                ]
            )
        )
        self._placed()
        self.assertEqual(planned.mapped("state"), ["cancelled", "planned"])
        self.assertEqual(self.case.waiting_for, "placed")

    def test_withdrawing_keeps_the_result_that_is_known(self):
        placement = self._placed().with_user(self.manager)
        placement.result = "settled"
        placement.action_withdraw()
        self.assertEqual((placement.state, placement.result), ("withdrawn", "settled"))
        # What a manager has ended the ledger leaves alone.
        self._pay(self.invoice, day=2)
        self.invoice.line_ids.remove_move_reconcile()
        self.assertEqual(placement.state, "withdrawn")

    # What comes back

    def _write_off(self, amount):
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self._day(4),
                "line_ids": [
                    Command.create(
                        {"account_id": account.id, "partner_id": self.customer.id, side: amount}
                    )
                    for account, side in (
                        (self.company_data["default_account_receivable"], "credit"),
                        (self.company_data["default_account_expense"], "debit"),
                    )
                ],
            }
        )
        entry.action_post()
        lines = (self.invoice | entry).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()

    def test_result_that_the_ledger_gives(self):
        placement = self._placed()
        self._pay(self.invoice, 300, day=3)
        self._write_off(700)
        placement.invalidate_recordset()
        self.assertRecordValues(
            placement,
            [
                {
                    "state": "closed",
                    "result": "part",
                    "amount_recovered": 300,
                    "ended_by_ledger": True,
                }
            ],
        )

    def test_nothing_came_at_all(self):
        placement = self._placed()
        self._write_off(1000)
        self.assertEqual((placement.state, placement.result), ("closed", "uncollectable"))
        self.assertEqual((placement.amount_recovered, placement.commission), (0, 0))

    def test_commission_costs_and_net(self):
        placement = self._placed()
        placement.with_user(self.collector).write(
            {
                "cost_ids": [
                    Command.create({"kind": "court", "amount": 30, "date": self.today}),
                    Command.create({"kind": "lawyer", "amount": 20.5, "date": self.today}),
                ]
            }
        )
        self._pay(self.invoice, 300, day=3)
        note = self._invoice(self.customer, 100, due=0, move_type="out_refund")
        lines = (self.invoice | note).line_ids.filtered("date_maturity")
        lines.reconcile()
        placement.invalidate_recordset()
        self.assertRecordValues(
            placement,
            [
                {
                    "amount_recovered": 300,
                    "amount_open": 600,
                    "commission": 75,
                    "amount_costs": 50.5,
                    "amount_net": 174.5,
                }
            ],
        )

    def test_paid_in_full_ends_it_and_undoing_starts_it_again(self):
        placement = self._placed()
        payment = self._pay(self.invoice, day=5)
        self.assertRecordValues(
            placement, [{"state": "closed", "result": "paid", "amount_recovered": 1000}]
        )
        self.assertEqual(self.case.state, "closed")
        self._bounce(payment)
        placement.invalidate_recordset()
        self.assertRecordValues(
            placement, [{"state": "placed", "result": False, "amount_recovered": 0}]
        )
        self.assertEqual(self.case.state, "open")

    def test_our_own_credit_note_earns_nobody_a_commission(self):
        placement = self._placed()
        placement.sudo().commission_rate = 0.2
        note = self._invoice(self.customer, 1000, due=1, move_type="out_refund")
        lines = (self.invoice | note).line_ids
        lines.filtered(lambda line: line.account_type == "asset_receivable").reconcile()
        self.assertRecordValues(
            placement,
            [{"state": "closed", "result": "credited", "amount_recovered": 0, "commission": 0}],
        )

    def test_several_payments_in_one_transaction_end_it(self):
        other = self._invoice(self.customer, 500, due=-30)
        placement = self._placed()
        self.assertEqual(len(placement.item_ids), 2)
        for invoice, amount in ((self.invoice, 400), (self.invoice, 600), (other, 500)):
            self._pay(invoice, amount, day=5)
        self.assertRecordValues(
            placement, [{"state": "closed", "result": "paid", "amount_recovered": 1500}]
        )
        self.invoice.line_ids.remove_move_reconcile()
        self.assertRecordValues(placement, [{"state": "placed", "amount_open": 1000}])

    def test_what_comes_after_the_end_is_not_theirs(self):
        placement = self._placed()
        self._pay(self.invoice, 100, day=0)
        with self.assertRaises(UserError):
            placement.with_user(self.manager).action_close()
        placement.with_user(self.manager).result = "part"
        placement.with_user(self.manager).action_close()
        self._pay(self.invoice, 500, day=5)
        placement.invalidate_recordset()
        self.assertEqual((placement.state, placement.amount_recovered), ("closed", 100))
        self.assertEqual(placement.commission, 25)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(
                st.booleans(), st.integers(100, 99999), st.lists(st.integers(1, 60), max_size=3)
            ),
            min_size=1,
            max_size=3,
        ),
        st.integers(0, 50),
    )
    def test_recovered_against_adding_up(self, invoices, percent):
        """Two currencies: every payment is converted at the rate of the placed item."""
        with self.env.cr.savepoint() as savepoint:
            customer = self._customer("Random")
            moves = [
                self._invoice(
                    customer, cents / 100, due=-20, currency=self.euro if foreign else None
                )
                for foreign, cents, _parts in invoices
            ]
            self._run(0)
            self.env["ar.credit.refresh"]._refresh_figures(self.company, self.today)
            self.env["ar.collection.sync"].sudo()._open_new(self.company, self.today)
            placement = self.env["ar.placement"].create(
                {
                    "partner_id": customer.id,
                    "company_id": self.company.id,
                    "agent_id": self.agent.id,
                    "commission_rate": percent / 100,
                }
            )
            placement.action_place()
            total = recovered = 0
            for (_foreign, cents, parts), move in zip(invoices, moves, strict=True):
                booked = move.line_ids.filtered("date_maturity").balance
                left, paid = cents, 0
                for share in parts:
                    part = min(max(cents * share // 100, 1), left)
                    if part:
                        self._pay(move, part / 100, day=1, currency_id=move.currency_id.id)
                        left, paid = left - part, paid + part
                total += booked
                recovered += booked if not left else round(booked * paid / cents + 1e-9, 2)
            placement.invalidate_recordset()
            self.assertAlmostEqual(placement.amount, total, 2)
            self.assertAlmostEqual(placement.amount_recovered, recovered, delta=0.0101 * len(moves))
            self.assertAlmostEqual(
                placement.commission, placement.amount_recovered * percent / 100, delta=0.00501
            )
            self.assertAlmostEqual(
                placement.amount_net, placement.amount_recovered - placement.commission, 2
            )
            self.assertAlmostEqual(
                placement.amount_open + placement.amount_recovered,
                total,
                delta=0.0101 * len(moves),
            )
            savepoint.rollback()
        self.env.invalidate_all(flush=False)

    # Rights

    def test_manager_decides(self):
        placement = self._draft()
        for name in ("action_place", "action_close", "action_withdraw"):
            with self.assertRaises(AccessError):
                getattr(placement.with_user(self.collector), name)()
        for user in (self.collector, self.manager):
            for values in ({"state": "placed"}, {"date": self.today}, {"bundle_id": 1}):
                with self.assertRaises(AccessError):
                    placement.with_user(user).write(values)
        with self.assertRaises(AccessError):
            placement.with_user(self.auditor).write({"note": "x"})
        with self.assertRaises(AccessError):
            placement.with_user(self.auditor).action_bundle()
        placement.with_user(self.auditor).read(["amount_recovered", "amount_net"])

    def test_other_companies_see_nothing(self):
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        own = {"partner_id": self.customer.id, "company_id": self.company.id}
        reason = self.env.ref("ar_collections.dispute_reason_other").id
        self.env["ar.payment.promise"].create({**own, "amount": 100, "date": self._day(3)})
        plan = self.env["ar.payment.plan"].create(own)
        plan.action_distribute()
        self.env["ar.debt.acknowledgement"].create(own)
        item = self.invoice.line_ids.filtered("date_maturity")
        lines = [Command.create({"move_line_id": item.id, "amount": 10})]
        self.env["ar.dispute"].create({**own, "reason_id": reason, "line_ids": lines})
        placement = self._placed()
        placement.cost_ids = [Command.create({"amount": 5, "date": self.today})]
        placement.report_ids = [Command.create({"note": "Moved away", "date": self.today})]
        self.case.action_legal_decision()
        for number, group in enumerate(("collector", "credit_manager", "auditor")):
            stranger, colleague = (
                new_test_user(
                    self.env,
                    f"seer_{number}_{company.id}",
                    f"base.group_user,ar_collections.group_{group}",
                    company_id=company.id,
                    company_ids=[Command.set(company.ids)],
                )
                for company in (elsewhere, self.company)
            )
            for model in (
                "ar.payment.promise",
                "ar.payment.promise.line",
                "ar.payment.plan",
                "ar.payment.plan.item",
                "ar.payment.plan.line",
                "ar.debt.acknowledgement",
                "ar.debt.acknowledgement.item",
                "ar.dispute",
                "ar.dispute.line",
                "ar.placement",
                "ar.placement.item",
                "ar.placement.cost",
                "ar.placement.report",
                "ar.legal.decision",
                "ar.limitation",
            ):
                with self.subTest(model=model, group=group):
                    mine = [("company_id", "=", self.company.id)]
                    records = self.env[model].search(mine)
                    self.assertTrue(records)
                    self.assertEqual(self.env[model].with_user(colleague).search(mine), records)
                    self.assertFalse(self.env[model].with_user(stranger).search(mine))
                    with self.assertRaises(AccessError):
                        records.with_user(stranger).read(["company_id"])

    def test_terms_are_fixed_once_placed(self):
        self.stages["agency"].hold_credit = False
        placement = self._placed()
        item = placement.item_ids
        late = self._invoice(self.customer, 5, due=-1)
        for change in (
            lambda: placement.with_user(self.manager).write({"commission_rate": 0.1}),
            lambda: placement.with_user(self.manager).write({"agent_id": self.customer.id}),
            lambda: item.with_user(self.manager).write({"amount": 1}),
            lambda: item.with_user(self.manager).unlink(),
            lambda: (
                self.env["ar.placement.item"]
                .with_user(self.manager)
                .create(
                    {
                        "placement_id": placement.id,
                        "move_line_id": late.line_ids.filtered("date_maturity").id,
                        "amount": 5,
                    }
                )
            ),
            lambda: placement.with_user(self.manager).action_place(),
            lambda: placement.unlink(),
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                change()
        placement.with_user(self.collector).write(
            {"report_ids": [Command.create({"note": "Debtor reached", "date": self._day(3)})]}
        )
        self.assertEqual(placement.last_report_date, self._day(3))

    def test_items_are_the_customers(self):
        stranger = self._invoice(self._customer("Stranger"), 10, due=-5)
        placement = self._draft()
        with self.assertRaises(ValidationError):
            placement.item_ids.create(
                {
                    "placement_id": placement.id,
                    "move_line_id": stranger.line_ids.filtered("date_maturity").id,
                    "amount": 10,
                }
            )

    def test_screen(self):
        with Form(self._draft()) as form:
            form.kind = "lawyer"
            with form.cost_ids.new() as cost:
                cost.amount = 70
            with form.report_ids.new() as report:
                report.note = "First letter sent"
        self.assertEqual(self.case.placement_ids.amount_costs, 70)

    # The hand-over file

    def _unzip(self, placement):
        action = placement.with_user(self.collector).action_bundle()
        self.assertIn(f"/web/content/{placement.bundle_id.id}", action["url"])
        return zipfile.ZipFile(io.BytesIO(placement.bundle_id.raw))

    def test_bundle(self):
        self.env["ir.attachment"].create(
            {
                "name": "Delivery: note/7.pdf",
                "raw": b"%PDF signed by the gate",
                "res_model": "account.move",
                "res_id": self.invoice.id,
            }
        )
        paper = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        paper.signed_document_name = "scan.pdf"
        paper.signed_document = "JVBERi0="
        paper.with_user(self.collector).action_signed()
        self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 40,
                "date": self._day(9),
            }
        )
        mail = self.case.action_ids.create(
            {
                "case_id": self.case.id,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "channel": "email",
                "date_planned": self.today,
            }
        )
        message = self.case.message_post(body="Please pay", subject="Überfällig")
        mail.sudo().write(
            {
                "state": "done",
                "outcome": "sent",
                "date_done": self.today,
                "message_id": message.id,
                "note": "Urgent",
            }
        )
        placement = self._draft(note="Be polite")
        bundle = self._unzip(placement)
        names = bundle.namelist()
        self.assertIsNone(bundle.testzip())
        self.assertEqual(len(names), len({name.lower() for name in names}))
        self.assertTrue(names[0].startswith("00 Index."))
        self.assertIn("01 Account.xlsx", names)
        number = self.invoice.name.replace("/", "-")
        invoice = bundle.read(f"Invoices/{number}.pdf")
        self.assertTrue(invoice.startswith(b"%PDF"))
        proof = bundle.read(f"Delivery and other proofs/{number} Delivery- note-7.pdf")
        self.assertEqual(proof, b"%PDF signed by the gate")
        signed = bundle.read(f"Agreements/{paper.name.replace('/', '-')} scan.pdf")
        self.assertEqual(signed, b"%PDF-")
        eml = bundle.read(f"Letters and messages/{self.today} E-mail.eml").decode()
        self.assertIn("Please pay", eml)
        index = bundle.read(names[0]).decode()
        for text in ("Be polite", self.invoice.name, paper.name, "Urgent", "Promise to pay"):
            self.assertIn(text, index)
        book = load_workbook(io.BytesIO(bundle.read("01 Account.xlsx")))
        self.assertEqual(book.sheetnames, ["Items", "Contacts", "Agreements", "Disputes"])
        item = [cell.value for cell in book["Items"][2]]
        self.assertEqual((item[0], item[4]), (self.invoice.name, 1000))
        first = placement.bundle_id
        self._unzip(placement)
        self.assertFalse(first.exists())

    def test_bundle_leaves_out_what_proves_nothing(self):
        own = {"partner_id": self.customer.id, "company_id": self.company.id}
        values = {**own, "amount": 10, "date": self._day(3)}
        mistake = self.env["ar.payment.promise"].create(values)
        mistake.sudo().write({"state": "cancelled", "date_closed": self.today})
        promise = self.env["ar.payment.promise"].create(values)
        self.env["ar.payment.plan"].create(own)
        self.env["ar.debt.acknowledgement"].create(own)
        stranger = self._customer("Stranger")
        self._invoice(stranger, 10, due=-5)
        self.env["ar.payment.promise"].create(
            {**own, "partner_id": stranger.id, "amount": 10, "date": self._day(3)}
        )
        call = {**own, "case_id": self.case.id, "channel": "call", "date_planned": self._day(3)}
        planned, done = self.env["ar.collection.action"].create([call, call])
        done.sudo().write({"state": "done", "date_done": self.today, "outcome": "reached"})
        placement = self._draft()
        proofs = self.env["ar.placement.bundle"]._get_proofs(placement)
        self.assertEqual(proofs["promises"], promise)
        self.assertIn(done, proofs["actions"])
        self.assertNotIn(planned, proofs["actions"])
        self.assertFalse(proofs["plans"])
        self.assertFalse(proofs["acknowledgements"])
        self.assertFalse(proofs["disputes"])

    def test_index_is_a_real_pdf(self):
        placement = self._draft()
        report = self.env["ir.actions.report"].with_context(force_report_rendering=True)
        content, extension = report._render("ar_collections.report_placement_index", placement.ids)
        self.assertEqual(extension, "pdf")
        self.assertGreaterEqual(len(PdfFileReader(io.BytesIO(content)).pages), 1)

    def test_bundle_costs_the_same_for_many_items(self):
        def cost(number):
            customer = self._customer(f"Bundle {number}")
            for _index in range(number):
                self._invoice(customer, 10, due=-20)
            self._run(number)
            placement = self.env["ar.placement"].create(
                {"partner_id": customer.id, "company_id": self.company.id}
            )
            self.assertEqual(len(placement.item_ids), number)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            bundle = self.env["ar.placement.bundle"]
            proofs = bundle._get_proofs(placement)
            bundle._make_workbook(placement, proofs)
            bundle._get_message_files(proofs)
            bundle._get_signed_files(proofs)
            bundle._get_proof_files(placement, proofs)
            self.env["ir.actions.report"]._render_qweb_html(
                "ar_collections.report_placement_index", placement.ids
            )
            return self.env.cr.sql_log_count - before

        cost(2)
        few = cost(3)
        self.assertLessEqual(cost(30), few + 2)

    def test_file_names(self):
        self.assertEqual(clean_name("INV/2030/0001.pdf"), "INV-2030-0001.pdf")
        self.assertEqual(clean_name("../../etc/passwd"), "etc-passwd")
        self.assertEqual(clean_name("催款函: 1.pdf"), "催款函- 1.pdf")
        self.assertEqual(clean_name("A.pdf", {"a.PDF"}), "A (2).pdf")
        self.assertEqual(clean_name("A.pdf", {"a.pdf", "a (2).pdf"}), "A (3).pdf")
        self.assertEqual(clean_name("A.xhtml", {"a.xhtml"}), "A (2).xhtml")
        self.assertEqual(clean_name("A.folder", {"a.folder"}), "A.folder (2)")
        self.assertEqual(clean_name("///"), "file")
        self.assertLessEqual(len(clean_name("x" * 300 + ".pdf")), 94)
