from odoo import fields, models


class AccountJournal(models.Model):
    _inherit = "account.journal"

    ar_settlement = fields.Selection(
        selection_add=[("netting", "Netting agreements")],
        ondelete={"netting": lambda journals: journals._compute_ar_settlement()},
    )
