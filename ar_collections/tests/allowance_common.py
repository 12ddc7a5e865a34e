from odoo import Command
from odoo.tests import new_test_user

from ..models.common.res_company import Clock
from ..models.credit.credit_facts import CONTROL_FIELDS
from .common import CollectionsCommon


class AllowanceCommon(CollectionsCommon):
    """A company with its accounts set, two managers who may book, and a plain matrix.

    Medium risk: 1 % not due, 2 % to 30 days, 3 % to 60, 5 % to 90, 20 % to 180, then 50 %.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What was sold to whom was decided long ago.
        cls.env["ar.credit.grade"].sudo().search([]).write(dict.fromkeys(CONTROL_FIELDS, "allow"))
        cls.allowance_account, cls.expense_account, cls.other_account = cls.env[
            "account.account"
        ].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for name, code, kind in (
                    ("Allowance", "AR1240", "asset_current"),
                    ("Impairment", "AR6700", "expense"),
                    ("Allowance 2", "AR1241", "asset_current"),
                )
            ]
        )
        cls.company.write(
            {
                "ar_allowance_account_id": cls.allowance_account.id,
                "ar_allowance_expense_account_id": cls.expense_account.id,
            }
        )
        cls.maker, cls.checker = (
            new_test_user(
                cls.env,
                login,
                "base.group_user,ar_collections.group_credit_manager,account.group_account_invoice",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for login in ("allowance_maker", "allowance_checker")
        )

    def _allowance(self, date, until="posted", today=None, **values):
        """A run of that month, brought to that state by two people."""
        run = (
            self.env["ar.allowance.run"]
            .with_user(self.maker)
            .with_context(ar_clock=Clock(today or self.today))
            .create({"company_id": self.company.id, "date": date, **values})
        )
        run.action_compute()
        if until == "computed":
            return run
        run.action_submit()
        if until == "submitted":
            return run
        run.with_user(self.checker).action_approve()
        if until == "posted":
            run.with_user(self.checker).action_post()
        return run

    def _balance(self, account=None, date=None):
        """The credit balance of the allowance account, by reading every line."""
        lines = self.env["account.move.line"].search(
            [
                ("account_id", "in", (account or self.allowance_account).ids),
                ("parent_state", "=", "posted"),
                ("company_id", "child_of", self.company.id),
                *([("date", "<=", date)] if date else []),
            ]
        )
        return -self.company.currency_id.round(sum(lines.mapped("balance")))

    def _lines(self, run, partner=None):
        """``{bucket name: line}`` of one customer."""
        lines = self.env["ar.allowance.line"].search(
            [("run_id", "=", run.id), ("partner_id", "=", (partner or self.customer).id)]
        )
        return {line.bucket_id.display_name: line for line in lines}

    def _specific(self, **values):
        return self.env["ar.allowance.specific"].create(
            {
                "company_id": self.company.id,
                "partner_id": self.customer.id,
                "reason": "Insolvency opened",
                "date_from": self._day(-300),
                **values,
            }
        )

    def _manual_entry(self, amount, date, account=None):
        """Somebody books on the allowance account by hand; positive adds to the allowance."""
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": date,
                "journal_id": self.company_data["default_journal_misc"].id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": (account or self.allowance_account).id,
                            "balance": -amount,
                        }
                    ),
                    Command.create({"account_id": self.expense_account.id, "balance": amount}),
                ],
            }
        )
        move.action_post()
        return move
