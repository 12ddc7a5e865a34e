from odoo import Command, api, models
from odoo.tools import format_date


class ArAllowanceBooking(models.AbstractModel):
    """The journal entry of an allowance run."""

    _name = "ar.allowance.booking"
    _description = "Booking of the Allowance"

    @api.model
    def _book_run(self, run):
        """Book the change since the last posted run, with the rights of the user.

        :return: the posted entry, none when nothing changes
        """
        values = self._prepare_move_values(run)
        if not values["line_ids"]:
            return self.env["account.move"]
        move = self.env["account.move"].with_company(run.company_id).create(values)
        move._post(soft=False)
        return move

    @api.model
    def _prepare_move_values(self, run):
        company = run.sudo().company_id
        journal = company.ar_allowance_journal_id or self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "general")], limit=1
        )
        label = self.env._(
            "%(run)s: allowance for bad debts at %(date)s",
            run=run.name,
            date=format_date(self.env, run.date),
        )
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": journal.id,
            "date": run.date,
            "ref": label,
            "line_ids": [
                Command.create({"account_id": account.id, "name": label, "balance": balance})
                for account, balance in self._get_balances(run).items()
                if not run.currency_id.is_zero(balance)
            ],
        }

    @api.model
    def _get_balances(self, run):
        """``{account: balance to book}``: debit positive, zero in all.

        When the company has another allowance account than before, the balance moves there.
        """
        company = run.sudo().company_id
        current = company.ar_allowance_account_id
        balances = {current: -run.change, company.ar_allowance_expense_account_id: run.change}
        for account, book in (
            self.sudo().env["ar.allowance.ledger"]._get_known_balances(run.sudo()).items()
        ):
            if account != current:
                balances[account] = book
                balances[current] -= book
        return balances
