from odoo import fields, models
from odoo.tools import SQL

from .ageing_snapshot import SNAPSHOT_TIERS


class ArAgeingSnapshotBucket(models.Model):
    """The month-end snapshots by ageing bucket, to see how debts grow old."""

    _name = "ar.ageing.snapshot.bucket"
    _description = "Ageing Trend"
    _auto = False
    _order = "date desc, bucket_id, amount desc, id"
    _rec_name = "partner_id"
    _depends = {
        "ar.ageing.snapshot": [
            "company_id",
            "partner_id",
            "date",
            "risk_tier",
            "grade_id",
            "buckets",
        ]
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    date = fields.Date(string="Month End", readonly=True)
    risk_tier = fields.Selection(SNAPSHOT_TIERS, readonly=True)
    grade_id = fields.Many2one("ar.credit.grade", string="Credit Grade", readonly=True)
    bucket_id = fields.Many2one("ar.ageing.bucket", readonly=True)
    amount = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        # An id stays unique as long as there are not more ageing buckets than a company can use.
        return SQL(
            """
            SELECT snapshot.id::bigint * 1000 + bucket.key::bigint AS id, snapshot.company_id,
                   snapshot.partner_id, snapshot.date, snapshot.risk_tier, snapshot.grade_id,
                   bucket.key::int AS bucket_id, bucket.value::numeric AS amount
              FROM ar_ageing_snapshot snapshot
             CROSS JOIN JSONB_EACH_TEXT(snapshot.buckets) bucket
             WHERE bucket.value::numeric <> 0
            """
        )
