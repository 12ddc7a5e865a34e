from odoo import api, models


class ArCollectionPlanner(models.AbstractModel):
    _inherit = "ar.collection.planner"

    @api.model
    def _get_claim_ends(self, company, date, case_ids):
        # EXTENDS ar_collections: the day of a promise, an instalment or the answer to a dispute
        ends = super()._get_claim_ends(company, date, case_ids)
        files = self.env["ar.collection.case"].browse(case_ids).file_id
        if not files:
            return ends
        case_ids = dict(
            self.env["ar.collection.case"]._read_group(
                [("id", "in", case_ids)], ["file_id"], ["id:min"]
            )
        )
        for model, day, plan in (
            ("ar.payment.promise", "date", ""),
            ("ar.dispute", "target_date", ""),
            ("ar.payment.plan.line", "date", "plan_id."),
        ):
            for record in self.env[model].search(
                [
                    (f"{plan}file_id", "in", files.ids),
                    (f"{plan}state", "=", "accepted" if plan else "open"),
                    (day, ">", date),
                ]
            ):
                case_id = case_ids[record.plan_id.file_id if plan else record.file_id]
                ends[case_id] = min(record[day], ends.get(case_id, record[day]))
        return ends
