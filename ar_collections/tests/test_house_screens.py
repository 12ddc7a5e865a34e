"""What the screens of credit show, to whom, and at what cost."""

from odoo.exceptions import AccessError
from odoo.tests import Form

from .test_credit_control import ControlCommon


class TestScreens(ControlCommon):
    def _approved(self, amount=100):
        draft = self._draft(amount)
        self.grade.on_hold = "approve"
        self.file.write({"hold": True, "hold_reason": "Court case opened"})
        draft.with_user(self.biller).action_request_credit_release()
        release = draft.ar_release_ids
        release.with_user(self.manager).action_approve()
        draft.invalidate_recordset()
        return draft, release

    def test_a_release_that_ended_can_be_asked_for_again(self):
        draft, release = self._approved()
        self.assertEqual(draft.ar_release_state, "approved")
        release.sudo().valid_until = self._day(-1)
        draft.invalidate_recordset()
        self.assertFalse(draft.ar_release_state)
        draft.with_user(self.biller).action_request_credit_release()
        draft.invalidate_recordset()
        self.assertEqual(draft.ar_release_state, "requested")
        self.assertEqual(release.state, "cancelled")

    def test_a_release_that_is_too_small_releases_nothing(self):
        draft, release = self._approved()
        self.assertEqual(release.amount_granted, 100)
        draft.invoice_line_ids.price_unit = 101
        self.assertFalse(draft.ar_release_state)

    def test_release_state_while_the_invoice_is_edited(self):
        draft, _release = self._approved()
        with Form(draft) as form:
            form.ref = "Order 12"
            self.assertEqual(form.ar_release_state, "approved")

    def test_whoever_sells_sees_the_reason_and_no_figures(self):
        _draft, release = self._approved()
        customer = self.customer.with_user(self.employee)
        self.assertTrue(customer.credit_hold)
        self.assertEqual(customer.credit_hold_reason, "Court case opened")
        own = release.with_user(self.biller)
        self.assertIn("Court case opened", own.reasons)
        for name in ("exposure", "effective_limit", "overdue_amount"):
            with self.assertRaises(AccessError):
                own.read([name])
        self.file.sudo().hold = False
        customer.invalidate_recordset()
        self.assertFalse(customer.credit_hold_reason)

    def test_what_a_batch_kept_back_is_asked_for_by_who_may_write_it(self):
        self.file.write({"hold": True, "hold_reason": "Court case opened"})
        draft = self._draft()
        other = self._draft(partner=self._customer("Other"))
        (draft | other).with_user(self.biller).action_post()
        release = draft.ar_release_ids
        self.assertEqual(release.state, "held")
        auditor = self._user("auditor", "ar_collections.group_auditor")
        with self.assertRaises(AccessError):
            release.with_user(auditor).action_submit()
        release.with_user(self.biller).action_submit()
        self.assertEqual(release.state, "requested")

    def test_list_of_invoices_costs_no_query_per_line(self):
        self.file.write({"hold": True, "hold_reason": "Court case opened"})
        customers = [self._customer(f"Listed {number}") for number in range(10)]
        drafts = self._draft(partner=customers[0])
        for customer in customers:
            drafts |= self._draft(partner=customer)

        def cost(moves):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            moves.with_user(self.biller).web_read({"ar_credit_action": {}})
            return self.env.cr.sql_log_count - before

        cost(drafts)
        self.assertEqual(cost(drafts[:2]), cost(drafts))

    def test_signals_in_short(self):
        self._invoice(self.customer, 900, due=-40)
        self._run(0)
        lines = self.file.warning_text.split("\n")
        self.assertIn("40 days overdue", lines)
        self.assertEqual(self.file.warning_summary, "; ".join(lines))

    def test_watch_shows_the_worst_first(self):
        worse = self._customer("Worse")
        self._invoice(self.customer, 900, due=-5)
        self._invoice(worse, 900, due=-70)
        self._run(0)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_credit_file_action_watch"
        )
        view = self.env.ref("ar_collections.ar_credit_file_view_list_watch")
        self.assertEqual(action["views"][0], (view.id, "list"))
        files = self.env["ar.credit.file"].search(
            [("warning_tier", "in", ("medium", "high")), ("company_id", "=", self.company.id)],
            order="warning_points desc",
        )
        self.assertEqual(files[0].partner_id, worse)
