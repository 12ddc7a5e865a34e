from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..figures.settlement import money_domain
from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN
from .placement_bundle import clean_name

KINDS = [("agency", "Agency"), ("lawyer", "Lawyer")]
# What was agreed with the agency or lawyer; fixed once the claim is placed.
TERMS = ("kind", "agent_id", "commission_rate", "item_ids")


class ArPlacement(models.Model):
    """Overdue items handed over to an agency or a lawyer, who collects them for us.

    What they recover is read from the ledger: money and set-offs matched with the items, whoever
    paid, of a day since they were placed, before commission. As long as they work on it, the case
    sends nothing by itself.
    """

    _name = "ar.placement"
    _inherit = ["ar.ledger.follower", "ar.numbered.mixin", "ar.case.record", "mail.activity.mixin"]
    _description = "Placement"
    _order = "id desc"
    _number_prefix = "PL"

    kind = fields.Selection(KINDS, required=True, default="agency", tracking=True)
    agent_id = fields.Many2one(
        "res.partner",
        string="Agency or Lawyer",
        tracking=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("placed", "Placed"),
            ("closed", "Closed"),
            ("withdrawn", "Withdrawn"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
    )
    date = fields.Date(string="Placed On", readonly=True, copy=False, tracking=True)
    date_closed = fields.Date(string="Ended On", readonly=True, copy=False)
    ended_by_ledger = fields.Boolean(
        readonly=True, copy=False, help="Nothing was open any more; it opens again if that changes."
    )
    item_ids = fields.One2many("ar.placement.item", "placement_id", string="Items")
    cost_ids = fields.One2many("ar.placement.cost", "placement_id", string="Cost Lines")
    report_ids = fields.One2many("ar.placement.report", "placement_id", string="Status Reports")
    amount = fields.Monetary(string="Placed", compute="_compute_amount", store=True, tracking=True)
    commission_rate = fields.Float(
        string="Commission", tracking=True, help="Share of what is recovered."
    )
    amount_recovered = fields.Monetary(string="Collected", compute="_compute_result")
    amount_open = fields.Monetary(string="Still Open", compute="_compute_result")
    commission = fields.Monetary(
        string="Commission Earned",
        compute="_compute_result",
        help="The agreed share of what was collected.",
    )
    commission_kept = fields.Monetary(
        string="Kept by the Agency",
        compute="_compute_result",
        help="What the agency or lawyer kept of what was collected, as commission or for a bill "
        "that was set off.",
    )
    commission_due = fields.Monetary(
        string="Commission Still Due",
        compute="_compute_result",
        help="The commission less what was kept already: more of it need not be invoiced.",
    )
    agent_credit = fields.Monetary(
        string="Unmatched Money of the Agency",
        compute="_compute_agent_credit",
        help="What the agency or lawyer paid that is not matched with any item yet. It pays the "
        "customer's debt as soon as it is matched with its items.",
    )
    amount_costs = fields.Monetary(string="Costs", compute="_compute_amount_costs", store=True)
    amount_net = fields.Monetary(
        string="Net Result",
        compute="_compute_result",
        help="Recovered less commission and costs.",
    )
    last_report_date = fields.Date(
        string="Last Report", compute="_compute_last_report_date", store=True
    )
    date_filed = fields.Date(
        string="Filed in Court On",
        tracking=True,
        copy=False,
        help="What a lawsuit does to limitation of the items, the country pack says.",
    )
    date_judgment = fields.Date(
        string="Judgment Of",
        tracking=True,
        copy=False,
        help="What it grants can be enforced for as long as the country pack says.",
    )
    court_reference = fields.Char(tracking=True, copy=False)
    result = fields.Selection(
        [
            ("paid", "Paid"),
            ("part", "Paid in part"),
            ("settled", "Settled for less"),
            ("credited", "Credited"),
            ("judgment", "Judgment"),
            ("uncollectable", "Uncollectable"),
            ("recalled", "Recalled"),
        ],
        tracking=True,
        copy=False,
    )
    note = fields.Text(help="Instructions for the agency or lawyer, printed on the index.")
    bundle_id = fields.Many2one(
        "ir.attachment", string="Hand-Over File", readonly=True, copy=False, ondelete="set null"
    )

    _rate = models.Constraint(
        "CHECK(commission_rate BETWEEN 0 AND 1)", "The commission is from 0 to 100 %."
    )
    _placed_on = models.Constraint(
        "CHECK(state = 'draft' OR date IS NOT NULL OR state = 'withdrawn')",
        "A placement starts on a day.",
    )
    _one_running = models.UniqueIndex(
        "(case_id) WHERE state = 'placed'",
        "This case is with an agency or lawyer already. End that placement first.",
    )

    @api.depends("item_ids.amount_company")
    def _compute_amount(self):
        for placement in self:
            placement.amount = sum(placement.item_ids.mapped("amount_company"))

    @api.depends("cost_ids.amount")
    def _compute_amount_costs(self):
        for placement in self:
            placement.amount_costs = sum(placement.cost_ids.mapped("amount"))

    @api.depends("report_ids.date")
    def _compute_last_report_date(self):
        for placement in self:
            placement.last_report_date = max(placement.report_ids.mapped("date"), default=False)

    @api.depends("state", "commission_rate", "amount_costs", "amount")
    def _compute_result(self):
        """In company currency, each item at the rate at which it was placed."""
        recovered = self.item_ids._get_recovered()
        # The ledger says what was kept, whatever its reader may see.
        kept = self.env["ar.placement.remittance"].sudo()._get_kept(self._origin.sudo())
        for placement in self:
            currency = placement.currency_id
            parts = [recovered.get(item._origin.id, (0, 0)) for item in placement.item_ids]
            total = sum(part for part, _left in parts)
            placement.amount_recovered = total
            placement.amount_open = sum(left for _part, left in parts)
            placement.commission = (
                currency.round(total * placement.commission_rate) if currency else 0
            )
            placement.commission_kept = kept.get(placement._origin.sudo(), 0)
            placement.commission_due = max(placement.commission - placement.commission_kept, 0)
            placement.amount_net = total - placement.commission - placement.amount_costs

    @api.depends("state", "agent_id")
    def _compute_agent_credit(self):
        self.agent_credit = 0
        for company, same in (
            self.filtered(lambda each: each.state == "placed").grouped("company_id").items()
        ):
            totals = {}
            for partner, total in (
                self.env["account.move.line"]
                .sudo()
                ._read_group(
                    same._get_agent_credit_domain(company), ["partner_id"], ["amount_residual:sum"]
                )
            ):
                agent = partner.commercial_partner_id.id
                totals[agent] = totals.get(agent, 0) - total
            for placement in same:
                placement.agent_credit = totals.get(placement.agent_id.commercial_partner_id.id, 0)

    def _get_agent_credit_domain(self, company):
        """Open money of the agencies, which is of no customer until it is matched."""
        return [
            (
                "partner_id.commercial_partner_id",
                "in",
                self.agent_id.commercial_partner_id.ids,
            ),
            ("company_id", "child_of", company.id),
            *TRADE_RECEIVABLE_DOMAIN,
            ("parent_state", "=", "posted"),
            ("amount_residual", "<", 0),
            *money_domain(),
        ]

    # CRUD

    def _get_number_date(self):
        # EXTENDS ar_collections: nothing is placed yet
        return self.company_id._ar_today()

    @api.model_create_multi
    def create(self, vals_list):
        placements = super().create(vals_list)
        for placement in placements.sudo():
            if not placement.item_ids:
                placement._take_items()
        return placements

    def write(self, vals):
        if not self.env.su and not vals.keys().isdisjoint(TERMS):
            self._check_draft()
        return super().write(vals)

    def _check_draft(self):
        for placement in self:
            if placement.state != "draft":
                raise UserError(
                    self.env._(
                        "%s was handed over: what was agreed cannot be changed any more.",
                        placement.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(placement.state != "draft" for placement in self):
            raise UserError(self.env._("A placement stays as a record. Withdraw it instead."))

    def _take_items(self):
        """All that is overdue today and may be followed up, less what open credits pay."""
        items = self.env["ar.position"]._items(
            self.company_id, self.company_id._ar_today(), self.partner_id, current=True
        )
        self.env["ar.placement.item"].create(
            [
                {
                    "placement_id": self.id,
                    "move_line_id": item.line_id,
                    "amount": item.residual_currency - item.credit_currency,
                }
                for item in items.get((self.company_id.id, self.partner_id.id), ())
                if item.followup and item.days_overdue and item.credit < item.residual
            ]
        )

    # Way

    def _check_manager(self):
        self.check_access("write")
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager decides on placements."))

    def action_place(self):
        """Hand the items over as they are now: the case sends nothing by itself any more."""
        self._check_manager()
        for placement in self.sudo():
            placement._check_draft()
            if not placement.agent_id:
                raise UserError(self.env._("Choose the agency or lawyer."))
            placement._check_solvent()
            if placement.case_id.state not in ("open", "paused"):
                placement.case_id = self.env["ar.collection.case"]._get_open_case(
                    placement.partner_id, placement.company_id
                )
            case = placement.case_id
            if not case:
                raise UserError(
                    self.env._("%s has no open case to hand over.", placement.partner_id.name)
                )
            if self.search_count([("case_id", "=", case.id), ("state", "=", "placed")]):
                raise UserError(
                    self.env._("%s is with an agency or lawyer already.", case.partner_id.name)
                )
            placement.item_ids._renew_items()
            if not placement.item_ids:
                raise UserError(self.env._("There is nothing open to hand over."))
            placement._move_case()
            placement.write({"state": "placed", "date": placement.company_id._ar_today()})

    def _check_solvent(self):
        """An agency may not ask who is insolvent; a lawyer may file the claim."""
        insolvency = self.env["ar.insolvency"]._get_open_insolvencies(
            self.company_id, self.partner_id
        )
        if insolvency and self.kind == "agency":
            raise UserError(
                self.env._(
                    "%(customer)s is insolvent (%(number)s): no agency may ask for payment. Hand "
                    "the claim over to a lawyer who files it, or file it yourself.",
                    customer=self.partner_id.name,
                    number=insolvency.name,
                )
            )

    def _move_case(self):
        """The case enters the agency or legal stage, and its own steps end."""
        stage = self.env["ar.collection.stage"]._get_stage_of_placement(self.kind)
        case = self.case_id
        if stage and case.stage_id.kind != stage.kind:
            case.stage_id = stage
        case.action_ids.filtered(
            lambda action: action.state == "planned" and action.step_id
        )._cancel()
        case.waiting_for = "placed"
        case.message_post(
            body=self.env._(
                "Handed over to %(agent)s: %(placement)s",
                agent=self.agent_id.display_name,
                placement=self._get_html_link(),
            ),
            subtype_xmlid="mail.mt_note",
        )

    def action_close(self):
        """The agency or lawyer has finished; the result is kept and the case goes on."""
        self._check_manager()
        for placement in self:
            if placement.state != "placed":
                raise UserError(self.env._("%s is not placed.", placement.name))
            if not placement.result:
                raise UserError(self.env._("Enter the result first."))
        self._end_placements("closed")

    def action_withdraw(self):
        """Take the items back."""
        self._check_manager()
        for placement in self:
            if placement.state not in ("draft", "placed"):
                raise UserError(self.env._("%s is over.", placement.name))
        self.sudo().filtered(lambda placement: not placement.result).result = "recalled"
        self._end_placements("withdrawn")

    def _end_placements(self, state):
        for company, placements in self.sudo().grouped("company_id").items():
            placements.write({"state": state, "date_closed": company._ar_today()})
            # The next daily run says what comes next.
            placements.case_id.filtered(lambda case: case.waiting_for == "placed").write(
                {"waiting_for": False}
            )

    def _get_end_result(self, recovered):
        """What the ledger says of items of which nothing is open any more.

        :param recovered: what came since the hand-over
        """
        # It is so, whatever its reader may see.
        items = self.item_ids.sudo().filtered("move_line_id")
        credits_ = defaultdict(list)
        for credit in self.env["ar.settlement"].sudo()._get_credits(items.move_line_id):
            credits_[credit.item_id].append(credit)
        kinds = set()
        for item in items:
            left = item.amount
            # What was matched last took off what had been placed.
            for credit in reversed(credits_[item.move_line_id.id]):
                if item.currency_id.compare_amounts(left, 0) > 0 and credit.amount_currency:
                    kinds.add("paid" if credit.is_paid else credit.kind)
                    left -= credit.amount_currency
        if kinds == {"paid"}:
            return "paid"
        if recovered:
            return "part"
        return "credited" if "credit_note" in kinds else "uncollectable"

    @api.model
    def _follow_matching(self, lines):
        """End placements of which nothing is open any more, and undo that when something is."""
        placements = (
            self.env["ar.placement.item"]
            .search([("move_line_id", "in", lines.ids)])
            .placement_id.filtered(
                lambda placement: placement.state == "placed" or placement.ended_by_ledger
            )
        )
        # Read here: whoever asked for an amount may have brought us here by asking.
        parts = placements.item_ids._get_recovered()
        placements.invalidate_recordset(["amount_recovered", "amount_open"])
        running = self.search([("case_id", "in", placements.case_id.ids), ("state", "=", "placed")])
        # Two agencies never work on one case: the last that did goes on.
        for placement in placements.sorted("id", reverse=True):
            items = placement.item_ids
            recovered = sum(parts[item.id][0] for item in items)
            still_open = sum(parts[item.id][1] for item in items)
            if placement.state == "placed" and not still_open:
                placement.write(
                    {
                        "state": "closed",
                        "ended_by_ledger": True,
                        "date_closed": placement.company_id._ar_get_run_date(),
                        "result": placement._get_end_result(recovered),
                    }
                )
                running -= placement
            elif (
                placement.ended_by_ledger
                and still_open
                and placement.case_id not in running.case_id
            ):
                running |= placement
                placement.write(
                    {
                        "state": "placed",
                        "ended_by_ledger": False,
                        "date_closed": False,
                        "result": False,
                    }
                )

    @api.readonly
    def action_open_agent_credit(self):
        """The open money of the agency, to match it with the items of the customer."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Unmatched Money of %s", self.agent_id.display_name),
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "domain": self._get_agent_credit_domain(self.company_id),
            "context": {"create": False},
        }

    @api.readonly
    def action_open_case(self):
        self.ensure_one()
        return self.case_id._get_records_action()

    def action_bundle(self):
        """Build the hand-over file anew, keep it with the placement and download it."""
        self.ensure_one()
        self.check_access("write")
        # The papers of the claim belong to it, whatever else of the books its collector may see.
        placement = self.sudo()
        former = placement.bundle_id
        placement.bundle_id = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": clean_name(f"{self.name} {self.partner_id.name}.zip"),
                    "raw": self.env["ar.placement.bundle"]._build_zip(placement),
                    "mimetype": "application/zip",
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
        )
        former.unlink()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{placement.bundle_id.id}?download=true",
            "target": "download",
        }
