from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_amount

from ..figures.trade_receivable import RECEIVABLE, TRADE_RECEIVABLE_DOMAIN, is_trade_receivable
from .writeoff_entry import split
from .writeoff_request import BOOKED

ACTIVITY = "ar_collections.activity_recovery"


class ArWriteoffRecovery(models.Model):
    """Part of a payment that came after its debt had been written off."""

    _name = "ar.writeoff.recovery"
    _inherit = "ar.readonly.mixin"
    _description = "Recovery of a Write-off"
    _order = "date desc, id desc"

    request_id = fields.Many2one(
        "ar.writeoff.request", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="request_id.partner_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, readonly=True)
    amount = fields.Monetary(required=True, readonly=True)
    payment_line_id = fields.Many2one(
        "account.move.line", string="Payment", readonly=True, index=True, ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    reversal_id = fields.Many2one("account.move", readonly=True, index="btree_not_null")
    state = fields.Selection(
        [("posted", "Posted"), ("reversed", "Reversed")],
        default="posted",
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one("res.users", string="Booked By", required=True, readonly=True)

    _positive = models.Constraint("CHECK(amount > 0)", "A recovery is more than nothing.")

    @api.depends("request_id", "move_id")
    def _compute_display_name(self):
        for recovery in self:
            recovery.display_name = self.env._(
                "recovery %(entry)s of %(request)s",
                entry=recovery.move_id.name,
                request=recovery.request_id.name,
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        raise UserError(self.env._("A recovery stays on record: reverse it."))

    def action_reverse(self):
        """Undo the recovery: the payment is open again.

        :raises UserError: it is reversed already
        """
        self.request_id._check_accounting()
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager reverses a recovery."))
        self.request_id.lock_for_update(allow_referencing=True)
        for recovery in self:
            if recovery.state != "posted":
                raise UserError(self.env._("This recovery is reversed already."))
            reversal = recovery.move_id._ar_reverse_booked(
                recovery.company_id._ar_today(),
                self.env._("Reversal of %s", recovery.display_name),
            )
            recovery.sudo().write({"state": "reversed", "reversal_id": reversal.id})
            recovery.request_id.sudo()._after_recovery()
        return True


class ArWriteoffRequest(models.Model):
    """What customers pay after all."""

    _inherit = "ar.writeoff.request"

    recovery_ids = fields.One2many(
        "ar.writeoff.recovery", "request_id", string="Recoveries", readonly=True, copy=False
    )
    amount_recovered = fields.Monetary(
        string="Recovered", compute="_compute_amount_recovered", store=True
    )
    recovery_share = fields.Float(
        string="Recovered (%)",
        compute="_compute_amount_recovered",
        store=True,
        aggregator="avg",
    )

    @api.depends("recovery_ids.amount", "recovery_ids.state", "amount_total")
    def _compute_amount_recovered(self):
        for request in self:
            booked = request.recovery_ids.filtered(lambda recovery: recovery.state == "posted")
            amount = request.currency_id.round(sum(booked.mapped("amount")))
            request.amount_recovered = amount
            request.recovery_share = amount / request.amount_total if request.amount_total else 0

    @api.model
    def _possible_recoveries(self, company):
        """Open payments of customers whose debts were written off before.

        :param company: root companies
        :return: receivable journal items
        """
        files = (
            self.env["ar.credit.file"]
            .sudo()
            .search([("company_id", "in", company.ids), ("written_off_open", ">", 0)])
        )
        lines = self.env["account.move.line"].sudo()
        if not files:
            return lines
        found = lines.search(
            [
                ("partner_id", "child_of", files.partner_id.ids),
                ("company_id", "child_of", company.ids),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("journal_id.type", "in", ("bank", "cash", "credit")),
                ("balance", "<", 0),
            ]
        )
        since = {(file.partner_id, file.company_id): file.written_off_date for file in files}
        return found.filtered(
            lambda line: (
                (day := since.get((line.partner_id.commercial_partner_id, line.company_id.root_id)))
                and line.date >= day
            )
        )

    @api.model
    def _propose_recoveries(self, company, date):
        """Tell whoever asked for a write-off that the customer has paid since, once."""
        lines = self._possible_recoveries(company)
        for partner, payments in lines.grouped(
            lambda line: line.partner_id.commercial_partner_id
        ).items():
            request = self._open_for_recovery(partner, company)[:1]
            if request and not request.activity_search([ACTIVITY]):
                request.activity_schedule(
                    ACTIVITY,
                    date,
                    summary=self.env._(
                        "The customer has paid %s: book it as recovery",
                        format_amount(
                            self.env,
                            -sum(payments.mapped("amount_residual")),
                            company.currency_id,
                        ),
                    ),
                    user_id=(request.poster_id or request.user_id).id,
                )

    @api.model
    def _open_for_recovery(self, partner, company):
        """The write-offs of a customer of which something is still missing, the oldest first."""
        return self.search(
            [
                ("partner_id", "=", partner.id),
                ("company_id", "=", company.id),
                ("state", "=", "posted"),
            ],
            order="date_posted, id",
        )

    @api.model
    def _book_recoveries(self, payments):
        """Book open payments as recovery, to the oldest write-offs of each customer first.

        What is beyond the write-offs stays open on the payment.

        :param payments: open receivable items with a credit balance
        :return: the recoveries
        :raises UserError: nothing was written off that the payment could be for
        """
        self._check_accounting()
        recoveries = self.env["ar.writeoff.recovery"]
        for payment in payments.sorted("date"):
            if (
                not is_trade_receivable(payment)
                or payment.parent_state != "posted"
                or payment.amount_residual >= 0
                # A credit note takes back income: nothing came in.
                or payment.move_id.is_sale_document(include_receipts=True)
            ):
                raise UserError(
                    self.env._("%s is not an open payment.", payment.move_name or payment.name)
                )
            requests = self._open_for_recovery(
                payment.partner_id.commercial_partner_id, payment.company_id.root_id
            )
            requests.lock_for_update(allow_referencing=True)
            if not requests:
                raise UserError(
                    self.env._(
                        "Nothing of %s is written off any more.",
                        payment.partner_id.commercial_partner_id.display_name,
                    )
                )
            for request in requests:
                if payment.amount_residual < 0:
                    recoveries |= request._recover(payment)
        return recoveries

    def _recover(self, payment):
        """Book as much of a payment as the request misses."""
        self.ensure_one()
        request = self.sudo()
        currency = request.currency_id
        missing = currency.round(request.amount_total - request.amount_recovered)
        amount = min(missing, -payment.amount_residual)
        amount_currency = payment.currency_id.round(
            payment.amount_residual_currency * -amount / payment.amount_residual
        )
        company, day = payment.company_id, request.company_id._ar_today()
        move = (
            self.env["account.move"]
            .with_company(company)
            .with_context(skip_invoice_sync=True)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": request._journal(company).id,
                    "company_id": company.id,
                    "date": day,
                    "ref": self.env._("Recovery of write-off %s", request.name),
                    "partner_id": request.partner_id.id,
                    "line_ids": [
                        Command.create(values)
                        for values in [
                            {
                                "name": self.env._("Recovery of write-off %s", request.name),
                                "account_id": payment.account_id.id,
                                "partner_id": payment.partner_id.id,
                                "currency_id": payment.currency_id.id,
                                "amount_currency": -amount_currency,
                                "balance": amount,
                            },
                            *request._income_values(amount, company),
                        ]
                    ],
                }
            )
        )
        receivable = move.line_ids[:1]
        move._post(soft=False)
        recovery = self.env["ar.writeoff.recovery"].sudo()
        recovery = recovery.create(
            {
                "request_id": request.id,
                "date": move.date,
                "amount": amount,
                "payment_line_id": payment.id,
                "move_id": move.id,
                "user_id": self.env.uid,
            }
        )
        (payment | receivable).reconcile()
        request._after_recovery()
        return recovery.with_env(self.env)

    def _after_recovery(self):
        for request in self:
            full = not request.currency_id.compare_amounts(
                request.amount_recovered, request.amount_total
            )
            state = "recovered" if full else "posted"
            if request.state in BOOKED and request.state != state:
                request.state = state
            request.activity_unlink([ACTIVITY])
        self.env["ar.credit.file"]._refresh_writeoffs(self.file_id)

    def _income_values(self, amount, company):
        """The other side of a recovery: the mirror of what the write-off was debited to."""
        account = self.reason_id._recovery_account(company)
        debits = self.move_id.line_ids.filtered(lambda line: line.account_type != RECEIVABLE)
        parts = split(amount, debits.mapped("balance"), self.currency_id.round)
        waiting = self._waiting_taxes()
        values = []
        for debit, part in zip(debits, parts, strict=True):
            line = {
                "name": debit.name,
                "account_id": account.id,
                "partner_id": self.partner_id.id,
                "balance": -part,
                "tax_ids": [Command.set(debit.tax_ids.ids)],
                "analytic_distribution": debit.analytic_distribution,
                "tax_tag_ids": [
                    Command.set(
                        debit.tax_ids.invoice_repartition_line_ids.filtered(
                            lambda repartition: repartition.repartition_type == "base"
                        ).tag_ids.ids
                    )
                ],
            }
            twin = debit.tax_repartition_line_id
            if twin:
                # Claimed back by the write-off, it is due again.
                twin = twin.tax_id._ar_twin(twin, "invoice")
            elif not debit.tax_ids and debit.account_id in waiting:
                twin = waiting[debit.account_id]
            if twin:
                line.update(
                    account_id=(twin.account_id or account).id,
                    tax_repartition_line_id=twin.id,
                    tax_tag_ids=[Command.set(twin.tag_ids.ids)],
                )
            values.append(line)
        return [line for line in values if not self.currency_id.is_zero(line["balance"])]

    def _waiting_taxes(self):
        """``{waiting account: repartition line}`` of taxes that are due when they are paid."""
        taxes = self.line_ids.move_id.line_ids.tax_line_id.filtered(
            lambda tax: tax.tax_exigibility == "on_payment"
        )
        return {
            tax.cash_basis_transition_account_id: tax.invoice_repartition_line_ids.filtered(
                lambda line: line.repartition_type == "tax"
            )[:1]
            for tax in taxes
        }

    @api.model
    def action_possible_recoveries(self):
        """List the payments that may be for something that was written off."""
        lines = self._possible_recoveries(self.env.companies.root_id)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Possible Recoveries"),
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "views": [
                (self.env.ref("ar_collections.account_move_line_view_list_recovery").id, "list"),
                (False, "form"),
            ],
            "domain": [("id", "in", lines.ids)],
            "search_view_id": [
                self.env.ref("ar_collections.account_move_line_view_search_open").id,
                "search",
            ],
            "context": {"create": False},
            "help": self.env._("No customer has paid after a write-off"),
        }

    def action_open_recoveries(self):
        self.ensure_one()
        return self.recovery_ids.move_id._get_records_action(name=self.env._("Recoveries"))


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def action_ar_recover(self):
        """Book these open payments as recovery of what was written off before."""
        recoveries = self.env["ar.writeoff.request"]._book_recoveries(self)
        return recoveries.request_id._get_records_action(name=self.env._("Recovered Write-offs"))
