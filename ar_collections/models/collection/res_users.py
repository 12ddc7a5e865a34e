from odoo import api, models

from ..credit.res_users import COLLECTOR, Post


class ResUsers(models.Model):
    """Cases and contacts go to who is next by the rules of assignment."""

    _inherit = "res.users"

    @api.model
    def _ar_get_posts(self):
        # EXTENDS ar_collections: cases first, what belongs to them follows
        return [
            *super()._ar_get_posts(),
            Post("ar.collection.case", "collector_id", [("state", "!=", "closed")], COLLECTOR),
            Post("ar.credit.file", "collector_id", [], COLLECTOR),
            Post(
                "ar.collection.action",
                "user_id",
                [("state", "in", ("planned", "failed"))],
                COLLECTOR,
            ),
        ]

    @api.model
    def _ar_get_next(self, company, records, field):
        # EXTENDS ar_collections: what is about a case goes to its collector
        successors = super()._ar_get_next(company, records, field)
        cases = self.env["ar.collection.case"]
        if records._name == cases._name and field == "collector_id":
            return successors | self.env["ar.collection.assignment"]._get_collectors(
                company, records
            )
        if records._name == cases._name:
            cases = {case: case for case in records}
        elif records._name == "ar.credit.file" and field == "collector_id":
            # Without a case nobody is needed: the rules say who is when there is one.
            successors = dict.fromkeys(records, self.browse())
            found = cases.search([("file_id", "in", records.ids), ("state", "!=", "closed")])
            cases = {case.file_id.with_env(records.env): case for case in found}
        elif records._name == "ar.collection.action":
            cases = {action: action.case_id for action in records}
        elif isinstance(records, self.env.registry["ar.case.record"]):
            cases = records._open_cases()
        else:
            return successors
        collectors = {
            record: case.collector_id._ar_at_work(company) for record, case in cases.items()
        }
        return successors | {record: user for record, user in collectors.items() if user}
