from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount


class ArCreditApplication(models.Model):
    """Somebody asks for credit: who, how much, who knows them. It opens the first review."""

    _name = "ar.credit.application"
    _inherit = ["ar.numbered.mixin", "ar.state.mixin", "ar.readonly.mixin", "mail.thread"]
    _description = "Credit Application"
    _order = "date desc, id desc"
    _check_company_auto = True
    _number_prefix = "CA"

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("parent_id", "=", False)],
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    state = fields.Selection(
        [("draft", "Draft"), ("submitted", "Submitted"), ("cancelled", "Cancelled")],
        default="draft",
        required=True,
        readonly=True,
        tracking=True,
        copy=False,
    )
    date = fields.Date(
        required=True, readonly=True, default=lambda self: self.env.company._ar_today()
    )
    applicant = fields.Char(string="Who Applies", required=True, help="Name and position.")
    email = fields.Char()
    phone = fields.Char()
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id
    )
    amount = fields.Monetary(string="Credit Asked For", required=True, tracking=True)
    term_days = fields.Integer(string="Payment Term Asked For (days)")
    note = fields.Text(string="What For")
    reference_ids = fields.One2many("ar.credit.reference", "application_id", string="References")
    attachment_ids = fields.Many2many(
        "ir.attachment",
        string="Financial Statements and Other Papers",
        bypass_search_access=True,
        copy=False,
    )
    is_from_portal = fields.Boolean(string="From the Portal", readonly=True, copy=False)
    review_id = fields.Many2one(
        "ar.credit.review", string="Credit Review", readonly=True, copy=False, index=True
    )
    review_state = fields.Selection(related="review_id.state", string="Review")

    _positive = models.Constraint(
        "CHECK(amount > 0 AND term_days >= 0)",
        "An application is for an amount above zero; the days of its term are not negative.",
    )

    @api.constrains("partner_id", "company_id")
    def _check_root(self):
        for application in self:
            if application.partner_id != application.partner_id.commercial_partner_id:
                raise UserError(
                    self.env._(
                        "%(contact)s is a contact: %(customer)s applies for credit.",
                        contact=application.partner_id.display_name,
                        customer=application.partner_id.commercial_partner_id.display_name,
                    )
                )
            if application.company_id.parent_id:
                raise UserError(
                    self.env._("Credit is asked for of %s.", application.company_id.root_id.name)
                )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        applications = super().create(vals_list)
        applications._adopt_papers()
        return applications

    def write(self, vals):
        # What references say comes in later.
        if not self.env.su and vals.keys() - {"reference_ids"}:
            self._check_state("draft")
        result = super().write(vals)
        if vals.get("attachment_ids"):
            self._adopt_papers()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        self._check_state("draft", "cancelled")

    def _adopt_papers(self):
        """Uploads belong to the application, so that whoever reads it can open them."""
        for application in self:
            application.attachment_ids.sudo().filtered(
                lambda file: not file.res_id and file.create_uid == self.env.user
            ).write({"res_model": self._name, "res_id": application.id})

    # Actions

    def action_submit(self):
        """Open the customer's review with what is asked for, or tell the one under way."""
        self.check_access("write")
        self._check_state("draft")
        for application in self:
            review = application._open_review()
            if not self.env.su:
                # Whoever hands it in asks, and does not decide.
                review.sudo().proposer_ids = [Command.link(self.env.uid)]
            application.sudo().write({"state": "submitted", "review_id": review.id})
        return True

    def action_cancel(self):
        self.check_access("write")
        self._check_state("draft")
        self.sudo().state = "cancelled"
        return True

    @api.readonly
    def action_open_review(self):
        self.ensure_one()
        return self.review_id._get_records_action()

    def _open_review(self):
        application = self.sudo()
        file = application.env["ar.credit.file"]._get_file(
            application.partner_id, application.company_id, create=True
        )
        note = application._describe()
        reviews = application.env["ar.credit.review"]
        review = reviews._open_for(file, "application", note, application.company_id._ar_today())
        if not review:
            return file._get_open_review()
        company_currency = application.company_id.currency_id
        limit = {"limit_amount": application.amount}
        if application.currency_id != company_currency:
            limit = {
                "limit_currency_id": application.currency_id.id,
                "limit_in_currency": application.amount,
            }
        review.sudo().write({"limit_mode": "custom", **limit})
        return review

    def _describe(self):
        """The application in words, for the assessment of the review."""
        asked = format_amount(self.env, self.amount, self.currency_id)
        lines = [
            self.env._(
                "%(application)s: %(applicant)s asks for %(amount)s.",
                application=self.name,
                applicant=self.applicant,
                amount=asked,
            )
        ]
        if self.term_days:
            lines.append(self.env._("Payment term: %s days.", self.term_days))
        if self.note:
            lines.append(self.note)
        lines += [
            self.env._("Reference: %s", reference._describe()) for reference in self.reference_ids
        ]
        if self.attachment_ids:
            lines.append(self.env._("Papers: %s", ", ".join(self.attachment_ids.mapped("name"))))
        return "\n".join(lines)


class ArCreditReference(models.Model):
    """Another supplier, or a bank, who knows the applicant, and what they said when asked."""

    _name = "ar.credit.reference"
    _description = "Reference of a Credit Application"
    _order = "application_id, id"

    application_id = fields.Many2one(
        "ar.credit.application", required=True, index=True, ondelete="cascade"
    )
    name = fields.Char(string="Firm", required=True)
    contact = fields.Char(help="Whom to ask, by phone or e-mail.")
    answer = fields.Char(help="What they said: since when, how much, how punctual.")

    def _describe(self):
        return ", ".join(filter(None, (self.name, self.contact, self.answer)))
