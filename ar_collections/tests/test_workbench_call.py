from contextlib import contextmanager
from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon


class TestCall(CollectionsCommon):
    """What is said on the telephone, and what each excuse starts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.invoice = cls._invoice(cls.customer, 1000, due=-16)
        cls.other = cls._invoice(cls.customer, 500, due=-10)
        cls._run(0)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.file = cls.case.file_id
        cls.boss, cls.clerk = cls.env["res.partner"].create(
            [
                {"name": name, "parent_id": cls.customer.id, "email": f"{name.lower()}@example.com"}
                for name in ("Boss", "Clerk")
            ]
        )
        cls.file.decision_maker_id = cls.boss
        cls.collector = new_test_user(
            cls.env,
            "call_collector",
            "base.group_user,ar_collections.group_collector",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.case.collector_id = cls.collector

    def _call(self, excuse=None, outcome="reached", done=True, **values):
        """A call of the collector, logged as the dialog does it."""
        context = self.case.with_user(self.collector).action_log_call()["context"]
        call = (
            self.env["ar.collection.action"]
            .with_user(self.collector)
            .with_context(**context)
            .create(
                {
                    "outcome": outcome,
                    "excuse_id": excuse and self.env.ref(f"ar_collections.excuse_{excuse}").id,
                    "contact_id": self.clerk.id,
                    **values,
                }
            )
        )
        if done:
            call.action_done()
        return call

    def _planned(self, channel="call"):
        return self.case.action_ids.filtered(
            lambda action: (
                action.state == "planned" and not action.step_id and action.channel == channel
            )
        )

    def _tasks(self):
        self.case.invalidate_recordset(["activity_ids"])
        return self.case.activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id == self.env.ref("ar_collections.activity_task")
            )
        )

    def _line(self, invoice=None):
        return (invoice or self.invoice).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    @contextmanager
    def _refused(self, text):
        with self.assertRaisesRegex(UserError, text), self.env.cr.savepoint():
            yield

    # The call itself

    def test_preparation(self):
        self.customer.property_payment_term_id = self.env.ref("account.account_payment_term_30days")
        self._call("away", other_contact_id=self.clerk.id, note="Back on Friday")
        self._call(promise_amount=300, promise_date=self._day(4))
        call = self._call(done=False)
        self.assertIn("Boss", call.prepare_contacts)
        self.assertIn("Decides", call.prepare_contacts)
        self.assertIn("Clerk", call.prepare_contacts)  # the deputy just stored
        self.assertIn("30 Days", call.prepare_contacts)
        self.assertIn("Back on Friday", call.prepare_history)
        self.assertIn("The boss or the head of finance is away", call.prepare_history)
        self.assertIn("300", call.prepare_history)
        self.assertEqual(
            call.case_item_ids, self._line() | self._line(self.other), "what the call is about"
        )

    def test_history_is_of_talks_alone(self):
        self._call(note="Asked for a copy")
        letter = self.env["ar.collection.action"].create(
            {
                "case_id": self.case.id,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "channel": "letter",
                "date_planned": self.today,
                "note": "Written, not said",
            }
        )
        letter.sudo().write({"state": "done", "date_done": self.today, "outcome": "posted"})
        history = self._call(done=False).prepare_history
        self.assertIn("Asked for a copy", history)
        self.assertNotIn("Written, not said", history)

    def test_items_of_a_branch_that_the_collector_does_not_see(self):
        self._invoice(self.customer, 200, due=-20, company=self.branch)
        self._run(1)
        self.assertEqual(self.case.amount_overdue, 1700)
        fields_spec = {"fields": {"move_name": {}, "amount_residual": {}}}
        case = self.case.with_user(self.collector)
        (values,) = case.web_read({"open_item_ids": fields_spec})
        self.assertEqual(len(values["open_item_ids"]), 2)
        call = self._call(done=False)
        (values,) = call.web_read({"case_item_ids": fields_spec})
        self.assertEqual(len(values["case_item_ids"]), 2)
        self.collector.company_ids |= self.branch
        both = case.with_context(allowed_company_ids=(self.company | self.branch).ids)
        (values,) = both.web_read({"open_item_ids": fields_spec})
        self.assertEqual(len(values["open_item_ids"]), 3)

    def test_script_has_live_figures_in_the_customers_language(self):
        call = self._call("customer_unpaid", done=False)
        self.assertIn("1,500.00", call.excuse_script)
        self._pay(self.other)
        call.invalidate_recordset()
        self.assertIn("1,000.00", call.excuse_script)
        self.customer.lang = "zh_CN"
        excuse = call.excuse_id.with_env(self.env)
        excuse.with_context(lang="zh_CN").script = "贵方欠款 $amount，最早 $oldest_due。"
        call.invalidate_recordset()
        self.assertIn("贵方欠款", call.excuse_script)
        self.assertIn("1,000.00", call.excuse_script)
        self.assertNotIn("$", call.excuse_script.replace("$\xa0", ""))

    def test_script_survives_a_stray_dollar(self):
        excuse = self.env.ref("ar_collections.excuse_paid")
        excuse.script = "Pay $amount or 5 $ now, $unknown"
        call = self._call("paid", done=False)
        self.assertIn("$unknown", call.excuse_script)
        self.assertIn("1,500.00", call.excuse_script)

    def test_log(self):
        call = self._call(note="Will look into it", duration=7)
        self.assertRecordValues(
            call,
            [
                {
                    "state": "done",
                    "date_done": self.today,
                    "outcome": "reached",
                    "duration": 7,
                    "contact_id": self.clerk.id,
                    "amount": 1500,
                }
            ],
        )
        self.assertEqual(sorted(call.item_ids.mapped("residual")), [500, 1000])
        self.assertEqual(self.file.last_contact_date, self.today)

    def test_call_back_needs_a_day(self):
        with self._refused("day on which you call again"):
            self._call(outcome="call_back")
        self._call(outcome="call_back", call_again_date=self._day(3))
        self.assertRecordValues(
            self._planned(), [{"date_planned": self._day(3), "user_id": self.collector.id}]
        )

    def test_nobody_reached_starts_nothing(self):
        self._call("trouble", outcome="no_answer")
        self.assertFalse(self.case.plan_ids)
        self.assertFalse(self.file.hold)

    def test_promise_without_excuse(self):
        call = self._call(promise_amount=600, promise_date=self._day(5))
        self.assertRecordValues(
            self.case.promise_ids,
            [
                {
                    "amount": 600,
                    "date": self._day(5),
                    "action_id": call.id,
                    "contact_id": self.clerk.id,
                    "state": "open",
                }
            ],
        )

    def test_promise_of_a_customer_in_another_currency(self):
        euro = self.setup_other_currency("EUR")
        foreign = self._customer("Foreign")
        self._invoice(foreign, 300, due=-16, currency=euro)
        self._run(1)
        self.case = self._case(foreign)
        self._call(promise_amount=200, promise_date=self._day(4), contact_id=False)
        self.assertRecordValues(
            self.case.promise_ids, [{"currency_id": euro.id, "amount": 200, "state": "open"}]
        )

    def test_promise_needs_day_and_amount(self):
        with self.assertRaises(ValidationError):
            self._call(promise_amount=600)

    def test_done_once(self):
        call = self._call("customer_unpaid", promise_amount=100, promise_date=self._day(2))
        with self.assertRaises(UserError):
            call.action_done()
        self.assertEqual(len(self.case.promise_ids), 1)

    def test_what_was_said_stays(self):
        call = self._call()
        for values in (
            {"channel": "letter"},
            {"outcome": "no_answer"},
            {"contact_id": self.boss.id},
            {"excuse_id": self.env.ref("ar_collections.excuse_paid").id},
        ):
            with self._refused("stays as it was"):
                call.write(values)
        call.write({"note": "He will look into it", "duration": 4})

    def test_excuse_needs_a_case(self):
        call = self.env["ar.collection.action"].create(
            {
                "company_id": self.company.id,
                "partner_id": self.customer.id,
                "channel": "call",
                "date_planned": self.today,
                "outcome": "reached",
                "excuse_id": self.env.ref("ar_collections.excuse_paid").id,
                "paid_date": self.today,
                "paid_amount": 5,
            }
        )
        with self.assertRaisesRegex(UserError, "belongs to a call on a case"):
            call.action_done()

    def test_form_shows_what_the_excuse_asks_for(self):
        context = self.case.with_user(self.collector).action_log_call()["context"]
        view = "ar_collections.ar_collection_action_view_form_log"
        actions = self.env["ar.collection.action"].with_user(self.collector)
        with Form(actions.with_context(**context), view=view) as form:
            form.outcome = "reached"
            form.excuse_id = self.env.ref("ar_collections.excuse_quality")
            self.assertEqual(
                form.dispute_reason_id, self.env.ref("ar_collections.dispute_reason_quality")
            )
            self.assertTrue(form.excuse_script)
            form.disputed_item_ids.add(self._line())
            form.note = "Scratches on ten pieces"
        form.record.action_done()
        self.assertEqual(self.case.dispute_ids.amount, 1000)

    # The ten excuses

    def test_customer_unpaid_promises(self):
        self._call("customer_unpaid", promise_amount=1500, promise_date=self._day(7))
        self.assertEqual(self.case.promise_ids.amount, 1500)
        self.assertEqual(self.case.stage_id, self.stages["phone"], "stays where it is")
        self.assertEqual(self.case.amount_demand, 0)

    def test_customer_unpaid_without_promise_is_the_next_stage(self):
        self.case.stage_id = self.stages["reminder"]
        self._call("customer_unpaid")
        self.assertEqual(self.case.stage_id, self.stages["phone"])
        self._call("customer_unpaid")
        self.assertEqual(self.case.stage_id, self.stages["final"])
        self.assertTrue(self.file.hold, "as the stage asks for")
        self._call("customer_unpaid")
        self.assertEqual(self.case.stage_id, self.stages["final"])
        self.assertIn("Decide on the next stage", self._tasks().note)

    def test_hand_over_is_decided_by_a_person(self):
        self.case.stage_id = self.stages["final"]
        self.env["ar.collection.stage"].create({"name": "Agency", "kind": "agency", "sequence": 50})
        self._call("customer_unpaid")
        self.assertEqual(self.case.stage_id, self.stages["final"])
        self.assertEqual(len(self._tasks()), 1)

    def test_unsold_opens_a_credit_review(self):
        with self._refused("ask for"):
            self._call("unsold")
        self._call("unsold", note="A third of last year")
        review = self.file.review_ids.filtered(lambda review: review.reason == "excuse")
        self.assertEqual(len(review), 1)
        self.assertIn("A third of last year", review.reason_note)

    def test_quality_in_time_stops_the_dunning_of_its_part(self):
        self.company.ar_dispute_days = 60
        self._call("quality", disputed_item_ids=self._line().ids, note="Scratches")
        dispute = self.case.dispute_ids
        self.assertRecordValues(
            dispute,
            [
                {
                    "amount": 1000,
                    "in_window": True,
                    "description": "Scratches",
                    "contact_id": self.clerk.id,
                    "reason_id": self.env.ref("ar_collections.dispute_reason_quality").id,
                }
            ],
        )
        self.assertEqual(self.case.amount_demand, 500)

    def test_quality_too_late_stops_nothing(self):
        self.company.ar_dispute_days = 15
        self._call("quality", disputed_item_ids=self._line().ids)
        self.assertFalse(self.case.dispute_ids.in_window)
        self.assertEqual(self.case.amount_demand, 1500)

    def test_quality_twice(self):
        self._call("quality", disputed_item_ids=self._line().ids)
        with self._refused("in dispute already"):
            self._call("quality", disputed_item_ids=self._line().ids)

    def test_items_of_others(self):
        stranger = self._invoice(self._customer("Stranger"), 50, due=-5)
        with self.assertRaises(ValidationError):
            self._call("quality", disputed_item_ids=self._line(stranger).ids)
        with self.assertRaises(ValidationError):
            self._call("order_number", order_number="PO 7", invoice_ids=stranger.ids)

    def test_only_invoices_of_the_company_are_sent_again(self):
        other = self.setup_other_company()["company"]
        foreign = (
            self.env["account.move"]
            .with_company(other)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "invoice_date": self._day(-30),
                    "invoice_line_ids": [
                        Command.create({"name": "Goods", "price_unit": 10, "tax_ids": []})
                    ],
                }
            )
        )
        foreign.action_post()
        self.collector.company_ids += other
        for document in (
            self._invoice(self.customer, 70, due=-3, post=False),
            self._invoice(self.customer, 70, due=-3, move_type="in_invoice"),
            foreign,
        ):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self._call("order_number", order_number="PO 9", invoice_ids=document.ids)
            self.assertNotEqual(document.ref, "PO 9")

    def test_away_stores_the_deputy_and_calls_in_two_days(self):
        with self._refused("Deputy"):
            self._call("away")
        self._call("away", other_contact_id=self.clerk.id)
        self.assertEqual(self.file.deputy_id, self.clerk)
        self.assertRecordValues(
            self._planned(),
            [
                {
                    "contact_id": self.clerk.id,
                    "date_planned": self._day(2),
                    "user_id": self.collector.id,
                }
            ],
        )
        self.assertTrue(self._planned().activity_id)

    def test_away_with_a_deputy_whom_nobody_knew(self):
        self.assertFalse(self.collector.has_group("base.group_partner_manager"))
        call = self._call("away", other_name="Deputy", other_phone="+1 555 0177")
        deputy = self.file.deputy_id
        self.assertRecordValues(
            deputy,
            [{"name": "Deputy", "phone": "+1 555 0177", "parent_id": self.customer.id}],
        )
        self.assertEqual(call.other_contact_id, deputy)
        self.assertEqual(self._planned().contact_id, deputy)
        self.assertEqual(self._planned().phone, "+1 555 0177")

    def test_phone_of_a_contact_is_completed_and_not_overwritten(self):
        self._call("away", other_contact_id=self.clerk.id, other_phone="+1 555 0188")
        self.assertEqual(self.clerk.phone, "+1 555 0188")
        self._call("away", other_contact_id=self.clerk.id, other_phone="+1 555 0199")
        self.assertEqual(self.clerk.phone, "+1 555 0188")

    def test_two_working_days_over_the_weekend(self):
        company = self.company
        friday = self._day(4)
        self.assertEqual(company._ar_working_day(friday, 1), self._day(7))
        self.assertEqual(company._ar_working_day(friday, 2), self._day(8))

    def test_two_days_are_working_days(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Holiday",
                "company_id": self.company.id,
                "date_from": self._day(2),
                "date_to": self._day(3) - timedelta(seconds=1),
                "time_type": "leave",
            }
        )
        self._call("away", other_contact_id=self.clerk.id)
        self.assertEqual(self._planned().date_planned, self._day(3))

    def test_training_is_no_holiday(self):
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Training",
                "company_id": self.company.id,
                "date_from": self._day(2),
                "date_to": self._day(3) - timedelta(seconds=1),
                "time_type": "other",
            }
        )
        self._call("away", other_contact_id=self.clerk.id)
        self.assertEqual(self._planned().date_planned, self._day(2))

    def test_company_says_when_to_call_again(self):
        self.company.ar_recall_days = 4
        self._call("away", other_contact_id=self.clerk.id)
        self.assertEqual(self._planned().date_planned, self._day(4))

    def test_company_says_how_far_to_search(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 1000,
                "date": self._day(-8),
            }
        )
        payment.action_post()
        call = self._call("paid", paid_amount=1000, paid_date=self._day(-2), done=False)
        self.assertEqual(call.match_ids.sudo().move_id, payment.move_id)
        for days, found in ((6, True), (5, False)):
            self.company.ar_payment_match_days = days
            call.invalidate_recordset(["match_ids"])
            self.assertEqual(bool(call.match_ids), found, days)

    def test_paid_finds_the_payment(self):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 1000,
                "date": self._day(-3),
                "memo": "TR-4711",
            }
        )
        payment.action_post()
        call = self._call(
            "paid",
            paid_amount=1000,
            paid_date=self._day(-2),
            paid_reference="tr-4711",
            done=False,
        )
        found = call.match_ids.sudo()
        self.assertEqual(found.move_id, payment.move_id)
        call.action_done()
        self.assertIn(payment.move_id.name, self._tasks().note)
        self.assertRecordValues(self._planned(), [{"date_planned": self._day(2)}])
        self.assertIn("TR-4711".lower(), self._planned().note)

    def test_paid_finds_the_bank_line_of_nobody(self):
        journal = self.company_data["default_journal_bank"]
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": journal.id,
                "payment_ref": "Unknown sender",
                "amount": 1000,
                "date": self._day(-1),
            }
        )
        call = self._call("paid", paid_amount=1000, paid_date=self._day(-1), done=False)
        self.assertEqual(call.match_ids.sudo().move_id, line.move_id)

    def test_paid_finds_the_bank_line_of_the_customer(self):
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "payment_ref": "Transfer",
                "partner_id": self.customer.id,
                "amount": 500,
                "date": self._day(-4),
            }
        )
        call = self._call("paid", paid_amount=500, paid_date=self._day(-1), done=False)
        self.assertEqual(call.match_ids.sudo().move_id, line.move_id)

    def test_what_we_paid_is_not_what_the_customer_paid(self):
        self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company_data["default_journal_bank"].id,
                "payment_ref": "Rent",
                "amount": -1000,
                "date": self._day(-1),
            }
        )
        call = self._call("paid", paid_amount=1000, paid_date=self._day(-1), done=False)
        self.assertFalse(call.match_ids)

    def test_paid_in_another_currency(self):
        currency = self.setup_other_currency("EUR")
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 321,
                "currency_id": currency.id,
                "date": self._day(-1),
            }
        )
        payment.action_post()
        call = self._call("paid", paid_amount=321, paid_date=self._day(-1), done=False)
        self.assertEqual(call.match_ids.sudo().move_id, payment.move_id)

    def test_paid_by_reference_and_not_by_others(self):
        """Another amount with the reference comes after the right amount; others' never."""
        stranger = self._customer("Stranger")
        payments = self.env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": partner.id,
                    "amount": amount,
                    "date": self._day(day),
                    "memo": memo,
                }
                for partner, amount, day, memo in (
                    (self.customer, 640, -2, "Transfer TR-9"),
                    (self.customer, 700, -3, "Other"),
                    (stranger, 700, -2, "TR-9"),
                    (self.customer, 700, -40, "Too early"),
                    (self.customer, 55, -2, "Nothing alike"),
                )
            ]
        )
        payments.action_post()
        call = self._call(
            "paid", paid_amount=700, paid_date=self._day(-2), paid_reference="tr-9", done=False
        )
        self.assertEqual(call.match_ids.sudo().move_id, (payments[0] | payments[1]).move_id)
        self.assertEqual(call.match_ids.sudo()[0].move_id, payments[1].move_id)

    def test_paid_and_nothing_found(self):
        self._call("paid", paid_amount=77, paid_date=self._day(-1))
        self.assertFalse(self._tasks())
        self.assertEqual(self._planned().date_planned, self._day(2))

    def test_trouble_acknowledges_plans_and_freezes(self):
        self._call("trouble", note="Bank has cut the line")
        self.assertEqual(self.case.acknowledgement_ids.amount, 1500)
        plan = self.case.plan_ids
        self.assertEqual(plan.state, "draft")
        self.assertEqual(plan.amount_total, 1500)
        self.assertEqual(sum(plan.line_ids.mapped("amount")), 1500)
        self.assertTrue(self.file.hold)
        self.assertEqual(self.file.hold_reason, "We are in financial trouble")
        self.assertTrue(self.file.review_ids.filtered(lambda review: review.reason == "excuse"))

    def test_trouble_of_a_customer_in_another_currency(self):
        euro = self.setup_other_currency("EUR")
        foreign = self._customer("Foreign")
        self._invoice(foreign, 300, due=-16, currency=euro)
        self._run(1)
        self.case = self._case(foreign)
        self._call("trouble", contact_id=False)
        plan = self.case.plan_ids
        self.assertRecordValues(plan, [{"currency_id": euro.id, "amount_total": 300}])
        self.assertEqual(sum(plan.line_ids.mapped("amount")), 300)

    def test_trust_sends_the_policy_and_keeps_the_date(self):
        self._call("trust", promise_amount=1500, promise_date=self._day(4))
        message = self.case.message_ids.filtered(lambda m: m.subject == "Our credit policy")
        self.assertEqual(message.partner_ids, self.clerk)
        self.assertIn("one policy binds", message.body)
        self.assertEqual(self.case.promise_ids.date, self._day(4))

    def test_trust_without_address(self):
        self.clerk.email = self.customer.email = False
        with self._refused("no e-mail address"):
            self._call("trust")

    def test_reorganising_checks_the_new_firm(self):
        self._call(
            "reorganising",
            promise_amount=1500,
            promise_date=self._day(9),
            note="New Ltd from July",
        )
        self.assertEqual(self.case.promise_ids.amount, 1500)
        self.assertIn("New Ltd from July", self._tasks().note)
        self.assertIn("legal entity", self._tasks().note)
        self.assertEqual(self.case.file_id.review_ids.reason, "excuse")

    def test_order_number_is_our_fault(self):
        salesperson = self.env.user
        self.customer.user_id = salesperson
        with self._refused("Order Number"):
            self._call("order_number", invoice_ids=self.invoice.ids)
        call = self._call("order_number", order_number="PO 2030-17", invoice_ids=self.invoice.ids)
        self.assertEqual(self.invoice.ref, "PO 2030-17")
        message = self.invoice.message_ids.filtered("attachment_ids")[:1]
        self.assertEqual(message.partner_ids, self.clerk)
        self.assertRecordValues(call, [{"is_own_fault": True, "salesperson_id": salesperson.id}])

    def test_own_fault_is_of_who_wrote_the_invoice(self):
        seller = self.collector.copy({"login": "seller", "name": "Seller"})
        self.customer.user_id = self.env.user
        self.invoice.invoice_user_id = seller
        call = self._call("order_number", order_number="PO 1", invoice_ids=self.invoice.ids)
        self.assertEqual(call.salesperson_id, seller)

    def test_invoice_is_not_sent_again_as_a_salesperson_who_left(self):
        seller = self.collector.copy(
            {"login": "seller", "name": "Seller", "signature": "<p>Sally Seller</p>"}
        )
        self.collector.signature = "<p>Cole Collector</p>"
        self.invoice.invoice_user_id = seller
        for gone in (False, True):
            with self.subTest(gone=gone):
                seller.active = not gone
                self._call("order_number", order_number="PO 1", invoice_ids=self.invoice.ids)
                message = self.invoice.message_ids.filtered("attachment_ids")[:1]
                mail = self.env["mail.mail"].search([("mail_message_id", "=", message.id)])
                sent = f"{message.body} {mail.body_html} {mail.email_from} {mail.reply_to}"
                self.assertEqual("Sally Seller" in sent, not gone)
                self.assertEqual("Cole Collector" in message.body, gone)

    def test_computers_asks_somebody_else_next_day(self):
        self._call("computers", other_contact_id=self.boss.id)
        self.assertRecordValues(
            self._planned(),
            [{"contact_id": self.boss.id, "date_planned": self._day(1)}],
        )

    def test_every_excuse_has_its_next_step(self):
        excuses = self.env["ar.collection.excuse"].search([])
        self.assertEqual(len(excuses), 10)
        for excuse in excuses:
            with self.subTest(excuse=excuse.code):
                self.assertTrue(excuse.meaning and excuse.script and excuse.questions)
                self.assertTrue(
                    hasattr(self.env["ar.collection.action"], f"_next_{excuse.next_step}")
                )

    def test_statistics(self):
        self._call("computers", other_contact_id=self.boss.id)
        self._call("computers", other_contact_id=self.boss.id)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_collection_action_action_excuse"
        )
        actions = self.env["ar.collection.action"].with_user(self.collector)
        groups = actions.formatted_read_group(
            [("excuse_id", "!=", False), ("state", "=", "done")],
            ["excuse_id", "partner_id"],
            ["__count"],
        )
        mine = [group for group in groups if group["partner_id"][0] == self.customer.id]
        self.assertEqual([group["__count"] for group in mine], [2])
        self.assertIn("pivot", action["view_mode"])

    # Rights

    def test_who_may(self):
        call = self._call(done=False)
        auditor = new_test_user(
            self.env,
            "call_auditor",
            "base.group_user,ar_collections.group_auditor",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            call.with_user(auditor).action_done()
        with self.assertRaises(AccessError):
            call.with_user(auditor).note = "Changed"
        self.assertTrue(call.with_user(auditor).read(["excuse_script", "prepare_contacts"]))
        for name in ("state", "is_own_fault", "salesperson_id", "date_done"):
            with self.subTest(field=name), self.assertRaises(AccessError):
                call.write({name: call[name]})
        with self.assertRaises(AccessError):
            self.env["ar.collection.excuse"].with_user(self.collector).create(
                {"name": "New", "code": "new"}
            )
