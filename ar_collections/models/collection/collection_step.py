from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .collection_text import TONES

CONTACT_ROLES = [
    ("payer_id", "Payer"),
    ("decision_maker_id", "Decision maker"),
    ("deputy_id", "Deputy"),
    ("legal_contact_id", "Legal contact"),
]


# How a letter reaches the customer.
LETTER_BY = [("email", "E-mail"), ("print", "Print Batch")]
# What says the words of a step; which of them it needs depends on its channel.
TEXTS = ("template_id", "sms_template_id", "report_id")


class ArCollectionStep(models.Model):
    """One contact of the cadence. Steps of one policy on the same day are taken together."""

    _name = "ar.collection.step"
    _inherit = "ar.collection.channel"
    _description = "Collection Step"
    _order = "policy_id, days, sequence, id"

    name = fields.Char(
        compute="_compute_name",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        translate=True,
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(
        default=True, help="An archived step is passed over; what it did before is kept."
    )
    policy_id = fields.Many2one(
        "ar.collection.policy", required=True, ondelete="cascade", index=True
    )
    days = fields.Integer(
        required=True,
        help="Days after the due date of the oldest overdue item; negative for a courtesy "
        "message before an item falls due.",
    )
    stage_id = fields.Many2one(
        "ar.collection.stage", ondelete="restrict", help="The case enters this stage."
    )
    channel = fields.Selection(default="email", required=True)
    automatic = fields.Boolean(
        compute="_compute_automatic",
        store=True,
        readonly=False,
        help="Sent by the daily run. Otherwise the collector gets an activity.",
    )
    tone = fields.Selection(
        TONES,
        default="awareness",
        required=True,
        help="How strongly the customer is spoken to; another tone brings its own texts.",
    )
    template_id = fields.Many2one(
        "mail.template",
        string="E-mail Template",
        compute="_compute_templates",
        store=True,
        precompute=True,
        readonly=False,
        domain=[("model", "=", "ar.collection.action")],
        ondelete="restrict",
    )
    sms_template_id = fields.Many2one(
        "sms.template",
        string="SMS Template",
        compute="_compute_templates",
        store=True,
        precompute=True,
        readonly=False,
        domain=[("model", "=", "ar.collection.action")],
        ondelete="restrict",
    )
    report_id = fields.Many2one(
        "ir.actions.report",
        string="Letter",
        compute="_compute_templates",
        store=True,
        precompute=True,
        readonly=False,
        domain=[("model", "=", "ar.collection.action")],
        ondelete="restrict",
        help="Printed and attached to the e-mail.",
    )
    letter_by = fields.Selection(
        LETTER_BY,
        string="Letter Sent By",
        default="email",
        required=True,
        help="By e-mail with the letter attached, or printed and put into an envelope: then it "
        "waits among the letters to print.",
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type", domain=[("res_model", "in", (False, "ar.collection.case"))]
    )
    note = fields.Text(translate=True, help="What the collector has to do; shown in the activity.")
    min_amount = fields.Monetary(help="Customers who owe less skip this step.")
    currency_id = fields.Many2one(related="policy_id.currency_id")
    cc_role = fields.Selection(CONTACT_ROLES, string="Copy To")

    def _get_min_amount(self, company):
        """The smallest debt for which the step is taken, as it counts in a company."""
        self.ensure_one()
        return company._ar_get_amount(self.min_amount, self.policy_id.company_id)

    @api.depends("channel", "days")
    def _compute_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for step in self:
            step.name = step.name or f"{channels.get(step.channel, '')} {step.days:+d}"

    @api.depends("channel", "tone")
    def _compute_templates(self):
        """What is usual for channel and tone, until somebody chooses better words."""
        for step in self:
            usual = step._get_channel(step.channel).texts
            for name in TEXTS:
                text = step[name]
                if name not in usual:
                    step[name] = False
                elif name == "report_id" or not text:
                    step[name] = (
                        text
                        or step._get_toned_text(name)
                        or self.env.ref(usual[name], raise_if_not_found=False)
                    )
                elif text.ar_tone and text.ar_tone != step.tone:
                    step[name] = step._get_toned_text(name) or text

    def _get_toned_text(self, name):
        """The first text of the step's tone; letters are paper, whatever the tone."""
        self.ensure_one()
        texts = self.env[self._fields[name].comodel_name]
        if "ar_tone" not in texts._fields or self.channel == "letter":
            return texts
        return texts.search(
            [("model", "=", "ar.collection.action"), ("ar_tone", "=", self.tone)],
            order="id",
            limit=1,
        )

    @api.depends("channel")
    def _compute_automatic(self):
        for step in self:
            step.automatic = step._get_channel(step.channel).is_automatic

    @api.constrains("channel", "automatic", "template_id", "sms_template_id", "report_id", "days")
    def _check_complete(self):
        for step in self:
            channel = step._get_channel(step.channel)
            missing = ", ".join(
                step._fields[name]._description_string(self.env)
                for name in channel.texts
                if not step[name]
            )
            if missing:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” needs %(missing)s.", step=step.name, missing=missing
                    )
                )
            if step.automatic and not channel.is_automatic:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” is work for a person: it cannot be automatic.",
                        step=step.name,
                    )
                )
            if step.days <= 0 and not step.automatic:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” comes before any item is overdue, when there is no case "
                        "yet: it can only be an automatic message.",
                        step=step.name,
                    )
                )
