from datetime import timedelta

from odoo import api, fields, models


class ArCollectionExclusion(models.TransientModel):
    _name = "ar.collection.exclusion"
    _description = "Exclude from Follow-up"

    line_ids = fields.Many2many("account.move.line", string="Items", required=True)
    reason = fields.Char(required=True)
    end = fields.Date(
        string="Until", required=True, default=lambda self: self._get_latest_end(self.env.company)
    )

    @api.model
    def _get_latest_end(self, company):
        company = company.root_id
        return company._ar_today() + timedelta(days=company.sudo().ar_exclusion_days)

    def action_exclude(self):
        self.line_ids._exclude_until(self.reason, self.end)
