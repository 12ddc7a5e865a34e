from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..figures.money import money_sql
from ..figures.trade_receivable import get_trade_receivable_sql
from .collection_cadence import WAITS

# What a case takes over from the credit file, cleared when it closes.
FOLLOWED = (
    "amount_overdue",
    "oldest_due_date",
    "amount_disputed",
    "amount_promised",
    "amount_demand",
    "demand_due_date",
    "days_overdue",
)


class ArCollectionCase(models.Model):
    """The chase of one customer's overdue items by one company, from first reminder to the end.

    Its items are the customer's overdue items, read live. Amounts are as of the last daily run,
    and follow the ledger within the transaction that changes it.
    """

    _name = "ar.collection.case"
    _inherit = ["ar.ledger.follower", "ar.readonly.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Collection Case"
    _order = "priority desc, oldest_due_date, id"
    _rec_name = "partner_id"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company.root_id,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    file_id = fields.Many2one(
        "ar.credit.file", string="Credit File", readonly=True, ondelete="restrict", index=True
    )
    risk_tier = fields.Selection(related="file_id.risk_tier")
    grade_id = fields.Many2one(related="file_id.grade_id")
    credit_hold = fields.Boolean(related="file_id.hold")
    phone = fields.Char(related="partner_id.phone")
    state = fields.Selection(
        [("open", "Open"), ("paused", "Paused"), ("closed", "Closed")],
        default="open",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    stage_id = fields.Many2one(
        "ar.collection.stage",
        default=lambda self: self.env["ar.collection.stage"].search([], limit=1),
        group_expand="_read_group_stage_ids",
        index=True,
        tracking=True,
        ondelete="restrict",
    )
    policy_id = fields.Many2one(
        "ar.collection.policy", tracking=True, check_company=True, ondelete="restrict"
    )
    collector_id = fields.Many2one(
        "res.users", index=True, tracking=True, domain=[("share", "=", False)]
    )
    amount_overdue = fields.Monetary(string="Overdue", readonly=True)
    amount_unallocated = fields.Monetary(related="file_id.unallocated")
    amount_open = fields.Monetary(related="file_id.open_amount")
    amount_disputed = fields.Monetary(string="Disputed", readonly=True)
    amount_promised = fields.Monetary(string="Promised", readonly=True)
    amount_demand = fields.Monetary(
        string="To Ask For", readonly=True, help="Overdue less what is disputed or promised."
    )
    demand_due_date = fields.Date(string="Oldest Due Date to Ask For", readonly=True)
    amount_collected = fields.Monetary(
        string="Collected",
        compute="_compute_amount_collected",
        help="Payments by this customer since the case was opened.",
    )
    oldest_due_date = fields.Date(readonly=True, index=True)
    days_overdue = fields.Integer(readonly=True, aggregator="max")
    priority = fields.Integer(readonly=True, index=True, aggregator="avg")
    date_opened = fields.Date(readonly=True)
    date_closed = fields.Date(readonly=True)
    close_reason = fields.Selection(
        [("paid", "Paid"), ("written_off", "Written off"), ("cancelled", "Cancelled")],
        readonly=True,
        tracking=True,
    )
    pause_reason = fields.Char(readonly=True, tracking=True)
    pause_end = fields.Date(string="Paused Until", readonly=True, tracking=True)
    last_contact_date = fields.Date(related="file_id.last_contact_date")
    next_action_date = fields.Date(string="Next Action", readonly=True, index=True)
    waiting_for = fields.Selection(list(WAITS.items()), readonly=True)
    last_error = fields.Text(
        readonly=True, help="Why the last daily run could not deal with this case."
    )
    # The highest rung that the item of this due date has been part of.
    ladder_due_date = fields.Date(readonly=True)
    ladder_days = fields.Integer(readonly=True)
    action_ids = fields.One2many("ar.collection.action", "case_id")
    promise_ids = fields.One2many("ar.payment.promise", "case_id", string="Promises")
    plan_ids = fields.One2many("ar.payment.plan", "case_id", string="Payment Plans")
    acknowledgement_ids = fields.One2many(
        "ar.debt.acknowledgement", "case_id", string="Debt Acknowledgements"
    )
    dispute_ids = fields.One2many("ar.dispute", "case_id", string="Disputes")
    action_count = fields.Integer(compute="_compute_action_count")
    failed_action_count = fields.Integer(compute="_compute_action_count")
    open_item_ids = fields.Many2many(
        "account.move.line", string="Overdue Items", compute="_compute_open_item_ids"
    )
    attention = fields.Selection(
        [("failed", "A contact failed"), ("late", "Action is late"), ("none", "Nothing")],
        compute="_compute_attention",
    )
    color = fields.Integer(compute="_compute_attention")

    # The database itself keeps a customer from being chased twice.
    _one_open = models.UniqueIndex(
        "(company_id, partner_id) WHERE state <> 'closed'",
        "This customer already has an open collection case in this company.",
    )
    _pause_ends = models.Constraint(
        "CHECK(state <> 'paused' OR pause_end IS NOT NULL)", "A pause needs an end date."
    )
    _closed_reason = models.Constraint(
        "CHECK(state <> 'closed' OR close_reason IS NOT NULL)", "A closed case needs a reason."
    )

    # Computes

    @api.depends("action_ids.state")
    def _compute_action_count(self):
        counts = {}
        for case, state, count in self.env["ar.collection.action"]._read_group(
            [("case_id", "in", self.ids), ("state", "!=", "cancelled")],
            ["case_id", "state"],
            ["__count"],
        ):
            counts.setdefault(case.id, {})[state] = count
        for case in self:
            states = counts.get(case.id, {})
            case.action_count = sum(states.values())
            case.failed_action_count = states.get("failed", 0)

    @api.depends("action_ids.state", "activity_state", "next_action_date")
    def _compute_attention(self):
        for case in self:
            if case.state != "closed" and (case.last_error or case.failed_action_count):
                case.attention, case.color = "failed", 1
            elif case.activity_state == "overdue":
                case.attention, case.color = "late", 3
            else:
                case.attention, case.color = "none", 0

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_open_item_ids(self):
        """Those that the user may see: the figures include branches, the rights may not."""
        for company, cases in self.grouped("company_id").items():
            items = self.env["ar.position"]._items(company, company._ar_today(), cases.partner_id)
            for case in cases:
                lines = self.env["account.move.line"].browse(
                    item.line_id
                    for item in items.get((company.id, case.partner_id.id), ())
                    if item.followup and item.days_overdue
                )
                case.open_item_ids = lines._filtered_access("read")

    def _compute_amount_collected(self):
        # A collector sees the sum without rights on the bank journals.
        self.flush_model(["partner_id", "company_id", "date_opened", "date_closed"])
        self.env["account.move.line"].flush_model()
        self.env["account.account"].flush_model(["account_type", "non_trade"])
        collected = dict(
            self.env.execute_query(
                SQL(
                    """
            SELECT kase.id, -SUM(line.balance)
              FROM ar_collection_case kase
              JOIN res_partner contact ON contact.commercial_partner_id = kase.partner_id
              JOIN account_move_line line ON line.partner_id = contact.id
               AND line.parent_state = 'posted' AND line.date >= kase.date_opened
               AND line.date <= COALESCE(kase.date_closed, 'infinity')
              JOIN account_account account ON account.id = line.account_id
               AND %s
              JOIN account_journal journal ON journal.id = line.journal_id
               AND %s
              JOIN res_company company ON company.id = line.company_id
               AND SPLIT_PART(company.parent_path, '/', 1)::int = kase.company_id
             WHERE kase.id = ANY(%s)
             GROUP BY kase.id
                    """,
                    get_trade_receivable_sql("account"),
                    money_sql(),
                    self.ids,
                )
            )
        )
        for case in self:
            case.amount_collected = collected.get(case._origin.id, 0)

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        return stages.search([("active", "=", True)])

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        cases = super().create(vals_list)
        cases._check_collector()
        return cases

    def write(self, vals):
        if vals.get("stage_id"):
            stage = self.env["ar.collection.stage"].browse(vals["stage_id"])
            for company, cases in self.grouped("company_id").items():
                cases.filtered(lambda case: case.stage_id != stage)._hold_for(
                    stage, company._ar_today()
                )
        result = super().write(vals)
        if "collector_id" in vals:
            self._check_collector()
        return result

    def _check_collector(self):
        """Nobody gives a case to who would not see it.

        The daily run goes on with the collectors that it finds, of whatever company.
        """
        if self.env.su:
            return
        for company, cases in self.grouped("company_id").items():
            # Who works where is not a secret of the users' administration.
            for user in cases.collector_id.sudo():
                if company not in user.company_ids:
                    raise UserError(
                        self.env._(
                            "%(user)s does not work for %(company)s and would not see the case.",
                            user=user.name,
                            company=company.name,
                        )
                    )

    def _hold_for(self, stage, date):
        """Hold the credit of the customers whose cases enter a stage that asks for it."""
        if stage.hold_credit and self:
            # The stage decides on the hold, not the rights of who moves the case.
            self.file_id.sudo()._set_hold(
                self.env._("Collection stage “%s”", stage.name), date, "stage"
            )

    @api.model
    def _open_of(self, partner, company):
        """The case of the customer in the company that is not closed, if any."""
        return self.search(
            [
                ("partner_id", "=", partner.commercial_partner_id.id),
                ("company_id", "=", company.root_id.id),
                ("state", "!=", "closed"),
            ]
        )

    def _check_not_closed(self):
        if any(case.state == "closed" for case in self):
            raise UserError(self.env._("The case is closed."))

    def _plan_call(self, date, note, user=None):
        """Give the collector a call to make.

        :param user: who calls when the case has no collector
        :return: the action
        """
        self.ensure_one()
        action = self.env["ar.collection.action"].create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "case_id": self.id,
                "channel": "call",
                "user_id": (self.collector_id or user or self.env.user).id,
                "date_planned": date,
                "note": note,
            }
        )
        action._schedule(date)
        return action

    # Actions

    def _pause(self, reason, end):
        """No contact until the end date, when the daily run opens the case again."""
        for case in self:
            if case.state != "open":
                raise ValidationError(self.env._("Only an open case can be paused."))
            if end <= case.company_id._ar_today():
                raise ValidationError(self.env._("A pause ends in the future."))
        self.check_access("write")
        self.sudo().write(
            {
                "state": "paused",
                "pause_reason": reason,
                "pause_end": end,
                "next_action_date": end,
            }
        )

    def action_pause(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Pause Collection"),
            "res_model": "ar.collection.pause",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_ids": self.ids},
        }

    def action_resume(self):
        self.check_access("write")
        self.filtered(lambda case: case.state == "paused").sudo().write(
            {
                "state": "open",
                "pause_reason": False,
                "pause_end": False,
            }
        )

    def action_log_call(self):
        """Open a new call on this case, ready to be filled in."""
        self.ensure_one()
        form = self.env.ref("ar_collections.ar_collection_action_view_form_log")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log a Call"),
            "res_model": "ar.collection.action",
            "view_mode": "form",
            "views": [(form.id, "form")],
            "target": "new",
            "context": {
                "default_case_id": self.id,
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "default_channel": "call",
                "default_user_id": self.env.uid,
                "default_date_planned": self.company_id._ar_today(),
                "default_promise_currency_id": self._main_demand()[0].id,
                "dialog_size": "extra-large",
            },
        }

    def action_promise(self):
        """Enter what the customer promises, proposed as all that may be asked for now."""
        self.ensure_one()
        form = self.env.ref("ar_collections.ar_payment_promise_view_form_new")
        currency, amount = self._main_demand()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Promise to Pay"),
            "res_model": "ar.payment.promise",
            "view_mode": "form",
            "views": [(form.id, "form")],
            "target": "new",
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "default_currency_id": currency.id,
                "default_amount": currency.round(amount),
            },
        }

    def action_plan(self):
        """Draft a payment plan over the customer's overdue items, one for each currency."""
        return self._draft_plans()._get_records_action(name=self.env._("Payment Plans"))

    def action_dispute(self):
        """Record what the customer objects to."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Dispute"),
            "res_model": "ar.dispute",
            "view_mode": "form",
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
            },
        }

    def action_acknowledgement(self):
        """Draft an acknowledgement of all that the customer owes."""
        self.ensure_one()
        acknowledgement = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id}
        )
        return acknowledgement._get_records_action()

    def action_open_items(self):
        self.ensure_one()
        return self.partner_id._ar_action_open_items(self.company_id)

    def action_statement(self):
        return self.file_id.action_statement()

    def action_open_actions(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Actions"),
            "res_model": "ar.collection.action",
            "view_mode": "list,form",
            "domain": [("case_id", "=", self.id)],
        }

    def action_open_file(self):
        self.ensure_one()
        return self.file_id._get_records_action()

    # Mail

    def _mail_get_partner_fields(self, introspect_fields=False):
        # EXTENDS mail
        return ["partner_id"]

    # Closing

    def _close(self, date, reason=None):
        """Close cases, with all that is planned for them.

        :param reason: why; by default no overdue items are left, and the ledger shows the reason
        """
        common = {
            "state": "closed",
            "date_closed": date,
            "pause_reason": False,
            "pause_end": False,
            "next_action_date": False,
            "waiting_for": False,
            "last_error": False,
            **dict.fromkeys(FOLLOWED, False),
        }
        if reason:
            self.write({**common, "close_reason": reason})
        else:
            lost = self._written_off_since_opened()
            paid = (self - lost)._paid_since_opened()
            paid.write({**common, "close_reason": "paid"})
            lost.write({**common, "close_reason": "written_off"})
            (self - lost - paid).write({**common, "close_reason": "cancelled"})
        if self:
            self.activity_unlink(
                [
                    f"ar_collections.activity_{kind}"
                    for kind in ("call", "visit", "task", "escalation", "limitation")
                ]
            )
            self.action_ids.filtered(lambda action: action.state == "planned")._cancel()
            self.file_id.filtered(lambda file: file.hold_cause == "stage")._lift_hold()
            self.flush_model()

    def _paid_since_opened(self):
        """The cases of which an overdue item was settled with money since they were opened."""
        if not self:
            return self
        self.env["account.partial.reconcile"].flush_model()
        return self.browse(
            id_
            for (id_,) in self.env.execute_query(
                SQL(
                    """
            SELECT kase.id FROM ar_collection_case kase
             WHERE kase.id IN %s AND EXISTS (
                SELECT FROM account_partial_reconcile partial
                  JOIN account_move_line item ON item.id = partial.debit_move_id
                  JOIN account_move_line money ON money.id = partial.credit_move_id
                  JOIN account_journal journal ON journal.id = money.journal_id
                 WHERE item.partner_id IN (
                        SELECT id FROM res_partner
                         WHERE commercial_partner_id = kase.partner_id)
                   AND partial.create_date >= kase.create_date
                   AND %s)
             ORDER BY kase.id
            """,
                    tuple(self.ids),
                    money_sql(),
                )
            )
        )

    @api.model
    def _match_policies(self, files):
        """Open cases follow when the policy that fits their credit file changes."""
        policies = self.env["ar.collection.policy"]._match(files)
        cases = self.sudo().search([("file_id", "in", files.ids), ("state", "!=", "closed")])
        for case in cases:
            if case.policy_id != policies[case.file_id.with_env(files.env)]:
                case.policy_id = policies[case.file_id.with_env(files.env)]
