from odoo import api, fields, models

from ..credit.credit_grade import RISK_TIERS

# What a new matrix starts with: the share lost by first day overdue. The middle one follows the
# example of IFRS 9 (B5.5.35) and ends like the practice of Chinese issuers, who provide half or
# more of what is very old.
LADDERS = {
    "low": {0: 0.005, 1: 0.01, 31: 0.02, 61: 0.03, 91: 0.1, 181: 0.3, 366: 0.6},
    "medium": {0: 0.01, 1: 0.02, 31: 0.03, 61: 0.05, 91: 0.2, 181: 0.5, 366: 0.8},
    "high": {0: 0.03, 1: 0.05, 31: 0.1, 61: 0.2, 91: 0.4, 181: 0.8, 366: 1.0},
}


class ArAllowanceRate(models.Model):
    """One cell of the provision matrix: what share of a bucket's debts is lost in the end."""

    _name = "ar.allowance.rate"
    _inherit = ["ar.readonly.mixin", "mail.thread"]
    _description = "Allowance Rate"
    _order = "risk_tier desc, bucket_id, id"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    # Groups stand in the order of the risk, not of the alphabet.
    risk_tier = fields.Selection(RISK_TIERS, required=True, readonly=True, group_expand=True)
    bucket_id = fields.Many2one(
        "ar.ageing.bucket", required=True, readonly=True, ondelete="restrict"
    )
    days_from = fields.Integer(related="bucket_id.days_from")
    rate = fields.Float(required=True, tracking=True, aggregator=False)
    is_used = fields.Boolean(
        string="In Use", readonly=True, default=True, help="The company ages its debts like this."
    )

    _share = models.Constraint("CHECK(rate >= 0 AND rate <= 1)", "A rate is between 0 and 100 %.")
    _cell = models.UniqueIndex(
        "(company_id, risk_tier, bucket_id)", "There is already a rate of this tier and bucket."
    )

    @api.depends("risk_tier", "bucket_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        tiers = dict(self._fields["risk_tier"]._description_selection(self.env))
        for rate in self:
            rate.display_name = self.env._(
                "%(tier)s risk, %(bucket)s",
                tier=tiers.get(rate.risk_tier),
                bucket=rate.bucket_id.display_name,
            )

    @api.model
    def action_open_matrix(self):
        """The matrix of the company, complete for the ageing that it uses now."""
        self._get_matrix(self.env.company.root_id)
        return self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_allowance_rate_action"
        )

    @api.model
    def _get_matrix(self, company):
        """The rates in use; a bucket that is new gets what applied to debts of its age.

        :return: the cells of all tiers, and of all buckets of the company
        """
        buckets = self.env["ar.ageing.bucket"]._get_buckets(company)
        # A matrix with its default rates is there for whoever looks first.
        rates = self.sudo()
        cells = rates.search([("company_id", "=", company.id)])
        known = {(cell.risk_tier, cell.bucket_id): cell for cell in cells}
        ladders = {
            tier: {
                cell.days_from: cell.rate
                for cell in cells
                if cell.risk_tier == tier and cell.is_used
            }
            or ladder
            for tier, ladder in LADDERS.items()
        }
        wanted = [(tier, bucket) for tier in LADDERS for bucket in buckets]
        rates.with_context(mail_create_nolog=True).create(
            [
                {
                    "company_id": company.id,
                    "risk_tier": tier,
                    "bucket_id": bucket.id,
                    "rate": _get_rate_at(ladders[tier], bucket.days_from),
                }
                for tier, bucket in wanted
                if (tier, bucket) not in known
            ]
        )
        gone = cells.filtered(lambda cell: cell.is_used and cell.bucket_id not in buckets)
        gone.is_used = False
        back = cells.filtered(lambda cell: not cell.is_used and cell.bucket_id in buckets)
        back.is_used = True
        return self.search([("company_id", "=", company.id), ("is_used", "=", True)])


def _get_rate_at(ladder, days):
    """The rate of the last rung that is not higher than that many days overdue.

    >>> _get_rate_at({0: 0.01, 31: 0.03}, 45)
    0.03
    """
    return ladder[max((start for start in ladder if start <= days), default=min(ladder))]
