from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    ar_promise_memory_days = fields.Integer(
        string="Memory of Promises (days)",
        default=365,
        help="A promise or payment plan that was not kept is held against the customer for so "
        "long.",
    )

    _ar_promise_memory = models.Constraint(
        "CHECK(ar_promise_memory_days > 0)", "A promise is remembered for one day at least."
    )
