from odoo import api, fields, models


class ArAgeingBucket(models.Model):
    """A span of days overdue. Stored amounts keep theirs when a company ages otherwise later."""

    _name = "ar.ageing.bucket"
    _description = "Ageing Bucket"
    _order = "days_from, days_to"

    days_from = fields.Integer(
        string="From (days overdue)", required=True, readonly=True, help="Zero for what is not due."
    )
    days_to = fields.Integer(
        string="To (days overdue)", readonly=True, help="Zero for the last bucket and not due."
    )

    _span = models.UniqueIndex(
        "(days_from, days_to)", "There is already an ageing bucket of these days."
    )

    @api.depends("days_from", "days_to")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for bucket in self:
            if not bucket.days_from:
                bucket.display_name = self.env._("Not due")
            elif bucket.days_to:
                bucket.display_name = f"{bucket.days_from}-{bucket.days_to}"
            else:
                bucket.display_name = f"> {bucket.days_from - 1}"

    @api.model
    def _get_buckets(self, company):
        """The buckets of the company's ageing, not due first; they are made when first needed."""
        edges = company._ar_bucket_edges()
        starts = [1, *(edge + 1 for edge in edges)]
        spans = [(0, 0), *zip(starts, [*edges, 0], strict=True)]
        # Nobody's data: any company that ages so has the same buckets.
        buckets = self.sudo()
        known = {
            (bucket.days_from, bucket.days_to): bucket
            for bucket in buckets.search([("days_from", "in", [start for start, _end in spans])])
        }
        missing = [span for span in spans if span not in known]
        for bucket in buckets.create(
            [{"days_from": start, "days_to": end} for start, end in missing]
        ):
            known[bucket.days_from, bucket.days_to] = bucket
        return self.browse(known[span].id for span in spans)

    def _get_whole_months(self):
        """Whole months after which nothing that was in the bucket is in it any more."""
        self.ensure_one()
        width = self.days_to - self.days_from + 1 if self.days_to else 0
        return max(-(-width // 31), 1)
