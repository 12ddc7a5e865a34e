from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, date_utils

from ..credit.credit_grade import RISK_TIERS
from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN

# How far back missing months are made.
MONTHS_BACK = 36
SNAPSHOT_TIERS = [*RISK_TIERS, ("unknown", "Unknown")]


class ArAgeingSnapshot(models.Model):
    """What a customer owed at a month's end, as the ledger said when the snapshot was taken.

    Whatever is booked for that month later, it stays: roll rates and trends are of what was known.
    """

    _name = "ar.ageing.snapshot"
    _description = "Ageing at Month End"
    _order = "date desc, overdue_amount desc, id"
    _rec_name = "partner_id"

    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one("res.partner", string="Customer", index=True, ondelete="restrict")
    date = fields.Date(string="Month End", required=True)
    risk_tier = fields.Selection(
        SNAPSHOT_TIERS,
        required=True,
        default="unknown",
        help="Of that day; unknown for months before the customer's history began.",
    )
    grade_id = fields.Many2one("ar.credit.grade", string="Credit Grade", ondelete="restrict")
    open_amount = fields.Monetary()
    not_due = fields.Monetary()
    overdue_amount = fields.Monetary(string="Overdue")
    unallocated = fields.Monetary(
        string="Unallocated Credit", help="Open payments on account and credit notes."
    )
    oldest_due = fields.Date(string="Oldest Due Date")
    buckets = fields.Json(help="Amount by ageing bucket.")

    _customer_day = models.UniqueIndex(
        "(company_id, date, COALESCE(partner_id, 0))",
        "There is already a snapshot of this customer at this date.",
    )

    # CRUD: append-only

    def write(self, vals):
        self._refuse_change()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._refuse_change()

    def _refuse_change(self):
        raise AccessError(self.env._("Month-end snapshots are never changed or deleted."))

    # Actions

    @api.model
    def action_fill(self):
        """Make the snapshots of past months that are missing, from the ledger as of those dates."""
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(
                self.env._("Only a credit manager can make snapshots of past months.")
            )
        company = self.env.company.root_id
        made = self._take_missing(company, company._ar_today())
        message = self.env._("%s months were added.", made)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if made else "info",
                "message": message if made else self.env._("No month is missing."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # Business

    @api.model
    def _take_month_end(self, company, date):
        """The snapshot of the last month that is over on that day, when there is none yet.

        :return: number of customers
        """
        return self._take_snapshot(company, date.replace(day=1) - relativedelta(days=1))

    @api.model
    def _take_missing(self, company, date):
        """Snapshots of all months that are over, from the first receivable on; number of months."""
        last = date.replace(day=1) - relativedelta(days=1)
        lines = self.env["account.move.line"].sudo()
        ((first,),) = lines._read_group(
            [
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("company_id", "child_of", company.id),
            ],
            [],
            ["date:min"],
        )
        if not first:
            return 0
        day = date_utils.end_of(max(first, last - relativedelta(months=MONTHS_BACK)), "month")
        made = 0
        while day <= last:
            made += bool(self._take_snapshot(company, day))
            day = date_utils.end_of(day + relativedelta(days=1), "month")
        return made

    @api.model
    def _take_snapshot(self, company, date):
        """The snapshot of one month's end: one statement for all customers, once.

        :return: number of customers, none when there was one already
        """
        if date != date_utils.end_of(date, "month"):
            raise UserError(self.env._("Snapshots are of the last day of a month."))
        company = company.root_id
        self.flush_model()
        if self.sudo().search_count(
            [("company_id", "=", company.id), ("date", "=", date)], limit=1
        ):
            return 0
        buckets = self.env["ar.ageing.bucket"]._get_buckets(company)
        self.env.cr.execute(
            SQL(
                """
            INSERT INTO ar_ageing_snapshot (
                   company_id, partner_id, date, risk_tier, grade_id, open_amount, not_due,
                   overdue_amount, unallocated, oldest_due, buckets,
                   create_uid, create_date, write_uid, write_date)
            SELECT figure.company_id, figure.partner_id, %(date)s,
                   COALESCE(standing.risk_tier, 'unknown'),
                   standing.grade_id, figure.open_amount, figure.not_due, figure.overdue_amount,
                   figure.unallocated, figure.oldest_due, JSONB_BUILD_OBJECT(%(buckets)s),
                   %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM (%(figures)s) figure
              LEFT JOIN LATERAL (%(standing)s) standing ON TRUE
                ON CONFLICT DO NOTHING
            """,
                date=date,
                buckets=SQL(", ").join(
                    SQL("%s::text, %s", bucket.id, SQL.identifier("figure", f"bucket_{index}"))
                    for index, bucket in enumerate(buckets)
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
                figures=self.env["ar.position"]._figures_sql(company, date),
                standing=self._standing_sql(date),
            )
        )
        self.invalidate_model(flush=False)
        return self.env.cr.rowcount

    @api.model
    def _standing_sql(self, date, customer="figure"):
        """SELECT of ``risk_tier, grade_id`` that the customer of a row had at the date, and of
        ``present_tier``, which it has now.

        Nobody knows what it had before the history of its credit file began.

        :param customer: name of a table with ``company_id, partner_id``
        """
        self.env["ar.credit.file"].flush_model()
        self.env["ar.credit.history"].flush_model()
        return SQL(
            """
            SELECT former.risk_tier, former.grade_id, file.risk_tier AS present_tier
              FROM (VALUES (%(company)s, %(partner)s)) who(company_id, partner_id)
              LEFT JOIN ar_credit_file file
                ON file.company_id = who.company_id AND file.partner_id = who.partner_id
              LEFT JOIN LATERAL (
                SELECT risk_tier, grade_id FROM ar_credit_history
                 WHERE file_id = file.id AND date < %(next_day)s ORDER BY date DESC, id DESC LIMIT 1
              ) former ON TRUE
            """,
            company=SQL.identifier(customer, "company_id"),
            partner=SQL.identifier(customer, "partner_id"),
            next_day=date + relativedelta(days=1),
        )

    @api.model
    def _merge_customers(self, sources, target):
        """Customers who become one have one snapshot per date: that of all of them together."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
            WITH former AS (
                SELECT *, FIRST_VALUE(id) OVER (
                           PARTITION BY company_id, date
                           ORDER BY partner_id = %(target)s DESC, id) AS kept_id
                  FROM ar_ageing_snapshot WHERE partner_id IN %(customers)s
            ), total AS (
                SELECT kept_id, SUM(open_amount) AS open_amount, SUM(not_due) AS not_due,
                       SUM(overdue_amount) AS overdue_amount, SUM(unallocated) AS unallocated,
                       MIN(oldest_due) AS oldest_due
                  FROM former GROUP BY kept_id
            ), amount AS (
                SELECT kept_id, key, SUM(value::numeric) AS value
                  FROM former, JSONB_EACH_TEXT(buckets) GROUP BY kept_id, key
            ), bucket AS (
                SELECT kept_id, JSONB_OBJECT_AGG(key, value) AS buckets
                  FROM amount GROUP BY kept_id
            ), doubled AS (
                DELETE FROM ar_ageing_snapshot snapshot USING former
                 WHERE snapshot.id = former.id AND former.id <> former.kept_id
            )
            UPDATE ar_ageing_snapshot snapshot
               SET partner_id = %(target)s, open_amount = total.open_amount,
                   not_due = total.not_due, overdue_amount = total.overdue_amount,
                   unallocated = total.unallocated, oldest_due = total.oldest_due,
                   buckets = bucket.buckets
              FROM total JOIN bucket USING (kept_id)
             WHERE snapshot.id = kept_id
            """,
                target=target.id,
                customers=tuple((sources | target).ids),
            )
        )
        self.invalidate_model(flush=False)
