from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..figures.trade_receivable import is_trade_receivable

STATES = [
    ("draft", "Draft"),
    ("submitted", "To Approve"),
    ("approved", "Approved"),
    ("posted", "Posted"),
    ("recovered", "Recovered"),
    ("refused", "Refused"),
    ("cancelled", "Cancelled"),
    ("reversed", "Reversed"),
]
# A change of these fields needs new approvals.
APPROVED_FIELDS = ("reason_id", "line_ids", "partner_id", "company_id", "kind")
# States in which a request is worked on, waits for a decision, or is booked.
EDITABLE = ("draft", "refused")
WAITING = ("submitted", "approved")
BOOKED = ("posted", "recovered")


class ArWriteoffRequest(models.Model):
    """Giving up open items of a customer: asked for by one, approved by others, then booked.

    Amounts are in company currency; the lines are in the currency of their items. A request over
    many small balances has no customer of its own.
    """

    _name = "ar.writeoff.request"
    _inherit = ["ar.numbered.mixin", "ar.case.record", "mail.activity.mixin"]
    _description = "Write-off Request"
    _order = "id desc"
    _number_prefix = "WO"
    _creation_fields = ("partner_id", "company_id", "case_id", "currency_id", "kind")

    partner_id = fields.Many2one(required=False)
    kind = fields.Selection(
        [("customer", "One customer"), ("small", "Small balances")],
        default="customer",
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one(string="Requested By", readonly=True)
    collector_id = fields.Many2one(
        "res.users",
        compute="_compute_collector_id",
        store=True,
        precompute=True,
        index="btree_not_null",
    )
    reason_id = fields.Many2one(
        "ar.writeoff.reason",
        required=True,
        tracking=True,
        index=True,
        ondelete="restrict",
        check_company=True,
    )
    reason_help = fields.Text(related="reason_id.description", string="When It Applies")
    tax_treatment = fields.Selection(related="reason_id.tax_treatment")
    state = fields.Selection(
        STATES,
        string="Status",
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        tracking=True,
        group_expand="_read_group_states",
    )
    line_ids = fields.One2many("ar.writeoff.request.line", "request_id", string="Items")
    line_count = fields.Integer(
        string="Number of Items", compute="_compute_amount_total", store=True
    )
    amount_total = fields.Monetary(
        string="Amount", compute="_compute_amount_total", store=True, tracking=True
    )
    note = fields.Text(
        string="Explanation",
        help="What was tried, and why nothing more will come.",
        tracking=True,
    )
    evidence_ids = fields.One2many("ar.writeoff.evidence", "request_id")
    risk_score = fields.Integer(readonly=True, copy=False, tracking=True, aggregator="avg")
    is_high_risk = fields.Boolean(string="High Risk", readonly=True, copy=False)
    # [[code, points, values]]
    risk_causes = fields.Json(readonly=True, copy=False)
    approval_ids = fields.One2many(
        "ar.writeoff.approval", "request_id", string="Decisions", readonly=True, copy=False
    )
    # Counts submissions and changes after them: approvals count in their own version only.
    round = fields.Integer(string="Version", readonly=True, copy=False)
    submitter_id = fields.Many2one("res.users", string="Submitted By", readonly=True, copy=False)
    date_submitted = fields.Date(string="Submitted On", readonly=True, copy=False)
    deadline = fields.Date(string="Decide Until", readonly=True, copy=False, index="btree_not_null")
    date_reminded = fields.Date(string="Reminded On", readonly=True, copy=False)
    date_approved = fields.Date(string="Approved On", readonly=True, copy=False)
    approver_ids = fields.Many2many(
        "res.users",
        "ar_writeoff_request_approver_rel",
        string="May Approve Now",
        readonly=True,
        copy=False,
    )
    decision_note = fields.Text(string="Reason of the Decision", copy=False)
    # The customer at the time of submission: a merge of customers does not change it.
    submitted_partner = fields.Integer(readonly=True, copy=False)

    _submitted = models.Constraint(
        "CHECK(state NOT IN ('submitted', 'approved') OR round > 0)",
        "A request is submitted before it is approved.",
    )
    _customer = models.Constraint(
        "CHECK(kind = 'small' OR partner_id IS NOT NULL)", "Choose the customer."
    )

    # Computes

    @api.depends("case_id", "file_id")
    def _compute_collector_id(self):
        for request in self.sudo():
            request.collector_id = request.case_id.collector_id or request.file_id.collector_id

    @api.depends("line_ids.amount_company")
    def _compute_amount_total(self):
        for request in self:
            request.line_count = len(request.line_ids)
            # Sums of thousands of amounts are rounded once more.
            request.amount_total = request.currency_id.round(
                sum(request.line_ids.mapped("amount_company"))
            )

    @api.model
    def _read_group_states(self, states, domain):
        """Groups in the order of the work; those without requests stay away."""
        return [state for state, _label in STATES if state in states]

    # CRUD

    def _get_number_date(self):
        # EXTENDS ar_collections: the accounting date may be any other
        return self.company_id._ar_today()

    @api.model_create_multi
    def create(self, vals_list):
        requests = super().create(vals_list)
        requests.filtered(lambda request: not request.evidence_ids)._list_evidence()
        requests.sudo()._assess()
        return requests

    def write(self, vals):
        changed = not vals.keys().isdisjoint(APPROVED_FIELDS)
        if changed:
            self._before_change()
        former = {request: request.reason_id for request in self}
        result = super().write(vals)
        if "reason_id" in vals:
            self.filtered(lambda request: request.reason_id != former[request])._list_evidence()
        if changed:
            self.sudo()._assess()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_drafts(self):
        for request in self:
            if request.state != "draft" or request.round:
                raise UserError(
                    self.env._("%s has been submitted: cancel it instead.", request.name)
                )

    def _before_change(self):
        """What was approved is not what it becomes: the request starts again."""
        for request in self:
            if request.state in (*BOOKED, "reversed", "cancelled"):
                raise UserError(
                    self.env._(
                        "%(request)s is %(state)s: its items, amounts and reason stay.",
                        request=request.name,
                        state=request._state_label().lower(),
                    )
                )
        self.filtered(lambda request: request.state in WAITING)._send_back(
            self.env._("Changed after it was submitted: approvals so far do not count any more.")
        )

    def _state_label(self):
        return dict(self._fields["state"]._description_selection(self.env))[self.state]

    def _list_evidence(self):
        """Put the checklist of the reason in the request; papers with files stay."""
        for request in self:
            wanted = request.reason_id.evidence_ids
            kept = request.evidence_ids.filtered("attachment_ids")
            (request.evidence_ids - kept).unlink()
            request.evidence_ids = [
                Command.create({"name": paper.name, "required": paper.required})
                for paper in wanted
                if paper.name not in kept.mapped("name")
            ]

    @api.constrains("company_id", "partner_id", "line_ids")
    def _check_items(self):
        self.line_ids._check_item()

    # Starting

    @api.model
    def _start(self, items, reason=None):
        """Draft a request over open items of one customer.

        :param items: receivable journal items
        :return: the request
        :raises ValidationError: nothing is open, or of several customers or companies
        """
        items = items.filtered(
            lambda item: (
                is_trade_receivable(item)
                and item.parent_state == "posted"
                and not item.reconciled
                and item.amount_residual > 0
            )
        )
        customers = items.partner_id.commercial_partner_id
        companies = items.company_id.root_id
        if not items:
            raise ValidationError(self.env._("There is nothing open to write off."))
        if len(customers) != 1 or len(companies) != 1:
            raise ValidationError(
                self.env._("A request is for one customer of one company: choose its items only.")
            )
        reason = reason or self.env["ar.writeoff.reason"].search(
            [("company_id", "in", (companies.id, False)), ("for_small_balances", "=", False)],
            limit=1,
        )
        return self.create(
            {
                "partner_id": customers.id,
                "company_id": companies.id,
                "reason_id": reason.id,
                "line_ids": [
                    Command.create(
                        {"move_line_id": item.id, "amount": item.amount_residual_currency}
                    )
                    for item in items
                ],
            }
        )

    # Screens

    def action_open_case(self):
        self.ensure_one()
        return self.case_id._get_records_action()

    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    def action_open_items(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Items of %s", self.name),
            "res_model": "ar.writeoff.request.line",
            "view_mode": "list",
            "domain": [("request_id", "=", self.id)],
        }

    def _mail_get_partner_fields(self, introspect_fields=False):
        # EXTENDS mail
        return ["partner_id"]
