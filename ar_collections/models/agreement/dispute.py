from datetime import date, timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

# Prices scaled so often come as near as fixed taxes and rounded lines allow.
MOST_PASSES = 3


class DisputeDecided:
    """Who unblocks an invoice because its dispute is decided; a request cannot send it."""


DISPUTE_DECIDED = DisputeDecided()


class ArDispute(models.Model):
    """A customer objects to items, or to parts of them.

    An objection within the contract's window keeps the disputed part out of dunning until it is
    decided; the rest goes on. A late one is recorded and stops nothing, unless a credit manager
    accepts it.
    """

    _name = "ar.dispute"
    _inherit = ["ar.ledger.follower", "ar.numbered.mixin", "ar.case.record", "mail.activity.mixin"]
    _description = "Dispute"
    _order = "id desc"
    _number_prefix = "DI"
    _creation_fields = ("partner_id", "company_id", "case_id", "action_id", "currency_id")

    reason_id = fields.Many2one(
        "ar.dispute.reason", required=True, tracking=True, index=True, ondelete="restrict"
    )
    cause_id = fields.Many2one(
        "ar.dispute.cause",
        string="Root Cause",
        tracking=True,
        domain="[('reason_id', '=', reason_id)]",
        ondelete="restrict",
    )
    own_fault = fields.Boolean(compute="_compute_own_fault", store=True)
    owner_id = fields.Many2one(
        "res.users",
        compute="_compute_owner_id",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        index=True,
        domain=[("share", "=", False)],
        help="Finds out whether the customer is right.",
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("credited", "Credited"),
            ("rejected", "Rejected"),
            ("cancelled", "Withdrawn"),
        ],
        default="open",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    date = fields.Date(
        string="Raised On",
        required=True,
        readonly=True,
        default=lambda self: self.env.company._ar_today(),
    )
    date_closed = fields.Date(string="Decided On", readonly=True)
    # By payment or credit note: it is open again when those are undone.
    closed_by_ledger = fields.Boolean(readonly=True)
    target_date = fields.Date(
        compute="_compute_target_date",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        index=True,
    )
    date_escalated = fields.Date(string="Escalated On", readonly=True)
    line_ids = fields.One2many("ar.dispute.line", "dispute_id", string="Disputed Items")
    amount = fields.Monetary(
        string="Disputed", compute="_compute_amount", store=True, help="In company currency."
    )
    in_window = fields.Boolean(
        string="In Time",
        compute="_compute_in_window",
        store=True,
        help="All items were disputed within the contract's window.",
    )
    accepted_late = fields.Boolean(
        string="Accepted Although Late",
        readonly=True,
        tracking=True,
        help="A credit manager lets this dispute stop the dunning although it came too late.",
    )
    description = fields.Text(help="What the customer says.")
    evidence = fields.Text(related="reason_id.evidence", string="Evidence to Ask For")
    decision_note = fields.Text(string="Decision", tracking=True)
    credit_note_ids = fields.Many2many(
        "account.move", string="Credit Notes", readonly=True, copy=False
    )
    credit_note_count = fields.Integer(compute="_compute_credit_note_count")
    contact_id = fields.Many2one("res.partner", string="Raised By")

    _decided = models.Constraint(
        "CHECK(state = 'open' OR date_closed IS NOT NULL)", "A dispute is decided on a day."
    )

    @api.depends("reason_id.own_fault", "cause_id.own_fault", "state")
    def _compute_own_fault(self):
        for dispute in self:
            cause = dispute.cause_id
            # What was rejected was not our fault.
            dispute.own_fault = dispute.state in ("open", "credited") and (
                cause.own_fault if cause else dispute.reason_id.own_fault
            )

    @api.depends("reason_id", "partner_id")
    def _compute_owner_id(self):
        for dispute in self:
            company = dispute.company_id
            people = dispute.reason_id.owner_id | dispute.sudo().case_id.collector_id
            dispute.owner_id = (people | self.env.user)._ar_or_next(company, None)

    @api.depends("reason_id", "date")
    def _compute_target_date(self):
        for dispute in self:
            days = dispute.reason_id.target_days
            dispute.target_date = dispute.date and dispute.date + timedelta(days=days)

    @api.depends("line_ids.amount_company")
    def _compute_amount(self):
        for dispute in self:
            dispute.amount = sum(dispute.line_ids.mapped("amount_company"))

    @api.depends("line_ids.in_window")
    def _compute_in_window(self):
        for dispute in self:
            dispute.in_window = all(dispute.line_ids.mapped("in_window"))

    @api.depends("credit_note_ids")
    def _compute_credit_note_count(self):
        for dispute in self:
            dispute.credit_note_count = len(dispute.credit_note_ids)

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        disputes = super().create(vals_list)
        for dispute in disputes.sudo():
            dispute._check_lines()
            dispute.message_subscribe(dispute.owner_id.partner_id.ids)
        disputes._tell_owner()
        disputes._refresh_cases()
        return disputes

    @api.model
    def _complete(self, vals):
        # EXTENDS ar_collections: amounts are in company currency, whatever the items are in
        values = super()._complete(vals)
        company = self.env["res.company"].browse(values["company_id"])
        return {**values, "currency_id": company.currency_id.id}

    def _check_lines(self):
        if not all(dispute.line_ids for dispute in self):
            raise ValidationError(self.env._("Choose the items that the customer disputes."))

    def _tell_owner(self):
        for (day, reason, owner), same in (
            self.sudo()
            .grouped(lambda dispute: (dispute.target_date, dispute.reason_id, dispute.owner_id))
            .items()
        ):
            same.activity_schedule(
                "ar_collections.activity_dispute", day, summary=reason.name, user_id=owner.id
            )

    def write(self, vals):
        if not self.env.su:
            decided = self.filtered(lambda dispute: dispute.state != "open")
            if decided and vals.keys() - {"cause_id"}:
                raise UserError(
                    self.env._(
                        "%s is decided: only its root cause can still be entered.",
                        decided[0].name,
                    )
                )
        former = {dispute: dispute.owner_id for dispute in self}
        targets = {dispute: dispute.target_date for dispute in self}
        result = super().write(vals)
        # Whoever takes over deals with it from now on; who gave it away does not any more.
        moved = self.filtered(
            lambda dispute: dispute.state == "open" and dispute.owner_id != former[dispute]
        )
        for user, disputes in moved.sudo().grouped(former.get).items():
            disputes.activity_unlink(["ar_collections.activity_dispute"], user_id=user.id)
        for owner, disputes in moved.sudo().grouped("owner_id").items():
            disputes.message_subscribe(owner.partner_id.ids)
        moved._tell_owner()
        # Who sets the date has no rights on the owner's activity.
        for dispute in self.sudo():
            if dispute.state == "open" and dispute.target_date != targets[dispute]:
                dispute._set_new_target()
        return result

    def _set_new_target(self):
        """The owner has until the new date, and it is escalated anew when that is missed."""
        self.date_escalated = False
        self.activity_reschedule(
            ["ar_collections.activity_dispute"],
            user_id=self.owner_id.id,
            date_deadline=self.target_date,
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_record(self):
        raise UserError(self.env._("A dispute stays as a record. Withdraw it instead."))

    def _refresh_cases(self):
        """Figures and cases follow in the same transaction."""
        for company, disputes in self.sudo().grouped("company_id").items():
            self.env["ar.ledger.touch"]._touch_customers(company, disputes.partner_id)

    # Decision

    def _check_open(self):
        self.check_access("write")
        for dispute in self:
            if dispute.state != "open":
                raise UserError(self.env._("%s is decided already.", dispute.name))

    def action_accept_late(self):
        """Let a dispute that came too late stop the dunning."""
        self._check_open()
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager accepts a dispute that is late."))
        self.sudo().write({"accepted_late": True})
        self._refresh_cases()

    def action_reject(self):
        """The customer is not right: tell it why, and dunning goes on the same day."""
        self._check_open()
        self._check_no_draft_credit()
        for dispute in self:
            if not (dispute.decision_note or "").strip():
                raise UserError(self.env._("Write down the decision: the customer is told why."))
        self._close_disputes("rejected")
        for dispute in self.sudo():
            dispute._mail_rejection()

    def action_withdraw(self):
        """The customer does not object any more, or it was entered by mistake."""
        self._check_open()
        self._check_no_draft_credit()
        self._close_disputes("cancelled")

    def _close_disputes(self, state, dates=None):
        """
        :param dates: ``{dispute: day on which it ended}``, today by default
        """
        for dispute in self.sudo():
            date = dates[dispute] if dates else dispute.company_id._ar_today()
            dispute.write({"state": state, "date_closed": date, "closed_by_ledger": bool(dates)})
        self.sudo().activity_unlink(["ar_collections.activity_dispute"])
        self.sudo()._unblock_invoices()
        self._refresh_cases()

    def _mail_rejection(self):
        recipient = self.env["ar.recipient"]._get_recipients(
            self,
            "email",
            people={self: self.contact_id},
            lines={self: self.line_ids.move_line_id.ids},
        )[self]
        self.message_post_with_source(
            self.env["mail.template"]._ar_get_shipped(
                "ar_collections.mail_template_dispute_rejected"
            ),
            partner_ids=recipient.ids,
            subtype_xmlid="mail.mt_note",
        )

    # Credit notes of what the customer is right about, to the cent

    def action_credit(self):
        """Draft the credit notes of the disputed parts; posting them decides the dispute."""
        self._check_open()
        self.ensure_one()
        if not self._draft_credit_notes():
            notes = self.env["account.move"]
            for move, lines in self.line_ids.grouped("move_id").items():
                # What was paid meanwhile is not given back here.
                amount = sum(lines.mapped("amount_left"))
                if move and lines.currency_id.compare_amounts(amount, 0) > 0:
                    notes |= self._draft_credit_note(move, amount)
            if not notes:
                raise UserError(self.env._("Nothing of %s is open any more.", self.name))
            # The link is the system's, the notes are made with the rights of the user.
            self.sudo().credit_note_ids |= notes
        return self.action_open_credit_notes()

    @api.readonly
    def action_open_credit_notes(self):
        self.ensure_one()
        return self.credit_note_ids._get_records_action(name=self.env._("Credit Notes"))

    def _draft_credit_notes(self):
        # Whoever deals with a dispute need not see credit notes.
        return self.sudo().credit_note_ids.filtered(lambda move: move.state == "draft")

    def _check_no_draft_credit(self):
        for dispute in self:
            if dispute._draft_credit_notes():
                raise UserError(
                    self.env._("Delete the draft credit note of %s first.", dispute.name)
                )

    def _draft_credit_note(self, move, amount):
        """A draft credit note with the invoice's accounts and taxes.

        :param amount: total with taxes, in the currency of the invoice
        """
        today = self.company_id._ar_today()
        values = {
            "ref": self.env._("%(dispute)s, %(invoice)s", dispute=self.name, invoice=move.name),
            "invoice_date": today,
            "date": today,
            "invoice_payment_term_id": False,
            "invoice_date_due": today,
        }
        if not move.is_invoice(include_receipts=True):
            # An opening balance, for example: it has no lines that could be credited.
            return move.create(
                {
                    **values,
                    "move_type": "out_refund",
                    "reversed_entry_id": move.id,
                    "partner_id": self.partner_id.id,
                    "company_id": move.company_id.id,
                    "currency_id": self.line_ids.filtered(
                        lambda line: line.move_id == move
                    ).currency_id.id,
                    "invoice_line_ids": [self._rounding_line(amount, self.reason_id.name)],
                }
            )
        note = move._reverse_moves([values])
        if move.currency_id.compare_amounts(amount, move.amount_total) < 0:
            self._scale_credit_note(note, amount)
        return note

    def _scale_credit_note(self, note, amount):
        """Lower the prices so that the total is the amount; what rounding leaves is a line."""
        compare = note.currency_id.compare_amounts
        note.invoice_cash_rounding_id = False
        for _pass in range(MOST_PASSES):
            if not compare(amount, note.amount_total):
                return
            share = amount / note.amount_total
            note.invoice_line_ids = [
                Command.update(line.id, {"price_unit": line.price_unit * share})
                for line in note.invoice_line_ids
                if line.display_type == "product"
            ]
        if rest := note.currency_id.round(amount - note.amount_total):
            largest = note.invoice_line_ids.sorted("price_subtotal")[-1:]
            note.invoice_line_ids = [
                self._rounding_line(rest, self.env._("Rounding"), account_id=largest.account_id.id)
            ]

    def _rounding_line(self, amount, name, **values):
        return Command.create(
            {"name": name, "price_unit": amount, "tax_ids": [Command.clear()], **values}
        )

    # What the ledger decides

    @api.model
    def _follow_matching(self, lines):
        """Close disputes that are credited, or of which nothing is open any more.

        One whose payment or credit note was undone is open again.
        """
        disputes = (
            self.env["ar.dispute.line"]
            .search([("move_line_id", "in", lines.ids)])
            .dispute_id.filtered(
                lambda dispute: dispute.state == "open" or dispute.closed_by_ledger
            )
        )
        if not disputes:
            return
        reversals = disputes._get_reversed()
        credited = disputes.filtered(
            lambda dispute: (
                # A draft that was given up decides nothing.
                set(dispute.credit_note_ids.mapped("state")) - {"cancel"} == {"posted"}
                or (dispute in reversals and not any(dispute.line_ids.mapped("amount_left")))
            )
        )
        undone = (disputes - credited).filtered(
            lambda dispute: (
                dispute.state == "credited"
                or (dispute.state == "cancelled" and any(dispute.line_ids.mapped("amount_left")))
            )
        )
        undone.write({"state": "open", "date_closed": False, "closed_by_ledger": False})
        undone._tell_owner()
        disputes = disputes.filtered(lambda dispute: dispute.state == "open")
        dates = disputes._get_end_dates()
        (disputes & credited)._close_disputes("credited", dates)
        # The customer has paid what it objected to.
        (disputes - credited).filtered(
            lambda dispute: not any(dispute.line_ids.mapped("amount_left"))
        )._close_disputes("cancelled", dates)

    def _get_reversed(self):
        """The disputes of which a document was credited by Odoo's own reversal."""
        # Whoever deals with a dispute need not see credit notes.
        reversed_moves = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("move_type", "=", "out_refund"),
                    ("state", "=", "posted"),
                    ("reversed_entry_id", "in", self.line_ids.sudo().move_id.ids),
                ]
            )
            .reversed_entry_id
        )
        return self.filtered(lambda dispute: dispute.line_ids.sudo().move_id & reversed_moves)

    def _get_end_dates(self):
        """``{dispute: day of the last money for its items, of the last run at least}``"""
        settled = self.line_ids._get_settled_since()
        return {
            dispute: max(
                [
                    dispute.company_id._ar_get_run_date(),
                    *(settled[line.id].last_on or date.min for line in dispute.line_ids),
                ]
            )
            for dispute in self
        }

    @api.model
    def _escalate_due(self, company, date):
        """Tell the credit manager of disputes that are not solved in time, once each.

        Those whose invoice was deleted meanwhile are over.
        """
        gone = self.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "open"),
                ("line_ids.move_line_id", "=", False),
            ]
        ).filtered(lambda dispute: not any(dispute.line_ids.mapped("amount_left")))
        gone._close_disputes("cancelled", dict.fromkeys(gone, date))
        disputes = self.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "open"),
                ("target_date", "<", date),
                ("date_escalated", "=", False),
            ]
        )
        for dispute in disputes:
            people = company._ar_credit_manager(dispute.file_id) | dispute.owner_id
            dispute.activity_schedule(
                "ar_collections.activity_dispute",
                date,
                summary=self.env._("Dispute is not solved in time"),
                user_id=(people | self.env.user)._ar_or_next(company, None).id,
            )
        disputes.date_escalated = date

    # Blocked invoices

    def _unblock_invoices(self):
        """An invoice whose last dispute is decided is not blocked any more."""
        moves = self.line_ids.move_id.filtered(lambda move: move.payment_state == "blocked")
        disputed = self.env["ar.dispute.line"].search(
            [("move_line_id.move_id", "in", moves.ids), ("dispute_id.state", "=", "open")]
        )
        for move in moves - disputed.move_id:
            move.with_context(ar_dispute_decided=DISPUTE_DECIDED).action_toggle_block_payment()

    # Screens and messages

    @api.readonly
    def action_open_case(self):
        self.ensure_one()
        return self.case_id._get_records_action()

    @api.model
    def mail_allowed_qweb_expressions(self):
        # EXTENDS mail
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.name",
            "object.decision_note",
            "object.reason_id.name",
            "object.company_id.name",
            "object.contact_id.name",
            "object.partner_id.lang",
        )
