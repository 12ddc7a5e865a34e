from odoo import Command
from odoo.tests import new_test_user

from .common import CollectionsCommon


class WriteoffCommon(CollectionsCommon):
    """Three tiers with people of their own, and an invoice that nobody will pay."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # New invoices are not what these tests are about.
        cls.stages["final"].hold_credit = False
        cls.collector = cls._user("wo_collector", "ar_collections.group_collector")
        cls.manager = cls._user("wo_manager", "ar_collections.group_credit_manager")
        cls.second = cls._user("wo_second", "ar_collections.group_credit_manager")
        cls.chief = cls._user("wo_chief")
        cls.biller = cls._user(
            "wo_biller", "account.group_account_invoice", "ar_collections.group_credit_manager"
        )
        cls.auditor = cls._user("wo_auditor", "ar_collections.group_auditor")
        tiers = cls.env["ar.writeoff.tier"]
        tiers.search([]).active = False
        cls.tier, cls.upper = tiers.create(
            [
                {
                    "name": "Managers",
                    "amount_from": 0,
                    "user_ids": [Command.set((cls.manager | cls.second).ids)],
                    "sequence": 1,
                },
                {
                    "name": "Chief",
                    "amount_from": 5000,
                    "user_ids": [Command.set(cls.chief.ids)],
                    "sequence": 2,
                },
            ]
        )
        # Points come in by the tests that are about them.
        cls.env["ar.writeoff.risk.rule"].search([]).active = False
        cls.expense = cls.company_data["default_account_expense"]
        cls.reason = cls.env["ar.writeoff.reason"].create(
            {
                "name": "Lost",
                "code": "lost",
                "expense_account_id": cls.expense.id,
                "recovery_account_id": cls.company_data["default_account_revenue"].id,
            }
        )
        cls.invoice = cls._invoice(cls.customer, 1000, due=-200)
        cls.item = cls._items(cls.invoice)
        cls._run(0)

    @classmethod
    def _user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login,
            ",".join(("base.group_user", *groups)),
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company | cls.branch).ids)],
        )

    @classmethod
    def _items(cls, moves):
        return moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _request(self, lines=None, user=None, **values):
        """A draft over items, each in full or by the amount in ``{item: amount}``."""
        lines = lines or {self.item: self.item.amount_residual_currency}
        items = list(lines)
        return (
            self.env["ar.writeoff.request"]
            .with_user(user or self.collector)
            .create(
                {
                    "partner_id": items[0].partner_id.id,
                    "company_id": self.company.id,
                    "reason_id": self.reason.id,
                    "line_ids": [
                        Command.create({"move_line_id": item.id, "amount": amount})
                        for item, amount in lines.items()
                    ],
                    **values,
                }
            )
        )

    def _approved(self, lines=None, **values):
        request = self._request(lines, **values)
        request.action_submit()
        request.with_user(self.manager).action_approve()
        if request.state == "submitted":
            request.with_user(self.chief).action_approve()
        self.assertEqual(request.state, "approved")
        return request

    def _posted(self, lines=None, **values):
        request = self._approved(lines, **values)
        # Whoever posts has switched the branch on.
        companies = (self.company | self.branch).ids
        request.with_user(self.biller).with_context(allowed_company_ids=companies).action_post()
        return request

    def _balance(self, account, partner=None):
        """What stands on an account in company currency."""
        domain = [("account_id", "=", account.id), ("parent_state", "=", "posted")]
        if partner:
            domain.append(("partner_id", "child_of", partner.id))
        return self.env["account.move.line"]._read_group(domain, [], ["balance:sum"])[0][0]
