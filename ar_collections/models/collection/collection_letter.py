from odoo import api, fields, models
from odoo.exceptions import UserError

# How a letter reaches the customer.
LETTER_BY = [("email", "E-mail"), ("print", "Print Batch")]


class ArCollectionStep(models.Model):
    _inherit = "ar.collection.step"

    letter_by = fields.Selection(
        LETTER_BY,
        string="Letter Sent By",
        default="email",
        required=True,
        help="By e-mail with the letter attached, or printed and put into an envelope: then it "
        "waits among the letters to print.",
    )


class ArCollectionAction(models.Model):
    """The letter of an action, and how it gets on paper."""

    _name = "ar.collection.action"
    _inherit = ["ar.collection.action", "ar.letter"]

    letter_by = fields.Selection(
        LETTER_BY,
        string="Letter Sent By",
        compute="_compute_letter_by",
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("step_id", "channel")
    def _compute_letter_by(self):
        for action in self:
            action.letter_by = action.channel == "letter" and (action.step_id.letter_by or "email")

    def _letter_contact(self):
        return self.contact_id or self._recipients("street")[self] or super()._letter_contact()

    def _letter_day(self):
        """The date on the letter: the day on which it is sent."""
        return self.env.context.get("ar_letter_date") or self.date_done or self.date_planned

    def _letter_item_tables(self):
        """What the letter asks for, one table per currency."""
        columns = [
            (self.env._("Invoice"), "text"),
            (self.env._("Date"), "date"),
            (self.env._("Due Date"), "date"),
            (self.env._("Days Overdue"), "days"),
            (self.env._("Amount"), "money"),
            (self.env._("Still Open"), "money"),
        ]
        return self._letter_tables(
            self.env._("Overdue items"),
            columns,
            [
                (
                    item.currency_id,
                    (
                        item.name,
                        item.date,
                        item.due_date,
                        item.days_overdue,
                        item.amount_total,
                        item.residual_currency,
                    ),
                )
                for item in self.item_ids
            ],
        )

    def _postal_contacts(self):
        """``{action: who gets the letter by post}``, nobody without street and city."""
        recipients = self._recipients("street")
        return {
            action: recipients[action].filtered("city") or self.env["res.partner"]
            for action in self
        }

    def _mark_posted(self, date):
        """The printed letters are in the post: a message of the case keeps each of them."""
        messages = self._log_messages(
            [
                {
                    "subject": action.summary,
                    "body": self.env._(
                        "%(letter)s sent by post to %(contact)s.",
                        letter=action.summary,
                        contact=action.contact_id.display_name,
                    ),
                    "message_type": "comment",
                    "attachment_ids": [(6, 0, action.attachment_id.ids)],
                }
                for action in self
            ]
        )
        for action, message in zip(self, messages, strict=True):
            action.message_id = message
        self._mark_done(date, "posted")
        for activity in self.activity_id.filtered("active"):
            activity.action_feedback()

    def action_print_letters(self):
        """Print many letters as one PDF; see ``ar.collection.print``."""
        letters = self.filtered(
            lambda action: action.channel == "letter" and action.state != "cancelled"
        )
        if not letters:
            raise UserError(self.env._("Choose letters: these actions are none, or cancelled."))
        return self.env["ar.collection.print"]._open_for(letters)
