from odoo import fields, models

from ..credit.credit_grade import RISK_TIERS

SOURCES = [("matrix", "Matrix"), ("stage", "Stage of the case"), ("specific", "Specific allowance")]


class ArAllowanceLine(models.Model):
    """What is expected to be lost of one customer's debts of one age."""

    _name = "ar.allowance.line"
    _inherit = ["ar.readonly.mixin"]
    _description = "Allowance by Customer and Bucket"
    _order = "run_id desc, partner_id, bucket_id, id"
    _rec_name = "partner_id"

    run_id = fields.Many2one(
        "ar.allowance.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(related="run_id.date", store=True, index=True)
    state = fields.Selection(related="run_id.state", string="Status")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index=True, ondelete="restrict"
    )
    risk_tier = fields.Selection(RISK_TIERS, readonly=True)
    bucket_id = fields.Many2one(
        "ar.ageing.bucket", required=True, readonly=True, ondelete="restrict"
    )
    gross_amount = fields.Monetary(string="Open Items", readonly=True)
    credit_amount = fields.Monetary(
        string="Credits", readonly=True, help="Unallocated credit, taken off the oldest items."
    )
    covered_amount = fields.Monetary(
        string="Covered",
        readonly=True,
        help="By insurance, guarantee or other cover, spread over all that is owed.",
    )
    exposed_amount = fields.Monetary(string="At Risk", readonly=True)
    rate = fields.Float(readonly=True, aggregator=False)
    source = fields.Selection(SOURCES, string="Rate From", readonly=True)
    specific_id = fields.Many2one(
        "ar.allowance.specific", string="Specific Allowance", readonly=True, ondelete="restrict"
    )
    stage_id = fields.Many2one("ar.collection.stage", readonly=True, ondelete="restrict")
    amount = fields.Monetary(string="Allowance", readonly=True)


class ArAllowanceMovement(models.Model):
    """How the allowance of one customer changed from one run to the next; it always adds up."""

    _name = "ar.allowance.movement"
    _inherit = ["ar.readonly.mixin"]
    _description = "Allowance Movement"
    _order = "run_id desc, closing desc, id"
    _rec_name = "partner_id"

    run_id = fields.Many2one(
        "ar.allowance.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(related="run_id.date", store=True, index=True)
    state = fields.Selection(related="run_id.state", string="Status")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index=True, ondelete="restrict"
    )
    opening = fields.Monetary(readonly=True)
    taken_over = fields.Monetary(
        readonly=True, help="Booked to the allowance account by hand, or before the first run."
    )
    used = fields.Monetary(readonly=True, help="By write-offs.")
    recovered = fields.Monetary(readonly=True, help="Paid after it was written off.")
    added = fields.Monetary(readonly=True)
    released = fields.Monetary(readonly=True)
    closing = fields.Monetary(readonly=True)

    _adds_up = models.Constraint(
        "CHECK(ROUND(opening + taken_over - used + recovered + added - released - closing, 6) = 0)",
        "The movement of an allowance adds up.",
    )
