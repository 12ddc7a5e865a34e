from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL


class ArCollectionCase(models.Model):
    """The memo: what a customer will be charged for being late, as things stand."""

    _inherit = "ar.collection.case"

    amount_charges = fields.Monetary(
        string="Late Charges So Far",
        readonly=True,
        help="Accrued by the last daily run and not invoiced or waived, without taxes.",
    )

    @api.model
    def _refresh_charges(self, company, date, partners=None):
        """Write what has accrued to the open cases, of all customers or some, in one statement."""
        if partners is None:
            self.env["ar.late.charge.rate"].sudo()._follow_due(company, date)
        self.flush_model()
        accrued = SQL("SELECT NULL::int AS partner_id, 0 AS amount WHERE FALSE")
        if company.ar_charge_from:
            accrued = SQL(
                "SELECT partner_id, SUM(allowed_value) AS amount FROM (%s) accrual"
                " GROUP BY partner_id",
                self.env["ar.late.charge.accrual"]._get_accruals_sql(company, date, partners),
            )
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_collection_case kase
               SET amount_charges = fresh.amount
              FROM (
                SELECT known.id, COALESCE(accrued.amount, 0) AS amount
                  FROM ar_collection_case known
                  LEFT JOIN (%s) accrued ON accrued.partner_id = known.partner_id
                 WHERE known.company_id = %s AND known.state <> 'closed' %s
              ) fresh
             WHERE fresh.id = kase.id AND COALESCE(kase.amount_charges, 0) <> fresh.amount
            """,
                accrued,
                company.id,
                SQL()
                if partners is None
                else SQL("AND known.partner_id IN %s", tuple(partners.ids) or (0,)),
            )
        )
        self.invalidate_model(["amount_charges"], flush=False)

    def action_charge(self):
        """Show what the customers of these cases can be charged today."""
        run = self.env["ar.late.charge.run"].create(
            {
                "company_id": self.company_id.ensure_one().id,
                "date": self.company_id._ar_today(),
                "partner_ids": [(6, 0, self.partner_id.ids)],
            }
        )
        run.action_compute()
        return run._get_records_action()

    @api.readonly
    def action_waive_charges(self):
        """Give up what has accrued so far."""
        self.check_access("write")
        self.env["ar.late.charge"]._check_manager()
        return self.env["ar.late.charge"]._get_waive_action(default_case_ids=self.ids)

    @api.readonly
    def action_open_charges(self):
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_late_charge_action"
        ) | {
            "domain": [
                ("partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
            ],
            "context": {},
        }


class ArCollectionAction(models.Model):
    _inherit = "ar.collection.action"

    amount_charges = fields.Monetary(
        string="Late Charges Told",
        readonly=True,
        help="Accrued on the items asked for, on the day of this contact.",
    )

    def _freeze_more(self, date):
        # EXTENDS ar_collections: what the items have accrued, for the letter and as proof
        result = super()._freeze_more(date)
        for company, actions in self.grouped("company_id").items():
            accrued = self.env["ar.late.charge.accrual"]._get_accruals(
                company, date, actions.partner_id
            )
            if not accrued:
                continue
            for action in actions.sudo():
                asked = set(action.item_ids.move_line_id.ids)
                action.amount_charges = sum(
                    accrual.amount_company
                    for accrual in accrued.get(action.partner_id.id, ())
                    if accrual.line_id in asked
                )
        return result


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    ar_late_charge = fields.Monetary(
        string="Late Charges",
        compute="_compute_ar_late_charge",
        currency_field="company_currency_id",
        help="Accrued until today and not invoiced or waived, in company currency.",
    )

    @api.depends("company_id", "partner_id")
    def _compute_ar_late_charge(self):
        charges = defaultdict(float)
        accruals = self.env["ar.late.charge.accrual"]
        for company, lines in self.grouped(lambda line: line.company_id.root_id).items():
            # Whoever sees an item sees what it has accrued.
            company = company.sudo()  # noqa: PLW2901
            if not company.ar_charge_from:
                continue
            for same in accruals._get_accruals(
                company, company._ar_today(), lines.partner_id
            ).values():
                for accrual in same:
                    charges[accrual.line_id] += accrual.amount_company
        for line in self:
            line.ar_late_charge = charges[line._origin.id]
