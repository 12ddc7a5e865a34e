from base64 import b64decode, b64encode
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

from PIL import Image

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..models.portal.portal_claim import MAX_NAME, has_program, is_picture
from .test_house_migration import MIGRATIONS, load
from .test_portal import PNG, PortalPages

WRITTEN = "access_token="


class SecretCase(PortalPages):
    def _user(self, login, groups, **values):
        return new_test_user(
            self.env,
            login,
            ",".join(["base.group_user", *groups]),
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
            **values,
        )


@tagged("post_install", "-at_install")
class TestPortalLink(SecretCase):
    """A working link is in what goes out to the customer, and nowhere else."""

    def _stored(self):
        """Every text of the database that holds a working link: ``[(table, column, id)]``."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT table_name, column_name FROM information_schema.columns
             JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
               AND data_type IN ('text', 'character varying', 'jsonb')
               AND table_name NOT LIKE 'ir\\_ui%' AND table_name NOT LIKE 'ir\\_model%'
            """
        )
        found = []
        for table, column in self.env.cr.fetchall():
            self.env.cr.execute(
                f"""SELECT COUNT(*) FROM "{table}"
                     WHERE "{column}"::text LIKE '%my/receivables%access\\_token=%'"""
            )
            if self.env.cr.fetchone()[0]:
                found.append((table, column))
        return found

    def _messages(self):
        """``{what: message}`` of everything that goes out with a link."""
        plan, acknowledgement = self._papers(self.file)
        self.file._send_statements()
        action = self._case(self.other).action_ids.filtered(
            lambda action: action.channel == "email" and action.message_id
        )
        return {
            "reminder": action.message_id,
            "plan": plan.message_ids.filtered("partner_ids"),
            "acknowledgement": acknowledgement.message_ids.filtered("partner_ids"),
        }

    def test_nothing_stored_opens_a_page(self):
        for what, message in self._messages().items():
            with self.subTest(what=what):
                self.assertIn("/my/receivables/", message.body)
                [text] = self._sent(message).values()
                [link] = self._links(text)
                self.assertIn(WRITTEN, link)
                self.assertEqual(self._get(link).status_code, 200)
        self.assertEqual(self._stored(), [])

    def test_who_may_read_cannot_act(self):
        """Neither by fields nor by Odoo's ways to share a document."""
        plan, acknowledgement = self._papers(self.file)
        action = self.case.action_ids[:1]
        auditor = self._user("secret_auditor", ["ar_collections.group_auditor"])
        for record in (plan, acknowledgement, action):
            shown = record.with_user(auditor).read()[0]
            self.assertNotIn(WRITTEN, str(shown))
            self.assertFalse(hasattr(record, "get_portal_url"))
        self.assertNotIn("portal_link", self.file.with_user(auditor).fields_get())

    def test_readers_of_ours_and_strangers_get_bare_links(self):
        plan, _acknowledgement = self._papers(self.file)
        colleague = self._user(
            "secret_colleague", [], email="colleague@example.com", notification_type="email"
        )
        follower, bookkeeper, theirs = (
            self.env["res.partner"].create({"name": name, "email": f"{name}@example.com"})
            for name in ("follower", "bookkeeper", "theirs")
        )
        theirs.parent_id = self.customer
        plan.message_subscribe((follower | theirs).ids, self.env.ref("mail.mt_comment").ids)
        message = plan.with_user(self.collector).message_post(
            body=f"See {plan.portal_link}",
            partner_ids=(colleague.partner_id | bookkeeper).ids,
            subtype_xmlid="mail.mt_comment",
        )
        sent = self._sent(message)
        for reader, opens in (
            (theirs, True),
            (bookkeeper, True),
            (colleague.partner_id, False),
            (follower, False),
        ):
            self.assertEqual(WRITTEN in sent[reader], opens, reader.name)

    def test_only_who_may_act_for_the_customer_sends_links(self):
        links, bare = self.env["ar.portal.link"], self.file._portal_url()
        for index, (group, opens) in enumerate(
            (
                ("base.group_user", False),
                ("base.group_partner_manager", False),
                ("ar_collections.group_auditor", False),
                ("account.group_account_readonly", False),
                ("account.group_account_invoice", False),
                ("ar_collections.group_collector", True),
            )
        ):
            user = self._user(f"secret_{index}", [group])
            message = self.env["mail.message"].with_user(user).sudo().create({"body": bare})
            text = links.sudo()._open(f'<a href="{bare}">', message, self.child)
            self.assertEqual(WRITTEN in text, opens, group)

    def test_link_leads_to_us_alone(self):
        links = self.env["ar.portal.link"].sudo()
        message = self.env["mail.message"].create({"body": "x"})
        page = f"/my/receivables/{self.file.id}"
        for address in (
            f"https://thief.example.com{page}",
            f"https://thief.example.com/{self.file.get_base_url()}{page}",
            f"{self.file.get_base_url()}{page}/more",
            f"{self.file.get_base_url()}{page}0",
            f"{self.file.get_base_url()}{page}?x=1",
            f"{self.file.get_base_url()}/my/receivables/nothing/{self.file.id}",
            f"{self.file.get_base_url()}/my/receivables/999999999",
            f"{self.file.get_base_url()}/my/receivables/{self.other_file.id}",
        ):
            self.assertEqual(links._open(address, message, self.child), address)
        self.company.ar_portal_days = 0
        address = self.file._portal_url()
        self.assertEqual(links._open(address, message, self.child), address)

    def test_answers_that_quote_a_link_are_kept_without(self):
        link = self.file._portal_url(self.token)
        encoded = link.replace(":", "%3A").replace("/", "%2F").replace("?", "%3F")
        encoded = encoded.replace("=", "%3D")
        foreign = '<a href="https://example.com/my/invoices/1?access_token=abc">'
        for body in (
            f'<a href="{link}">x</a>',
            f"<p>{link}</p>",
            f'<a href="{link}&amp;done=promise">',
            f'<a href="https://safe.example.com/?url={encoded}&amp;data=1">',
            link.replace("?", "/promise?item=5&amp;"),
        ):
            message = self.case.message_post(body=f"{foreign}{body}", message_type="email")
            self.assertNotIn(self.token, message.body)
            self.assertIn("access_token=abc", message.body)
            message.body = body
            self.assertNotIn(self.token, message.body)

    def test_text_message_has_the_link_while_it_is_sent(self):
        link = self.file._portal_url()
        message = self.env["mail.message"].create({"body": link})
        sms = self.env["sms.sms"].create(
            {
                "body": f"Please pay: {link}",
                "mail_message_id": message.id,
                "partner_id": self.child.id,
                "number": "+12025550123",
            }
        )
        handed_over = []

        class Gateway:
            PROVIDER_TO_SMS_FAILURE_TYPE = {}

            def _send_sms_batch(self, messages, delivery_reports_url=False):
                handed_over.extend(messages)
                return [{"uuid": sms.uuid, "state": "server_error"}]

        sms._send_with_api(Gateway())
        [sent] = handed_over
        self.assertIn(WRITTEN, sent["content"])
        self.assertEqual(sms.body, f"Please pay: {link}")

    def test_links_of_before_are_taken_out(self):
        link = self.file._portal_url(self.token)
        message = self.case.message_post(body="x")
        other = self.case.message_post(body="Nothing of it")
        mail = self.env["mail.mail"].create({"mail_message_id": message.id})
        sms = self.env["sms.sms"].create({"mail_message_id": message.id, "number": "1"})
        self.env.flush_all()
        for table, column, record in (
            ("mail_message", "body", message),
            ("mail_mail", "body_html", mail),
            ("sms_sms", "body", sms),
        ):
            self.env.cr.execute(
                f"UPDATE {table} SET {column} = %s WHERE id = %s",
                [f'<a href="{link}">A</a> <a href="{link}">B</a>', record.id],
            )
        self.env.invalidate_all()
        self.assertTrue(self._stored())
        for _twice in range(2):
            load(MIGRATIONS / "19.0.5.3.0/post-links.py").migrate(self.env.cr, "19.0.5.2.0")
            self.env.invalidate_all()
            self.assertEqual(self._stored(), [])
            self.assertEqual(str(message.body).count(f'"{self.file._portal_url()}"'), 2)
            self.assertIn("Nothing of it", other.body)


@tagged("post_install", "-at_install")
class TestPortalSigner(SecretCase):
    """Who signs is known, and what was signed can be proved."""

    def test_link_alone_signs_nothing(self):
        for paper in self._papers(self.file):
            self.assertIn("Confirm your e-mail", self._sign(paper, self.token)["error"])
            self.assertFalse(paper.signed_on)

    def test_code_goes_to_contacts_of_the_customer_only(self):
        plan, _acknowledgement = self._papers(self.file)
        stranger = self.env["res.partner"].create({"name": "S", "email": "s@example.com"})
        ours = self.env["res.partner"].create(
            {"name": "Ours", "email": "ours@example.com", "parent_id": self.customer.id}
        )
        new_test_user(self.env, "secret_ours", "base.group_user", partner_id=ours.id)
        mails = self.env["mail.mail"].search_count([])
        for email in (
            stranger.email,
            ours.email,
            self.collector.email,
            "",
            "no address",
            "payable@customer.example.com\nBcc: s@example.com",
            "x" * 5000,
        ):
            page = self._ask_code(plan, self.token, email)
            self.assertIn("We do not know this address", page.text, email)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        page = self._ask_code(plan, self.token, " Payable@Customer.example.com ")
        self.assertIn("We have sent you a code", page.text)
        self.assertIn("wait a minute", self._ask_code(plan, self.token).text)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails + 1)

    def test_code_works_once_for_its_paper_and_not_for_ever(self):
        plan, acknowledgement = self._papers(self.file)
        page = self._ask_code(plan, self.token)
        code = self._code()
        wrong = f"{(int(code) + 1) % 10**8:08}"
        for entered in ("", wrong, "é", "1" * 5000):
            answer = self._enter_code(page, plan, self.token, entered)
            self.assertIn("wrong or too old", answer.text)
        self.assertIn(
            "wrong or too old", self._enter_code(page, acknowledgement, self.token, code).text
        )
        self.assertIn("You sign as", self._enter_code(page, plan, self.token, code).text)
        self.assertFalse(plan.sudo()._confirm_signing_code(code), "used")
        self.assertIn("Confirm your e-mail", self._sign(acknowledgement, self.token)["error"])
        self.assertIn("force_refresh", self._sign(plan, self.token))

    def test_code_is_not_guessed(self):
        plan = self._papers(self.file)[0].sudo()
        plan._send_signing_code(self.child.email)
        code = self._code()
        for _try in range(5):
            self.assertFalse(plan._confirm_signing_code("x"))
        self.assertFalse(plan._confirm_signing_code(code))

    def test_code_is_read_by_nobody(self):
        plan, _acknowledgement = self._papers(self.file)
        plan.sudo()._send_signing_code(self.child.email)
        code = self._code()
        self.assertNotIn(code, str(plan.sudo().signing_code))
        for user in (self.collector, self.env.ref("base.user_admin")):
            self.assertNotIn("signing_code", plan.with_user(user).fields_get())
        for message in self.env["mail.message"].sudo().search([], order="id desc", limit=5):
            self.assertNotIn(code, message.body or "")

    def test_proof_of_a_signature(self):
        agent = "Mozilla/5.0 (X11) Test"
        self.opener.headers["User-Agent"] = agent
        plan, acknowledgement = self._papers(self.file)
        self._confirm(plan, self.token)
        self._sign(plan, self.token)
        self.authenticate("portal_child", "portal_child")
        self.opener.headers["User-Agent"] = agent
        self._sign(acknowledgement, "")
        for paper, way in ((plan, "code"), (acknowledgement, "login")):
            self.assertRecordValues(
                paper,
                [
                    {
                        "signed_by": "Director",
                        "signed_email": "payable@customer.example.com",
                        "signed_with": way,
                        "signed_address": "127.0.0.1",
                        "signed_browser": agent,
                    }
                ],
            )
            content = b64decode(paper.with_context(bin_size=False).signed_document)
            self.assertEqual(paper.signed_hash, sha256(content).hexdigest())
            for name in ("signed_email", "signed_hash", "signed_document", "signed_on"):
                with self.assertRaises(UserError):
                    paper.with_user(self.collector).write({name: "x"})
            [kept] = self.env["ir.attachment"].search(
                [
                    ("res_model", "=", paper._name),
                    ("res_id", "=", paper.id),
                    ("res_field", "=", "signed_document"),
                ]
            )
            with self.assertRaises(UserError):
                kept.with_user(self.collector).unlink()
            with self.assertRaises(UserError):
                kept.with_user(self.collector).raw = b"Another"

    def test_our_own_staff_does_nothing_for_the_customer(self):
        """Not with a working link, nor when somebody made them a contact of the customer."""
        plan, acknowledgement = self._papers(self.file)
        self._confirm(plan, self.token)
        users = self.collector, self._user("secret_plain", [], parent_id=self.customer.id)
        for user in users:
            self.authenticate(user.login, user.login)
            for paper in (plan, acknowledgement):
                self.assertIn("one of us", self._sign(paper, self.token)["error"])
                self.assertFalse(paper.signed_on)
            item = self._item(self.invoice).id
            page = self._post("/promise", self.token, item=item, name="N", date=str(self._day(2)))
            self.assertIn("one of us", page.text)
            page = self._post("/dispute", self.token, item=item, name="N", description="Wet")
            self.assertIn("one of us", page.text)
        self.assertFalse(self.env["ar.payment.promise"].search([("file_id", "=", self.file.id)]))
        self.assertFalse(self.env["ar.dispute"].search([("file_id", "=", self.file.id)]))

    def test_signature_is_a_picture(self):
        plan, _acknowledgement = self._papers(self.file)
        self._confirm(plan, self.token)
        svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
        wide = BytesIO()
        Image.new("1", (9000, 9000)).save(wide, "PNG")
        gif = BytesIO()
        Image.new("1", (2, 2)).save(gif, "GIF")
        for signature in (
            *(b64encode(content).decode() for content in (
                svg, b"<html><script/></html>", b"%PDF-1.4", b"MZ", b"\x89PNG\r\n\x1a\n",
                b"\x89PNG\r\n\x1a\n" + svg, wide.getvalue(), gif.getvalue(),
            )),
            f"data:image/png;base64,{PNG}", PNG + "é", [PNG], {"a": 1}, 5, True,
        ):  # fmt: skip
            self.assertIn(
                "Draw your signature", self._sign(plan, self.token, signature=signature)["error"]
            )
        for name in ("N" * (MAX_NAME + 1), "", None, ["N"], 5):
            self.assertTrue(self._sign(plan, self.token, name=name)["error"], name)
        self.assertFalse(plan.signed_on)


@tagged("post_install", "-at_install")
class TestPortalUpload(SecretCase):
    """What customers send is kept as what it is, and is saved by the browser, never shown."""

    def _picture(self, kind):
        stream = BytesIO()
        Image.new("RGB", (3, 3)).save(stream, kind)
        return stream.getvalue()

    def _office(self, *names):
        stream = BytesIO()
        with ZipFile(stream, "w") as office:
            for name in ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", *names):
                office.writestr(name, "<x/>")
        return stream.getvalue()

    def test_names_follow_the_content(self):
        check = self.env["ar.portal.claim"]._check_files
        png = self._picture("PNG")
        for name, kept in (
            ("photo.png", "photo.png"),
            ("PHOTO.PNG", "PHOTO.png"),
            ("evil.html", "evil.html.png"),
            ("evil.svg", "evil.svg.png"),
            ("run.exe", "run.exe.png"),
            ("../../etc/passwd", "passwd.png"),
            ("C:\\boot\\x.png", "x.png"),
            ("a\r\nSet-Cookie: b.png", "aSet-Cookie: b.png"),
            ("x" * 500, "x" * MAX_NAME + ".png"),
            ("", ".png"),
        ):
            self.assertEqual(check([(name, png)]), [(kept, png, "image/png")], name)

    def test_what_is_taken(self):
        claims = self.env["ar.portal.claim"]
        for content, mimetype in (
            (self._picture("PNG"), "image/png"),
            (self._picture("JPEG"), "image/jpeg"),
            (b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/\0\0\0\0", "image/webp"),
            (b"%PDF-1.4\n%%EOF", "application/pdf"),
        ):
            [(_name, _content, found)] = claims._check_files([("a", content)])
            self.assertEqual(found, mimetype)
        self.assertTrue(is_picture(self._picture("PNG")))
        self.assertFalse(has_program(self._office()))
        for part in ("xl/vbaProject.bin", "xl/activeX/a.bin", "word/embeddings/o.bin"):
            self.assertTrue(has_program(self._office(part)), part)
        self.assertTrue(has_program(b"PK\x03\x04 broken"))

    def test_what_is_refused(self):
        check = self.env["ar.portal.claim"]._check_files
        for content in (
            b"",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
            b"<html><script>alert(1)</script></html>",
            b"<?xml version='1.0'?><x/>",
            b"\x89PNG\r\n\x1a\n<html>",
            b"\xff\xd8\xff\xe0<script>",
            b"MZ\x90\x00program",
            b"\x7fELF",
            b"#!/bin/sh",
            b"GIF89a",
            b"PK\x03\x04",
            self._office("xl/vbaProject.bin"),
            b"plain text",
        ):
            for name in ("a.pdf", "a.png", "a.html"):
                with self.assertRaisesRegex(UserError, "cannot be taken"):
                    check([(name, content)])

    def test_served_to_be_saved(self):
        reason = self.env["ar.dispute.reason"].search([], limit=1)
        self._post(
            "/dispute",
            self.token,
            files={"files": ("evil.html", self._picture("PNG"), "text/html")},
            item=self._item(self.invoice).id,
            name="Warehouse",
            reason_id=reason.id,
            description="Wet",
        )
        dispute = self.env["ar.dispute"].search([("partner_id", "=", self.customer.id)])
        [kept] = dispute.message_ids.attachment_ids
        self.assertEqual((kept.name, kept.mimetype), ("evil.html.png", "image/png"))
        self.authenticate(self.collector.login, self.collector.login)
        for path in (
            f"/web/content/{kept.id}",
            f"/web/content/{kept.id}?download=false",
            f"/web/image/{kept.id}",
        ):
            response = self.url_open(path)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["Content-Type"], "image/png")
            self.assertTrue(response.headers["Content-Disposition"].startswith("attachment"), path)
            self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
