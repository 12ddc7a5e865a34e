from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from .agreement.dispute import DISPUTE_DECIDED
from .common.readonly_mixin import refuse_readonly
from .credit.credit_control import COLLECT_STOPPED, STOPPING, Passed
from .credit.credit_document import Demand
from .figures.trade_receivable import is_trade_receivable
from .res_partner import COLLECTION_GROUPS

UNDOING = ("draft", "cancel")
GIVING_CREDIT = ("out_invoice", "out_receipt")


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "ar.credit.document"]

    collection_case_count = fields.Integer(
        compute="_compute_collection_case_count", compute_sudo=True, groups=COLLECTION_GROUPS
    )

    # Credit control

    def _ar_credit_demands(self):
        # EXTENDS ar_collections
        demands = super()._ar_credit_demands()
        for move in self:
            due, start = move.invoice_date_due, move.invoice_date or move.company_id._ar_today()
            if (
                move.state == "draft"
                and move.move_type in GIVING_CREDIT
                # A receipt is a sale for cash, unless it is to be paid later.
                and (move.move_type == "out_invoice" or (due and due > start))
                and move._ar_get_customer()
                # A form that is being filled in may have none yet.
                and move.currency_id
                and move.amount_total_signed > 0
            ):
                demands[move] = Demand(
                    partner=move._ar_get_customer()._origin,
                    company=move.company_id,
                    amount=move.amount_total_signed - move._ar_amount_in_exposure(),
                    term_days=(due - start).days if due else None,
                    exempt=move._ar_credit_exemption(),
                )
        return demands

    def _ar_get_customer(self):
        """Who owes the invoice now: Odoo keeps who did when its contact was chosen."""
        return self.commercial_partner_id.commercial_partner_id

    def _ar_credit_name(self):
        # EXTENDS ar_collections: a draft has no number yet
        reference = self.ref or self.invoice_origin
        name = super()._ar_credit_name()
        return f"{name} ({reference})" if reference and reference not in name else name

    def _ar_amount_in_exposure(self):
        """What the customer's exposure has of the draft already, company currency."""
        return 0.0

    def _ar_credit_exemption(self):
        """Why credit control does not stop the invoice, or an empty text."""
        return self.env._("paid at the till") if self._ar_is_paid_at_till() else ""

    def _ar_is_paid_at_till(self):
        """Whether the orders of a till that are invoiced have been paid; on account is not paid.

        Point of Sale need not be there.
        """
        if "pos_order_ids" not in self._fields:
            return False
        # Whoever invoices need not have rights on the tills.
        orders = self.sudo().pos_order_ids
        paid = sum(
            orders.payment_ids.filtered(
                lambda payment: payment.payment_method_id.type != "pay_later"
            ).mapped("amount")
        )
        return bool(orders) and self.currency_id.compare_amounts(paid, self.amount_total) >= 0

    def _post(self, soft=True):
        # EXTENDS account: the one method that all paths of posting cross
        control = self.env["ar.credit.control"]
        later = self.browse()
        if soft:
            today = fields.Date.context_today(self)
            later = self.filtered(lambda move: move.date and move.date > today)
        asking = (self - later).filtered(lambda move: move.move_type in GIVING_CREDIT)
        passed = self - asking
        if asking:
            passed |= control._gate(asking)
        # In the order that was given.
        passed = self.filtered(lambda move: move in passed)
        posted = super(AccountMove, passed.with_context(ar_credit_passed=Passed(passed)))._post(
            soft=soft
        )
        posted = posted.with_context(ar_credit_passed=None)
        # What went back to draft has kept its matching, which counts again.
        matched = posted.filtered(lambda move: any(move.line_ids.mapped("matching_number")))
        touch = self.env["ar.ledger.touch"]
        if matched:
            touch._touch_items(matched._ar_matched_lines(), matched=True)
        touch._touch_items((posted - matched).line_ids)
        return posted

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account
        for vals in vals_list:
            self._ar_check_marks([name for name, value in vals.items() if value])
        return super().create(vals_list)

    @api.model
    def _ar_check_marks(self, names):
        """What an entry is for us the system says, and nobody who writes an entry."""
        if not self.env.su:
            ours = [name for name in names if name.startswith("ar_") and name in self._fields]
            refuse_readonly(self, ours)

    def write(self, vals):
        # EXTENDS account: nobody writes an invoice posted beside the gate
        if vals.get("state") == "posted" and (
            others := self.filtered(lambda move: not move._ar_has_passed())
        ):
            # What else is written decides as well, so it comes first.
            self.write({name: value for name, value in vals.items() if name != "state"})
            vals = {"state": "posted"}
            stopped = others - self.env["ar.credit.control"]._gate(others)
            if stopped:
                raise UserError(
                    self.env._(
                        "Credit control stops %s.", ", ".join(stopped.mapped("display_name"))
                    )
                )
        self._ar_check_marks(vals)
        if vals.get("state") in UNDOING:
            self._ar_check_undoing()
        return super().write(vals)

    def _autopost_draft_entries(self, batch_size=100):
        # EXTENDS account: what is stopped is kept back once, not reported every day
        return super(
            AccountMove, self.with_context(ar_credit_stopped=COLLECT_STOPPED)
        )._autopost_draft_entries(batch_size)

    def button_draft(self):
        # EXTENDS account
        result = super().button_draft()
        if self:
            self._ar_follow_undone()
        return result

    def button_cancel(self):
        # EXTENDS account
        result = super().button_cancel()
        if self:
            self._ar_follow_undone()
        return result

    # What upper wings extend: the doors call it when there is something to tell

    def _ar_check_undoing(self):
        """Refuse to take back, to draft or cancelled, what is taken back elsewhere.

        :raises UserError: with the way that is open
        """

    def _ar_follow_undone(self):
        """Follow entries that went back to draft or were cancelled."""
        # A matching stays, but it does not count any more.
        self.env["ar.ledger.touch"]._touch_items(self._ar_matched_lines(), matched=True)

    def action_toggle_block_payment(self):
        # EXTENDS account: what is blocked is in dispute, and a decided dispute unblocks it
        result = super().action_toggle_block_payment()
        if self.env.context.get("ar_dispute_decided") is DISPUTE_DECIDED:
            return result
        if self.payment_state == "blocked":
            return self._ar_dispute_blocked() or result
        self._ar_open_disputes().action_withdraw()
        return result

    def _ar_open_disputes(self):
        """The open disputes of these invoices alone."""
        # Whoever blocks and unblocks an invoice need not have rights on collection.
        lines = (
            self.env["ar.dispute.line"]
            .sudo()
            .search([("move_line_id.move_id", "in", self.ids), ("state", "=", "open")])
        )
        return lines.dispute_id.filtered(lambda dispute: dispute.line_ids.move_id <= self)

    def _reconcile_reversed_moves(self, reverse_moves, move_reverse_cancel):
        # EXTENDS account: a credit note of a dispute is for the disputed instalments first
        disputes = (
            self.env["ar.dispute"].sudo().search([("credit_note_ids", "in", reverse_moves.ids)])
        )
        for note in disputes.credit_note_ids & reverse_moves.sudo():
            disputed = disputes.filtered(lambda dispute, note=note: note in dispute.credit_note_ids)
            lines = disputed.line_ids.move_line_id | note.line_ids
            lines.filtered(
                lambda line, note=note: (
                    is_trade_receivable(line)
                    and not line.reconciled
                    and line.move_id in (note | note.reversed_entry_id)
                )
            ).with_env(self.env).reconcile()
        return super()._reconcile_reversed_moves(reverse_moves, move_reverse_cancel)

    def _ar_dispute_blocked(self):
        """Open a dispute of what is open of a customer's invoice, and show it.

        :return: the action that opens it, nothing when there is no need
        """
        items = self._ar_open_items()
        if not self.is_sale_document() or self._ar_open_disputes():
            return None
        # Whoever blocks an invoice need not have rights on collection.
        parts = self.env["ar.dispute.line"].sudo()._get_undisputed_amounts(items)
        if not parts:
            return None
        dispute = (
            self.env["ar.dispute"]
            .sudo()
            .create(
                {
                    "partner_id": self._ar_get_customer().id,
                    "company_id": self.company_id.root_id.id,
                    "reason_id": self._ar_get_reason_of_block().id,
                    "line_ids": [
                        Command.create({"move_line_id": item.id, "amount": amount})
                        for item, amount in parts.items()
                    ],
                }
            )
            .with_env(self.env)
        )
        return dispute._get_records_action() if dispute.has_access("read") else None

    @api.model
    def _ar_get_reason_of_block(self):
        """Why a blocked invoice is in dispute: nobody has said, until the collector does."""
        return self.env.ref(
            "ar_collections.dispute_reason_other", raise_if_not_found=False
        ) or self.env["ar.dispute.reason"].search([], order="sequence desc, id desc", limit=1)

    def _ar_matched_lines(self):
        """Our items, and those that they are matched with: a matching with a draft is none."""
        lines = self.line_ids
        return (
            lines | lines.matched_debit_ids.debit_move_id | lines.matched_credit_ids.credit_move_id
        )

    @api.depends("partner_id", "company_id", "amount_total_signed", "invoice_date_due", "state")
    def _compute_ar_credit(self):
        return super()._compute_ar_credit()

    def _get_alerts(self):
        # EXTENDS account: one credit banner, for the document's own company
        alerts = super()._get_alerts()
        alerts.pop("account_partner_credit_warning", None)
        # The caller decided to show alerts; the banner itself is for employees only.
        if self.env.user._is_internal() and self.ar_credit_action:
            stopping = self.ar_credit_action in STOPPING
            alerts["ar_credit"] = {
                "level": "danger" if stopping else "warning",
                "message": self.ar_credit_text,
            }
        return alerts

    @api.depends("partner_id")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_collection_case_count(self):
        for move in self:
            move.collection_case_count = (
                move.commercial_partner_id.collection_case_count if move.is_sale_document() else 0
            )

    @api.readonly
    def action_open_collection_cases(self):
        self.ensure_one()
        return self.commercial_partner_id.action_open_collection_cases()

    @api.readonly
    def action_exclude_from_followup(self):
        """Ask for the reason and the end, for what is open of these invoices."""
        return self._ar_open_items().action_exclude_from_followup()

    def action_ask_again(self):
        """End the exclusion of these invoices."""
        self._ar_open_items().action_ask_again()

    def _ar_open_items(self):
        return self.line_ids.filtered(
            lambda line: is_trade_receivable(line) and not line.reconciled
        )
