from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from .credit_decision import decide, strictest

STOPPING = ("approve", "block")


class CreditDecision(NamedTuple):
    # The strictest of the reasons: allow, warn, approve or block.
    action: str
    # [(code, text)]
    reasons: list
    # Whether a document of the customer waits for a release.
    waiting: bool = False

    @property
    def stops(self):
        return self.action in STOPPING

    @property
    def text(self):
        return "\n".join(text for _code, text in self.reasons)


class Passed:
    """Marks in the context the documents that passed the gate. A request cannot send an object."""

    def __init__(self, documents):
        self.keys = {(document._name, document.id) for document in documents}

    def __contains__(self, document):
        return (document._name, document.id) in self.keys


class CollectStopped:
    """In the context: keep stopped documents back instead of raising, even a single one."""


COLLECT_STOPPED = CollectStopped()


class ArCreditControl(models.AbstractModel):
    """Decides whether documents may give credit, from every path the same.

    Figures are those of the ledger at that moment. Two statements gather everything for a whole
    batch; the first also locks the customers with a limit until the transaction ends: of two
    users who confirm at the same moment the second is made to look again.
    """

    _name = "ar.credit.control"
    _description = "Credit Control"

    @api.model
    def _decide(self, partner, company, amount, date):
        """Whether the customer may have that much more credit, with every reason found.

        :param amount: company currency
        :return: :class:`CreditDecision`
        """
        key = (company.root_id.id, partner.commercial_partner_id.id)
        facts = self.env["ar.credit.facts"]._gather_facts({key}, date)[key]
        findings = decide(facts, amount, date, precision=_precision(company))
        return self._explain_findings(company, findings)

    # Documents

    @api.model
    def _gate(self, documents):
        """Let documents pass or stop them.

        :param documents: records of a model with ``ar.credit.document``
        :return: the documents that may go on; of several the others are kept back and reported
        :raises UserError: nothing may go on
        """
        demands = documents._ar_credit_demands()
        if not demands:
            return documents
        # Whoever sells need not have rights on ledger and grades.
        decisions = self.sudo()._decide_in_order(demands, lock=True)
        releases = self.env["ar.credit.release"].sudo()
        stopped = {document: decision for document, decision in decisions.items() if decision.stops}
        for document in list(stopped):
            if exempt := demands[document].exempt:
                decision = stopped.pop(document)
                document.sudo()._message_log(
                    body=self.env._(
                        "Not stopped by credit control (%(exempt)s): %(reasons)s",
                        exempt=exempt,
                        reasons=decision.text,
                    )
                )
        settled = [
            document
            for document, decision in decisions.items()
            if decision.waiting and document not in stopped
        ]
        if settled:
            releases._cancel_settled(settled)
        if not stopped:
            return documents
        for document in releases._use_up({document: demands[document] for document in stopped}):
            del stopped[document]
        if not stopped:
            return documents
        passed = documents.browse(document.id for document in documents if document not in stopped)
        collecting = isinstance(self.env.context.get("ar_credit_stopped"), CollectStopped)
        if not collecting and not passed:
            raise UserError(self._get_stopped_text(stopped))
        releases._hold_documents(
            {document: (demands[document], decision) for document, decision in stopped.items()}
        )
        if not collecting:
            self.env.user._bus_send(
                "simple_notification",
                {
                    "type": "warning",
                    "sticky": True,
                    "title": self.env._("Stopped by credit control"),
                    "message": self._get_stopped_text(stopped),
                },
            )
        return passed

    @api.model
    def _get_stopped_text(self, stopped):
        parts = [
            "\n".join(
                (
                    self.env._(
                        "%(document)s of %(customer)s is stopped by credit control:",
                        document=document.display_name,
                        customer=document.partner_id.commercial_partner_id.display_name,
                    ),
                    *(f"- {text}" for _code, text in decision.reasons),
                )
            )
            for document, decision in stopped.items()
        ]
        parts.append(self.env._("Settle the cause, or press Request Release on the document."))
        return "\n".join(parts)

    @api.model
    def _decide_in_order(self, demands, lock=False, together=True):
        """Decide on documents in their order: each adds to the exposure that the next one meets.

        :param demands: ``{document: Demand}``
        :param together: ``False`` judges each as if it were the only one, as a list shows them
        :return: ``{document: CreditDecision}``
        """
        decisions = {}
        by_company = {}
        for document, demand in demands.items():
            by_company.setdefault(demand.company.root_id, {})[document] = demand
        for company, company_demands in by_company.items():
            date = company._ar_today()
            facts = self.env["ar.credit.facts"]._gather_facts(
                {(company.id, demand.partner.id) for demand in company_demands.values()}, date, lock
            )
            precision = _precision(company)
            spent = {}
            for document, demand in company_demands.items():
                fact = facts[company.id, demand.partner.id]
                group = fact.group_name or demand.partner
                findings = decide(
                    fact._replace(
                        exposure=fact.exposure + spent.get(demand.partner, 0),
                        group_exposure=fact.group_exposure + spent.get(group, 0),
                    ),
                    demand.amount,
                    date,
                    demand.term_days,
                    precision,
                )
                if demand.codes is not None:
                    findings = [finding for finding in findings if finding.code in demand.codes]
                decision = decisions[document] = self._explain_findings(company, findings)._replace(
                    waiting=fact.waiting
                )
                if together and (not decision.stops or demand.exempt):
                    for key in {demand.partner, group}:
                        spent[key] = spent.get(key, 0) + demand.amount
        return decisions

    # Words

    @api.model
    def _explain_findings(self, company, findings):
        return CreditDecision(
            strictest(findings),
            [(finding.code, self._get_reason_text(company, finding)) for finding in findings],
        )

    @api.model
    def _get_reason_text(self, company, finding):
        """What a salesperson without accounting rights may know, and needs to know."""
        values = dict(finding.values)
        for name in values.keys() & {"exposure", "limit", "amount"}:
            values[name] = format_amount(self.env, values[name], company.currency_id)
        if values.get("date"):
            values["date"] = format_date(self.env, values["date"])
        if values.get("risk"):
            values["risk"] = self.env["ar.credit.grade"]._get_tier_label(values["risk"])
        texts = {
            "hold": self.env._("Credit hold since %(date)s: %(reason)s"),
            "limit": self.env._(
                "Exposure with this document %(exposure)s is over the credit limit %(limit)s"
            ),
            "group_limit": self.env._(
                "Exposure of the group %(name)s with this document %(exposure)s is over its "
                "credit limit %(limit)s"
            ),
            "overdue": self.env._("%(amount)s overdue, the oldest since %(days)s days"),
            "promise": self.env._("Broken promises to pay: %(count)s"),
            "written_off": self.env._("%(amount)s of the customer's debts were written off"),
            "review_expired": self.env._("The credit review was due on %(date)s"),
            "limit_expired": self.env._("The credit limit was valid until %(date)s"),
            "cover_expired": self.env._("Credit cover ended on %(date)s"),
            "terms": self.env._("Payment term of %(days)s days, the grade allows %(longest)s days"),
            "ungraded": self.env._("First sale on credit, and nobody has graded the customer"),
            "twin": self.env._("Same tax number as %(name)s, who is held or known as bad"),
            "risk": self.env._("The risk of the customer is %(risk)s"),
        }
        return texts[finding.code] % values


def _precision(company):
    return company.currency_id.rounding / 2
