from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon

REASON = "Set off against the bonus"


class TestExclusion(CollectionsCommon):
    """What is overdue and not asked for has somebody's reason and an end, or somebody is asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collector, cls.manager, cls.auditor, cls.biller = (
            new_test_user(
                cls.env,
                f"exclusion_{group.split('.')[-1]}",
                f"base.group_user,{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in (
                "ar_collections.group_collector",
                "ar_collections.group_credit_manager",
                "ar_collections.group_auditor",
                "account.group_account_invoice",
            )
        )

    @classmethod
    def _entry(cls, partner, amount, due, journal_type="general", **line):
        """The item of an opening or other entry, as Odoo makes it."""
        journal = cls.env["account.journal"].search(
            [("company_id", "=", cls.company.id), ("type", "=", journal_type)], limit=1
        )
        receivable = cls.company_data["default_account_receivable"]
        other = cls.company_data["default_account_revenue"]
        move = cls.env["account.move"].create(
            {
                "journal_id": journal.id,
                "date": cls._day(due),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": partner.id,
                            "balance": balance,
                            **(line if account == receivable else {}),
                        }
                    )
                    for account, balance in ((receivable, amount), (other, -amount))
                ],
            }
        )
        move.action_post()
        return move.line_ids.filtered(lambda item: item.account_id == receivable)

    def _file(self, partner=None):
        return self.env["ar.credit.file"]._get_file(partner or self.customer, self.company)

    def _activities(self, partner=None):
        kind = self.env.ref("ar_collections.activity_exclusion")
        return self._file(partner).activity_ids.filtered(
            lambda activity: activity.activity_type_id == kind
        )

    def _exclude(self, lines, user=None, reason=REASON, days=10):
        form = self.env["ar.collection.exclusion"].with_user(user or self.collector)
        form.create(
            {
                "line_ids": [Command.set(lines.ids)],
                "reason": reason,
                "end": self._day(days),
            }
        ).action_exclude()

    def test_what_odoo_excludes_is_not_silent(self):
        self.customer.user_id = self.collector
        old = self._entry(self.customer, 800, -400)
        late = self._entry(self.customer, 70, -3, date_maturity=self._day(-1))
        due_later = self._entry(self.customer, 5, -3, date_maturity=self._day(9))
        credit = self._entry(self.customer, -30, -3)
        asked = self._entry(self.customer, 20, -3, no_followup=False)
        self.assertEqual((old | late | due_later | credit).mapped("no_followup"), [True] * 4)
        self.assertFalse(asked.no_followup, "whoever says so at the entry is heard")
        asked.no_followup = True
        stranger = self._customer("Stranger")
        self._entry(stranger, 9, -3)
        insider = self.branch.partner_id
        self._entry(insider, 9, -3)
        self._run(0)
        self.assertFalse(self._case())
        file = self._file()
        self.assertEqual((file.excluded_amount, file.excluded_undecided), (890, 890))
        activity = self._activities()
        self.assertEqual(activity.user_id, self.collector)
        for item in (old, late, asked):
            self.assertIn(item.move_name, activity.note)
        self.assertNotIn(due_later.move_name, activity.note)
        self.assertEqual(len(self._activities(stranger)), 1)
        self.assertFalse(self._activities(insider), "ourselves are never asked")
        action = file.with_user(self.auditor).action_open_excluded()
        listed = self.env["account.move.line"].with_user(self.auditor).search(action["domain"])
        self.assertEqual(set(listed), set(old | late | due_later | asked))
        self.assertEqual(set(listed.mapped("ar_exclusion")), {"open"})
        for day in (1, 2):
            self._run(day)
            self.assertEqual(self._activities(), activity, "once, not every day")
        activity.action_done()
        self._run(3)
        self.assertFalse(self._activities(), "not again the day after")
        new = self._entry(self.customer, 11, 2)
        self._run(4)
        self.assertIn(new.move_name, self._activities().note)
        self.assertNotIn(old.move_name, self._activities().note)
        self._activities().action_done()
        self._run(self.company.ar_exclusion_days)
        self.assertIn(old.move_name, self._activities().note, "until somebody looks again")

    def test_decided_until_its_end(self):
        invoice = self._invoice(self.customer, 100, due=-20)
        entry = self._entry(self.customer, 800, -30)
        item = invoice.line_ids.filtered(lambda line: line.amount_residual)
        self._exclude(item | entry)
        self.assertTrue(invoice.no_followup)
        self._run(0)
        file = self._file()
        self.assertFalse(self._case())
        self.assertFalse(self._activities(), "somebody has decided")
        self.assertEqual((file.excluded_amount, file.excluded_undecided), (900, 0))
        self.assertRecordValues(
            item,
            [
                {
                    "ar_exclusion": "decided",
                    "ar_exclusion_reason": REASON,
                    "ar_exclusion_end": self._day(10),
                    "ar_exclusion_user_id": self.collector.id,
                }
            ],
        )
        self._run(9)
        self.assertTrue(item.no_followup)
        self._run(10)
        self.assertEqual((item | entry).mapped("no_followup"), [False, False])
        self.assertFalse((item | entry).filtered("ar_exclusion_end"))
        self.assertEqual(self._case().amount_overdue, 900)
        self.assertTrue(self._case().action_ids, "asked for on the same day")
        self.assertIn(REASON, self._activities().note)
        self.assertIn(entry.move_name, file.message_ids.filtered("body")[0].body)
        self._run(11)
        self.assertEqual(len(self._activities()), 1)

    def test_every_instalment_of_an_invoice(self):
        term = self.env.ref("account.account_payment_term_advance_60days")
        invoice = self._invoice(self.customer, 100, due=-60, post=False)
        invoice.invoice_payment_term_id = term
        invoice.action_post()
        items = invoice._ar_open_items()
        self.assertEqual(len(items), 2)
        self._exclude(items[0])
        self.assertEqual(items.mapped("ar_exclusion"), ["decided"] * 2)
        items[1].with_user(self.collector).action_ask_again()
        self.assertEqual(items.mapped("ar_exclusion"), [False] * 2)
        self.assertFalse(items.filtered("ar_exclusion_reason"))

    def test_whoever_asks_again_ends_it(self):
        """By whatever switch: Odoo's of the item, Odoo's of the invoice, our button."""
        invoice = self._invoice(self.customer, 100, due=-20)
        item = invoice._ar_open_items()
        ways = {
            "item": lambda: item.with_user(self.biller).write({"no_followup": False}),
            "invoice": lambda: invoice.with_user(self.biller).write({"no_followup": False}),
            "button": lambda: invoice.with_user(self.collector).action_ask_again(),
        }
        for way, ask_again in ways.items():
            with self.subTest(way=way):
                self._exclude(item)
                ask_again()
                self.assertFalse(item.no_followup)
                self.assertFalse(item.ar_exclusion_end or item.ar_exclusion_reason)
        invoice.with_user(self.biller).no_followup = True
        self.assertEqual(item.ar_exclusion, "open", "the bare switch decides nothing")
        self._run(0)
        self.assertEqual(len(self._activities()), 1)

    def test_reason_and_end_by_every_path(self):
        invoice = self._invoice(self.customer, 100, due=-20)
        item = invoice._ar_open_items()
        longest = self.company.ar_exclusion_days
        wrong = {
            "no reason": {"reason": " "},
            "ends today": {"days": 0},
            "too long": {"days": longest + 1},
        }
        for name, values in wrong.items():
            with self.subTest(name=name), self.assertRaises(UserError):
                self._exclude(item, **values)
        for user in (self.auditor, self.biller):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self._exclude(item, user)
                with self.assertRaises(AccessError):
                    item.with_user(user)._exclude_until(REASON, self._day(5))
                with self.assertRaises(AccessError):
                    item.with_user(user).action_ask_again()
        # Rights on journal entries are none to decide beside the button.
        lines = self.env["account.move.line"].with_user(self.biller)
        values = {"ar_exclusion_reason": REASON, "ar_exclusion_end": self._day(5)}
        with self.assertRaises(AccessError):
            lines.browse(item.id).write(values)
        with self.assertRaises(AccessError):
            lines.browse(item.id).write({"no_followup": True, **values})
        draft = invoice.copy()
        with self.assertRaises(AccessError):
            draft.with_user(self.biller).write(
                {
                    "line_ids": [
                        Command.update(draft.line_ids[0].id, {"ar_exclusion_end": self._day(5)})
                    ]
                }
            )
        with self.assertRaises(AccessError):
            lines.create({"move_id": draft.id, "name": "More", **values})
        with self.assertRaises(AccessError):
            lines.with_context(default_ar_exclusion_end=self._day(5)).create(
                {"move_id": draft.id, "name": "More"}
            )
        # A draft, something paid and a credit are nothing that is asked for.
        paid = self._invoice(self.customer, 50, due=-20)
        self._pay(paid)
        credit = self._invoice(self.customer, 50, due=-20, move_type="out_refund")
        for move in (draft, paid, credit):
            items = move.line_ids.filtered(
                lambda line: line.account_id == self.company_data["default_account_receivable"]
            )
            with self.subTest(move=move.name), self.assertRaises(UserError):
                self._exclude(items)
        self._exclude(item, self.manager, days=longest + 100)
        self.assertEqual(item.ar_exclusion_end, self._day(longest + 100))
        copied = invoice.copy()
        copied.action_post()
        self.assertFalse(copied.line_ids.filtered("ar_exclusion_end"))

    def test_form_proposes_the_usual_end(self):
        invoice = self._invoice(self.customer, 100, due=-20)
        action = invoice.with_user(self.collector).action_exclude_from_followup()
        form = Form(
            self.env["ar.collection.exclusion"]
            .with_user(self.collector)
            .with_context(**action["context"])
        )
        self.assertEqual(form.end, self._day(self.company.ar_exclusion_days))
        form.reason = REASON
        form.save().action_exclude()
        self.assertEqual(invoice._ar_open_items().ar_exclusion, "decided")
        self.assertIn(REASON, self._file().message_ids[0].body)

    def test_other_companies_are_left_alone(self):
        other = self._create_company(name="Other")
        invoice = self._invoice(self.customer, 100, due=-20)
        self._exclude(invoice._ar_open_items())
        undecided = self._entry(self.customer, 800, -30)
        self._run(10, company=other)
        self.assertTrue(invoice.no_followup)
        self.assertFalse(undecided.ar_exclusion_asked)

    def test_a_subsidiary_is_another_customer(self):
        subsidiary = self._customer("Subsidiary", parent_id=self.customer.id)
        own, other = (self._entry(each, 500, -9) for each in (self.customer, subsidiary))
        for partner, item in ((self.customer, own), (subsidiary, other)):
            file = self._file(partner)
            self.assertEqual(file.excluded_amount, 500)
            found = self.env["account.move.line"].search(file.action_open_excluded()["domain"])
            self.assertEqual(found, item)

    def test_who_left_is_not_asked(self):
        self.customer.user_id = self.biller
        self._entry(self.customer, 500, -9)
        self.biller.active = False
        self.company.ar_credit_manager_id = self.manager
        self._run(0)
        self.assertEqual(self._activities().user_id, self.manager)

    def test_costs_the_same_for_many(self):
        def count(partners):
            for partner in partners:
                self._entry(partner, 10, -3)
            self.env["ar.credit.refresh"]._refresh_figures(self.company, self.today)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["account.move.line"].sudo()._ask_to_decide(self.company, self.today)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(self._customer("Warm"))
        few = count(self._customer("Few 1") | self._customer("Few 2"))
        many = self.env["res.partner"].union(*(self._customer(f"Many {i}") for i in range(12)))
        self.assertLessEqual(count(many), few)
