from odoo import fields, models


class ArItemCopy(models.AbstractModel):
    """An open item as it was on one day; what happens to the item later does not change it."""

    _name = "ar.item.copy"
    _inherit = "ar.readonly.mixin"
    _description = "Copy of an Open Item"
    _order = "due_date, id"

    company_id = fields.Many2one("res.company", readonly=True)
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal Item",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    name = fields.Char(string="Number", readonly=True)
    date = fields.Date(readonly=True)
    due_date = fields.Date(readonly=True)
    residual_currency = fields.Monetary(string="Due in Currency", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    residual = fields.Monetary(
        string="Residual in Company Currency",
        readonly=True,
        currency_field="company_currency_id",
    )
