from odoo import api, fields, models
from odoo.exceptions import AccessError

from .credit_grade import RISK_TIERS


class ArCreditHistory(models.Model):
    """What grade, score, risk and limit a customer had, since when, why and by whom."""

    _name = "ar.credit.history"
    _description = "Credit History"
    _order = "date desc, id desc"
    _rec_name = "file_id"

    file_id = fields.Many2one(
        "ar.credit.file", string="Credit File", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="file_id.partner_id", store=True, index=True)
    company_id = fields.Many2one(related="file_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Datetime(required=True)
    user_id = fields.Many2one("res.users", string="By")
    reason = fields.Char()
    grade_id = fields.Many2one("ar.credit.grade", string="Credit Grade")
    score = fields.Float(aggregator="avg")
    risk_tier = fields.Selection(RISK_TIERS)
    risk_level = fields.Integer(
        aggregator="avg", help="1 low, 2 medium, 3 high: to draw the risk over time."
    )
    is_limited = fields.Boolean()
    effective_limit = fields.Monetary(string="Credit Limit", aggregator="avg")
    group_limit = fields.Monetary(aggregator="avg")

    def write(self, vals):
        self._refuse()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._refuse()

    def _refuse(self):
        if not self.env.su:
            raise AccessError(self.env._("The credit history is never changed."))
