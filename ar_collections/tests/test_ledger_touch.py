from contextlib import closing, contextmanager
from unittest.mock import patch

from odoo import Command, api
from odoo.modules.registry import Registry
from odoo.tests import tagged
from odoo.tests.common import get_db_name

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestLedgerTouch(CollectionsCommon):
    """Within a transaction a touched customer is followed once, and nobody sees an old figure."""

    @contextmanager
    def _counted(self):
        """The customers of each refresh of credit files while the block lasts."""
        model = self.registry["ar.credit.refresh"]
        refresh, calls = model._refresh_figures, []

        def counted(records, companies, date, partners=None):
            calls.append(partners)
            return refresh(records, companies, date, partners)

        with patch.object(model, "_refresh_figures", counted):
            yield calls

    def _stored(self, partner):
        """What the table holds, as another transaction sees it after a commit."""
        self.env.cr.execute(
            "SELECT open_amount::float8 FROM ar_credit_file WHERE partner_id = %s", [partner.id]
        )
        return [amount for (amount,) in self.env.cr.fetchall()]

    def _case(self, amount=100):
        move = self._invoice(self.customer, amount, due=-10)
        self._run(0)
        case = self.env["ar.collection.case"].search([("partner_id", "=", self.customer.id)])
        return move, case

    def test_posting_and_paying_refreshes_once(self):
        other = self._customer("Other")
        moves = self._invoice(self.customer, 100, due=-10, post=False)
        moves |= self._invoice(other, 50, due=-10, post=False)
        self.env.cr.flush()
        with self._counted() as calls:
            moves.action_post()
            self._pay(moves[0], 40)
            self._pay(moves[0], 10)
            self._pay(moves[1])
            self.assertFalse(calls)
            self.env.cr.flush()
        self.assertEqual(calls, [self.customer | other])
        self.assertEqual((self._stored(self.customer), self._stored(other)), ([50.0], [0.0]))

    def test_fields_that_were_read_before(self):
        move, case = self._case()
        file = case.file_id
        self.assertEqual((file.open_amount, case.amount_overdue, case.state), (100, 100, "open"))
        self._pay(move, 30)
        self.assertEqual(file.open_amount, 70)
        self.assertEqual(case.amount_overdue, 70)
        self._pay(move)
        self.assertEqual((case.state, case.close_reason), ("closed", "paid"))
        self.assertEqual(file.open_amount, 0)

    def test_search_and_groups(self):
        move, case = self._case()
        files, cases = self.env["ar.credit.file"], self.env["ar.collection.case"]
        mine = [("partner_id", "=", self.customer.id)]
        self._pay(move, 30)
        self.assertTrue(files.search_count([*mine, ("open_amount", "=", 70)]))
        self._pay(move, 20)
        self.assertEqual(files._read_group(mine, [], ["open_amount:sum"]), [(50,)])
        self._pay(move, 20)
        self.assertEqual(cases._read_group(mine, [], ["amount_overdue:sum"]), [(30,)])
        self._pay(move, 20)
        self.assertEqual(files.search_read(mine, ["open_amount"])[0]["open_amount"], 10)
        self.assertTrue(
            self.env["res.partner"].search_count(
                [("amount_overdue", "=", 10), ("id", "=", self.customer.id)]
            )
        )
        self._pay(move)
        self.assertFalse(cases.search([*mine, ("state", "!=", "closed")]))

    def test_fields_of_the_customer(self):
        move, _case = self._case()
        self.assertEqual(self.customer.amount_overdue, 100)
        self._pay(move, 30)
        self.assertEqual(self.customer.amount_overdue, 70)

    def test_statements_that_flush_first(self):
        move, case = self._case()
        self._pay(move, 30)
        self.env["ar.credit.file"].flush_model(["open_amount"])
        self.assertEqual(self._stored(self.customer), [70.0])
        self._pay(move, 30)
        case.file_id.flush_recordset()
        self.assertEqual(self._stored(self.customer), [40.0])

    def test_control_sees_what_was_just_posted(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.grade_id.write({"on_limit": "block"})
        file.write({"limit_mode": "custom", "custom_limit": 150})
        self._invoice(self.customer, 100, due=30)
        decision = self.env["ar.credit.control"]._decide(
            self.customer, self.company, 60, self.today
        )
        self.assertTrue(decision.stops)

    def test_promise_is_judged_before_it_is_read(self):
        move, case = self._case()
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 100,
                "date": self._day(5),
            }
        )
        self.assertEqual((promise.state, case.amount_promised), ("open", 100))
        payment = self._pay(move)
        self.assertEqual(promise.state, "kept")
        self._bounce(payment)
        self.assertEqual((promise.state, case.state), ("open", "open"))

    def test_rollback_to_savepoint(self):
        move, case = self._case()
        savepoint = self.env.cr.savepoint()
        with closing(savepoint):
            self._pay(move)
            self.assertEqual(case.state, "closed")
            savepoint.rollback()
        self.assertEqual((case.state, case.file_id.open_amount), ("open", 100))
        self._pay(move, 30)
        savepoint = self.env.cr.savepoint()
        with closing(savepoint):
            self._pay(move)
            savepoint.rollback()
        self.env.cr.flush()
        self.assertEqual(self._stored(self.customer), [70.0])

    def test_hold_by_rule_at_the_commit(self):
        file = self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)
        file.grade_id.write({"hold_by_rule": True, "hold_days": 5, "hold_amount": 10})
        move, _case = self._case()
        self.assertTrue(file.hold)
        self._pay(move)
        self.env.cr.flush()
        self.env.cr.execute("SELECT hold FROM ar_credit_file WHERE id = %s", [file.id])
        self.assertEqual(self.env.cr.fetchall(), [(False,)])

    def test_values_written_meanwhile_stay(self):
        move, case = self._case()
        case.file_id.limit_reason = "Known for years"
        self._pay(move, 30)
        case.file_id.dispute_days = 7
        self.assertRecordValues(
            case.file_id,
            [{"limit_reason": "Known for years", "dispute_days": 7, "open_amount": 70}],
        )

    def test_another_transaction(self):
        """What one transaction commits is fresh for the next one."""
        registry = Registry(get_db_name())
        with registry.cursor() as probe:
            if (
                not api.Environment(probe, self.env.uid, {})["res.company"]
                .browse(self.company.id)
                .exists()
            ):
                self.skipTest("The company of the tests is in this transaction alone.")
        context = {**self.env.context, "tracking_disable": True}
        with registry.cursor() as cr:
            env = api.Environment(cr, self.env.uid, context)
            customer = env["res.partner"].create({"name": "Committed", "is_company": True})
            move = env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "company_id": self.company.id,
                    "partner_id": customer.id,
                    "invoice_date": self._day(-40),
                    "invoice_date_due": self._day(-10),
                    "invoice_payment_term_id": False,
                    "invoice_line_ids": [
                        Command.create({"name": "Goods", "price_unit": 100, "tax_ids": False})
                    ],
                }
            )
            move.action_post()
            with registry.cursor() as other:
                files = api.Environment(other, self.env.uid, context)["ar.credit.file"]
                self.assertFalse(files.search([("partner_id", "=", customer.id)]))
            # What others see is what this is about.
            env.cr.commit()
            try:
                with registry.cursor() as other:
                    files = api.Environment(other, self.env.uid, context)["ar.credit.file"]
                    file = files.search([("partner_id", "=", customer.id)])
                    self.assertEqual(file.open_amount, 100)
            finally:
                move.button_draft()
                move.with_context(force_delete=True).unlink()
                env["ar.credit.file"].sudo().search(
                    [("partner_id", "=", customer.id)]
                ).history_ids.sudo().unlink()
                env["ar.credit.file"].sudo().search([("partner_id", "=", customer.id)]).unlink()
                customer.unlink()
