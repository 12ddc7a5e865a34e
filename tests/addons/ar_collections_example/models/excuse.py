from odoo import fields, models


class ArCollectionExcuse(models.Model):
    _inherit = "ar.collection.excuse"

    next_step = fields.Selection(
        selection_add=[("wait_week", "A call in a week")], ondelete={"wait_week": "set default"}
    )


class ArCollectionAction(models.Model):
    _inherit = "ar.collection.action"

    def _next_wait_week(self, date):
        self.sudo()._call_again(self.company_id._ar_working_day(date, 5))
