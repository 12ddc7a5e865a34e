from odoo import api, models
from odoo.tools import SQL


class ArWriteoffRequest(models.Model):
    """A write-off uses up what was set aside for the customer before it is a loss."""

    _inherit = "ar.writeoff.request"

    def _allowance_available(self):
        # EXTENDS ar_collections
        self.ensure_one()
        if not self.partner_id:
            return super()._allowance_available()
        return self.env["ar.allowance.run"]._available(self.company_id, self.partner_id)


class ArAllowanceRun(models.Model):
    """What write-offs use of the allowance, and what comes back."""

    _inherit = "ar.allowance.run"

    @api.model
    def _flow_kind_sql(self):
        # EXTENDS ar_collections
        self.env["ar.writeoff.request"].flush_model(["move_id", "reversal_id"])
        self.env["ar.writeoff.recovery"].flush_model(["move_id", "reversal_id"])
        return SQL(
            """
            CASE WHEN line.move_id IN (
                    SELECT move_id FROM ar_writeoff_request WHERE move_id IS NOT NULL
                     UNION ALL
                    SELECT reversal_id FROM ar_writeoff_request WHERE reversal_id IS NOT NULL)
                 THEN 'used'
                 WHEN line.move_id IN (
                    SELECT move_id FROM ar_writeoff_recovery
                     UNION ALL
                    SELECT reversal_id FROM ar_writeoff_recovery WHERE reversal_id IS NOT NULL)
                 THEN 'recovered'
                 ELSE %s
            END
            """,
            super()._flow_kind_sql(),
        )

    @api.model
    def _available(self, company, partner):
        """What is left of a customer's allowance: of the last posted run, less what was used.

        :param company: a company or branch
        :param partner: any contact of the customer
        :return: ``(account, amount)``; no account and zero when nothing is left
        """
        # Whoever writes off need not see allowance runs.
        run = self.sudo()._last_posted(company.root_id)
        none = self.env["account.account"], 0.0
        if not run:
            return none
        partner = partner.commercial_partner_id
        self.env["ar.allowance.movement"].flush_model()
        # Of two write-offs at once the second is made to look again by the database.
        self.env.cr.execute(
            SQL(
                "UPDATE ar_allowance_movement SET write_date = %s"
                " WHERE run_id = %s AND partner_id = %s",
                self.env.cr.now(),
                run.id,
                partner.id,
            )
        )
        ((amount,),) = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE((
                           SELECT SUM(closing) FROM ar_allowance_movement
                            WHERE run_id = %(run)s AND partner_id = %(partner)s), 0)::float8
                     + COALESCE((
                           SELECT SUM(amount) FROM (%(flows)s) flow
                            WHERE kind = 'used' AND partner_id = %(partner)s
                              AND line_id NOT IN (%(settled)s)), 0)::float8
                """,
                run=run.id,
                partner=partner.id,
                flows=run._flows_sql(ever=True),
                settled=run._settled_sql(),
            )
        )
        if run.currency_id.compare_amounts(amount, 0) <= 0:
            return none
        return run.account_id.with_env(self.env), run.currency_id.round(amount)
