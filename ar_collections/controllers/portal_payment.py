import math

from odoo import http
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.http import request
from odoo.tools import str2bool

from odoo.addons.payment.controllers.portal import PaymentPortal
from odoo.addons.payment.controllers.post_processing import PaymentPostProcessing

from .portal import ReceivablesPortal, reads

FLOWS = ("redirect", "direct", "token")


class ReceivablesPayment(PaymentPortal, ReceivablesPortal):
    """Pay what is open of the chosen items, by the payment providers of the company."""

    @http.route(
        "/my/receivables/<int:file_id>/pay",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET"],
        readonly=reads,
    )
    def portal_receivables_pay(self, file_id, access_token=None, currency=None, **kwargs):
        """The chosen items, or all in one currency, and how they can be paid."""
        file = self._receivables_file(file_id, access_token)
        if not file:
            return self._receivables_refuse(file_id, access_token)
        if currency:
            items = self._receivables_items(file)
            lines = request.env["account.move.line"].with_env(file.env)
            for item in items:
                if item.payable > 0 and str(item.line.currency_id.id) == currency:
                    lines |= item.line
        else:
            lines = self._receivables_lines(file, request.httprequest.args.getlist("item"))
        _checked, error = self._receivables_try(
            lambda: self._receivables_check_payable(file, lines)
        )
        values = self._receivables_values(file, access_token, lines=lines, error=error)
        if not error:
            values |= self._receivables_payment_values(file, lines, values)
        return request.render("ar_collections.portal_receivables_pay", values)

    @http.route(
        "/my/receivables/<int:file_id>/transaction/<string:items>",
        type="jsonrpc",
        auth="public",
        website=True,
    )
    def portal_receivables_transaction(self, file_id, items, access_token=None, **kwargs):
        """Draft the transaction that pays the items, and return its processing values.

        :param items: ids of journal items, joined by ``-``
        :raise ValidationError: when the visitor may not pay them, or not this amount
        """
        file = self._receivables_file(file_id, access_token)
        if not file:
            raise ValidationError(request.env._("This link does not work any more."))
        self._validate_transaction_kwargs(kwargs, additional_allowed_keys=("payment_reference",))
        kwargs.pop("payment_reference", None)
        ids = items.split("-")
        lines = self._receivables_lines(file, ids)
        self._receivables_check_payable(file, lines)
        amount = self._receivables_open(file, lines)
        sent = self._cast_as_float(kwargs.pop("amount", None)) or 0.0
        sent = sent if math.isfinite(sent) else 0.0
        if len(lines) != len(set(ids)) or lines.currency_id.compare_amounts(sent, amount):
            raise ValidationError(
                request.env._("What is open has changed meanwhile: please choose the items again.")
            )
        self._receivables_check_method(file, lines, amount, kwargs)
        values = self._receivables_values(file, access_token)
        kwargs["landing_route"] = values["path"](done="payment")
        invoices = lines.move_id.filtered(lambda move: move.is_invoice(include_receipts=True))
        transaction = self._create_transaction(
            amount=amount,
            currency_id=lines.currency_id.id,
            partner_id=self._receivables_payer(file).id,
            reference_prefix=self._receivables_reference(file, lines),
            custom_create_values={
                "invoice_ids": [Command.set(invoices.ids)],
                "ar_line_ids": [Command.set(lines.ids)],
            },
            **kwargs,
        )
        return transaction._get_processing_values()

    def _receivables_claims(self, file):
        # EXTENDS ar_collections
        values = super()._receivables_claims(file)
        paid = PaymentPostProcessing()._get_monitored_transaction()
        owner = paid.ar_line_ids.partner_id.commercial_partner_id
        return {
            **values,
            "can_pay": self._receivables_can_pay(),
            # The payment from which the visitor comes back, when it is of this customer.
            "transaction": paid if owner == file.partner_id else None,
        }

    # What can be paid, and how

    def _receivables_can_pay(self):
        """Whether the company lets customers pay invoices in the portal at all."""
        # Odoo's own switch of payments in the portal.
        parameters = request.env["ir.config_parameter"].sudo()
        return str2bool(parameters.get_param("account_payment.enable_portal_payment"), False)

    def _receivables_check_payable(self, file, lines):
        if not self._receivables_can_pay():
            raise ValidationError(request.env._("Items cannot be paid online here."))
        file.env["ar.portal.claim"]._check_lines(file, lines)
        if len(lines.account_id) > 1:
            raise ValidationError(
                request.env._("These items cannot be paid together: choose fewer at a time.")
            )

    def _receivables_open(self, file, lines):
        """What is open of the items, less what is on its way."""
        items = self._receivables_items(file)
        return lines.currency_id.round(sum(item.payable for item in items if item.line in lines))

    def _receivables_credit(self, file, currency):
        """What the customer has in its favour: it is for us to say what that pays."""
        items = self._receivables_items(file)
        return currency.round(
            -sum(
                item.residual
                for item in items
                if item.state == "credit" and item.line.currency_id == currency
            )
        )

    def _receivables_company(self, file, lines):
        return lines.company_id if len(lines.company_id) == 1 else file.company_id

    def _receivables_payer(self, file):
        user = request.env.user
        # Who came by a link pays for the customer, with nobody's saved cards.
        own = user.partner_id.commercial_partner_id == file.partner_id
        return user.partner_id.sudo() if own else file.partner_id

    def _receivables_reference(self, file, lines):
        """What the bank statement will say: the invoice, or the number of invoices."""
        names = [name for name in lines.move_id.mapped("name") if name]
        return names[0] if len(names) == 1 else f"{names[0]}+{len(names) - 1}"

    def _receivables_methods(self, file, lines, amount, report=None):
        """``(providers, payment methods, saved cards)``, sudoed, that can pay the items."""
        company, payer = self._receivables_company(file, lines), self._receivables_payer(file)
        currency = lines.currency_id
        # Visitors have no rights on providers.
        providers = (
            request.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                company.id, payer.id, amount, currency_id=currency.id, report=report
            )
        )
        methods = (
            request.env["payment.method"]
            .sudo()
            ._get_compatible_payment_methods(
                providers.ids, payer.id, currency_id=currency.id, report=report
            )
        )
        tokens = request.env["payment.token"].sudo()
        if payer == request.env.user.partner_id:
            tokens = tokens._get_available_tokens(providers.ids, payer.id)
        return providers, methods, tokens

    def _receivables_check_method(self, file, lines, amount, sent):
        """Only what the payment page offered."""
        for name in ("provider_id", "payment_method_id", "token_id", "tokenization_requested"):
            sent.setdefault(name, None)
        providers, methods, tokens = self._receivables_methods(file, lines, amount)
        if sent.get("flow") == "token":
            allowed = sent.get("token_id") in tokens.ids
        else:
            allowed = (
                sent.get("provider_id") in providers.ids
                and sent.get("payment_method_id") in methods.ids
            )
        if not allowed or sent.get("flow") not in FLOWS or sent.get("is_validation"):
            raise ValidationError(request.env._("This way of payment is not available."))
        if self._receivables_payer(file) != request.env.user.partner_id:
            sent["tokenization_requested"] = False

    def _receivables_payment_values(self, file, lines, values):
        """What ``payment.form`` needs."""
        amount, report = self._receivables_open(file, lines), {}
        company, payer = self._receivables_company(file, lines), self._receivables_payer(file)
        providers, methods, tokens = self._receivables_methods(file, lines, amount, report)
        ids = "-".join(map(str, lines.ids))
        own = payer == request.env.user.partner_id
        return {
            "amount": amount,
            "credit": self._receivables_credit(file, lines.currency_id),
            "currency": lines.currency_id,
            "partner_id": payer.id,
            "providers_sudo": providers,
            "payment_methods_sudo": methods,
            "tokens_sudo": tokens,
            "availability_report": report,
            "show_tokenize_input_mapping": self._compute_show_tokenize_input_mapping(providers)
            if own
            else dict.fromkeys(providers.ids, False),
            "company_mismatch": not self._can_partner_pay_in_company(payer, company),
            "expected_company": company,
            "reference_prefix": self._receivables_reference(file, lines),
            "transaction_route": f"/my/receivables/{file.id}/transaction/{ids}",
            "landing_route": values["path"](done="payment"),
        }
