from odoo import fields, models
from odoo.tools import format_amount


class ArCreditFile(models.Model):
    """The stored figures: written by ``ar.credit.refresh``, never by hand."""

    _inherit = "ar.credit.file"

    open_amount = fields.Monetary(readonly=True)
    not_due = fields.Monetary(readonly=True)
    overdue_amount = fields.Monetary(string="Overdue", readonly=True)
    overdue_count = fields.Integer(string="Overdue Items", readonly=True)
    oldest_due = fields.Date(string="Oldest Due Date", readonly=True)
    days_overdue = fields.Integer(readonly=True, aggregator="max")
    unallocated = fields.Monetary(
        string="Unallocated Credit",
        readonly=True,
        help="Open payments on account and credit notes, as a negative amount.",
    )
    followup_amount = fields.Monetary(
        string="To Follow Up",
        readonly=True,
        help="Overdue items that are neither excluded from follow-up nor in payment.",
    )
    followup_due = fields.Date(string="Oldest Due Date to Follow Up", readonly=True)
    disputed = fields.Monetary(readonly=True, help="Open disputes that stop the dunning.")
    promised = fields.Monetary(
        readonly=True, help="Open promises to pay and accepted payment plans."
    )
    demand_amount = fields.Monetary(
        string="To Ask For",
        readonly=True,
        help="What is to be followed up less what is disputed or promised.",
    )
    demand_due = fields.Date(string="Oldest Due Date to Ask For", readonly=True)
    order_amount = fields.Monetary(
        string="Orders Not Invoiced", readonly=True, help="Confirmed orders less their invoices."
    )
    exposure = fields.Monetary(readonly=True, help="Open items and orders not invoiced.")
    limit_use = fields.Float(
        readonly=True, aggregator="avg", help="Exposure as a share of the limit; 1 is all of it."
    )
    avg_days_late = fields.Float(string="Average Days Late", readonly=True, aggregator="avg")
    on_time_share = fields.Float(string="Paid on Time", readonly=True, aggregator="avg")
    late_count = fields.Integer(string="Times Late", readonly=True)
    max_days_late = fields.Integer(string="Worst Delay", readonly=True, aggregator="max")
    avg_monthly_sales = fields.Monetary(string="Average Monthly Sales", readonly=True)
    last_payment_date = fields.Date(readonly=True)
    late_spread = fields.Float(
        string="Spread of Delays (days)",
        readonly=True,
        aggregator="avg",
        help="Standard deviation of the days late: how regularly the customer pays.",
    )
    sales_trend = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Sales of the last 90 days, as of a year, against those of the year: 0.1 is 10 % "
        "more. Zero when nothing was sold before these 90 days.",
    )
    ageing = fields.Json(compute="_compute_ageing")

    def _compute_ageing(self):
        """``[[label, formatted amount, share of the positive items]]``, not due first."""
        for company, files in self.grouped("company_id").items():
            figures = self.env["ar.position"]._figures(
                company, company._ar_today(), files.partner_id
            )
            for file in files:
                buckets = figures[company.id, file.partner_id.id].buckets
                total = sum(buckets)
                file.ageing = [
                    [
                        label,
                        format_amount(self.env, amount, file.currency_id),
                        amount / total if total else 0,
                    ]
                    for label, amount in zip(company._ar_bucket_labels(), buckets, strict=True)
                ]
