"""What an update from former versions does, as far as it can be seen inside a transaction."""

import importlib.util
from pathlib import Path
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from .common import CollectionsCommon

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def load(path):
    spec = importlib.util.spec_from_file_location(f"migration_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@tagged("post_install", "-at_install")
class TestMigration(TransactionCase):
    def _bridges(self, version):
        """The states of the bridges after an update from that version, none installed before."""
        modules = self.env["ir.module.module"]
        bridges = modules.search(
            [("name", "=like", "ar\\_collections\\_%"), ("auto_install", "=", True)]
        )
        ready = bridges.filtered(
            lambda bridge: all(each.state == "installed" for each in bridge.dependencies_id)
        )
        bridges.state = "uninstalled"
        self.env.flush_all()
        load(MIGRATIONS / "19.0.5.0.0/post-install_bridges.py").migrate(self.env.cr, version)
        self.env.invalidate_all()
        return set(ready.mapped("state"))

    def test_bridges_that_an_update_brings_are_installed(self):
        self.assertLessEqual(self._bridges("19.0.1.0.0"), {"to install"})

    def test_bridges_that_somebody_removed_stay_away(self):
        self.assertLessEqual(self._bridges("19.0.4.0.2"), {"uninstalled"})


class TestMigrationOfClaims(CollectionsCommon):
    def test_claims_of_before_are_judged_by_what_was_booked_after_them(self):
        """Where a credit from before may still pay a claim, it is judged as it was."""
        plain, credited, paid_off = (
            self._customer(name) for name in ("Plain", "Credited", "Paid off")
        )
        invoices = {
            customer: self._invoice(customer, 1000, due=-16)
            for customer in (plain, credited, paid_off)
        }
        part = self._pay(invoices[plain], 400, day=-1)
        self._pay(invoices[credited], 400, day=-1)
        notes = {
            customer: self._invoice(customer, 50, due=-1, move_type="out_refund")
            for customer in (credited, paid_off)
        }
        self._run(0)
        lines = (
            self.env["ar.payment.promise"]
            .create(
                [
                    {
                        "partner_id": customer.id,
                        "company_id": self.company.id,
                        "amount": amount,
                        "date": self._day(5),
                    }
                    for customer, amount in ((plain, 600), (credited, 550), (paid_off, 950))
                ]
            )
            .line_ids
        )
        known = lines[0].booked_before
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE ar_payment_promise_line SET booked_before = NULL, settled_before = 400,
                   create_date = create_date + INTERVAL '1 day'
             WHERE id IN %s
            """,
            [tuple(lines.ids)],
        )
        self.env.invalidate_all()
        (invoices[paid_off] | notes[paid_off]).line_ids.filtered("date_maturity").reconcile()
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE account_partial_reconcile SET create_date = create_date + INTERVAL '2 days'
             WHERE debit_move_id IN %s
            """,
            [tuple(invoices[paid_off].line_ids.ids)],
        )
        for _again in range(2):
            load(MIGRATIONS / "19.0.5.2.0/post-claims.py").migrate(self.env.cr, "19.0.5.0.0")
            self.env.invalidate_all()
            self.assertEqual(lines.mapped("booked_before"), [known, 0, 0])
            self.assertEqual(lines.mapped("settled_before"), [0, 400, 400])
        self._bounce(part)
        self._pay(invoices[plain], 600, day=4)
        self.assertEqual(lines[0].promise_id.state, "kept")


class TestMigrationOfStart(CollectionsCommon):
    def _migrate(self):
        self.env.flush_all()
        path = MIGRATIONS / "19.0.5.3.0/post-start.py"
        load(path).migrate(self.env.cr, "19.0.5.2.0")
        self.env.invalidate_all()

    def test_companies_that_send_go_on(self):
        """Those without a finished run prepare; a second time changes nothing."""
        quiet = self.setup_other_company(name="Quiet")["company"]
        self._invoice(self.customer, 100, due=-7)
        run = self._run(0)
        both = self.company | quiet
        both._ar_prepare_again()
        both.ar_stage_holds = "ask"
        run.sudo().message_count = 0
        self._migrate()
        self.assertTrue(self.company._ar_is_started())
        self.assertFalse(quiet._ar_is_started())
        self.assertEqual(both.mapped("ar_stage_holds"), ["hold", "ask"])
        self.assertEqual(run.message_count, 2)
        self.company.ar_stage_holds = "ask"
        self._migrate()
        self.assertEqual(self.company.ar_stage_holds, "ask")


class TestMigrationOfScores(CollectionsCommon):
    def setUp(self):
        super().setUp()
        self.migration = load(MIGRATIONS / "19.0.5.3.0/post-score.py")
        for name, (former, _now) in self.migration.WEIGHTS.items():
            self.env.ref(f"ar_collections.credit_criterion_{name}").weight = former
        new = ("arrears_days", "arrears_share", "collection_stage")
        for name in new:
            self.env.ref(f"ar_collections.credit_criterion_{name}").unlink()
        self.env["ar.credit.knockout"].search([]).unlink()

    def _migrate(self):
        self.env.flush_all()
        self.migration.migrate(self.env.cr, "19.0.5.2.0")
        self.env.invalidate_all()
        return self.env["ar.credit.criterion"].search([])

    def test_the_shipped_card_counts_arrears(self):
        card = self._migrate()
        self.assertEqual(len(card), 17)
        self.assertEqual(sum(card.mapped("weight")), 100)
        self.assertTrue(all(len(criterion.band_ids) > 1 for criterion in card))
        self.assertEqual(len(self.env["ar.credit.knockout"].search([])), 4)

    def test_a_card_of_ones_own_stays_as_it_is(self):
        own = self.env.ref("ar_collections.credit_criterion_current_ratio")
        own.weight = 20
        card = self._migrate()
        self.assertEqual((len(card), own.weight), (14, 20))
        self.assertEqual(len(self.env["ar.credit.knockout"].search([])), 4)

    def test_grades_of_ones_own_get_no_rules(self):
        self.env["ar.credit.file"].search([]).grade_id = False
        self.env.ref("ar_collections.credit_grade_d").unlink()
        self._migrate()
        self.assertFalse(self.env["ar.credit.knockout"].search([]))

    def test_zeros_that_stood_for_no_score(self):
        new, bad = (self._customer(name) for name in ("New", "Bad"))
        files = self.env["ar.credit.file"]
        new, bad = (files._get_file(customer, self.company, create=True) for customer in (new, bad))
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE ar_credit_file
               SET score = 0, ability_score = 0, willingness_score = 0,
                   score_date = CASE WHEN id = %s THEN %s::date END
             WHERE id IN %s
            """,
            [bad.id, self.today, (new.id, bad.id)],
        )
        self._migrate()
        self.assertIs(new.score, False)
        self.assertEqual(bad.score, 0)


class TestMigrationOfActs(CollectionsCommon):
    """19.0.5.5.0: settlements, and what no company had set."""

    def test_reason_and_text_of_settlements_come_once(self):
        for name in ("writeoff_reason_settlement", "mail_template_settlement"):
            self.env.ref(f"ar_collections.{name}").sudo().unlink()
        load(MIGRATIONS / "19.0.5.5.0/post-settlement.py").migrate(self.env.cr, "19.0.5.4.0")
        self.env.invalidate_all()
        self.assertEqual(
            self.env.ref("ar_collections.writeoff_reason_settlement").code, "settlement"
        )
        text = self.env.ref("ar_collections.mail_template_settlement")
        self.assertIn("settlement_text", text.body_html)

    def test_sheets_ask_for_what_nobody_has_set(self):
        values = {"partner_id": self.customer.id, "company_id": self.company.id, "amount": 100}
        sheets = self.env["ar.legal.decision"].create(
            [
                {**values, "interest": 0.06, "tax_rate": 0.25},
                {**values, "interest": 0.05, "tax_rate": 0.25},
            ]
        )
        load(MIGRATIONS / "19.0.5.5.0/post-legal_terms.py").migrate(self.env.cr, "19.0.5.4.0")
        self.env.invalidate_all()
        self.assertEqual(sheets.mapped("interest"), [False, 0.05])
        self.assertEqual(sheets.mapped("tax_rate"), [False, 0.25])

    def test_companies_that_are_set_up_keep_their_amounts(self):
        yen = self.env.ref("base.JPY")
        yen.sudo().ar_factor = 0
        company = self.env["res.company"].create({"name": "Tokyo", "currency_id": yen.id})
        load(MIGRATIONS / "19.0.5.5.0/post-amount_factors.py").migrate(self.env.cr, "19.0.5.4.0")
        self.env.invalidate_all()
        self.assertEqual((yen.ar_factor, company.ar_amount_factor), (150, 1))
        self.assertFalse(self.env["ar.writeoff.tier"].search([("company_id", "=", company.id)]))


class TestMigrationOfJudgement(CollectionsCommon):
    """What 19.0.5.6.0 brings to those who have the version before."""

    def _migrate(self, name):
        self.env.flush_all()
        path = MIGRATIONS / "19.0.5.6.0" / f"post-{name}.py"
        load(path).migrate(self.env.cr, "19.0.5.5.0")
        self.env.invalidate_all()

    def test_agreements_with_who_is_insolvent_already(self):
        self._invoice(self.customer, 1000, due=-16)
        values = {"partner_id": self.customer.id, "company_id": self.company.id}
        promise = self.env["ar.payment.promise"].create(
            {**values, "amount": 100, "date": self._day(5)}
        )
        insolvencies = self.env["ar.insolvency"]
        with patch.object(type(insolvencies), "_end_agreements", lambda _self: None):
            insolvencies.create(values)
        self.assertEqual(promise.state, "open", "as the version before left it")
        self._migrate("insolvency")
        self.assertEqual(promise.state, "cancelled")

    def test_the_shipped_tolerance(self):
        shipped = self.env.ref("ar_collections.credit_tolerance_manager").sudo()
        shipped.postpone_days = 0
        self._migrate("credit-tolerance")
        self.assertEqual(shipped.postpone_days, 30)
        shipped.write({"postpone_days": 0, "limit_share": 0})
        self._migrate("credit-tolerance")
        self.assertEqual(shipped.postpone_days, 0, "nobody gives more alone there")

    def test_shared_grades_in_the_currency_of_each(self):
        yen = self.env["res.company"].create(
            {"name": "In yen", "currency_id": self.env.ref("base.JPY").id}
        )
        grades = self.env["ar.credit.grade"].sudo()
        own = grades.search([("company_id", "=", yen.id), ("replaces_id", "!=", False)])
        self.assertTrue(own)
        count = len(own)
        own.unlink()
        self._migrate("shared-amounts")
        own = grades.search([("company_id", "=", yen.id), ("replaces_id", "!=", False)])
        self.assertEqual(len(own), count)
