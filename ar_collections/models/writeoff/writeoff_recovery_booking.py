from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..figures.settlement import money_domain
from ..figures.trade_receivable import RECEIVABLE, TRADE_RECEIVABLE_DOMAIN, is_trade_receivable
from .writeoff_entry import split
from .writeoff_request import RECOVERY_ACTIVITY


class ArWriteoffRecoveryBooking(models.AbstractModel):
    """What customers pay after all: found, proposed and booked."""

    _name = "ar.writeoff.recovery.booking"
    _description = "Booking of Recoveries"

    @api.model
    def _book_payments(self, payments):
        """Book open payments as recovery, to the oldest write-offs of each customer first.

        What is beyond the write-offs stays open on the payment.

        :param payments: open receivable items with a credit balance
        :return: the recoveries
        :raises UserError: nothing was written off that the payment could be for
        """
        self.env["ar.writeoff.request"]._check_accounting()
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
            requests = self._get_requests_paid_by(payment)
            requests.lock_for_update(allow_referencing=True)
            for request in requests:
                if payment.amount_residual < 0:
                    recoveries |= self._book_recovery(request, payment)
        return recoveries

    @api.model
    def _get_possible_payments(self, company):
        """Open payments of customers whose debts were written off before, and of who pays for
        them: insurers, agencies.

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
        since = {}
        for file, payers in files._get_payers().items():
            for partner in file.partner_id | payers:
                key = partner, file.company_id
                since[key] = min(file.written_off_date, since.get(key, file.written_off_date))
        found = lines.search(
            [
                (
                    "partner_id.commercial_partner_id",
                    "in",
                    [partner.id for partner, _company in since],
                ),
                ("company_id", "child_of", company.ids),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                *money_domain(),
                ("balance", "<", 0),
            ]
        )
        return found.filtered(
            lambda line: (
                (day := since.get((line.partner_id.commercial_partner_id, line.company_id.root_id)))
                and line.date >= day
            )
        )

    @api.model
    def _get_possible_window(self):
        """The list of such payments in the companies at hand."""
        lines = self._get_possible_payments(self.env.companies.root_id)
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

    @api.model
    def _propose_recoveries(self, company, date):
        """Tell whoever asked for a write-off that the customer has paid since, once."""
        lines = self._get_possible_payments(company)
        customers = self._get_customers_by_payer(company) if lines else {}
        for partner, payments in lines.grouped(
            lambda line: line.partner_id.commercial_partner_id
        ).items():
            paid = format_amount(
                self.env, -sum(payments.mapped("amount_residual")), company.currency_id
            )
            for customer in customers[partner]:
                request = self._get_open_requests(customer, company)[:1]
                if not request or request.activity_search([RECOVERY_ACTIVITY]):
                    continue
                request.activity_schedule(
                    RECOVERY_ACTIVITY,
                    date,
                    summary=self.env._("The customer has paid %s: book it as recovery", paid)
                    if customer == partner
                    else self.env._(
                        "%(payer)s has paid %(amount)s: book what is for this customer as recovery",
                        payer=partner.display_name,
                        amount=paid,
                    ),
                    user_id=(request.poster_id | request.user_id)._ar_or_next(company, None).id,
                )

    @api.model
    def _get_customers_by_payer(self, company):
        """Who pays for which customers with debts written off: each for itself, else insurers
        and agencies for theirs.

        :return: ``{payer: customers}``
        """
        files = (
            self.env["ar.credit.file"]
            .sudo()
            .search([("company_id", "=", company.id), ("written_off_open", ">", 0)])
        )
        customers = {}
        for file, payers in files._get_payers().items():
            for payer in payers:
                customers[payer] = customers.get(payer, file.partner_id) | file.partner_id
        return customers | {partner: partner for partner in files.partner_id}

    @api.model
    def _get_requests_paid_by(self, payment):
        """The write-offs that an open payment can be for, the oldest first.

        :raises UserError: there are none, or nobody knows of which customer
        """
        partner, company = payment.partner_id.commercial_partner_id, payment.company_id.root_id
        customers = self._get_customers_by_payer(company).get(partner, partner)
        if len(customers) > 1:
            raise UserError(
                self.env._(
                    "%(payer)s pays for several customers of whom something is written off: "
                    "%(customers)s. Choose the customer on the payment first.",
                    payer=partner.display_name,
                    customers=", ".join(customers.mapped("display_name")),
                )
            )
        requests = self._get_open_requests(customers, company)
        if not requests:
            raise UserError(
                self.env._("Nothing of %s is written off any more.", partner.display_name)
            )
        return requests

    @api.model
    def _get_open_requests(self, partner, company):
        """The write-offs of a customer of which something is still missing, the oldest first."""
        return self.env["ar.writeoff.request"].search(
            [
                ("partner_id", "=", partner.id),
                ("company_id", "=", company.id),
                ("state", "=", "posted"),
            ],
            order="date_posted, id",
        )

    # The entry

    @api.model
    def _book_recovery(self, request, payment):
        """Book as much of a payment as the request misses."""
        # The request is the system's to read, the entry is made with the rights of the user.
        request = request.sudo()
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
                    "journal_id": self.env["ar.writeoff.booking"]._get_journal(company).id,
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
                            *self._prepare_income_values(request, amount, company),
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

    @api.model
    def _prepare_income_values(self, request, amount, company):
        """The other side of a recovery: the mirror of what the write-off was debited to."""
        account = request.reason_id._recovery_account(company)
        debits = request.move_id.line_ids.filtered(lambda line: line.account_type != RECEIVABLE)
        parts = split(amount, debits.mapped("balance"), request.currency_id.round)
        waiting = self._get_waiting_taxes(request)
        values = []
        for debit, part in zip(debits, parts, strict=True):
            line = {
                "name": debit.name,
                "account_id": account.id,
                "partner_id": request.partner_id.id,
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
        return [line for line in values if not request.currency_id.is_zero(line["balance"])]

    @api.model
    def _get_waiting_taxes(self, request):
        """``{waiting account: repartition line}`` of taxes that are due when they are paid."""
        taxes = request.line_ids.move_id.line_ids.tax_line_id.filtered(
            lambda tax: tax.tax_exigibility == "on_payment"
        )
        return {
            tax.cash_basis_transition_account_id: tax.invoice_repartition_line_ids.filtered(
                lambda line: line.repartition_type == "tax"
            )[:1]
            for tax in taxes
        }
