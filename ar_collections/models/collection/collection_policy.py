from ast import literal_eval
from collections import defaultdict

from odoo import api, fields, models, tools
from odoo.tools import SQL

from ..common.amount_scale import scale, scale_domain
from ..credit.credit_file import SUGGESTED_WAYS
from ..credit.credit_grade import RISK_TIERS


class ArCollectionPolicy(models.Model):
    _name = "ar.collection.policy"
    _inherit = "ar.credit.condition"
    _description = "Collection Policy"
    _order = "sequence, id"

    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    stopped = fields.Boolean(
        help="The steps of a stopped policy wait, from the batch under way on. Nothing is lost: "
        "they are taken when it may go on."
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    risk_tier = fields.Selection(
        RISK_TIERS,
        string="For Risk Tier",
        help="Customers of this tier follow the policy, unless their credit file or grade names "
        "another one. Leave empty for a policy that fits everybody.",
    )
    suggested_way = fields.Selection(
        SUGGESTED_WAYS,
        string="For Ability and Willingness",
        help="Customers who are scored like that follow the policy.",
    )
    domain = fields.Char(
        help="Customers among these follow the policy: amounts, categories, countries, "
        "salespeople and whatever else a credit file knows. The first policy that fits is taken, "
        "in their order; those without any condition come last."
    )
    step_ids = fields.One2many("ar.collection.step", "policy_id", copy=True)
    min_amount = fields.Monetary(
        string="Minimum Amount",
        help="Customers who owe less are not contacted. Amounts of a policy for all companies are "
        "in the currency of the first one, and mean a friendly figure of the currency of each "
        "other one.",
    )
    net_of_credit = fields.Boolean(
        string="Net of Open Credits",
        default=True,
        help="Open payments and credit notes are set against the oldest items, without booking "
        "anything: only what remains is asked for. Without it everything overdue is asked for; "
        "the credits are named in either case.",
    )
    min_days_between = fields.Integer(
        string="Days Between Contacts",
        default=5,
        help="No contact by a step sooner than this many days after the last one.",
    )
    repeat_days = fields.Integer(
        string="Repeat the Last Step Every",
        default=30,
        help="So many days after the last step it is taken again, until somebody decides what "
        "becomes of the debt. Zero for never.",
    )
    skip_rest_days = fields.Boolean(
        string="Only on Working Days",
        default=True,
        help="By the company's working hours and public holidays. A step that falls on a day of "
        "rest is taken on the next working day.",
    )
    max_plan_months = fields.Integer(
        string="Longest Plan",
        help="In months, for the customers of this policy, whatever their grade says. Zero for "
        "what the grade says.",
    )
    max_bank_age = fields.Integer(
        string="Bank Entries Not Older Than (days)",
        help="When the company's last bank entry is older, nothing is sent: the customer may have "
        "paid. Zero for no check.",
    )

    _positive = models.Constraint(
        "CHECK(min_amount >= 0 AND min_days_between >= 0 AND max_bank_age >= 0"
        " AND repeat_days >= 0 AND max_plan_months >= 0)",
        "Minimum amount, days and months cannot be negative.",
    )

    @api.depends("company_id")
    def _compute_currency_id(self):
        first = self.env["res.company"]._ar_get_first()
        for policy in self:
            policy.currency_id = (policy.company_id or first).sudo().currency_id

    def _get_min_amount(self, company):
        """The smallest debt that is asked for, as it counts in a company."""
        self.ensure_one()
        return company._ar_get_amount(self.min_amount, self.company_id)

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def _scale_amounts(self, ratio):
        """Write the amounts of another currency: smallest ones, and those of conditions."""
        files = self.env["ar.credit.file"]._fields
        for policy in self:
            for record in (policy, *policy.step_ids):
                if record.min_amount:
                    record.min_amount = scale(record.min_amount, ratio)
            domain = literal_eval(policy.domain or "[]")
            scaled = scale_domain(domain, ratio, files)
            if scaled != domain:
                policy.domain = repr(scaled)

    @api.model
    @tools.ormcache()
    def _get_gross_ids(self):
        """Ids of the policies that ask for everything overdue, whatever credits are open."""
        return tuple(self.sudo().search([("net_of_credit", "=", False)]).ids)

    @api.model
    def _get_matching_policies(self, files):
        """The policy that fits each credit file: ``{ar.credit.file: ar.collection.policy}``."""
        rows = self.env.execute_query(
            SQL(
                "SELECT file.id, %s FROM ar_credit_file file WHERE file.id = ANY(%s)",
                self._fitting_sql(),
                files.ids,
            )
        )
        fitting = dict(rows)
        return {file: self.browse(fitting.get(file.id)) for file in files}

    @api.model
    def _fitting_sql(self):
        """Id of the policy that fits, an expression on ``ar_credit_file file``.

        The file's own policy, else that of its grade, else the first whose conditions the
        customer meets; a policy without conditions fits who meets none.
        """
        self.flush_model()
        self.env["ar.credit.grade"].flush_model(["policy_id"])
        self.env["ar.credit.file"].flush_model(
            ["company_id", "policy_id", "grade_id", "risk_tier", "suggested_way"]
        )
        policies = self.sudo().search([("step_ids.active", "=", True)])
        policies = policies.sorted(lambda policy: not policy._is_conditional())
        chosen = SQL(
            """
            (SELECT policy.id FROM ar_collection_policy policy
              WHERE policy.id = %s AND policy.active
                AND COALESCE(policy.company_id, file.company_id) = file.company_id)
            """,
            SQL("file.policy_id"),
        )
        graded = SQL(
            """
            (SELECT policy.id FROM ar_credit_grade grade
               JOIN ar_collection_policy policy ON policy.id = grade.policy_id
              WHERE grade.id = file.grade_id AND policy.active
                AND COALESCE(policy.company_id, file.company_id) = file.company_id)
            """
        )
        rest = SQL("NULL")
        if policies:
            rest = SQL(
                "CASE %s END",
                SQL(" ").join(
                    SQL("WHEN %s THEN %s", policy._condition_sql(), policy.id)
                    for policy in policies
                ),
            )
        return SQL("COALESCE(%s, %s, %s)", chosen, graded, rest)

    def _is_conditional(self):
        self.ensure_one()
        return bool(self.risk_tier or self.suggested_way or literal_eval(self.domain))

    def _condition_sql(self):
        """Whether a customer is one of those that the policy is for."""
        self.ensure_one()
        conditions = [SQL("TRUE")]
        if self.company_id:
            conditions.append(SQL("file.company_id = %s", self.company_id.id))
        for name in ("risk_tier", "suggested_way"):
            if self[name]:
                conditions.append(SQL("%s = %s", SQL.identifier("file", name), self[name]))
        if literal_eval(self.domain):
            files = self.env["ar.credit.file"].sudo().with_context(active_test=False)
            query = files._search(self._get_domain(), order=None)
            conditions.append(SQL("file.id IN %s", query.subselect()))
        return SQL(" AND ").join(conditions)

    @api.model
    def _follow(self, cases):
        """Open cases follow when another policy fits their customer than at the last look, or
        when theirs is archived or has no steps. What a manager chose stays as long."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT kase.id, fit.policy_id,
                       CASE WHEN EXISTS (
                                SELECT FROM ar_collection_policy policy
                                  JOIN ar_collection_step step ON step.policy_id = policy.id
                                 WHERE policy.id = kase.policy_id AND policy.active AND step.active)
                            THEN COALESCE(kase.fitting_policy_id, fit.policy_id)
                                 IS DISTINCT FROM fit.policy_id
                            ELSE fit.policy_id IS NOT NULL END AS is_moved
                  FROM ar_collection_case kase
                  JOIN ar_credit_file file ON file.id = kase.file_id
                 CROSS JOIN LATERAL (SELECT %(fitting)s AS policy_id) fit
                 WHERE kase.id = ANY(%(cases)s) AND kase.state <> 'closed'
                   AND (fit.policy_id IS DISTINCT FROM kase.fitting_policy_id
                        OR fit.policy_id IS DISTINCT FROM kase.policy_id)
                """,
                fitting=self._fitting_sql(),
                cases=cases.ids,
            )
        )
        moved = defaultdict(cases.browse)
        for case_id, *key in rows:
            moved[tuple(key)] |= cases.browse(case_id)
        for (policy_id, is_moved), same in moved.items():
            same = same.sudo()
            same.fitting_policy_id = policy_id
            if is_moved:
                same.policy_id = policy_id
