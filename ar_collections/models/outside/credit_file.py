from odoo import api, fields, models
from odoo.tools import SQL


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    insolvency_id = fields.Many2one(
        "ar.insolvency", string="Open Insolvency", compute="_compute_insolvency_id"
    )

    @api.depends("partner_id", "company_id")
    def _compute_insolvency_id(self):
        for company, files in self.grouped("company_id").items():
            found = self.env["ar.insolvency"]._get_open_insolvencies(company, files.partner_id)
            insolvencies = {insolvency.partner_id: insolvency for insolvency in found}
            for file in files:
                file.insolvency_id = insolvencies.get(file.partner_id, False)

    def _get_payers(self):
        # EXTENDS ar_collections: agencies and lawyers remit what they collected, also late
        payers = super()._get_payers()
        placements = (
            self.env["ar.placement"]
            .sudo()
            .search(
                [
                    ("company_id", "in", self.company_id.ids),
                    ("partner_id", "in", self.partner_id.ids),
                    ("state", "!=", "draft"),
                ]
            )
            .grouped(lambda placement: (placement.company_id, placement.partner_id))
        )
        for file in self:
            placed = placements.get((file.company_id, file.partner_id))
            if placed:
                payers[file] |= placed.agent_id.commercial_partner_id - file.partner_id
        return payers

    @api.model
    def _get_given_up_sql(self, companies, date, partners):
        """SELECT of ``line_id, root_id, partner_id, due, residual, residual_currency,
        currency_id`` of claims that the books gave up and the customer still owes.

        A hook: nothing until something knows of it.
        """
        return SQL(
            "SELECT NULL::int AS line_id, NULL::int AS root_id, NULL::int AS partner_id,"
            " NULL::date AS due, 0.0 AS residual, 0.0 AS residual_currency,"
            " NULL::int AS currency_id WHERE FALSE"
        )

    def _get_reason_not_to_agree(self):
        # EXTENDS ar_collections: who is insolvent may favour none of its creditors
        insolvency = self.env["ar.insolvency"]._get_open_insolvencies(
            self.company_id, self.partner_id
        )
        if not insolvency:
            return super()._get_reason_not_to_agree()
        return self.env._(
            "%(customer)s is insolvent (%(number)s): no promise or plan is agreed on, the claim is "
            "filed with %(administrator)s.",
            customer=self.partner_id.display_name,
            number=insolvency.name,
            administrator=insolvency.administrator_id.display_name
            or self.env._("the administrator of the insolvency"),
        )
