from odoo import fields, models

REASON = {"selection_add": [("new_month", "New month")], "ondelete": {"new_month": "set null"}}


class ArCollectionCase(models.Model):
    _inherit = "ar.collection.case"
    waiting_for = fields.Selection(**REASON)


class ArCollectionRunLine(models.Model):
    _inherit = "ar.collection.run.line"
    wait = fields.Selection(**REASON)


class ArCollectionPlanner(models.AbstractModel):
    _inherit = "ar.collection.planner"

    def _hold_new_month(self, company, date, policies):
        return policies if date.day == 1 else []
