from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..common.amount_scale import scale_domain


class ArCreditCondition(models.AbstractModel):
    """Something that is for the customers of a domain, in one company or in all."""

    _name = "ar.credit.condition"
    _description = "Condition on Customers"

    name = fields.Char(required=True, translate=True)
    company_id = fields.Many2one("res.company", help="Leave empty to share it by all companies.")
    domain = fields.Char(
        string="Customers",
        required=True,
        default="[]",
        help="It applies as long as the credit file is among these.",
    )
    file_model = fields.Char(compute="_compute_file_model")

    def _compute_file_model(self):
        self.file_model = "ar.credit.file"

    @api.constrains("domain")
    def _check_domain(self):
        for condition in self:
            try:
                self.env["ar.credit.file"].search(condition._get_domain(), limit=1)
            except Exception as error:
                raise ValidationError(
                    self.env._(
                        "The customers of “%(name)s” cannot be searched: %(error)s",
                        name=condition.name,
                        error=error,
                    )
                ) from error

    def _get_domain(self):
        """The customers that it is for, in any company that it is of.

        Amounts of a shared one mean what fits the currency of each company.
        """
        domain, company = literal_eval(self.domain), self.company_id
        if company:
            return Domain(domain) & Domain("company_id", "=", company.id)
        files = self.env["ar.credit.file"]._fields
        if scale_domain(domain, 2, files) == domain:
            return Domain(domain)
        companies = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        return Domain.OR(
            Domain(scale_domain(domain, ratio, files)) & Domain("company_id", "in", same.ids)
            for ratio, same in companies.grouped(
                lambda company: company._ar_get_shared_ratio()
            ).items()
        )
