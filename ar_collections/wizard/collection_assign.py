from odoo import Command, fields, models


class ArCollectionAssign(models.TransientModel):
    """Give cases to collectors: by hand, or as the rules say."""

    _name = "ar.collection.assign"
    _description = "Assign Collectors"

    case_ids = fields.Many2many("ar.collection.case", required=True, readonly=True)
    user_ids = fields.Many2many(
        "res.users",
        string="Collectors",
        domain=[("share", "=", False)],
        default=lambda self: [Command.set(self.env.user.ids)],
        help="Several share the cases: whoever has the fewest gets the next one. Nobody: as the "
        "rules say.",
    )

    def action_assign(self):
        """Share the open ones of these cases; what was assigned before is assigned anew."""
        cases = self.case_ids.filtered(lambda case: case.state != "closed")
        cases.check_access("write")
        assignments = self.env["ar.collection.assignment"]
        if self.user_ids:
            assignments._give(assignments._share_cases(cases, self.user_ids))
        else:
            for company, same in cases.grouped("company_id").items():
                assignments._assign_collectors(company, same)
