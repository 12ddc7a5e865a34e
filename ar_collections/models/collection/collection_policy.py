from odoo import api, fields, models, tools

from ..credit.credit_grade import RISK_TIERS


class ArCollectionPolicy(models.Model):
    _name = "ar.collection.policy"
    _description = "Collection Policy"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    stopped = fields.Boolean(
        help="The steps of a stopped policy wait, from the batch under way on. Nothing is lost: "
        "they are taken when it may go on."
    )
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    risk_tier = fields.Selection(
        RISK_TIERS,
        string="For Risk Tier",
        help="Customers of this tier follow the policy, unless their credit file or grade names "
        "another one. Leave empty for a policy that fits everybody.",
    )
    step_ids = fields.One2many("ar.collection.step", "policy_id", copy=True)
    min_amount = fields.Monetary(
        string="Minimum Amount", help="Customers who owe less are not contacted."
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
    max_bank_age = fields.Integer(
        string="Bank Entries Not Older Than (days)",
        help="When the company's last bank entry is older, nothing is sent: the customer may have "
        "paid. Zero for no check.",
    )

    _positive = models.Constraint(
        "CHECK(min_amount >= 0 AND min_days_between >= 0 AND max_bank_age >= 0"
        " AND repeat_days >= 0)",
        "Minimum amount and days cannot be negative.",
    )

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for policy in self:
            policy.currency_id = (policy.company_id or self.env.company).currency_id

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

    @api.model
    @tools.ormcache()
    def _get_gross_ids(self):
        """Ids of the policies that ask for everything overdue, whatever credits are open."""
        return tuple(self.sudo().search([("net_of_credit", "=", False)]).ids)

    @api.model
    def _get_matching_policies(self, files):
        """The policy of each credit file: its own, else of its grade, its risk tier, or any.

        :return: ``{ar.credit.file: ar.collection.policy}``
        """
        policies = self.search([("step_ids.active", "=", True)])

        def fits(policy, file):
            return policy.active and (policy.company_id or file.company_id) == file.company_id

        def match(file):
            for policy in (file.policy_id, file.grade_id.policy_id):
                if policy and fits(policy, file):
                    return policy
            usable = policies.filtered(lambda policy: fits(policy, file))
            return (
                usable.filtered(lambda policy: policy.risk_tier == file.risk_tier)
                or usable.filtered(lambda policy: not policy.risk_tier)
            )[:1]

        # Many files share few combinations.
        matched = {}
        for file in files:
            key = (file.policy_id, file.grade_id, file.risk_tier, file.company_id)
            if key not in matched:
                matched[key] = match(file)
        return {
            file: matched[file.policy_id, file.grade_id, file.risk_tier, file.company_id]
            for file in files
        }
