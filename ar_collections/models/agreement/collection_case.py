from odoo import api, fields, models
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

    promise_ids = fields.One2many("ar.payment.promise", "case_id", string="Promises")
    plan_ids = fields.One2many("ar.payment.plan", "case_id", string="Payment Plans")
    acknowledgement_ids = fields.One2many(
        "ar.debt.acknowledgement", "case_id", string="Debt Acknowledgements"
    )
    dispute_ids = fields.One2many("ar.dispute", "case_id", string="Disputes")
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

    @api.readonly
    def action_promise(self):
        """Enter what the customer promises, proposed as all that may be asked for now."""
        self.ensure_one()
        form = self.env.ref("ar_collections.ar_payment_promise_view_form_new")
        currency, amount = self._get_main_demand()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Promise to Pay"),
            "res_model": "ar.payment.promise",
            "view_mode": "form",
            "views": [(form.id, "form")],
            "target": "new",
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
                "default_currency_id": currency.id,
                "default_amount": currency.round(amount),
            },
        }

    def action_plan(self):
        """Draft a payment plan over the customer's overdue items, one for each currency."""
        return self._draft_plans()._get_records_action(name=self.env._("Payment Plans"))

    @api.readonly
    def action_dispute(self):
        """Record what the customer objects to."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Dispute"),
            "res_model": "ar.dispute",
            "view_mode": "form",
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
            },
        }

    def action_acknowledgement(self):
        """Draft an acknowledgement of all that the customer owes."""
        self.ensure_one()
        acknowledgement = self.env["ar.debt.acknowledgement"].create(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id}
        )
        return acknowledgement._get_records_action()

    @api.readonly
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
                for currency in self._get_demand_by_currency() or self.currency_id
            ]
        )

    def _get_main_demand(self):
        """``(currency, amount)`` of a promise to propose: that of the largest debt."""
        return next(
            iter(self._get_demand_by_currency().items()), (self.currency_id, self.amount_demand)
        )

    def _get_demand_by_currency(self):
        """``{currency: what may be asked for now}``, the largest in company currency first."""
        self.ensure_one()
        totals = {}
        items = self.env["ar.position"]._items(
            self.company_id, self.company_id._ar_today(), self.partner_id, current=True
        )
        for item in items.get((self.company_id.id, self.partner_id.id), ()):
            if item.days_overdue and item.demand > 0:
                company, own = totals.get(item.currency_id, (0, 0))
                totals[item.currency_id] = company + item.demand, own + item.demand_currency
        ranked = sorted(totals.items(), key=lambda total: -total[1][0])
        currencies = self.env["res.currency"]
        return {currencies.browse(id_): own for id_, (_company, own) in ranked}
