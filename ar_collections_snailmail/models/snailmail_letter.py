from odoo import fields, models


class SnailmailLetter(models.Model):
    _inherit = "snailmail.letter"

    ar_action_id = fields.Many2one(
        "ar.collection.action", string="Collection Letter", readonly=True, index="btree_not_null"
    )

    def _generate_report_pdf(self, report):
        # EXTENDS snailmail: what goes out is the letter that we keep as proof
        letter = self.ar_action_id.attachment_id
        if letter:
            return letter.name, letter.raw
        return super()._generate_report_pdf(report)

    def _overwrite_margins(self, invoice_bin):
        # EXTENDS snailmail: our letters leave the margins free, there is nothing to whiten
        if self.ar_action_id:
            return invoice_bin
        return super()._overwrite_margins(invoice_bin)
