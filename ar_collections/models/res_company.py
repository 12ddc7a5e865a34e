from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from pytz import timezone

from odoo import api, fields, models
from odoo.exceptions import ValidationError


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
