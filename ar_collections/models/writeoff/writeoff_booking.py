import json

from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..figures.trade_receivable import RECEIVABLE
from .writeoff_entry import LOSS, TAX, WAITING_TAX, Share, spread


class ArWriteoffBooking(models.AbstractModel):
    """The journal entry of a write-off request: one for all its items."""

    _name = "ar.writeoff.booking"
    _description = "Booking of Write-offs"

    @api.model
    def _book_request(self, request):
        """Book a request that was approved, and settle its items by the entry.

        :return: the posted entry
        :raises UserError: it could not be posted on the day that was shown
        """
        # The request is the system's to read, the entry is made with the rights of the user.
        request = request.sudo()
        company, day = request.move_company_id, request.posting_date
        debits, used = self._prepare_debit_values(request, company)
        move = (
            self.env["account.move"]
            .with_company(company)
            # Taxes, balances and analytic are all in the lines: nothing is computed again.
            .with_context(skip_invoice_sync=True, skip_analytic_sync=True)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": self._get_journal(company).id,
                    "company_id": company.id,
                    "date": day,
                    "ref": self.env._(
                        "Write-off %(request)s: %(reason)s",
                        request=request.name,
                        reason=request.reason_id.name,
                    ),
                    "partner_id": request.partner_id.id,
                    "adjusting_entry_origin_move_ids": [
                        Command.set(
                            request.line_ids.move_id.filtered(
                                lambda move: move.is_sale_document(include_receipts=True)
                            ).ids
                        )
                    ],
                    "line_ids": [
                        Command.create(values)
                        for values in [
                            *(line._prepare_credit_values() for line in request.line_ids),
                            *debits,
                        ]
                    ],
                }
            )
        )
        move.sudo().ar_write_off = True
        credit_ids = move.line_ids.ids[: len(request.line_ids)]
        move = move.with_context(skip_analytic_sync=False)
        move._post(soft=False)
        if move.date != day:
            raise UserError(
                self.env._(
                    "The entry would be posted on %(date)s: check the lock dates, and post again.",
                    date=format_date(self.env, move.date),
                )
            )
        request.write(
            {
                "state": "posted",
                "move_id": move.id,
                "date_posted": day,
                "poster_id": self.env.uid,
                "amount_allowance": used,
            }
        )
        items = self.env["account.move.line"]
        # Tax on a cash basis is not due by a write-off, and lines that are posted stay as they are.
        items.with_context(no_cash_basis=True, skip_invoice_sync=True)._reconcile_plan(
            [
                items.browse((line.move_line_id.id, credit_id))
                for line, credit_id in zip(request.line_ids, credit_ids, strict=True)
            ]
        )
        request._after_booking()
        return move

    @api.model
    def _get_journal(self, company):
        """The journal of write-offs of a company: of the settings, or its first general one."""
        return company.root_id.ar_writeoff_journal_id or self.env["account.journal"].search(
            [
                *self.env["account.journal"]._check_company_domain(company),
                ("type", "=", "general"),
            ],
            limit=1,
        )

    # The debit side

    @api.model
    def _prepare_debit_values(self, request, company):
        """The lines of the loss and of the taxes, and what of it the allowance covers.

        :return: ``(list of values, amount)``
        """
        if request.kind == "credit":
            return [self._prepare_credit_income_values(request, company)], 0.0
        currency = request.currency_id
        parts = {}
        shares = self._get_document_shares(request.line_ids.move_line_id.move_id)
        with_relief = request.reason_id._gives_tax_back(company)
        for line in request.line_ids:
            for part, amount in spread(
                line.amount_company,
                shares.get(line.move_line_id.move_id.id, ()),
                with_relief,
                currency.round,
            ):
                parts[part] = parts.get(part, 0.0) + amount
        loss_account = request.reason_id._expense_account(company)
        allowance_account, allowance = request.file_id._get_allowance()
        # A discount is a part below zero: it leaves less to cover, and is not covered itself.
        lost = sum(amount for part, amount in parts.items() if part.kind == LOSS)
        available = min(allowance, lost)
        values, used = [], 0.0
        for part, amount in parts.items():
            if part.kind == LOSS:
                covered = currency.round(max(min(available - used, amount), 0.0))
                used += covered
                values += [
                    self._prepare_loss_values(request, part, covered, allowance_account),
                    self._prepare_loss_values(
                        request, part, currency.round(amount - covered), loss_account
                    ),
                ]
            else:
                values.append(self._prepare_tax_values(request, part, amount, loss_account))
        return [line for line in values if not currency.is_zero(line["balance"])], used

    @api.model
    def _prepare_credit_income_values(self, request, company):
        """What customers have too much and nobody asks back is income."""
        return {
            "name": self.env._("Write-off %s", request.name),
            "account_id": request.reason_id._recovery_account(company).id,
            "balance": -request.amount_total,
        }

    @api.model
    def _prepare_loss_values(self, request, part, amount, account):
        taxes = self.env["account.tax"].browse(part.tax_ids)
        return {
            "name": self.env._("Write-off %s", request.name),
            "account_id": account.id,
            "partner_id": request.partner_id.id,
            "balance": request.currency_id.round(amount),
            "analytic_distribution": json.loads(part.analytic) if part.analytic else False,
            "tax_ids": [Command.set(taxes.ids)],
            "tax_tag_ids": [
                Command.set(
                    taxes.refund_repartition_line_ids.filtered(
                        lambda line: line.repartition_type == "base"
                    ).tag_ids.ids
                )
            ],
        }

    @api.model
    def _prepare_tax_values(self, request, part, amount, loss_account):
        values = {
            "partner_id": request.partner_id.id,
            "balance": request.currency_id.round(amount),
            "tax_ids": [Command.clear()],
        }
        repartition = self.env["account.tax.repartition.line"].browse(part.repartition_id)
        tax = repartition.tax_id
        if part.kind == WAITING_TAX:
            return {
                **values,
                "name": self.env._("%s, not due any more", tax.name),
                "account_id": part.account_id,
            }
        refund = tax._ar_twin(repartition, "refund")
        return {
            **values,
            "name": tax.name,
            "account_id": (refund.account_id or loss_account).id,
            "tax_repartition_line_id": refund.id,
            "tax_tag_ids": [Command.set(refund.tag_ids.ids)],
        }

    @api.model
    def _get_document_shares(self, documents):
        """How the lines of each document make up what the customer owes for it.

        :return: ``{id of the document: [Share]}``, invoices and receipts only
        """
        lines = documents.sudo().line_ids.filtered(
            lambda line: (
                line.move_id.move_type in ("out_invoice", "out_receipt")
                and line.account_type != RECEIVABLE
                and line.balance
            )
        )
        shares = {}
        for line in lines.sorted("id"):
            tax = line.tax_line_id
            if not tax:
                due = line.tax_ids.filtered(lambda each: each.tax_exigibility != "on_payment")
                share = Share(
                    LOSS,
                    -line.balance,
                    self._get_analytic_key(line),
                    tuple(sorted(due.ids)),
                )
            else:
                kind = WAITING_TAX if tax.tax_exigibility == "on_payment" else TAX
                share = Share(
                    kind,
                    -line.balance,
                    repartition_id=line.tax_repartition_line_id.id,
                    account_id=line.account_id.id,
                )
            shares.setdefault(line.move_id.id, []).append(share)
        return shares

    @api.model
    def _get_analytic_key(self, line):
        """The analytic distribution of a journal item as one value, ``None`` without any."""
        distribution = line.analytic_distribution
        return json.dumps(distribution, sort_keys=True) if distribution else None


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _ar_twin(self, repartition, document_type):
        """The repartition line of the other kind of document for the same part of the tax.

        :param document_type: ``invoice`` or ``refund``
        """
        own = f"{repartition.document_type}_repartition_line_ids"
        other = self[f"{document_type}_repartition_line_ids"]
        lines = self[own].filtered(lambda line: line.repartition_type == "tax")
        twins = other.filtered(lambda line: line.repartition_type == "tax")
        # Odoo keeps as many of both kinds, in the same order.
        return twins[lines.ids.index(repartition.id)]
