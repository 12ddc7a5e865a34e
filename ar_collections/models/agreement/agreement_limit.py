from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date


class Limits(NamedTuple):
    """How far promises and plans may go without a credit manager: zero for no limit."""

    # Of a promise: days ahead, and how often an item may be promised anew.
    promise_days: int
    renewals: int
    # Of a plan: months from today to the last instalment, and company currency of each.
    plan_months: int
    instalment: float

    def get_last_promise_day(self, date_made):
        """The last day that may be promised, ``None`` without a limit."""
        return date_made + relativedelta(days=self.promise_days) if self.promise_days else None

    def get_promise_excess(self, env, date_made, date, renewals):
        """What goes too far of a promise: a list of texts.

        :param renewals: how often one of its items was promised before
        """
        excess, last = [], self.get_last_promise_day(date_made)
        if last and date > last:
            excess.append(
                env._(
                    "the last day for a promise is %(date)s, %(days)s days ahead",
                    date=format_date(env, last),
                    days=self.promise_days,
                )
            )
        if self.renewals and renewals > self.renewals:
            excess.append(
                env._(
                    "the same item was promised %(count)s times before, %(most)s renewals are "
                    "allowed",
                    count=renewals,
                    most=self.renewals,
                )
            )
        return excess

    def get_plan_excess(self, env, currency, date, instalments):
        """What goes too far of a plan: a list of texts.

        :param date: from which its length counts
        :param instalments: ``[(date, amount)]`` in order; the last one may be small, a rest
        """
        excess = []
        last = date + relativedelta(months=self.plan_months)
        if self.plan_months and instalments and instalments[-1][0] > last:
            excess.append(
                env._(
                    "the last day for an instalment is %(date)s, %(months)s months ahead",
                    date=format_date(env, last),
                    months=self.plan_months,
                )
            )
        if any(
            currency.compare_amounts(amount, self.instalment) < 0
            for _date, amount in instalments[:-1]
        ):
            excess.append(
                env._(
                    "the smallest instalment is %s",
                    format_amount(env, self.instalment, currency),
                )
            )
        return excess


class ArAgreementLimited(models.AbstractModel):
    """An agreement that a credit manager alone makes when it goes beyond the limits."""

    _name = "ar.agreement.limited"
    _description = "Agreement within Limits"

    approved_by_id = fields.Many2one(
        "res.users",
        readonly=True,
        copy=False,
        help="The credit manager who agreed beyond the limits of the customer's grade.",
    )

    def _approve_beyond(self, excess):
        """Note that the user approves what goes beyond the limits.

        :param excess: texts that say what does; none when nothing does
        :raises UserError: the user is no credit manager
        """
        self.ensure_one()
        if not excess:
            return
        self.check_access("write")
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise UserError(
                self.env._(
                    "A credit manager has to agree this with %(customer)s: %(limits)s.",
                    customer=self.sudo().partner_id.display_name,
                    limits="; ".join(excess),
                )
            )
        self.sudo().approved_by_id = self.env.user
        self.message_post(
            body=self.env._(
                "Approved by %(user)s although %(limits)s.",
                user=self.env.user.name,
                limits="; ".join(excess),
            ),
            subtype_xmlid="mail.mt_note",
        )
