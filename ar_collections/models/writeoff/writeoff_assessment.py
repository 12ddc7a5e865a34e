from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import formatLang

from ..figures.settlement import money_domain
from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN
from .writeoff_request import EDITABLE, WAITING
from .writeoff_risk import WriteoffFacts, assess
from .writeoff_watched import BOOKED


class ArWriteoffAssessment(models.AbstractModel):
    """What is known of write-off requests, and how dangerous that makes them."""

    _name = "ar.writeoff.assessment"
    _description = "Assessment of Write-offs"

    @api.model
    def _assess_risk(self, requests, date=None):
        """Judge the risk of requests that are not booked yet, and keep score and causes.

        :param date: the day, by default today
        """
        # Whoever asks need not see tiers, rules and the requests of others.
        open_requests = requests.sudo().filtered(
            lambda request: request.state in (*EDITABLE, *WAITING)
        )
        for company, same in open_requests.grouped("company_id").items():
            rules = self.env["ar.writeoff.risk.rule"].sudo()._get_rules(company)
            day = date or company._ar_today()
            for request, facts in self._gather_facts(same, company, day).items():
                score, causes = assess(facts, self._get_own_rules(request, rules))
                values = {
                    "risk_score": score,
                    "is_high_risk": score >= company.ar_writeoff_high_risk,
                    "risk_causes": [list(cause) for cause in causes],
                }
                if any(request[name] != value for name, value in values.items()):
                    request.write(values)

    @api.model
    def _get_own_rules(self, request, rules):
        """The thresholds of the reason, where it has any, before those of all requests."""
        own = {
            "young": request.reason_id.minimum_age,
            "few_contacts": request.reason_id.minimum_contacts,
        }
        return [rule._replace(threshold=own.get(rule.code) or rule.threshold) for rule in rules]

    @api.model
    def _get_missing_texts(self, request):
        """What a reason without exceptions asks for and the request has not got."""
        company, reason = request.company_id, request.reason_id
        (facts,) = self._gather_facts(request, company, company._ar_today()).values()
        missing = request.evidence_ids.filtered("is_missing")
        texts = []
        if missing:
            texts.append(
                self.env._("Attach these papers first: %s.", ", ".join(missing.mapped("name")))
            )
        if reason.minimum_age and (facts.days_overdue or 0) < reason.minimum_age:
            texts.append(self.env._("Every item must be overdue for %s days.", reason.minimum_age))
        if facts.contacts is not None and facts.contacts < reason.minimum_contacts:
            texts.append(
                self.env._(
                    "Contact the customer %(needed)s times first; so far it was %(made)s.",
                    needed=reason.minimum_contacts,
                    made=facts.contacts,
                )
            )
        # Who asks need not see the revenue.
        large, most = reason.sudo()._get_too_large(
            request.sudo().line_ids.move_line_id, company.sudo(), company._ar_today()
        )
        if large:
            texts.append(
                self.env._(
                    "Each debt may be %(most)s at most; more is open of %(documents)s.",
                    most=formatLang(self.env, most, currency_obj=request.currency_id),
                    documents=", ".join(large.mapped("display_name")),
                )
            )
        return texts

    # Words

    @api.model
    def _get_cause_texts(self, request):
        """``[(text, points)]`` of what makes the request dangerous."""
        return [
            (self._get_cause_text(code, request.currency_id, **values), points)
            for code, points, values in request.risk_causes or ()
        ]

    @api.model
    def _get_cause_text(self, code, currency, found=0, threshold=0):
        values = {
            "found": formatLang(self.env, found, currency_obj=currency)
            if code == "near_tier"
            # What is not due yet is overdue for zero days.
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

    # Facts

    @api.model
    def _gather_facts(self, requests, company, date):
        """What is known of the requests of a company, by a few queries for all.

        :return: ``{request: WriteoffFacts}``
        """
        self, requests = self.sudo(), requests.sudo()  # noqa: PLW0642
        customers = requests.partner_id
        contacts = self._get_contact_dates(customers, company)
        trade = self._get_trade_dates(customers, company, date)
        holds = {
            file.partner_id: file.hold
            for file in self.env["ar.credit.file"].search(
                [("company_id", "=", company.id), ("partner_id", "in", customers.ids)]
            )
        }
        others = self._get_other_requests(requests, company, date)
        tiers = self.env["ar.writeoff.tier"]._get_tiers(company)
        facts = {}
        for request in requests:
            due = [day for day in request.line_ids.mapped("due_date") if day]
            common = {
                "amount": request.amount_total,
                "next_tier": tiers._get_next_amount(request.amount_total),
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

    @api.model
    def _get_contact_dates(self, customers, company):
        """``{customer: days of the contacts made}``"""
        dates = {}
        for partner, day, count in self.env["ar.collection.action"]._read_group(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", customers.ids),
                ("channel", "in", self.env["ar.collection.channel"]._get_contact_channels()),
                ("state", "=", "done"),
                ("date_done", "!=", False),
            ],
            ["partner_id", "date_done:day"],
            ["__count"],
        ):
            dates.setdefault(partner, []).extend([day] * count)
        return dates

    @api.model
    def _get_trade_dates(self, customers, company, date):
        """``{customer: day of the last invoice or payment}``"""
        dates = {}
        for partner, day in self.env["account.move.line"]._read_group(
            [
                ("partner_id.commercial_partner_id", "in", customers.ids),
                ("company_id", "child_of", company.id),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("date", "<=", date),
                "|",
                ("move_id.move_type", "in", ("out_invoice", "out_receipt")),
                "&",
                *money_domain(),
                ("balance", "<", 0),
            ],
            ["partner_id"],
            ["date:max"],
        ):
            customer = partner.commercial_partner_id
            dates[customer] = max(day, dates.get(customer, day))
        return dates

    @api.model
    def _get_other_requests(self, requests, company, date):
        """Requests of the last year that were submitted: to compare with."""
        return requests.search(
            [
                ("company_id", "=", company.id),
                ("state", "in", (*WAITING, *BOOKED)),
                ("date_submitted", ">", date - timedelta(days=366)),
                "|",
                ("partner_id", "in", requests.partner_id.ids),
                ("user_id", "in", (requests.user_id | requests.submitter_id).ids),
            ]
        )
