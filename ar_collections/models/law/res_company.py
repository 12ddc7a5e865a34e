from odoo import api, fields, models


class ResCompany(models.Model):
    """By which law a company lives. It is of the root company."""

    _inherit = "res.company"

    ar_country_rule_id = fields.Many2one(
        "ar.country.rule",
        string="Country Pack",
        compute="_compute_ar_country_rule_id",
        store=True,
        readonly=False,
        ondelete="set null",
        index="btree_not_null",
        domain="['|', ('company_id', '=', False), ('company_id', '=', id)]",
        help="What the law says of limitation, late interest, due dates, taxes and papers: "
        "Collections > Configuration > Country Packs.",
    )

    @api.depends("account_fiscal_country_id", "country_id")
    def _compute_ar_country_rule_id(self):
        self._ar_choose_country_rule()

    def _ar_choose_country_rule(self):
        """Give companies the pack of their country."""
        rules = self.env["ar.country.rule"]
        for company in self:
            country = company.account_fiscal_country_id or company.country_id
            if not company.parent_id:
                company.ar_country_rule_id = rules._get_pack(country, company._origin)

    def _ar_get_country_rule(self):
        """The pack of the root company, for whoever needs what it says.

        :return: one record as superuser; without any pack a new one, by the defaults
        """
        rule = self.root_id.sudo().ar_country_rule_id
        return rule or self.env["ar.country.rule"].sudo().new({})


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_country_rule_id = fields.Many2one(
        related="company_id.root_id.ar_country_rule_id", readonly=False
    )
