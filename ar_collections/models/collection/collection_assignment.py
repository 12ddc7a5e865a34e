from ast import literal_eval
from collections import Counter

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
    lead_id = fields.Many2one(
        "res.users",
        string="Team Lead",
        domain=[("share", "=", False)],
        help="Gets the cases when none of the collectors works for the company any more.",
    )

    @api.model
    def _assign_collectors(self, company, cases=None):
        """Give cases to those whom the rules name; see ``_get_collectors``.

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
        self._give(self._get_collectors(company, free))

    @api.model
    def _get_collectors(self, company, cases):
        """Whose cases these are: the first rule that fits a case and has somebody decides.

        Collectors who do not work for the company get none of its cases, their lead does.

        :return: ``{case: user}``, without cases that no rule is for
        """
        collectors = {}
        rules = self.search([("company_id", "in", (company.id, False))]) if cases else self
        for rule in rules:
            users = rule.user_ids._ar_at_work(company) or rule.lead_id._ar_at_work(company)
            if users:
                fitting = cases.filtered_domain(literal_eval(rule.domain))
                collectors |= self._share_cases(fitting, users, Counter(collectors.values()))
                cases -= fitting
        return collectors

    @api.model
    def _share_cases(self, cases, users, given=()):
        """Share open cases among collectors: who has the fewest gets the next one.

        :param given: ``{user: number}`` of other cases that they are about to get
        :return: ``{case: user}``
        """
        # Everybody's workload counts, also of cases that the user may not see.
        every = self.env["ar.collection.case"].sudo()
        load = Counter(given) + Counter(
            dict(
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
        )
        shares = {}
        for case in cases:
            user = min(users, key=lambda user: (load[user], user.id))
            load[user] += 1
            shares[case] = user
        return shares

    @api.model
    def _give(self, shares):
        """Write down who the collectors of cases are, in one go for each.

        :param shares: ``{case: user}``
        """
        new = [case.id for case, user in shares.items() if case.collector_id != user]
        cases = next(iter(shares)).browse(new) if shares else self.env["ar.collection.case"]
        for user, same in cases.grouped(shares.get).items():
            same.collector_id = user
