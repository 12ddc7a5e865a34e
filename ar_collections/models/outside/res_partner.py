from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    ar_insolvency_warning = fields.Char(
        compute="_compute_ar_insolvency_warning",
        groups="base.group_user",
        help="Shown to whoever writes by hand, in the chatter as well; it stops nothing.",
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("allowed_company_ids")
    def _compute_ar_insolvency_warning(self):
        insolvencies = self.env["ar.insolvency"]
        found = insolvencies.sudo().browse()
        for company in self.env.companies.root_id:
            found |= insolvencies._get_open_insolvencies(company, self)
        for partner in self:
            of_partner = found.filtered(
                lambda insolvency, partner=partner: (
                    insolvency.partner_id == partner.commercial_partner_id
                )
            )
            partner.ar_insolvency_warning = of_partner._describe_warning()
