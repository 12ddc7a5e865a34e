from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import Stream

# What would make another file of it.
CONTENT = {"raw", "datas", "db_datas", "store_fname", "res_model", "res_id", "res_field", "type"}


class Download(Stream):
    """What is saved by the browser and never shown in our own pages."""

    def get_response(self, as_attachment=None, **kwargs):
        """Send it as a file, whatever the address asks for."""
        return super().get_response(as_attachment=True, **kwargs)


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    ar_from_customer = fields.Boolean(string="Sent by a Customer", readonly=True)

    def write(self, vals):
        # EXTENDS base
        if not self.env.su and not CONTENT.isdisjoint(vals):
            self._ar_check_no_proof()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_proof(self):
        if not self.env.su:
            self._ar_check_no_proof()

    def _ar_check_no_proof(self):
        """Letters and pictures of contacts that took place, and signed papers, stay as they are."""
        papers = self.env["ar.signable"]._inherit_children
        for file in self.sudo():
            model = file.res_model
            is_paper = model in papers and file.res_field == "signed_document"
            if not (is_paper or model == "ar.collection.action"):
                continue
            record = self.env[model].sudo().browse(file.res_id).exists()
            if record and (record.signed_on if is_paper else record._is_proof()):
                raise UserError(
                    self.env._(
                        "%(file)s is proof of %(record)s: it stays as it is.",
                        file=file.name,
                        record=record.display_name,
                    )
                )

    def _to_http_stream(self):
        # EXTENDS base
        stream = super()._to_http_stream()
        if self.ar_from_customer and stream.type != "url":
            return Download(**vars(stream))
        return stream
