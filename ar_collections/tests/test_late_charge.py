from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from ..demo.charges import charge
from .common import CollectionsCommon


class LateChargeCommon(CollectionsCommon):
    """1000 cost 0.20 a day; a debit note of 10 days of two items is 4.00."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grade = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create({"code": "LATE", "name": "Late", "late_charge_rate": 7.3})
        )
        cls.file = cls.env["ar.credit.file"].create(
            {
                "partner_id": cls.customer.id,
                "company_id": cls.company.id,
                "grade_id": cls.grade.id,
            }
        )
        cls.journal = cls.env["account.journal"].create(
            {
                "name": "Late Charges",
                "code": "LCH",
                "type": "sale",
                "company_id": cls.company.id,
            }
        )
        cls.income = cls.env["account.account"].create(
            {"name": "Interest from customers", "code": "IFC1", "account_type": "income_other"}
        )
        cls.company.write(
            {
                "ar_charge_from": cls._day(-365),
                "ar_charge_journal_id": cls.journal.id,
                "ar_charge_account_id": cls.income.id,
            }
        )
        groups = "base.group_user,ar_collections.group_credit_manager,account.group_account_invoice"
        cls.manager = cls._user("charge_manager", groups)
        cls.collector = cls._user(
            "charge_collector", "base.group_user,ar_collections.group_collector"
        )
        cls.invoice = cls._invoice(cls.customer, 1000, due=-10)
        cls.other = cls._invoice(cls.customer, 1000, due=-10)

    @classmethod
    def _user(cls, login, groups):
        return new_test_user(
            cls.env,
            login,
            groups,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _charge_run(self, user=None, day=0, **values):
        run = (
            self.env["ar.late.charge.run"]
            .with_user(user or self.manager)
            .create({"company_id": self.company.id, "date": self._day(day), **values})
        )
        run.action_compute()
        return run

    def _always(self, mode, rate=0):
        """The terms of the customer, as if they had been so from the beginning."""
        self.file.write({"late_charge_mode": mode, "late_charge_rate": rate})
        self.file.late_charge_rate_ids.unlink()

    def _case_of_customer(self):
        self._run(0)
        return self._case()

    def _charges(self, *states):
        domain = [("partner_id", "=", self.customer.id)]
        return self.env["ar.late.charge"].search(
            domain + ([("state", "in", states)] if states else []), order="id"
        )


class TestLateCharge(LateChargeCommon):
    # The run

    def test_preview_and_debit_note(self):
        run = self._charge_run()
        self.assertRecordValues(run, [{"amount": 4, "customer_count": 1, "state": "draft"}])
        self.assertEqual(run.charge_ids.mapped("state"), ["memo"] * 2)
        run.action_post()
        note = run.move_ids
        self.assertRecordValues(
            note,
            [
                {
                    "state": "posted",
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "journal_id": self.journal.id,
                    "amount_total": 4,
                    "invoice_date": self.today,
                    "ar_is_late_charge": True,
                    "create_uid": self.manager.id,
                }
            ],
        )
        self.assertEqual(note.invoice_line_ids.account_id, self.income)
        self.assertFalse(note.invoice_line_ids.tax_ids)
        line = note.invoice_line_ids[0].name
        for part in (self.invoice.name, "05/25/2030", "06/03/2030", "10 days", "1,000.00", "7.3 %"):
            self.assertIn(part, line)
        self.assertRecordValues(
            self._charges(),
            [
                {
                    "state": "posted",
                    "amount": 2,
                    "amount_company": 2,
                    "days": 10,
                    "move_id": note.id,
                    "note_line_id": note_line.id,
                }
                for note_line in note.invoice_line_ids
            ],
        )
        self.assertEqual(run.state, "done")

    def test_no_day_is_charged_twice(self):
        self._charge_run().action_post()
        with self.assertRaises(UserError):
            self._charge_run().action_post()
        later = self._charge_run(day=0)
        self.assertFalse(later.charge_ids)
        self.grade.late_charge_rate = 14.6
        with self._at(5):
            later = self._charge_run(day=5)
            # Five days more, at the rate of now; the ten of before keep theirs.
            self.assertEqual(later.charge_ids.mapped("amount"), [2.0, 2.0])
            self.assertEqual(set(later.charge_ids.mapped("date_from")), {self._day(1)})
            later.action_post()
        self.assertEqual(sum(self._charges("posted").mapped("days")), 30)

    def _at(self, day):
        """Live on another day of the test."""
        test = self

        class Day:
            def __enter__(self):
                self.env = test.env
                clock = test.env.context["ar_clock"]._replace(date=test._day(day))
                test.env = test.env(context={**test.env.context, "ar_clock": clock})

            def __exit__(self, *args):
                test.env = self.env

        return Day()

    def test_two_runs_at_once_one_wins(self):
        first, second = self._charge_run(), self._charge_run()
        first.action_draft_notes()
        with self.assertRaisesRegex(UserError, "compute the charges again"):
            second.action_draft_notes()
        # The second saw the ledger as it was before the first: the database refuses.
        charge = second.charge_ids[0].sudo()
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            charge.state = "drafted"
            self.env.flush_all()

    def test_one_run_at_a_time_for_a_company(self):
        locked = []

        def lock(records, **_kwargs):
            locked.append(records)

        run = self._charge_run()
        with patch.object(self.registry["res.company"], "lock_for_update", lock):
            run.action_draft_notes()
        self.assertEqual(locked, [self.company])

    def test_what_was_killed_did_nothing(self):
        run = self._charge_run()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            run.action_post()
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertFalse(self._charges("drafted", "posted"))
        run.action_post()
        self.assertEqual(run.amount, 4)
        self.assertEqual(len(run.move_ids), 1)

    def test_preview_that_is_outdated(self):
        run = self._charge_run()
        self._pay(self.invoice, 500, day=-5)
        with self.assertRaisesRegex(UserError, self.invoice.name):
            run.action_post()
        run.action_compute()
        self.assertEqual(run.charge_ids.mapped("amount"), [1.5, 2.0])
        run.action_post()

    def test_another_day_or_customer_forgets_the_preview(self):
        run = self._charge_run()
        run.date = self._day(-5)
        self.assertFalse(run.is_computed or run.charge_ids)
        run.partner_ids = self._customer("Somebody else")
        run.action_compute()
        self.assertFalse(run.charge_ids)
        run.date = self._day(1)
        for action in (run.action_compute, run.action_post):
            with self.assertRaisesRegex(UserError, "Days to come"):
                action()
        with self.assertRaises(ValidationError):
            self._charge_run(company_id=self.branch.id)

    def test_a_run_that_is_done_stays(self):
        run = self._charge_run()
        run.action_post()
        for change in (
            run.action_compute,
            run.action_draft_notes,
            run.unlink,
            lambda: run.write({"date": self._day(-1)}),
        ):
            with self.assertRaises(UserError):
                change()
        run.action_post()
        self.assertEqual(len(run.move_ids), 1)

    def test_deleting_a_preview(self):
        run = self._charge_run()
        run.unlink()
        self.assertFalse(self._charges())

    def test_form_of_a_run(self):
        with Form(self.env["ar.late.charge.run"].with_user(self.manager)) as form:
            self.assertEqual(form.date, self.today)
            form.partner_ids.add(self.customer)
        run = form.save()
        self.assertRegex(run.name, r"^LC/2030/\d{4}$")
        self.assertFalse(run.is_computed)

    def test_demo(self):
        for due in (-80, -60, -50):
            self._invoice(self._customer(f"Demo {due}"), 100_000, due=due)
        self.env["ar.credit.grade"].search([]).late_charge_rate = 8
        self._run(0)
        charge(self.env, self.company)
        preview, posted = self.env["ar.late.charge.run"].search([], limit=2)
        self.assertEqual((posted.state, preview.state), ("done", "draft"))
        self.assertEqual(set(posted.move_ids.mapped("state")), {"posted"})
        self.assertEqual(sorted(set(posted.charge_ids.mapped("state"))), ["posted", "waived"])
        self.assertTrue(preview.charge_ids)

    # Settings

    def test_missing_settings_say_what_to_do(self):
        run = self._charge_run()
        self.company.ar_charge_account_id = False
        with self.assertRaisesRegex(UserError, "chooses in Settings.*Income Account"):
            run.action_post()
        self.company.ar_charge_from = False
        with self.assertRaisesRegex(UserError, "Late Charges From"):
            run.action_compute()

    def test_days_to_come_are_not_charged(self):
        run = self._charge_run()
        run.date = self._day(1)
        for button in (run.action_compute, run.action_draft_notes, run.action_post):
            with self.assertRaisesRegex(UserError, "Days to come"):
                button()
        run.date = self.today
        run.action_compute()
        self.assertEqual(run.amount, 4)

    def test_a_run_is_of_a_company_with_its_branches(self):
        with self.assertRaisesRegex(ValidationError, "with all its branches"):
            self.env["ar.late.charge.run"].create({"company_id": self.branch.id})

    def test_what_is_being_paid_waits_for_a_later_run(self):
        self._pay_in_process(self.other, 1)
        run = self._charge_run()
        self.assertRecordValues(run, [{"amount": 2, "amount_held": 2}])
        self.assertEqual(run.charge_ids.move_line_id.move_id, self.invoice)
        run.action_post()
        self.assertEqual(len(self._charges()), 1)

    def test_smallest_debit_note(self):
        self.company.ar_charge_minimum = 4.01
        run = self._charge_run()
        self.assertRecordValues(run, [{"amount": 0, "amount_held": 4}])
        with self.assertRaisesRegex(UserError, "nothing to charge"):
            run.action_post()
        self.company.ar_charge_minimum = 4
        run.action_compute()
        self.assertRecordValues(run, [{"amount": 4, "amount_held": 0}])

    def test_taxes(self):
        self.company.ar_charge_tax_ids = self.company_data["default_tax_sale"]
        run = self._charge_run()
        run.action_post()
        self.assertRecordValues(
            run.move_ids, [{"amount_untaxed": 4, "amount_tax": 0.6, "amount_total": 4.6}]
        )
        self.assertEqual(sum(self._charges("posted").mapped("amount")), 4)

    def test_taxes_that_prices_include(self):
        tax = self.company_data["default_tax_sale"].copy({"name": "Included"})
        tax.price_include_override = "tax_included"
        self.company.ar_charge_tax_ids = tax
        self._invoice(self.customer, 831, due=-3)
        self.grade.on_hold = "block"
        self.file.write({"hold": True, "hold_reason": "Cheque came back"})
        run = self._charge_run()
        run.action_post()
        self.assertRecordValues(
            run.move_ids, [{"amount_untaxed": 4.5, "amount_tax": 0.68, "amount_total": 5.18}]
        )
        self.assertEqual(self._charges("posted").mapped("amount"), [2, 2, 0.5])

    def test_negative_settings_are_refused(self):
        for name in ("ar_charge_grace_days", "ar_charge_minimum", "ar_charge_cap_share"):
            with (
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.company[name] = -1
                self.env.flush_all()

    def test_one_note_per_currency(self):
        currency = self.setup_other_currency("GBP", rates=[("2030-01-01", 2)])
        foreign = self._invoice(self.customer, 1000, due=-10, currency=currency)
        self._invoice(self.customer, 1000, due=-10, company=self.branch)
        run = self._charge_run()
        self.assertEqual(run.amount, 7)
        run.action_post()
        notes = run.move_ids.sorted("amount_total")
        self.assertEqual(
            notes.mapped(lambda note: (note.currency_id.name, note.amount_total, note.company_id)),
            [("GBP", 2, self.company), (self.company.currency_id.name, 6, self.company)],
        )
        charge = self._charges().filtered(lambda c: c.move_line_id.move_id == foreign)
        self.assertEqual((charge.amount, charge.amount_company), (2, 1))

    def test_locked_period(self):
        self.company.fiscalyear_lock_date = self._day(-1)
        run = self._charge_run(day=-2)
        with freeze_time(self.today):
            run.action_post()
        self.assertEqual(run.move_ids.state, "posted")
        self.assertEqual(run.move_ids.invoice_date, self._day(-2))
        self.assertGreater(run.move_ids.date, self._day(-1))

    def test_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        run = self._charge_run()
        run.action_draft_notes()
        self.assertIn("25/05/2030", run.move_ids.invoice_line_ids[0].name)

    # The debit note is an ordinary open item

    def test_charges_are_followed_up_and_cost_nothing_themselves(self):
        run = self._charge_run(day=-5)
        run.action_post()
        note = run.move_ids
        self.assertEqual(note.invoice_date_due, self._day(-5))
        case = self._case_of_customer()
        self.assertIn(note, case.open_item_ids.move_id)
        accruals = self.env["ar.late.charge.accrual"]
        items = {
            a.line_id for a in accruals._get_accruals(self.company, self.today)[self.customer.id]
        }
        self.assertFalse(items & set(note.line_ids.ids))
        self.company.ar_charge_on_charges = True
        self._always("custom", 365)
        items = {
            a.line_id for a in accruals._get_accruals(self.company, self.today)[self.customer.id]
        }
        self.assertTrue(items & set(note.line_ids.ids))

    def test_charges_survive_the_payment_of_the_items(self):
        self._pay(self.invoice | self.other, day=-4)
        run = self._charge_run()
        self.assertEqual(run.charge_ids.mapped("amount"), [1.2, 1.2])
        run.action_post()
        self.assertEqual(run.move_ids.payment_state, "not_paid")
        self.assertFalse(self._charge_run().charge_ids)

    def test_credit_control_does_not_stop_charges(self):
        self.grade.on_hold = "block"
        self.file.write({"hold": True, "hold_reason": "Cheque came back"})
        run = self._charge_run()
        run.action_draft_notes()
        note = run.move_ids
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self._invoice(self.customer, 10, due=30)
        # Goods that somebody adds to the note are credit.
        line = Command.create({"name": "Goods", "price_unit": 500, "tax_ids": [Command.clear()]})
        with self.assertRaises(UserError), self.env.cr.savepoint():
            note.write({"invoice_line_ids": [line]})
            note.action_post()
        self.env.invalidate_all()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            note.invoice_line_ids[0].price_unit = 500
            note.action_post()
        self.env.invalidate_all()
        run.action_post()
        self.assertEqual(note.state, "posted")

    def test_posting_follows_what_was_edited_on_the_draft(self):
        run = self._charge_run()
        run.action_draft_notes()
        note = run.move_ids
        note.invoice_line_ids[0].price_unit = 1.5
        note.invoice_line_ids[1].unlink()
        note.action_post()
        first, second = self._charges()
        self.assertRecordValues(first, [{"state": "posted", "amount": 1.5, "amount_company": 1.5}])
        self.assertEqual(second.state, "cancelled")
        self.assertEqual(self._charge_run().charge_ids.mapped("name"), [self.other.name])

    def test_printed_note(self):
        run = self._charge_run()
        run.action_post()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("account.report_invoice", run.move_ids.ids)[0]
            .decode()
        )
        self.assertIn("Debit Note for Late Charges", html)
        self.assertIn("Simple interest by the day", html)
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("account.report_invoice", self.invoice.ids)[0]
            .decode()
        )
        self.assertNotIn("Debit Note", html)

    # Drafts that are dropped, reversal

    def test_days_of_a_dropped_draft_are_free(self):
        for drop in ("button_cancel", "unlink"):
            run = self._charge_run()
            run.action_draft_notes()
            self.assertFalse(self._charge_run().charge_ids)
            note = run.move_ids
            getattr(note, drop)()
            again = self._charge_run()
            self.assertEqual(again.amount, 4)
            if drop == "button_cancel":
                again.unlink()
                note.button_draft()
                with self.assertRaisesRegex(UserError, "set free"):
                    note.action_post()

    def test_posted_note_back_to_draft_keeps_its_days(self):
        run = self._charge_run()
        run.action_post()
        run.move_ids.button_draft()
        self.assertEqual(set(self._charges().mapped("state")), {"drafted"})
        self.assertFalse(self._charge_run().charge_ids)
        run.move_ids.action_post()
        self.assertEqual(set(self._charges().mapped("state")), {"posted"})

    def test_reversal_gives_the_charges_up(self):
        run = self._charge_run()
        run.action_post()
        credit = run.move_ids._reverse_moves([{"invoice_date": self.today}], cancel=True)
        self.assertEqual(set(self._charges().mapped("state")), {"reversed"})
        self.assertEqual(self._charges().reversal_id, credit)
        self.assertFalse(self._charge_run().charge_ids)
        self._charges().with_user(self.manager).action_free()
        again = self._charge_run()
        self.assertEqual(again.amount, 4)
        again.action_post()
        self.assertEqual(
            sorted(self._charges().mapped("state")), ["cancelled"] * 2 + ["posted"] * 2
        )

    def test_only_days_that_were_given_up_are_set_free(self):
        run = self._charge_run()
        for state in ("memo", "drafted", "posted"):
            if state == "drafted":
                run.action_draft_notes()
            elif state == "posted":
                run.move_ids.action_post()
            self.assertEqual(set(self._charges().mapped("state")), {state})
            with self.assertRaisesRegex(UserError, "waived or reversed"):
                self._charges().with_user(self.manager).action_free()
        run.move_ids._reverse_moves([{"invoice_date": self.today}], cancel=True)
        self._charges().with_user(self.manager).action_free()
        self.assertRecordValues(
            self._charges(), [{"state": "cancelled", "user_id": self.manager.id}] * 2
        )
        with self.assertRaisesRegex(UserError, "waived or reversed"):
            self._charges().with_user(self.manager).action_free()

    def test_a_line_that_was_taken_off_the_draft_is_not_charged(self):
        run = self._charge_run()
        run.action_draft_notes()
        note = run.move_ids
        note.invoice_line_ids[0].unlink()
        note.action_post()
        self.assertEqual(sorted(self._charges().mapped("state")), ["cancelled", "posted"])
        self.assertEqual(self._charge_run().amount, 2, "its days can be charged again")

    def test_a_reversal_of_everything_and_more_gives_up(self):
        run = self._charge_run()
        run.action_post()
        credit = run.move_ids._reverse_moves([{"invoice_date": self.today}])
        credit.invoice_line_ids[0].price_unit += 1
        credit.action_post()
        self.assertEqual(set(self._charges().mapped("state")), {"reversed"})

    def test_days_that_were_given_up_stay_so_when_the_note_goes(self):
        run = self._charge_run()
        run.action_post()
        run.move_ids._reverse_moves([{"invoice_date": self.today}], cancel=True)
        run.move_ids.button_draft()
        run.move_ids.button_cancel()
        self.assertEqual(set(self._charges().mapped("state")), {"reversed"})
        self.assertFalse(self._charge_run().charge_ids)

    def test_reversal_that_is_undone(self):
        run = self._charge_run()
        run.action_post()
        credit = run.move_ids._reverse_moves([{"invoice_date": self.today}], cancel=True)
        credit.button_draft()
        self.assertEqual(set(self._charges().mapped("state")), {"posted"})

    def test_credit_of_a_part_leaves_the_charges(self):
        run = self._charge_run()
        run.action_post()
        credit = run.move_ids._reverse_moves([{"invoice_date": self.today}])
        credit.invoice_line_ids[0].unlink()
        credit.action_post()
        self.assertEqual(set(self._charges().mapped("state")), {"posted"})

    # Memo and waiving

    def test_memo_of_case_items_and_letter(self):
        case = self._case_of_customer()
        self.assertEqual(case.amount_charges, 4)
        self.assertEqual(case.open_item_ids.mapped("ar_late_charge"), [2, 2])
        action = case.action_ids[0]
        self.assertEqual(set(case.action_ids.mapped("amount_charges")), {4})
        block = self.env["ir.qweb"]._render("ar_collections.letter_charges", {"o": action})
        self.assertIn("Late charges of", block)
        self.assertIn("4.00", block)
        self._charge_run().action_post()
        self.assertEqual(case.amount_charges, 0)
        self.assertEqual(action.amount_charges, 4, "what was told stays as it was told")
        action.sudo().amount_charges = 0
        self.assertFalse(
            self.env["ir.qweb"]._render("ar_collections.letter_charges", {"o": action}).strip()
        )

    def test_memo_without_late_charges(self):
        case = self._case_of_customer()
        self.company.ar_charge_from = False
        self._run(1)
        self.assertEqual(case.amount_charges, 0)
        self.assertEqual(set(case.open_item_ids.mapped("ar_late_charge")), {0})

    def test_waive_on_the_case(self):
        case = self._case_of_customer()
        action = case.with_user(self.manager).action_waive_charges()
        wizard = Form(
            self.env["ar.late.charge.waive"]
            .with_user(self.manager)
            .with_context(**action["context"])
        )
        self.assertEqual(wizard.amount, 4)
        wizard.reason = "Our own delay"
        wizard.save().action_waive()
        self.assertRecordValues(
            self._charges(),
            [{"state": "waived", "reason": "Our own delay", "user_id": self.manager.id}] * 2,
        )
        self.assertEqual(case.amount_charges, 0)
        note = case.message_ids[0]
        self.assertIn("Our own delay", note.body)
        self.assertEqual(note.author_id, self.manager.partner_id)
        self.assertFalse(self._charge_run().charge_ids)
        with self._at(1):
            self.assertEqual(self._charge_run(day=1).charge_ids.mapped("days"), [1, 1])
        self._charges("waived").with_user(self.manager).action_free()
        self.assertEqual(case.amount_charges, 4)

    def test_waive_one_line_of_a_preview(self):
        self._case_of_customer()
        run = self._charge_run()
        charge = run.charge_ids[0]
        action = charge.action_waive()
        wizard = (
            self.env["ar.late.charge.waive"]
            .with_user(self.manager)
            .with_context(**action["context"])
            .create({"reason": "Goodwill"})
        )
        wizard.action_waive()
        self.assertEqual((charge.state, run.amount), ("waived", 2))
        run.action_post()
        self.assertEqual(run.move_ids.amount_total, 2)
        for noted in run.charge_ids:
            with self.assertRaisesRegex(UserError, "credit note"):
                noted._waive_charges("Too late")
        with self.assertRaisesRegex(UserError, "set free"):
            (run.charge_ids - charge).action_free()

    def test_charges_of_the_case_are_those_of_its_company(self):
        run = self._charge_run()
        elsewhere = self.setup_other_company(name="Other company")["company"]
        values = run.charge_ids[0].copy_data({"company_id": elsewhere.id, "run_id": False})
        self.env["ar.late.charge"].sudo().create(values)
        case = self._case_of_customer()
        found = self.env["ar.late.charge"].search(case.action_open_charges()["domain"])
        self.assertEqual(found, run.charge_ids)

    def test_charges_of_another_company_are_not_set_free(self):
        charge = self._charge_run().charge_ids[0]
        charge.sudo().state = "waived"
        elsewhere = self.setup_other_company(name="Other company")["company"]
        manager = self.manager.copy(
            {"company_id": elsewhere.id, "company_ids": [Command.set(elsewhere.ids)]}
        )
        with self.assertRaises(AccessError):
            charge.with_user(manager).action_free()
        self.assertEqual(charge.state, "waived")

    def test_charge_from_the_case(self):
        case = self._case_of_customer()
        action = case.with_user(self.manager).action_charge()
        run = self.env["ar.late.charge.run"].browse(action["res_id"])
        self.assertRecordValues(
            run, [{"partner_ids": self.customer.ids, "amount": 4, "state": "draft"}]
        )

    # Who may do what

    def test_collector_reads_and_does_nothing_else(self):
        case = self._case_of_customer()
        run = self._charge_run()
        charge = run.charge_ids[0]
        charge.with_user(self.collector).read(["amount", "state"])
        run.with_user(self.collector).read(["amount", "charge_ids"])
        case.with_user(self.collector).open_item_ids.read(["ar_late_charge"])
        runs = self.env["ar.late.charge.run"].with_user(self.collector)
        wizards = self.env["ar.late.charge.waive"].with_user(self.collector)
        for attempt in (
            lambda: runs.create({"company_id": self.company.id}),
            run.with_user(self.collector).action_compute,
            run.with_user(self.collector).action_draft_notes,
            run.with_user(self.collector).action_post,
            charge.with_user(self.collector).action_waive,
            charge.with_user(self.collector).action_free,
            lambda: charge.with_user(self.collector).write({"state": "waived"}),
            lambda: charge.with_user(self.collector).unlink(),
            lambda: wizards.create({"reason": "Friends", "charge_ids": charge.ids}),
            case.with_user(self.collector).action_charge,
            case.with_user(self.collector).action_waive_charges,
            lambda: case.with_user(self.collector).write({"amount_charges": 0}),
            lambda: self.file.with_user(self.collector).write({"late_charge_mode": "none"}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        self.assertEqual(charge.state, "memo")

    def test_accountants_do_not_charge_or_waive_by_themselves(self):
        """The rights to make invoices are no rights to decide on late charges."""
        accountant = self._user(
            "charge_accountant",
            "base.group_user,ar_collections.group_collector,account.group_account_invoice",
        )
        run = self._charge_run()
        theirs, charge = run.with_user(accountant), run.charge_ids[0].with_user(accountant)
        for attempt in (
            theirs.action_compute,
            theirs.action_draft_notes,
            theirs.action_post,
            charge.action_waive,
            charge.action_free,
            lambda: charge._waive_charges("Friends"),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        self.assertEqual((run.state, set(run.charge_ids.mapped("state"))), ("draft", {"memo"}))

    def test_what_is_computed_cannot_be_written(self):
        run = self._charge_run()
        charges = self.env["ar.late.charge"].with_user(self.manager)
        run.action_draft_notes()
        for attempt in (
            lambda: run.write({"state": "draft"}),
            lambda: run.write({"amount_held": 5}),
            lambda: run.charge_ids[0].write({"amount": 500}),
            lambda: charges.create({"partner_id": self.customer.id, "amount": 5}),
            lambda: run.move_ids.write({"ar_is_late_charge": False}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()

    def test_notes_are_made_with_the_rights_of_the_poster(self):
        manager = self._user("no_accountant", "ar_collections.group_credit_manager")
        run = self._charge_run(user=manager)
        self.assertEqual(run.amount, 4)
        with self.assertRaises(AccessError):
            run.action_post()

    def test_other_companies_are_out_of_sight(self):
        run = self._charge_run()
        stranger = new_test_user(
            self.env,
            "stranger",
            "base.group_user,ar_collections.group_credit_manager",
            company_id=self.branch.create({"name": "Elsewhere"}).id,
        )
        self.assertFalse(run.with_user(stranger).search([("id", "=", run.id)]))
        with self.assertRaises(AccessError):
            run.with_user(stranger).read(["amount"])
        with self.assertRaises(AccessError):
            run.charge_ids.with_user(stranger).action_free()

    def test_auditor_reads(self):
        run = self._charge_run()
        auditor = self._user("charge_auditor", "base.group_user,ar_collections.group_auditor")
        run.with_user(auditor).read(["amount"])
        run.charge_ids.with_user(auditor).read(["amount"])
        with self.assertRaises(AccessError):
            run.with_user(auditor).action_post()

    # Queries

    def test_run_costs_the_same_for_few_and_many(self):
        customers = [self._customer(f"Many {index}") for index in range(22)]

        def queries(some):
            for customer in some:
                self._invoice(customer, 10**5, due=-10)
            self.env.flush_all()
            run = self.env["ar.late.charge.run"].create({"company_id": self.company.id})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run.action_compute()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before, len(run.charge_ids)

        self.env["ar.credit.grade"].search([]).late_charge_rate = 7.3
        queries(customers[:1])
        few, count = queries(customers[1:2])
        many, more = queries(customers[2:])
        self.assertGreater(more, count + 15)
        self.assertLessEqual(many, few + 2)

    def test_memo_of_a_list_is_one_statement(self):
        for index in range(10):
            self._invoice(self._customer(f"List {index}"), 100, due=-10)
        lines = self.env["account.move.line"].search(
            [
                ("account_type", "=", "asset_receivable"),
                ("company_id", "=", self.company.id),
                ("reconciled", "=", False),
            ]
        )

        def queries(some):
            self.env.flush_all()
            self.env.invalidate_all()
            some.mapped("ar_days_overdue")
            before = self.env.cr.sql_log_count
            some.mapped("ar_late_charge")
            return self.env.cr.sql_log_count - before

        queries(lines)
        self.assertEqual(queries(lines[:2]), queries(lines))
