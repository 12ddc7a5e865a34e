from lxml import html

from odoo import Command
from odoo.tests import new_test_user
from odoo.tools import format_date

from .common import CollectionsCommon


class TestDigest(CollectionsCommon):
    """Salespeople learn what became of the money of their own customers, and of no others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller, cls.other = (
            new_test_user(
                cls.env,
                login,
                "base.group_user",
                email=f"{login}@example.com",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for login in ("digest_seller", "digest_other")
        )
        cls.customer.user_id = cls.seller
        cls.foreign = cls._customer("Somebody Else's", user_id=cls.other.id)
        cls.company.ar_digest_days = 7

    def _told(self, user):
        return self.env["mail.message"].search(
            [
                ("partner_ids", "in", user.partner_id.ids),
                ("subject", "like", "Receivables of your customers"),
            ],
            order="id",
        )

    def test_own_customers_only_and_once_in_a_while(self):
        self._invoice(self.customer, 1234, due=-10)
        self._invoice(self.foreign, 99, due=-10)
        self._run(0)
        message = self._told(self.seller)
        self.assertEqual(len(message), 1)
        self.assertIn("1,234.00", message.body)
        self.assertIn(self.customer.name, message.body)
        self.assertNotIn("99.00", message.body)
        self.assertNotIn(self.foreign.name, message.body)
        self.assertIn("99.00", self._told(self.other).body)
        self.assertEqual(self.company.ar_digest_date, self.today)
        for day in range(1, 7):
            self._run(day)
        self.assertEqual(len(self._told(self.seller)), 1)
        self._run(7)
        self.assertEqual(len(self._told(self.seller)), 2, "a week later")
        self.company.ar_digest_days = 0
        self._run(14)
        self.assertEqual(len(self._told(self.seller)), 2, "switched off")

    def test_who_left_and_who_is_a_customer_learn_nothing(self):
        gone = new_test_user(self.env, "digest_gone", "base.group_user")
        guest = new_test_user(self.env, "digest_guest", "base.group_portal")
        for user in (gone, guest):
            customer = self._customer(f"Customer of {user.login}", user_id=user.id)
            self._invoice(customer, 77, due=-10)
        gone.active = False
        self._run(0)
        self.assertFalse(self._told(gone) | self._told(guest))

    def test_what_happened_since(self):
        self._invoice(self.customer, 500, due=-10)
        self._run(0)
        case = self._case()
        file = case.file_id
        self.env["ar.payment.promise"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "amount": 500,
                "date": self._day(1),
            }
        )
        file.sudo().write({"hold": True, "hold_reason": "Cheque came back"})
        for day in range(1, 8):
            self._run(day)
        body = self._told(self.seller)[-1].body
        for words in ("Promises Not Kept", "Cheque came back", "500.00"):
            self.assertIn(words, body)
        lines = [each.text_content() for each in html.fromstring(body).iter("li")]
        day = format_date(self.env, self._day(1))
        self.assertIn(f"Customer: $\N{NO-BREAK SPACE}500.00, promised for {day}", lines)
        self.assertIn("Customer: Cheque came back", lines)
        mails = (
            self.env["mail.mail"]
            .sudo()
            .search([("mail_message_id", "in", self._told(self.seller).ids)])
        )
        self.assertTrue(mails)
        self.assertNotIn("System", "".join(mails.mapped("body_html")), "nobody has written it")
        for day in range(8, 15):
            self._run(day)
        body = self._told(self.seller)[-1].body
        self.assertNotIn("Promises Not Kept", body, "told last week")
        self.assertNotIn("Cheque came back", body)

    def test_nothing_to_tell_and_nobody_to_tell(self):
        self._invoice(self.customer, 100, due=30)
        self._run(0)
        self.assertFalse(self._told(self.seller))
        self._invoice(self.customer, 100, due=-3)
        self.seller.active = False
        self._run(7)
        self.assertFalse(self._told(self.seller))
