from odoo import Command
from odoo.tests import new_test_user

from odoo.addons.ar_collections.models.credit.credit_facts import CONTROL_FIELDS
from odoo.addons.ar_collections.tests.common import CollectionsCommon


class SaleControlCommon(CollectionsCommon):
    """A customer with a limit of 1,000 whom every reason stops, and a salesperson."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.grade = (
            cls.env["ar.credit.grade"]
            .sudo()
            .create(
                {
                    "code": "CTRL",
                    "name": "Controlled",
                    "limit_rule": "fixed",
                    "limit_amount": 1000,
                    "max_term_days": 30,
                    **dict.fromkeys(CONTROL_FIELDS, "block"),
                }
            )
        )
        cls.file = cls._limited(cls.customer)
        cls.seller = cls._user("seller", "sales_team.group_sale_salesman_all_leads")
        cls.admin = cls._user("admin2", "account.group_account_manager")
        cls.biller = cls._user("biller", "account.group_account_invoice")
        cls.goods, cls.service = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": kind,
                    "invoice_policy": "order",
                    "list_price": 1,
                    "taxes_id": [Command.clear()],
                }
                for name, kind in (("Goods", "consu"), ("Service", "service"))
            ]
        )
        cls.tax = cls.company_data["default_tax_sale"]

    @classmethod
    def _limited(cls, partner):
        file = cls.env["ar.credit.file"]._get_file(partner, cls.company, create=True)
        file.grade_id = cls.grade
        return file

    @classmethod
    def _user(cls, login, groups, **values):
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company | cls.branch).ids)],
            **values,
        )

    @classmethod
    def _order(cls, *amounts, partner=None, product=None, quantity=1, **values):
        """A quotation with a line of each amount, for that quantity of the product."""
        return cls.env["sale.order"].create(
            {
                "partner_id": (partner or cls.customer).id,
                "company_id": cls.company.id,
                "payment_term_id": False,
                "user_id": cls.seller.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": (product or cls.service).id,
                            "product_uom_qty": quantity,
                            "price_unit": amount / quantity,
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for amount in amounts
                ],
                **values,
            }
        )

    @classmethod
    def _provider(cls):
        method = cls.env.ref("payment.payment_method_unknown")
        provider = (
            cls.env["payment.provider"]
            .sudo()
            .create(
                {
                    "name": "Test Provider",
                    "code": "none",
                    "state": "test",
                    "company_id": cls.company.id,
                    "payment_method_ids": [Command.set(method.ids)],
                }
            )
        )
        method.active = True
        return provider

    @classmethod
    def _transaction(cls, amount, state="done", orders=None, moves=None, provider=None):
        provider = provider or cls._provider()
        document = orders or moves
        transaction = (
            cls.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": provider.payment_method_ids[:1].id,
                    "reference": f"{document.name}-{provider.id}",
                    "amount": amount,
                    "currency_id": document.currency_id.id,
                    "partner_id": document.partner_id.id,
                    "operation": "online_redirect",
                    "sale_order_ids": [Command.set(orders.ids if orders else [])],
                    "invoice_ids": [Command.set(moves.ids if moves else [])],
                }
            )
        )
        cls._set_state(transaction, state)
        return transaction

    @classmethod
    def _set_state(cls, transaction, state):
        """Of any provider, also of one that cannot authorise without taking the money."""
        transaction.flush_recordset()
        cls.env.cr.execute(
            "UPDATE payment_transaction SET state = %s WHERE id = %s", [state, transaction.id]
        )
        transaction.invalidate_recordset()

    def _exposure(self, partner=None, date=None):
        """What orders add to the exposure."""
        rows = self.env.execute_query(
            self.env["ar.credit.refresh"]._orders_sql(
                self.company, date or self.today, partner or self.customer
            )
        )
        return float(sum(amount for _company, _partner, amount in rows))

    def _release(self, document, user=None):
        """Have the document released by somebody else than who asks."""
        document.with_user(user or self.seller).action_request_credit_release()
        release = document.sudo().ar_release_ids.filtered(lambda one: one.state == "requested")
        release.with_user(self.admin).action_approve()
        return release
