from odoo import api, fields, models


class AccountMove(models.Model):
    """Debit notes of late charges: ordinary invoices that give no credit."""

    _inherit = "account.move"

    ar_is_late_charge = fields.Boolean(string="Late Charges", readonly=True, copy=False)

    def _ar_credit_exemption(self):
        # EXTENDS ar_collections: what is owed for being late is no new credit
        exemption = super()._ar_credit_exemption()
        if not exemption and self._ar_has_only_charges():
            return self.env._("late charges")
        return exemption

    def _ar_has_only_charges(self):
        """Whether all that is invoiced are late charges, as they were computed."""
        if not self.ar_is_late_charge:
            return False
        charges = (
            self.env["ar.late.charge"]
            .sudo()
            .search([("move_id", "=", self._origin.id), ("state", "=", "drafted")])
        )
        lines = self.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        amounts = {charge.note_line_id.id: charge.amount for charge in charges}
        return bool(lines) and all(
            line._origin.id in amounts
            and not self.currency_id.compare_amounts(line.price_subtotal, amounts[line._origin.id])
            for line in lines
        )

    def _post(self, soft=True):
        # EXTENDS account
        self.env["ar.late.charge"]._check_notes(self)
        posted = super()._post(soft=soft)
        self.env["ar.late.charge"]._notes_posted(posted)
        return posted

    def _ar_follow_undone(self):
        # EXTENDS ar_collections
        result = super()._ar_follow_undone()
        charges = self.env["ar.late.charge"]
        notes = self._ar_charge_notes()
        if dropped := notes.filtered(lambda move: move.state == "cancel"):
            charges._notes_dropped(dropped)
        if reset := notes - dropped:
            charges._notes_reset(reset)
        return result

    def _ar_charge_notes(self):
        """Debit notes of late charges among these, and credit notes of such."""
        return self.filtered(
            lambda move: move.ar_is_late_charge or move.reversed_entry_id.ar_is_late_charge
        )

    @api.ondelete(at_uninstall=False)
    def _ar_free_charges(self):
        if notes := self.filtered("ar_is_late_charge"):
            self.env["ar.late.charge"]._notes_dropped(notes)

    @api.readonly
    def action_open_late_charges(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Late Charges"),
            "res_model": "ar.late.charge",
            "view_mode": "list",
            "domain": [("move_id", "=", self.id)],
        }
