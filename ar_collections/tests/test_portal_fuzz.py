import random
import re
from datetime import timedelta
from itertools import cycle

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_portal import PNG, PortalPages

HUGE = "9" * 30
#: what is typed where a number, a text or a choice is expected
ODD = (
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e400",
    "nan",
    "inf",
    "null",
    "[]",
    HUGE,
    "9" * 6000,
    "²",
    "٣",
    "é\u202e",
    "\x00",
    "a\x00b",
    "%00",
    "'; DROP TABLE res_users; --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "0001-01-01",
    "9999-12-31",
    "2030-13-45",
    "x" * 6000,
)
#: the same in JSON
ODD_JSON = (None, True, 0, -1, 2**70, 1.5, [], [1], [[]], {}, {"a": 1}, *ODD)


@tagged("post_install", "-at_install")
class TestPortalFuzz(PortalPages):
    """Nothing that is sent to a page makes it fail, or tell of somebody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(14)
        cls.plan, cls.acknowledgement = cls._papers(cls, cls.file)
        cls.their_plan, cls.their_acknowledgement = cls._papers(cls, cls.other_file)
        cls.theirs = (
            cls.foreign_invoice.name,
            cls.other.name,
            cls.other.email,
            "777.00",
            cls.their_plan.name,
            cls.their_acknowledgement.name,
        )
        cls.env["ir.config_parameter"].set_param("account_payment.enable_portal_payment", "True")
        revoked = cls.other_file.portal_revocations
        cls.other_file.sudo().portal_revocations = revoked + 1
        revoked_token = cls.other_file._portal_token(cls.today)
        cls.other_file.sudo().portal_revocations = revoked
        cls.bad_tokens = [
            None,
            cls.file._portal_token(cls.today - timedelta(days=31)),
            cls.other_file._portal_token(cls.today - timedelta(days=31)),
            revoked_token,
            cls.file._portal_token(cls.today)[:-3],
            *(cls._mutate(cls.token) for _index in range(12)),
            *ODD,
        ]

    @classmethod
    def _mutate(cls, token):
        position = cls.random.randrange(len(token))
        letter = cls.random.choice("ABCDEFGHabcdefgh0123456789-_")
        if letter == token[position]:
            letter = "x"
        return f"{token[:position]}{letter}{token[position + 1 :]}"

    def _ids(self):
        return (
            self.other_file.id,
            self.their_plan.id,
            self.foreign_invoice.id,
            0,
            2**31 - 1,
            2**31,
            2**63,
            HUGE,
            "-1",
            "abc",
            "1.5",
            "%F0%9F",
        )

    def _pages(self, file_id, paper_id, move_id):
        page = f"/my/receivables/{file_id}"
        return (
            page,
            f"{page}/promise",
            f"{page}/dispute",
            f"{page}/pay",
            f"{page}/invoice/{move_id}",
            f"/my/receivables/plan/{paper_id}",
            f"/my/receivables/acknowledgement/{paper_id}",
        )

    def _check(self, response, what):
        self.assertLess(response.status_code, 500, what)
        for words in self.theirs:
            self.assertNotIn(words, response.text, what)

    def _open(self, path, token, **params):
        # What does not belong into an address is written as the browser would.
        params = {**params, **({} if token is None else {"access_token": token})}
        with mute_logger("odoo.http", "werkzeug"):
            response = self.url_open(path, params=params)
        self._check(response, (path, str(token)[:50], str(params)[:200]))
        return response

    def test_tokens(self):
        """Each token on one page of each customer, each page with several of them."""
        own = self._pages(self.file.id, self.plan.id, self.invoice.id)
        foreign = self._pages(self.other_file.id, self.their_plan.id, self.foreign_invoice.id)
        for token, path, their_path in zip(self.bad_tokens, cycle(own), cycle(foreign)):
            response = self._open(path, token)
            self.assertNotIn(self.invoice.name, response.text, (path, token))
            self._open(their_path, token)
        for path in foreign:
            self._open(path, self.token)

    def test_numbers(self):
        for number in self._ids():
            for path in self._pages(number, number, number):
                self._open(path, self.token)
        self._open(self.random.choice(self._pages(HUGE, HUGE, HUGE)), None)
        # The own page, and the number of something that is another's.
        names = ("item", "currency", "done", "report_type", "file_id", "record_id", "kind")
        for number in self._ids():
            self._open(f"{self.page}/invoice/{number}", self.token)
            for path in (self.page, f"{self.page}/pay", f"{self.page}/promise"):
                self._open(path, self.token, **dict.fromkeys(names, number))

    def test_parameters(self):
        pages = (*self._pages(self.file.id, 0, 0)[:4], self.plan.access_url)
        names = ("currency", "done", "error", "name", "report_type")
        for odd, path in zip(ODD, cycle(pages)):
            self._open(path, self.token, item=[odd, odd], **dict.fromkeys(names, odd))

    def _send(self, path, token, data):
        with mute_logger("odoo.http", "werkzeug"):
            response = self.url_open(path, data={**data, "access_token": token or ""})
        self._check(response, (path, str(data)[:200]))
        return response

    def test_forms(self):
        page = self._get("/promise", token=self.token)
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        item = self._item(self.invoice).id
        foreign = self._item(self.foreign_invoice).id
        good = {
            "/promise": {"item": item, "name": "N", "date": str(self._day(3)), "note": ""},
            "/dispute": {"item": item, "name": "N", "description": "D", "reason_id": "1"},
        }
        amount = f"amount_{item}"
        for form, fields in good.items():
            names = (*fields, amount if form == "/dispute" else "amount")
            for odd in (*ODD, str(foreign)):
                # One odd value among good ones, then odd ones alone.
                for data in (
                    {**fields, self.random.choice(names): odd},
                    {**dict.fromkeys(names, odd), f"amount_{foreign}": odd, "files": odd},
                ):
                    self._send(f"{self.page}{form}", self.token, {**data, "csrf_token": csrf})
        papers = cycle((self.plan.access_url, self.acknowledgement.access_url))
        for odd, path in zip(ODD, papers, strict=False):
            for below, data in (
                ("signer", {"email": odd}),
                ("signer", {"code": odd}),
                ("refuse", {"name": "", "comment": odd}),
                ("refuse", {"name": odd, "comment": ""}),
            ):
                self._send(f"{path}/{below}", self.token, {"csrf_token": csrf, **data})
        self.assertFalse(self.env["ar.dispute"].search([("partner_id", "=", self.other.id)]))
        self.assertEqual((self.plan.state, self.acknowledgement.state), ("proposed", "sent"))

    def test_forms_without_their_key(self):
        """Another page that a visitor looks at cannot send them for it."""
        portal = new_test_user(self.env, "fuzz_portal", "base.group_portal")
        portal.partner_id.parent_id = self.customer
        for login in (None, "fuzz_portal"):
            if login:
                self.authenticate(login, login)
            for path in (
                f"{self.page}/promise",
                f"{self.page}/dispute",
                f"{self.plan.access_url}/refuse",
                f"{self.plan.access_url}/signer",
                f"{self.acknowledgement.access_url}/signer",
            ):
                for key in ("", HUGE):
                    data = {"csrf_token": key, "name": "N", "comment": "C", "email": "e@x.org"}
                    response = self._send(path, self.token, data)
                    self.assertEqual(response.status_code, 400, path)
        self.assertEqual(self.plan.state, "proposed")

    def _call(self, path, params):
        """The error of a JSON request, as the class of what was raised; what it told otherwise."""
        with mute_logger("odoo.http", "werkzeug"):
            response = self.url_open(path, json={"params": params})
        self._check(response, (path, str(params)[:200]))
        if not response.headers["Content-Type"].startswith("application/json"):
            return response.status_code
        answer = response.json()
        error = answer.get("error")
        self.assertFalse(answer.get("result") and "redirect_url" in answer["result"], path)
        return error and error["data"]["name"]

    def test_json(self):
        item = self._item(self.invoice).id
        polite = (
            None,
            400,
            403,
            404,
            "odoo.exceptions.ValidationError",
            "odoo.exceptions.UserError",
        )
        polite += ("werkzeug.exceptions.BadRequest", "werkzeug.exceptions.NotFound")
        good = {"name": "Director", "signature": PNG}
        papers = cycle((self.plan.access_url, self.acknowledgement.access_url))
        tokens = cycle((self.token, *self.bad_tokens[:8]))
        for odd, path in zip(ODD_JSON, papers, strict=False):
            for name in good:
                error = self._call(f"{path}/sign?access_token={self.token}", {**good, name: odd})
                self.assertIn(error, polite, (path, name, str(odd)[:50]))
            error = self._call(f"{path}/sign?access_token={next(tokens) or ''}", good)
            self.assertIn(error, polite, path)
        pay = {
            "access_token": self.token,
            "amount": 1000,
            "flow": "direct",
            "provider_id": 1,
            "payment_method_id": 1,
            "token_id": None,
            "tokenization_requested": False,
            "is_validation": False,
            "landing_route": "/",
        }
        route = f"{self.page}/transaction/{item}"
        for odd in ODD_JSON:
            for name in self.random.sample(list(pay), 3):
                error = self._call(route, {**pay, name: odd})
                self.assertIn(error, polite, (name, str(odd)[:50]))
        for name in pay:
            error = self._call(route, {key: value for key, value in pay.items() if key != name})
            self.assertIn(error, polite, name)
        for items in ("0", "-", "1-2-3", HUGE, "9" * 5000, "a", "²", f"{item}-{item}", "%00"):
            error = self._call(f"{self.page}/transaction/{items}", pay)
            self.assertIn(error, polite, items[:50])
        foreign = self._item(self.foreign_invoice).id
        for items in (foreign, f"{item}-{foreign}"):
            error = self._call(f"{self.page}/transaction/{items}", pay)
            self.assertIn(error, polite[1:], items)
