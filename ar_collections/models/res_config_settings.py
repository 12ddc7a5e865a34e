from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_ageing_days = fields.Char(related="company_id.root_id.ar_ageing_days", readonly=False)
    ar_credit_manager_id = fields.Many2one(
        related="company_id.root_id.ar_credit_manager_id", readonly=False
    )
    ar_score_coverage = fields.Float(related="company_id.root_id.ar_score_coverage", readonly=False)
    ar_promise_grace_days = fields.Integer(
        related="company_id.root_id.ar_promise_grace_days", readonly=False
    )
    ar_dispute_days = fields.Integer(related="company_id.root_id.ar_dispute_days", readonly=False)
