"""Write-offs at every station: asked for, approved, booked, recovered."""

from odoo import Command


class WriteoffScene:
    def __init__(self, env, company, partners, today):
        """:param partners: ``{city: res.partner}``"""
        self.env = env
        self.company = company
        self.partners = partners
        self.today = today
        self.admin = env.ref("base.user_admin")
        self.collector = env.ref("base.user_demo", raise_if_not_found=False) or env.user

    def set_up(self):
        self.collector.group_ids += self.env.ref("ar_collections.group_collector")
        self._account()
        self._request("Toledo", "closed", "Shop is empty, the owner moved away.")
        self.approve(self._request("Rosario", "court", "Enforcement brought nothing.", share=0.2))
        lost = self.approve(self._request("San Diego", "bankrupt", "Assets do not cover costs."))
        lost.with_user(self.admin).action_post()
        self._pay(lost.partner_id, 500)
        self.env["ar.writeoff.recovery.booking"]._propose_recoveries(self.company, self.today)

    def _account(self):
        if self.company.ar_writeoff_account_id:
            return
        self.company.ar_writeoff_account_id = self.env["account.account"].create(
            {
                "name": "Bad Debts",
                "code": "682800",
                "account_type": "expense",
                "company_ids": [Command.set(self.company.ids)],
            }
        )

    def _request(self, city, reason, note, share=1):
        """A submitted request over the customer's overdue items, or a share of each."""
        case = self.env["ar.collection.case"]._get_open_case(self.partners[city], self.company)
        lines = [
            Command.create(
                {
                    "move_line_id": item.id,
                    "amount": item.currency_id.round(share * item.amount_residual_currency),
                }
            )
            for item in case.open_item_ids
        ]
        request = (
            self.env["ar.writeoff.request"]
            .with_user(self.collector)
            .create(
                {
                    "partner_id": case.partner_id.id,
                    "company_id": self.company.id,
                    "reason_id": self.env.ref(f"ar_collections.writeoff_reason_{reason}").id,
                    "note": note,
                    "line_ids": lines,
                }
            )
        )
        request.action_submit()
        return request

    def approve(self, request):
        """By the manager in as many tiers as one person may."""
        request.with_user(self.admin).action_approve()
        if request.state == "submitted":
            request.with_user(self._deputy()).action_approve()
        return request

    def _deputy(self):
        """Head of accounting: the admin cannot approve twice."""
        users = self.env["res.users"]
        login = "accounting@example.com"
        return users.search([("login", "=", login)]) or users.create(
            {
                "name": "Head of Accounting",
                "login": login,
                "group_ids": [Command.link(self.env.ref("account.group_account_manager").id)],
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
            }
        )

    def _pay(self, partner, amount):
        self.env["account.payment"].create(
            {
                "partner_id": partner.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "date": self.today,
            }
        ).action_post()
