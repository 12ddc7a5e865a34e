from odoo import api, fields, models


class ArCreditDocumentType(models.Model):
    """A document that credit reviews ask for."""

    _name = "ar.credit.document.type"
    _description = "Document of Credit Reviews"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies.",
    )
    required = fields.Boolean(help="A review is not submitted without it.")
    limit_from = fields.Float(
        string="Required from a Limit of",
        help="Zero for always. Of a document for all companies: in the currency of the first one.",
    )

    _limit_from = models.Constraint("CHECK(limit_from >= 0)", "A limit cannot be negative.")


class ArCreditReviewDocument(models.Model):
    """One document on the checklist of a credit review."""

    _name = "ar.credit.review.document"
    _inherit = "ar.readonly.mixin"
    _description = "Document on the Checklist of a Credit Review"
    _order = "review_id, sequence, id"
    _rec_name = "type_id"

    review_id = fields.Many2one(
        "ar.credit.review", required=True, readonly=True, index=True, ondelete="cascade"
    )
    type_id = fields.Many2one(
        "ar.credit.document.type",
        string="Supporting Document",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    sequence = fields.Integer(readonly=True)
    required = fields.Boolean(compute="_compute_required", store=True)
    attachment_ids = fields.Many2many("ir.attachment", string="Files", bypass_search_access=True)
    date_received = fields.Date(string="Received")
    is_missing = fields.Boolean(compute="_compute_is_missing")

    # The type is not among the dependencies: what was submitted stays as it was asked for.
    @api.depends("review_id.limit_amount", "review_id.is_limited")
    def _compute_required(self):
        for document in self:
            review, type_sudo = document.review_id, document.type_id.sudo()
            limit_from = review.company_id._ar_get_amount(
                type_sudo.limit_from, type_sudo.company_id
            )
            document.required = type_sudo.required and (
                not review.is_limited or review.limit_amount >= limit_from
            )

    @api.depends("required", "attachment_ids")
    def _compute_is_missing(self):
        for document in self:
            document.is_missing = document.required and not document.attachment_ids

    def write(self, vals):
        result = super().write(vals)
        if vals.get("attachment_ids"):
            self._adopt_attachments()
        return result

    def _adopt_attachments(self):
        """Uploads belong to the document, so that who reads the review can open them."""
        for document in self:
            document.attachment_ids.sudo().filtered(
                lambda file: not file.res_id and file.create_uid == self.env.user
            ).write({"res_model": self._name, "res_id": document.id})
            if document.attachment_ids and not document.date_received:
                document.date_received = document.review_id.company_id._ar_today()

    def _refresh_documents(self, reviews):
        """Put the documents of the company on the checklists of the reviews.

        :param self: all documents of the reviews
        """
        former = {(document.review_id, document.type_id) for document in self}
        types = self.env["ar.credit.document.type"]
        new = []
        for company, company_reviews in reviews.grouped("company_id").items():
            wanted = types.search([("company_id", "in", (company.id, False))])
            new += [
                {"review_id": review.id, "type_id": type_.id, "sequence": type_.sequence}
                for review in company_reviews
                for type_ in wanted
                if (review, type_) not in former
            ]
        self.create(new)
