from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError

from odoo.addons.ar_collections.models.credit.credit_control import COLLECT_STOPPED, CollectStopped
from odoo.addons.ar_collections.models.credit.credit_document import Demand

PAID = ("authorized", "done")


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "ar.credit.document"]
    _ar_gated_method = "action_confirm"

    # Demand

    def _ar_credit_demands(self):
        # EXTENDS ar_collections: an order gives credit by being confirmed
        demands = super()._ar_credit_demands()
        for order in self:
            if order.state != "sale" and order.partner_invoice_id and order.amount_total > 0:
                demands[order] = order._ar_credit_demand()
        return demands

    def _ar_credit_demand(self):
        self.ensure_one()
        company = self.company_id
        today = company._ar_today()
        # A payment that is booked is in the customer's balance already.
        paid = sum(
            transaction.amount
            for transaction in self.sudo().transaction_ids
            if transaction.state in PAID and not transaction.payment_id
        )
        exempt = self._ar_credit_exemption()
        if exempt:
            # Judged as a whole, so that the note tells what it was spared.
            paid = 0
        return Demand(
            partner=self.partner_invoice_id.commercial_partner_id._origin,
            company=company,
            amount=company.currency_id.round(
                max(self.amount_total - paid, 0) / (self.currency_rate or 1)
            ),
            term_days=max(
                (
                    (line._get_due_date(today) - today).days
                    for line in self.payment_term_id.line_ids
                ),
                default=0,
            ),
            exempt=exempt,
        )

    def _ar_credit_exemption(self):
        """Why credit control does not stop the order, or an empty text."""
        paid = self._ar_amount_paid()
        if self.state == "sale":
            paid = max(paid, self._ar_amount_paid_by_invoices())
        is_paid = self.currency_id.compare_amounts(paid, self.amount_total) >= 0
        return self.env._("paid in advance") if is_paid else ""

    def _ar_amount_paid(self):
        """What was paid or authorised online; ``amount_paid`` misses a state that changed."""
        return sum(
            transaction.amount
            for transaction in self.sudo().transaction_ids
            if transaction.state in PAID
        )

    def _ar_amount_paid_by_invoices(self):
        """What was paid of posted invoices that are for this order alone, down payments too."""
        order = self.sudo()
        return sum(
            move.direction_sign * (move.amount_residual - move.amount_total)
            for move in order.invoice_ids
            if move.state == "posted"
            and move.currency_id == order.currency_id
            and move.invoice_line_ids.sale_line_ids.order_id == order
        )

    @api.depends(
        "partner_invoice_id",
        "company_id",
        "amount_total",
        "currency_rate",
        "payment_term_id",
        "state",
    )
    def _compute_ar_credit(self):
        # EXTENDS ar_collections: a cancelled order asks for nothing
        quotations = self.filtered(lambda order: order.state in ("draft", "sent"))
        others = self - quotations
        others.ar_credit_action = others.ar_credit_text = others.ar_release_state = False
        return super(SaleOrder, quotations)._compute_ar_credit()

    # Gate

    def _ar_credit_pass(self):
        # EXTENDS ar_collections: who signs or pays is not told why, and keeps what was done
        orders = self
        if not self.env.user._is_internal():
            orders = self.with_context(ar_credit_stopped=COLLECT_STOPPED)
        if not isinstance(orders.env.context.get("ar_credit_stopped"), CollectStopped):
            return super()._ar_credit_pass()
        known = self.env["ar.credit.release"].sudo()._get_current_states(self)
        passed = super(SaleOrder, orders)._ar_credit_pass()
        (self - passed).filtered(lambda order: order.id not in known)._ar_tell_salesperson()
        return passed

    def _validate_order(self):
        # EXTENDS sale: in the portal OdooBot acts for the customer, who cannot settle anything
        order = self
        if self.env.uid == SUPERUSER_ID:
            order = self.with_context(ar_credit_stopped=COLLECT_STOPPED)
        return super(SaleOrder, order)._validate_order()

    def _ar_tell_salesperson(self):
        for order in self.with_user(SUPERUSER_ID):
            if seller := order.user_id._ar_at_work(order.company_id, None):
                order.activity_schedule(
                    "mail.mail_activity_data_warning",
                    summary=self.env._("Kept back by credit control: not confirmed"),
                    user_id=seller.id,
                )

    def _confirmation_error_message(self):
        # EXTENDS sale: for whoever asks before confirming; nothing is locked, used or kept back
        if error := super()._confirmation_error_message():
            return error
        if self._ar_has_passed():
            return False
        decision = self._ar_stopping_decision()
        if not decision:
            return False
        if not self.env.user._is_internal():
            return self._ar_neutral_text()
        return self.env["ar.credit.control"]._get_stopped_text({self: decision})

    def _ar_stopping_decision(self):
        """What would stop the quotation now, or ``None``; released or paid it is not stopped."""
        order = self.sudo()
        demands = order._ar_credit_demands()
        if not demands or demands[order].exempt:
            return None
        decision = self.env["ar.credit.control"].sudo()._decide_in_order(demands)[order]
        if not decision.stops:
            return None
        releases = self.env["ar.credit.release"].sudo()._get_current_states(order, demands)
        return None if releases.get(self.id) == "approved" else decision

    def _ar_neutral_text(self):
        """What a customer may know."""
        return self.env._("We cannot confirm your order online right now; we will contact you.")

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS sale: nobody creates an order confirmed beside the gate
        orders = super().create(vals_list)
        confirmed = orders.filtered(lambda order: order.state == "sale")
        if confirmed:
            confirmed._ar_refresh_exposure()
            confirmed._ar_check_confirmed()
        return orders

    def _ar_check_confirmed(self):
        """Stop orders that are confirmed already: the error undoes what was done to them."""
        control = self.env["ar.credit.control"].sudo()
        # The exposure has them by now.
        demands = {
            order: order._ar_credit_demand()._replace(amount=0)
            for order in self
            if order.amount_total > 0
        }
        decisions = control._decide_in_order(demands, lock=True) if demands else {}
        stopped = {
            order: decision
            for order, decision in decisions.items()
            if decision.stops and not demands[order].exempt
        }
        if stopped:
            raise UserError(control._get_stopped_text(stopped))

    def _ar_confirmed_totals(self):
        """``{order: total}`` of confirmed orders; what the system adds by itself is left alone.

        Costs of the delivery, say: an error would stop the goods, not the sale.
        """
        if self.env.su:
            return {}
        return {order: order.amount_total for order in self if order.state == "sale"}

    def _ar_check_raised(self, totals):
        """Stop confirmed orders that grew, unless they were released up to what they are now.

        :param totals: see ``_ar_confirmed_totals``
        """
        changed = self.filtered(
            lambda order: order in totals and order.amount_total != totals[order]
        )
        if not changed:
            return
        changed._ar_refresh_exposure()
        changed.filtered(
            lambda order: (
                order.currency_id.compare_amounts(order.amount_total, totals[order]) > 0
                and not order._ar_is_released()
            )
        )._ar_check_confirmed()

    def write(self, vals):
        # EXTENDS sale: nobody writes an order confirmed beside the gate
        if not self or vals.keys().isdisjoint(("state", "partner_invoice_id")):
            return super().write(vals)
        others = self.filtered(lambda order: not order._ar_has_passed())
        if vals.get("state") == "sale" and others:
            # What else is written decides as well, so it comes first.
            self.write({name: value for name, value in vals.items() if name != "state"})
            vals = {"state": "sale"}
            stopped = others - self.env["ar.credit.control"]._gate(others)
            if stopped:
                raise UserError(
                    self.env._(
                        "Credit control stops %s.", ", ".join(stopped.mapped("display_name"))
                    )
                )
        former, customers = self.filtered(lambda order: order.state == "sale"), {}
        for order in former:
            customers[order] = order.partner_invoice_id
        result = super().write(vals)
        confirmed = self.filtered(lambda order: order.state == "sale")
        moved = (former & confirmed).filtered(
            lambda order: order.partner_invoice_id != customers[order]
        )
        ((former | confirmed) - (former & confirmed))._ar_refresh_exposure()
        moved._ar_refresh_exposure(self.env["res.partner"].union(*map(customers.get, moved)))
        return result

    # Exposure

    def _ar_refresh_exposure(self, former=None):
        """Bring the credit files in line with orders that came or went.

        :param former: customers who had orders that are others' now
        """
        touch = self.env["ar.ledger.touch"]
        for company, orders in self.grouped(lambda order: order.company_id.root_id).items():
            customers = orders.partner_invoice_id | (former or self.env["res.partner"])
            touch._touch_orders(company, customers.commercial_partner_id)

    def _ar_is_released(self):
        """Whether a release let the order pass as it is now."""
        self.ensure_one()
        amount = self.amount_total / (self.currency_rate or 1)
        return any(
            release.state == "used" and release._covers_amount(amount)
            for release in self.sudo().ar_release_ids
        )

    def _ar_open_amount(self, posting=None):
        """What the confirmed order still adds to the debt, in its currency, taxes included.

        Per line what is ordered, or delivered when that is more, and not on posted invoices
        yet. A posted down payment is taken off until an invoice deducts it. Never negative.
        An invoice made out to somebody else takes its part along, even as a draft.

        :param posting: draft invoices that count as posted
        """
        self.ensure_one()
        if self.state != "sale":
            return 0.0
        customer = self.partner_invoice_id.commercial_partner_id

        def is_draft(move):
            return (
                move.state == "draft"
                and move.move_type in ("out_invoice", "out_refund")
                and move.commercial_partner_id == customer
                and not (posting and move in posting)
            )

        def sign(move):
            return 1 if move.move_type == "out_invoice" else -1

        amount = 0.0
        for line in self.order_line:
            if line.display_type:
                continue
            if line.is_downpayment:
                amount -= sum(
                    sign(item.move_id)
                    * item.currency_id._convert(
                        item.price_total,
                        self.currency_id,
                        self.company_id,
                        self.company_id._ar_today(),
                        round=False,
                    )
                    for item in line.invoice_lines
                    if item.move_id.state == "posted" or (posting and item.move_id in posting)
                )
                continue
            draft = sum(
                sign(item.move_id)
                * item.product_uom_id._compute_quantity(
                    item.quantity, line.product_uom_id, round=False
                )
                for item in line.invoice_lines
                if is_draft(item.move_id)
            )
            amount += _open_part(line, line.qty_invoiced - draft)
        return max(amount, 0.0)


def _open_part(line, posted):
    """What of an order line is not on posted invoices, taxes included."""
    ordered, delivered = line.product_uom_qty, line.qty_delivered
    if ordered > 0:
        return line.price_total * max(max(ordered, delivered) - posted, 0) / ordered
    if ordered < 0:
        return line.price_total * min(min(ordered, delivered) - posted, 0) / ordered
    # Re-invoiced costs are delivered without being ordered, and have no total of their own.
    return line.price_unit * (1 - line.discount / 100) * max(delivered - posted, 0)
