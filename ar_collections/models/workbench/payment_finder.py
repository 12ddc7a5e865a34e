from datetime import timedelta

from odoo import api, models

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN


class ArPaymentFinder(models.AbstractModel):
    """Looks for the payment that a customer tells of."""

    _name = "ar.payment.finder"
    _description = "Search of a Payment"

    @api.model
    def _find_payments(self, company, partner, amount, currency, date=None, reference=None):
        """Open credits that may be the payment: amount first, then reference, then day.

        Those of this customer and of who pays for it, as its insurer or agency, and those of
        nobody, from the bank.

        :param currency: of the amount
        :return: journal items, the likeliest first, five at most
        """
        if not amount:
            return self.env["account.move.line"]
        # The collector sees the payment that is asked for, not the bank.
        lines = self.env["account.move.line"].sudo()
        file = (
            self.env["ar.credit.file"]
            .sudo()
            .search([("company_id", "=", company.id), ("partner_id", "=", partner.id)])
        )
        payers = partner | partner.union(*file._get_payers().values())
        domain = [
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("balance", "<", 0),
            ("company_id", "child_of", company.id),
            "|",
            "&",
            "&",
            *TRADE_RECEIVABLE_DOMAIN,
            ("partner_id.commercial_partner_id", "in", payers.ids),
            "&",
            "&",
            ("statement_line_id.is_reconciled", "=", False),
            # The bank's own line of what we paid is a credit too.
            ("statement_line_id.amount", ">", 0),
            "|",
            ("partner_id", "=", False),
            ("partner_id.commercial_partner_id", "in", payers.ids),
        ]
        if date:
            # It may be booked a little earlier or later than the customer says.
            margin = timedelta(days=company.ar_payment_match_days)
            domain += [("date", ">=", date - margin), ("date", "<=", date + margin)]
        reference = (reference or "").strip().lower()

        def likeness(line):
            # What is on an account that is not reconciled, as a bank's suspense, has no residual.
            amounts = (
                (currency, line.amount_residual or line.balance),
                (line.currency_id, line.amount_residual_currency or line.amount_currency),
            )
            # The customer may tell the amount in its own currency.
            same = any(not own.compare_amounts(abs(value), amount) for own, value in amounts)
            text = f"{line.name or ''} {line.ref or ''} {line.move_name or ''}".lower()
            return same, bool(reference) and reference in text

        found = lines.search(domain, limit=200).filtered(lambda line: any(likeness(line)))
        if date:
            found = found.sorted(lambda line: abs((line.date - date).days))
        found = found.sorted(likeness, reverse=True)
        return found[:5].with_env(self.env)
