from odoo import api, fields, models
from odoo.exceptions import ValidationError

CHANNELS = [
    ("email", "E-mail"),
    ("sms", "SMS"),
    ("letter", "Letter"),
    ("call", "Call"),
    ("visit", "Visit"),
    ("task", "Task"),
]
# Channels that the system can serve by itself; the others are work for a person.
SENDABLE = ("email", "sms", "letter")
CONTACT_ROLES = [
    ("payer_id", "Payer"),
    ("decision_maker_id", "Decision maker"),
    ("deputy_id", "Deputy"),
    ("legal_contact_id", "Legal contact"),
]


class ArCollectionStep(models.Model):
    """One rung of the cadence. Steps of one policy on the same day are taken together."""

    _name = "ar.collection.step"
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
    channel = fields.Selection(CHANNELS, default="email", required=True)
    automatic = fields.Boolean(
        compute="_compute_automatic",
        store=True,
        readonly=False,
        help="Sent by the daily run. Otherwise the collector gets an activity.",
    )
    tone = fields.Selection(
        [
            ("awareness", "Awareness"),
            ("decision", "Decision"),
            ("consequence", "Consequence"),
        ],
        default="awareness",
        required=True,
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
    activity_type_id = fields.Many2one(
        "mail.activity.type", domain=[("res_model", "in", (False, "ar.collection.case"))]
    )
    note = fields.Text(translate=True, help="What the collector has to do; shown in the activity.")
    min_amount = fields.Monetary(help="Customers who owe less skip this step.")
    currency_id = fields.Many2one(related="policy_id.currency_id")
    cc_role = fields.Selection(CONTACT_ROLES, string="Copy To")

    @api.depends("channel", "days")
    def _compute_name(self):
        channels = dict(self._fields["channel"]._description_selection(self.env))
        for step in self:
            step.name = step.name or f"{channels.get(step.channel, '')} {step.days:+d}"

    @api.depends("channel")
    def _compute_templates(self):
        """What is usual for the channel, until somebody chooses better words."""

        def usual(name):
            return self.env.ref(f"ar_collections.{name}", raise_if_not_found=False)

        for step in self:
            step.template_id = step.channel in ("email", "letter") and (
                step.template_id
                or usual(
                    "mail_template_reminder"
                    if step.channel == "email"
                    else "mail_template_formal_letter"
                )
            )
            step.sms_template_id = step.channel == "sms" and (
                step.sms_template_id or usual("sms_template_reminder")
            )
            step.report_id = step.channel == "letter" and (
                step.report_id or usual("report_formal_letter")
            )

    @api.depends("channel")
    def _compute_automatic(self):
        for step in self:
            step.automatic = step.channel in SENDABLE

    @api.constrains("channel", "automatic", "template_id", "sms_template_id", "report_id", "days")
    def _check_complete(self):
        for step in self:
            missing = {
                "email": not step.template_id and self.env._("an e-mail template"),
                "sms": not step.sms_template_id and self.env._("an SMS template"),
                "letter": not (step.template_id and step.report_id)
                and self.env._("an e-mail template and a letter"),
            }.get(step.channel)
            if missing:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” needs %(missing)s.", step=step.name, missing=missing
                    )
                )
            if step.automatic and step.channel not in SENDABLE:
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
