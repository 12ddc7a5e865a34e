from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

# So soon somebody finds out until when the claim has to be filed.
DAYS_TO_FIND_OUT = 7


class ArInsolvency(models.Model):
    """Proceedings over a customer who cannot pay: nobody is dunned, the claim is filed in time."""

    _name = "ar.insolvency"
    _inherit = ["ar.numbered.mixin", "ar.case.record", "mail.activity.mixin"]
    _description = "Insolvency"
    _order = "id desc"
    _number_prefix = "IN"
    _creation_fields = ("partner_id", "company_id", "case_id", "currency_id", "date_opened")

    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        default="open",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
        copy=False,
    )
    kind = fields.Selection(
        [
            ("liquidation", "Liquidation"),
            ("reorganisation", "Reorganisation"),
            ("closed", "Closed down without proceedings"),
        ],
        default="liquidation",
        required=True,
        tracking=True,
    )
    date_opened = fields.Date(
        string="Opened On",
        required=True,
        readonly=True,
        default=lambda self: self.env.company.root_id._ar_today(),
        tracking=True,
        help="The claims are kept as they were at the end of this day.",
    )
    court = fields.Char(tracking=True)
    reference = fields.Char(string="Court Reference", tracking=True)
    administrator_id = fields.Many2one(
        "res.partner", index="btree_not_null", ondelete="restrict", tracking=True
    )
    filing_deadline = fields.Date(tracking=True, help="Until then the claim has to be filed.")
    date_filed = fields.Date(string="Claim Filed On", tracking=True)
    date_closed = fields.Date(string="Closed On", readonly=True, copy=False)
    item_ids = fields.One2many(
        "ar.insolvency.item", "insolvency_id", string="Claims", readonly=True
    )
    amount = fields.Monetary(
        string="Claim", compute="_compute_amount", store=True, help="In company currency."
    )

    _one_open = models.UniqueIndex(
        "(partner_id, company_id) WHERE state = 'open'",
        "An insolvency of the customer is open already.",
    )
    _filed = models.Constraint(
        "CHECK(date_filed IS NULL OR date_filed >= date_opened)",
        "A claim is filed after the proceedings were opened.",
    )

    @api.depends("item_ids.residual")
    def _compute_amount(self):
        for insolvency in self:
            insolvency.amount = sum(insolvency.item_ids.mapped("residual"))

    @api.constrains("date_opened")
    def _check_date_opened(self):
        for insolvency in self:
            if insolvency.date_opened > insolvency.company_id._ar_today():
                raise UserError(self.env._("The proceedings cannot have been opened in future."))

    @api.model_create_multi
    def create(self, vals_list):
        insolvencies = super().create(vals_list)
        for insolvency in insolvencies:
            insolvency.sudo()._take_claims()
            insolvency.sudo()._hold_credit()
            insolvency.sudo()._call_off_contacts()
            insolvency.sudo()._call_off_agency()
            insolvency._remind()
            if insolvency.case_id:
                insolvency.sudo().case_id.message_post(
                    body=self.env._(
                        "Insolvent, no reminders and charges any more: %s",
                        insolvency._get_html_link(),
                    ),
                    subtype_xmlid="mail.mt_note",
                )
            insolvency.sudo()._end_agreements()
        return insolvencies

    def write(self, vals):
        if not self.env.su and any(insolvency.state == "closed" for insolvency in self):
            raise UserError(self.env._("Closed proceedings stay as they are."))
        result = super().write(vals)
        if not vals.keys().isdisjoint(("date_filed", "filing_deadline")):
            for insolvency in self:
                insolvency._remind()
        return result

    def _hold_credit(self):
        """Hold by hand: what a stage or rule has set would be lifted by a payment."""
        self.file_id.filtered(lambda file: file.hold_cause != "manual")._lift_hold()
        self.file_id._set_hold(self.env._("Insolvent (%s)", self.name), self.company_id._ar_today())

    def _call_off_contacts(self):
        """Calls, letters and messages that were planned: nobody asks for anything any more."""
        cases = self.file_id.case_ids.filtered(lambda case: case.state != "closed")
        cases.action_ids.filtered(lambda action: action.state in ("planned", "failed"))._cancel()

    def _call_off_agency(self):
        """Somebody tells the agency that it may not ask any more; a lawyer may go on."""
        placements = self.env["ar.placement"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("partner_id", "=", self.partner_id.id),
                ("state", "=", "placed"),
                ("kind", "=", "agency"),
            ]
        )
        for placement in placements:
            people = placement.user_id | self.company_id._ar_credit_manager(self.file_id)
            placement.activity_schedule(
                "mail.mail_activity_data_todo",
                self.company_id._ar_today(),
                summary=self.env._("The customer is insolvent: take the claim back"),
                user_id=people._ar_or_next(self.company_id).id or self.env.uid,
            )

    def _end_agreements(self):
        """Promises and plans end: the customer may pay nobody by itself, so none of them is broken,
        and no settlement comes into effect. What is open of them is in the claim."""
        promises = self.file_id.promise_ids.filtered(lambda promise: promise.state == "open")
        plans = self.file_id.plan_ids.filtered(lambda plan: plan.state in ("proposed", "accepted"))
        promises._give_up()
        plans._give_up()
        for plan in plans:
            plan.message_post(
                body=self.env._("Ended, as the customer is insolvent: %s", self._get_html_link()),
                subtype_xmlid="mail.mt_note",
            )
        if ended := [*plans.mapped("display_name"), *promises.mapped("display_name")]:
            (self.case_id or self.file_id).message_post(
                body=self.env._("Ended, as the customer is insolvent: %s", "; ".join(ended)),
                subtype_xmlid="mail.mt_note",
            )

    @api.model
    def _get_open_insolvencies(self, company, partners):
        """Of customers of a root company or a branch, sudoed; who writes need not see them."""
        return self.sudo().search(
            [
                ("company_id", "=", company.root_id.id),
                ("partner_id", "in", partners.commercial_partner_id.ids),
                ("state", "=", "open"),
            ]
        )

    @api.model
    def _get_warning(self, model, ids):
        """What whoever writes about records has to know; empty when nobody of them is insolvent.

        :param model: name of the model of the records
        """
        records = self.env[model or self._name].browse(ids).exists()
        field = records._fields.get("partner_id")
        if model != "res.partner" and (not field or field.comodel_name != "res.partner"):
            return ""
        partners = records if model == "res.partner" else records.partner_id
        companies = self.env.companies
        if model != "res.partner" and "company_id" in records:
            companies = records.company_id or companies
        found = self.sudo().browse()
        for company in companies.root_id:
            found |= self._get_open_insolvencies(company, partners)
        return found._describe_warning()

    def _describe_warning(self):
        """What whoever writes to these customers has to know; empty without insolvencies."""
        if not self:
            return ""
        return self.env._(
            "%s: insolvent. Do not ask for payment; the claim is filed with the administrator.",
            ", ".join(self.partner_id.mapped("display_name")),
        )

    def _take_claims(self):
        """All that was open at the end of the day of opening, as it was then."""
        company, date = self.company_id, self.date_opened
        items = self.env["ar.position"]._items(company, date, self.partner_id)
        items = items.get((company.id, self.partner_id.id), ())
        lines = self.env["account.move.line"].browse(item.line_id for item in items)
        self.env["ar.insolvency.item"].create(
            [
                {
                    "insolvency_id": self.id,
                    "company_id": company.id,
                    "move_line_id": line.id,
                    "name": line.move_id.name,
                    "date": line.date,
                    "due_date": item.due,
                    "residual": item.residual,
                    "residual_currency": item.residual_currency,
                    "currency_id": item.currency_id,
                }
                for item, line in zip(items, lines, strict=True)
            ]
        )

    def _remind(self):
        """One activity for who looks after it: to file the claim, or to find out until when."""
        self.activity_unlink(["ar_collections.activity_insolvency"])
        if self.state != "open" or self.date_filed:
            return
        today = self.company_id._ar_today()
        people = self.company_id._ar_credit_manager(self.file_id) or self.user_id
        self.activity_schedule(
            "ar_collections.activity_insolvency",
            self.filing_deadline or today + timedelta(days=DAYS_TO_FIND_OUT),
            summary=self.env._("File the claim")
            if self.filing_deadline
            else self.env._("Find out until when the claim has to be filed"),
            user_id=people[:1].id or self.env.uid,
        )

    def _get_number_date(self):
        # EXTENDS ar_collections
        return self.date_opened

    def action_close(self):
        """The proceedings are over: what is still open is decided on, and dunning may go on."""
        self.check_access("write")
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager closes an insolvency."))
        self.sudo()._close()

    def _close(self):
        for insolvency in self.filtered(lambda each: each.state == "open"):
            insolvency.write({"state": "closed", "date_closed": insolvency.company_id._ar_today()})
            insolvency._remind()


class ArInsolvencyItem(models.Model):
    """A claim, as it was on the day on which the proceedings were opened."""

    _name = "ar.insolvency.item"
    _inherit = "ar.item.copy"
    _description = "Insolvency Claim"

    insolvency_id = fields.Many2one(
        "ar.insolvency", required=True, readonly=True, index=True, ondelete="cascade"
    )
