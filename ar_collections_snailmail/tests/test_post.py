import io
from unittest.mock import patch

from pypdf import PdfWriter

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.ar_collections.tests.common import CollectionsCommon
from odoo.addons.snailmail.models import snailmail_letter


def blank_page():
    """What the service's cover page and margins are put on."""
    writer, stream = PdfWriter(), io.BytesIO()
    writer.add_blank_page(595, 842)
    writer.write(stream)
    return stream.getvalue()


class TestPost(CollectionsCommon):
    """Letters by the post service; only the call that leaves the machine is patched."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write(
            {
                "street": "1 High Street",
                "city": "Springfield",
                "zip": "12345",
                "country_id": cls.env.ref("base.us").id,
            }
        )
        cls.policy.step_ids = [
            Command.create(
                {
                    "name": "Letter",
                    "days": 30,
                    "channel": "letter",
                    "letter_by": "post",
                    "stage_id": cls.stages["final"].id,
                    "template_id": cls.mail_template.id,
                    "report_id": cls.env.ref("ar_collections.report_formal_letter").id,
                }
            )
        ]

    def _letter(self, partner=None):
        self._invoice(partner or self.customer, 100, due=-30)
        self._run(0)
        return self._case(partner).action_ids

    def _deliver(self, letter, answer):
        """The service takes the letter, or says why it does not."""
        sent = []

        def service(url, params, **_kwargs):
            sent.extend(params["documents"])
            documents = [{**document, **answer} for document in params["documents"]]
            return {"request_code": 200, "request": {"documents": documents}}

        letter.ar_action_id.attachment_id.sudo().raw = blank_page()
        with patch.object(snailmail_letter.iap_tools, "iap_jsonrpc", service):
            letter._snailmail_print_valid_address()
        return sent

    def test_what_is_stopped_stays_here(self):
        """The job of the post service passes over it until it may go on."""
        letter = self._letter().snailmail_letter_id
        asked = []

        def service(url, params, **_kwargs):
            asked.append(url)
            return {"request_code": 200, "request": {"documents": []}}

        letter.ar_action_id.attachment_id.sudo().raw = blank_page()
        self.policy.stopped = True
        with patch.object(snailmail_letter.iap_tools, "iap_jsonrpc", service):
            letter._snailmail_cron(autocommit=False)
        self.assertRecordValues(letter, [{"state": "pending"}])
        self.assertFalse(asked)
        self.policy.stopped = False
        commits = []
        with (
            patch.object(snailmail_letter.iap_tools, "iap_jsonrpc", service),
            patch.object(self.env.cr, "commit", lambda: commits.append(1)),
        ):
            letter._snailmail_cron(autocommit=False)
        self.assertTrue(asked)

    def test_posted_by_the_daily_run(self):
        action = self._letter()
        self.assertRecordValues(
            action,
            [
                {
                    "state": "done",
                    "letter_by": "post",
                    "outcome": "posted",
                    "contact_id": self.customer.id,
                    "delivery": "ready",
                }
            ],
        )
        letter = action.snailmail_letter_id
        self.assertRecordValues(
            letter,
            [
                {
                    "state": "pending",
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "model": "ar.collection.case",
                    "res_id": self._case().id,
                    "city": "Springfield",
                }
            ],
        )
        self.assertEqual(action.message_id, letter.message_id)
        self.assertEqual(letter.message_id.attachment_ids, action.attachment_id)
        documents = self._deliver(letter, {"sent": True, "send_id": 7})
        self.assertEqual(len(documents), 1)
        self.assertEqual(documents[0]["address"]["street"], "1 High Street")
        self.assertTrue(documents[0]["pdf_bin"])
        self.assertEqual((letter.state, action.delivery), ("sent", "sent"))

    def test_refused_by_the_service(self):
        """What the service refuses later is a failed action, as a bounced mail is."""
        action = self._letter()
        self._deliver(action.snailmail_letter_id, {"error": "NO_PRICE_AVAILABLE"})
        self.assertEqual(action.delivery, "exception")
        self._run(1)
        self.assertEqual(action.state, "failed")
        self.assertTrue(action.failure_reason)
        self.assertEqual(len(self._case().activity_ids), 1)

    def test_incomplete_address(self):
        """The service needs a zip, which our own letters do without."""
        self.customer.zip = False
        action = self._letter()
        self.assertEqual(action.state, "failed")
        self.assertIn("address is incomplete", action.failure_reason)
        self.assertFalse(action.snailmail_letter_id)
        self.customer.zip = "12345"
        action.action_send()
        self.assertEqual((action.state, action.snailmail_letter_id.state), ("done", "pending"))

    def test_by_hand_and_in_preview(self):
        collector = new_test_user(
            self.env,
            "post",
            "base.group_user,ar_collections.group_collector",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.customer.zip = False
        action = self._letter().with_user(collector)
        self.customer.zip = "12345"
        window = action.action_preview()
        preview = self.env[window["res_model"]].with_user(collector).browse(window["res_id"])
        self.assertIn("High Street", preview.address)
        self.assertTrue(preview.document)
        self.assertFalse(action.snailmail_letter_id, "nothing is posted by looking")
        preview.action_send()
        self.assertEqual(action.snailmail_letter_id.state, "pending")
        with self.assertRaises(AccessError), self.cr.savepoint():
            action.snailmail_letter_id = False

    def test_many_letters_in_one_batch(self):
        others = [
            self._customer(
                f"Debtor {number}",
                street="A",
                city="B",
                zip="1",
                country_id=self.env.ref("base.us").id,
            )
            for number in range(4)
        ]
        for partner in others:
            self._invoice(partner, 10, due=-30)
        self._run(0)
        letters = self.env["snailmail.letter"].search([("partner_id", "in", self._ids(others))])
        self.assertEqual(len(letters), 4)
        self.assertEqual(letters.ar_action_id.partner_id.ids, self._ids(others))

    def _ids(self, partners):
        return [partner.id for partner in partners]
