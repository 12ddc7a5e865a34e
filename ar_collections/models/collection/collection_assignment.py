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
    def _assign(self, company, cases=None):
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
                self._share(fitting, users)
                free -= fitting

    @api.model
    def _share(self, cases, users):
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


class ArCollectionCase(models.Model):
    """What is planned on a case goes to whoever takes it over."""

    _inherit = "ar.collection.case"

    def write(self, vals):
        # EXTENDS ar_collections
        former = {case.id: case.collector_id for case in self if vals.get("collector_id")}
        result = super().write(vals)
        if former:
            self._hand_over(former, vals["collector_id"])
        return result

    def _hand_over(self, former, user_id):
        """Give the new collector what the former one, or nobody, has to do on these cases.

        :param former: ``{case id: user}``
        """
        # Who gives a case away has no rights on the activities of others.
        activities = self.env["mail.activity"].sudo()
        activities = activities.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("automated", "=", True),
                ("user_id", "!=", user_id),
            ]
        ).filtered(lambda activity: activity.user_id == former[activity.res_id])
        activities.with_context(mail_activity_quick_update=True).user_id = user_id
