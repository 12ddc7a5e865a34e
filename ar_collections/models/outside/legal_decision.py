from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount

from ..common.optional_float import OptionalFloat
from .legal_options import OPTIONS, Claim, weigh

# Which placement a decision leads to.
PLACEMENTS = {"court": "lawyer", "agency": "agency"}
# So many placements have to have ended before their results say anything.
LEAST_RESULTS = 3
DAYS_OF_MONTH = 365 / 12
# Every way but the write-off needs these; each way needs some of the others.
COMMON_TERMS = ("interest", "tax_rate")
TERMS = ("court_chance", "agency_chance", "commission", "plan_chance", *COMMON_TERMS)
SHARES = ("interest", "tax_rate", "court_chance", "agency_chance", "commission", "plan_chance")


class ArLegalDecision(models.Model):
    """Sue or not: what each way with a case is worth, and what was decided."""

    _name = "ar.legal.decision"
    _inherit = ["ar.numbered.mixin", "ar.case.record"]
    _description = "Sue-or-Not Sheet"
    _order = "id desc"
    _number_prefix = "SN"

    state = fields.Selection(
        [("draft", "Draft"), ("decided", "Decided")],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
    )
    amount = fields.Monetary(
        string="Claim",
        compute="_compute_amount",
        store=True,
        readonly=False,
        precompute=True,
        help="What is overdue, in company currency.",
    )
    interest = OptionalFloat(
        string="Interest a Year",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
        help="Money that comes later is worth less.",
    )
    tax_rate = OptionalFloat(
        string="Tax Saved by a Write-Off",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
        help="Share of a loss that comes back as lower tax.",
    )
    business = fields.Selection(
        [
            ("open", "Still in business"),
            ("closed", "Closed down"),
            ("insolvent", "Insolvent"),
        ],
        string="Customer Is",
        compute="_compute_business",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="Who has closed down or is insolvent pays nobody who sues.",
    )
    basis = fields.Char(
        compute="_compute_basis",
        store=True,
        precompute=True,
        help="Where chances and costs come from.",
    )
    court_chance = OptionalFloat(
        string="Chance to Be Paid",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
        help="To win, and to get the money from the customer after that.",
    )
    court_fee = fields.Monetary(
        compute="_compute_fees", store=True, readonly=False, precompute=True
    )
    lawyer_fee = fields.Monetary(
        string="Lawyer's Fee",
        compute="_compute_fees",
        store=True,
        readonly=False,
        precompute=True,
    )
    fee_back = fields.Boolean(
        string="Loser Pays the Court Fee", default=True, help="It comes back with a claim won."
    )
    court_months = fields.Integer(
        string="Months to the Money",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
    )
    agency_chance = OptionalFloat(
        string="Share Recovered",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
    )
    commission = OptionalFloat(
        compute="_compute_terms", store=True, readonly=False, precompute=True
    )
    agency_months = fields.Integer(
        string="Months of the Agency",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
    )
    plan_chance = OptionalFloat(
        string="Share Paid in Instalments",
        compute="_compute_terms",
        store=True,
        readonly=False,
        precompute=True,
    )
    plan_months = fields.Integer(string="Monthly Instalments", default=12)
    insured_amount = fields.Monetary(
        string="Insured",
        compute="_compute_insured_amount",
        store=True,
        readonly=False,
        precompute=True,
        help="What credit insurances in force pay of the claim.",
    )
    insurance_months = fields.Integer(string="Months of the Insurer", default=6)
    best = fields.Selection(OPTIONS, compute="_compute_best", store=True)
    best_value = fields.Monetary(compute="_compute_best", store=True)
    missing = fields.Char(
        compute="_compute_missing", help="What has to be known before a way is advised."
    )
    comparison = fields.Html(compute="_compute_comparison", sanitize=False)
    decision = fields.Selection(OPTIONS, tracking=True, copy=False)
    reason = fields.Text(tracking=True, copy=False)
    decided_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    date = fields.Date(string="Decided On", readonly=True, copy=False)

    _shares = models.Constraint(
        f"CHECK({' AND '.join(f'{name} BETWEEN 0 AND 1' for name in SHARES)})",
        "Chances, shares and rates are from 0 to 100 %.",
    )
    _amounts = models.Constraint(
        "CHECK(amount > 0 AND court_fee >= 0 AND lawyer_fee >= 0 AND insured_amount >= 0"
        " AND court_months >= 0 AND agency_months >= 0 AND plan_months >= 0"
        " AND insurance_months >= 0)",
        "The claim must be greater than zero; fees and months cannot be negative.",
    )

    @api.depends("case_id")
    def _compute_amount(self):
        for sheet in self:
            sheet.amount = sheet.sudo().case_id.amount_overdue or sheet.amount

    @api.depends("file_id")
    def _compute_business(self):
        """Known when an insolvency is recorded; else somebody says."""
        for sheet in self:
            insolvency = (
                self.env["ar.insolvency"]
                .sudo()
                .search([("file_id", "=", sheet.file_id.id or 0), ("state", "=", "open")], limit=1)
            )
            if insolvency:
                sheet.business = "closed" if insolvency.kind == "closed" else "insolvent"
            else:
                sheet.business = sheet.business

    @api.depends("company_id", "case_id")
    def _compute_fees(self):
        """What the newest placement of the case has cost so far, else the company's share."""
        for sheet in self:
            placements = self.env["ar.placement"].sudo()
            case_id = sheet.sudo().case_id.id or 0
            costs = placements.search([("case_id", "=", case_id)], limit=1).cost_ids
            company = sheet.company_id.sudo().root_id
            for kind in ("court", "lawyer"):
                known = costs.filtered(lambda cost, kind=kind: cost.kind == kind)
                sheet[f"{kind}_fee"] = (
                    sum(known.mapped("amount")) or sheet.amount * company[f"ar_{kind}_fee_share"]
                )

    @api.depends("company_id")
    def _compute_terms(self):
        """From the company's own results, else from its settings; unknown without either."""
        for company, sheets in self.grouped("company_id").items():
            root = company.sudo().root_id
            results = sheets._get_own_results(root)
            court, agency = results.get("lawyer", {}), results.get("agency", {})
            sheets.court_chance = court.get("share", root.ar_court_chance)
            sheets.court_months = court.get("months", root.ar_court_months)
            sheets.agency_chance = agency.get("share", root.ar_agency_chance)
            sheets.commission = agency.get("commission", root.ar_agency_commission)
            sheets.agency_months = agency.get("months", root.ar_agency_months)
            sheets.plan_chance = root.ar_plan_chance
            sheets.interest = root.ar_legal_interest
            sheets.tax_rate = root.ar_legal_tax_rate

    @api.depends("company_id")
    def _compute_basis(self):
        kinds = dict(self.env["ar.placement"]._fields["kind"]._description_selection(self.env))
        for company, sheets in self.grouped("company_id").items():
            sheets.basis = "; ".join(
                self.env._(
                    "%(kind)s: own results of %(count)s placements",
                    kind=kinds[kind],
                    count=found["count"],
                )
                for kind, found in sheets._get_own_results(company.sudo().root_id).items()
            )

    @api.model
    def _get_own_results(self, company):
        """What came of the placements of a company that have ended, by kind, when they are enough.

        :return: ``{kind: {count, share recovered, commission as a share of it, months}}``
        """
        ended = (
            self.env["ar.placement"]
            .sudo()
            .search(
                [
                    ("company_id", "child_of", company.id or 0),
                    ("state", "in", ("closed", "withdrawn")),
                    ("date", "!=", False),
                    ("amount", ">", 0),
                ]
            )
        )
        results = {}
        for kind, same in ended.grouped("kind").items():
            if len(same) < LEAST_RESULTS:
                continue
            recovered = sum(same.mapped("amount_recovered"))
            days = [(each.date_closed - each.date).days for each in same]
            results[kind] = {
                "count": len(same),
                "share": min(recovered / sum(same.mapped("amount")), 1),
                "commission": min(sum(same.mapped("commission")) / recovered, 1)
                if recovered
                else 0,
                "months": round(sum(days) / len(days) / DAYS_OF_MONTH),
            }
        return results

    @api.depends("partner_id", "company_id", "amount")
    def _compute_insured_amount(self):
        for sheet in self:
            covers = (
                self.env["ar.credit.cover"]
                .sudo()
                .search([("file_id", "=", sheet.file_id.id or 0), ("kind", "=", "insurance")])
                .filtered(lambda cover: cover.state == "active")
            )
            date = sheet.company_id._ar_today() if sheet.company_id else fields.Date.today()
            insured = 0
            for cover in covers:
                limit = cover._get_amount_at(date)
                insured += min(limit, sheet.amount * cover.covered_share)
            sheet.insured_amount = min(insured, sheet.amount)

    def _get_ways(self):
        """The ways that are known of one sheet, best first; see :func:`weigh`."""
        is_open = self.business == "open"

        def chance(name, *costs):
            # What comes later, or not at all, is compared by what time and taxes make of it.
            terms = (name, *COMMON_TERMS, *costs)
            known = all(self[term] is not False for term in terms)
            return self[name] if is_open and known else None

        return weigh(
            Claim(
                amount=self.amount,
                interest=self.interest or 0,
                tax_rate=self.tax_rate or 0,
                # No court works for nothing: its fee is not known yet.
                court_chance=chance("court_chance") if self.court_fee else None,
                court_fee=self.court_fee,
                lawyer_fee=self.lawyer_fee,
                court_months=self.court_months,
                fee_back=self.fee_back,
                agency_chance=chance("agency_chance", "commission"),
                commission=self.commission or 0,
                agency_months=self.agency_months,
                plan_chance=chance("plan_chance"),
                plan_months=self.plan_months,
                insured=self.insured_amount,
                insurance_months=self.insurance_months,
            )
        )

    @api.depends("business", "court_fee", *TERMS)
    @api.depends_context("lang")
    def _compute_missing(self):
        for sheet in self:
            if not sheet.business:
                sheet.missing = self.env._("Say first whether the customer is still in business.")
                continue
            names = [
                sheet._fields[name]._description_string(self.env)
                for name in TERMS
                if sheet[name] is False
            ]
            if not sheet.court_fee:
                names.append(sheet._fields["court_fee"]._description_string(self.env))
            sheet.missing = False
            if sheet.business == "open" and names:
                sheet.missing = self.env._(
                    "Set your costs first: %s. A way that is not known is not advised.",
                    ", ".join(names),
                )

    @api.depends(
        "amount",
        "business",
        *SHARES,
        "court_fee",
        "lawyer_fee",
        "fee_back",
        "court_months",
        "agency_months",
        "plan_months",
        "insured_amount",
        "insurance_months",
    )
    def _compute_best(self):
        for sheet in self:
            best = sheet._get_ways()[0] if sheet.business else None
            sheet.best = best and best.option
            sheet.best_value = sheet.currency_id.round(best.value) if best else 0

    @api.depends("best", "best_value", "decision", "missing")
    @api.depends_context("lang")
    def _compute_comparison(self):
        names = dict(self._fields["best"]._description_selection(self.env))
        for sheet in self:
            sheet.comparison = self.env["ir.qweb"]._render(
                "ar_collections.legal_comparison",
                {
                    "sheet": sheet,
                    "ways": sheet._get_ways(),
                    "names": names,
                    "money": lambda amount, sheet=sheet: format_amount(
                        self.env, amount, sheet.currency_id or self.env.company.currency_id
                    ),
                },
            )

    def _get_number_date(self):
        # EXTENDS ar_collections: nothing is decided yet
        return self.company_id._ar_today()

    def write(self, vals):
        if not self.env.su and any(sheet.state == "decided" for sheet in self):
            raise UserError(self.env._("What was decided stays as it is: make a new sheet."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(sheet.state == "decided" for sheet in self):
            raise UserError(self.env._("A decision is kept with the case."))

    def action_decide(self):
        """Keep the decision with its figures, who took it and when, and tell the case."""
        self.check_access("write")
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager decides whether to sue."))
        names = dict(self._fields["decision"]._description_selection(self.env))
        for sheet in self:
            if sheet.state != "draft":
                raise UserError(self.env._("%s is decided already.", sheet.name))
            if not sheet.decision:
                raise UserError(self.env._("Choose the way to go."))
            if not sheet.business:
                raise UserError(sheet.missing)
            if sheet.decision != sheet.best and not (sheet.reason or "").strip():
                raise UserError(
                    self.env._("Write down why you do not take the way that is worth most.")
                )
            sheet.sudo().write(
                {
                    "state": "decided",
                    "decided_by_id": self.env.uid,
                    "date": sheet.company_id._ar_today(),
                }
            )
            sheet.case_id.message_post(
                body=self.env._(
                    "Decided: %(decision)s (%(sheet)s)",
                    decision=names[sheet.decision],
                    sheet=sheet._get_html_link(),
                ),
                subtype_xmlid="mail.mt_note",
            )

    def action_placement(self):
        """Draft the placement that was decided on."""
        self.ensure_one()
        if self.state != "decided" or self.decision not in PLACEMENTS:
            raise UserError(self.env._("Nothing was decided that needs an agency or lawyer."))
        placement = self.env["ar.placement"].create(
            {
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "kind": PLACEMENTS[self.decision],
                "commission_rate": self.commission if self.decision == "agency" else 0,
            }
        )
        return placement._get_records_action()
