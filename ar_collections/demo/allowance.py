"""The allowance of the last two months: accounts, specific ones, a posted and an open run."""

from dateutil.relativedelta import relativedelta

from odoo import Command


class AllowanceScene:
    def __init__(self, env, company, partners, today):
        """:param partners: ``{city: res.partner}``"""
        self.env = env
        self.company = company
        self.partners = partners
        self.today = today
        self.admin = env.ref("base.user_admin")

    def set_up(self):
        self._accounts()
        self.env["ar.ageing.snapshot"]._take_missing(self.company, self.today)
        last = self.today.replace(day=1) - relativedelta(days=1)
        former = last.replace(day=1) - relativedelta(days=1)
        self._specific(
            "Wuhan", former, "Creditors meet in spring, quota of 15 % expected", rate=0.85
        )
        self._specific("Dubai", last, "Offer of a settlement", kind="amount", amount=6000)
        self._run(former).action_post()
        self._run(last, until="submitted")

    def _accounts(self):
        if self.company.ar_allowance_account_id:
            return
        accounts = self.env["account.account"].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(self.company.ids)],
                }
                for name, code, kind in (
                    ("Allowance for Bad Debts", "121900", "asset_current"),
                    ("Impairment of Receivables", "682900", "expense"),
                )
            ]
        )
        self.company.ar_allowance_account_id, self.company.ar_allowance_expense_account_id = (
            accounts
        )

    def _specific(self, city, date, reason, **values):
        self.env["ar.allowance.specific"].create(
            {
                "company_id": self.company.id,
                "partner_id": self.partners[city].id,
                "date_from": date,
                "reason": reason,
                **values,
            }
        )

    def _run(self, date, until="approved"):
        """Computed by the credit department, approved by the credit manager."""
        run = self.env["ar.allowance.run"].create({"company_id": self.company.id, "date": date})
        run.action_compute()
        run.action_submit()
        if until == "approved":
            run.with_user(self.admin).action_approve()
        return run
