import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.pdf import merge_pdf


class ArCollectionPrint(models.TransientModel):
    """Print many letters as one PDF, then say that they are in the post."""

    _name = "ar.collection.print"
    _inherit = "ar.readonly.mixin"
    _description = "Print Letters"

    line_ids = fields.One2many("ar.collection.print.line", "print_id", readonly=True)
    state = fields.Selection(
        [("choice", "To Print"), ("printed", "Printed")], default="choice", readonly=True
    )
    letter_count = fields.Integer(string="Letters", compute="_compute_counts")
    missing_count = fields.Integer(string="Without Address", compute="_compute_counts")
    open_count = fields.Integer(string="Not Yet Sent", compute="_compute_counts")
    # Not an attachment: the letters themselves are kept with their actions.
    document = fields.Binary(string="All Letters", attachment=False, readonly=True)
    document_name = fields.Char(readonly=True)

    @api.depends("line_ids.is_printable", "line_ids.action_id.state")
    def _compute_counts(self):
        for wizard in self:
            printable = wizard.line_ids.filtered("is_printable")
            wizard.letter_count = len(printable)
            wizard.missing_count = len(wizard.line_ids) - len(printable)
            wizard.open_count = len(printable.action_id.filtered(self._is_open))

    @api.model
    def _is_open(self, action):
        return action.state in ("planned", "failed")

    @api.model
    def _open_for(self, letters):
        """The wizard for letters; one that has no address is told and left as it is."""
        letters.check_access("write")
        contacts = letters._get_postal_contacts(letters._get_lines_of_now())
        wizard = self.sudo().create(
            {
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "action_id": letter.id,
                            "contact_id": contacts[letter].id,
                            # What was sent is printed as it was, whatever the address is now.
                            "is_printable": bool(
                                (contacts[letter] and letter.step_id.report_id)
                                or (letter.state == "done" and letter.attachment_id)
                            ),
                        },
                    )
                    for letter in letters
                ]
            }
        )
        return wizard.with_env(self.env)._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Print Letters"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_print(self):
        """Print one PDF of all letters that have an address, with the amounts of now.

        Nothing is marked as sent yet. A letter that was sent already is printed as it was.
        """
        self.ensure_one()
        letters = self.line_ids.filtered("is_printable").action_id
        if not letters:
            raise UserError(self.env._("None of these letters has an address."))
        letters.check_access("write")
        for company, same in letters.filtered(self._is_open).grouped("company_id").items():
            date = company._ar_today()
            same._freeze_now(date)
            contacts = same._get_postal_contacts()
            # Letters are kept as proof by the system, like messages.
            same.sudo()._set_contacts(contacts)
            same.sudo()._print_letters(date)
        papers = [letter.attachment_id.raw for letter in letters.sudo() if letter.attachment_id]
        self.sudo().write(
            {
                "state": "printed",
                "document": base64.b64encode(merge_pdf(papers)),
                "document_name": self.env._(
                    "Letters %s.pdf", fields.Date.to_string(letters[:1].company_id._ar_today())
                ),
            }
        )
        return self._reopen()

    def action_download(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/document/{self.document_name}"
            "?download=true",
            "target": "self",
        }

    def action_sent(self):
        """The printed letters are in the post."""
        self.ensure_one()
        if self.state != "printed":
            raise UserError(self.env._("Print the letters first."))
        letters = self.line_ids.filtered("is_printable").action_id.filtered(self._is_open)
        letters.check_access("write")
        sender = self.env["ar.collection.sender"].sudo()
        for company, same in letters.sudo().grouped("company_id").items():
            sender._mark_posted(same, company._ar_today())
        return {"type": "ir.actions.act_window_close"}


class ArCollectionPrintLine(models.TransientModel):
    _name = "ar.collection.print.line"
    _inherit = "ar.readonly.mixin"
    _description = "Letter to Print"
    _order = "is_printable, id"

    print_id = fields.Many2one("ar.collection.print", readonly=True, ondelete="cascade")
    action_id = fields.Many2one(
        "ar.collection.action", string="Letter", readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(related="action_id.partner_id")
    contact_id = fields.Many2one("res.partner", string="Addressed To", readonly=True)
    address = fields.Char(compute="_compute_address")
    state = fields.Selection(related="action_id.state")
    is_printable = fields.Boolean(string="Printed", readonly=True)

    @api.depends("contact_id")
    def _compute_address(self):
        for line in self:
            line.address = line.contact_id.contact_address_inline or self.env._(
                "No address: enter street and city, then print it again."
            )
