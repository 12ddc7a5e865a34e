from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class ArCollectionLetter(models.TransientModel):
    """Choose a letter of the case's policy; it becomes a planned action that can be looked at."""

    _name = "ar.collection.letter"
    _description = "Write a Letter"

    case_id = fields.Many2one("ar.collection.case", required=True)
    policy_id = fields.Many2one(related="case_id.policy_id")
    step_id = fields.Many2one(
        "ar.collection.step",
        string="Letter",
        compute="_compute_step_id",
        store=True,
        readonly=False,
        required=True,
        domain="[('policy_id', '=', policy_id), ('channel', '=', 'letter')]",
        help="The letters of the case's collection policy.",
    )

    warning = fields.Char(compute="_compute_warning", help="It stops nothing.")

    @api.depends("case_id")
    def _compute_warning(self):
        for wizard in self:
            wizard.warning = wizard.case_id._get_writing_warning()

    @api.depends("case_id")
    def _compute_step_id(self):
        """The first letter that this case has not had yet."""
        for wizard in self:
            letters = wizard.policy_id.step_ids.filtered(lambda step: step.channel == "letter")
            had = wizard.case_id.action_ids.filtered(lambda action: action.state != "cancelled")
            wizard.step_id = (letters - had.step_id)[:1] or letters[:1]

    def action_write(self):
        """Plan the letter for today and open it."""
        self.ensure_one()
        case = self.case_id
        case.check_access("write")
        case._check_not_closed()
        self._check_step()
        # Which step an action belongs to is the system's to write.
        letter = (
            self.env["ar.collection.action"]
            .sudo()
            .create(
                {
                    "company_id": case.company_id.id,
                    "partner_id": case.partner_id.id,
                    "case_id": case.id,
                    "step_id": self.step_id.id,
                    "rung": self.step_id.days,
                    "channel": "letter",
                    "user_id": self.env.uid,
                    "date_planned": case.company_id._ar_today(),
                }
            )
            .with_env(self.env)
        )
        letter._freeze_now(letter.date_planned)
        return letter._get_records_action()

    def _check_step(self):
        if self.step_id.policy_id != self.policy_id or self.step_id.channel != "letter":
            raise UserError(self.env._("Choose a letter of the policy of this case."))
        former = self.case_id.action_ids.filtered(
            lambda action: (
                action.step_id == self.step_id
                and action.state != "cancelled"
                and action.due_date == self.case_id.demand_due_date
            )
        )[:1]
        if former:
            raise UserError(
                self.env._(
                    "“%(letter)s” was written on %(date)s for the same items. Open it in the "
                    "actions of the case, or choose another letter.",
                    letter=self.step_id.name,
                    date=format_date(self.env, former.date_planned),
                )
            )
