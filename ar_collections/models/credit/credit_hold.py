from odoo import api, fields, models
from odoo.tools import SQL, format_amount


class ArCreditFile(models.Model):
    """Stopping a customer's credit: by hand, by a collection stage, by the rule of the grade."""

    _inherit = "ar.credit.file"

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

    def action_hold(self):
        """Ask for the reason; the wizard holds."""
        self._check_manager()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hold Credit"),
            "res_model": "ar.credit.hold",
            "view_mode": "form",
            "target": "new",
            "context": {"default_file_ids": self.ids},
        }

    def action_release_hold(self):
        self._check_manager()
        self.check_access("write")
        self.sudo()._lift_hold()

    def _sign_hold(self, hold):
        """Note who set a hold by hand, and when; forget it all when it is lifted."""
        for company, files in self.sudo().grouped("company_id").items():
            if hold:
                files.write(
                    {
                        "hold_date": company._ar_today(),
                        "hold_user_id": self.env.uid,
                        "hold_cause": "manual",
                    }
                )
            else:
                files._lift_hold()

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

    @api.model
    def _apply_hold_rules(self, company, date, partners=None):
        """Hold whom the rule of the grade holds; lift holds by rule whose cause has ended."""
        self.env["ar.credit.file"].flush_model()
        self.env["ar.credit.grade"].flush_model()
        scope = SQL()
        if partners is not None:
            scope = SQL("AND file.partner_id IN %s", tuple(partners.ids) or (0,))
        rows = self.env.execute_query(
            SQL(
                """
            SELECT file.id, caused.held
              FROM ar_credit_file file
              LEFT JOIN ar_credit_grade grade ON grade.id = file.grade_id
             CROSS JOIN LATERAL (
                SELECT grade.hold_by_rule IS TRUE
                       AND file.followup_amount > COALESCE(grade.hold_amount, 0)
                       AND %(date)s - file.followup_due > COALESCE(grade.hold_days, 0) AS held
             ) caused
             WHERE file.company_id = %(company)s %(scope)s
               AND CASE WHEN caused.held THEN file.hold IS NOT TRUE
                        ELSE file.hold AND file.hold_cause = 'rule' END
             ORDER BY file.id
            """,
                date=date,
                company=company.id,
                scope=scope,
            )
        )
        self.browse(id_ for id_, held in rows if not held)._lift_hold()
        for file in self.browse(id_ for id_, held in rows if held):
            file._set_hold(
                self.env._(
                    "%(amount)s overdue since %(days)s days",
                    amount=format_amount(self.env, file.followup_amount, file.currency_id),
                    days=(date - file.followup_due).days,
                ),
                date,
                "rule",
            )
