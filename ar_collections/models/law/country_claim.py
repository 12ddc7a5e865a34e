import json

from odoo import api, fields, models

# What a pack speaks of, and the fields that say it.
TOPICS = {
    "limitation": ("limitation_years", "limitation_from"),
    "instalments": ("limitation_by_debt",),
    "restart": ("demand_restarts", "payment_restarts", "promise_restarts", "revived_by"),
    "lawsuit": ("lawsuit_effect", "lawsuit_months"),
    "longest": ("limitation_longest",),
    "enforcement": ("enforcement_years",),
    "interest": ("rate_name", "interest_points", "interest_share", "interest_fixed"),
    "rates": ("rate_ids",),
    "day_count": ("day_count",),
    "lump_sum": ("lump_sum", "lump_sum_currency_id"),
    "weekend": ("due_on_working_day",),
    "term": ("longest_term", "term_note"),
    "hours": ("contact_from", "contact_to"),
    "tax": ("tax_relief",),
    "papers": ("papers",),
    "provision": ("provision",),
    "demand": ("demand_text",),
}


class ArCountryClaim(models.Model):
    """Where one statement of a pack comes from.

    It remembers what the pack said when the source was entered: what was changed since stands
    without a source until somebody enters it anew.
    """

    _name = "ar.country.claim"
    _description = "Source of a Country Pack"
    _order = "rule_id, topic, id"
    _rec_name = "topic"

    rule_id = fields.Many2one("ar.country.rule", required=True, index=True, ondelete="cascade")
    topic = fields.Selection(
        [
            ("limitation", "Limitation"),
            ("instalments", "Instalments of one debt"),
            ("restart", "What starts the clock anew"),
            ("lawsuit", "Lawsuit"),
            ("longest", "Longest limitation"),
            ("enforcement", "After a judgment"),
            ("interest", "Statutory late interest"),
            ("rates", "History of the base rate"),
            ("day_count", "Days of a year"),
            ("lump_sum", "Lump sum"),
            ("weekend", "Due dates on days off"),
            ("term", "Longest lawful term"),
            ("hours", "Contact hours"),
            ("tax", "Sales tax of a bad debt"),
            ("papers", "Papers and filing of a write-off"),
            ("provision", "Customary allowance"),
            ("demand", "Text of demands"),
        ],
        required=True,
    )
    source = fields.Char(required=True, translate=True)
    url = fields.Char(string="Read At")
    checked_values = fields.Char(readonly=True, copy=True)
    is_changed = fields.Boolean(
        string="Changed Since",
        compute="_compute_is_changed",
        help="The pack says something else than when the source was entered.",
    )

    _topic_uniq = models.UniqueIndex(
        "(rule_id, topic)", "This pack has a source of this topic already."
    )

    @api.depends(
        "topic",
        "checked_values",
        "rule_id.rate_ids.rate",
        "rule_id.rate_ids.date",
        *(f"rule_id.{name}" for names in TOPICS.values() for name in names),
    )
    def _compute_is_changed(self):
        for claim in self:
            claim.is_changed = claim.checked_values != claim._get_values()

    def _get_values(self):
        """What the pack says of the topic now, in the language that all share."""
        self.ensure_one()
        rule = self.rule_id.with_context(lang="en_US")
        values = []
        for name in TOPICS.get(self.topic, ()):
            value = rule[name]
            if name == "rate_ids":
                value = [(str(rate.date), rate.rate) for rate in value.sorted("date")]
            elif rule._fields[name].type == "many2one":
                value = value.id
            values.append(value or None)
        return json.dumps(values)

    @api.model_create_multi
    def create(self, vals_list):
        claims = super().create(vals_list)
        # A copy is as right as what it was copied from.
        claims.filtered(lambda claim: not claim.checked_values)._keep_values()
        return claims

    def write(self, vals):
        result = super().write(vals)
        if {"source", "url", "topic"} & vals.keys():
            self._keep_values()
        return result

    def _keep_values(self):
        for claim in self:
            claim.sudo().checked_values = claim._get_values()
