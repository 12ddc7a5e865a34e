from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.tools import format_amount, format_date


class ArSalespersonDigest(models.AbstractModel):
    """One message for each salesperson: what has become of the money of the own customers.

    They need no rights on accounting for it, and learn of nobody else's customers.
    """

    _name = "ar.salesperson.digest"
    _description = "Digest for Salespeople"

    @api.model
    def _send_due(self, company, date):
        """Tell the salespeople what happened since the last time, when that was days ago."""
        days, last = company.ar_digest_days, company.ar_digest_date
        if not days or not company._ar_is_started() or (last and (date - last).days < days):
            return
        since = last or date - timedelta(days=days)
        for user, parts in self._get_parts(company, since).items():
            self._send(company, user, parts)
        company.ar_digest_date = date

    @api.model
    def _get_parts(self, company, since):
        """What to tell whom: ``{salesperson: {title: records}}``, nothing empty."""
        ours = [("company_id", "=", company.id)]
        decided = [("date_closed", ">=", since), ("state", "=", "broken")]
        found = {
            "overdue": self.env["ar.credit.file"].search(
                [*ours, ("demand_amount", ">", 0), ("partner_id.user_id", "!=", False)],
                order="demand_amount desc, id",
            ),
            "broken": self.env["ar.payment.promise"].search([*ours, *decided]),
            "held": self.env["ar.credit.file"].search(
                [*ours, ("hold", "=", True), ("hold_date", ">=", since)]
            ),
            "released": self.env["ar.credit.release"].search(
                [*ours, ("decision_date", ">=", since), ("state", "in", ("approved", "used"))]
            ),
        }
        parts = defaultdict(dict)
        for title, records in found.items():
            for user, same in records.grouped(lambda record: record.partner_id.user_id).items():
                if user.active and not user.share:
                    parts[user][title] = same
        return parts

    @api.model
    def _send(self, company, user, parts):
        digest = self.with_context(lang=user.lang)
        body = digest.env["ir.qweb"]._render(
            "ar_collections.salesperson_digest",
            {"parts": parts, "describe": digest._describe},
        )
        digest.env["mail.thread"].message_notify(
            partner_ids=user.partner_id.ids,
            subject=digest.env._("Receivables of your customers: %s", company.name),
            body=body,
            # Nobody has written it.
            email_add_signature=False,
        )

    def _describe(self, title, record):
        """A line of the message.

        :param title: a key of :meth:`_get_parts`
        """
        customer = record.partner_id.name
        if title == "overdue":
            return self.env._(
                "%(customer)s: %(amount)s, due since %(date)s",
                customer=customer,
                amount=format_amount(self.env, record.demand_amount, record.currency_id),
                date=format_date(self.env, record.demand_due),
            )
        if title == "broken":
            return self.env._(
                "%(customer)s: %(amount)s, promised for %(date)s",
                customer=customer,
                amount=format_amount(self.env, record.amount, record.currency_id),
                date=format_date(self.env, record.date),
            )
        text = record.hold_reason if title == "held" else record.display_name
        if not text:
            return customer
        return self.env._("%(customer)s: %(text)s", customer=customer, text=text)
