from odoo import api, models
from odoo.tools import SQL


class ArAllowanceLedger(models.AbstractModel):
    """What stands on the allowance account, and what of it which run knows.

    A flow is a journal item on the account that no run has booked: used by a write-off, recovered,
    or from elsewhere. A posted run knows the flows up to its date.
    """

    _name = "ar.allowance.ledger"
    _description = "Allowance in the Ledger"

    @api.model
    def _get_available(self, company, partner):
        """What is left of a customer's allowance: of the last posted run, less what was used.

        :param company: a company or branch
        :param partner: any contact of the customer
        :return: ``(account, amount)``; no account and zero when nothing is left
        """
        # Whoever writes off need not see allowance runs.
        run = self.env["ar.allowance.run"].sudo()._get_last_posted(company.root_id)
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
                flows=run.env[self._name]._get_flows_sql(run, ever=True),
                settled=self._get_known_flows_sql(),
            )
        )
        if run.currency_id.compare_amounts(amount, 0) <= 0:
            return none
        return run.account_id.with_env(self.env), run.currency_id.round(amount)

    @api.model
    def _get_new_flows(self, run):
        """The journal items that no posted run knows yet and that become part of this one."""
        others = run.include_others or not run.previous_id
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line_id FROM (%(flows)s) flow
                 WHERE (%(others)s OR kind <> 'other') AND line_id NOT IN (%(settled)s)
                 ORDER BY line_id
                """,
                flows=self._get_flows_sql(run),
                others=others,
                settled=self._get_known_flows_sql(),
            )
        )
        return self.env["account.move.line"].browse(line_id for (line_id,) in rows)

    @api.model
    def _get_strays(self, run):
        """Journal items to the date that neither this run nor a posted one before it knows."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line_id FROM (%s) flow
                 WHERE line_id NOT IN (
                    SELECT line_id FROM ar_allowance_run_flow known
                      JOIN ar_allowance_run run ON run.id = known.run_id
                     WHERE run.id = %s OR run.state = 'posted' AND run.date <= %s)
                 ORDER BY line_id
                """,
                self._get_flows_sql(run),
                run.id,
                run.date,
            )
        )
        return self.env["account.move.line"].browse(line_id for (line_id,) in rows)

    @api.model
    def _get_balance(self, run):
        """The credit balance of the allowance accounts at the date of a run."""
        ((balance,),) = self.env["account.move.line"]._read_group(
            [
                ("account_id", "in", self._get_accounts(run.company_id).ids),
                ("parent_state", "=", "posted"),
                ("company_id", "in", self._get_branches(run.company_id).ids),
                ("date", "<=", run.date),
            ],
            [],
            ["balance:sum"],
        )
        return -balance

    @api.model
    def _get_known_balances(self, run):
        """``{account: credit balance}`` of what all posted runs and this one know."""
        self.env["account.move.line"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.account_id, -SUM(line.balance)::float8
                  FROM account_move_line line
                 WHERE line.account_id IN %(accounts)s AND line.parent_state = 'posted'
                   AND (line.move_id IN (
                            SELECT move_id FROM ar_allowance_run
                             WHERE company_id = %(company)s AND state = 'posted')
                        OR line.id IN (
                            SELECT known.line_id FROM ar_allowance_run_flow known
                              JOIN ar_allowance_run run ON run.id = known.run_id
                             WHERE run.company_id = %(company)s
                               AND (run.state = 'posted' OR run.id = %(run)s)))
                 GROUP BY line.account_id
                """,
                accounts=tuple(self._get_accounts(run.company_id).ids) or (0,),
                company=run.company_id.id,
                run=run.id,
            )
        )
        accounts = self.env["account.account"]
        return {accounts.browse(account_id): amount for account_id, amount in rows}

    # The statements

    @api.model
    def _get_flows_sql(self, run, ever=False):
        """SELECT of ``line_id, partner_id, kind, amount``: the allowance account to the date.

        Without the entries of runs. A credit is positive. ``kind`` is ``used``, ``recovered``, or
        ``other`` for what comes from elsewhere.

        :param ever: of any date
        """
        self.env["account.move.line"].flush_model()
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        self.env["ar.allowance.run"].flush_model(["move_id", "reversal_id"])
        return SQL(
            """
            SELECT line.id AS line_id, partner.commercial_partner_id AS partner_id,
                   %(kind)s AS kind, -line.balance AS amount
              FROM account_move_line line
              LEFT JOIN res_partner partner ON partner.id = line.partner_id
             WHERE line.account_id IN %(accounts)s AND line.parent_state = 'posted'
               AND line.company_id IN %(companies)s AND (%(ever)s OR line.date <= %(date)s)
               AND line.move_id NOT IN (
                    SELECT entry.move_id FROM ar_allowance_run run
                     CROSS JOIN LATERAL (VALUES (run.move_id), (run.reversal_id)) entry(move_id)
                     WHERE entry.move_id IS NOT NULL)
            """,
            kind=self._get_flow_kind_sql(),
            accounts=tuple(self._get_accounts(run.company_id).ids) or (0,),
            companies=tuple(self._get_branches(run.company_id).ids) or (0,),
            ever=ever,
            date=run.date,
        )

    @api.model
    def _get_known_flows_sql(self):
        """SELECT of the ids of the journal items that are in a posted run already."""
        self.env["ar.allowance.run"].flush_model(["state", "flow_ids"])
        return SQL(
            """
            SELECT known.line_id FROM ar_allowance_run_flow known
              JOIN ar_allowance_run run ON run.id = known.run_id
             WHERE run.state = 'posted'
            """
        )

    @api.model
    def _get_flow_kind_sql(self):
        """SQL of the kind of a flow, by the entry of the journal item ``line``."""
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
                 ELSE 'other'
            END
            """
        )

    @api.model
    def _get_branches(self, company):
        """The company with its branches, closed ones too."""
        return (
            self.env["res.company"]
            .sudo()
            .with_context(active_test=False)
            .search([("id", "child_of", company.id)])
        )

    @api.model
    def _get_accounts(self, company):
        """The allowance account, and those of earlier runs when it was another one."""
        runs = self.env["ar.allowance.run"].search(
            [("company_id", "=", company.id), ("account_id", "!=", False)]
        )
        return company.ar_allowance_account_id | runs.account_id
