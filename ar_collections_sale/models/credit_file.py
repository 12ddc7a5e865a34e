from odoo import api, models


class ArCreditFile(models.Model):
    _inherit = "ar.credit.file"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS ar_collections: a customer may have ordered before there was a file
        files = super().create(vals_list)
        for company, company_files in files.grouped("company_id").items():
            date = company._ar_get_run_date()
            # The figures are the system's, whoever opens the file.
            self.env["ar.credit.refresh"].sudo()._refresh_orders(
                company, date, company_files.partner_id
            )
        return files
