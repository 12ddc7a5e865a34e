from odoo import api, fields, models

HELP = "Shown to whoever writes by hand; it stops nothing."


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    ar_insolvency_warning = fields.Char(compute="_compute_ar_insolvency_warning", help=HELP)

    @api.depends("model", "res_ids")
    def _compute_ar_insolvency_warning(self):
        for composer in self:
            # The model of a template is none of a customer.
            composer.ar_insolvency_warning = self.env["ar.insolvency"]._get_warning(
                composer.model, composer._evaluate_res_ids() if composer.model else []
            )


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

    ar_insolvency_warning = fields.Char(compute="_compute_ar_insolvency_warning", help=HELP)

    @api.depends("res_model", "res_id", "res_ids")
    def _compute_ar_insolvency_warning(self):
        for composer in self:
            composer.ar_insolvency_warning = self.env["ar.insolvency"]._get_warning(
                composer.res_model, composer._get_records().ids if composer.res_model else []
            )
