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

    def _snailmail_print(self, immediate=True):
        # EXTENDS snailmail: what somebody has stopped meanwhile is not fetched
        stopped = self.browse()
        if immediate:
            actions = self.env["ar.collection.sender"]._get_stopped(self.ar_action_id.sudo())
            stopped = self.filtered(lambda letter: letter.ar_action_id in actions)
        return super(SnailmailLetter, self - stopped)._snailmail_print(immediate=immediate)
