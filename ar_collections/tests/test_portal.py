import re
from base64 import b64decode, b64encode
from datetime import date, datetime, time, timedelta
from itertools import product

from freezegun import freeze_time
from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import format_date, mute_logger

from ..models.portal.portal_claim import MAX_BYTES, MAX_FILES
from ..models.portal.portal_statement import item_state
from .common import CollectionsCommon

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EXPIRED = "This link does not work any more"


class PortalCase(CollectionsCommon, HttpCase):
    """Requests read the clock: it is noon when the tests begin, so no midnight comes between."""

    today = date.today()

    @classmethod
    def setUpClass(cls):
        noon = datetime.combine(cls.today, time(12))
        cls.startClassPatcher(freeze_time(noon, tick=True))
        super().setUpClass()

    def _sent(self, message):
        """``{reader: text}`` of the e-mails of a message, as they are handed to the mail server."""
        mails = self.env["mail.mail"].sudo().search([("mail_message_id", "=", message.id)])
        return {
            values["partner_id"]: values["body"]
            for mail in mails
            for values in mail._prepare_outgoing_list()
        }

    def _links(self, text):
        """The addresses of pages in a text, below our own."""
        found = html.fromstring(text).xpath("//a[contains(@href, '/my/receivables')]/@href")
        return [link[link.index("/my/") :] for link in found]


class PortalPages(PortalCase):
    """A customer with invoices, a page and papers to sign, and another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._customer("Other Customer")
        cls.child = cls._customer(
            "Accounts Payable",
            parent_id=cls.customer.id,
            is_company=False,
            email="payable@customer.example.com",
        )
        cls.invoice = cls._invoice(cls.customer, 1000, due=-40)
        cls.small = cls._invoice(cls.child, 234.56, due=-3)
        cls.later = cls._invoice(cls.customer, 80, due=20)
        cls.foreign_invoice = cls._invoice(cls.other, 777, due=-10)
        cls.mail_template.body_html = '<t t-out="object.payment_details"/>'
        # The day of the tests may be a Saturday.
        cls.policy.skip_rest_days = False
        cls._run(0)
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company)
        cls.other_file = cls.env["ar.credit.file"]._get_file(cls.other, cls.company)
        cls.collector = new_test_user(
            cls.env,
            "portal_collector",
            "base.group_user,ar_collections.group_collector",
            name="Collecting Person",
            email="collecting.person@example.com",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.file.sudo().collector_id = cls.collector
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.case.sudo().collector_id = cls.collector
        cls.portal_user = new_test_user(
            cls.env,
            "portal_child",
            "base.group_portal",
            partner_id=cls.child.id,
            email=cls.child.email,
        )
        cls.token = cls.file._portal_token(cls.today)
        cls.page = f"/my/receivables/{cls.file.id}"

    def _get(self, path="", token=None, **params):
        params = {**({"access_token": token} if token else {}), **params}
        path = path if path.startswith("/") and path.startswith("/my") else self.page + path
        return self.url_open(path, params=params)

    def _post(self, path, token=None, files=None, **data):
        """Send a form as the page has it, with its protection against forgery."""
        page = self.url_open(self.page + path, params={"access_token": token} if token else {})
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        data = {**data, "csrf_token": found[1], **({"access_token": token} if token else {})}
        return self.url_open(self.page + path, data=data, files=files)

    def _item(self, invoice):
        return invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _text(self, response):
        return re.sub(r"\s+", " ", html.fromstring(response.content).text_content())

    def _numbers(self, response):
        return {
            move.name
            for move in self.invoice | self.small | self.later | self.foreign_invoice
            if move.name in response.text
        }

    def _papers(self, file):
        """A plan and an acknowledgement that wait for the customer's signature."""
        vals = {"partner_id": file.partner_id.id, "company_id": file.company_id.id}
        plan = self.env["ar.payment.plan"].create({**vals, "user_id": self.collector.id})
        plan.action_distribute()
        plan.action_propose()
        acknowledgement = self.env["ar.debt.acknowledgement"].create(vals)
        acknowledgement.action_send()
        return plan, acknowledgement

    def _ask_code(self, record, token, email="payable@customer.example.com"):
        """Ask for a code by the form of the page; the page that follows."""
        page = self._get(record.access_url, token=token)
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        data = {"csrf_token": csrf, "access_token": token, "email": email}
        return self.url_open(f"{record.access_url}/signer", data=data)

    def _code(self):
        """The code in the newest e-mail."""
        mail = self.env["mail.mail"].sudo().search([], order="id desc", limit=1)
        return re.search(r"\b\d{8}\b", mail.body_html)[0]

    def _enter_code(self, page, record, token, code):
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        data = {"csrf_token": csrf, "access_token": token, "code": code}
        return self.url_open(f"{record.access_url}/signer", data=data)

    def _confirm(self, record, token):
        """Come as a contact who has confirmed its address."""
        page = self._ask_code(record, token)
        return self._enter_code(page, record, token, self._code())

    def _sign(self, record, token, name="Director", signature=PNG):
        return self.make_jsonrpc_request(
            f"{record.access_url}/sign?access_token={token}",
            {"name": name, "signature": signature},
        )


@tagged("post_install", "-at_install")
class TestPortal(PortalPages):
    # What is seen, and by whom

    def test_statement_by_link(self):
        response = self._get(token=self.token)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(
            self._numbers(response), {self.invoice.name, self.small.name, self.later.name}
        )
        text = self._text(response)
        for words in (
            "1,314.56",
            "1,234.56",
            "40 days overdue",
            "31-60 days",
            "Collecting Person",
            "collecting.person@example.com",
        ):
            self.assertIn(words, text)

    def test_contact_of_the_customer_sees_the_page_of_its_firm(self):
        self.authenticate("portal_child", "portal_child")
        for path in ("/my/receivables", self.page):
            response = self._get(path)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(
                self._numbers(response), {self.invoice.name, self.small.name, self.later.name}
            )
        self.assertNotIn("access_token", self._get().text)

    def test_item_is_told_in_one_word(self):
        words = ("credit", "processing", "disputed", "promised", "overdue")
        for residual, *facts in product((10, 0, -10), *[(False, True)] * 4):
            overdue, disputed, promised, processing = facts
            told = (residual < 0, processing, disputed, promised, overdue)
            expected = next((word for word, so in zip(words, told, strict=True) if so), "due")
            self.assertEqual(
                item_state(residual, overdue, disputed, promised, processing), expected
            )

    def test_contact_is_who_deals_with_the_customer(self):
        file = self.file.sudo()
        other, manager = (
            new_test_user(
                self.env,
                f"portal_{group}_2",
                f"base.group_user,ar_collections.group_{group}",
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for group in ("collector", "credit_manager")
        )
        self.company.ar_credit_manager_id = manager
        self.assertEqual(file._portal_contact(), self.collector)
        self.case.sudo().collector_id = other
        self.assertEqual(file._portal_contact(), other)
        self.case.sudo().collector_id = False
        self.assertEqual(file._portal_contact(), self.collector)
        file.collector_id = False
        self.assertEqual(file._portal_contact(), manager)
        self.company.ar_credit_manager_id = False
        nobody = file._portal_contact()
        self.assertTrue(nobody.has_group("ar_collections.group_credit_manager"))
        self.assertIn(self.company, nobody.company_ids)
        self.case.sudo().collector_id = other
        other.active = False
        self.assertEqual(file._portal_contact(), nobody)

    def test_page_is_there_for_who_owes_or_has_agreed(self):
        calm = self._customer("Calm Customer")
        file = self.env["ar.credit.file"]._get_file(calm, self.company, create=True).sudo()
        files = self.env["ar.credit.file"]
        self.assertFalse(files._portal_files(calm))
        invoice = self._invoice(calm, 10, due=-5)
        self.assertEqual(files._portal_files(calm), file)
        paper = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": calm.id, "company_id": self.company.id}
        )
        self._pay(invoice)
        self.assertFalse(files._portal_files(calm), "a draft is not the customer's")
        for state, seen in (("sent", True), ("signed", True), ("cancelled", False)):
            paper.sudo().state = state
            self.assertEqual(bool(files._portal_files(calm)), seen, state)

    def test_home_counts_for_who_owes_only(self):
        self.authenticate("portal_child", "portal_child")
        count = self.make_jsonrpc_request("/my/counters", {"counters": ["receivable_count"]})
        self.assertEqual(count["receivable_count"], 1)
        new_test_user(self.env, "portal_nobody", "base.group_portal")
        self.authenticate("portal_nobody", "portal_nobody")
        count = self.make_jsonrpc_request("/my/counters", {"counters": ["receivable_count"]})
        self.assertEqual(count["receivable_count"], 0)
        response = self._get("/my/receivables")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Nothing is open", response.text)
        self.assertIn("/my/receivables", self._get("/my").text)

    def test_stranger_is_asked_to_log_in(self):
        for path in ("/my/receivables", self.page):
            response = self.url_open(path, allow_redirects=False)
            self.assertEqual(response.status_code, 303)
            self.assertIn("/web/login?redirect=", response.headers["Location"])

    def test_pages_of_others_stay_closed(self):
        plan, acknowledgement = self._papers(self.other_file)
        closed = [
            f"/my/receivables/{self.other_file.id}",
            *(
                f"/my/receivables/{self.other_file.id}/{page}"
                for page in ("promise", "dispute", "pay", f"invoice/{self.foreign_invoice.id}")
            ),
            f"/my/receivables/plan/{plan.id}",
            f"/my/receivables/acknowledgement/{acknowledgement.id}",
            "/my/receivables/999999999",
            "/my/receivables/plan/999999999",
        ]
        for path in closed:
            response = self._get(path, token=self.token)
            self.assertEqual(response.status_code, 403, path)
            self.assertIn(EXPIRED, response.text)
            self.assertFalse(self._numbers(response))
            for words in ("777.00", "Other Customer"):
                self.assertNotIn(words, response.text)
        self.authenticate("portal_child", "portal_child")
        for path in closed:
            self.assertEqual(self._get(path).status_code, 403, path)
        own_page = self._get(f"/invoice/{self.foreign_invoice.id}")
        self.assertEqual(own_page.status_code, 404)

    def test_links_that_do_not_work(self):
        yesterday = self.file._portal_token(self.today - timedelta(days=31))
        forged = self.token[:-4] + ("AAAA" if self.token[-4:] != "AAAA" else "BBBB")
        other = self.other_file._portal_token(self.today)
        for token in (yesterday, forged, other, "x", "%00", "é", self.token[:20], "1" * 5000):
            response = self._get(token=token)
            self.assertEqual(response.status_code, 403, token)
            self.assertIn(EXPIRED, response.text)
            self.assertFalse(self._numbers(response))
        last_day = self.file._portal_token(self.today - timedelta(days=30))
        self.assertEqual(self._get(token=last_day).status_code, 200)

    def test_revoked_links(self):
        plan, _acknowledgement = self._papers(self.file)
        [link] = self._links(self._sent(plan.message_ids.filtered("partner_ids"))[self.customer])
        self.assertEqual(self._get(link).status_code, 200)
        self.file.with_user(self.collector).action_revoke_portal_links()
        for path in (self.page, f"/my/receivables/plan/{plan.id}"):
            self.assertEqual(self._get(path, token=self.token).status_code, 403)
        self.assertEqual(self._get(token=self.file._portal_token(self.today)).status_code, 200)
        # Other customers' links go on working.
        other = self.other_file
        self.assertEqual(
            self._get(
                f"/my/receivables/{other.id}", token=other._portal_token(self.today)
            ).status_code,
            200,
        )

    def test_link_opens_nothing_else(self):
        self.assertEqual(self._get(token=self.token).status_code, 200)
        for path in (f"/my/invoices/{self.invoice.id}", "/my/invoices", "/my/account"):
            response = self.url_open(
                path, params={"access_token": self.token}, allow_redirects=False
            )
            self.assertIn(response.status_code, (303, 403, 404), path)
        # The page gives away no link that would outlive it.
        self.assertNotIn(self.invoice._portal_ensure_token(), self._get(token=self.token).text)

    def test_no_links_when_the_company_sends_none(self):
        self.company.ar_portal_days = 0
        self.file.invalidate_recordset()
        self.assertFalse(self.file.portal_link)
        with self.assertRaises(UserError):
            self.file.action_open_portal()

    def test_who_may_have_and_revoke_links(self):
        auditor = new_test_user(
            self.env,
            "portal_auditor",
            "base.group_user,ar_collections.group_auditor",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        file = self.file.with_user(auditor)
        with self.assertRaises(AccessError):
            file.read(["portal_link"])
        for button in (file.action_revoke_portal_links, file.action_open_portal):
            with self.assertRaises(AccessError):
                button()
        with self.assertRaises(AccessError):
            self.file.with_user(self.collector).portal_revocations = 0
        self.assertIn(self.page, self.file.with_user(self.collector).action_open_portal()["url"])

    def test_customers_have_no_rights_behind_the_page(self):
        for model in ("ar.credit.file", "ar.payment.promise", "ar.dispute", "ar.payment.plan"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.portal_user).search([])

    def test_invoice_pdf(self):
        for move in (self.invoice, self.small):
            response = self._get(f"/invoice/{move.id}", token=self.token)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["Content-Type"], "application/pdf")
        draft = self._invoice(self.customer, 5, due=3, post=False)
        self.assertEqual(self._get(f"/invoice/{draft.id}", token=self.token).status_code, 404)

    def test_several_companies(self):
        second = self.setup_other_company(name="Second Company")["company"]
        invoice = (
            self.env["account.move"]
            .with_company(second)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer.id,
                    "company_id": second.id,
                    "invoice_date": self._day(-50),
                    "invoice_date_due": self._day(-20),
                    "invoice_payment_term_id": False,
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "Goods", "price_unit": 4321, "tax_ids": [Command.clear()]}
                        )
                    ],
                }
            )
        )
        invoice.action_post()
        self._run(0, company=second)
        second_file = self.env["ar.credit.file"]._get_file(self.customer, second)
        self.authenticate("portal_child", "portal_child")
        page = self._get("/my/receivables")
        self.assertIn("Second Company", page.text)
        self.assertIn("4,321.00", self._text(self._get(f"/my/receivables/{second_file.id}")))
        self.assertNotIn("4,321.00", self._text(self._get()))
        # An item of one company is not chosen on the page of another.
        self._post("/promise", item=self._item(invoice).id, name="N", date=str(self._day(2)))
        self.assertFalse(self._promises())
        self.logout()
        page = self._get(token=self.token)
        self.assertNotIn("Second Company", page.text)
        # Neither do pages and papers of the customer's business with the other company.
        plan, acknowledgement = self._papers(second_file)
        for path in (f"/my/receivables/{second_file.id}", plan.access_url):
            self.assertEqual(self._get(path, token=self.token).status_code, 403)
        for paper in (plan, acknowledgement):
            self.assertNotIn(paper.name, page.text)
            answer = self._sign(paper, self.token)
            self.assertEqual(answer, {"error": f"{EXPIRED}."})
            self.assertFalse(paper.signed_on)
        refused = self._get(f"/invoice/{invoice.id}", token=self.token)
        self.assertEqual(refused.status_code, 404)
        theirs = second_file._portal_token(self.today)
        self.assertEqual(self._get(plan.access_url, token=theirs).status_code, 200)

    def test_each_currency_has_its_total(self):
        currency = self.setup_other_currency("EUR")
        foreign = self._invoice(self.customer, 500.01, due=-70, currency=currency)
        page = self._get(token=self.token)
        text = self._text(page)
        self.assertRegex(text, r"USD.*Balance \D*1,314\.56.*EUR.*Balance \D*500\.01")
        tables = html.fromstring(page.content).find_class("o_ar_portal_items")
        self.assertEqual(
            [foreign.name in table.text_content() for table in tables],
            [False, True],
            "the company's own currency comes first",
        )
        _plan, acknowledgement = self._papers(self.file)
        text = self._text(self._get(acknowledgement.access_url, token=self.token))
        figures = self.env["ar.position"]._figures(self.company, self.today, self.customer)
        balance = f"{figures[self.company.id, self.customer.id].open_amount:,.2f}"
        for total in ("1,314.56", "500.01", balance):
            self.assertRegex(text, rf"Total [^.]*{re.escape(total)}")

    def test_page_speaks_the_customers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        day = (self._item(self.invoice).date_maturity).strftime("%d/%m/%Y")
        self.assertIn(day, self._text(self._get(token=self.token)))

    def test_queries_do_not_grow_with_the_items(self):
        def queries():
            self.env.cr.flush()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            page = self._get(token=self.token)
            self.assertEqual(page.status_code, 200)
            return self.env.cr.sql_log_count - before, page.text.count('name="item"')

        queries()  # templates are compiled once
        few = queries()
        for _index in range(45):
            self._invoice(self.customer, 10, due=-5)
        many = queries()
        self.assertEqual((few[1], many[1]), (3, 48))
        self.assertLessEqual(many[0], few[0] + 3)

    # Promise

    def _promises(self):
        return self.env["ar.payment.promise"].search([("partner_id", "=", self.customer.id)])

    def test_promise(self):
        item = self._item(self.small)
        day = self._day(5)
        response = self._post(
            "/promise",
            self.token,
            item=item.id,
            name="Head of Accounts",
            date=str(day),
            note="With Friday's run",
        )
        self.assertIn("We have noted the day", response.text)
        promise = self._promises()
        self.assertRecordValues(
            promise,
            [
                {
                    "amount": 234.56,
                    "date": day,
                    "state": "open",
                    "user_id": self.collector.id,
                    "note": "With Friday's run",
                }
            ],
        )
        self.assertEqual(promise.line_ids.move_line_id, item)
        self.assertIn("Head of Accounts", "".join(promise.message_ids.mapped("body")))
        self.assertIn(self.collector.partner_id, promise.message_ids.notified_partner_ids)
        self.assertEqual(self.case.amount_promised, 234.56)
        self.assertIn("Payment promised", self._text(self._get(token=self.token)))

    def test_bad_promises_keep_what_was_typed(self):
        item = self._item(self.invoice)
        good = {"item": item.id, "name": "Nameful", "date": str(self._day(3))}
        last = format_date(self.env, self._day(30))
        for change, message in (
            ({"date": str(self._day(-1))}, "Choose a day from today"),
            ({"date": str(self._day(31))}, f"Choose a day from today to {last}"),
            ({"date": "soon"}, "is not a date"),
            ({"date": ""}, "Choose the day"),
            ({"amount": "1000.01"}, "Only"),
            ({"amount": "-5"}, "is not an amount"),
            ({"amount": "nan"}, "is not an amount"),
            ({"amount": "1e300"}, "is not an amount"),
            ({"amount": "0.001"}, "Enter the amount"),
            ({"name": " "}, "Write your name"),
            ({"name": "N" * 121}, "too long"),
            ({"item": "abc"}, "Choose at least one item"),
            ({"item": self._item(self.foreign_invoice).id}, "Choose at least one item"),
        ):
            response = self._post("/promise", self.token, **{**good, "note": "My note", **change})
            self.assertEqual(response.status_code, 200)
            self.assertIn(message, self._text(response), change)
            self.assertIn("My note", response.text)
            self.assertFalse(self._promises(), change)
        # Part of it is fine.
        self._post("/promise", self.token, **{**good, "amount": "999.99"})
        self.assertEqual(self._promises().amount, 999.99)

    def test_nobody_promises_further_than_the_grade_allows(self):
        """On the page not even who might elsewhere; the form says the last day."""
        claims, line = self.env["ar.portal.claim"].sudo(), self._item(self.invoice)
        file = self.file.sudo()
        self.assertTrue(self.env.user.has_group("ar_collections.group_credit_manager"))
        for days, last in ((10, 10), (0, 30), (90, 30)):
            file.grade_id.max_promise_days = days
            with self.subTest(days=days):
                self.assertEqual(file._portal_last_promise(self.today), self._day(last))
                with self.assertRaises(UserError):
                    claims._make_promise(file, line, 100, self._day(last + 1), "N")
        file.grade_id.max_promise_days = 10
        page = self._get("/promise", self.token)
        last = format_date(self.env, self._day(10))
        self.assertIn(f"On {last} at the latest.", page.text)
        self.assertEqual(claims._make_promise(file, line, 100, self._day(10), "N").state, "open")

    def test_an_item_is_promised_once(self):
        good = {"item": self._item(self.invoice).id, "name": "N", "date": str(self._day(3))}
        self._post("/promise", self.token, **good)
        for day in (3, 9):
            response = self._post("/promise", self.token, **{**good, "date": str(self._day(day))})
            self.assertIn("has been promised before", response.text)
        self.assertEqual(len(self._promises()), 1)
        self._post("/promise", self.token, **{**good, "item": self._item(self.small).id})
        self.assertEqual(len(self._promises()), 2)

    def test_what_was_promised_before_needs_a_talk(self):
        claims, line = self.env["ar.portal.claim"].sudo(), self._item(self.invoice)

        def promise(day=3):
            return claims._make_promise(self.file.sudo(), line, 100, self._day(day), "N")

        former = promise()
        for state, again in (
            ("open", False),
            ("broken", False),
            ("replaced", False),
            ("kept", True),
            ("cancelled", True),
        ):
            former.sudo().write({"state": state, "date_closed": self.today})
            if again:
                with self.subTest(state=state), self.env.cr.savepoint() as savepoint:
                    self.assertEqual(promise(9).state, "open")
                    savepoint.rollback()
                    self.env.invalidate_all()
            else:
                with self.assertRaisesRegex(UserError, "promised before"):
                    promise(9)

    def test_form_without_its_key_is_refused(self):
        with mute_logger("odoo.http"):
            response = self.url_open(
                f"{self.page}/promise",
                data={
                    "access_token": self.token,
                    "item": self._item(self.invoice).id,
                    "name": "N",
                    "date": str(self._day(3)),
                },
            )
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self._promises())

    def test_promise_for_others_is_refused(self):
        other = f"/my/receivables/{self.other_file.id}/promise"
        page = self._get("/promise", token=self.token)
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        data = {
            "csrf_token": csrf,
            "access_token": self.token,
            "item": self._item(self.foreign_invoice).id,
            "name": "N",
            "date": str(self._day(3)),
        }
        self.assertEqual(self.url_open(other, data=data).status_code, 403)
        self.file.action_revoke_portal_links()
        own = f"{self.page}/promise"
        self.assertEqual(self.url_open(own, data=data).status_code, 403)
        self.assertFalse(self.env["ar.payment.promise"].search([]) & self._promises())

    # Dispute

    def _disputes(self):
        return self.env["ar.dispute"].search([("partner_id", "=", self.customer.id)])

    def test_dispute_of_a_part_with_evidence(self):
        item = self._item(self.invoice)
        reason = self.env["ar.dispute.reason"].search([], limit=1)
        response = self._post(
            "/dispute",
            self.token,
            files={"files": ("photo.png", b64decode(PNG), "image/png")},
            item=item.id,
            name="Warehouse",
            reason_id=reason.id,
            description="Two boxes were wet",
            **{f"amount_{item.id}": "150.25"},
        )
        self.assertIn("We look into it", response.text)
        dispute = self._disputes()
        self.assertRecordValues(
            dispute,
            [
                {
                    "amount": 150.25,
                    "reason_id": reason.id,
                    "owner_id": (reason.owner_id or self.collector).id,
                    "description": "Two boxes were wet",
                    "state": "open",
                }
            ],
        )
        self.assertEqual(dispute.message_ids.attachment_ids.mapped("name"), ["photo.png"])
        self.assertEqual(dispute.message_ids.attachment_ids.mapped("res_id"), [dispute.id])
        self.assertEqual(self.case.amount_disputed, 150.25)

    def test_bad_disputes_keep_what_was_typed(self):
        item = self._item(self.invoice)
        reason = self.env["ar.dispute.reason"].search([], limit=1)
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        foreign = reason.copy({"code": "FOREIGN", "company_id": elsewhere.id})
        good = {
            "item": item.id,
            "name": "Warehouse",
            "reason_id": reason.id,
            "description": "Wet <b>boxes</b>",
        }
        script = ("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/png")
        for change, files, message in (
            ({f"amount_{item.id}": "1000.01"}, None, "is open"),
            ({f"amount_{item.id}": "0"}, None, "is not an amount"),
            ({"reason_id": ""}, None, "Choose a reason"),
            ({"reason_id": foreign.id}, None, "Choose a reason"),
            ({"description": " "}, None, "Tell us what is wrong"),
            ({"name": ""}, None, "Write your name"),
            ({"item": ""}, None, "Choose at least one item"),
            ({}, {"files": script}, "cannot be taken"),
            ({}, [("files", ("a.png", b64decode(PNG)))] * 6, "files at most"),
            ({}, {"files": ("a.pdf", b"%PDF-1.4" + b"0" * 10 * 1024 * 1024)}, "larger than"),
        ):
            response = self._post("/dispute", self.token, files, **{**good, **change})
            self.assertEqual(response.status_code, 200)
            self.assertIn(message, self._text(response), change)
            self.assertFalse(self._disputes(), change)
            if "description" not in change:
                self.assertIn("Wet &lt;b&gt;boxes", response.text)

    def test_largest_file(self):
        claims = self.env["ar.portal.claim"]
        photo = b64decode(PNG).ljust(MAX_BYTES, b"\0")
        claims._check_files([("photo.png", photo)])
        with self.assertRaisesRegex(UserError, "larger than 10 MB"):
            claims._check_files([("photo.png", photo + b"\0")])
        claims._check_files([("photo.png", b64decode(PNG))] * MAX_FILES)
        with self.assertRaisesRegex(UserError, "5 files at most"):
            claims._check_files([("photo.png", b64decode(PNG))] * (MAX_FILES + 1))

    def test_an_item_is_disputed_once(self):
        reason = self.env["ar.dispute.reason"].search([], limit=1)
        good = {
            "item": self._item(self.invoice).id,
            "name": "Warehouse",
            "reason_id": reason.id,
            "description": "Wet",
            f"amount_{self._item(self.invoice).id}": "1",
        }
        self._post("/dispute", self.token, **good)
        response = self._post("/dispute", self.token, **good)
        self.assertIn("has been disputed before", response.text)
        dispute = self._disputes()
        dispute.decision_note = "They were dry"
        dispute.action_reject()
        response = self._post("/dispute", self.token, **good)
        self.assertIn("has been disputed before", response.text)
        self.assertEqual(self._disputes(), dispute)
        self.assertIn("They were dry", self._get(token=self.token).text)

    # Plan and acknowledgement

    def test_mail_opens_the_plan_and_it_is_signed(self):
        plan, _acknowledgement = self._papers(self.file)
        [link] = self._links(self._sent(plan.message_ids.filtered("partner_ids"))[self.customer])
        page = self._get(link)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("portal.signature_form", page.text)
        page = self._confirm(plan, self.token)
        self.assertIn("portal.signature_form", page.text)
        for signature in ("", None, "no image", b64encode(b"no image").decode(), "A" * 2**21):
            answer = self._sign(plan, self.token, signature=signature)
            self.assertTrue(answer["error"], signature)
        self.assertTrue(self._sign(plan, self.token, name=" ")["error"])
        self.assertEqual(plan.state, "proposed")
        answer = self._sign(plan, self.token)
        self.assertTrue(answer["force_refresh"])
        self.assertRecordValues(plan, [{"state": "accepted", "signed_by": "Director"}])
        self.assertTrue(plan.signature)
        self.assertIn("your signature has arrived", self._get(answer["redirect_url"]).text)
        self.assertTrue(self._sign(plan, self.token)["error"])

    def test_others_cannot_sign(self):
        plan, acknowledgement = self._papers(self.file)
        tokens = [
            self.other_file._portal_token(self.today),
            self.file._portal_token(self.today - timedelta(days=31)),
            "",
        ]
        for record in (plan, acknowledgement):
            for token in tokens:
                self.assertTrue(self._sign(record, token)["error"])
        self.assertEqual((plan.state, acknowledgement.state), ("proposed", "sent"))
        self.authenticate("portal_child", "portal_child")
        self.assertIn("force_refresh", self._sign(plan, ""))

    def test_draft_plan_is_not_shown(self):
        plan, _acknowledgement = self._papers(self.file)
        plan.action_revise()
        response = self._get(f"/my/receivables/plan/{plan.id}", token=self.token)
        self.assertEqual(response.status_code, 403)
        self.assertTrue(self._sign(plan, self.token)["error"])

    def test_plan_is_refused_with_a_comment(self):
        plan, _acknowledgement = self._papers(self.file)
        page = self._get(plan.access_url, token=self.token)
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        data = {"csrf_token": csrf, "access_token": self.token, "name": "Director"}
        url = f"{plan.access_url}/refuse"
        response = self.url_open(url, data={**data, "comment": " "})
        self.assertIn("what we should change", response.text)
        self.assertEqual(plan.state, "proposed")
        response = self.url_open(url, data={**data, "comment": "Five instalments please"})
        self.assertIn("propose another plan", response.text)
        self.assertEqual(plan.state, "draft")
        self.assertIn("Five instalments please", plan.activity_ids.note)
        self.assertEqual(plan.activity_ids.user_id, self.collector)
        self.assertEqual(self.url_open(url, data={**data, "comment": "More"}).status_code, 403)

    def test_only_what_waits_is_refused(self):
        plan, _acknowledgement = self._papers(self.file)
        plan.sudo()._accept("Director")
        with self.assertRaises(UserError):
            plan._refuse_in_portal("Director", "Longer, please")
        self.assertEqual(plan.state, "accepted")

    def test_page_tells_of_the_own_promises(self):
        day = self._day(17)
        self.env["ar.payment.promise"].create(
            {
                "partner_id": self.other.id,
                "company_id": self.company.id,
                "amount": 777,
                "date": day,
            }
        )
        self.assertNotIn("777.00", self._text(self._get(token=self.token)))
        theirs = f"/my/receivables/{self.other_file.id}"
        page = self._get(theirs, token=self.other_file._portal_token(self.today))
        self.assertIn(format_date(self.env, day), self._text(page))

    def test_acknowledgement_is_signed(self):
        _plan, acknowledgement = self._papers(self.file)
        page = self._get(acknowledgement.access_url, token=self.token)
        self.assertIn("1,314.56", self._text(page))
        self._confirm(acknowledgement, self.token)
        self._sign(acknowledgement, self.token)
        self.assertRecordValues(acknowledgement, [{"state": "signed", "signed_by": "Director"}])
        self.assertTrue(self._sign(acknowledgement, self.token)["error"])
        page = self._get(acknowledgement.access_url, token=self.token)
        self.assertIn("Signed by", page.text)
        self.assertNotIn("portal.signature_form", page.text)

    def test_tour_of_a_customer(self):
        plan, _acknowledgement = self._papers(self.file)
        link = f"{self.page}?access_token={self.token}"
        self.start_tour(link, "ar_collections_portal_promise")
        promise = self._promises()
        self.assertRecordValues(promise, [{"amount": 1000, "date": self.today, "state": "open"}])
        self.start_tour(link, "ar_collections_portal_sign", login="portal_child")
        self.assertRecordValues(plan, [{"state": "accepted", "signed_by": "Director of Accounts"}])
        self.assertTrue(plan.signature)
        # What was promised is in the plan now.
        self.assertEqual(promise.state, "cancelled", "corrected on its day")

    # Links in mails

    def test_reminder_carries_the_link_and_the_letter_does_not(self):
        action = self._case(self.other).action_ids.filtered(
            lambda action: action.channel == "email" and action.message_id
        )
        text = self._sent(action.message_id)[self.other]
        self.assertIn("Open your account online", text)
        page = self.url_open(self._links(text)[0])
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.other.name, page.text)
        action.sudo().channel = "letter"
        action.invalidate_recordset()
        self.assertNotIn("/my/receivables", action.payment_details)


@tagged("post_install", "-at_install")
class TestPortalPayment(PortalCase):
    """Items are paid online to the cent: those that were chosen, and what is open of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.child = cls._customer("Accounts Payable", parent_id=cls.customer.id, is_company=False)
        cls.terms = cls.env["account.payment.term"].create(
            {
                "name": "30 now, 70 later",
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 30, "nb_days": 0}),
                    Command.create({"value": "percent", "value_amount": 70, "nb_days": 10}),
                ],
            }
        )
        cls.invoice = cls._invoice(cls.customer, 1000, due=-40)
        cls.small = cls._invoice(cls.child, 234.56, due=-3)
        cls._pay(cls.invoice, 399.99, day=-1)
        cls.split = cls._invoice(cls.customer, 99.99, due=-20, post=False)
        cls.split.invoice_payment_term_id = cls.terms
        cls.split.action_post()
        cls._run(0)
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company)
        cls.case = cls.env["ar.collection.case"].search([("partner_id", "=", cls.customer.id)])
        cls.token = cls.file._portal_token(cls.today)
        cls.page = f"/my/receivables/{cls.file.id}"
        cls.provider = cls._provider(cls.company)

    @classmethod
    def _provider(cls, company):
        providers = cls.env["payment.provider"].sudo()
        demo = providers.search([("code", "=", "demo")], limit=1)
        method = cls.env.ref("payment.payment_method_unknown").sudo()
        if demo:
            method = demo.with_context(active_test=False).payment_method_ids[:1]
        method.active = True
        view = cls.env["ir.ui.view"].create(
            {"name": "Pay", "type": "qweb", "arch": '<form action="/" method="post"/>'}
        )
        provider = providers.create(
            {
                "name": "Bank of Tests",
                "code": demo.code or "none",
                "company_id": company.id,
                "state": "test",
                "is_published": True,
                "payment_method_ids": [Command.set(method.ids)],
                "redirect_form_view_id": view.id,
            }
        )
        journal = cls.company_data["default_journal_bank"]
        provider.journal_id = journal
        line = journal.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == provider
        )
        line.payment_account_id = cls.inbound_payment_method_line.payment_account_id
        return provider

    def _items(self, *moves):
        lines = self.env["account.move"].union(*moves).line_ids
        return lines.filtered(lambda line: line.account_type == "asset_receivable")

    def _draft(self, lines, amount=None, token=None, **changes):
        """Ask for a transaction as the payment form does."""
        ids = "-".join(map(str, lines.ids))
        values = {
            "provider_id": self.provider.id,
            "payment_method_id": self.provider.payment_method_ids.id,
            "token_id": None,
            "amount": sum(lines.mapped("amount_residual_currency")) if amount is None else amount,
            "flow": "direct",
            "tokenization_requested": True,
            "landing_route": "https://elsewhere.example.com",
            "is_validation": False,
            "payment_reference": "",
            "access_token": self.token if token is None else token,
            **changes,
        }
        answer = self.make_jsonrpc_request(f"{self.page}/transaction/{ids}", values)
        return self.env["payment.transaction"].search([("reference", "=", answer["reference"])])

    def _settle(self, transaction):
        transaction._set_done()
        transaction._post_process()
        self.env.invalidate_all()

    def test_pay_page_asks_for_what_is_open(self):
        lines = self._items(self.invoice, self.small)
        page = self.url_open(
            f"{self.page}/pay",
            params={"access_token": self.token, "item": [str(id_) for id_ in lines.ids]},
        )
        self.assertEqual(page.status_code, 200)
        form = html.fromstring(page.content).xpath("//form[@id='o_payment_form']")[0]
        self.assertEqual(float(form.get("data-amount")), 834.57)
        self.assertEqual(form.get("data-access-token"), self.token)
        everything = self.url_open(
            f"{self.page}/pay",
            params={"access_token": self.token, "currency": self.company.currency_id.id},
        )
        form = html.fromstring(everything.content).xpath("//form[@id='o_payment_form']")[0]
        self.assertEqual(float(form.get("data-amount")), 934.56)

    def test_pay_page_tells_of_a_credit_that_is_not_deducted(self):
        params = {"access_token": self.token, "currency": self.company.currency_id.id}

        def told():
            page = html.fromstring(self.url_open(f"{self.page}/pay", params=params).content)
            form = page.xpath("//form[@id='o_payment_form']")[0]
            self.assertEqual(float(form.get("data-amount")), 934.56)
            return [part.text_content() for part in page.find_class("o_ar_credit")]

        foreign = self.setup_other_currency("EUR")
        self._invoice(self.customer, 70, due=0, move_type="out_refund", currency=foreign)
        self.assertEqual(told(), [])
        self._invoice(self.child, 200.5, due=0, move_type="out_refund")
        self.assertIn("200.50", told()[0])

    def test_chosen_residuals_are_settled_and_no_others(self):
        later = self._items(self.split).sorted("date_maturity")[-1]
        chosen = self._items(self.invoice) | later
        transaction = self._draft(chosen)
        self.assertRecordValues(
            transaction,
            [
                {
                    "amount": 670.0,
                    "partner_id": self.customer.id,
                    "tokenize": False,
                    "invoice_ids": (self.invoice | self.split).ids,
                }
            ],
        )
        self.assertTrue(transaction.landing_route.startswith(self.page))
        self._settle(transaction)
        payment = transaction.payment_id
        self.assertEqual((payment.amount, payment.partner_id), (670.0, self.customer))
        self.assertTrue(all(chosen.mapped("reconciled")))
        first = self._items(self.split) - later
        self.assertEqual(first.amount_residual, 30.0)
        self.assertEqual(self._items(self.small).amount_residual, 234.56)
        self.assertEqual(self.case.state, "open")

    def test_paying_all_closes_the_case(self):
        self._settle(self._draft(self._items(self.invoice, self.small, self.split)))
        self.assertEqual(self.file.sudo().open_amount, 0)
        self.assertRecordValues(self.case, [{"state": "closed", "close_reason": "paid"}])
        page = self.url_open(self.page, params={"access_token": self.token})
        self.assertIn("Nothing is open", page.text)

    def test_foreign_currency_to_the_cent(self):
        currency = self.setup_other_currency("EUR")
        invoice = self._invoice(self.customer, 500.01, due=-5, currency=currency)
        self._settle(self._draft(self._items(invoice)))
        self.assertTrue(self._items(invoice).reconciled)
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
            self._draft(self._items(invoice, self.small))

    def test_opening_balance_is_paid_without_touching_its_neighbours(self):
        account = self._items(self.small).account_id
        other = self._customer("Other Customer")
        opening = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": self._day(-60),
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": partner.id,
                            "balance": balance,
                            "date_maturity": self._day(-30),
                        }
                    )
                    for partner, balance in ((self.customer, 70.07), (other, -70.07))
                ],
            }
        )
        opening.action_post()
        chosen = opening.line_ids.filtered(lambda line: line.partner_id == self.customer)
        transaction = self._draft(chosen)
        self.assertFalse(transaction.invoice_ids)
        self._settle(transaction)
        self.assertEqual(transaction.payment_id.amount, 70.07)
        self.assertTrue(chosen.reconciled)
        self.assertEqual((opening.line_ids - chosen).amount_residual, -70.07)

    def _confirming(self, code="bank"):
        """The provider becomes one whose payments are confirmed by itself, installed or not."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE payment_provider SET code = %s WHERE id = %s", [code, self.provider.id]
        )
        self.env.invalidate_all()

    def _states(self):
        """``{document: (state, payable)}`` as the page shows them."""
        items = self.env["ar.portal.statement"]._get_items(self.file.sudo(), self.today)
        return {item.line.move_id: (item.state, item.payable) for item in items}

    def test_which_transactions_are_on_their_way(self):
        chosen = self._items(self.small)
        transaction = self._draft(chosen)
        transaction.state = "pending"
        self._confirming("none")
        # Nobody knows whether a transfer that was only announced will come.
        self.assertEqual(self._states()[self.small], ("overdue", 234.56))
        self._confirming()
        for state, processed, expected in (
            ("draft", False, "overdue"),
            ("pending", False, "processing"),
            ("authorized", False, "processing"),
            ("done", False, "processing"),
            ("done", True, "overdue"),
            ("cancel", False, "overdue"),
            ("error", False, "overdue"),
        ):
            # Not every provider can authorise: the state is what this is about.
            self.env.cr.execute(
                "UPDATE payment_transaction SET state = %s, is_post_processed = %s WHERE id = %s",
                [state, processed, transaction.id],
            )
            transaction.invalidate_recordset(flush=False)
            with self.subTest(state=state, processed=processed):
                states = self._states()
                self.assertEqual(states[self.small][0], expected)
                self.assertEqual(states[self.invoice][0], "overdue")
                if expected == "processing":
                    self.assertEqual(states[self.small][1], 0)

    def test_payment_of_a_whole_invoice_is_on_its_way(self):
        transaction = self._draft(self._items(self.split))
        self._confirming()
        transaction.write({"state": "pending", "ar_line_ids": [Command.clear()]})
        states = self._states()
        self.assertEqual(states[self.split], ("processing", 0))
        self.assertEqual(states[self.small], ("overdue", 234.56))

    def test_payment_in_process_takes_off_its_amount(self):
        """Not booked yet, it is on its way as long as the company says, and the rest is payable."""
        lines = self._items(self.split).sorted("date_maturity")
        open_ = sum(lines.mapped("amount_residual_currency"))
        first = lines[0].amount_residual_currency
        self._pay_in_process(self.split, first + 10)
        self._pay_in_process(self.small, 34.56)
        statement = self.env["ar.portal.statement"]
        items = {item.line: item for item in statement._get_items(self.file.sudo(), self.today)}
        self.assertEqual((items[lines[0]].state, items[lines[0]].payable), ("processing", 0))
        self.assertEqual(items[lines[1]].processing, 10)
        self.assertNotEqual(items[lines[1]].state, "processing")
        self.assertAlmostEqual(sum(items[line].payable for line in lines), open_ - first - 10)
        self.assertEqual(self._states()[self.small], ("overdue", 200))
        page = self._read(self.page, {"access_token": self.token})
        self.assertIn("Payment on its way:", page)
        chosen = self._items(self.small)
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
            self._draft(chosen)
        transaction = self._draft(chosen, amount=200)
        self.assertEqual(transaction.amount, 200)
        self.company.ar_in_process_days = 3
        items = statement._get_items(self.file.sudo(), self._day(3))
        self.assertFalse(any(item.processing for item in items))

    def test_payment_on_its_way_is_not_asked_for_twice(self):
        chosen = self._items(self.small)
        transaction = self._draft(chosen)
        if self.provider.code == "none":
            self._confirming()
        transaction._set_pending()
        page = self.url_open(self.page, params={"access_token": self.token})
        self.assertIn("Payment on its way", page.text)
        in_process = self.env["ar.portal.statement"]._get_items(self.file.sudo(), self.today)
        payable = sum(item.payable for item in in_process)
        self.assertAlmostEqual(payable, 700)
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
            self._draft(chosen)
        # The other items can be paid.
        self.assertTrue(self._draft(self._items(self.invoice)))

    def test_amounts_items_and_methods_cannot_be_changed(self):
        chosen = self._items(self.invoice)
        other = self._customer("Other Customer")
        foreign = self._items(self._invoice(other, 10, due=-4))
        elsewhere = self.setup_other_company(name="Elsewhere")["company"]
        strange = self.provider.copy({"company_id": elsewhere.id, "state": "test"})
        for lines, changes in (
            (chosen, {"amount": 1.0}),
            (chosen, {"amount": None}),
            (chosen, {"amount": -600.01}),
            (chosen, {"token": "forged"}),
            (chosen, {"token": self.file._portal_token(self.today - timedelta(days=40))}),
            (foreign, {}),
            (chosen | foreign, {}),
            (chosen, {"provider_id": strange.id}),
            (chosen, {"flow": "token", "token_id": 1}),
            (chosen, {"is_validation": True}),
            (chosen, {"partner_id": other.id}),
            (chosen, {"custom_create_values": {"amount": 1}}),
        ):
            if changes.get("amount", 0) is None:
                changes = {"amount": False}
            with (
                self.subTest(changes=changes),
                self.assertRaises(JsonRpcException),
                mute_logger("odoo.http"),
            ):
                self._draft(lines, **changes)
        self.assertFalse(self.env["payment.transaction"].search([("partner_id", "=", other.id)]))

    def test_result_of_a_payment_is_its_customers(self):
        other = self._customer("Other Payer")
        self._invoice(other, 55, due=-4)
        self._run(0)
        file = self.env["ar.credit.file"]._get_file(other, self.company)
        # The browser that paid remembers its payment, whatever page it opens then.
        self._draft(self._items(self.small))
        told = "Your payment has not been processed yet"
        own = {"access_token": self.token, "done": "payment"}
        self.assertIn(told, self._read(self.page, own))
        theirs = {"access_token": file._portal_token(self.today), "done": "payment"}
        self.assertNotIn(told, self._read(f"/my/receivables/{file.id}", theirs))

    def _read(self, path, params):
        page = self.url_open(path, params=params)
        self.assertEqual(page.status_code, 200)
        return page.text

    def test_card_of_a_link_visitor_is_not_kept(self):
        self.provider.allow_tokenization = True
        method = self.provider.payment_method_ids
        method.support_tokenization = True
        chosen = self._items(self.small)
        self.assertFalse(self._draft(chosen).tokenize)
        new_test_user(self.env, "card_holder", "base.group_portal", partner_id=self.child.id)
        self.authenticate("card_holder", "card_holder")
        self.assertTrue(self._draft(self._items(self.invoice), token="").tokenize)
        # Nor does a link show or use the cards of whoever is logged in.
        card = self.env["payment.token"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": method.id,
                "partner_id": self.customer.id,
                "provider_ref": "card of the firm",
                "payment_details": "4242",
            }
        )
        self.logout()
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
            self._draft(chosen, flow="token", token_id=card.id)

    def test_switched_off(self):
        self.env["ir.config_parameter"].set_param("account_payment.enable_portal_payment", "False")
        page = self.url_open(self.page, params={"access_token": self.token})
        self.assertNotIn("Pay all", page.text)
        with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
            self._draft(self._items(self.invoice))

    def test_portal_user_pays_as_oneself(self):
        new_test_user(self.env, "payer", "base.group_portal", partner_id=self.child.id)
        self.authenticate("payer", "payer")
        transaction = self._draft(self._items(self.small), token="")
        self.assertEqual(transaction.partner_id, self.child)
        self._settle(transaction)
        self.assertTrue(self._items(self.small).reconciled)
