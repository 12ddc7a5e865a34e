"""Where there are orders, what was decided on the order holds for its delivery."""

from odoo import Command

from .common import PickingCommon


class TestOrder(PickingCommon):
    def _delivery(self, before=None, **values):
        """The delivery of an order that was confirmed before the hold."""
        self.env.user.group_ids += self.env.ref("sales_team.group_sale_manager")
        self.file.sudo()._lift_hold()
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "product_uom_qty": 2,
                            "price_unit": 50,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )
        if before:
            before(order)
        order.action_confirm()
        self.file.sudo()._set_hold("Bankrupt", self.today)
        picking = order.picking_ids
        self.assertEqual(picking.sale_id, order)
        picking.move_ids.write({"quantity": 2, "picked": True})
        return picking

    @property
    def _has_orders(self):
        return "sale_id" in self.env["stock.picking"]._fields

    def test_ordinary_order(self):
        if self._has_orders:
            self._stopped(self._delivery().button_validate)

    def test_debtor_is_who_is_invoiced(self):
        if self._has_orders:
            payer = self._customer("Payer")
            picking = self._delivery(partner_invoice_id=payer.id)
            picking.button_validate()
            self.assertEqual(picking.state, "done")

    def test_released_order(self):
        if not self._has_orders:
            return

        def release(order):
            self.file.sudo()._set_hold("Bankrupt", self.today)
            order.with_user(self.keeper).sudo().action_request_credit_release()
            order.ar_release_ids.with_user(self.admin).action_approve()

        picking = self._delivery(before=release)
        self.assertEqual(picking._ar_credit_exemption(), "order was released")
        picking.with_user(self.keeper).button_validate()
        self.assertEqual(picking.state, "done")
        self.assertIn("order was released", "".join(picking.message_ids.mapped("body")))

    def test_order_paid_by_its_invoice(self):
        if not self._has_orders:
            return
        picking = self._delivery()
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=picking.sale_id.ids)
            .create({"advance_payment_method": "percentage", "amount": 100})
        )
        invoice = wizard._create_invoices(picking.sale_id)
        invoice.invoice_date = self.today
        invoice.action_post()
        self._stopped(picking.button_validate)
        self._pay(invoice, amount=99)
        self._stopped(picking.button_validate)
        self._pay(invoice)
        self.assertEqual(picking._ar_credit_exemption(), "paid in advance")
        picking.button_validate()
        self.assertEqual(picking.state, "done")
