from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .credit_score import Source


class ArCreditOutlook(models.Model):
    """How an industry or a country is doing: one row rates all its customers."""

    _name = "ar.credit.outlook"
    _description = "Outlook of an Industry or Country"
    _order = "criterion_id, industry_id, country_id, date desc, id"
    _rec_name = "option_id"

    criterion_id = fields.Many2one(
        "ar.credit.criterion",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("kind", "=", "rating")],
    )
    option_id = fields.Many2one(
        "ar.credit.criterion.band",
        string="Rating",
        required=True,
        ondelete="restrict",
        domain="[('criterion_id', '=', criterion_id)]",
    )
    industry_id = fields.Many2one("res.partner.industry", index="btree_not_null")
    country_id = fields.Many2one("res.country", index="btree_not_null")
    company_id = fields.Many2one(
        "res.company",
        domain=[("parent_id", "=", False)],
        help="Leave empty to share it by all companies.",
    )
    date = fields.Date(
        string="As Of", required=True, default=lambda self: self.env.company._ar_today()
    )
    active = fields.Boolean(default=True)
    note = fields.Char(string="Source", help="Where it is from, or why.")

    _one_scope = models.Constraint(
        "CHECK((industry_id IS NULL) <> (country_id IS NULL))",
        "An outlook is of an industry or of a country.",
    )
    _one_a_day = models.UniqueIndex(
        "(criterion_id, industry_id, country_id, company_id, date) NULLS NOT DISTINCT WHERE active",
        "There is an outlook of that day already.",
    )

    @api.constrains("criterion_id", "option_id")
    def _check_option(self):
        for outlook in self:
            if outlook.criterion_id.kind != "rating":
                raise ValidationError(
                    self.env._("“%s” is not rated by people.", outlook.criterion_id.name)
                )
            if outlook.option_id.criterion_id != outlook.criterion_id:
                raise ValidationError(
                    self.env._(
                        "%(option)s is not an option of “%(criterion)s”.",
                        option=outlook.option_id.display_name,
                        criterion=outlook.criterion_id.name,
                    )
                )

    @api.model
    def _get_latest_outlooks(self, files, date):
        """The newest outlook for each customer and criterion, the company's own before shared ones.

        :return: ``{(file id, criterion id): (None, band id, Source)}``
        """
        self.flush_model()
        self.env["res.partner"].flush_model(["industry_id", "country_id"])
        rows = self.env.execute_query(
            SQL(
                """
            SELECT DISTINCT ON (file.id, outlook.criterion_id)
                   file.id, outlook.criterion_id, outlook.option_id, outlook.date
              FROM ar_credit_file file
              JOIN res_partner customer ON customer.id = file.partner_id
              JOIN ar_credit_outlook outlook
                ON outlook.industry_id = customer.industry_id
                OR outlook.country_id = customer.country_id
             WHERE file.id IN %(files)s AND outlook.active AND outlook.date <= %(date)s
               AND COALESCE(outlook.company_id, file.company_id) = file.company_id
             ORDER BY file.id, outlook.criterion_id, outlook.company_id NULLS LAST,
                      outlook.date DESC, outlook.id DESC
            """,
                files=tuple(files.ids) or (0,),
                date=date,
            )
        )
        return {
            (file_id, criterion_id): (None, option_id, Source("outlook", given))
            for file_id, criterion_id, option_id, given in rows
        }
