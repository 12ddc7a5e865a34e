from ast import literal_eval

from odoo import api, fields, models


class ArCollectionAssignment(models.Model):
    """Whose cases these are: of several collectors, whoever has the fewest."""

    _name = "ar.collection.assignment"
    _inherit = "ar.case.rule"
    _description = "Assignment of Collectors"

    domain = fields.Char(help="By segment, amount, region, risk...")
    user_ids = fields.Many2many(
        "res.users", string="Collectors", domain=[("share", "=", False)], required=True
    )

    @api.model
    def _assign_collectors(self, company, cases=None):
        """Give cases to those whom the rules name; the first rule that fits a case decides.

        Collectors who do not work for the company get none of its cases.

        :param cases: open cases to be assigned anew, by default all that nobody has
        """
        every = self.env["ar.collection.case"].sudo()
        free = every.search(
            [
                ("company_id", "=", company.id),
                ("state", "!=", "closed"),
                ("id", "in", cases.ids) if cases is not None else ("collector_id", "=", False),
            ]
        )
        rules = self.search([("company_id", "in", (company.id, False))]) if free else self
        for rule in rules:
            # Who works where is not a secret of the users' administration.
            users = rule.user_ids.filtered(lambda user: company in user.sudo().company_ids)
            if users:
                fitting = free.filtered_domain(literal_eval(rule.domain))
                self._share_cases(fitting, users)
                free -= fitting

    @api.model
    def _share_cases(self, cases, users):
        """Share open cases among collectors: who has the fewest gets the next one."""
        # Everybody's workload counts, also of cases that the user may not see.
        every = self.env["ar.collection.case"].sudo()
        load = dict.fromkeys(users, 0) | dict(
            every._read_group(
                [
                    ("state", "!=", "closed"),
                    ("collector_id", "in", users.ids),
                    ("id", "not in", cases.ids),
                ],
                ["collector_id"],
                ["__count"],
            )
        )
        chosen = dict.fromkeys(users, cases.browse())
        for case in cases:
            user = min(users, key=lambda user: (load[user], user.id))
            load[user] += 1
            chosen[user] |= case
        for user, assigned in chosen.items():
            assigned.filtered(lambda case, user=user: case.collector_id != user).collector_id = user
