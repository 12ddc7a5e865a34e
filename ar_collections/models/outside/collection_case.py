from datetime import timedelta

from odoo import api, fields, models


def propose(acknowledged, days_to_lapse, near_days):
    """Where an old case should go.

    A claim that is proven by a signed acknowledgement, or that will be barred soon, belongs in
    court; for all others an agency comes first.

    :param acknowledged: whether the customer has signed an acknowledgement of the debt
    :param days_to_lapse: days until the first item is barred, ``None`` when none ever is
    :param near_days: a lapse so many days away makes the court the better way
    :return: ``agency`` or ``legal``
    """
    soon = days_to_lapse is not None and days_to_lapse <= near_days
    return "legal" if acknowledged or soon else "agency"


class ArCollectionCase(models.Model):
    """Where a case goes that own effort has not collected: an agency, the court, or limitation."""

    _inherit = "ar.collection.case"

    placement_ids = fields.One2many("ar.placement", "case_id", string="Placements")
    legal_decision_ids = fields.One2many("ar.legal.decision", "case_id", string="Sue-or-Not Sheets")
    limitation_date = fields.Date(
        string="First Item Lapses On",
        compute="_compute_limitation_date",
        help="When the first open item is barred by limitation.",
    )
    limitation_near = fields.Boolean(compute="_compute_limitation_date")
    insolvency_id = fields.Many2one(
        "ar.insolvency", string="Open Insolvency", compute="_compute_insolvency_id"
    )
    escalation = fields.Selection(
        [("agency", "Agency"), ("legal", "Legal")],
        string="Proposed For",
        readonly=True,
        tracking=True,
        help="Own effort had its time: hand the case over, or decide otherwise.",
    )
    escalation_date = fields.Date(string="Proposed On", readonly=True)

    def _compute_limitation_date(self):
        for company, cases in self.grouped("company_id").items():
            today = company._ar_today()
            near = today + timedelta(days=company.ar_limitation_warning_days)
            lapses = self.env["ar.limitation"]._get_first_lapses(company, today, cases.partner_id)
            for case in cases:
                lapse = lapses.get(case.partner_id.id, False)
                case.limitation_date = lapse
                case.limitation_near = bool(lapse and lapse <= near)

    def _compute_insolvency_id(self):
        for company, cases in self.grouped("company_id").items():
            found = self.env["ar.insolvency"]._get_open_insolvencies(company, cases.partner_id)
            insolvencies = {insolvency.partner_id: insolvency for insolvency in found}
            for case in cases:
                case.insolvency_id = insolvencies.get(case.partner_id, False)

    def write(self, vals):
        # EXTENDS ar_collections: what was proposed has happened
        result = super().write(vals)
        if vals.get("stage_id") or vals.get("state") == "closed":
            stage = self.env["ar.collection.stage"].browse(vals.get("stage_id") or ())
            if vals.get("state") == "closed" or stage._get_kind().is_outside:
                # The proposal is the system's, whoever moves the case.
                self.sudo().filtered("escalation").escalation = False
        return result

    def _get_writing_warning(self):
        # EXTENDS ar_collections: a warning, and no block
        warning = self.env["ar.insolvency"]._get_warning(self._name, self.ids)
        return warning or super()._get_writing_warning()

    def _plan_contact(self, channel, date, note, user=None):
        # EXTENDS ar_collections: who is insolvent is called and written to by nobody
        insolvencies = self.env["ar.insolvency"]
        if not insolvencies._get_open_insolvencies(self.company_id, self.partner_id):
            return super()._plan_contact(channel, date, note, user)
        self.sudo()._message_log(
            body=self.env._("Insolvent, so nobody is asked to call or write: %s", note or "")
        )
        return self.env["ar.collection.action"]

    # Actions

    def action_placement(self):
        """Draft a placement of all that is overdue, or open the one that runs."""
        self.ensure_one()
        placements = self.env["ar.placement"]
        running = placements.search(
            [("case_id", "=", self.id), ("state", "in", ("draft", "placed"))], limit=1
        )
        placement = running or placements.create(
            {
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "kind": "lawyer" if self.escalation == "legal" else "agency",
            }
        )
        return placement._get_records_action()

    def action_legal_decision(self):
        """Weigh the ways to go on with this case."""
        self.ensure_one()
        sheets = self.env["ar.legal.decision"]
        sheet = sheets.search([("case_id", "=", self.id), ("state", "=", "draft")], limit=1)
        sheet = sheet or sheets.create(
            {"partner_id": self.partner_id.id, "company_id": self.company_id.id}
        )
        return sheet._get_records_action()

    @api.readonly
    def action_insolvency(self):
        """Open the customer's insolvency, or an empty form to record one."""
        self.ensure_one()
        insolvency = self.env["ar.insolvency"].search(
            [("file_id", "=", self.file_id.id), ("state", "=", "open")], limit=1
        )
        return {
            "type": "ir.actions.act_window",
            "name": insolvency._description,
            "res_model": insolvency._name,
            "res_id": insolvency.id,
            "views": [(False, "form")],
            "context": {
                "default_partner_id": self.partner_id.id,
                "default_company_id": self.company_id.id,
            },
        }

    @api.model
    def _get_activities_of_work(self):
        # EXTENDS ar_collections
        return [
            *super()._get_activities_of_work(),
            "ar_collections.activity_escalation",
            "ar_collections.activity_limitation",
        ]

    # Daily

    @api.model
    def _propose_escalations(self, company, date):
        """Propose an agency or the court for cases that are old, once each."""
        if not company.ar_escalation_days:
            return
        cases = self.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "open"),
                ("escalation_date", "=", False),
                ("demand_due_date", "<", date - timedelta(days=company.ar_escalation_days)),
                ("stage_id.kind", "not in", self.env["ar.collection.stage"]._get_outside_kinds()),
                ("placement_ids", "not any", [("state", "=", "placed")]),
            ]
        )
        # Nobody collects from who is insolvent: the claim is filed.
        insolvent = self.env["ar.insolvency"]._get_open_insolvencies(company, cases.partner_id)
        cases = cases.filtered(lambda case: case.partner_id not in insolvent.partner_id)
        if not cases:
            return
        signed = self.env["ar.debt.acknowledgement"].search(
            [("case_id", "in", cases.ids), ("state", "=", "signed")]
        )
        lapses = self.env["ar.limitation"]._get_first_lapses(company, date, cases.partner_id)
        proposals = {}
        for case in cases:
            lapse = lapses.get(case.partner_id.id)
            proposals[case] = propose(
                case in signed.case_id,
                lapse and (lapse - date).days,
                company.ar_escalation_lapse_days,
            )
        for kind, same in cases.grouped(proposals.get).items():
            same.write({"escalation": kind, "escalation_date": date})
        texts = {
            "agency": self.env._("Overdue for long: hand over to an agency?"),
            "legal": self.env._("Overdue for long: take legal action?"),
        }
        self.env["mail.activity"]._ar_give(
            company,
            "ar_collections.activity_escalation",
            date,
            {case: (texts[proposals[case]], "") for case in cases},
        )
