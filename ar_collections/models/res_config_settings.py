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
    ar_portal_days = fields.Integer(related="company_id.root_id.ar_portal_days", readonly=False)
    ar_portal_promise_days = fields.Integer(
        related="company_id.root_id.ar_portal_promise_days", readonly=False
    )
    ar_allowance_account_id = fields.Many2one(
        related="company_id.root_id.ar_allowance_account_id", readonly=False
    )
    ar_allowance_expense_account_id = fields.Many2one(
        related="company_id.root_id.ar_allowance_expense_account_id", readonly=False
    )
    ar_allowance_journal_id = fields.Many2one(
        related="company_id.root_id.ar_allowance_journal_id", readonly=False
    )
    ar_reply_pause_days = fields.Integer(
        related="company_id.root_id.ar_reply_pause_days", readonly=False
    )
    ar_escalation_days = fields.Integer(
        related="company_id.root_id.ar_escalation_days", readonly=False
    )
    ar_limitation_years = fields.Integer(
        related="company_id.root_id.ar_limitation_years", readonly=False
    )
    ar_limitation_warning_days = fields.Integer(
        related="company_id.root_id.ar_limitation_warning_days", readonly=False
    )
    ar_writeoff_account_id = fields.Many2one(
        related="company_id.root_id.ar_writeoff_account_id", readonly=False
    )
    ar_recovery_account_id = fields.Many2one(
        related="company_id.root_id.ar_recovery_account_id", readonly=False
    )
    ar_writeoff_journal_id = fields.Many2one(
        related="company_id.root_id.ar_writeoff_journal_id", readonly=False
    )
    ar_writeoff_days = fields.Integer(related="company_id.root_id.ar_writeoff_days", readonly=False)
    ar_writeoff_high_risk = fields.Integer(
        related="company_id.root_id.ar_writeoff_high_risk", readonly=False
    )
    ar_writeoff_free_amount = fields.Float(
        related="company_id.root_id.ar_writeoff_free_amount", readonly=False
    )
    ar_writeoff_gate = fields.Boolean(related="company_id.root_id.ar_writeoff_gate", readonly=False)
