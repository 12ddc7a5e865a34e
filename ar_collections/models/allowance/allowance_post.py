from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date


class ArAllowanceRun(models.Model):
    """Into the ledger and out of it again, and whether both agree."""

    _inherit = "ar.allowance.run"

    ledger_amount = fields.Monetary(
        string="Balance in the Ledger",
        compute="_compute_tie_out",
        compute_sudo=True,
        help="The balance of the allowance account at the date.",
    )
    expected_amount = fields.Monetary(
        string="Balance Expected",
        compute="_compute_tie_out",
        compute_sudo=True,
        help="Before the run is posted: its opening amount and what came between.",
    )
    difference = fields.Monetary(compute="_compute_tie_out", compute_sudo=True)
    stray_ids = fields.Many2many(
        "account.move.line",
        string="Entries from Elsewhere",
        compute="_compute_tie_out",
        compute_sudo=True,
        help="Entries on the allowance account to the date that are in no run.",
    )

    @api.depends("state", "closing", "flow_ids", "change")
    def _compute_tie_out(self):
        for run in self:
            run.ledger_amount = run._ledger_balance()
            before = run.opening + run.taken_over - run.used + run.recovered
            run.expected_amount = run.closing if run.state == "posted" else before
            run.difference = run.currency_id.round(run.ledger_amount - run.expected_amount)
            run.stray_ids = run._strays() if run.id else False

    def _ledger_balance(self):
        self.env["account.move.line"].flush_model()
        return self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(-SUM(balance), 0)::float8 FROM account_move_line
                 WHERE account_id IN %s AND parent_state = 'posted' AND company_id IN %s
                   AND date <= %s
                """,
                tuple(self._accounts().ids) or (0,),
                tuple(self._branches().ids) or (0,),
                self.date,
            )
        )[0][0]

    def _strays(self):
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
                self._flows_sql(),
                self.id,
                self.date,
            )
        )
        return self.env["account.move.line"].browse(line_id for (line_id,) in rows)

    # Actions

    def action_post(self):
        """Book the change since the last posted run, with the rights of the poster."""
        self._check_manager("write")
        for run in self.sorted("date"):
            run._lock_siblings()
            run._check_state("approved")
            run._check_unchanged()
            run._check_not_locked()
            move = run._book()
            run.sudo().write(
                {
                    "state": "posted",
                    "move_id": move.id,
                    "account_id": run.sudo().company_id.ar_allowance_account_id.id,
                }
            )
        return True

    def action_reverse(self):
        """Take the last posted run out of the ledger, at its own date."""
        self._check_manager("write")
        for run in self.sorted("date", reverse=True):
            run._lock_siblings()
            run._check_state("posted")
            last = run.sudo()._last_posted(run.company_id)
            if run != last:
                raise UserError(
                    self.env._("%s was posted later: only the last run is reversed.", last.name)
                )
            run._check_not_locked()
            reversal = self.env["account.move"]
            if run.move_id:
                reversal = run.move_id._ar_reverse_booked(
                    run.date, self.env._("Reversal of %s", run.name)
                )
            run.sudo().write({"state": "reversed", "reversal_id": reversal.id})
        return True

    def _lock_siblings(self):
        """Of two who post or reverse for one company at once, the second is refused."""
        self.ensure_one()
        # The lock is of the company, also of runs that the user does not see.
        runs = self.sudo()
        runs.search([("company_id", "=", self.company_id.id)]).lock_for_update(
            allow_referencing=True
        )
        self.invalidate_recordset(["state", "move_id", "previous_id"])

    def _check_unchanged(self):
        """What was approved is what is posted: nothing came between."""
        run = self.sudo()
        if run._last_posted(
            run.company_id
        ) != run.previous_id or run._flows() != run.flow_ids.sorted("id"):
            raise UserError(
                self.env._(
                    "The allowance account has changed since %s was computed. Take it back and "
                    "compute it again.",
                    self.name,
                )
            )

    def _check_not_locked(self):
        locks = self.company_id._get_lock_date_violations(
            self.date, fiscalyear=True, sale=False, purchase=False, tax=False, hard=True
        )
        if locks:
            raise UserError(
                self.env._(
                    "The books are closed until %(lock)s, so nothing can be booked on %(date)s. "
                    "Make a run of a later month instead: it books the whole change.",
                    lock=format_date(self.env, max(day for day, _field in locks)),
                    date=format_date(self.env, self.date),
                )
            )

    # The entry

    def _book(self):
        """The entry of the change per account; no entry when nothing changes."""
        values = self._prepare_move_values()
        if not values["line_ids"]:
            return self.env["account.move"]
        move = self.env["account.move"].with_company(self.company_id).create(values)
        move._post(soft=False)
        return move

    def _prepare_move_values(self):
        company = self.sudo().company_id
        journal = company.ar_allowance_journal_id or self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "general")], limit=1
        )
        label = self.env._(
            "%(run)s: allowance for bad debts at %(date)s",
            run=self.name,
            date=format_date(self.env, self.date),
        )
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": journal.id,
            "date": self.date,
            "ref": label,
            "line_ids": [
                Command.create({"account_id": account.id, "name": label, "balance": balance})
                for account, balance in self._balances().items()
                if not self.currency_id.is_zero(balance)
            ],
        }

    def _balances(self):
        """``{account: balance to book}``: debit positive, zero in all.

        When the company has another allowance account than before, the balance moves there.
        """
        company = self.sudo().company_id
        current = company.ar_allowance_account_id
        balances = {current: -self.change, company.ar_allowance_expense_account_id: self.change}
        for account, book in self.sudo()._books().items():
            if account != current:
                balances[account] = book
                balances[current] -= book
        return balances

    def _books(self):
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
                accounts=tuple(self._accounts().ids) or (0,),
                company=self.company_id.id,
                run=self.id,
            )
        )
        accounts = self.env["account.account"]
        return {accounts.browse(account_id): amount for account_id, amount in rows}
