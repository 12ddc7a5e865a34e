"""Deliveries to customers on credit hold wait; nothing else does."""

from unittest.mock import patch

from .common import PickingCommon


class TestPicking(PickingCommon):
    def test_held_customer(self):
        picking = self._picking().with_user(self.keeper)
        self.assertIn("Bankrupt", self._stopped(picking.button_validate))
        self.assertNotEqual(picking.state, "done")
        self.file.sudo()._lift_hold()
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_contact_of_held_customer(self):
        contact = self.env["res.partner"].create({"name": "Dock", "parent_id": self.customer.id})
        self._stopped(self._picking(partner=contact).button_validate)
        self._picking(partner=self._customer("Another")).button_validate()

    def test_only_a_hold_stops_a_delivery(self):
        self.file.sudo()._lift_hold()
        grade = (
            self.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "X",
                    "name": "Strict",
                    "limit_rule": "fixed",
                    "limit_amount": 0,
                    "on_hold": "warn",
                }
            )
        )
        self.file.grade_id = grade
        self._invoice(self.customer, 100, due=-90)
        grade.write({"on_limit": "block", "on_overdue": "block"})
        self._picking().button_validate()
        self.file.sudo()._set_hold("Late", self.today)
        picking = self._picking()
        self.assertEqual(picking.ar_credit_action, "warn")
        self.assertNotIn("overdue", picking.ar_credit_text)
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_customer_in_credit(self):
        self._pay(self.open_item)
        picking = self._picking()
        picking.button_validate()
        self.assertEqual(picking.state, "done")

    def test_receipts_transfers_and_returns(self):
        self._picking("in").button_validate()
        self._picking("int").button_validate()
        self._picking(destination=self.suppliers).button_validate()
        first = self._picking("in")
        first.button_validate()
        back = self._picking(return_id=first.id)
        back.button_validate()
        self.assertEqual(back.state, "done")

    def test_batch_delivers_what_passes(self):
        pickings = self._picking() | self._picking(partner=self._customer("Another"))
        pickings.with_user(self.keeper).button_validate()
        self.assertEqual([state == "done" for state in pickings.mapped("state")], [False, True])
        self.assertRecordValues(
            pickings[0].ar_release_ids, [{"state": "held", "amount": 0, "control": "block"}]
        )
        self.assertFalse(pickings[1].ar_release_ids)

    def test_other_addons_see_only_what_passes(self):
        seen = []

        def _action_done(pickings):
            seen.extend(pickings.ids)
            return True

        pickings = self._picking() | self._picking(partner=self._customer("Another"))
        outermost = type(pickings).__mro__[1]
        with patch.object(outermost, "_action_done", _action_done, create=True):
            pickings._action_done()
        self.assertEqual(seen, pickings[1].ids)

    def test_moves_beside_the_picking(self):
        picking = self._picking()
        self._stopped(picking.move_ids._action_done)
        other = self._picking(partner=self._customer("Another"))
        self._stopped((picking | other).move_ids._action_done)
        for fake in (True, {"keys": [["stock.picking", picking.id]]}):
            moves = picking.move_ids.with_context(ar_credit_passed=fake)
            self._stopped(moves._action_done)
        self.file.sudo()._lift_hold()
        picking.move_ids._action_done()
        self.assertEqual(picking.state, "done")

    def test_release_lets_pass_once(self):
        picking = self._picking().with_user(self.keeper)
        self.assertEqual(picking.ar_credit_action, "block")
        picking.action_request_credit_release()
        release = picking.sudo().ar_release_ids
        self.assertRecordValues(release, [{"state": "requested", "requester_id": self.keeper.id}])
        self._stopped(picking.button_validate)
        release.with_user(self.admin).action_approve()
        picking.invalidate_recordset()
        self.assertEqual(picking.ar_release_state, "approved")
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        self.assertEqual(release.state, "used")
        self._stopped(self._picking().button_validate)

    def test_backorder_question_does_not_use_up_the_release(self):
        picking = self._picking()
        picking.action_request_credit_release()
        release = picking.ar_release_ids
        release.with_user(self.admin).action_approve()
        picking.move_ids.quantity = 1
        action = picking.button_validate()
        self.assertEqual(action["res_model"], "stock.backorder.confirmation")
        self.assertEqual(release.state, "approved")
        wizard = self.env["stock.backorder.confirmation"].with_context(**action["context"])
        wizard.create({}).process()
        self.assertEqual(picking.state, "done")
        self._stopped(picking.backorder_ids.button_validate)

    def test_form(self):
        view = self.env["stock.picking"].with_user(self.keeper).get_view(view_type="form")["arch"]
        self.assertIn("action_request_credit_release", view)
        self.assertFalse(self._picking("in").ar_credit_action)

    def test_queries_do_not_grow(self):
        counts = []
        for size in (4, 5, 30):
            pickings = self.env["stock.picking"].concat(
                *(self._picking(partner=self._customer(f"C{size}{n}")) for n in range(size))
            )
            pickings._ar_credit_pass()  # makes the credit files
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            pickings._ar_credit_pass()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts[1:])
