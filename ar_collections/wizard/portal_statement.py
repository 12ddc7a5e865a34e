import base64

from odoo import api, fields, models
from odoo.exceptions import UserError


class ArCollectionStatement(models.TransientModel):
    """Statements of account of some customers: printed as one PDF, or sent by e-mail."""

    _name = "ar.collection.statement"
    _description = "Statement of Account"

    file_ids = fields.Many2many("ar.credit.file", string="Customers", required=True)
    date = fields.Date(
        string="As Of",
        required=True,
        default=lambda self: self.env.company._ar_today(),
        help="Later payments are not in the statement.",
    )
    date_from = fields.Date(
        string="Movements From",
        help="Shows invoices and payments from this day, with the balance before. Leave empty for "
        "open items only.",
    )
    unreachable = fields.Char(string="No E-mail Address", compute="_compute_unreachable")
    document = fields.Binary(string="Statement", attachment=False, readonly=True)
    document_name = fields.Char(readonly=True)

    @api.depends("file_ids")
    def _compute_unreachable(self):
        for wizard in self:
            contacts = wizard.file_ids._get_statement_contacts()
            wizard.unreachable = ", ".join(
                file.partner_id.display_name for file in wizard.file_ids if not contacts[file]
            )

    @api.model
    def _open_for(self, files):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Statement of Account"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_file_ids": files.ids},
        }

    def _dated_files(self):
        self.ensure_one()
        if self.date_from and self.date_from > self.date:
            raise UserError(self.env._("The movements start after the day of the statement."))
        self.file_ids.check_access("read")
        return self.file_ids.with_context(
            ar_statement_date=self.date, ar_statement_from=self.date_from
        )

    def action_print(self):
        """Download the statements as one PDF."""
        files = self._dated_files()
        reports = files.env["ir.actions.report"]
        content, extension = reports._render(
            self.env.ref("ar_collections.report_statement"), files.ids
        )
        name = files.partner_id.name if len(files) == 1 else self.env._("Statements")
        self.write(
            {
                "document": base64.b64encode(content),
                "document_name": f"{name} {self.date}.{extension}",
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content?model={self._name}&id={self.id}&field=document"
            "&filename_field=document_name&download=true",
            "target": "self",
        }

    def action_send(self):
        """Send each customer its statement; those without an address are told before."""
        sent = self._dated_files()._send_statements()
        if not sent:
            raise UserError(self.env._("None of these customers has an e-mail address."))
        return {"type": "ir.actions.act_window_close"}
