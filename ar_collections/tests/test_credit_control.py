"""The gate that invoices pass: every reason, every path, every role."""

from datetime import date
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, Command, api, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..models.credit.credit_facts import CONTROL_FIELDS
from .common import CollectionsCommon


class ControlCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grade = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "CTRL",
                    "name": "Controlled",
                    "limit_rule": "fixed",
                    "limit_amount": 1000,
                    "max_term_days": 30,
                    **dict.fromkeys(CONTROL_FIELDS, "block"),
                }
            )
        )
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls.file.grade_id = cls.grade
        cls.manager = cls._user("manager", "ar_collections.group_credit_manager")
        cls.admin = cls._user("admin2", "account.group_account_manager")
        cls.biller = cls._user("biller", "account.group_account_invoice")
        cls.employee = cls._user("employee", "base.group_user")

    @classmethod
    def _user(cls, login, groups):
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company | cls.branch).ids)],
        )

    def _draft(self, amount=100, partner=None, due=30, **values):
        return self._invoice(partner or self.customer, amount, due=due, post=False, **values)

    def _decide(self, amount=100, partner=None, company=None):
        return self.env["ar.credit.control"]._decide(
            partner or self.customer, company or self.company, amount, self.today
        )

    def _codes(self, *args, **kwargs):
        return [code for code, _text in self._decide(*args, **kwargs).reasons]

    def _stopped(self, move, *words):
        with self.assertRaises(UserError) as caught:
            move.action_post()
        for word in words:
            self.assertIn(word, str(caught.exception).replace("\xa0", " "))
        self.assertEqual(move.state, "draft")


class TestReasons(ControlCommon):
    """Each reason stops an invoice, and nothing does when its cause is gone."""

    def test_limit(self):
        self._invoice(self.customer, 950, due=30)
        self.assertEqual(self._codes(50), [])
        self.assertEqual(self._codes(50.01), ["limit"])
        self._stopped(self._draft(60), "1,010.00", "1,000.00", "Request Release")
        self.file.sudo().write({"limit_mode": "custom", "custom_limit": 1010})
        self._draft(60).action_post()
        self.assertEqual(self._codes(0.01), ["limit"])

    def test_zero_is_zero_and_unlimited_is_unlimited(self):
        self.file.write({"limit_mode": "custom", "custom_limit": 0})
        self._stopped(self._draft(1))
        self.file.sudo().limit_mode = "unlimited"
        self._draft(10**6).action_post()

    def test_temporary_limit_counts_by_the_day_of_the_decision(self):
        self.file.sudo().write({"temporary_limit": 5000, "temporary_limit_end": self._day(2)})
        control = self.env["ar.credit.control"]
        for day, action in ((2, "allow"), (3, "block")):
            decision = control._decide(self.customer, self.company, 3000, self._day(day))
            self.assertEqual(decision.action, action)

    def test_group_limit(self):
        sister = self._customer("Sister")
        sister_file = self.env["ar.credit.file"]._get_file(sister, self.company, create=True)
        sister_file.write({"grade_id": self.grade.id, "parent_id": self.file.id})
        self.file.write({"group_limited": True, "group_limit": 1200})
        self._invoice(self.customer, 800, due=30)
        self.assertEqual(self._codes(400, sister), [])
        self.assertEqual(self._codes(401, sister), ["group_limit"])
        self._invoice(sister, 400, due=30)
        self.assertEqual(self._codes(100), ["group_limit"], "the head is a member too")
        self.assertIn("Customer", self._decide(100, sister).reasons[0][1])
        self._run(0)
        self.assertEqual(self.file.group_exposure, 1200)
        self.file.group_limit = 0
        self.assertEqual(self._codes(1, sister), ["group_limit"], "zero is a limit")

    def test_overdue_beyond_days_and_amount(self):
        self.grade.write({"overdue_tolerance_days": 10, "overdue_tolerance_amount": 100})
        self._invoice(self.customer, 300, due=-10)
        self.assertEqual(self._codes(), [], "ten days are tolerated")
        self._invoice(self.customer, 100, due=-11)
        self.assertEqual(self._codes(), [], "a hundred older than that as well")
        invoice = self._invoice(self.customer, 1, due=-11)
        decision = self._decide()
        self.assertEqual([code for code, _text in decision.reasons], ["overdue"])
        self.assertIn("101.00", decision.text)
        self._stopped(self._draft(10), "oldest since 11 days")
        self._pay(invoice)
        self._draft(10).action_post()

    def test_overdue_is_of_the_day_whenever_the_last_run_was(self):
        self.grade.overdue_tolerance_days = 30
        self._invoice(self.customer, 300, due=-10)
        self._invoice(self.customer, 100, due=-11)
        key = (self.company.id, self.customer.id)
        refresh, facts = self.env["ar.credit.refresh"], self.env["ar.credit.facts"]
        for run_date in (False, self._day(-20), self._day(-1), self.today):
            self.company.ar_run_date = run_date
            refresh._refresh_figures(self.company, run_date or self.today, self.customer)
            for tolerated, expected in ((0, (400, 11)), (10, (100, 11)), (11, (0, 0))):
                with self.subTest(run=run_date, tolerated=tolerated):
                    self.grade.overdue_tolerance_days = tolerated
                    found = facts._gather_facts({key}, self.today)[key]
                    self.assertEqual((found.overdue, found.days_overdue), expected)

    def test_overdue_by_instalment_not_by_invoice(self):
        term = self.env["account.payment.term"].create(
            {
                "name": "Half now",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 50, "nb_days": days})
                    for days in (0, 60)
                ],
            }
        )
        move = self._invoice(self.customer, 200, due=0, date_=self._day(-20), post=False)
        move.invoice_payment_term_id = term
        self.grade.on_terms = "allow"
        move.action_post()
        self.assertIn("100.00", self._decide().text)

    def test_hold(self):
        self.file.write({"hold": True, "hold_reason": "Cheque came back"})
        self._stopped(self._draft(), "Cheque came back")
        self.file.sudo()._lift_hold()
        self._draft().action_post()

    def test_broken_promise(self):
        self.file.sudo().broken_promises = 1
        self.assertEqual(self._codes(), ["promise"])

    def test_expiry_of_review_limit_and_cover(self):
        self.file.sudo().write({"next_review_date": self._day(0), "limit_expiry": self._day(0)})
        self.assertEqual(self._codes(), [])
        self.file.sudo().write({"next_review_date": self._day(-1), "limit_expiry": self._day(-1)})
        self.assertEqual(self._codes(), ["review_expired", "limit_expired"])
        self.file.sudo().write({"next_review_date": False, "limit_expiry": False})
        cover = (
            self.env["ar.credit.cover"]
            .sudo()
            .create(
                {
                    "file_id": self.file.id,
                    "amount": 10,
                    "date_from": self._day(-20),
                    "date_to": self._day(-1),
                }
            )
        )
        self.assertEqual(self._codes(), ["cover_expired"])
        cover.active = False
        self.assertEqual(self._codes(), [])

    def test_terms(self):
        self._stopped(self._draft(due=31, date_=self.today), "31 days", "30 days")
        self._draft(due=30, date_=self.today).action_post()

    def test_first_sale_ungraded(self):
        newcomer = self._customer("Newcomer")
        self.env["ar.credit.grade"]._get_default_grade(self.company).on_first_sale = "approve"
        self.assertEqual(self._codes(100, newcomer), ["ungraded"])
        self._stopped(self._draft(partner=newcomer), "First sale on credit")
        newcomer.credit_grade_id = self.grade
        invoice = self._draft(partner=newcomer)
        invoice.action_post()
        newcomer.sudo().credit_file_id.grade_id = self.env["ar.credit.grade"]._get_default_grade(
            self.company
        )
        self.assertEqual(self._codes(100, newcomer), [], "not the first any more")

    def test_tax_number_of_a_bad_customer(self):
        """A reason at the first sale, and a task for the credit manager, once."""
        self.company.ar_credit_manager_id = self.manager
        self.customer.vat = "XX 123-456.7"
        self.env["res.partner"].create({"name": "Desk", "parent_id": self.customer.id})
        reborn = self._customer("Reborn", vat="xx1234567")
        self._customer("Another", vat="XX1234568")
        unknown = self._customer("Unknown", vat="/")
        self._customer("No number", vat=False)
        for values, is_bad in (
            ({}, False),
            ({"hold": True, "hold_reason": "Fraud"}, True),
            ({"hold": False}, False),
            ({"written_off_open": 1}, True),
            ({"written_off_open": 0}, False),
            ({"grade_id": self.grade.copy({"code": "BAD", "risk_tier": "high"}).id}, True),
        ):
            self.file.sudo().write(values)
            codes = self._codes(partner=reborn)
            self.assertEqual("twin" in codes, is_bad, values)
        self.file.sudo().grade_id = self.grade
        self.file.sudo().write({"hold": True, "hold_reason": "Fraud"})
        self.assertNotIn("twin", self._codes(), "not of itself, nor of its contacts")
        self.assertNotIn("twin", self._codes(partner=unknown))
        reborn_file = self.env["ar.credit.file"]._get_file(reborn, self.company, create=True)
        reborn_file.grade_id = self.grade
        draft = self._draft(partner=reborn)
        self._stopped(draft, "Same tax number as Customer, who is held or known as bad")
        self.grade.on_twin = "allow"
        draft.action_post()
        elsewhere = self._create_company(name="Elsewhere")
        self.assertNotIn("twin", self._codes(partner=reborn, company=elsewhere))
        for day in (0, 1):
            self._run(day)
            self.assertEqual(reborn_file.twin_id, self.customer)
            self.assertRecordValues(
                reborn_file.activity_ids,
                [{"summary": "Same tax number as Customer", "user_id": self.manager.id}],
            )
        self.assertFalse(self.file.twin_id)
        self.file.sudo().hold = False
        worse = self._customer("Worse", vat="XX1234567")
        worse_file = self.env["ar.credit.file"]._get_file(worse, self.company, create=True)
        worse_file.sudo().write({"hold": True, "hold_reason": "Fraud"})
        self._run(2)
        self.assertEqual(reborn_file.twin_id, worse)
        self.assertEqual(len(reborn_file.activity_ids), 1, "asked once, whoever is the worst")
        reborn.vat = "XX999"
        self._run(3)
        self.assertFalse(reborn_file.twin_id)

    def test_grade_says_what_happens(self):
        self.file.write({"hold": True, "hold_reason": "x"})
        for action in ("allow", "warn", "approve", "block"):
            self.grade.on_hold = action
            self.assertEqual(self._decide().action, action)
            if action in ("allow", "warn"):
                self._draft(1).action_post()
            else:
                self._stopped(self._draft(1))
        self.grade.on_hold = "warn"
        self.assertEqual(self._decide(5000).action, "block", "the strictest reason counts")

    def test_without_grade_and_file(self):
        stranger = self._customer("Stranger")
        self.env["ar.credit.grade"]._get_default_grade(self.company).active = False
        self.assertEqual(self._decide(100, stranger).action, "allow")
        self.assertFalse(stranger.credit_file_id, "a question leaves nothing behind")
        file = self.env["ar.credit.file"]._get_file(stranger, self.company, create=True)
        self.assertFalse(file.grade_id)
        file.write({"limit_mode": "custom", "custom_limit": 10})
        self.assertEqual(self._decide(100, stranger).action, "warn")
        file.write({"hold": True, "hold_reason": "x"})
        self.assertEqual(self._decide(100, stranger).action, "block")

    def test_currency_and_branch(self):
        foreign = self.setup_other_currency("CAD", rates=[("2020-01-01", 2.1)])
        draft = self._draft(2100, currency=foreign)
        company_amount = draft.amount_total_signed
        self.assertNotEqual(company_amount, 2100)
        self.file.write({"limit_mode": "custom", "custom_limit": company_amount - 0.01})
        self._stopped(draft)
        self.file.sudo().custom_limit = company_amount
        draft.action_post()
        branch_draft = self._draft(1, company=self.branch)
        self._stopped(branch_draft)
        other = self.setup_other_company(name="Other company")["company"]
        self.assertEqual(self._codes(100, company=other), [], "another company, another file")

    def test_contact_is_its_customer(self):
        contact = self.env["res.partner"].create({"name": "Desk", "parent_id": self.customer.id})
        self.file.write({"hold": True, "hold_reason": "x"})
        self._stopped(self._draft(partner=contact))


class TestNeverStopped(ControlCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file.write({"hold": True, "hold_reason": "Fraud", "limit_mode": "custom"})

    def test_credit_note_receipt_bill_and_entry(self):
        for move_type in ("out_refund", "in_invoice", "in_refund"):
            self._invoice(self.customer, 10, due=30, move_type=move_type)
        receipt = self._draft(10, date_=self.today, due=0)
        receipt.move_type = "out_receipt"
        receipt.action_post()
        self.assertEqual(receipt.state, "posted")

    def test_zero_invoice(self):
        self._draft(0).action_post()

    def test_paid_in_advance(self):
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "amount": 100,
                "payment_type": "inbound",
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        draft = self._draft(100)
        draft.action_post()
        self.assertEqual(draft.state, "posted")
        self._stopped(self._draft(1))


class TestPaths(ControlCommon):
    """Whatever way an invoice is posted, it passes the same gate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file.write({"hold": True, "hold_reason": "Fraud"})

    def test_form(self):
        draft = self._draft()
        with Form(draft) as form:
            form.ref = "order 4711"
        self._stopped(draft, "Fraud")

    def test_form_without_a_currency(self):
        """Whoever fills in the form may clear what it needs before it is saved."""
        draft = self._draft()
        self.assertIn("Fraud", draft.ar_credit_text)
        unsaved = draft.new({"currency_id": False}, origin=draft)
        self.assertFalse(unsaved.ar_credit_text)

    def test_every_role(self):
        draft = self._draft()
        for user in (self.biller, self.admin, self.env.ref("base.user_root")):
            self._stopped(draft.with_user(user).sudo(False), "Fraud")
        self._stopped(draft.sudo(), "Fraud")

    def test_list_confirm(self):
        draft = self._draft(date_=date(2020, 1, 1))
        with self.assertRaises(UserError):
            draft.action_validate_moves_with_confirmation()
        wizard = self.env["validate.account.move"].create({"move_ids": [Command.set(draft.ids)]})
        with self.assertRaises(UserError):
            wizard.validate_move()
        self.assertEqual(draft.state, "draft")

    def test_direct_write_of_the_state(self):
        draft = self._draft()
        for user in (self.biller, self.admin):
            with self.assertRaises(UserError):
                draft.with_user(user).write({"state": "posted"})
            with self.assertRaises(UserError):
                draft.with_user(user).with_context(
                    ar_credit_passed=[draft.id], ar_credit_stopped=True
                ).write({"state": "posted"})
        self.assertEqual(draft.state, "draft")

    def test_direct_write_of_the_state_and_the_customer(self):
        draft = self._draft(partner=self._customer("Innocent"))
        with self.assertRaises(UserError):
            draft.write({"state": "posted", "partner_id": self.customer.id})

    def test_receipt_to_be_paid_later(self):
        draft = self._draft(date_=self.today, due=30)
        draft.move_type = "out_receipt"
        self._stopped(draft, "Fraud")

    def test_import(self):
        """An import writes the state like everybody else."""
        draft = self._draft()
        result = self.env["account.move"].load([".id", "state"], [[str(draft.id), "posted"]])
        self.assertIn("Fraud", result["messages"][0]["message"])
        self.assertEqual(draft.state, "draft")

    def test_auto_post(self):
        draft = self._draft(date_=self._day(-10), due=10)
        draft.write({"auto_post": "at_date", "date": "2020-01-01"})
        cron = self.env.ref("account.ir_cron_auto_post_draft_entry")
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
            self.assertEqual(draft.state, "draft")
            release = self.env["ar.credit.release"].search([("res_id", "=", draft.id)])
            self.assertRecordValues(release, [{"state": "held", "control": "block"}])
            self.assertIn("Fraud", release.reasons)
            messages = len(draft.message_ids)
            cron.method_direct_trigger()
            self.assertEqual(len(draft.message_ids), messages, "told once, not every day")
            self.file.sudo()._lift_hold()
            cron.method_direct_trigger()
        self.assertEqual(draft.state, "posted")
        self.assertEqual(release.state, "cancelled", "there is nothing to release any more")

    def test_future_invoice_is_checked_when_it_is_posted(self):
        self.file.sudo()._lift_hold()
        draft = self._draft()
        draft.write({"date": "2040-01-01", "auto_post": "at_date"})
        draft._post(soft=True)
        self.assertEqual(draft.state, "draft")

    def test_invoice_of_today_is_not_put_off(self):
        draft = self._draft()
        draft.date = fields.Date.context_today(draft)
        with self.assertRaisesRegex(UserError, "Fraud"):
            draft._post(soft=True)
        self.assertEqual(draft.state, "draft")

    def test_batch_posts_what_passes(self):
        other = self._customer("Other")
        stopped, passing = self._draft(), self._draft(partner=other)
        with patch.object(type(self.env.user), "_bus_send") as sent:
            (stopped | passing).action_post()
        self.assertEqual((stopped.state, passing.state), ("draft", "posted"))
        release = self.env["ar.credit.release"].search([("res_id", "=", stopped.id)])
        self.assertRecordValues(
            release, [{"state": "held", "amount": 100, "partner_id": self.customer.id}]
        )
        self.assertIn("Fraud", sent.call_args.args[1]["message"])
        self.assertIn("Fraud", stopped.message_ids[0].body)

    def test_batch_that_nothing_of_passes_tells_all(self):
        drafts = self._draft() | self._draft(20)
        with self.assertRaises(UserError) as caught:
            drafts.action_post()
        self.assertEqual(str(caught.exception).count("Fraud"), 2)

    def test_batch_shares_the_limit(self):
        """The invoices of one batch use up the limit one after the other."""
        self.file.sudo()._lift_hold()
        drafts = self._draft(600) | self._draft(500) | self._draft(400)
        drafts.action_post()
        self.assertEqual(drafts.mapped("state"), ["posted", "draft", "posted"])

    def test_employee_sees_why_without_accounting_rights(self):
        draft = self._draft()
        draft.invoice_user_id = self.employee
        seen = draft.with_user(self.biller)
        self.assertEqual(seen.ar_credit_action, "block")
        self.assertIn("Fraud", seen.ar_credit_text)
        self.assertEqual(seen._get_alerts()["ar_credit"]["level"], "danger")
        with self.assertRaises(AccessError):
            self.file.with_user(self.biller).read(["exposure"])


class TestRelease(ControlCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grade.write(dict.fromkeys(CONTROL_FIELDS, "approve"))
        cls.file.write({"hold": True, "hold_reason": "Fraud"})
        cls.draft = cls._invoice(cls.customer, 100, due=30, post=False)

    def _request(self, user=None):
        self.draft.with_user(user or self.biller).action_request_credit_release()
        return self.env["ar.credit.release"].search(
            [("res_model", "=", "account.move"), ("res_id", "=", self.draft.id)], limit=1
        )

    def test_one_click_asks_and_approval_lets_pass_once(self):
        self.draft.ref = "PO 4711"
        release = self._request()
        self.assertIn("PO 4711", release.document_name)
        self.assertRecordValues(
            release,
            [
                {
                    "state": "requested",
                    "requester_id": self.biller.id,
                    "amount": 100,
                    "file_id": self.file.id,
                }
            ],
        )
        asked = release.activity_ids.user_id
        self.assertIn(self.manager, asked)
        self.assertNotIn(self.biller, asked)
        self._stopped(self.draft)
        release.with_user(self.manager).action_approve()
        self.assertFalse(release.activity_ids)
        self.assertIn(self.biller.partner_id, release.message_ids[0].partner_ids)
        self.assertEqual(self.draft.with_user(self.biller).ar_release_state, "approved")
        self.draft.with_user(self.biller).sudo(False).action_post()
        self.assertRecordValues(
            release, [{"state": "used", "approver_id": self.manager.id, "amount_granted": 100}]
        )
        self.draft.button_draft()
        self._stopped(self.draft)

    def test_how_long_a_release_is_valid(self):
        self.company.ar_release_days = 3
        release = self._request()
        release.with_user(self.manager).action_approve()
        self.assertEqual(release.valid_until, self._day(3))

    def test_who_decides(self):
        release = self._request(self.admin)
        for user, error in (
            (self.admin, UserError),
            (self.biller, AccessError),
            (self.employee, AccessError),
        ):
            with self.assertRaises(error):
                release.with_user(user).action_approve()
            with self.assertRaises(error):
                release.with_user(user).action_refuse()
        self.assertEqual(release.state, "requested")

    def test_what_is_blocked_needs_an_administrator(self):
        self.grade.on_hold = "block"
        release = self._request()
        self.assertNotIn(self.manager, release.activity_ids.user_id)
        with self.assertRaises(AccessError):
            release.with_user(self.manager).action_approve()
        release.with_user(self.admin).action_approve()
        self.draft.action_post()

    def test_no_way_around_over_rpc(self):
        release = self._request()
        for user in (self.biller, self.manager, self.admin):
            for values in (
                {"state": "approved"},
                {"approver_id": self.manager.id},
                {"amount": 1},
                {"requester_id": self.employee.id},
                {"res_id": self.draft.id + 1},
                {"control": "approve"},
            ):
                with self.assertRaises(AccessError):
                    release.with_user(user).write(values)
            with self.assertRaises(AccessError):
                release.with_user(user).unlink()
            with self.assertRaises(AccessError):
                self.env["ar.credit.release"].with_user(user).create(
                    {
                        "file_id": self.file.id,
                        "res_model": "account.move",
                        "res_id": self.draft.id,
                        "document_name": "x",
                        "control": "approve",
                        "reasons": "x",
                        "state": "approved",
                        "amount_granted": 10**6,
                        "valid_until": self._day(30),
                    }
                )
        release.with_user(self.manager).action_approve()
        for values in ({"amount_granted": 999}, {"valid_until": self._day(99)}):
            with self.assertRaises(UserError):
                release.with_user(self.manager).write(values)
        with self.assertRaises(UserError):
            release.with_user(self.admin).action_approve()

    def test_amount_and_date_of_the_release(self):
        release = self._request()
        release.with_user(self.manager).write({"amount_granted": 100, "valid_until": self._day(1)})
        release.with_user(self.manager).action_approve()
        self.draft.invoice_line_ids.price_unit = 100.01
        self._stopped(self.draft)
        self.draft.invoice_line_ids.price_unit = 90
        late = self.draft.with_context(
            ar_clock=self.env.context["ar_clock"]._replace(date=self._day(2))
        )
        self._stopped(late)
        self.draft.action_post()
        self.assertEqual(self.draft.state, "posted")

    def test_raised_amount_needs_a_new_release(self):
        first = self._request()
        first.with_user(self.manager).action_approve()
        self.draft.invoice_line_ids.price_unit = 200
        second = self._request()
        self.assertNotEqual(first, second)
        self.assertEqual(first.state, "cancelled")
        self.assertEqual((second.state, second.amount), ("requested", 200))
        second.with_user(self.manager).action_approve()
        self.draft.action_post()

    def test_refusal_needs_a_reason(self):
        release = self._request()
        with self.assertRaises(UserError):
            release.with_user(self.manager).action_refuse()
        release.with_user(self.manager).decision_note = "Pay first"
        release.with_user(self.manager).action_refuse()
        self.assertEqual(release.state, "refused")
        self._stopped(self.draft)

    def test_withdrawn_by_who_asked(self):
        release = self._request()
        with self.assertRaises(AccessError):
            release.with_user(self.employee).action_cancel()
        release.with_user(self.biller).action_cancel()
        self.assertEqual(release.state, "cancelled")

    def test_nothing_to_release(self):
        self.file.sudo()._lift_hold()
        with self.assertRaises(UserError):
            self._request()

    def test_a_manager_does_not_decide_the_own_request(self):
        other = self._user("manager2", "ar_collections.group_credit_manager")
        far_away = self.setup_other_company(name="Far away")["company"]
        far = new_test_user(
            self.env,
            "manager3",
            "ar_collections.group_credit_manager",
            company_id=far_away.id,
            company_ids=[Command.set(far_away.ids)],
        )
        release = self._request(self.admin)
        asked = release.activity_ids.user_id
        self.assertNotIn(self.admin, asked)
        self.assertIn(other, asked)
        self.assertNotIn(far, asked, "of another company")
        with self.assertRaises(UserError):
            release.with_user(self.admin).action_approve()
        with self.assertRaises(AccessError):
            release.with_user(far).action_approve()
        release.with_user(other).action_approve()
        self.assertEqual(release.approver_id, other)

    def test_a_release_is_for_its_document(self):
        release = self._request()
        release.with_user(self.manager).action_approve()
        other = self._draft(10)
        self._stopped(other)
        self.assertEqual(release.state, "approved")
        (other | self.draft).action_post()
        self.assertEqual((self.draft.state, other.state), ("posted", "draft"))

    def test_who_asks_may_write_the_document(self):
        with self.assertRaises(AccessError):
            self._request(self.employee)
        drafts = self.draft | self._draft(50, partner=self._customer("Other"))
        drafts.with_user(self.biller).sudo(False).action_post()
        held = self.env["ar.credit.release"].search([("state", "=", "held")])
        self.assertEqual(held.res_id, self.draft.id)
        auditor = self._user("auditor", "ar_collections.group_auditor")
        held.with_user(auditor).read(["reasons"])
        with self.assertRaises(AccessError):
            held.with_user(auditor).action_submit()
        held.with_user(self.biller).action_submit()
        self.assertEqual((held.state, held.requester_id), ("requested", self.biller))
        with self.assertRaises(UserError):
            held.with_user(self.biller).action_submit()

    def test_list_in_bulk(self):
        other = self._customer("Other")
        drafts = self.draft | self._draft(50) | self._draft(10, partner=other)
        drafts.with_user(self.biller).sudo(False).action_post()
        held = self.env["ar.credit.release"].search([("state", "=", "held")])
        self.assertEqual(len(held), 2)
        self.assertEqual(held.requester_id, self.biller)
        held.with_user(self.manager).action_approve()
        drafts.filtered(lambda move: move.state == "draft").action_post()
        self.assertEqual(set(drafts.mapped("state")), {"posted"})
        self.assertEqual(set(held.mapped("state")), {"used"})

    def test_who_sells_sees_own_requests_only(self):
        release = self._request()
        self.assertFalse(
            self.env["ar.credit.release"].with_user(self.employee).search([("id", "=", release.id)])
        )
        found = self.env["ar.credit.release"].with_user(self.biller)
        self.assertEqual(found.search([("id", "=", release.id)]).reasons, release.reasons)

    def test_deleted_document(self):
        release = self._request()
        self.draft.unlink()
        self.assertEqual(release.state, "cancelled")
        with self.assertRaises(UserError):
            release.action_open_document()


@tagged("post_install", "-at_install")
class TestTwoAtOnce(ControlCommon):
    """Two users who confirm at the same moment cannot both slip under the limit."""

    def test_second_one_must_look_again(self):
        facts_of = "ar.credit.facts"
        with self.registry.cursor() as first, self.registry.cursor() as rival:
            env, rival_env = (api.Environment(each, SUPERUSER_ID, {}) for each in (first, rival))
            try:
                company = env.ref("base.main_company")
                partner = env["res.partner"].create({"name": "Wanted by two"})
                file = env["ar.credit.file"].create(
                    {
                        "partner_id": partner.id,
                        "company_id": company.id,
                        "limit_mode": "custom",
                        "custom_limit": 100,
                    }
                )
                first.commit()
                keys = {(company.id, partner.id)}
                # Both transactions have taken their view of the data.
                rival_env["ar.credit.file"].browse(file.id).read(["exposure"])
                rival.execute("SET LOCAL lock_timeout = '5s'")
                env[facts_of]._gather_facts(keys, self.today, lock=True)
                first.commit()
                with self.assertRaises(SerializationFailure), self.muted_sql():
                    rival_env[facts_of]._gather_facts(keys, self.today, lock=True)
                rival.rollback()
                facts = rival_env[facts_of]._gather_facts(keys, self.today, lock=True)
                self.assertEqual(facts[company.id, partner.id].limit, 100)
                rival.rollback()
            finally:
                rival.rollback()
                first.rollback()
                env["ar.credit.file"].search([("partner_id.name", "=", "Wanted by two")]).unlink()
                env["res.partner"].search([("name", "=", "Wanted by two")]).unlink()
                first.commit()

    def muted_sql(self):
        return self.assertLogs("odoo.sql_db", "ERROR")
