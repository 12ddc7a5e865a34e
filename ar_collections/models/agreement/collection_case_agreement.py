from odoo import fields, models
from odoo.exceptions import UserError

# What a case shows of each: the field with the number, the model.
AGREEMENTS = {
    "promise_count": "ar.payment.promise",
    "plan_count": "ar.payment.plan",
    "dispute_count": "ar.dispute",
    "acknowledgement_count": "ar.debt.acknowledgement",
}


class ArCollectionCase(models.Model):
    """What was agreed with the customer of a case, in this one and in former ones."""

    _inherit = "ar.collection.case"

    promise_count = fields.Integer(compute="_compute_agreements")
    plan_count = fields.Integer(compute="_compute_agreements")
    dispute_count = fields.Integer(compute="_compute_agreements")
    acknowledgement_count = fields.Integer(compute="_compute_agreements")

    def _compute_agreements(self):
        for name, model in AGREEMENTS.items():
            counts = dict(
                self.env[model]._read_group(
                    [("file_id", "in", self.file_id.ids)], ["file_id"], ["__count"]
                )
            )
            for case in self:
                case[name] = counts.get(case.file_id, 0)

    def action_open_agreements(self):
        """The list of what the button's context names; see ``AGREEMENTS``."""
        self.ensure_one()
        model = AGREEMENTS.get(self.env.context.get("ar_agreements"))
        if not model:
            raise UserError(self.env._("Choose promises, plans, disputes or acknowledgements."))
        records = self.env[model].search([("file_id", "=", self.file_id.id)])
        return records._get_records_action(name=self.env[model]._description)

    def _draft_plans(self, **values):
        """A payment plan over the customer's overdue items for each of their currencies.

        :param values: what else the plans have
        """
        self.ensure_one()
        return self.env["ar.payment.plan"].create(
            [
                {
                    "partner_id": self.partner_id.id,
                    "company_id": self.company_id.id,
                    "currency_id": currency.id,
                    **values,
                }
                for currency in self._demand_by_currency() or self.currency_id
            ]
        )

    def _main_demand(self):
        """``(currency, amount)`` of a promise to propose: that of the largest debt."""
        return next(
            iter(self._demand_by_currency().items()), (self.currency_id, self.amount_demand)
        )

    def _demand_by_currency(self):
        """``{currency: what may be asked for now}``, the largest in company currency first."""
        self.ensure_one()
        totals = {}
        items = self.env["ar.position"]._items(
            self.company_id, self.company_id._ar_today(), self.partner_id
        )
        for item in items.get((self.company_id.id, self.partner_id.id), ()):
            if item.days_overdue and item.demand > 0:
                company, own = totals.get(item.currency_id, (0, 0))
                totals[item.currency_id] = company + item.demand, own + item.demand_currency
        ranked = sorted(totals.items(), key=lambda total: -total[1][0])
        currencies = self.env["res.currency"]
        return {currencies.browse(id_): own for id_, (_company, own) in ranked}
