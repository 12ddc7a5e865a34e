from .test_late_charge import LateChargeCommon


class TestLateChargeExcess(LateChargeCommon):
    """Payments that are dated in days that were charged, and matched later."""

    def _too_high(self):
        return self.env["ar.late.charge"].search(
            [("partner_id", "=", self.customer.id), ("excess", ">", 0)]
        )

    def test_a_payment_that_overtook_a_charge(self):
        run = self._charge_run()
        run.action_post()
        charge = self._charges()[0]
        self.assertFalse(self._too_high())
        self.assertEqual(set(self._charges().mapped("excess")), {0})
        # On the last day that was charged it changes nothing.
        self._pay(self.invoice, 100, day=0)
        self.assertFalse(self._too_high())
        # Of ten days five cost half.
        self._pay(self.invoice, 500, day=-5)
        self.assertEqual(self._too_high(), charge)
        self.env.invalidate_all()
        self.assertEqual(charge.excess, 0.5)
        again = self._charge_run()
        self.assertEqual(again.excess, 0.5)
        self.assertEqual(
            self.env["ar.late.charge"].search(again.action_open_excess()["domain"]), charge
        )
        for reader in (self.collector, self.manager):
            self.assertEqual(again.with_user(reader).excess, 0.5)
            self.assertEqual(charge.with_user(reader).read(["excess"])[0]["excess"], 0.5)
        stranger = self._charge_run(partner_ids=self._customer("Somebody else").ids)
        self.assertEqual(stranger.excess, 0)
        others = self.env["ar.late.charge"].search([("excess", "<=", 0)])
        self.assertEqual(others & self._charges(), self._charges() - charge)
        self.invoice.line_ids.remove_move_reconcile()
        self.assertFalse(self._too_high())

    def test_excess_is_corrected_by_reversal_and_the_days_cost_what_was_open(self):
        run = self._charge_run()
        run.action_post()
        self._pay(self.invoice, 500, day=-5)
        self._pay(self.other, 1000, day=-12)
        self.assertEqual(self._charges().mapped("excess"), [0.5, 2])
        run.move_ids._reverse_moves([{"invoice_date": self.today}], cancel=True)
        self.env.invalidate_all()
        self.assertFalse(self._too_high())
        self._charges().with_user(self.manager).action_free()
        again = self._charge_run()
        self.assertEqual(again.charge_ids.mapped("amount"), [1.5])
        again.action_post()
        self.assertFalse(self._too_high())

    def test_excess_is_corrected_by_a_credit_of_that_part(self):
        run = self._charge_run()
        run.action_post()
        self._pay(self.invoice, 500, day=-5)
        self._pay(self.other, 500, day=-5)
        credit = run.move_ids._reverse_moves([{"invoice_date": self.today}])
        credit.invoice_line_ids[1].unlink()
        credit.invoice_line_ids.price_unit = 0.7
        self.assertEqual(self._charges().mapped("excess"), [0.5, 0.5])
        credit.action_post()
        self.env.invalidate_all()
        self.assertEqual(self._charges().mapped("excess"), [0, 0.3])
        self.assertEqual(self._charges()[0].excess, 0, "alone as among the others")
        credit.button_draft()
        credit.invoice_line_ids.price_unit = 1
        credit.action_post()
        self.assertFalse(self._too_high())

    def test_what_was_capped_or_edited_is_too_high_by_what_the_days_cost(self):
        self.company.ar_charge_cap_share = 0.15
        run = self._charge_run()
        run.action_draft_notes()
        self.assertEqual(run.charge_ids.mapped("amount"), [1.5, 1.5])
        run.move_ids.invoice_line_ids[1].price_unit = 3
        run.action_post()
        self.assertFalse(self._too_high())
        # The first is below the cap now as before: ten days at 1000 cost 2.00, now 1.60.
        self._pay(self.invoice, 400, day=-5)
        self._pay(self.other, 400, day=-5)
        self.env.invalidate_all()
        self.assertEqual(self._charges().mapped("excess"), [0, 1.4])

    def test_excess_of_a_list_is_one_statement(self):
        self._charge_run().action_post()
        self._pay(self.invoice, 500, day=-5)
        self.env.flush_all()
        charges = self._charges()
        charges.mapped("amount")
        before = self.env.cr.sql_log_count
        charges.mapped("excess")
        self.assertEqual(self.env.cr.sql_log_count - before, 1)
