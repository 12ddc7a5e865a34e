"""The shop asks those for prepayment whom the credit control would stop."""

import json

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.ar_collections.tests.common import CollectionsCommon


class ShopCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.website = cls.env["website"].get_current_website()
        cls.website.sudo().company_id = cls.company
        cls.env["payment.provider"].sudo().search([]).state = "disabled"
        cls.transfer = cls._provider("custom", "payment_custom.payment_method_wire_transfer")
        cls.card = cls._provider("none", "payment.payment_method_unknown")
        cls.product = cls.env["product.product"].create(
            {
                "name": "Course",
                "type": "service",
                "list_price": 50,
                "taxes_id": [Command.clear()],
                "website_published": True,
            }
        )
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls._invoice(cls.customer, 10, due=30)

    @classmethod
    def _provider(cls, code, method):
        method = cls.env.ref(method)
        provider = (
            cls.env["payment.provider"]
            .sudo()
            .create(
                {
                    "name": f"Way to pay {code}",
                    "code": code,
                    "company_id": cls.company.id,
                    "state": "test",
                    "is_published": True,
                    "payment_method_ids": [Command.set(method.ids)],
                    "redirect_form_view_id": cls.env["ir.ui.view"]
                    .create({"name": "Form", "type": "qweb", "arch": "<form/>"})
                    .id,
                    **({"custom_mode": "wire_transfer"} if code == "custom" else {}),
                }
            )
        )
        method.active = True
        return provider

    def _hold(self):
        self.file.sudo()._set_hold("Secret reason", self.today)

    def _order(self, price=50):
        return self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "website_id": self.website.id,
                "order_line": [
                    Command.create({"product_id": self.product.id, "price_unit": price})
                ],
            }
        )

    def _providers(self, order, report=None):
        return (
            self.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                self.company.id,
                order.partner_id.id,
                order.amount_total,
                currency_id=order.currency_id.id,
                sale_order_id=order.id,
                report=report,
            )
        )


class TestProviders(ShopCommon):
    def test_customer_who_may_have_credit(self):
        self.assertEqual(self._providers(self._order()), self.card | self.transfer)

    def test_customer_on_hold(self):
        self._hold()
        report = {}
        self.assertEqual(self._providers(self._order(), report), self.card)
        self.assertTrue(report["providers"][self.card]["available"])
        self.assertFalse(report["providers"][self.transfer]["available"])
        self.assertNotIn("Secret", str(report))

    def test_released_order(self):
        self._hold()
        order = self._order()
        order.action_request_credit_release()
        admin = new_test_user(
            self.env,
            "admin2",
            "base.group_user,account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assertEqual(self._providers(order), self.card)
        order.ar_release_ids.with_user(admin).action_approve()
        self.assertEqual(self._providers(order), self.card | self.transfer)

    def test_free_order_and_no_order(self):
        self._hold()
        order = self._order(0)
        self.assertFalse(order._ar_prepayment_only())
        order._validate_order()
        self.assertEqual(order.state, "sale")
        providers = self.env["payment.provider"].sudo()
        self.assertIn(
            self.transfer,
            providers._get_compatible_providers(self.company.id, self.customer.id, 50),
        )

    def test_confirmed_order(self):
        order = self._order()
        order.action_confirm()
        self._hold()
        self.assertEqual(self._providers(order), self.card | self.transfer)

    def test_paid_order(self):
        self._hold()
        order = self._order()
        transaction = (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": self.card.id,
                    "payment_method_id": self.card.payment_method_ids.id,
                    "reference": "paid",
                    "amount": 50,
                    "currency_id": order.currency_id.id,
                    "partner_id": order.partner_id.id,
                    "operation": "online_redirect",
                    "sale_order_ids": [Command.set(order.ids)],
                }
            )
        )
        self.assertTrue(order._ar_prepayment_only())
        transaction.state = "done"
        self.assertFalse(order._ar_prepayment_only())
        order.with_context(send_email=False)._validate_order()
        self.assertEqual(order.state, "sale")


@tagged("post_install", "-at_install")
class TestShop(ShopCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = new_test_user(
            cls.env,
            "shopper",
            "base.group_portal",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.portal.partner_id.write(
            {
                "parent_id": cls.customer.id,
                "name": "Shopper",
                "email": "shopper@example.com",
                "phone": "+1 555 0101",
                "street": "Street 1",
                "city": "Springfield",
                "zip": "12345",
                "country_id": cls.env.ref("base.be").id,
            }
        )
        cls.customer.write(
            {
                "street": "Street 1",
                "city": "Springfield",
                "zip": "12345",
                "country_id": cls.env.ref("base.be").id,
            }
        )

    def _json(self, url, **params):
        response = self.url_open(
            url,
            data=json.dumps({"params": params}),
            headers={"Content-Type": "application/json"},
        )
        return response.json()

    def _payment_page(self):
        self.authenticate("shopper", "shopper")
        self._json(
            "/shop/cart/add",
            product_template_id=self.product.product_tmpl_id.id,
            product_id=self.product.id,
            quantity=1,
        )
        response = self.url_open("/shop/payment")
        self.assertTrue(response.url.endswith("/shop/payment"), response.url)
        order = self.env["sale.order"].search(
            [("partner_id", "=", self.portal.partner_id.id)], limit=1
        )
        return order, response.text

    def test_customer_who_may_have_credit(self):
        order, page = self._payment_page()
        self.assertEqual(order.amount_total, 50)
        self.assertIn(f'data-provider-id="{self.transfer.id}"', page)
        self.assertNotIn("Please pay this order online", page)

    def test_customer_on_hold(self):
        self._hold()
        order, page = self._payment_page()
        self.assertIn(f'data-provider-id="{self.card.id}"', page)
        self.assertNotIn(f'data-provider-id="{self.transfer.id}"', page)
        self.assertIn("Please pay this order online", page)
        for secret in ("Secret", "credit hold", "Exposure"):
            self.assertNotIn(secret, page)
        self._refused(order)

    def _refused(self, order):
        """A request that names the provider all the same."""
        answer = self._json(
            f"/shop/payment/transaction/{order.id}",
            access_token=order._portal_ensure_token(),
            provider_id=self.transfer.id,
            payment_method_id=self.transfer.payment_method_ids.id,
            token_id=None,
            amount=order.amount_total,
            flow="redirect",
            tokenization_requested=False,
            landing_route="/shop/payment/validate",
        )
        self.assertIn("choose an online payment", answer["error"]["data"]["message"])
        self.assertFalse(order.sudo().transaction_ids)

    def test_nothing_left(self):
        self.card.state = "disabled"
        self._hold()
        _order, page = self._payment_page()
        self.assertIn("This order has to be paid online.", page)
        self.assertNotIn("Secret", page)
