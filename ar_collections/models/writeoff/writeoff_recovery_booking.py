from typing import NamedTuple

from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ..figures.settlement import money_domain
from ..figures.trade_receivable import RECEIVABLE, TRADE_RECEIVABLE_DOMAIN, is_trade_receivable
from .writeoff_entry import split
from .writeoff_watched import RECOVERY_ACTIVITY


class Debt(NamedTuple):
    """What a write-off misses in one currency."""

    currency: object
    amount: float
    # What it was worth in company currency when it was written off.
    value: float


class PaidPart(NamedTuple):
    """What a payment is for one debt: how much of the debt, and how much of the payment."""

    amount: float
    # What of the debt was written off, company currency.
    value: float
    paid_currency: float
    # What came in, company currency: what it differs from the value is exchange difference.
    paid: float


class ArWriteoffRecoveryBooking(models.AbstractModel):
    """What customers pay after all: found, proposed and booked."""

    _name = "ar.writeoff.recovery.booking"
    _description = "Booking of Recoveries"

    @api.model
    def _book_payments(self, payments, requests=None, date=None):
        """Book open payments as recovery, to the oldest write-offs of each customer first.

        What is beyond the write-offs stays open on the payment.

        :param payments: open receivable items with a credit balance
        :param requests: the write-offs that somebody else pays, by default those of the customer
        :param date: of the entries, by default as the settings say
        :return: the recoveries
        :raises UserError: nothing was written off that the payment could be for
        """
        self.env["ar.writeoff.request"]._check_accounting()
        self._check_payments(payments)
        if requests is not None:
            self._check_paid(payments, requests)
        recoveries = self.env["ar.writeoff.recovery"]
        for payment in payments.sorted("date"):
            paid = self._get_requests_paid_by(payment) if requests is None else requests
            paid.lock_for_update(allow_referencing=True)
            for request in paid:
                for debt in self._get_debts(request, payment.currency_id):
                    if payment.amount_residual < 0:
                        recoveries |= self._book_recovery(request, payment, debt, date)
        return recoveries

    @api.model
    def _check_payments(self, payments):
        """:raises UserError: one of the items is no open payment"""
        for payment in payments:
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

    @api.model
    def _check_paid(self, payments, requests):
        """:raises UserError: a write-off is not open, or was booked in another company"""
        requests.check_access("read")
        for request in requests:
            request._check_state("posted")
            if not request.amount_missing:
                raise UserError(self.env._("Nothing of %s is owed any more.", request.name))
            if request.company_id != payments.company_id.root_id:
                raise UserError(
                    self.env._(
                        "%(request)s was written off in %(company)s, the payment is in another "
                        "company.",
                        request=request.name,
                        company=request.company_id.display_name,
                    )
                )

    @api.model
    def _check_written_off(self, companies):
        """:raises UserError: nobody's debt is written off there any more"""
        if not self.env["ar.writeoff.request"].search_count(
            [
                ("company_id", "in", companies.ids),
                ("amount_missing", ">", 0),
            ],
            limit=1,
        ):
            raise UserError(self.env._("Nothing is written off any more."))

    @api.model
    def _is_clear(self, payment):
        """Whether the payer says which write-offs a payment is for."""
        partner, company = payment.partner_id.commercial_partner_id, payment.company_id.root_id
        customers = self._get_customers_by_payer(company).get(partner)
        return bool(customers) and len(customers) == 1

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
                    "%(customers)s. Book it as recovery by itself and choose the write-off.",
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
    def _get_debts(self, request, currency):
        """What a write-off misses, by the currencies of what was owed.

        :param currency: of the payment, whose debts come first
        :return: list of :class:`Debt`
        """
        request = request.sudo()
        debts = {}
        for sign, currency_field, amount_field, value_field, records in (
            (1, "currency_id", "amount", "amount_company", request.line_ids),
            (
                -1,
                "debt_currency_id",
                "debt_amount",
                "amount",
                request.recovery_ids.filtered(lambda recovery: recovery.state == "posted"),
            ),
        ):
            for record in records:
                amount, value = debts.get(record[currency_field], (0.0, 0.0))
                debts[record[currency_field]] = (
                    amount + sign * record[amount_field],
                    value + sign * record[value_field],
                )
        return [
            Debt(debt_currency, debt_currency.round(amount), request.currency_id.round(value))
            for debt_currency, (amount, value) in sorted(
                debts.items(), key=lambda debt: debt[0] != currency
            )
            if debt_currency.compare_amounts(amount, 0) > 0
            and request.currency_id.compare_amounts(value, 0) > 0
        ]

    @api.model
    def _get_paid_part(self, payment, debt):
        """How much of a debt an open payment pays, whatever the rate was when it was written off.

        :return: :class:`PaidPart`
        """
        company = payment.company_id
        left, left_company = -payment.amount_residual_currency, -payment.amount_residual
        if debt.currency == payment.currency_id:
            worth = left
        else:
            # By the rate of the day on which the money came; its own worth needs none.
            worth = company.currency_id._convert(left_company, debt.currency, company, payment.date)
        if debt.currency.compare_amounts(worth, debt.amount) < 0:
            value = company.currency_id.round(debt.value * worth / debt.amount)
            return PaidPart(worth, value, left, left_company)
        used = debt.amount / worth
        return PaidPart(
            debt.amount,
            debt.value,
            payment.currency_id.round(left * used),
            company.currency_id.round(left_company * used),
        )

    @api.model
    def _get_date(self, request, payment):
        """The day of a recovery: that of the money, unless the company books by the day of work;
        nothing comes back before it was written off."""
        if request.company_id.ar_recovery_day == "booking":
            return request.company_id._ar_today()
        return max(payment.date, request.date_posted)

    @api.model
    def _book_recovery(self, request, payment, debt, date):
        """Book as much of a payment as a debt misses; nothing when it is less than a cent."""
        # The request is the system's to read, the entry is made with the rights of the user.
        request = request.sudo()
        recovery = self.env["ar.writeoff.recovery"]
        part = self._get_paid_part(payment, debt)
        if request.currency_id.is_zero(part.value) or request.currency_id.is_zero(part.paid):
            return recovery
        company = payment.company_id
        move = (
            self.env["account.move"]
            .with_company(company)
            .with_context(skip_invoice_sync=True)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": self.env["ar.writeoff.booking"]._get_journal(company).id,
                    "company_id": company.id,
                    "date": date or self._get_date(request, payment),
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
                                "amount_currency": part.paid_currency,
                                "balance": part.paid,
                            },
                            *self._prepare_income_values(request, part.value, company),
                            *self._prepare_exchange_values(request, part, company),
                        ]
                    ],
                }
            )
        )
        receivable = move.line_ids[:1]
        move._post(soft=False)
        recovery = recovery.sudo().create(
            {
                "request_id": request.id,
                "date": move.date,
                "amount": part.value,
                "debt_currency_id": debt.currency.id,
                "debt_amount": part.amount,
                "exchange_difference": request.currency_id.round(part.paid - part.value),
                "payment_line_id": payment.id,
                "move_id": move.id,
                "user_id": self.env.uid,
            }
        )
        (payment | receivable).reconcile()
        request._after_recovery()
        return recovery.with_env(self.env)

    @api.model
    def _prepare_exchange_values(self, request, part, company):
        """What the money is worth more or less than the debt was when it was written off.

        :raises UserError: the company has no account for it
        """
        difference = request.currency_id.round(part.paid - part.value)
        if request.currency_id.is_zero(difference):
            return []
        name = f"{'income' if difference > 0 else 'expense'}_currency_exchange_account_id"
        account = company[name] or company.root_id[name]
        if not account:
            raise UserError(
                self.env._(
                    "Choose the accounts for exchange gains and losses in the settings of "
                    "Accounting first."
                )
            )
        return [
            {
                "name": self.env._("Exchange difference of %s", request.name),
                "account_id": account.id,
                "partner_id": request.partner_id.id,
                "balance": -difference,
            }
        ]

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
