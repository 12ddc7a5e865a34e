from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

COLLECTION = "ar_collections.group_collector,ar_collections.group_auditor"


class ArDispute(models.Model):
    """A customer objects to items, or to parts of them.

    An objection within the contract's window keeps the disputed part out of dunning until it is
    decided; the rest goes on. A late one is recorded and stops nothing, unless a credit manager
    accepts it.
    """

    _name = "ar.dispute"
    _inherit = ["ar.numbered.mixin", "ar.case.record", "mail.activity.mixin"]
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
            collector = dispute.sudo().case_id.collector_id
            dispute.owner_id = dispute.reason_id.owner_id or collector or self.env.user

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
            dispute.name = self._next_number(dispute.company_id, dispute.date)
            if not dispute.line_ids:
                raise ValidationError(self.env._("Choose the items that the customer disputes."))
            dispute.message_subscribe(dispute.owner_id.partner_id.ids)
        disputes._tell_owner()
        disputes._follow()
        return disputes

    def _tell_owner(self):
        for dispute in self.sudo():
            if dispute.owner_id != self.env.user:
                dispute.activity_schedule(
                    "ar_collections.activity_dispute",
                    dispute.target_date,
                    summary=dispute.reason_id.name,
                    user_id=dispute.owner_id.id,
                )

    def write(self, vals):
        if not self.env.su:
            self._check_readonly(vals)
            decided = self.filtered(lambda dispute: dispute.state != "open")
            if decided and vals.keys() - {"cause_id"}:
                raise UserError(
                    self.env._(
                        "%s is decided: only its root cause can still be entered.",
                        decided[0].name,
                    )
                )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_record(self):
        raise UserError(self.env._("A dispute stays as a record. Withdraw it instead."))

    def _follow(self):
        """Figures and cases follow in the same transaction."""
        for company, disputes in self.sudo().grouped("company_id").items():
            self.env["ar.collection.case"]._claims_changed(company, disputes.partner_id)

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
        self._follow()

    def action_reject(self):
        """The customer is not right: tell it why, and dunning goes on the same day."""
        self._check_open()
        for dispute in self:
            if not (dispute.decision_note or "").strip():
                raise UserError(self.env._("Write down the decision: the customer is told why."))
        self._close("rejected")
        for dispute in self.sudo():
            dispute._mail_rejection()

    def action_withdraw(self):
        """The customer does not object any more, or it was entered by mistake."""
        self._check_open()
        self._close("cancelled")

    def _close(self, state, date=None):
        for company, disputes in self.sudo().grouped("company_id").items():
            disputes.write({"state": state, "date_closed": date or company._ar_today()})
            disputes.activity_unlink(["ar_collections.activity_dispute"])
            disputes._unblock()
        self._follow()

    def _mail_rejection(self):
        partner = self.partner_id
        invoice = partner.browse(partner.address_get(["invoice"])["invoice"])
        candidates = self.contact_id | self.file_id.dunning_contact_id | invoice | partner
        self.message_post_with_source(
            self.env.ref("ar_collections.mail_template_dispute_rejected"),
            partner_ids=candidates.filtered("email")[:1].ids,
            subtype_xmlid="mail.mt_note",
        )

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

    # Credit notes

    def action_credit(self):
        """Draft the credit notes of the disputed parts; posting them decides the dispute."""
        self._check_open()
        self.ensure_one()
        if not self.credit_note_ids.filtered(lambda move: move.state == "draft"):
            notes = self.env["account.move"]
            for line in self.line_ids.filtered("move_id"):
                notes |= line._draft_credit_note()
            # The link is the system's, the notes are made with the rights of the user.
            self.sudo().credit_note_ids |= notes
        return self.action_open_credit_notes()

    def action_open_credit_notes(self):
        self.ensure_one()
        return self.credit_note_ids._get_records_action(name=self.env._("Credit Notes"))

    def action_open_case(self):
        self.ensure_one()
        return self.case_id._get_records_action()

    # What the ledger decides

    @api.model
    def _follow_matching(self, lines):
        """Close open disputes that are credited, or of which nothing is open any more."""
        disputes = (
            self.env["ar.dispute.line"]
            .search([("move_line_id", "in", lines.ids), ("dispute_id.state", "=", "open")])
            .dispute_id
        )
        for company, same in disputes.grouped("company_id").items():
            date = self.env["ar.collection.run"]._last_date(company)
            credited = same.filtered(
                lambda dispute: set(dispute.credit_note_ids.mapped("state")) == {"posted"}
            )
            credited._close("credited", date)
            # The customer has paid what it objected to.
            (same - credited).filtered(
                lambda dispute: not any(dispute.line_ids.mapped("amount_left"))
            )._close("cancelled", date)

    @api.model
    def _escalate_due(self, company, date):
        """Tell the credit manager of disputes that are not solved in time, once each."""
        disputes = self.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "open"),
                ("target_date", "<", date),
                ("date_escalated", "=", False),
            ]
        )
        for dispute in disputes:
            manager = company._ar_credit_manager(dispute.file_id) or dispute.owner_id
            dispute.activity_schedule(
                "ar_collections.activity_dispute",
                date,
                summary=self.env._("Dispute is not solved in time"),
                user_id=manager.id or self.env.uid,
            )
        disputes.date_escalated = date

    # Blocked invoices

    def _unblock(self):
        """An invoice whose last dispute is decided is not blocked any more."""
        moves = self.line_ids.move_id.filtered(lambda move: move.payment_state == "blocked")
        disputed = self.env["ar.dispute.line"].search(
            [("move_line_id.move_id", "in", moves.ids), ("dispute_id.state", "=", "open")]
        )
        for move in moves - disputed.move_id:
            move.with_context(ar_dispute_decided=DECIDED).action_toggle_block_payment()


class Decided:
    """Who unblocks an invoice because its dispute is decided; a request cannot send it."""


DECIDED = Decided()


class ArDisputeLine(models.Model):
    """The part of one item that is disputed."""

    _name = "ar.dispute.line"
    _inherit = "ar.claim.line"
    _description = "Disputed Item"
    _creation_fields = ("dispute_id",)
    _claim_parent = "dispute_id"
    _claim_start = "date"
    _claim_kind = "disputed"
    # Who pays a part pays what it does not object to.
    _claim_is_paid_first = False

    dispute_id = fields.Many2one(
        "ar.dispute", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="dispute_id.company_id", store=True, precompute=True, index=True
    )
    partner_id = fields.Many2one(related="dispute_id.partner_id", store=True, index=True)
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    amount_company = fields.Monetary(
        string="In Company Currency",
        compute="_compute_amount_company",
        store=True,
        currency_field="company_currency_id",
    )
    amount_left = fields.Monetary(string="Still Disputed", compute="_compute_amount_left")
    window_end = fields.Date(
        string="Disputable Until", compute="_compute_window", store=True, precompute=True
    )
    in_window = fields.Boolean(
        string="In Time", compute="_compute_window", store=True, precompute=True
    )
    # For the statistics of own faults.
    state = fields.Selection(related="dispute_id.state", store=True)
    date = fields.Date(string="Raised On", related="dispute_id.date", store=True)
    reason_id = fields.Many2one(related="dispute_id.reason_id", store=True)
    cause_id = fields.Many2one(related="dispute_id.cause_id", store=True)
    own_fault = fields.Boolean(related="dispute_id.own_fault", store=True)
    salesperson_id = fields.Many2one(
        "res.users", compute="_compute_statistics", store=True, precompute=True
    )
    product_id = fields.Many2one(
        "product.product",
        string="Main Product",
        compute="_compute_statistics",
        store=True,
        precompute=True,
    )

    @api.depends("amount", "move_line_id")
    def _compute_amount_company(self):
        for line in self:
            item = line.move_line_id.sudo()
            if line.residual_before:
                rate = item.amount_residual / (item.amount_residual_currency or 1) or (
                    item.balance / (item.amount_currency or 1)
                )
                line.amount_company = line.company_currency_id.round(line.amount * rate)
            else:
                line.amount_company = line.amount

    @api.depends("move_line_id.amount_residual_currency", "amount")
    def _compute_amount_left(self):
        for line in self:
            line.amount_left = max(min(line.amount, line.residual), 0)

    @api.depends("move_line_id")
    def _compute_window(self):
        """The window as it was agreed when the dispute was raised."""
        for line in self:
            move = line.move_line_id.sudo().move_id
            dispute = line.dispute_id.sudo()
            days = (
                dispute.file_id.dispute_days
                or move.invoice_payment_term_id.ar_dispute_days
                or dispute.company_id.ar_dispute_days
            )
            start = move.delivery_date or move.invoice_date or move.date
            line.window_end = days and start and start + timedelta(days=days)
            line.in_window = not line.window_end or dispute.date <= line.window_end

    @api.depends("move_line_id")
    def _compute_statistics(self):
        for line in self:
            move = line.move_line_id.sudo().move_id
            sold = move.invoice_line_ids.filtered("product_id")
            line.salesperson_id = move.invoice_user_id
            line.product_id = sold.sorted("price_subtotal", reverse=True)[:1].product_id

    @api.constrains("move_line_id", "amount")
    def _check_not_twice(self):
        """Disputes of one item cannot be about more than the item."""
        for line in self:
            others = self.sudo().search(
                [
                    ("move_line_id", "=", line.move_line_id.id),
                    ("dispute_id.state", "=", "open"),
                ]
            )
            disputed = sum(others.mapped("amount_left"))
            if line.currency_id.compare_amounts(disputed, line.residual) > 0:
                raise ValidationError(
                    self.env._("%s is in dispute already: lower the amount.", line.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_dispute_open()
        return lines

    def write(self, vals):
        if not self.env.su:
            self._check_dispute_open()
        result = super().write(vals)
        if "amount" in vals:
            self.dispute_id._follow()
        return result

    @api.ondelete(at_uninstall=False)
    def _check_dispute_open(self):
        if any(line.dispute_id.state != "open" for line in self):
            raise UserError(self.env._("The items of a decided dispute stay as they are."))

    @api.model
    def _claim_holds_sql(self):
        # EXTENDS ar_collections
        return SQL("(line.in_window OR claim.accepted_late)")

    def _draft_credit_note(self):
        """A draft credit note of the disputed part, with the invoice's accounts and taxes."""
        self.ensure_one()
        move = self.move_id
        note = move._reverse_moves(
            [
                {
                    "ref": self.env._(
                        "%(dispute)s, %(invoice)s", dispute=self.dispute_id.name, invoice=move.name
                    ),
                    "invoice_date": self.company_id._ar_today(),
                    "date": self.company_id._ar_today(),
                }
            ]
        )
        share = self.amount / move.amount_total
        if move.currency_id.compare_amounts(self.amount, move.amount_total) < 0:
            for line in note.invoice_line_ids.filtered(lambda line: line.display_type == "product"):
                line.price_unit *= share
        return note
