from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .credit_score import Source


class ArCreditRating(models.Model):
    """What a bureau says of a customer: the latest valid one counts in the score."""

    _name = "ar.credit.rating"
    _description = "External Rating"
    _order = "date desc, id desc"
    _rec_name = "rating"

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
    criterion_id = fields.Many2one(
        "ar.credit.criterion",
        required=True,
        index=True,
        ondelete="restrict",
        domain="[('kind', '=', 'external'), ('company_id', 'in', (company_id, False))]",
        default=lambda self: self._default_criterion(),
    )
    rating = fields.Char(required=True, help="One of the labels of the criterion, such as AA.")
    band_id = fields.Many2one(
        "ar.credit.criterion.band",
        compute="_compute_band_id",
        store=True,
        ondelete="restrict",
    )
    points = fields.Integer(related="band_id.points", aggregator="avg")
    date = fields.Date(required=True, default=lambda self: self.env.company._ar_today())
    valid_until = fields.Date()
    source = fields.Char(help="The bureau.")
    reference = fields.Char(help="The number of the bureau's report.")

    _dates = models.Constraint(
        "CHECK(valid_until >= date)", "A rating is valid from its date on, not until before it."
    )

    @api.model
    def _default_criterion(self):
        """The external criterion of the card, when there is just one."""
        criteria = self.env["ar.credit.criterion"].search(
            [
                ("kind", "=", "external"),
                ("company_id", "in", (self.env.company.root_id.id, False)),
            ],
            limit=2,
        )
        return criteria if len(criteria) == 1 else criteria.browse()

    @api.depends("rating", "criterion_id")
    def _compute_band_id(self):
        labels = {criterion: criterion._get_bands_by_label() for criterion in self.criterion_id}
        for rating in self:
            text = (rating.rating or "").strip().casefold()
            rating.band_id = labels.get(rating.criterion_id, {}).get(text)

    @api.constrains("rating", "criterion_id")
    def _check_rating(self):
        for rating in self:
            criterion = rating.criterion_id
            if criterion.kind != "external":
                raise ValidationError(self.env._("“%s” is not rated by a bureau.", criterion.name))
            if not rating.band_id:
                raise ValidationError(
                    self.env._(
                        "%(rating)s is not a rating of “%(criterion)s”, which are: %(ratings)s.",
                        rating=rating.rating,
                        criterion=criterion.name,
                        ratings=", ".join(criterion.band_ids.mapped("name")),
                    )
                )

    @api.constrains("partner_id", "company_id")
    def _check_root(self):
        for rating in self:
            if rating.partner_id != rating.partner_id.commercial_partner_id:
                raise ValidationError(
                    self.env._(
                        "%(contact)s is a contact: the rating belongs to %(customer)s.",
                        contact=rating.partner_id.display_name,
                        customer=rating.partner_id.commercial_partner_id.display_name,
                    )
                )
            if rating.company_id.parent_id:
                raise ValidationError(
                    self.env._(
                        "%(branch)s is a branch: the rating belongs to %(company)s.",
                        branch=rating.company_id.display_name,
                        company=rating.company_id.root_id.display_name,
                    )
                )

    @api.readonly
    @api.model
    def get_import_templates(self):
        """The file to start an import from."""
        return [
            {
                "label": self.env._("Import Template for External Ratings"),
                "template": "/ar_collections/static/xls/ar_credit_rating.csv",
            }
        ]

    @api.model
    def _get_latest_ratings(self, files, date):
        """The rating that counts, of each customer and criterion.

        :return: ``{(company id, partner id, criterion id): (None, band id, Source)}``
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT DISTINCT ON (company_id, partner_id, criterion_id)
                   company_id, partner_id, criterion_id, band_id, date, source
              FROM ar_credit_rating
             WHERE company_id IN %(companies)s AND partner_id IN %(partners)s
               AND date <= %(date)s AND (valid_until IS NULL OR valid_until >= %(date)s)
             ORDER BY company_id, partner_id, criterion_id, ar_credit_rating.date DESC, id DESC
            """,
                companies=tuple(files.company_id.ids) or (0,),
                partners=tuple(files.partner_id.ids) or (0,),
                date=date,
            )
        )
        return {
            (company_id, partner_id, criterion_id): (None, band_id, Source("bureau", given, source))
            for company_id, partner_id, criterion_id, band_id, given, source in rows
        }
