from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN
from .writeoff_watched import BOOKED


class ArCollectionCase(models.Model):
    """A case whose items were given up, or are ripe for it."""

    _inherit = "ar.collection.case"

    ripe_reason = fields.Selection(
        [
            ("lapsed", "Lapsed: it cannot be enforced any more"),
            ("returned", "Returned by agency or lawyer without result"),
            ("old", "Old"),
        ],
        string="Ripe for Write-Off",
        readonly=True,
        index="btree_not_null",
        copy=False,
    )
    ripe_date = fields.Date(string="Ripe Since", readonly=True, copy=False)

    def _written_off_since_opened(self):
        # EXTENDS ar_collections: by a request; a small rest is given up of a debt that was paid
        # Whoever matches a payment need not see the requests.
        requests = (
            self.env["ar.writeoff.request"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                    ("kind", "=", "customer"),
                    ("state", "in", BOOKED),
                ]
            )
        )
        by_customer = requests.grouped(lambda request: (request.partner_id, request.company_id))
        return self.filtered(
            lambda case: any(
                partial.create_date >= case.create_date
                for request in by_customer.get((case.partner_id, case.company_id), ())
                for partial in request.move_id.line_ids.matched_debit_ids
            )
        )

    def action_write_off(self):
        """Draft a write-off of all overdue items."""
        self.ensure_one()
        request = self.env["ar.writeoff.request"]._create_for_items(self.open_item_ids)
        return request._get_records_action()

    # Daily

    @api.model
    def _propose_writeoffs(self, company, date):
        """Tell of each case once that there is nothing more to expect from it."""
        ages = [
            timedelta(days=company.ar_writeoff_ripe_days),
            relativedelta(years=company._ar_get_country_rule().limitation_years),
        ]
        oldest = max((date - age for age in ages if age), default=date.min)
        cases = self.search(
            [
                ("company_id", "=", company.id),
                ("state", "!=", "closed"),
                "|",
                "|",
                ("ripe_reason", "!=", False),
                ("demand_due_date", "<", oldest),
                ("placement_ids", "any", [("state", "in", ("closed", "withdrawn"))]),
            ]
        )
        ripe = cases._get_ripe(company, date)
        news = {}
        for reason, same in cases.grouped(lambda case: ripe.get(case, False)).items():
            changed = same.filtered(lambda case, reason=reason: case.ripe_reason != reason)
            fresh = changed.filtered(lambda case: not case.ripe_reason)
            (changed - fresh).write({"ripe_reason": reason})
            fresh.write({"ripe_reason": reason, "ripe_date": date})
            if not reason:
                changed.ripe_date = False
            else:
                news |= dict.fromkeys(fresh, reason)
        labels = dict(self._fields["ripe_reason"]._description_selection(self.env))
        text = self.env._("Nothing more to expect: write off?")
        self.env["mail.activity"]._ar_give(
            company,
            "ar_collections.activity_ripe",
            date,
            {case: (text, labels[reason]) for case, reason in news.items()},
        )
        cases.filtered(lambda case: not case.ripe_reason).activity_unlink(
            ["ar_collections.activity_ripe"]
        )

    def _get_ripe(self, company, date):
        """Why these open cases are ripe for a write-off: ``{case: reason}``, the strongest one.

        Nobody is told of a case whose write-off is under way, or which others still work on.
        """
        under_way = self.env["ar.writeoff.request"].search(
            [
                ("file_id", "in", self.file_id.ids),
                ("state", "in", ("draft", "submitted", "approved")),
            ]
        )
        placements = self.env["ar.placement"].search(
            [("case_id", "in", self.ids), ("state", "!=", "draft"), ("date", "!=", False)]
        )
        placed = placements.filtered(lambda placement: placement.state == "placed").case_id
        cases = self.filtered(
            lambda case: (
                case.demand_due_date
                and case not in placed
                and case.file_id not in under_way.file_id
            )
        )
        ripe = {}
        if company.ar_writeoff_ripe_days:
            since = date - timedelta(days=company.ar_writeoff_ripe_days)
            old = cases.filtered(lambda case: case.demand_due_date < since)
            ripe |= dict.fromkeys(old, "old")
        ended = placements.grouped("case_id")
        ripe |= {
            case: "returned"
            for case in cases
            if case in ended and not any(ended[case].mapped("amount_recovered"))
        }
        if years := company._ar_get_country_rule().limitation_years:
            since = date - relativedelta(years=years)
            old = cases.filtered(lambda case: case.demand_due_date < since)
            lapses = self.env["ar.limitation"]._get_first_lapses(company, date, old.partner_id)
            ripe |= {
                case: "lapsed"
                for case in old
                if (lapse := lapses.get(case.partner_id.id)) and lapse < date
            }
        return ripe


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_ar_write_off(self):
        """Draft a write-off of all open items of the customer in the company at hand."""
        self.ensure_one()
        items = self.env["account.move.line"].search(
            [
                ("partner_id.commercial_partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "child_of", self.env.company.root_id.id),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ]
        )
        return self.env["ar.writeoff.request"]._create_for_items(items)._get_records_action()
