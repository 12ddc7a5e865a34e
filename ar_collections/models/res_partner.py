from odoo import api, fields, models
from odoo.fields import Domain

from .common.optional_float import OptionalFloat
from .credit.credit_grade import RISK_TIERS

COLLECTION_GROUPS = (
    "ar_collections.group_collector,ar_collections.group_auditor,"
    "account.group_account_invoice,account.group_account_readonly"
)
# What is computed of the credit file and its cases; nothing else tells when it changed.
FIGURES = (
    "credit_file_id",
    "credit_grade_id",
    "credit_hold",
    "credit_hold_reason",
    "credit_score",
    "risk_tier",
    "amount_overdue",
    "days_overdue",
    "has_credit_limit",
    "effective_credit_limit",
    "credit_exposure",
    "collection_case_count",
)


class ResPartner(models.Model):
    _inherit = "res.partner"

    credit_file_id = fields.Many2one(
        "ar.credit.file",
        compute="_compute_credit_file",
        search="_search_credit_file_id",
        compute_sudo=True,
        groups=COLLECTION_GROUPS,
    )
    credit_grade_id = fields.Many2one(
        "ar.credit.grade",
        compute="_compute_credit_file",
        inverse="_inverse_credit_grade_id",
        search="_search_credit_grade_id",
        compute_sudo=True,
        groups="base.group_user",
    )
    credit_hold = fields.Boolean(
        compute="_compute_credit_file",
        search="_search_credit_hold",
        compute_sudo=True,
        groups="base.group_user",
    )
    credit_hold_reason = fields.Char(
        compute="_compute_credit_file", compute_sudo=True, groups="base.group_user"
    )
    credit_score = OptionalFloat(
        compute="_compute_credit_file",
        search="_search_credit_score",
        compute_sudo=True,
        groups="base.group_user",
    )
    risk_tier = fields.Selection(
        RISK_TIERS,
        string="Credit Risk",
        compute="_compute_credit_file",
        search="_search_risk_tier",
        compute_sudo=True,
        groups="base.group_user",
    )
    amount_overdue = fields.Monetary(
        string="Overdue",
        compute="_compute_credit_file",
        search="_search_amount_overdue",
        compute_sudo=True,
        groups=COLLECTION_GROUPS,
    )
    days_overdue = fields.Integer(
        compute="_compute_credit_file",
        search="_search_days_overdue",
        compute_sudo=True,
        groups=COLLECTION_GROUPS,
    )
    has_credit_limit = fields.Boolean(
        compute="_compute_credit_file", compute_sudo=True, groups=COLLECTION_GROUPS
    )
    effective_credit_limit = fields.Monetary(
        compute="_compute_credit_file", compute_sudo=True, groups=COLLECTION_GROUPS
    )
    credit_exposure = fields.Monetary(
        compute="_compute_credit_file", compute_sudo=True, groups=COLLECTION_GROUPS
    )
    collection_case_count = fields.Integer(
        compute="_compute_collection_case_count", compute_sudo=True, groups=COLLECTION_GROUPS
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_credit_file(self):
        company = self.env.company.root_id
        customers = self.commercial_partner_id
        files = {
            file.partner_id.id: file
            for file in self.env["ar.credit.file"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", customers.ids),
                    ("company_id", "=", company.id),
                ]
            )
        }
        empty = self.env["ar.credit.file"].sudo()
        for partner in self:
            file = files.get(partner.commercial_partner_id._origin.id, empty)
            partner.credit_file_id = file
            partner.credit_grade_id = file.grade_id
            partner.credit_hold = file.hold
            partner.credit_hold_reason = file.hold and file.hold_reason
            partner.credit_score = file.score
            partner.risk_tier = file.risk_tier
            partner.amount_overdue = file.overdue_amount
            partner.days_overdue = file.days_overdue
            partner.has_credit_limit = file.is_limited
            partner.effective_credit_limit = file.effective_limit
            partner.credit_exposure = file.exposure

    def write(self, vals):
        # EXTENDS account: who gets a parent company, or leaves it, belongs to another customer
        if vals.keys().isdisjoint(("parent_id", "is_company")):
            return super().write(vals)
        contacts = (
            self.sudo().with_context(active_test=False).search([("id", "child_of", self.ids)])
        )
        former = {contact: contact.commercial_partner_id for contact in contacts}
        result = super().write(vals)
        self.env["ar.customer.merge"].sudo()._follow_contacts(former)
        return result

    def _inverse_credit_grade_id(self):
        # compute_sudo makes the inverse sudo too; the file checks who may grade.
        files = self.env["ar.credit.file"].sudo(False)
        for partner in self:
            file = files._get_file(partner, self.env.company, create=bool(partner.credit_grade_id))
            if file.grade_id != partner.credit_grade_id:
                file.grade_id = partner.credit_grade_id

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_collection_case_count(self):
        counts = dict(
            self.env["ar.collection.case"]._read_group(
                [
                    ("partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "in", self.env.companies.root_id.ids),
                    ("state", "!=", "closed"),
                ],
                ["partner_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.collection_case_count = counts.get(partner.commercial_partner_id, 0)

    def _search_in_file(self, field, name, operator, value):
        """Customers by a field of their credit file; without a file it is empty.

        :param field: of the customer
        :param name: of the credit file
        """
        # A search method runs whoever asks: what cannot be read must not be guessed either.
        self._check_field_access(self._fields[field], "read")
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        domain = Domain(name, operator, value)
        company = Domain("company_id", "=", self.env.company.root_id.id)
        files = self.env["ar.credit.file"].sudo()
        found = Domain(
            "commercial_partner_id",
            "in",
            files._search(company & domain).subselect(
                files._field_to_sql(files._table, "partner_id")
            ),
        )
        if not files.new({"grade_id": False}).filtered_domain(domain):
            return found
        known = files._search(company).subselect(files._field_to_sql(files._table, "partner_id"))
        return found | Domain("commercial_partner_id", "not in", known)

    def _search_credit_file_id(self, operator, value):
        return self._search_in_file("credit_file_id", "id", operator, value)

    def _search_credit_grade_id(self, operator, value):
        return self._search_in_file("credit_grade_id", "grade_id", operator, value)

    def _search_credit_hold(self, operator, value):
        return self._search_in_file("credit_hold", "hold", operator, value)

    def _search_credit_score(self, operator, value):
        return self._search_in_file("credit_score", "score", operator, value)

    def _search_risk_tier(self, operator, value):
        return self._search_in_file("risk_tier", "risk_tier", operator, value)

    def _search_amount_overdue(self, operator, value):
        return self._search_in_file("amount_overdue", "overdue_amount", operator, value)

    def _search_days_overdue(self, operator, value):
        return self._search_in_file("days_overdue", "days_overdue", operator, value)

    # Screens

    def action_open_credit_file(self):
        self.ensure_one()
        file = self.env["ar.credit.file"]._get_file(self, self.env.company, create=True)
        return file._get_records_action()

    @api.readonly
    def action_open_collection_cases(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_collection_case_action"
        )
        cases = self.env["ar.collection.case"].search(
            [
                ("partner_id", "=", self.commercial_partner_id.id),
                ("state", "!=", "closed"),
            ]
        )
        action["domain"] = [("partner_id", "=", self.commercial_partner_id.id)]
        action["context"] = {}
        if len(cases) == 1:
            action.update(view_mode="form", views=[(False, "form")], res_id=cases.id)
        return action

    @api.readonly
    def action_statement(self):
        """Print or send the statement of account of this customer."""
        return self.env["ar.credit.file"]._get_file(self, self.env.company).action_statement()

    @api.readonly
    def action_open_receivable_items(self):
        self.ensure_one()
        return self._ar_action_open_items(self.env.company.root_id)
