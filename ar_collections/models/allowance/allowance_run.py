from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import date_utils, format_date

MANAGER = "ar_collections.group_credit_manager"
# Runs that may still come to be posted.
UNDER_WAY = ("draft", "computed", "submitted", "approved")


class ArAllowanceRun(models.Model):
    """The allowance for bad debts of one company at one month's end."""

    _name = "ar.allowance.run"
    _inherit = [
        "ar.numbered.mixin",
        "ar.state.mixin",
        "ar.four.eyes.mixin",
        "ar.readonly.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Allowance Run"
    _order = "date desc, id desc"
    _check_company_auto = True
    _number_prefix = "AL"
    _asker_fields = ("computed_by_id", "submitter_id")

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="Month End", required=True, default=lambda self: self._default_date(), tracking=True
    )
    include_others = fields.Boolean(
        string="Take Other Entries Over",
        tracking=True,
        help="Entries on the allowance account that come neither from a run nor from a write-off "
        "become part of the movement. The first run always takes the balance over.",
    )
    note = fields.Text()
    state = fields.Selection(
        [
            ("draft", "New"),
            ("computed", "Computed"),
            ("submitted", "Submitted"),
            ("approved", "Approved"),
            ("posted", "Posted"),
            ("reversed", "Reversed"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
    )
    previous_id = fields.Many2one(
        "ar.allowance.run", string="Previous Run", readonly=True, copy=False, ondelete="restrict"
    )
    line_ids = fields.One2many("ar.allowance.line", "run_id", readonly=True, copy=False)
    movement_ids = fields.One2many("ar.allowance.movement", "run_id", readonly=True, copy=False)
    flow_ids = fields.Many2many(
        "account.move.line",
        "ar_allowance_run_flow",
        "run_id",
        "line_id",
        string="Used and Recovered",
        readonly=True,
        copy=False,
        help="The journal items between the previous run and this one.",
    )

    gross_amount = fields.Monetary(string="Open Items", readonly=True, copy=False)
    credit_amount = fields.Monetary(string="Credits", readonly=True, copy=False)
    covered_amount = fields.Monetary(string="Covered", readonly=True, copy=False)
    exposed_amount = fields.Monetary(string="At Risk", readonly=True, copy=False)
    opening = fields.Monetary(readonly=True, copy=False)
    taken_over = fields.Monetary(readonly=True, copy=False)
    used = fields.Monetary(readonly=True, copy=False)
    recovered = fields.Monetary(readonly=True, copy=False)
    added = fields.Monetary(readonly=True, copy=False)
    released = fields.Monetary(readonly=True, copy=False)
    closing = fields.Monetary(string="Allowance", readonly=True, copy=False)
    change = fields.Monetary(
        compute="_compute_change", help="What the entry books: added less released."
    )

    computed_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    computed_on = fields.Datetime(readonly=True, copy=False)
    submitter_id = fields.Many2one("res.users", string="Submitted By", readonly=True, copy=False)
    submitted_on = fields.Datetime(readonly=True, copy=False)
    approver_id = fields.Many2one("res.users", string="Approved By", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    account_id = fields.Many2one(
        "account.account", string="Allowance Account", readonly=True, copy=False
    )
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    reversal_id = fields.Many2one(
        "account.move",
        string="Reversal Entry",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )

    ledger_amount = fields.Monetary(
        string="Balance in the Ledger",
        compute="_compute_tie_out",
        compute_sudo=True,
        help="The balance of the allowance account at the date.",
    )
    expected_amount = fields.Monetary(
        string="Balance Expected",
        compute="_compute_tie_out",
        compute_sudo=True,
        help="Before the run is posted: its opening amount and what came between.",
    )
    difference = fields.Monetary(compute="_compute_tie_out", compute_sudo=True)
    stray_ids = fields.Many2many(
        "account.move.line",
        string="Entries from Elsewhere",
        compute="_compute_tie_out",
        compute_sudo=True,
        help="Entries on the allowance account to the date that are in no run.",
    )
    matrix_table = fields.Html(compute="_compute_tables", sanitize=False)
    movement_table = fields.Html(compute="_compute_tables", sanitize=False)

    _one_posted = models.UniqueIndex(
        "(company_id, date) WHERE state = 'posted'",
        "There is already a posted allowance run of this month. Reverse it first.",
    )

    @api.model
    def _default_date(self):
        return self.env.company._ar_today().replace(day=1) - relativedelta(days=1)

    @api.depends("added", "released")
    def _compute_change(self):
        for run in self:
            run.change = run.currency_id.round(run.added - run.released)

    @api.depends("state", "closing", "flow_ids", "change")
    def _compute_tie_out(self):
        ledger = self.env["ar.allowance.ledger"]
        for run in self:
            run.ledger_amount = ledger._get_balance(run)
            before = run.opening + run.taken_over - run.used + run.recovered
            run.expected_amount = run.closing if run.state == "posted" else before
            run.difference = run.currency_id.round(run.ledger_amount - run.expected_amount)
            run.stray_ids = ledger._get_strays(run) if run.id else False

    @api.depends("line_ids", "movement_ids", "state")
    @api.depends_context("lang")
    def _compute_tables(self):
        qweb = self.env["ir.qweb"]
        for run in self:
            values = {"o": run}
            run.matrix_table = qweb._render("ar_collections.allowance_matrix", values)
            run.movement_table = qweb._render("ar_collections.allowance_movement", values)

    @api.constrains("company_id", "date")
    def _check_date(self):
        for run in self:
            if run.company_id.parent_id:
                raise ValidationError(
                    self.env._("A run is of a company with all its branches: choose the company.")
                )
            if run.date != date_utils.end_of(run.date, "month"):
                raise ValidationError(self.env._("Choose the last day of a month."))
            if run.date > run.company_id._ar_today():
                raise ValidationError(self.env._("Choose a month that is over."))

    # CRUD

    def write(self, vals):
        if not vals.keys().isdisjoint(("company_id", "date", "include_others")) and any(
            run.state not in ("draft", "computed") for run in self
        ):
            raise UserError(
                self.env._("Take the run back to work on it: it is with the approver, or done.")
            )
        result = super().write(vals)
        if not vals.keys().isdisjoint(("company_id", "date", "include_others")):
            # What was computed is not of this month any more.
            self.filtered(lambda run: run.state == "computed").sudo().write({"state": "draft"})
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        if any(run.state not in ("draft", "computed", "cancelled") for run in self):
            raise UserError(self.env._("Only runs that nobody submitted can be deleted."))

    # Actions

    def action_compute(self):
        """Read the ledger at the date and compute the allowance and its movement again."""
        self._check_manager("write")
        for run in self:
            run._check_state("draft", "computed")
            # Figures and their author are the system's to write, for whoever may compute.
            self.env["ar.allowance.computation"].sudo()._compute_run(run.sudo())
            run.sudo().write(
                {
                    "state": "computed",
                    "computed_by_id": self.env.uid,
                    "computed_on": fields.Datetime.now(),
                }
            )
        return True

    def action_submit(self):
        """Hand the run to somebody else for approval; it is not changed any more."""
        self._check_manager("write")
        for run in self:
            run._check_state("computed")
            run.sudo().write(
                {
                    "state": "submitted",
                    "submitter_id": self.env.uid,
                    "submitted_on": fields.Datetime.now(),
                }
            )
            run._ask_approver()
        return True

    def action_approve(self):
        """Agree to the allowance; whoever computed or submitted it may not."""
        self._check_manager("write")
        self.lock_for_update(allow_referencing=True)
        for run in self:
            run._check_state("submitted")
            run._check_four_eyes()
            run.sudo().write(
                {
                    "state": "approved",
                    "approver_id": self.env.uid,
                    "approved_on": fields.Datetime.now(),
                }
            )
            run.activity_feedback(["mail.mail_activity_data_todo"])
        return True

    def action_draft(self):
        """Take a run back that was submitted, approved or cancelled, to work on it again."""
        self._check_manager("write")
        for run in self:
            run._check_state("submitted", "approved", "cancelled")
            run.sudo().write(
                {
                    "state": "draft",
                    "submitter_id": False,
                    "submitted_on": False,
                    "approver_id": False,
                    "approved_on": False,
                }
            )
            run.activity_unlink(["mail.mail_activity_data_todo"])
        return True

    def action_cancel(self):
        """Give the run up; nothing was posted."""
        self._check_manager("write")
        for run in self:
            run._check_state(*UNDER_WAY)
            run.sudo().state = "cancelled"
            run.activity_unlink(["mail.mail_activity_data_todo"])
        return True

    def action_post(self):
        """Book the change since the last posted run, with the rights of the poster."""
        self._check_manager("write")
        for run in self.sorted("date"):
            run._lock_siblings()
            run._check_state("approved")
            run._check_unchanged()
            run._check_not_locked()
            move = self.env["ar.allowance.booking"]._book_run(run)
            run.sudo().write(
                {
                    "state": "posted",
                    "move_id": move.id,
                    "account_id": run.sudo().company_id.ar_allowance_account_id.id,
                }
            )
        return True

    def action_reverse(self):
        """Take the last posted run out of the ledger, at its own date."""
        self._check_manager("write")
        for run in self.sorted("date", reverse=True):
            run._lock_siblings()
            run._check_state("posted")
            last = run.sudo()._get_last_posted(run.company_id)
            if run != last:
                raise UserError(
                    self.env._("%s was posted later: only the last run is reversed.", last.name)
                )
            run._check_not_locked()
            reversal = self.env["account.move"]
            if run.move_id:
                reversal = run.move_id._ar_reverse_booked(
                    run.date, self.env._("Reversal of %s", run.name)
                )
            run.sudo().write({"state": "reversed", "reversal_id": reversal.id})
        return True

    # What a button needs

    def _check_manager(self, operation):
        """The buttons, and calls from outside, whatever the rights on the record."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Allowance runs are for credit managers."))
        self.check_access(operation)

    def _ask_approver(self):
        """Ask the company's credit manager, unless that is who asks."""
        company = self.sudo().company_id
        user = company.ar_credit_manager_id
        user = user and user._ar_or_next(company)
        if user and user not in self._get_askers():
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                self.company_id._ar_today(),
                summary=self.env._("Approve the allowance of %s", format_date(self.env, self.date)),
                user_id=user.id,
            )

    @api.model
    def _get_last_posted(self, company):
        """The last run of the company that is in the ledger."""
        return self.search(
            [("company_id", "=", company.id), ("state", "=", "posted")],
            order="date desc, id desc",
            limit=1,
        )

    def _lock_siblings(self):
        """Of two who post or reverse for one company at once, the second is refused."""
        self.ensure_one()
        # The lock is of the company, also of runs that the user does not see.
        runs = self.sudo()
        runs.search([("company_id", "=", self.company_id.id)]).lock_for_update(
            allow_referencing=True
        )
        self.invalidate_recordset(["state", "move_id", "previous_id"])

    def _check_unchanged(self):
        """What was approved is what is posted: nothing came between."""
        run = self.sudo()
        flows = run.env["ar.allowance.ledger"]._get_new_flows(run)
        last = run._get_last_posted(run.company_id)
        if last != run.previous_id or flows != run.flow_ids.sorted("id"):
            raise UserError(
                self.env._(
                    "The allowance account has changed since %s was computed. Take it back and "
                    "compute it again.",
                    self.name,
                )
            )

    def _check_not_locked(self):
        locks = self.company_id._get_lock_date_violations(
            self.date, fiscalyear=True, sale=False, purchase=False, tax=False, hard=True
        )
        if locks:
            raise UserError(
                self.env._(
                    "The books are closed until %(lock)s, so nothing can be booked on %(date)s. "
                    "Make a run of a later month instead: it books the whole change.",
                    lock=format_date(self.env, max(day for day, _field in locks)),
                    date=format_date(self.env, self.date),
                )
            )

    # Screens

    @api.readonly
    def action_open_lines(self):
        """The allowance by customer and bucket."""
        return self._get_window("ar_collections.ar_allowance_line_action")

    @api.readonly
    def action_open_movements(self):
        """The movement by customer."""
        return self._get_window("ar_collections.ar_allowance_movement_action")

    def _get_window(self, action):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(action),
            "domain": [("run_id", "=", self.id)],
            "context": {},
        }

    @api.readonly
    def action_xlsx(self):
        """Download the report by customer and bucket."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/ar_collections/allowance/{self.id}/xlsx",
            "target": "download",
        }
