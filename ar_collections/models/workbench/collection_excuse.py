from odoo import fields, models

NEXT_STEPS = [
    ("promise", "Promise with date and amount, else the next stage"),
    ("reorganisation", "Promise, and check the new legal entity"),
    ("credit_review", "Credit review"),
    ("dispute", "Dispute"),
    ("deputy_call", "Deputy, and a call in two days"),
    ("payment_match", "Look for the payment, and a call in two days"),
    ("acknowledgement_plan", "Debt acknowledgement, payment plan, credit hold"),
    ("policy_mail", "Send the credit policy and keep the date"),
    ("resend_invoice", "Send the corrected invoice, and count our own fault"),
    ("other_department", "Another contact, and a call the next day"),
]


class ArCollectionExcuse(models.Model):
    """What debtors say on the telephone, what it means, the answer, and what follows."""

    _name = "ar.collection.excuse"
    _description = "Excuse"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    meaning = fields.Text(translate=True, help="What the excuse tells about the customer.")
    script = fields.Text(
        translate=True,
        help="The answer. $amount, $days, $oldest_due, $invoices, $contact and $company become "
        "those of the customer.",
    )
    questions = fields.Text(translate=True, help="What to ask, one question per line.")
    next_step = fields.Selection(NEXT_STEPS, required=True, default="promise")
    dispute_reason_id = fields.Many2one(
        "ar.dispute.reason", help="Proposed when the next step is a dispute."
    )
    is_own_fault = fields.Boolean(
        string="Own Fault", help="What the customer says is our fault, and is counted as such."
    )

    _code_uniq = models.UniqueIndex(
        "(code, company_id) NULLS NOT DISTINCT", "Another excuse has this code."
    )
