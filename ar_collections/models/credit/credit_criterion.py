from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import formatLang

from .credit_score import Band

KINDS = [
    ("metric", "Figure of the ledger"),
    ("number", "Number entered"),
    ("rating", "Manual rating"),
    ("external", "External rating"),
]
# The answer is one of the bands instead of a number.
CHOICES = ("rating", "external")
ASPECTS = [("ability", "Ability"), ("willingness", "Willingness")]
# Stored fields of the credit file.
METRICS = [
    ("avg_days_late", "Average days late, by amount"),
    ("on_time_share", "Share of items paid on time"),
    ("late_count", "Times late"),
    ("max_days_late", "Worst delay in days"),
    ("broken_promises", "Broken promises"),
    ("written_off_count", "Times written off"),
    ("limit_use", "Share of the limit in use"),
    ("sales_trend", "Trend of sales"),
]
# Shown in percent.
SHARES = ("on_time_share", "limit_use", "sales_trend")


class ArCreditCriterion(models.Model):
    """One line of the scorecard: what is looked at, how much it weighs, what it is worth."""

    _name = "ar.credit.criterion"
    _description = "Scorecard Criterion"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies.",
    )
    kind = fields.Selection(
        KINDS,
        default="number",
        required=True,
        help="Figures of the ledger are kept by the system. Numbers and manual ratings are "
        "entered in a credit review. External ratings come from a bureau.",
    )
    aspect = fields.Selection(
        ASPECTS,
        default="ability",
        required=True,
        help="What the criterion says of: whether the customer can pay, or wants to.",
    )
    weight = fields.Float(
        default=5, required=True, help="Compared with the weights of the other criteria."
    )
    metric = fields.Selection(METRICS, string="Figure")
    unit = fields.Char(translate=True, help="Of the number, such as years or %.")
    is_share = fields.Boolean(compute="_compute_is_share")
    valid_months = fields.Integer(
        string="Valid for (months)",
        help="How long a value counts that somebody entered or a bureau gave; zero for ever.",
    )
    description = fields.Text(
        string="How to Judge", translate=True, help="Shown to whoever fills in a review."
    )
    band_ids = fields.One2many("ar.credit.criterion.band", "criterion_id", copy=True)

    _weight = models.Constraint("CHECK(weight > 0)", "The weight of a criterion is above zero.")
    _valid_months = models.Constraint(
        "CHECK(valid_months >= 0)", "The months for which a value is valid cannot be negative."
    )

    @api.depends("kind", "metric")
    def _compute_is_share(self):
        for criterion in self:
            criterion.is_share = criterion.kind == "metric" and criterion.metric in SHARES

    @api.constrains("kind", "metric")
    def _check_metric(self):
        for criterion in self:
            if criterion.kind == "metric" and not criterion.metric:
                raise ValidationError(
                    self.env._("Choose the figure of the ledger for “%s”.", criterion.name)
                )

    @api.constrains("active", "kind", "band_ids")
    def _check_bands(self):
        for criterion in self:
            bands = criterion.band_ids
            # Data files create the bands after their criterion.
            if criterion.active and not bands and not self.env.context.get("install_mode"):
                raise ValidationError(
                    self.env._("“%s” needs at least one band with its points.", criterion.name)
                )
            if criterion.kind in CHOICES:
                labels = [(band.name or "").strip().casefold() for band in bands]
                if not all(labels) or len(set(labels)) < len(labels):
                    raise ValidationError(
                        self.env._(
                            "Each option of “%s” has a label of its own to choose it by.",
                            criterion.name,
                        )
                    )
            elif len(set(bands.mapped("value_from"))) < len(bands):
                raise ValidationError(
                    self.env._("Two bands of “%s” start at the same value.", criterion.name)
                )

    @api.model
    def _card(self, company):
        """The criteria that count in a root company."""
        return self.search([("company_id", "in", (company.id, False))])

    def _bands(self):
        """The bands as the pure score takes them."""
        return tuple(Band(band.id, band.value_from, band.points) for band in self.band_ids)

    def _labels(self):
        """The options by their labels in lower case: ``{label: band}``.

        In the language at hand and in English, as bureaus use the codes of their own country.
        """
        self.ensure_one()
        return {
            band.name.strip().casefold(): band
            for bands in (self.band_ids.with_context(lang=None), self.band_ids)
            for band in bands
            if band.name
        }

    def _format(self, value):
        """The number as one reads it, with its unit."""
        self.ensure_one()
        if self.is_share:
            return self.env._("%s %%", formatLang(self.env, 100 * value, digits=1))
        unit = self.unit
        if self.kind == "metric":
            unit = self.metric in ("avg_days_late", "max_days_late") and self.env._("days")
        digits = 0 if float(value).is_integer() else 1 if self.kind == "metric" else 2
        return " ".join(filter(None, (formatLang(self.env, value, digits=digits), unit)))


class ArCreditCriterionBand(models.Model):
    """Points for a range of values, or for one option of a rating."""

    _name = "ar.credit.criterion.band"
    _description = "Band of a Scorecard Criterion"
    _order = "criterion_id, sequence, value_from, id"

    criterion_id = fields.Many2one(
        "ar.credit.criterion", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(
        string="Label", translate=True, help="Of an option to choose, such as AA or Stable."
    )
    value_from = fields.Float(
        string="From",
        help="A number is in the band with the highest start that it reaches. "
        "The lowest band also covers everything below its start.",
    )
    points = fields.Integer(default=50, required=True, help="From 0, the worst, to 100.")

    _points = models.Constraint(
        "CHECK(points BETWEEN 0 AND 100)", "The points of a band are from 0 to 100."
    )

    @api.constrains("criterion_id", "name", "value_from")
    def _check_criterion(self):
        self.criterion_id._check_bands()

    @api.depends("name", "value_from", "criterion_id")
    def _compute_display_name(self):
        for band in self:
            criterion = band.criterion_id
            if band.name or not criterion:
                band.display_name = band.name
            else:
                band.display_name = self.env._(
                    "from %(value)s", value=criterion._format(band.value_from)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_keep_one(self):
        for criterion in self.criterion_id:
            if criterion.active and not criterion.band_ids - self:
                raise ValidationError(
                    self.env._("“%s” needs at least one band with its points.", criterion.name)
                )
