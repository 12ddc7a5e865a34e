from odoo import api, fields, models

from .res_partner import COLLECTION_GROUPS


class AccountMove(models.Model):
    _inherit = "account.move"

    # Invoices in payment are few and every ageing asks for them.
    _ar_in_payment_idx = models.Index("(id) WHERE payment_state = 'in_payment'")

    ar_credit_banner = fields.Json(compute="_compute_ar_credit_banner", groups="base.group_user")
    collection_case_count = fields.Integer(
        compute="_compute_collection_case_count", compute_sudo=True, groups=COLLECTION_GROUPS
    )

    def _post(self, soft=True):
        # EXTENDS account
        posted = super()._post(soft=soft)
        self.env["ar.collection.case"]._ledger_changed(posted.line_ids)
        return posted

    def button_draft(self):
        # EXTENDS account: a matching stays, but it does not count any more
        result = super().button_draft()
        self.env["ar.collection.case"]._ledger_changed(self.line_ids)
        return result

    def button_cancel(self):
        # EXTENDS account
        result = super().button_cancel()
        self.env["ar.collection.case"]._ledger_changed(self.line_ids)
        return result

    @api.depends("partner_id", "company_id", "amount_total_signed", "state")
    def _compute_ar_credit_banner(self):
        for move in self:
            move.ar_credit_banner = False
            if move.move_type == "out_invoice" and move.state == "draft":
                # Whoever writes an invoice is warned, with or without accounting rights.
                file = self.env["ar.credit.file"].sudo()._for(move.partner_id, move.company_id)
                move.ar_credit_banner = file and file._banner(move.amount_total_signed)

    def _get_alerts(self):
        # EXTENDS account: one credit banner, for the document's own company
        alerts = super()._get_alerts()
        alerts.pop("account_partner_credit_warning", None)
        # The caller decided to show alerts; the banner itself is for employees only.
        banner = self.env.user._is_internal() and self.ar_credit_banner
        if banner:
            level, message = banner
            alerts["ar_credit"] = {"level": level, "message": message}
        return alerts

    def _build_credit_warning_message(
        self, record, current_amount=0.0, exclude_current=False, exclude_amount=0.0
    ):
        # OVERRIDE account: the text for every document that has no alerts of its own
        file = self.env["ar.credit.file"].sudo()._for(record.partner_id, record.company_id)
        banner = file and file._banner(current_amount)
        return banner[1] if banner else ""

    @api.depends("partner_id")
    def _compute_collection_case_count(self):
        for move in self:
            move.collection_case_count = (
                move.commercial_partner_id.collection_case_count if move.is_sale_document() else 0
            )

    def action_open_collection_cases(self):
        self.ensure_one()
        return self.commercial_partner_id.action_open_collection_cases()
