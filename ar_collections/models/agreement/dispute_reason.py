from odoo import fields, models


class ArDisputeReason(models.Model):
    """What customers object to, who deals with it and how soon."""

    _name = "ar.dispute.reason"
    _description = "Dispute Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    own_fault = fields.Boolean(
        help="Counted as a fault of ours, unless the root cause that is found says otherwise."
    )
    owner_id = fields.Many2one(
        "res.users",
        domain=[("share", "=", False)],
        help="Deals with disputes of this reason. Without one the customer's collector does.",
    )
    target_days = fields.Integer(
        string="To Be Solved in (days)", default=10, help="After that the dispute is escalated."
    )
    evidence = fields.Text(
        translate=True, help="What the customer has to show; shown on the dispute."
    )
    cause_ids = fields.One2many("ar.dispute.cause", "reason_id", string="Root Causes")

    _code_uniq = models.UniqueIndex(
        "(code, company_id) NULLS NOT DISTINCT", "Another dispute reason has this code."
    )
    _target = models.Constraint("CHECK(target_days >= 0)", "Days cannot be negative.")


class ArDisputeCause(models.Model):
    """Why it came to a dispute, as found out."""

    _name = "ar.dispute.cause"
    _description = "Root Cause of Disputes"
    _order = "reason_id, sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    reason_id = fields.Many2one("ar.dispute.reason", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="reason_id.company_id", store=True)
    own_fault = fields.Boolean(default=True)
