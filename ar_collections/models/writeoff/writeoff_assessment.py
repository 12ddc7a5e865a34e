from datetime import timedelta

from odoo import fields, models
from odoo.tools import formatLang

from .writeoff_request import BOOKED, EDITABLE, WAITING
from .writeoff_risk import WriteoffFacts, assess


class ArWriteoffRequest(models.Model):
    """What is known of a request, and how dangerous that makes it."""

    _inherit = "ar.writeoff.request"

    # Made of our own templates, whose styles a sanitizer would drop.
    risk_html = fields.Html(
        string="Causes of the Risk", compute="_compute_risk_html", sanitize=False
    )

    def _compute_risk_html(self):
        for request in self:
            request.risk_html = self.env["ir.qweb"]._render(
                "ar_collections.writeoff_risk",
                {
                    "score": request.risk_score,
                    "is_high": request.is_high_risk,
                    "causes": request._risk_texts(),
                },
            )

    def _risk_texts(self):
        """``[(text, points)]``"""
        return [
            (self._cause_text(code, self.currency_id, **values), points)
            for code, points, values in self.risk_causes or ()
        ]

    def _cause_text(self, code, currency, found=0, threshold=0):
        values = {
            "found": formatLang(self.env, found, currency_obj=currency)
            if code == "near_tier"
            # What is not due yet is overdue for no day.
            else max(int(found), 0),
            "threshold": int(threshold),
        }
        texts = {
            "young": self.env._(
                "The youngest item is overdue for %(found)s days, less than %(threshold)s"
            ),
            "few_contacts": self.env._(
                "Contacts made since it fell due: %(found)s, less than %(threshold)s"
            ),
            "trading": self.env._("The customer bought or paid %(found)s days ago"),
            "no_hold": self.env._("The customer is not on credit hold"),
            "involved": self.env._("Requested by the customer's collector or salesperson"),
            "near_tier": self.env._("Just under the approval tier that starts at %(found)s"),
            "split": self.env._(
                "Other requests for the customer in the last %(threshold)s days: %(found)s"
            ),
            "no_evidence": self.env._("Required papers that are missing: %(found)s"),
            "frequent": self.env._("Write-off number %(found)s of the requester this quarter"),
        }
        return texts[code] % values

    def _assess(self, date=None):
        """Judge the risk of requests that are not booked yet, and keep score and causes.

        :param date: the day, by default today
        """
        for company, requests in (
            self.filtered(lambda request: request.state in (*EDITABLE, *WAITING))
            .grouped("company_id")
            .items()
        ):
            rules = self.env["ar.writeoff.risk.rule"].sudo()._rules(company)
            for request, facts in requests._facts(company, date or company._ar_today()).items():
                score, causes = assess(facts, request._own_rules(rules))
                values = {
                    "risk_score": score,
                    "is_high_risk": score >= company.ar_writeoff_high_risk,
                    "risk_causes": [list(cause) for cause in causes],
                }
                if any(request[name] != value for name, value in values.items()):
                    request.write(values)

    def _own_rules(self, rules):
        """The thresholds of the reason, where it has any, before those of all requests."""
        own = {
            "young": self.reason_id.minimum_age,
            "few_contacts": self.reason_id.minimum_contacts,
        }
        return [rule._replace(threshold=own.get(rule.code) or rule.threshold) for rule in rules]

    def _facts(self, company, date):
        """``{request: WriteoffFacts}``, by a few queries for all of a company."""
        customers = self.partner_id
        contacts, trade = self._contact_dates(company), self._trade_dates(company, date)
        holds = {
            file.partner_id: file.hold
            for file in self.env["ar.credit.file"].search(
                [("company_id", "=", company.id), ("partner_id", "in", customers.ids)]
            )
        }
        others = self._others(company, date)
        tiers = self.env["ar.writeoff.tier"]._of(company)
        facts = {}
        for request in self:
            due = [day for day in request.line_ids.mapped("due_date") if day]
            common = {
                "amount": request.amount_total,
                "next_tier": tiers._next_amount(request.amount_total),
                "missing_evidence": len(request.evidence_ids.filtered("is_missing")),
                "days_overdue": (date - max(due)).days if due else None,
            }
            asker = request.submitter_id or request.user_id
            quarter = fields.Date.start_of(date, "quarter")
            common["requests_in_quarter"] = 1 + sum(
                1
                for other in others
                if other != request
                and asker in (other.user_id | other.submitter_id)
                and other.date_submitted >= quarter
            )
            if request.kind == "customer":
                partner = request.partner_id
                last = trade.get(partner)
                common.update(
                    contacts=sum(1 for day in contacts.get(partner, ()) if due and day > min(due)),
                    days_since_trade=(date - last).days if last else None,
                    on_hold=holds.get(partner, False),
                    requester_involved=bool(
                        (request.user_id | request.submitter_id)
                        & (
                            request.collector_id
                            | partner.user_id
                            | request.line_ids.move_line_id.move_id.invoice_user_id
                        )
                    ),
                    other_requests=tuple(
                        (date - other.date_submitted).days
                        for other in others
                        if other != request and other.partner_id == partner
                    ),
                )
            facts[request] = WriteoffFacts(**common)
        return facts

    def _contact_dates(self, company):
        """``{customer: days of the contacts made}``"""
        dates = {}
        for partner, day, count in self.env["ar.collection.action"]._read_group(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", self.partner_id.ids),
                ("channel", "in", self.env["ar.collection.channel"]._get_contact_channels()),
                ("state", "=", "done"),
                ("date_done", "!=", False),
            ],
            ["partner_id", "date_done:day"],
            ["__count"],
        ):
            dates.setdefault(partner, []).extend([day] * count)
        return dates

    def _trade_dates(self, company, date):
        """``{customer: day of the last invoice or payment}``"""
        dates = {}
        for partner, day in self.env["account.move.line"]._read_group(
            [
                ("partner_id", "child_of", self.partner_id.ids),
                ("company_id", "child_of", company.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("date", "<=", date),
                "|",
                ("move_id.move_type", "in", ("out_invoice", "out_receipt")),
                "&",
                ("journal_id.type", "in", ("bank", "cash", "credit")),
                ("balance", "<", 0),
            ],
            ["partner_id"],
            ["date:max"],
        ):
            customer = partner.commercial_partner_id
            dates[customer] = max(day, dates.get(customer, day))
        return dates

    def _others(self, company, date):
        """Requests of the last year that were submitted: to compare with."""
        return self.search(
            [
                ("company_id", "=", company.id),
                ("state", "in", (*WAITING, *BOOKED)),
                ("date_submitted", ">", date - timedelta(days=366)),
                "|",
                ("partner_id", "in", self.partner_id.ids),
                ("user_id", "in", (self.user_id | self.submitter_id).ids),
            ]
        )
