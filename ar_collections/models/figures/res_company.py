from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache


class ResCompany(models.Model):
    """How receivables are aged, and how long money on its way counts."""

    _inherit = "res.company"

    ar_ageing_days = fields.Char(
        string="Ageing Buckets",
        default="30,60,90,180",
        help="Last day of each ageing bucket, separated by commas. "
        "30,60,90,180 gives: not due, 1-30, 31-60, 61-90, 91-180, over 180 days.",
    )

    ar_in_process_days = fields.Integer(
        string="Payments in Process",
        default=10,
        help="So many days after its date, a payment that is in process and not booked yet is "
        "taken off what is asked for. Then it is asked for again.",
    )

    _ar_in_process_days_positive = models.Constraint(
        "CHECK(ar_in_process_days >= 0)",
        "The days that a payment in process counts cannot be negative.",
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

    def _ar_get_tree(self):
        """These root companies with all their branches, archived ones too."""
        return self.browse(self._ar_get_tree_ids())

    @ormcache("tuple(self.ids)")
    def _ar_get_tree_ids(self):
        companies = self.sudo().with_context(active_test=False)
        return tuple(companies.search([("id", "child_of", self.ids)]).ids)


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_ageing_days = fields.Char(related="company_id.root_id.ar_ageing_days", readonly=False)
    ar_in_process_days = fields.Integer(
        related="company_id.root_id.ar_in_process_days", readonly=False
    )
