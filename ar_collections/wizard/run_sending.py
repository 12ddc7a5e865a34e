from odoo import Command, api, fields, models
from odoo.exceptions import AccessError

MANAGER = "ar_collections.group_credit_manager"
# What a credit manager sets here, by the field of the company.
SETTINGS = {
    "first_contact": "ar_first_contact",
    "stage_holds": "ar_stage_holds",
    "daily_limit": "ar_daily_limit",
}


class ArCollectionSending(models.TransientModel):
    """Where a company stands: start it, stop it, and see what would go out today."""

    _name = "ar.collection.sending"
    _inherit = "ar.readonly.mixin"
    _description = "Sending"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company.root_id,
    )
    is_started = fields.Boolean(compute="_compute_standing")
    is_stopped = fields.Boolean(compute="_compute_standing")
    standing = fields.Text(string="Where It Stands", compute="_compute_standing")
    run_id = fields.Many2one("ar.collection.run", readonly=True)
    today = fields.Text(compute="_compute_today")
    over_limit_count = fields.Integer(related="run_id.over_limit_count")
    first_contact = fields.Selection(
        lambda self: self.env["res.company"]._fields["ar_first_contact"].selection,
        string="An Old Debt Begins With",
        required=True,
    )
    stage_holds = fields.Selection(
        lambda self: self.env["res.company"]._fields["ar_stage_holds"].selection,
        string="A Stage That Holds Credit",
        required=True,
    )
    daily_limit = fields.Integer(
        string="Messages a Day Without Asking",
        help="Zero for 200, or twice as many as on the largest day so far.",
    )
    channel_ids = fields.One2many("ar.collection.sending.channel", "sending_id")

    @api.depends("company_id", "run_id")
    def _compute_standing(self):
        for sending in self:
            company = sending.company_id.sudo()
            sending.is_started = company._ar_is_started()
            sending.is_stopped = company.ar_sending_stopped
            sending.standing = "\n".join(
                filter(
                    None,
                    (
                        company._ar_get_reason_not_to_send()
                        or self.env._("%s sends what is due, every day.", company.name),
                        not sending.is_started and company._ar_get_obstacle(),
                    ),
                )
            )

    @api.depends("run_id")
    def _compute_today(self):
        """What would go out today, by channel, with the work for people."""
        channels = dict(
            self.env["ar.collection.channel"]._fields["channel"]._description_selection(self.env)
        )
        for sending in self:
            due = sending.run_id.sudo().line_ids.filtered("step_id")
            due = due.filtered(lambda line: not line.wait)
            counts = [
                f"{channels[channel]}: {len(lines)}"
                for channel, lines in due.grouped("channel").items()
            ]
            sending.today = (
                self.env._(
                    "%(customers)s customers. %(counts)s",
                    customers=len(due.partner_id),
                    counts=", ".join(counts),
                )
                if due
                else self.env._("Nothing is due.")
            )

    # Opening

    @api.model
    def action_open(self):
        """Show where the company of the user stands."""
        self.check_access("read")
        company = self.env.company.root_id
        stopped = company._ar_get_stopped_channels()
        # Which company it is nobody says over RPC.
        sending = self.sudo().create(
            {
                "company_id": company.id,
                "channel_ids": [
                    Command.create({"channel": channel, "stopped": channel in stopped})
                    for channel in self.env["ar.collection.channel"]._get_channels()
                ],
                **{name: company.sudo()[field] for name, field in SETTINGS.items()},
            }
        )
        sending = sending.with_env(self.env)
        sending._check_manager()
        sending._look_ahead()
        return sending._show()

    def _look_ahead(self):
        """Preview what today would send, without sending anything."""
        company = self.company_id
        self.sudo().run_id = self.env["ar.collection.run"]._run_for(
            company, company._ar_today(), execute=False
        )

    def _show(self):
        return {
            **self._get_records_action(target="new"),
            "name": self.env._("Sending: %s", self.company_id.name),
        }

    def _check_manager(self):
        """A credit manager decides for the own companies, and nobody for others."""
        self.check_access("read")
        company = self.company_id.root_id
        if not self.env.user.has_group(MANAGER) or company not in (
            self.env.user.company_ids.root_id
        ):
            raise AccessError(
                self.env._("A credit manager of %s decides what it sends.", company.sudo().name)
            )

    # Buttons

    def action_apply(self):
        """Keep the settings that are shown."""
        for sending in self:
            sending._check_manager()
            company = sending.company_id.root_id.sudo()
            stopped = sending.channel_ids.filtered("stopped")
            company.write(
                {
                    "ar_stopped_channels": ",".join(stopped.mapped("channel")),
                    **{field: sending[name] for name, field in SETTINGS.items()},
                }
            )

    def action_start(self):
        """Start the company: what is due today goes out in the next minutes."""
        self.action_apply()
        for sending in self:
            sending._check_manager()
            sending.company_id.root_id.sudo()._ar_start()

    def action_stop(self):
        """Stop everything that the company sends, from the batch under way on."""
        for sending in self:
            sending._check_manager()
            sending.company_id.root_id.sudo().ar_sending_stopped = True

    def action_go_on(self):
        """Let the company send again, what was due meanwhile included."""
        for sending in self:
            sending._check_manager()
            sending.company_id.root_id.sudo().ar_sending_stopped = False
        self.env["ar.collection.run"]._trigger_today()

    def action_lift_limit(self):
        """Let out today what is over the limit of messages a day."""
        for sending in self:
            sending._check_manager()
            sending.run_id.action_lift_limit()

    def action_look(self):
        """Show what would go out today, customer by customer, with the settings that are shown."""
        self.ensure_one()
        self.action_apply()
        self._look_ahead()
        return self.run_id.with_env(self.env)._get_records_action()


class ArCollectionSendingChannel(models.TransientModel):
    """Whether a company may use a channel."""

    _name = "ar.collection.sending.channel"
    _inherit = ["ar.readonly.mixin", "ar.collection.channel"]
    _description = "Channel of Sending"
    _order = "id"

    sending_id = fields.Many2one("ar.collection.sending", readonly=True, ondelete="cascade")
    channel = fields.Selection(readonly=True)
    stopped = fields.Boolean()
