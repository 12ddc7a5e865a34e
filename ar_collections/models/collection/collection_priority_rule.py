from ast import literal_eval

from odoo import api, fields, models
from odoo.tools import SQL

from ..common.amount_scale import scale_domain

# So many of the rules that gave a case its points are kept with it.
TOP_RULES = 3


class ArCollectionPriorityRule(models.Model):
    """Points for the cases that a domain finds; a case's priority is the sum."""

    _name = "ar.collection.priority.rule"
    _inherit = "ar.case.rule"
    _description = "Collection Priority Rule"

    points = fields.Integer(required=True, default=10)
    replaces_id = fields.Many2one(
        "ar.collection.priority.rule",
        string="Instead Of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The shared rule in whose place this one is in its company, with amounts of its "
        "currency.",
    )

    def _get_scaled_values(self, ratio):
        """Their cases with the amounts of another currency, empty when they name no amount."""
        self.ensure_one()
        domain = literal_eval(self.domain)
        scaled = scale_domain(domain, ratio, self.env["ar.collection.case"]._fields)
        return {"domain": repr(scaled)} if scaled != domain else {}

    def _get_fitting_domain(self, company):
        """Its cases, by amounts that fit the company's currency when companies share the rule."""
        self.ensure_one()
        domain = literal_eval(self.domain)
        if self.company_id:
            return domain
        cases = self.env["ar.collection.case"]._fields
        return scale_domain(domain, company._ar_get_shared_ratio(), cases)

    @api.model
    def _score_cases(self, company, cases=None):
        """Write priority and top rules of open cases of the company in one statement.

        :param cases: by default all
        """
        scope = [("company_id", "=", company.id), ("state", "!=", "closed")]
        if cases is not None:
            scope.append(("id", "in", cases.ids))
        cases = self.env["ar.collection.case"].sudo()
        rules = self.search([("company_id", "in", (company.id, False))])
        rules -= rules.replaces_id
        hits = SQL(" UNION ALL ").join(
            SQL(
                "SELECT id, %s AS rule_id, %s AS points FROM %s hit",
                rule.id,
                rule.points,
                cases._search([*rule._get_fitting_domain(company), *scope]).subselect(),
            )
            for rule in rules
        ) or SQL("SELECT NULL::int AS id, NULL::int AS rule_id, 0 AS points WHERE FALSE")
        self.env.cr.execute(
            SQL(
                """
            WITH scored AS (
                SELECT id, SUM(points) AS points,
                       TO_JSONB((ARRAY_AGG(JSONB_BUILD_ARRAY(rule_id, points)
                                           ORDER BY points DESC, rule_id)
                                 FILTER (WHERE points > 0))[1:%(top)s]) AS rules
                  FROM (%(hits)s) hit
                 GROUP BY id
            ), fresh AS (
                SELECT kase.id, COALESCE(scored.points, 0) AS points, scored.rules
                  FROM ar_collection_case kase
                  LEFT JOIN scored ON scored.id = kase.id
                 WHERE kase.id IN %(scope)s
            )
            UPDATE ar_collection_case kase
               SET priority = fresh.points, priority_rule_ids = fresh.rules
              FROM fresh
             WHERE kase.id = fresh.id
               AND (kase.priority, kase.priority_rule_ids)
                   IS DISTINCT FROM (fresh.points, fresh.rules)
            """,
                hits=hits,
                top=TOP_RULES,
                scope=cases._search(scope).subselect(),
            )
        )
        cases.invalidate_model(["priority", "priority_rule_ids", "priority_why"], flush=False)
