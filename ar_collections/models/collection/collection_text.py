from odoo import fields, models

# How strongly the customer is spoken to.
TONES = [
    ("awareness", "Awareness"),
    ("decision", "Decision"),
    ("consequence", "Consequence"),
]


class MailTemplate(models.Model):
    """The words of a tone: steps of that tone start with them."""

    _inherit = "mail.template"

    ar_tone = fields.Selection(
        TONES,
        string="Collection Tone",
        help="Collection steps of this tone use the text until another one is chosen for them.",
    )


class SmsTemplate(models.Model):
    """The words of a tone: steps of that tone start with them."""

    _inherit = "sms.template"

    ar_tone = fields.Selection(
        TONES,
        string="Collection Tone",
        help="Collection steps of this tone use the text until another one is chosen for them.",
    )
