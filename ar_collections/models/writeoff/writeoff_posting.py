import json

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_amount, format_date

from ..common.company_share import get_company_share
from ..figures.trade_receivable import RECEIVABLE
from .writeoff_entry import LOSS, TAX, WAITING_TAX, Share, spread

ACCOUNTING = "account.group_account_invoice"


class ArWriteoffRequest(models.Model):
    """The journal entry of a request: one for all its items, and its reversal."""

    _inherit = "ar.writeoff.request"

    date = fields.Date(
        string="Accounting Date",
        default=lambda self: self.env.company._ar_today(),
        copy=False,
        tracking=True,
    )
    posting_date = fields.Date(
        string="Will Be Posted On",
        compute="_compute_posting_date",
        help="The accounting date, or the first day after it that is not locked.",
    )
    is_date_moved = fields.Boolean(compute="_compute_posting_date")
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    move_company_id = fields.Many2one(
        "res.company", string="Booked In", compute="_compute_move_company_id"
    )
    reversal_id = fields.Many2one(
        "account.move",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    date_posted = fields.Date(string="Posted On", readonly=True, copy=False, index=True)
    poster_id = fields.Many2one("res.users", string="Posted By", readonly=True, copy=False)
    amount_allowance = fields.Monetary(
        string="Covered by the Allowance",
        readonly=True,
        copy=False,
        help="The rest was booked as a loss.",
    )

    _booked = models.Constraint(
        "CHECK(state NOT IN ('posted', 'recovered', 'reversed') OR move_id IS NOT NULL)",
        "A request is posted by its journal entry.",
    )

    @api.depends("line_ids.move_line_id")
    def _compute_move_company_id(self):
        for request in self.sudo():
            # Items of one branch are written off in its books.
            companies = request.line_ids.move_line_id.company_id
            request.move_company_id = companies if len(companies) == 1 else request.company_id

    @api.depends("date", "line_ids", "reason_id")
    def _compute_posting_date(self):
        for request in self.sudo():
            company = request.move_company_id or request.company_id
            day = request.date or company._ar_today()
            journal = request._journal(company)
            with_tax = request.reason_id.tax_treatment == "relief"
            move = self.env["account.move"].new(
                {"move_type": "entry", "journal_id": journal.id, "company_id": company.id}
            )
            locks = company._get_violated_lock_dates(day, with_tax, journal)
            request.posting_date = move._get_accounting_date(day, with_tax, locks) if locks else day
            request.is_date_moved = request.posting_date != day

    @api.model
    def _journal(self, company):
        return company.root_id.ar_writeoff_journal_id or self.env["account.journal"].search(
            [
                *self.env["account.journal"]._check_company_domain(company),
                ("type", "=", "general"),
            ],
            limit=1,
        )

    # Posting

    def action_post(self):
        """Book an approved request with the rights of the user, and settle its items by it.

        :raises UserError: not approved, or something changed since; nothing is booked then
        """
        self._check_accounting()
        # Of two who post at once one gets the lock; the other is told that somebody else has it.
        self.lock_for_update(allow_referencing=True)
        for request in self:
            request._check_state("approved")
            request.sudo()._check_unchanged()
            request._book()
        return True

    def _check_accounting(self):
        self.check_access("read")
        if not self.env.user.has_group(ACCOUNTING):
            raise AccessError(self.env._("Journal entries are made by accounting users."))

    def _check_unchanged(self):
        """What was approved is still what is open."""
        self.ensure_one()
        texts = []
        if self.partner_id.id != self.submitted_partner:
            texts.append(self.env._("The customer was merged into another one."))
        for line in self.line_ids:
            item = line.move_line_id
            if item.parent_state != "posted":
                texts.append(self.env._("%s is not posted any more.", line.display_name))
            elif item.currency_id != line.currency_id:
                texts.append(self.env._("%s has another currency now.", line.display_name))
            elif self.kind == "customer" and (
                item.partner_id.commercial_partner_id != self.partner_id
            ):
                texts.append(
                    self.env._(
                        "%(item)s is of %(customer)s now.",
                        item=line.display_name,
                        customer=item.partner_id.commercial_partner_id.display_name,
                    )
                )
            elif line.currency_id.compare_amounts(
                item.amount_residual_currency, line.residual_submitted
            ):
                texts.append(
                    self.env._(
                        "Of %(item)s %(now)s is open, and %(then)s was when it was submitted.",
                        item=line.display_name,
                        now=format_amount(
                            self.env, item.amount_residual_currency, line.currency_id
                        ),
                        then=format_amount(self.env, line.residual_submitted, line.currency_id),
                    )
                )
            elif line.company_currency_id.compare_amounts(
                get_company_share(item, line.amount), line.amount_company
            ):
                texts.append(
                    self.env._("%s has another value in company currency now.", line.display_name)
                )
        if texts:
            raise UserError(
                self.env._(
                    "%(request)s is not what was submitted any more: take it back to draft, "
                    "correct and submit it again.\n%(texts)s",
                    request=self.name,
                    texts="\n".join(f"- {text}" for text in texts[:10]),
                )
            )

    def _book(self):
        self.ensure_one()
        # The request is the system's to read, the entry is made with the rights of the user.
        request = self.sudo()
        company, day = request.move_company_id, request.posting_date
        debits, used = request._debit_values(company)
        move = (
            self.env["account.move"]
            .with_company(company)
            # Taxes, balances and analytic are all in the lines: nothing is computed again.
            .with_context(skip_invoice_sync=True, skip_analytic_sync=True)
            .create(
                {
                    "move_type": "entry",
                    "journal_id": request._journal(company).id,
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
                            *(line._credit_values() for line in request.line_ids),
                            *debits,
                        ]
                    ],
                }
            )
        )
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

    def _after_booking(self):
        self.activity_unlink(
            ["ar_collections.activity_writeoff", "ar_collections.activity_recovery"]
        )
        self.env["ar.credit.file"]._refresh_writeoffs(self.file_id)

    def _allowance_available(self):
        """The allowance for the customer's bad debts that the request uses up first.

        :return: ``(account, amount in company currency)``
        """
        self.ensure_one()
        return self.env["account.account"], 0.0

    def _debit_values(self, company):
        """The lines of the loss and of the taxes, and what of it the allowance covers.

        :return: ``(list of values, amount)``
        """
        currency = self.currency_id
        parts = {}
        shares = self._shares()
        with_relief = self.reason_id.tax_treatment == "relief"
        for line in self.line_ids:
            for part, amount in spread(
                line.amount_company,
                shares.get(line.move_line_id.move_id.id, ()),
                with_relief,
                currency.round,
            ):
                parts[part] = parts.get(part, 0.0) + amount
        loss_account = self.reason_id._expense_account(company)
        allowance_account, allowance = self._allowance_available()
        values, used = [], 0.0
        for part, amount in parts.items():
            if part.kind == LOSS and allowance_account:
                covered = currency.round(min(max(allowance - used, 0.0), amount))
                used += covered
                values.append(self._loss_values(part, covered, allowance_account))
                amount = currency.round(amount - covered)
            if part.kind == LOSS:
                values.append(self._loss_values(part, amount, loss_account))
            else:
                values.append(self._tax_values(part, amount, loss_account))
        return [line for line in values if not currency.is_zero(line["balance"])], used

    def _loss_values(self, part, amount, account):
        taxes = self.env["account.tax"].browse(part.tax_ids)
        return {
            "name": self.env._("Write-off %s", self.name),
            "account_id": account.id,
            "partner_id": self.partner_id.id,
            "balance": self.currency_id.round(amount),
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

    def _tax_values(self, part, amount, loss_account):
        values = {
            "partner_id": self.partner_id.id,
            "balance": self.currency_id.round(amount),
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

    def _shares(self):
        """How the lines of each document make up what the customer owes for it.

        :return: ``{id of the document: [Share]}``, invoices and receipts only
        """
        self.env["account.move.line"].flush_model()
        self.env["account.move"].flush_model(["move_type"])
        shares = {}
        for row in self.env.execute_query(
            SQL(
                """
            SELECT line.move_id, -line.balance::float8, line.analytic_distribution::text,
                   repartition.id, line.account_id, tax.tax_exigibility,
                   ARRAY(SELECT rel.account_tax_id
                           FROM account_move_line_account_tax_rel rel
                           JOIN account_tax due ON due.id = rel.account_tax_id
                          WHERE rel.account_move_line_id = line.id
                            AND due.tax_exigibility <> 'on_payment'
                          ORDER BY 1)
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN account_account account ON account.id = line.account_id
              LEFT JOIN account_tax_repartition_line repartition
                     ON repartition.id = line.tax_repartition_line_id
              LEFT JOIN account_tax tax ON tax.id = repartition.tax_id
             WHERE line.move_id IN %s AND move.move_type IN ('out_invoice', 'out_receipt')
               AND account.account_type <> %s AND line.balance <> 0
             ORDER BY line.id
            """,
                tuple(self.line_ids.move_line_id.move_id.ids) or (0,),
                RECEIVABLE,
            )
        ):
            move_id, weight, analytic, repartition_id, account_id, exigibility, tax_ids = row
            if not repartition_id:
                share = Share(LOSS, weight, analytic, tuple(tax_ids))
            else:
                kind = WAITING_TAX if exigibility == "on_payment" else TAX
                share = Share(kind, weight, None, (), repartition_id, account_id)
            shares.setdefault(move_id, []).append(share)
        return shares

    # Reversal

    def action_reverse(self):
        """Undo the write-off: its items are open again, and so is the case.

        :raises UserError: not posted, or the customer has paid part of it since
        """
        self._check_accounting()
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager reverses a write-off."))
        self.lock_for_update(allow_referencing=True)
        for request in self:
            request._check_state("posted", "recovered")
            if request.recovery_ids.filtered(lambda recovery: recovery.state == "posted"):
                raise UserError(
                    self.env._(
                        "The customer has paid part of %s: reverse its recoveries first.",
                        request.name,
                    )
                )
            today = request.company_id._ar_today()
            reversal = request.move_id._ar_reverse_booked(
                today, self.env._("Reversal of %s", request.name)
            )
            booked = request.sudo()
            booked.write({"state": "reversed", "reversal_id": reversal.id})
            booked._after_booking()
            booked._message_log(
                body=self.env._("Reversed by %s.", reversal._get_html_link(title=reversal.name))
            )
        return True

    def action_open_entry(self):
        self.ensure_one()
        return (self.move_id | self.reversal_id)._get_records_action(
            name=self.env._("Journal Entries")
        )


class ArWriteoffRequestLine(models.Model):
    _inherit = "ar.writeoff.request.line"

    def _credit_values(self):
        """What takes the item off the books, exactly in its own currency."""
        item = self.move_line_id
        return {
            "name": self.env._(
                "Write-off %(request)s: %(item)s",
                request=self.request_id.name,
                item=item.move_name,
            ),
            "account_id": item.account_id.id,
            "partner_id": item.partner_id.id,
            "currency_id": item.currency_id.id,
            "amount_currency": -self.amount,
            "balance": -self.amount_company,
            "date_maturity": False,
        }


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
        index = lines.ids.index(repartition.id)
        return twins[index] if index < len(twins) else twins[-1:]
