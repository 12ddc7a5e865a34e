import base64

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tools import html2plaintext

from ..models.run.collection_action import sms_parts
from .test_letter import LetterCommon


class TestMessagePreview(LetterCommon):
    """Look before sending: what is shown is what would be sent, and nothing is left behind."""

    def _counts(self):
        """What sending leaves behind, in rows."""
        self.env.flush_all()
        models = (
            "mail.message",
            "mail.mail",
            "mail.notification",
            "sms.sms",
            "ir.attachment",
            "ar.collection.action",
            "ar.collection.action.item",
            "ar.collection.case",
        )
        return {model: self.env[model].sudo().search_count([]) for model in models}

    def _planned(self, step, partner=None):
        partner = partner or self.customer
        action = (
            self.env["ar.collection.action"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "partner_id": partner.id,
                    "case_id": self._case(partner).id,
                    "step_id": step.id,
                    "rung": step.days,
                    "channel": step.channel,
                    "date_planned": self.today,
                }
            )
        )
        return action.with_user(self.collector)

    def _late_customers(self, *partners):
        """Overdue with a call planned, so that no message has gone out."""
        for partner in partners:
            self._invoice(partner, 1500.5, due=-20)
        self._run(0)

    def test_looking_sends_and_keeps_nothing(self):
        lost = self._customer("Lost", email=False, phone=False)
        self._late_customers(self.customer, lost)
        mail = self._planned(self.steps["First"])
        text = self._planned(self.steps["Text"])
        letter = self._planned(self.letter_steps["formal_letter"])
        nobody = self._planned(self.steps["First"], lost)
        actions = mail | text | letter | nobody
        before = self._counts()
        preview = self._open(actions.action_preview())
        self.assertRecordValues(
            preview,
            [
                {
                    "position": 1,
                    "count": 4,
                    "missing_count": 1,
                    "to_send_count": 3,
                    "subject": "Overdue: $\u00a01,500.50",
                    "address": "customer@example.com",
                }
            ],
        )
        self.assertIn("1,500.50", preview.body)
        preview.action_next()
        self.assertEqual(preview.sms_text, "Please pay $ 1,500.50")
        self.assertEqual((preview.sms_count, preview.address), (1, "+1 555 0100"))
        preview.action_next()
        self.assertIn("Overdue account", base64.b64decode(preview.document).decode())
        preview.action_next()
        self.assertTrue(preview.no_address)
        preview.action_next()
        self.assertEqual(preview.position, 1, "round and round")
        preview.action_previous()
        self.assertEqual(preview.position, 4)
        preview.line_ids[1].action_show()
        self.assertEqual(preview.position, 2)
        self.assertEqual(self._counts(), before)
        self.assertRecordValues(
            actions, [{"state": "planned", "contact_id": False, "amount": 0}] * 4
        )

    def test_what_is_shown_is_what_is_sent(self):
        self._late_customers(self.customer)
        mail = self._planned(self.steps["First"])
        preview = self._open(mail.action_preview())
        subject, body = preview.subject, preview.body
        preview.action_send()
        self.assertEqual(mail.state, "done")
        self.assertEqual(mail.message_id.subject, subject)
        self.assertEqual(html2plaintext(mail.message_id.body).split(), html2plaintext(body).split())
        again = self._open(mail.action_preview())
        self.assertEqual(again.subject, subject, "what was sent can be looked at")
        with self.assertRaises(UserError):
            again.action_send()

    def test_amounts_are_of_the_moment(self):
        self._late_customers(self.customer)
        mail = self._planned(self.steps["First"])
        self._invoice(self.customer, 99.5, due=-3)
        self.assertIn("1,600.00", self._open(mail.action_preview()).subject)

    def test_send_all(self):
        lost = self._customer("Lost", email=False)
        self._late_customers(self.customer, lost)
        actions = self._planned(self.steps["First"]) | self._planned(self.steps["First"], lost)
        preview = self._open(actions.action_preview())
        preview.action_send_all()
        self.assertEqual(actions.mapped("state"), ["done", "planned"], "no address, not touched")
        with self.assertRaises(UserError):
            preview.action_send_all()

    def test_letter_that_follows_in_paper_is_not_sent(self):
        self._late_customers(self.customer)
        letter = self._planned(self.letter_steps["formal_letter"])
        letter.letter_by = "print"
        preview = self._open(letter.action_preview())
        self.assertEqual(preview.to_send_count, 0)
        self.assertIn("High Street", preview.address)
        self.assertFalse(preview.subject)
        with self.assertRaises(UserError):
            preview.action_send()

    def test_preview_of_a_run(self):
        """The run would send a reminder and a courtesy message; both can be read before."""
        self.policy.step_ids = [
            Command.create(
                {
                    "name": "Soon",
                    "days": -5,
                    "channel": "email",
                    "template_id": self.mail_template.id,
                }
            )
        ]
        early = self._customer("Early")
        self._invoice(self.customer, 10, due=-2)
        self._invoice(early, 20, due=3)
        self._invoice(early, 40, due=30)
        run = self._run(0, execute=False)
        before = self._counts()
        preview = self._open(run.action_preview_messages())
        self.assertEqual(preview.count, 2)
        shown = {}
        for line in preview.line_ids:
            line.action_show()
            shown[preview.partner_id] = preview.subject
        self.assertEqual(
            shown,
            {self.customer: "Overdue: $\u00a010.00", early: "Overdue: $\u00a020.00"},
        )
        line = run.line_ids.filtered(lambda line: line.partner_id == early)
        self.assertEqual(self._open(line.action_preview()).partner_id, early)
        self.assertEqual(self._counts(), before)
        with self.assertRaises(UserError):
            preview.action_send()
        self._run(0)
        actions = self.env["ar.collection.action"].search([("run_id", "=", run.id)])
        self.assertEqual(
            {action.partner_id: action.message_id.subject for action in actions}, shown
        )

    def test_step_is_shown_from_its_minimum_on(self):
        self.steps["First"].min_amount = 100
        small = self._customer("Small")
        self._invoice(self.customer, 100, due=-1)
        self._invoice(small, 99.99, due=-1)
        run = self._run(0, execute=False)
        self.assertEqual(run.line_ids.filtered("step_id").partner_id, self.customer)
        self._run(0)
        self.assertTrue(self._case().action_ids)
        self.assertFalse(self._case(small).action_ids)

    def test_nothing_to_preview(self):
        self._late_customers(self.customer)
        call = self._case().action_ids.filtered(lambda action: action.channel == "call")
        with self.assertRaises(UserError):
            call.action_preview()
        with self.assertRaises(UserError):
            self._run(0).action_preview_messages()

    def test_recipients_cost_no_queries(self):
        partners = [
            self._customer(f"Debtor {number}", street="A", city="B") for number in range(12)
        ]
        self._late_customers(*partners)
        actions = self.env["ar.collection.action"].union(
            *(self._planned(self.steps["First"], partner) for partner in partners)
        )

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some._get_recipients("email")
            return self.env.cr.sql_log_count - before

        count(actions)
        self.assertLessEqual(count(actions), count(actions[:2]) + 1)

    def test_who_may_look(self):
        self._late_customers(self.customer)
        mail = self._planned(self.steps["First"])
        preview = self._open(mail.action_preview())
        for values in (
            {"body": "<p>x</p>"},
            {"line_ids": [Command.create({"action_id": mail.id})]},
        ):
            with self.assertRaises(AccessError), self.cr.savepoint():
                preview.write(values)
        with self.assertRaises(AccessError), self.cr.savepoint():
            preview.line_ids.write({"action_id": mail.id})
        with self.assertRaises(AccessError), self.cr.savepoint():
            mail.with_user(self.env.ref("base.public_user")).action_preview()

    def test_what_may_not_be_read_any_more_is_not_shown(self):
        other = self._customer("Other")
        self._late_customers(self.customer, other)
        mail = self._planned(self.steps["First"])
        theirs = self._planned(self.steps["First"], other)
        line = self._open(mail.action_preview()).line_ids
        self.env["ir.rule"].create(
            {
                "name": "Collectors read what is theirs",
                "model_id": self.env["ir.model"]._get_id("ar.collection.action"),
                "domain_force": "[('user_id', '=', user.id)]",
            }
        )
        with self.assertRaises(AccessError):
            line.action_show()
        mail.sudo().user_id = self.collector
        with self.assertRaises(AccessError):
            (mail | theirs).action_preview()
        line.action_show()
        self.assertTrue(line.preview_id.body)

    def test_text_messages_are_short(self):
        """Both languages fit two text messages, with long names and amounts."""
        self.company.write(
            {"name": "Springfield Industrial Machinery Ltd.", "phone": "+1 555 012 3456"}
        )
        self._invoice(self.customer, 1234567.89, due=-20)
        self._run(0)
        step = self.steps["Text"]
        step.sms_template_id = self.env.ref("ar_collections.sms_template_reminder")
        for lang in ("en_US", "zh_CN"):
            self.customer.lang = lang
            text = self._planned(step)
            preview = self._open(text.action_preview())
            with self.subTest(lang=lang, text=preview.sms_text):
                self.assertIn("1,234,567.89", preview.sms_text)
                self.assertIn(preview.sms_count, (1, 2))
            text.action_cancel()

    def test_parts_of_a_text_message(self):
        for text, parts in (
            ("", 1),
            ("a" * 160, 1),
            ("a" * 161, 2),
            ("a" * 306, 2),
            ("a" * 307, 3),
            ("€" * 80, 1),
            ("€" * 81, 2),
            ("款" * 70, 1),
            ("款" * 71, 2),
            ("款" * 135, 3),
            ("a" * 70 + "ł", 2),
            ("😀" * 35, 1),
            ("😀" * 36, 2),
        ):
            self.assertEqual(sms_parts(text), parts, text[:3])
