import re
from base64 import b64decode

from odoo import Command
from odoo.tests import new_test_user, tagged

from .test_portal import PNG, PortalCase

PAGE = "/my/credit-application"


@tagged("post_install", "-at_install")
class TestPortalApplication(PortalCase):
    """A customer who is logged in asks for credit; nobody has to type it again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.child = cls._customer("Purchasing", parent_id=cls.customer.id, is_company=False)
        cls.user = new_test_user(
            cls.env,
            "portal_applicant",
            "base.group_portal",
            partner_id=cls.child.id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _post(self, files=None, **data):
        page = self.url_open(PAGE)
        token = re.search(r'csrf_token: "([^"]+)"', page.text)[1]
        values = {"name": "Ann Lee, buyer", "amount": "5000", "csrf_token": token, **data}
        return self.url_open(PAGE, data=values, files=files)

    def _applications(self):
        return self.env["ar.credit.application"].search([("partner_id", "=", self.customer.id)])

    def test_applies_and_a_review_opens(self):
        self.authenticate("portal_applicant", "portal_applicant")
        self.assertIn(PAGE, self.url_open("/my").text)
        done = self._post(
            files=[("files", ("../2029.png", b64decode(PNG), "image/png"))],
            term_days="45",
            note="Spring <b>season</b>",
            firm_0="Acme",
            contact_0="Bob",
        )
        self.assertIn("We have your application", done.text)
        application = self._applications()
        self.assertRecordValues(
            application,
            [
                {
                    "state": "submitted",
                    "is_from_portal": True,
                    "company_id": self.company.id,
                    "applicant": "Ann Lee, buyer",
                    "amount": 5000,
                    "term_days": 45,
                    "note": "Spring <b>season</b>",
                }
            ],
        )
        self.assertEqual(application.reference_ids.mapped("name"), ["Acme"])
        self.assertEqual(application.attachment_ids.mapped("name"), ["2029.png"])
        review = application.review_id
        self.assertRecordValues(
            review,
            [
                {
                    "state": "draft",
                    "reason": "application",
                    "limit_mode": "custom",
                    "limit_amount": 5000,
                    "requester_id": False,
                }
            ],
        )
        # Asked once: the page says so, and a second one is refused.
        self.assertNotIn("o_ar_application", self.url_open(PAGE).text)
        self.assertIn("We have your application already", self._post(amount="9").text)
        self.assertEqual(self._applications(), application)

    def test_what_is_wrong_is_said_and_nothing_is_lost(self):
        self.authenticate("portal_applicant", "portal_applicant")
        for data, text in (
            ({"amount": "-1"}, "is not an amount"),
            ({"amount": ""}, "Enter the credit"),
            ({"name": " "}, "Write your name"),
            ({"term_days": "soon"}, "is no number of days"),
            ({"term_days": "9999"}, "is no number of days"),
            ({"contact_1": "Bob"}, "Name the firm"),
            ({"note": "x" * 6000}, "too long"),
        ):
            with self.subTest(data=data):
                page = self._post(**{"firm_0": "Kept & known", **data})
                self.assertIn(text, page.text)
                self.assertIn("Kept &amp; known", page.text)
        page = self._post(files=[("files", ("a.exe", b"MZ" * 99, "image/png"))])
        self.assertIn("cannot be taken", page.text)
        self.assertFalse(self._applications())

    def test_nobody_else(self):
        self.assertIn("/web/login", self.url_open(PAGE).url)
        new_test_user(self.env, "applies_for_us", "base.group_user")
        self.authenticate("applies_for_us", "applies_for_us")
        self.assertIn("this is for the customer", self._post().text)
        self.assertFalse(self._applications())
