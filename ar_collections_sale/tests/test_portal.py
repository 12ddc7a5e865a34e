"""The customer signs in the portal: no reasons, no figures, and nothing is lost."""

import json

from odoo.tests import HttpCase, tagged

from .common import SaleControlCommon

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


@tagged("post_install", "-at_install")
class TestPortal(SaleControlCommon, HttpCase):
    def _sign(self, order):
        token = order._portal_ensure_token()
        self.env.flush_all()
        response = self.url_open(
            f"/my/orders/{order.id}/accept",
            data=json.dumps({"params": {"access_token": token, "name": "Joe", "signature": PIXEL}}),
            headers={"Content-Type": "application/json"},
        )
        return response.json()["result"], token

    def _quotation(self, amount):
        return self._order(
            amount, state="sent", require_signature=True, require_payment=False, validity_date=False
        )

    def test_order_that_passes(self):
        order = self._quotation(100)
        result, _token = self._sign(order)
        self.assertEqual(order.state, "sale")
        page = self.url_open(result["redirect_url"]).text
        self.assertIn("Your order has been confirmed", page)
        self.assertNotIn("we will contact you", page)

    def test_order_that_is_held(self):
        order = self._quotation(12345)
        result, _token = self._sign(order)
        self.assertEqual(order.state, "sent")
        self.assertTrue(order.signature, "what was signed stays")
        self.assertEqual(order.ar_release_ids.state, "held")
        self.assertEqual(order.activity_ids.user_id, self.seller)
        page = self.url_open(result["redirect_url"]).text
        self.assertIn("we will contact you", page)
        for secret in ("credit", "1,000.00", "Exposure"):
            self.assertNotIn(secret, page)
