from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError


class Needed(NamedTuple):
    """One tier that a request has to pass."""

    tier: object
    approvals: int


class ArWriteoffTier(models.Model):
    """Who approves write-offs from an amount on. All tiers up to the amount approve, in order."""

    _name = "ar.writeoff.tier"
    _description = "Write-off Approval Tier"
    _order = "sequence, amount_from, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies that have no tiers of their own.",
    )
    amount_from = fields.Float(
        string="From Amount", help="In company currency; of all items of a request together."
    )
    group_id = fields.Many2one(
        "res.groups", string="Approved by Group", ondelete="restrict", help="Anybody of this group."
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Approved by Users",
        domain=[("share", "=", False)],
        help="Each of them, whatever their groups.",
    )
    approvals_required = fields.Integer(default=1, required=True)

    _approvals = models.Constraint(
        "CHECK(approvals_required > 0)", "A tier needs at least one approval."
    )
    _amount = models.Constraint("CHECK(amount_from >= 0)", "A tier starts at zero or more.")

    @api.constrains("group_id", "user_ids")
    def _check_approvers(self):
        for tier in self:
            if not tier.group_id and not tier.user_ids:
                raise ValidationError(
                    self.env._("Choose a group or users who approve in tier “%s”.", tier.name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        tiers._fit_shared()
        return tiers

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("amount_from", "company_id", "active")):
            self._fit_shared()
        return result

    def _fit_shared(self):
        """Companies of another currency get tiers of their own when shared ones have amounts."""
        # The system says itself when all of them are there.
        if not self.env.su and any(not tier.company_id and tier.amount_from for tier in self):
            self.env["res.company"]._ar_fit_shared()

    @api.model
    def _get_tiers(self, company):
        """The tiers of a root company: its own, or else the shared ones."""
        tiers = self.sudo()
        return tiers.search([("company_id", "=", company.id)]) or tiers.search(
            [("company_id", "=", False)]
        )

    def _get_needed(self, amount, high_risk):
        """The tiers that an amount has to pass, in order.

        High risk adds the next tier, or one more approval in the last one.

        :param amount: company currency
        :return: list of :class:`Needed`
        """
        reached = self.filtered(lambda tier: tier.amount_from <= amount)
        needed = [Needed(tier, tier.approvals_required) for tier in reached]
        if high_risk and needed:
            beyond = (self - reached).sorted("amount_from")[:1]
            if beyond:
                needed.append(Needed(beyond, beyond.approvals_required))
            else:
                needed[-1] = needed[-1]._replace(approvals=needed[-1].approvals + 1)
        return needed

    def _get_next_amount(self, amount):
        """Where the next tier above the amount starts, ``None`` above the last one."""
        return min((tier.amount_from for tier in self if tier.amount_from > amount), default=None)

    def _get_holders(self, company):
        """The users who approve in this tier, without their delegates."""
        self.ensure_one()
        return (self.user_ids | self.group_id.all_user_ids)._ar_at_work(company, None)

    def _get_substitutes(self, company):
        """Who approves instead in a tier that has fewer people left than it needs: those of
        the tiers above, who may approve more."""
        self.ensure_one()
        if len(self._get_holders(company)) >= self.approvals_required:
            return self.env["res.users"]
        above = self._get_tiers(company).filtered(lambda tier: tier.amount_from > self.amount_from)
        return self.env["res.users"].union(*(tier._get_holders(company) for tier in above))

    def _get_gone(self, company):
        """The users named in this tier who do not work for the company any more."""
        self.ensure_one()
        named = self.with_context(active_test=False).user_ids
        return named - named._ar_at_work(company, None)


class ArWriteoffDelegation(models.Model):
    """Who approves for somebody who is away."""

    _name = "ar.writeoff.delegation"
    _description = "Delegation of Write-off Approvals"
    _order = "date_from desc, id desc"
    _rec_name = "user_id"

    user_id = fields.Many2one(
        "res.users",
        string="Approver",
        required=True,
        index=True,
        default=lambda self: self.env.user,
        domain=[("share", "=", False)],
        ondelete="cascade",
    )
    delegate_id = fields.Many2one(
        "res.users",
        required=True,
        index=True,
        domain=[("share", "=", False)],
        ondelete="cascade",
    )
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self.env.company._ar_today()
    )
    date_to = fields.Date(string="To", required=True)
    note = fields.Char()

    _dates = models.Constraint("CHECK(date_from <= date_to)", "A delegation ends after it starts.")
    _other = models.Constraint(
        "CHECK(user_id <> delegate_id)", "Nobody delegates to themselves: choose somebody else."
    )

    def _check_own(self):
        """Delegates see the delegation, but do not extend it."""
        if self.env.su or self.env.user.has_group("account.group_account_manager"):
            return
        if self.user_id - self.env.user:
            raise AccessError(
                self.env._("You delegate your own approvals; an accountant those of others.")
            )

    @api.model_create_multi
    def create(self, vals_list):
        delegations = super().create(vals_list)
        delegations._check_own()
        self.env["ar.writeoff.routing"]._refresh_approvers()
        return delegations

    def write(self, vals):
        self._check_own()
        result = super().write(vals)
        self._check_own()
        self.env["ar.writeoff.routing"]._refresh_approvers()
        return result

    def unlink(self):
        self._check_own()
        result = super().unlink()
        self.env["ar.writeoff.routing"]._refresh_approvers()
        return result

    @api.model
    def _get_delegates(self, users, date):
        """``{delegate: users they stand for}`` on a date."""
        delegates = {}
        for delegation in self.sudo().search(
            [
                ("user_id", "in", users.ids),
                ("date_from", "<=", date),
                ("date_to", ">=", date),
                ("delegate_id.active", "=", True),
            ]
        ):
            delegate = delegation.delegate_id
            delegates[delegate] = delegates.get(delegate, users.browse()) | delegation.user_id
        return delegates
