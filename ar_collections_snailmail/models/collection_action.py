from odoo import fields, models

BY_POST = [("post", "Post Service")]


class ArCollectionStep(models.Model):
    _inherit = "ar.collection.step"

    letter_by = fields.Selection(selection_add=BY_POST, ondelete={"post": "set default"})


class ArCollectionAction(models.Model):
    _inherit = "ar.collection.action"

    letter_by = fields.Selection(selection_add=BY_POST, ondelete={"post": "set null"})
    snailmail_letter_id = fields.Many2one(
        "snailmail.letter", string="Posted Letter", readonly=True, index="btree_not_null"
    )

    def _send_post(self, date):
        """Give the letters to the post service, which fetches them with its own scheduled job.

        The service asks for more than we do to print a letter: without a complete address the
        action fails and says so.
        """
        recipients = self._get_postal_contacts()
        letters = self.env["snailmail.letter"]
        postable = self.filtered(
            lambda action: recipients[action] and letters._is_valid_address(recipients[action])
        )
        (self - postable)._fail(
            self.env._("The address is incomplete: street, zip, city and country are needed."),
            date,
            "address",
        )
        postable._set_contacts(recipients)
        postable._print_letters(date)
        for action, letter in zip(
            postable,
            letters.create([action._prepare_snailmail_values() for action in postable]),
            strict=True,
        ):
            letter.message_id.attachment_ids = action.attachment_id
            action.write({"snailmail_letter_id": letter.id, "message_id": letter.message_id.id})
        postable.snailmail_letter_id._snailmail_print(immediate=False)
        postable._mark_done(date, "posted")

    def _prepare_snailmail_values(self):
        on_case = bool(self.case_id)
        return {
            "partner_id": self.contact_id.id,
            "model": "ar.collection.case" if on_case else "res.partner",
            "res_id": self.case_id.id if on_case else self.partner_id.id,
            "user_id": (self.user_id._ar_at_work(self.company_id) or self.env.user).id,
            "company_id": self.company_id.id,
            "report_template": self.step_id.report_id.id,
            # The company's layout need not have the address where the window is.
            "cover": True,
            "ar_action_id": self.id,
        }
