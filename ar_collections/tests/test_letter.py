import base64
import io
import re
from unittest.mock import patch

from hypothesis import given, settings, strategies as st
from pypdf import PdfReader

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, HttpCase, new_test_user, tagged

from ..models.credit import letter as letter_module
from ..models.credit.letter import FOOT, HEAD, Row, Table, paginate
from .common import CollectionsCommon

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5Er"
    "kJggg=="
)
LETTERS = ("reminder_letter", "formal_letter", "final_demand", "handover_notice")


class LetterCommon(CollectionsCommon):
    """A customer with an address, and a step for each letter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("zh_CN")
        cls.customer.write({"street": "1 High Street", "city": "Springfield", "ref": "C-4711"})
        cls.company.write({"street": "2 Low Street", "city": "Shelbyville", "phone": "+1 555 0199"})
        cls.foreign = cls.setup_other_currency("EUR")
        cls.letter_steps = {
            name: cls.env["ar.collection.step"].create(
                {
                    "name": name,
                    "policy_id": cls.policy.id,
                    "days": 100 + number,
                    "channel": "letter",
                    "stage_id": cls.stages["final"].id,
                    "template_id": cls.mail_template.id,
                    "report_id": cls.env.ref(f"ar_collections.report_{name}").id,
                    "automatic": False,
                }
            )
            for number, name in enumerate(LETTERS)
        }
        cls.collector = new_test_user(
            cls.env,
            "letters",
            "base.group_user,ar_collections.group_collector",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _letter(cls, partner=None, name="formal_letter", letter_by="print", freeze=True):
        """A planned letter to the customer about what is overdue."""
        partner = partner or cls.customer
        case = cls.env["ar.collection.case"].search(
            [("partner_id", "=", partner.id), ("company_id", "=", cls.company.id)]
        )
        action = (
            cls.env["ar.collection.action"]
            .sudo()
            .create(
                {
                    "company_id": cls.company.id,
                    "partner_id": partner.id,
                    "case_id": case.id,
                    "step_id": cls.letter_steps[name].id,
                    "rung": 100,
                    "channel": "letter",
                    "letter_by": letter_by,
                    "date_planned": cls.today,
                }
            )
        )
        if freeze:
            action._freeze_now(cls.today)
        return action.sudo(False)

    @classmethod
    def _invoices(cls, count, partner=None, currency=None, start=-200):
        """Posted invoices of rising odd amounts, made at once.

        :return: their amounts in the order of their due dates
        """
        amounts = [round(100.01 + number * 7.13, 2) for number in range(count)]
        moves = cls.env["account.move"].union(
            *(
                cls._invoice(
                    partner or cls.customer, amount, start + number, currency=currency, post=False
                )
                for number, amount in enumerate(amounts)
            )
        )
        moves.action_post()
        return amounts

    def _pdf(self, report, record, **context):
        """The pages of the real PDF, as text."""
        content, kind = (
            self.env["ir.actions.report"]
            .with_context(force_report_rendering=True, **context)
            ._render_qweb_pdf(f"ar_collections.report_{report}", record.ids)
        )
        self.assertEqual(kind, "pdf")
        return self._text(content)

    def _open(self, action):
        """The wizard that an action opens, for the user who opened it."""
        user = self.env["res.users"].browse(self._user_of(action))
        return self.env[action["res_model"]].with_user(user).browse(action["res_id"])

    def _user_of(self, action):
        return self.env[action["res_model"]].sudo().browse(action["res_id"]).create_uid.id

    def _text(self, content):
        return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]

    def _html(self, report, records, **context):
        reports = self.env["ir.actions.report"].with_context(**context)
        html = reports._render_qweb_html(f"ar_collections.report_{report}", records.ids)[0]
        return re.sub(r"\s+", " ", html.decode())


@tagged("-at_install", "post_install")
class TestLetterPdf(LetterCommon, HttpCase):
    """The PDF that a fresh machine prints."""

    def test_every_page_of_a_long_letter(self):
        """Header and footer on every page, and totals that lead from page to page."""
        amounts = self._invoices(70)
        foreign = self._invoices(20, currency=self.foreign)
        self._run(0)
        for lang, words in (
            ("en_US", ("Carried forward", "Brought forward", "Page")),
            ("zh_CN", None),
        ):
            self.customer.lang = lang
            letter = self._letter()
            pages = self._pdf("formal_letter", letter)
            letter.action_cancel()
            self.assertGreater(len(pages), 2)
            for number, page in enumerate(pages, 1):
                with self.subTest(lang=lang, page=number):
                    self.assertIn(self.company.name, page, "the header")
                    self.assertRegex(page, rf"{number}\s*/\s*{len(pages)}\b", "the footer")
            if words:
                self._check_carried(pages, [("USD", amounts), ("EUR", foreign)], *words)

    def _check_carried(self, pages, tables, carried, brought, _page):
        """Read the amounts off the pages: what is carried is the sum of the rows above it."""
        number = r"(-?[\d,]+\.\d\d)"
        lines = [line for page in pages for line in page.splitlines()]
        for currency, amounts in tables:
            first = next(i for i, line in enumerate(lines) if f"Still Open ({currency})" in line)
            read, total = [], 0
            for line in lines[first:]:
                row = re.match(rf"INV\S+ .* {number}$", line)
                if row:
                    read.append(float(row[1].replace(",", "")))
                    total = round(total + read[-1], 2)
                elif line.startswith((carried, brought)):
                    amount = float(re.search(number, line)[1].replace(",", ""))
                    self.assertEqual(amount, total, line)
                elif line.startswith("Total"):
                    break
            self.assertEqual(read, amounts, "every item once, in the order of due dates")
            self.assertEqual(float(re.search(number, line)[1].replace(",", "")), total)

    def test_print_batch(self):
        """One PDF, each letter with its own page numbers; done when the user says so."""
        others = [
            self._customer(f"Debtor {i}", street=f"{i} Road", city="Springfield") for i in (1, 2)
        ]
        lost = self._customer("Lost")
        for partner in (self.customer, *others, lost):
            self._invoice(partner, 100, due=-20)
        self._invoices(60, others[0])
        self._run(0)
        letters = (
            self.env["ar.collection.action"]
            .union(
                *(self._letter(partner, freeze=False) for partner in (self.customer, *others, lost))
            )
            .with_user(self.collector)
        )
        wizard = self._open(letters.action_print_letters())
        self.assertEqual((wizard.letter_count, wizard.missing_count), (3, 1))
        self.assertIn("No address", wizard.line_ids.filtered(lambda x: not x.is_printable).address)
        with self.assertRaises(UserError, msg="nothing is printed yet"):
            wizard.action_sent()
        wizard.with_context(force_report_rendering=True).action_print()
        pages = self._text(base64.b64decode(wizard.document))
        footers = [re.search(r"(\d+) / (\d+)", page) for page in pages]
        self.assertEqual(
            [(int(footer[1]), int(footer[2])) for footer in footers],
            [(1, 1), (1, 3), (2, 3), (3, 3), (1, 1)],
            "each letter counts its own pages",
        )
        self.assertEqual(set(letters.mapped("state")), {"planned"}, "not in the post yet")
        wizard.action_sent()
        self.assertRecordValues(
            letters,
            [
                *(3 * [{"state": "done", "outcome": "posted", "date_done": self.today}]),
                {"state": "planned", "outcome": False, "date_done": False},
            ],
        )
        for letter in letters[:3]:
            self.assertEqual(letter.message_id.attachment_ids, letter.sudo().attachment_id)
            self.assertTrue(letter.item_ids)
        self.assertEqual(self._case().file_id.last_contact_date, self.today)
        # Nothing is lost: the one without address is printed once it has one.
        lost.write({"street": "Found Street", "city": "Springfield"})
        wizard = self._open(letters.action_print_letters())
        self.assertEqual((wizard.letter_count, wizard.open_count), (4, 1))
        kept = letters[0].sudo().attachment_id
        wizard.with_context(force_report_rendering=True).action_print()
        self.assertEqual(letters[0].sudo().attachment_id, kept, "a sent letter stays as it was")
        wizard.action_sent()
        self.assertEqual(set(letters.mapped("state")), {"done"})

    def test_print_menu_numbers_each_letter(self):
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        letters = self._letter() | self._letter(name="final_demand")
        pages = self._pdf("formal_letter", letters)
        self.assertEqual(len(pages), 2)
        for page in pages:
            self.assertRegex(page, r"1\s*/\s*1\b")


class TestLetter(LetterCommon):
    # Words and figures

    def test_every_letter_in_both_languages(self):
        self._invoice(self.customer, 1234.56, due=-20)
        self._invoice(self.customer, 99.99, due=-10, currency=self.foreign)
        self._run(0)
        titles = {
            "reminder_letter": "Payment reminder",
            "formal_letter": "Overdue account: request for payment",
            "final_demand": "Final demand for payment before further steps",
            "handover_notice": "Notice: your account has been handed over",
        }
        for lang in ("en_US", "zh_CN"):
            self.customer.lang = lang
            for name, title in titles.items():
                with self.subTest(lang=lang, letter=name):
                    letter = self._letter(name=name)
                    html = self._html(name, letter)
                    for text in ("1,234.56", "99.99", "C-4711", "1 High Street", "(EUR)"):
                        self.assertIn(text, html)
                    self.assertEqual(title in html, lang == "en_US")
                    if lang == "zh_CN":
                        self.assertRegex(html, "[\u4e00-\u9fff]")
                    letter.action_cancel()

    def test_the_law_speaks_on_the_final_demand_alone(self):
        """Its words are the country pack's, in the language of the customer."""
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        words = "interrupts limitation"
        for pack, told in (("neutral", False), ("cn", True)):
            self._own_rule(pack)
            letters = {name: self._letter(name=name) for name in ("final_demand", "formal_letter")}
            self.assertEqual(words in self._html("final_demand", letters["final_demand"]), told)
            self.assertNotIn(words, self._html("formal_letter", letters["formal_letter"]))
            (letters["final_demand"] | letters["formal_letter"]).action_cancel()
        self.customer.lang = "zh_CN"
        self._own_rule("cn").with_context(lang="zh_CN").demand_text = "民法典"
        self.assertIn("民法典", self._html("final_demand", self._letter(name="final_demand")))

    def test_date_and_deadline_are_of_the_day_it_is_sent(self):
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        letter = self._letter()
        html = self._html("formal_letter", letter, ar_letter_date=self._day(3))
        self.assertIn("June 6, 2030", html)
        self.assertIn("June 16, 2030", html)

    def test_without_headers_the_letter_says_who_writes(self):
        """An engine that prints no headers still makes a letter."""
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        letter = self._letter()
        self.assertFalse(letter._letter_needs_head("html"))
        info = letter_module._wkhtml()._replace(is_patched_qt=False)
        with patch.object(letter_module, "_wkhtml", lambda: info):
            self.assertTrue(letter._letter_needs_head("pdf"))

    def test_items_cost_no_queries(self):
        few, many = self._customer("Few", street="A", city="B"), self._customer("Many")
        many.write({"street": "A", "city": "B"})
        self._invoices(5, few)
        self._invoices(50, many)
        self._run(0)
        letters = [self._letter(partner) for partner in (few, many)]
        for letter in letters:  # once, for what is read once
            self._html("formal_letter", letter)

        def count(letter):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._html("formal_letter", letter)
            return self.env.cr.sql_log_count - before

        count(letters[0])  # the first count fills what is kept between transactions
        self.assertEqual(count(letters[0]), count(letters[1]))

    # How letters are sent

    def test_way_of_sending(self):
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        letter = self._letter(letter_by="print", freeze=False).with_user(self.collector)
        with self.assertRaises(UserError, msg="paper is not sent by a button"):
            letter.action_send()
        letter.letter_by = "email"
        letter.action_send()
        self.assertRecordValues(letter, [{"state": "done", "outcome": "sent"}])
        self.assertEqual(letter.message_id.attachment_ids, letter.sudo().attachment_id)

    def test_automatic_step_waits_to_be_printed(self):
        self.env["ar.collection.step"].search([("policy_id", "=", self.policy.id)]).filtered(
            lambda step: step.days < 100
        ).unlink()
        step = self.letter_steps["reminder_letter"]
        step.write({"days": 10, "letter_by": "print", "automatic": True})
        self._invoice(self.customer, 100, due=-20)
        self._run(0, execute=False)
        run = self._run(0, execute=False)
        self.assertIn("High Street", run.line_ids.address)
        self._run(0)
        letter = self._case().action_ids
        self.assertRecordValues(letter, [{"state": "planned", "letter_by": "print"}])
        self._run(1)
        self.assertEqual(self._case().action_ids, letter, "it is asked for once")

    def test_who_may_print(self):
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        letter = self._letter()
        auditor = new_test_user(
            self.env,
            "letters_auditor",
            "base.group_user,ar_collections.group_auditor",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            letter.with_user(auditor).action_print_letters()
        wizard = self._open(letter.with_user(self.collector).action_print_letters())
        for values in (
            {"state": "printed"},
            {"document": "eA=="},
            {"line_ids": [Command.create({"action_id": letter.id, "is_printable": True})]},
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                wizard.write(values)
        with self.assertRaises(AccessError), self.cr.savepoint():
            wizard.create({"state": "printed", "line_ids": [Command.create({})]})
        with self.assertRaises(UserError):
            self._case().action_ids.filtered(
                lambda action: action.channel == "call"
            ).action_print_letters()

    def test_letter_of_a_colleague_where_each_has_their_own(self):
        """Rules that a company adds hold for printing as well."""
        self._invoice(self.customer, 100, due=-20)
        self._run(0)
        letter = self._letter()
        wizard = self._open(letter.with_user(self.collector).action_print_letters())
        wizard.sudo().state = "printed"
        self.env["ir.rule"].create(
            {
                "name": "Collectors change what is theirs",
                "model_id": self.env["ir.model"]._get_id("ar.collection.action"),
                "domain_force": "[('user_id', '=', user.id)]",
                "perm_read": False,
            }
        )
        for button in (wizard.action_print, wizard.action_sent):
            with self.assertRaises(AccessError):
                button()
        self.assertEqual(letter.state, "planned")
        letter.user_id = self.collector
        wizard.action_sent()
        self.assertEqual(letter.state, "done")

    # Agreements

    def test_plan_and_acknowledgement_go_with_their_mails(self):
        self._invoices(3)
        self._invoice(self.customer, 50, due=-5, currency=self.foreign)
        plan = self.env["ar.payment.plan"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "note": "Paid every month.",
            }
        )
        plan.action_distribute()
        html = self._html("payment_plan", plan)
        for line in plan.line_ids:
            self.assertIn(f"{line.amount:,.2f}", html)
        for text in (plan.name, "Paid every month.", "Place, date", f"{plan.amount_total:,.2f}"):
            self.assertIn(text, html)
        plan.action_propose()
        self.assertEqual(len(plan.message_ids.attachment_ids), 1, "the plan to sign")
        paper = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.customer.id, "company_id": self.company.id}
        )
        html = self._html("debt_acknowledgement", paper)
        for text in ("321.42", "50.00", "In the books of", f"{paper.amount:,.2f}"):
            self.assertIn(text, html)
        paper.action_send()
        self.assertEqual(len(paper.message_ids.attachment_ids), 1)
        paper._sign("The Boss", PIXEL)
        html = self._html("debt_acknowledgement", paper)
        self.assertIn("The Boss", html)
        self.assertIn("data:image", html.rpartition("Place, date")[2])


class Unit:
    """A currency that knows its cents."""

    @staticmethod
    def round(amount):
        return round(amount, 2)


class TestPaginate(BaseCase):
    @given(
        sizes=st.lists(st.lists(st.integers(-(10**7), 10**7), max_size=120), max_size=4),
        first=st.integers(0, 30),
        others=st.integers(8, 45),
        opening=st.booleans(),
    )
    @settings(max_examples=150, deadline=None)
    def test_no_row_is_lost_and_totals_lead_on(self, sizes, first, others, opening):
        tables = [
            Table(
                "T",
                [],
                [Row([], cents / 100) for cents in table],
                Unit,
                "Total",
                12.34 if opening else 0.0,
                "Before" if opening else "",
            )
            for table in sizes
        ]
        chunks = paginate(tables, first, others)
        for table, cents in zip(tables, sizes, strict=True):
            own = [chunk for chunk in chunks if chunk.table is table]
            self.assertEqual([row for chunk in own for row in chunk.rows], table.rows)
            done = 1234 if opening else 0
            for chunk in own:
                self.assertEqual(chunk.brought, None if chunk is own[0] else done / 100)
                done += sum(round(row.amount * 100) for row in chunk.rows)
                self.assertEqual(round(chunk.total * 100), done)
                self.assertEqual(chunk.is_last, chunk is own[-1])
            self.assertEqual(done, sum(cents) + (1234 if opening else 0))
        used, room = 0, first
        for chunk in chunks:
            if chunk.starts_page:
                used, room = 0, others
            leading = chunk.brought is not None or opening
            used += HEAD + leading + len(chunk.rows) + FOOT
            self.assertLessEqual(used, room, "a page holds what is on it")
        self.assertFalse(
            [chunk for chunk in chunks if chunk.table.rows and not chunk.rows], "no empty page"
        )

    def test_table_that_just_fits_stays_on_its_page(self):
        rows = [Row([], 1.0), Row([], 2.0)]
        table = Table("T", [], rows, Unit, "Total")
        for first, starts in ((HEAD + 2 + FOOT, False), (HEAD + 1 + FOOT, True)):
            chunks = paginate([table], first, 40)
            self.assertEqual([chunk.starts_page for chunk in chunks], [starts])
