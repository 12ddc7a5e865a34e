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
    _inherit = ["ar.numbered.mixin", "ar.readonly.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Allowance Run"
    _order = "date desc, id desc"
    _check_company_auto = True
    _number_prefix = "AL"

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
            run.sudo()._compute_all()
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
            run._notify_approver()
        return True

    def action_approve(self):
        """Agree to the allowance; whoever computed or submitted it may not."""
        self._check_manager("write")
        self.lock_for_update(allow_referencing=True)
        for run in self:
            run._check_state("submitted")
            people = run.sudo().computed_by_id | run.sudo().submitter_id
            if self.env.user in people:
                raise UserError(
                    self.env._(
                        "Four eyes see more than two: %(run)s is from %(people)s, so another "
                        "credit manager approves it.",
                        run=run.name,
                        people=", ".join(people.mapped("name")),
                    )
                )
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

    def _check_manager(self, operation):
        """The buttons, and calls from outside, whatever the rights on the record."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Allowance runs are for credit managers."))
        self.check_access(operation)

    def _check_state(self, *states):
        if self.state not in states:
            raise UserError(
                self.env._(
                    "%(run)s is %(state)s.",
                    run=self.name,
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        self.state
                    ].lower(),
                )
            )

    def _notify_approver(self):
        """Ask the company's credit manager, unless that is who asks."""
        user = self.sudo().company_id.ar_credit_manager_id
        if user and user not in self.sudo().computed_by_id | self.sudo().submitter_id:
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                self.company_id._ar_today(),
                summary=self.env._("Approve the allowance of %s", format_date(self.env, self.date)),
                user_id=user.id,
            )

    # Screens

    def action_open_lines(self):
        """The allowance by customer and bucket."""
        return self._open("ar_collections.ar_allowance_line_action")

    def action_open_movements(self):
        """The movement by customer."""
        return self._open("ar_collections.ar_allowance_movement_action")

    def _open(self, action):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(action),
            "domain": [("run_id", "=", self.id)],
            "context": {},
        }

    def action_xlsx(self):
        """Download the report by customer and bucket."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/ar_collections/allowance/{self.id}/xlsx",
            "target": "download",
        }
