from odoo import Command
from odoo.tests import Form

from .common import CollectionsCommon


class TestRecipient(CollectionsCommon):
    """Who gets what is written: the same for every channel, button, wizard and paper."""

    def _contact(self, name, **values):
        values = {"parent_id": self.customer.id, "type": "contact", **values}
        return self._customer(name, is_company=False, **values)

    def _file(self):
        return self.env["ar.credit.file"]._get_file(self.customer, self.company, create=True)

    def _recipient(self, field="email"):
        """Of the automatic mail, and of the button of the case, which is the same."""
        case = self._case()
        self.assertTrue(case)
        mail = case.action_ids.filtered(lambda action: action.channel == "email")[:1]
        button = case.action_write_email()["context"]["default_partner_ids"]
        self.assertEqual(button, mail.contact_id.ids, "the button writes to who got the mail")
        return mail.contact_id

    def test_button_and_automatic_mail(self):
        payables = self._contact("Payables", type="invoice")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), payables)

    def test_dunning_contact_comes_before_the_invoice_address(self):
        self._contact("Payables", type="invoice")
        self._file().dunning_contact_id = clerk = self._contact("Clerk")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), clerk)

    def test_nobody_who_is_archived(self):
        payables = self._contact("Payables", type="invoice")
        self._file().dunning_contact_id = clerk = self._contact("Clerk", street="A", city="B")
        clerk.active = False
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), payables)
        file = self._file()
        self.assertEqual(file._get_statement_contacts()[file], payables)
        self.assertEqual(file._letter_contact(), self.customer, "who has no street gets no letter")
        self.customer.street = "Main street 1"
        self.assertEqual(file._letter_contact(), self.customer)

    def test_whoever_was_chosen_and_left(self):
        """Each role that a contact has, once it is archived."""
        file = self._file()
        roles = ("payer_id", "decision_maker_id", "deputy_id", "legal_contact_id")
        contacts = {role: self._contact(role, phone="+1 555 0199") for role in roles}
        file.write({role: contact.id for role, contact in contacts.items()})
        self.steps["First"].cc_role = "decision_maker_id"
        self.customer.write({"street": "Main street 1", "city": "Town"})
        self._invoice(self.customer, 100, due=-1)
        clerk = self._contact("Clerk", phone="+1 555 0155", street="A", city="B")
        self._run(0)
        case = self._case()
        call = case.sudo()._plan_call(self._day(1), "Ask again")
        call.contact_id = clerk
        plan = self.env["ar.payment.plan"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "contact_id": clerk.id,
            }
        )
        mail = case.action_ids.filtered(lambda action: action.channel == "email")
        self.assertEqual(
            self.env["ar.collection.sender"]._get_copy_contacts(mail)[mail],
            contacts["decision_maker_id"],
        )
        self.assertEqual((call.phone, plan.customer_name), (clerk.phone, clerk.name))
        (clerk | clerk.union(*contacts.values())).active = False
        call.invalidate_recordset(["phone"])
        plan.invalidate_recordset(["customer_name"])
        for what, found, expected in (
            (
                "copy of a reminder",
                self.env["ar.collection.sender"]._get_copy_contacts(mail)[mail],
                self.env["res.partner"],
            ),
            ("planned call", call.phone, self.customer.phone),
            ("planned letter", call._letter_contact(), self.customer),
            ("plan", plan._letter_contact(), self.customer),
            ("mail of a plan", plan.customer_name, self.customer.name),
        ):
            with self.subTest(what=what):
                self.assertEqual(found, expected)
        self.assertIn(self.customer.name, call.prepare_contacts)
        for contact in contacts.values():
            self.assertNotIn(contact.name, call.prepare_contacts)
        plan.sudo()._record_signature("Clerk")
        self.assertEqual(plan._letter_contact(), clerk, "what was signed stays as it was")
        call.action_done()
        self.assertEqual(call._letter_contact(), clerk)
        self.customer.active = False
        self.assertFalse(case.action_write_email()["context"]["default_partner_ids"])

    def test_nobody_at_all(self):
        self.customer.email = False
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        action = self._case().action_ids
        self.assertRecordValues(action, [{"state": "failed", "contact_id": False}])

    def test_address_on_the_invoice(self):
        self._file().dunning_contact_id = self._contact("Clerk")
        site = self._contact("Building Site", type="other")
        self._invoice(site, 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), site)

    def test_addresses_that_differ_go_to_the_dunning_contact(self):
        self._file().dunning_contact_id = clerk = self._contact("Clerk")
        for name in ("Site North", "Site South"):
            self._invoice(self._contact(name, type="other"), 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), clerk)

    def test_address_without_email_falls_back(self):
        site = self._contact("Building Site", type="other", email=False)
        self._invoice(site, 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), self.customer)

    def test_paid_invoices_have_no_say(self):
        site = self._contact("Building Site", type="other")
        self._pay(self._invoice(self._contact("Old Site", type="other"), 50, due=-20))
        self._invoice(site, 100, due=-1)
        self._run(0)
        self.assertEqual(self._recipient(), site)

    def test_preview_of_a_run(self):
        site = self._contact("Building Site", type="other")
        self._invoice(site, 100, due=-1)
        run = self._run(0, execute=False)
        line = run.line_ids.filtered(lambda line: line.channel == "email")
        self.assertEqual(line.address, site.email)
        action = run.action_preview_messages()
        preview = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(preview.contact_id, site)
        run.sudo()._execute()
        self.assertEqual(self._recipient(), site)

    def test_telephone(self):
        self._contact("Payables", type="invoice", phone="+1 555 0155")
        self._invoice(self.customer, 100, due=-16)
        self._run(0)
        case = self._case()
        call = case.action_ids.filtered(lambda action: action.channel == "call")
        self.assertEqual((case.phone, call.phone), ("+1 555 0155", "+1 555 0155"))
        action = case.action_write_sms()
        composer = self.env[action["res_model"]].with_context(**action["context"])
        composer = composer.create({"body": "Please call us"})
        self.assertEqual(composer.recipient_single_number_itf.replace(" ", ""), "+15550155")

    def test_letter_in_paper(self):
        site = self._contact("Building Site", type="other", street="Site 1", city="Town")
        self.customer.write({"street": "Main street 1", "city": "Town"})
        self._invoice(site, 100, due=-1)
        self._run(0)
        letter = self.env["ar.collection.action"].create(
            {
                "company_id": self.company.id,
                "partner_id": self.customer.id,
                "case_id": self._case().id,
                "channel": "letter",
                "date_planned": self.today,
            }
        )
        action = letter.action_print_letters()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(wizard.line_ids.contact_id, site)

    def test_decision_of_a_dispute(self):
        invoice = self._invoice(self._contact("Building Site", type="other"), 100, due=-1)
        self._file().dunning_contact_id = self._contact("Clerk")
        line = invoice.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        dispute = self.env["ar.dispute"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "reason_id": self.env["ar.dispute.reason"].search([], limit=1).id,
                "line_ids": [Command.create({"move_line_id": line.id, "amount": 100})],
                "decision_note": "It was as agreed.",
            }
        )
        dispute.action_reject()
        message = dispute.message_ids.filtered("partner_ids")[:1]
        self.assertEqual(message.partner_ids, invoice.partner_id)

    def test_who_was_spoken_to_comes_first(self):
        self._file().dunning_contact_id = self._contact("Clerk")
        boss = self._contact("Boss")
        file = self._file()
        recipient = self.env["ar.recipient"]._get_recipients(file, "email", people={file: boss})
        self.assertEqual(recipient[file], boss)
        boss.email = False
        recipient = self.env["ar.recipient"]._get_recipients(file, "email", people={file: boss})
        self.assertEqual(recipient[file].name, "Clerk")

    def test_what_is_booked_stays_with_the_customer(self):
        file = self._file()
        file.dunning_contact_id = self._customer("Paying Agent")
        recipients = self.env["ar.recipient"]
        self.assertEqual(recipients._get_recipients(file)[file], file.dunning_contact_id)
        self.assertEqual(recipients._get_recipients(file, own=True)[file], self.customer)

    def test_costs_no_queries(self):
        files = self.env["ar.credit.file"]
        for number in range(12):
            customer = self._customer(f"Debtor {number}")
            self._customer(f"Payables {number}", parent_id=customer.id, type="invoice")
            files |= files._get_file(customer, self.company, create=True)

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["ar.recipient"]._get_recipients(some, "email")
            return self.env.cr.sql_log_count - before

        count(files)
        self.assertLessEqual(count(files), count(files[:2]) + 1)

    def test_statement_by_the_wizard(self):
        payables = self._contact("Payables", type="invoice")
        self._invoice(self.customer, 100, due=-1)
        self._run(0)
        action = self._file().action_statement()
        Form(self.env[action["res_model"]].with_context(**action["context"])).save().action_send()
        message = self._file().message_ids.filtered("partner_ids")[:1]
        self.assertEqual(message.partner_ids, payables)
