"""What people do on the days of a ledger, through Odoo's own ways."""

from collections import Counter
from contextlib import contextmanager
from itertools import groupby
from unittest.mock import patch

from replay_book import (
    ALLOCATION,
    BOUNCE,
    CREDIT_NOTE,
    DISPUTE,
    INVOICE,
    ON_ACCOUNT,
    PAYMENT,
    RATE,
    REFUND,
    WRITE_OFF,
)

from odoo import fields
from odoo.fields import Command

from workspace.console import WorkspaceError

#: so many people have to agree to the largest write-off
APPROVERS = 3
#: of messages a day: a replay asks nobody
NO_LIMIT = 10**9


@contextmanager
def _today(day):
    """What people do today is done on that day: Odoo dates some entries of its own by the clock."""
    with patch.object(fields.Date, "context_today", staticmethod(lambda *_args: day)):
        yield


class Life:
    """Lives events in Odoo, and enters them in the book.

    :ivar book: what the ledger says so far
    :ivar partners: ``{customer of the ledger: partner id}``
    :ivar lines: ``{receivable line id: item of the book}``, documents and money
    :ivar counts: how many events of each kind
    """

    def __init__(self, ledger):
        self.ledger = ledger
        self.book = ledger.open_book()
        self.partners, self.lines = {}, {}
        self.counts = Counter()
        # {item of the book: receivable line id}
        self._ids = {}

    # The company

    def set_up(self, env):
        """The company, its currencies with their rates, the customers, and who approves."""
        company = env.company
        if not company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", company)
        self._start(env)
        self._set_currencies(env)
        # The last day on which the disputes of the file are in time.
        company.ar_dispute_days = self.ledger.dispute_days
        # What the file says was sold was sold, on hold or not.
        env["ar.credit.grade"].sudo().search([]).on_hold = "warn"
        self._create_customers(env)
        if any(event.kind == WRITE_OFF for event in self.ledger.events):
            self._prepare_write_offs(env)

    @staticmethod
    def _start(env):
        """The company sends as much as the ledger asks for, to a server that does not exist."""
        company = env.company
        company.write(
            {
                "email": company.email or "office@example.com",
                "ar_stage_holds": "hold",
                "ar_daily_limit": NO_LIMIT,
            }
        )
        company._ar_mark_started()
        env["ir.mail_server"].create({"name": "Replay", "smtp_host": "invalid"})

    def _set_currencies(self, env):
        codes = [self.ledger.currency, *self.ledger.currencies]
        currencies = env["res.currency"].with_context(active_test=False)
        found = {currency.name: currency for currency in currencies.search([("name", "in", codes)])}
        if missing := set(codes) - found.keys():
            raise WorkspaceError(f"Odoo does not know {', '.join(sorted(missing))}")
        currencies.union(*found.values()).active = True
        company = env.company
        if company.currency_id != found[self.ledger.currency]:
            company.currency_id = found[self.ledger.currency]
        # Rates of a new database are examples.
        rates = env["res.currency.rate"]
        rates.search([]).unlink()
        rates.create(
            [
                {
                    "name": day,
                    "currency_id": found[code].id,
                    "company_id": company.id,
                    "inverse_company_rate": float(rate),
                }
                for code, known in self.book.rates.items()
                for day, rate in dict(known).items()
            ]
        )

    def _create_customers(self, env):
        customers = self.ledger.customers
        values = [
            {
                "name": customer,
                "is_company": True,
                "ref": customer,
                "email": f"{number}@example.com",
                "phone": f"+1 201-555-{number % 10000:04}",
            }
            for number, customer in enumerate(customers, 1)
        ]
        partners = env["res.partner"].create(values)
        self.partners.update(zip(customers, partners.ids, strict=True))

    def _prepare_write_offs(self, env):
        """A reason without papers, and people who approve."""
        accounts = env["account.account"]
        company = env.company
        expense = accounts.search(
            [("account_type", "=", "expense"), ("company_ids", "in", company.ids)], limit=1
        )
        income = accounts.search(
            [("account_type", "=", "income"), ("company_ids", "in", company.ids)], limit=1
        )
        self.reason_id = (
            env["ar.writeoff.reason"]
            .create(
                {
                    "name": "Written off in the ledger",
                    "code": "ledger",
                    "expense_account_id": expense.id,
                    "recovery_account_id": income.id,
                }
            )
            .id
        )
        groups = ("ar_collections.group_credit_manager", "account.group_account_manager")
        self.approver_ids = (
            env["res.users"]
            .create(
                [
                    {
                        "name": f"Approver {number}",
                        "login": f"approver{number}",
                        "group_ids": [Command.link(env.ref(group).id) for group in groups],
                        "company_id": company.id,
                        "company_ids": [Command.set(company.ids)],
                    }
                    for number in range(1, APPROVERS + 1)
                ]
            )
            .ids
        )

    # The days

    def live(self, env, events):
        """Do what happened, in this order, and book it."""
        ways = {
            INVOICE: self._post_documents,
            CREDIT_NOTE: self._post_documents,
            PAYMENT: self._pay,
            ON_ACCOUNT: self._pay,
            REFUND: self._pay,
            ALLOCATION: self._allocate,
            BOUNCE: self._bounce,
            WRITE_OFF: self._write_off,
            DISPUTE: self._dispute,
        }
        for (kind, day), same in groupby(events, lambda event: (event.kind, event.date)):
            same = list(same)
            self.counts[kind] += len(same)
            if kind != RATE:
                # It keeps for which day it was asked, not when.
                env["account.journal"].invalidate_model(["accounting_date"])
                with _today(day):
                    ways[kind](env, same)

    def _get_lines(self, env, items):
        return env["account.move.line"].browse(self._ids[item] for item in items)

    def _keep(self, event, line):
        """Enter a document in the book, and remember its receivable line."""
        self.book.enter(event)
        item = self.book.get_item(event)
        self._ids[item] = line.id
        self.lines[line.id] = item

    def count_payments(self):
        return self.counts[PAYMENT] + self.counts[ON_ACCOUNT]

    # Documents

    def _post_documents(self, env, events):
        moves = env["account.move"].create([self._get_move_values(env, event) for event in events])
        moves.action_post()
        for event, move in zip(events, moves, strict=True):
            line = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
            targets = self.book.find_targets(event)
            self._keep(event, line)
            self._reconcile(line, self._get_lines(env, targets))

    def _get_move_values(self, env, event):
        price = float(event.amount)
        goods = {"name": "Goods", "price_unit": price, "tax_ids": [Command.clear()]}
        return {
            "move_type": "out_invoice" if event.kind == INVOICE else "out_refund",
            "partner_id": self.partners[event.customer],
            "ref": event.document,
            "payment_reference": event.document,
            "currency_id": self._get_currency(env, event).id,
            "invoice_date": event.date,
            "invoice_date_due": event.due or event.date,
            # A term would replace the due date.
            "invoice_payment_term_id": False,
            "invoice_line_ids": [Command.create(goods)],
        }

    def _get_currency(self, env, event):
        return env["res.currency"].search([("name", "=", event.currency)])

    def _reconcile(self, line, others):
        """Match with one after the other, as far as it goes."""
        for other in others:
            if not line.reconciled:
                (line | other).reconcile()

    # Money

    def _pay(self, env, events):
        """Money by the wizard, and every other day as a bank import brings it.

        What pays one document each, all of them different, comes at once.
        """
        targets = [self.book.find_targets(event) for event in events]
        if len({target for found in targets for target in found}) < len(events) or any(
            len(found) != 1 for found in targets
        ):
            for event in events:
                self._pay_one(env, event)
            return
        lines = self._get_lines(env, [target for (target,) in targets])
        is_exact = all(
            float(event.amount) == abs(line.amount_residual_currency)
            for event, line in zip(events, lines, strict=True)
        )
        if is_exact and events[0].kind == PAYMENT and not events[0].date.toordinal() % 2:
            payments = self._pay_by_wizard(lines, events[0].date)
        else:
            payments = self._create_payments(env, events)
            lines._reconcile_plan(
                [
                    line | self._get_receivable(payment)
                    for line, payment in zip(lines, payments, strict=True)
                ]
            )
        for event, payment in zip(events, payments, strict=True):
            self._keep(event, self._get_receivable(payment))

    def _pay_one(self, env, event):
        """Money on account, or for several documents."""
        lines = self._get_lines(env, self.book.find_targets(event))
        line = self._get_receivable(self._create_payments(env, [event]))
        self._keep(event, line)
        self._reconcile(line, lines)

    def _pay_by_wizard(self, lines, day):
        register = lines.env["account.payment.register"].with_context(
            active_model="account.move.line", active_ids=lines.ids
        )
        # All that is open of each invoice, due or not.
        values = {"payment_date": day, "group_payment": False, "installments_mode": "full"}
        payments = register.create(values)._create_payments()
        paid = {
            self._get_receivable(payment).matched_debit_ids.debit_move_id & lines: payment
            for payment in payments
        }
        return [paid[line] for line in lines]

    def _create_payments(self, env, events):
        values = [
            {
                "payment_type": "outbound" if event.kind == REFUND else "inbound",
                "partner_type": "customer",
                "partner_id": self.partners[event.customer],
                "amount": float(event.amount),
                "currency_id": self._get_currency(env, event).id,
                "date": event.date,
                "memo": event.document,
            }
            for event in events
        ]
        payments = env["account.payment"].create(values)
        payments.action_post()
        return payments

    @staticmethod
    def _get_receivable(payment):
        return payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def _allocate(self, env, events):
        for event in events:
            credit, targets = self.book.find_allocation(event)
            line = self._get_lines(env, [credit])
            self._reconcile(line, self._get_lines(env, targets))
            self.book.enter(event)

    def _bounce(self, env, events):
        """The bank takes payments back: by an entry of its own, or the payment is reversed."""
        for event in events:
            receipts = self.book.find_targets(event)
            moves = self._get_lines(env, receipts).move_id
            if self.book.is_taken_by_bank(event):
                line = self._post_bank_entry(env, event, receipts[0], moves)
                self.book.enter(event)
                back = self.book.items[-1]
                self._ids[back] = line.id
                self.lines[line.id] = back
            else:
                for move in moves:
                    move._reverse_moves([{"date": event.date, "ref": event.document}], cancel=True)
                self.book.enter(event)

    def _post_bank_entry(self, env, event, receipt, paid):
        """What a statement of the bank brings; return the line of the customer."""
        amount = float(-receipt.amount)
        account = self._get_lines(env, [receipt]).account_id
        bank = paid.journal_id
        move = env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": bank.id,
                "date": event.date,
                "ref": event.document,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": line_account.id,
                            "partner_id": self.partners[receipt.customer],
                            "currency_id": self._get_currency(env, receipt).id,
                            "amount_currency": signed,
                        }
                    )
                    for line_account, signed in (
                        (account, amount),
                        (bank.default_account_id, -amount),
                    )
                ],
            }
        )
        move.action_post()
        return move.line_ids.filtered(lambda line: line.account_id == account)

    # Giving up, objecting

    def _write_off(self, env, events):
        """A request, approved by as many as its amount asks for, and posted."""
        for event in events:
            targets = self.book.find_targets(event)
            before = {target: target.get_residual()[0] for target in targets}
            self.book.enter(event)
            parts = [
                (target, before[target] - target.get_residual()[0])
                for target in targets
                if before[target] != target.get_residual()[0]
            ]
            request = env["ar.writeoff.request"].create(
                {
                    "partner_id": self.partners[targets[0].customer],
                    "reason_id": self.reason_id,
                    "date": event.date,
                    "line_ids": [
                        Command.create({"move_line_id": self._ids[target], "amount": float(part)})
                        for target, part in parts
                    ],
                }
            )
            request.action_submit()
            for user_id in self.approver_ids:
                if request.state == "submitted":
                    request.with_user(user_id).action_approve()
            request.with_user(self.approver_ids[0]).action_post()

    def _dispute(self, env, events):
        """One dispute per event."""
        wanted = []
        for event in events:
            targets = self.book.find_targets(event)
            self.book.enter(event)
            wanted.append([target for target in targets if target.dispute])
        env["ar.dispute"].create(
            [
                {
                    "partner_id": self.partners[targets[0].customer],
                    "reason_id": env.ref("ar_collections.dispute_reason_other").id,
                    "line_ids": [
                        Command.create(
                            {
                                "move_line_id": self._ids[target],
                                "amount": float(target.dispute[1]),
                            }
                        )
                        for target in targets
                    ],
                }
                for targets in wanted
            ]
        )
