from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, formatLang

from .credit_score import Band
from .credit_statement import RATIO_LABELS

CRITERION_KINDS = [
    ("metric", "Figure of the ledger"),
    ("number", "Number entered"),
    ("rating", "Manual rating"),
    ("external", "External rating"),
]
# The answer is one of the bands instead of a number.
CHOICES = ("rating", "external")
ASPECTS = [("ability", "Ability"), ("willingness", "Willingness")]
# What is overdue is late already: the first four count it with its days so far.
METRICS = [
    ("avg_days_late", "Average days late, by amount"),
    ("on_time_share", "Share of items paid on time"),
    ("late_count", "Times late"),
    ("max_days_late", "Worst delay in days"),
    ("avg_days_early", "Average days early, by amount"),
    ("arrears_days", "Days overdue now, of the oldest item"),
    ("arrears_mean_days", "Days overdue now, by amount"),
    ("arrears_share", "Overdue share of the balance"),
    ("hold", "On credit hold: 1, else 0"),
    ("broken_promises", "Broken promises"),
    ("limit_use", "Share of the limit in use"),
    ("sales_trend", "Trend of sales"),
]
# Nothing of the customer was ever settled: no figure of its payments means anything.
NOTHING_SETTLED = SQL("COALESCE(file.late_count, 0) = 0 AND COALESCE(file.on_time_share, 0) = 0")
# Nothing was settled and nothing is late: nobody knows yet how the customer pays.
NOTHING_KNOWN = SQL("%s AND COALESCE(file.arrears_count, 0) = 0", NOTHING_SETTLED)


class Metric(NamedTuple):
    """A figure of the ledger that a criterion looks at.

    A module adds one by a value of ``metric`` of the criterion (``selection_add``) and a method
    ``_metric_<value>`` of it that returns this.
    """

    # A stored field of the credit file, or SQL over the table ``file``; NULL is unknown.
    figure: object
    # SQL over ``file``: the condition under which there is no data behind the figure.
    unknown_when: SQL = NOTHING_KNOWN
    # What is counted, in the language of the user, such as days.
    unit: str = ""
    # Shown in percent.
    is_share: bool = False

    @property
    def sql(self):
        """The figure, NULL when it is unknown."""
        figure = self.figure
        if isinstance(figure, str):
            figure = SQL("COALESCE(%s, 0)", SQL.identifier("file", figure))
        return SQL(
            "CASE WHEN COALESCE(%s, FALSE) THEN NULL ELSE (%s)::float8 END",
            self.unknown_when,
            figure,
        )


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
        CRITERION_KINDS,
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
    ratio = fields.Selection(
        RATIO_LABELS,
        string="From the Financial Statement",
        help="Taken from the latest statement of the customer, as long as it is valid; where there "
        "is none, whoever fills in a review enters it.",
    )
    by_visit = fields.Boolean(
        string="Rated by Visits",
        help="Whoever visits the customer chooses one of the options; the last visit counts, as "
        "long as it is valid.",
    )
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
            metric = criterion._get_metric()
            criterion.is_share = bool(metric and metric.is_share)

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

    # Figures of the ledger, found by name

    def _get_metric(self):
        """The :class:`Metric` of the criterion; ``None`` when it has none, or none known here."""
        self.ensure_one()
        if self.kind != "metric" or not self.metric:
            return None
        # The module that brought the figure may be gone: what it measured is unknown then.
        provide = getattr(self, f"_metric_{self.metric}", None)
        return provide() if provide else None

    def _read_metrics(self, files):
        """The known figures of the credit files, by one statement for all.

        :param self: the criteria that ask for them
        :return: ``{file id: {metric: value or None}}``
        """
        metrics = {
            criterion.metric: metric for criterion in self if (metric := criterion._get_metric())
        }
        if not metrics or not files:
            return {id_: {} for id_ in files.ids}
        # A module reads what it likes.
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT file.id, %s FROM ar_credit_file file WHERE file.id IN %s",
                SQL(", ").join(metric.sql for metric in metrics.values()),
                tuple(files.ids),
            )
        )
        return {id_: dict(zip(metrics, values, strict=True)) for id_, *values in rows}

    def _get_known(self, files, date):
        """What records of their own say about criteria that are entered otherwise.

        A hook: another wing adds what it knows.

        :param self: the criteria of the cards
        :return: ``{(file id, criterion id): (value, band id, Source)}``, as far as known
        """
        ratios = self.env["ar.credit.statement"]._get_latest_ratios(files, date)
        return self.env["ar.credit.outlook"]._get_latest_outlooks(files, date) | {
            (file_id, criterion.id): found
            for criterion in self
            if criterion.kind == "number" and criterion.ratio
            for (file_id, ratio), found in ratios.items()
            if ratio == criterion.ratio
        }

    @api.model
    def _metric_avg_days_late(self):
        return Metric(
            SQL(
                """
                CASE WHEN COALESCE(file.arrears_amount, 0) <= 0 THEN COALESCE(file.avg_days_late, 0)
                     ELSE (COALESCE(file.avg_days_late, 0) * COALESCE(file.settled_amount, 0)
                           + file.arrears_mean_days * file.arrears_amount)
                          / (COALESCE(file.settled_amount, 0) + file.arrears_amount) END
                """
            ),
            unit=self.env._("days"),
        )

    @api.model
    def _metric_on_time_share(self):
        return Metric(
            SQL(
                """
                CASE WHEN COALESCE(file.arrears_count, 0) = 0 THEN COALESCE(file.on_time_share, 0)
                     ELSE COALESCE(file.on_time_share, 0) * COALESCE(file.settled_count, 0)
                          / (COALESCE(file.settled_count, 0) + file.arrears_count) END
                """
            ),
            is_share=True,
        )

    @api.model
    def _metric_late_count(self):
        return Metric(SQL("COALESCE(file.late_count, 0) + COALESCE(file.arrears_count, 0)"))

    @api.model
    def _metric_max_days_late(self):
        return Metric(
            SQL("GREATEST(file.max_days_late, file.arrears_days, 0)"), unit=self.env._("days")
        )

    @api.model
    def _metric_avg_days_early(self):
        return Metric("avg_days_early", NOTHING_SETTLED, unit=self.env._("days"))

    @api.model
    def _metric_arrears_days(self):
        return Metric("arrears_days", unit=self.env._("days"))

    @api.model
    def _metric_arrears_mean_days(self):
        return Metric("arrears_mean_days", unit=self.env._("days"))

    @api.model
    def _metric_arrears_share(self):
        return Metric(
            SQL(
                """
                CASE WHEN COALESCE(file.arrears_amount, 0) <= 0 THEN 0
                     ELSE file.arrears_amount
                          / GREATEST(file.open_amount, file.arrears_amount) END
                """
            ),
            is_share=True,
        )

    @api.model
    def _metric_hold(self):
        return Metric(
            SQL("COALESCE(file.hold, FALSE)::int"),
            SQL("file.hold IS NOT TRUE AND %s", NOTHING_KNOWN),
        )

    @api.model
    def _metric_broken_promises(self):
        return Metric(
            "broken_promises",
            SQL("COALESCE(file.broken_promises, 0) = 0 AND %s", NOTHING_KNOWN),
        )

    @api.model
    def _metric_limit_use(self):
        return Metric("limit_use", SQL("file.is_limited IS NOT TRUE"), is_share=True)

    @api.model
    def _metric_sales_trend(self):
        # Exactly zero is what the position says without older sales to compare with.
        return Metric("sales_trend", SQL("COALESCE(file.sales_trend, 0) = 0"), is_share=True)

    # The card

    @api.model
    def _get_card_criteria(self, company):
        """The criteria that count in a root company."""
        return self.search([("company_id", "in", (company.id, False))])

    def _get_bands(self):
        """The bands as the pure score takes them."""
        return tuple(Band(band.id, band.value_from, band.points) for band in self.band_ids)

    def _get_bands_by_label(self):
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

    def _format_value(self, value):
        """The number as one reads it, with its unit."""
        self.ensure_one()
        if self.is_share:
            return self.env._("%s %%", formatLang(self.env, 100 * value, digits=1))
        unit = self.unit
        if self.kind == "metric":
            metric = self._get_metric()
            unit = metric and metric.unit
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
                    "from %(value)s", value=criterion._format_value(band.value_from)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_keep_one(self):
        for criterion in self.criterion_id:
            if criterion.active and not criterion.band_ids - self:
                raise ValidationError(
                    self.env._("“%s” needs at least one band with its points.", criterion.name)
                )
