from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from pytz import timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount

# A company that does not work for so long does not work at all.
WITHOUT_WORK_DAYS = 31


class Clock(NamedTuple):
    """Another day than today, in the context: to live days again. A request cannot send it."""

    date: date


class ResCompany(models.Model):
    _inherit = "res.company"

    ar_behaviour_date = fields.Date(
        string="Payment Behaviour As Of", help="When the behaviour of all customers was computed."
    )
    ar_run_date = fields.Date(
        string="Last Collection Run", help="Lateness between two runs is judged at this day."
    )
    ar_ageing_days = fields.Char(
        string="Ageing Buckets",
        default="30,60,90,180",
        help="Last day of each ageing bucket, separated by commas. "
        "30,60,90,180 gives: not due, 1-30, 31-60, 61-90, 91-180, over 180 days.",
    )

    ar_score_coverage = fields.Float(
        string="Least Coverage of the Scorecard",
        default=0.5,
        help="A score carries a grade when criteria of this share of all weights are known.",
    )
    ar_credit_manager_id = fields.Many2one(
        "res.users",
        string="Credit Manager",
        domain=[("share", "=", False)],
        help="Gets the early warnings; without one the customer's collector gets them.",
    )

    ar_promise_grace_days = fields.Integer(
        string="Grace of Promises (days)",
        default=2,
        help="A payment dated this many days after the promised day still keeps the promise.",
    )

    ar_dispute_days = fields.Integer(
        string="Dispute Window (days)",
        help="Days after delivery, or else after the invoice date, in which customers may dispute "
        "an invoice. Zero for no window: every dispute is in time.",
    )

    ar_reply_pause_days = fields.Integer(
        string="Silence After a Reply (days)",
        default=3,
        help="No automatic contact for so many days after a customer has written.",
    )

    ar_portal_days = fields.Integer(
        string="Portal Links Work (days)",
        default=30,
        help="So long a link in a mail opens the customer's page without login. Zero for no links.",
    )
    ar_portal_promise_days = fields.Integer(
        string="Longest Promise in the Portal (days)",
        default=30,
        help="So far ahead customers may promise to pay on their page.",
    )

    _ar_portal = models.Constraint(
        "CHECK(ar_portal_days BETWEEN 0 AND 3650 AND ar_portal_promise_days BETWEEN 0 AND 3650)",
        "Days in the portal are from 0 to 3650.",
    )
    ar_escalation_days = fields.Integer(
        string="Own Effort (days)",
        default=90,
        help="Cases whose oldest item is older are proposed for an agency or legal action. "
        "Zero for no proposal.",
    )
    ar_limitation_years = fields.Integer(
        string="Limitation (years)",
        default=3,
        help="After so many years a claim cannot be enforced any more. Zero when it does not "
        "matter.",
    )
    ar_limitation_warning_days = fields.Integer(
        string="Warn of Limitation (days)",
        default=90,
        help="So many days before an item lapses somebody is told.",
    )

    _ar_outside = models.Constraint(
        "CHECK(ar_escalation_days >= 0 AND ar_limitation_years >= 0"
        " AND ar_limitation_warning_days >= 0)",
        "Days and years cannot be negative.",
    )
    ar_allowance_account_id = fields.Many2one(
        "account.account",
        string="Allowance Account",
        check_company=True,
        help="The balance of the allowance for bad debts, which is taken off the receivables.",
    )
    ar_allowance_expense_account_id = fields.Many2one(
        "account.account",
        string="Impairment Expense Account",
        check_company=True,
        help="What is added to the allowance is an expense here; what is released comes back.",
    )
    ar_allowance_journal_id = fields.Many2one(
        "account.journal",
        string="Allowance Journal",
        check_company=True,
        help="Leave empty for the first miscellaneous journal.",
    )

    ar_writeoff_account_id = fields.Many2one(
        "account.account",
        string="Bad Debt Expense",
        domain="[('account_type', 'in', ('expense', 'expense_other', 'expense_direct_cost'))]",
        help="Bears write-offs whose reason has no account of its own.",
    )
    ar_recovery_account_id = fields.Many2one(
        "account.account",
        string="Income from Written-off Debts",
        domain="[('account_type', 'not in', ('asset_receivable', 'liability_payable'))]",
        help="Gets what is paid after a write-off, when its reason has no account of its own.",
    )
    ar_writeoff_journal_id = fields.Many2one(
        "account.journal", string="Write-off Journal", domain="[('type', '=', 'general')]"
    )
    ar_writeoff_days = fields.Integer(
        string="Decide Write-offs Within (days)",
        default=7,
        help="Approvers are reminded after so many days.",
    )
    ar_writeoff_high_risk = fields.Integer(
        string="High Risk From",
        default=60,
        help="Points from which a write-off needs one tier of approval more.",
    )
    ar_writeoff_free_amount = fields.Float(
        string="Write-offs Without Request Up To",
        default=10,
        help="Payment differences and entries by hand that give up more of a receivable are "
        "listed as unapproved write-offs.",
    )
    ar_writeoff_gate = fields.Boolean(
        string="Refuse Larger Write-offs Without Request",
        help="Do not only list them: stop them when they are paid, posted or reconciled.",
    )

    _ar_writeoff = models.Constraint(
        "CHECK(ar_writeoff_days >= 0 AND ar_writeoff_high_risk > 0"
        " AND ar_writeoff_free_amount >= 0)",
        "Days, points and amounts of write-offs cannot be negative.",
    )
    _ar_dispute = models.Constraint(
        "CHECK(ar_dispute_days >= 0)", "The dispute window cannot be negative."
    )
    _ar_promise_grace = models.Constraint(
        "CHECK(ar_promise_grace_days >= 0)", "Days of grace cannot be negative."
    )
    _ar_score_coverage = models.Constraint(
        "CHECK(ar_score_coverage BETWEEN 0 AND 1)",
        "The least coverage of the scorecard is from 0 to 100 %.",
    )

    @api.constrains("ar_ageing_days")
    def _check_ar_ageing_days(self):
        for company in self:
            edges = company._ar_bucket_edges()
            if not edges or edges[0] < 1 or edges != sorted(set(edges)):
                raise ValidationError(
                    self.env._(
                        "The ageing buckets are rising whole numbers of days, such as 30,60,90,180."
                    )
                )

    def _ar_bucket_edges(self):
        """The last day of each overdue bucket of the root company, as a list of int."""
        self.ensure_one()
        try:
            return [int(days) for days in (self.root_id.ar_ageing_days or "").split(",")]
        except ValueError:
            return []

    def _ar_bucket_labels(self):
        """One label per ageing bucket, not due first."""
        edges = self._ar_bucket_edges()
        starts = [1, *(edge + 1 for edge in edges[:-1])]
        return [
            self.env._("Not due"),
            *(f"{start}-{end}" for start, end in zip(starts, edges, strict=True)),
            f"> {edges[-1]}",
        ]

    def _ar_today(self):
        """Today where the company is: crons have no time zone of their own."""
        clock = self.env.context.get("ar_clock")
        if isinstance(clock, Clock):
            return clock.date
        # Whoever reads an invoice need not have rights on the company's working hours.
        company = self.sudo().ensure_one()
        timezone = company.partner_id.tz or company.resource_calendar_id.tz or "UTC"
        return fields.Date.context_today(company.with_context(tz=timezone))

    def _ar_portal_last_promise(self, date):
        """The last day that a customer may promise on its page, as of a date."""
        self.ensure_one()
        return date + timedelta(days=self.ar_portal_promise_days)

    def _ar_is_working_day(self, date):
        """Whether the company works on that day, by its working hours and public holidays."""
        self.ensure_one()
        calendar = self.resource_calendar_id
        if not calendar:
            return True
        start = timezone(calendar.tz).localize(datetime.combine(date, time.min))
        holidays = [("time_type", "=", "leave"), ("company_id", "in", (self.id, False))]
        work = calendar._work_intervals_batch(start, start + timedelta(days=1), domain=holidays)
        return bool(work[False])

    def _ar_working_day(self, date, days):
        """The day that is so many working days of the company after a date."""
        day = date
        for _working_day in range(days):
            for _rest_day in range(WITHOUT_WORK_DAYS):
                day += timedelta(days=1)
                if self._ar_is_working_day(day):
                    break
        return day

    def _ar_default_credit_limit(self):
        """Odoo's default credit limit of the company, ``None`` when it has none."""
        self.ensure_one()
        Partner = self.env["res.partner"].with_company(self)
        limit = Partner._fields["credit_limit"].get_company_dependent_fallback(Partner)
        return limit if self.account_use_credit_limit and limit else None

    def _ar_credit_manager(self, file):
        """Who is told of a customer's credit: the company's credit manager, or the collector."""
        self.ensure_one()
        return self.ar_credit_manager_id or file.collector_id

    def _ar_check_writeoff(self, lost):
        """Nobody gives up more than the company lets pass without a request.

        :param lost: of receivables, company currency
        :raises UserError: it is more
        """
        limit = self.ar_writeoff_free_amount
        if self.currency_id.compare_amounts(lost, limit) > 0:
            raise UserError(
                self.env._(
                    "%(lost)s of receivables would be given up. Above %(limit)s this needs a "
                    "write-off request: use Write Off on the invoice or the collection case.",
                    lost=format_amount(self.env, lost, self.currency_id),
                    limit=format_amount(self.env, limit, self.currency_id),
                )
            )
