from odoo import api, fields, models


class ArCreditHeld(models.AbstractModel):
    """The credit hold of a customer: part of the credit file."""

    _name = "ar.credit.held"
    _description = "Credit That Can Be Held"

    hold = fields.Boolean(string="Credit Hold", index=True, tracking=True)
    hold_reason = fields.Char(tracking=True)
    hold_date = fields.Date(string="Held Since", readonly=True)
    hold_user_id = fields.Many2one("res.users", string="Held By", readonly=True)
    hold_cause = fields.Selection(
        [
            ("manual", "By hand: lifted by hand"),
            ("stage", "By stage: lifted when the collection case closes"),
            ("rule", "By rule of the grade: lifted when the overdue items are paid"),
        ],
        string="Set",
        readonly=True,
    )
    hold_proposal = fields.Char(
        string="Proposed Hold",
        readonly=True,
        help="Why the credit should be held; a credit manager decides.",
    )

    # Actions

    @api.readonly
    def action_hold(self):
        """Ask for the reason; the wizard holds."""
        self._check_manager()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hold Credit"),
            "res_model": "ar.credit.hold",
            "view_mode": "form",
            "target": "new",
            "context": {"default_file_ids": self.ids},
        }

    @api.readonly
    def action_release_hold(self):
        """Ask for the reason; the wizard lifts the hold, or asks for a second person."""
        action = self.action_hold()
        return {
            **action,
            "name": self.env._("Release Hold"),
            "context": {**action["context"], "default_is_release": True},
        }

    def action_confirm_hold(self):
        """Hold the credit as it was proposed, until the collection case closes."""
        self._check_manager()
        self.check_access("write")
        for (company, reason), files in (
            self.sudo()
            .filtered("hold_proposal")
            .grouped(lambda file: (file.company_id, file.hold_proposal))
            .items()
        ):
            files._set_hold(reason, company._ar_today(), "stage")

    def action_decline_hold(self):
        """Go on giving credit: the stage does not ask again."""
        self._check_manager()
        self.check_access("write")
        files = self.sudo().filtered("hold_proposal")
        files._message_log_batch(
            bodies={file.id: self.env._("Not held: %s", file.hold_proposal) for file in files}
        )
        files.hold_proposal = False

    # Holds

    def _sign_hold(self, hold):
        """Note who set a hold by hand, and when; forget it all when it is lifted."""
        for company, files in self.sudo().grouped("company_id").items():
            if hold:
                files.write(
                    {
                        "hold_date": company._ar_today(),
                        "hold_user_id": self.env.uid,
                        "hold_cause": "manual",
                        "hold_proposal": False,
                    }
                )
            else:
                files._lift_hold()

    def _propose_hold(self, reason):
        """Leave it to a credit manager to hold the credit of who is not held yet."""
        self.filtered(lambda file: not file.hold).hold_proposal = reason

    def _set_hold(self, reason, date, cause="manual"):
        """Hold the customers' credit; a hold that is there stays as it is."""
        files = self.filtered(lambda file: not file.hold)
        # A first run may hold a thousand at once: one batch of log notes instead of tracking.
        files.with_context(tracking_disable=True).write(
            {
                "hold": True,
                "hold_reason": reason,
                "hold_date": date,
                "hold_user_id": self.env.uid,
                "hold_cause": cause,
                "hold_proposal": False,
            }
        )
        body = self.env._("Credit hold: %s", reason)
        files._message_log_batch(bodies=dict.fromkeys(files.ids, body))

    def _lift_hold(self):
        self.write(
            {
                "hold": False,
                "hold_reason": False,
                "hold_date": False,
                "hold_user_id": False,
                "hold_cause": False,
            }
        )
