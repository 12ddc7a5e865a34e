from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError


class ArLateChargeRun(models.Model):
    """Charging late customers: what has accrued up to a day, looked at, then invoiced.

    The preview is what is invoiced: when the ledger has changed since, it has to be computed
    again. A run is one transaction, so that one that was killed has done nothing.
    """

    _name = "ar.late.charge.run"
    _inherit = ["ar.numbered.mixin", "ar.readonly.mixin", "mail.thread"]
    _description = "Late Charge Run"
    _order = "id desc"
    _check_company_auto = True
    _number_prefix = "LC"
    _creation_fields = ("company_id",)

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company.root_id,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("note", "Debit notes"), ("closing", "Month-end accrual")],
        string="What For",
        default="note",
        required=True,
        tracking=True,
        help="A month-end accrual books what has accrued and is not charged yet as income of the "
        "month, and takes it back on the next day. It leaves out what may be waived or is in "
        "dispute, and customers of whom the money is not likely to come.",
    )
    date = fields.Date(
        string="Charge Until",
        required=True,
        tracking=True,
        default=lambda self: self.env.company._ar_today(),
        help="The last day that is charged, and the date of the debit notes or of the entry.",
    )
    partner_ids = fields.Many2many(
        "res.partner", string="Customers", help="Leave empty for all customers."
    )
    state = fields.Selection(
        [("draft", "Preview"), ("done", "Done")],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    charge_ids = fields.One2many("ar.late.charge", "run_id", string="Charges", readonly=True)
    move_ids = fields.Many2many("account.move", string="Debit Notes", readonly=True, copy=False)
    move_count = fields.Integer(compute="_compute_counts")
    draft_count = fields.Integer(compute="_compute_counts")
    customer_count = fields.Integer(
        string="Customers Charged", compute="_compute_amount", store=True
    )
    amount = fields.Monetary(
        string="Late Charges",
        compute="_compute_amount",
        store=True,
        tracking=True,
        help="In company currency, without taxes.",
    )
    amount_held = fields.Monetary(
        string="Not Yet",
        readonly=True,
        help="Accrued by items in dispute, in payment or in a payment plan, by customers below "
        "the smallest debit note, and by those of whom the money is not likely to come: choose "
        "them to charge them all the same.",
    )
    is_computed = fields.Boolean(readonly=True, copy=False)
    excess = fields.Monetary(
        string="Charged Too Much Before",
        compute="_compute_excess",
        help="By earlier debit notes of these customers, in company currency.",
    )

    @api.depends("charge_ids.amount_company", "charge_ids.state")
    def _compute_amount(self):
        for run in self:
            charges = run.charge_ids.filtered(
                lambda charge: charge.state in ("memo", "drafted", "posted", "accrued")
            )
            run.amount = sum(charges.mapped("amount_company"))
            run.customer_count = len(charges.partner_id)

    @api.depends("move_ids.state")
    def _compute_counts(self):
        for run in self:
            run.move_count = len(run.move_ids)
            run.draft_count = len(run.move_ids.filtered(lambda move: move.state == "draft"))

    @api.depends("company_id", "partner_ids")
    def _compute_excess(self):
        for run in self:
            charges = self.env["ar.late.charge"].search(run._get_excess_domain())
            run.excess = run.currency_id.round(
                sum(charge.amount_company * charge.excess / charge.amount for charge in charges)
            )

    @api.constrains("company_id")
    def _check_root(self):
        for run in self:
            if run.company_id.parent_id:
                raise ValidationError(
                    self.env._("A charge run is of a company with all its branches.")
                )

    # CRUD

    def write(self, vals):
        if not self.env.su and not vals.keys().isdisjoint(("date", "partner_ids", "kind")):
            self.check_access("write")
            self._check_draft()
            # What was computed was about other days or customers.
            self.sudo()._remove_preview()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        self._check_draft()
        self.sudo()._remove_preview()

    def _check_draft(self):
        if any(run.state != "draft" for run in self):
            raise UserError(self.env._("A charge run that is done stays as it is."))

    def _check_past(self):
        for run in self:
            if run.date > run.company_id._ar_today():
                raise UserError(self.env._("Days to come cannot be charged: choose another day."))

    def _remove_preview(self):
        self.charge_ids.filtered(lambda charge: charge.state == "memo").unlink()
        self.is_computed = False

    # Actions

    def _check_manager(self):
        self.check_access("write")
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager charges late customers."))

    def action_compute(self):
        """Show what has accrued."""
        self._check_manager()
        self._check_draft()
        self._check_past()
        for run in self:
            if not run.company_id.ar_charge_from:
                run.company_id._ar_check_charge_settings()
            # The charges are the system's.
            run.sudo()._compute_charges()
        return True

    def action_draft_notes(self):
        """Make one draft debit note per customer and currency."""
        self._check_manager()
        if any(run.kind == "closing" for run in self):
            raise UserError(self.env._("A month-end accrual has no debit notes: post it."))
        for run in self:
            run._make_notes()
        return self.action_open_notes()

    def action_post(self):
        """Make the debit notes and post them, with the accounting rights of who does it."""
        self._check_manager()
        for run in self:
            if run.state == "draft" and run.kind == "closing":
                run._close_month()
            elif run.state == "draft":
                run._make_notes()
            run.move_ids.filtered(lambda move: move.state == "draft").action_post()
        return self.action_open_notes()

    @api.readonly
    def action_open_notes(self):
        return self.move_ids._get_records_action(name=self.env._("Debit Notes"))

    @api.readonly
    def action_open_charges(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Late Charges"),
            "res_model": "ar.late.charge",
            "view_mode": "list,pivot",
            "domain": [("run_id", "=", self.id)],
        }

    @api.readonly
    def action_open_excess(self):
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "ar_collections.ar_late_charge_action"
        ) | {"domain": self._get_excess_domain(), "context": {"search_default_too_high": True}}

    def _get_excess_domain(self):
        customers = self.partner_ids.commercial_partner_id.ids
        return [
            ("company_id", "=", self.company_id.id),
            ("excess", ">", 0),
            *([("partner_id", "in", customers)] if customers else []),
        ]

    # Charging

    def _compute_charges(self):
        self._remove_preview()
        ready, held = self._select_chargeable(
            self.env["ar.late.charge.accrual"]._get_accruals(
                self.company_id, self.date, self.partner_ids or None
            )
        )
        self.env["ar.late.charge"].create(
            self.env["ar.late.charge"]._prepare_values(
                self.company_id, self.date, ready, run_id=self.id
            )
        )
        self.write({"is_computed": True, "amount_held": held})

    def _select_chargeable(self, accrued):
        """What can be charged now: not held, and enough for a debit note of its customer and
        currency.

        :param accrued: ``{partner id: [Accrual]}``
        :return: ``([Accrual], company currency amount of the others)``
        """
        ready, held = [], 0
        company = self.company_id
        currency, minimum = self.currency_id, company.ar_charge_minimum
        doubtful = set()
        if self.kind == "closing":
            minimum = 0
        if not self.partner_ids or self.kind == "closing":
            doubtful = set(self._get_doubtful(company, accrued))
        for partner_id, accruals in accrued.items():
            if partner_id in doubtful:
                held += sum(accrual.amount_company for accrual in accruals)
                continue
            held += sum(accrual.amount_company for accrual in accruals if accrual.held)
            notes = {}
            for accrual in accruals:
                if not accrual.held:
                    notes.setdefault(accrual.currency_id, []).append(accrual)
            for free in notes.values():
                total = sum(accrual.amount_company for accrual in free)
                if currency.compare_amounts(total, minimum) >= 0:
                    ready += free
                else:
                    held += total
        return ready, currency.round(held)

    @api.model
    def _get_doubtful(self, company, partner_ids):
        """Customers of whom the money is not likely to come: what they are charged is no revenue
        before it is there (IFRS 15, paragraph 9 e).

        :return: ids of those among ``partner_ids`` whom somebody outside, or nobody any more,
            chases; who is insolvent accrues nothing at all
        """
        outside = self.env["ar.collection.stage"]._get_outside_kinds()
        cases = self.env["ar.collection.case"].sudo()
        return cases.search(
            [
                ("company_id", "=", company.id),
                ("partner_id", "in", list(partner_ids)),
                ("state", "!=", "closed"),
                ("stage_id.kind", "in", outside),
            ]
        ).partner_id.ids

    def _close_month(self):
        """Book what has accrued as income of the month, and take it back on the next day.

        :raises UserError: settings are missing, nothing has accrued, or the month has an accrual
        """
        self.ensure_one()
        self._check_past()
        company = self.company_id
        company._ar_check_closing_settings()
        if not self.is_computed:
            self.sudo()._compute_charges()
        company.sudo().lock_for_update(allow_referencing=True)
        charges = self.sudo().charge_ids.filtered(lambda charge: charge.state == "memo")
        if not charges:
            raise UserError(self.env._("There is nothing to accrue."))
        self._check_closed_once()
        charges._check_fresh(company, self.date)
        entry = (
            self.env["account.move"].with_company(company).create(self._prepare_closing(charges))
        )
        entry._post(soft=False)
        back = entry._reverse_moves(
            [
                {
                    "date": self.date + timedelta(days=1),
                    "ref": self.env._("Late charges accrued until %s, taken back", self.date),
                }
            ]
        )
        back._post(soft=False)
        charges.state = "accrued"
        self.sudo().write({"state": "done", "move_ids": [(6, 0, (entry | back).ids)]})

    def _check_closed_once(self):
        """One accrual of a month that counts."""
        start = self.date.replace(day=1)
        others = self.sudo().search(
            [
                ("id", "!=", self.id),
                ("company_id", "=", self.company_id.id),
                ("kind", "=", "closing"),
                ("state", "=", "done"),
                ("date", ">=", start),
                ("date", "<", start + relativedelta(months=1)),
            ]
        )
        counting = others.filtered(lambda run: "posted" in run.move_ids.mapped("state"))
        if counting:
            raise UserError(
                self.env._(
                    "%s is the accrual of this month: reset and cancel its two entries first.",
                    counting[0].name,
                )
            )

    def _prepare_closing(self, charges):
        """One line for each customer, and the income."""
        company, text = self.company_id, self.env._("Late charges accrued until %s", self.date)
        account = company.ar_charge_accrual_account_id
        lines = [
            {
                "name": text,
                "account_id": account.id,
                "partner_id": partner.id,
                "balance": company.currency_id.round(sum(same.mapped("amount_company"))),
            }
            for partner, same in charges.grouped("partner_id").items()
        ]
        lines.append(
            {
                "name": text,
                "account_id": company.ar_charge_account_id.id,
                "balance": -company.currency_id.round(sum(line["balance"] for line in lines)),
            }
        )
        journal = self.env["account.journal"].search(
            [
                *self.env["account.journal"]._check_company_domain(company),
                ("type", "=", "general"),
            ],
            limit=1,
        )
        return {
            "move_type": "entry",
            "company_id": company.id,
            "journal_id": journal.id,
            "date": self.date,
            "ref": text,
            "line_ids": [Command.create(line) for line in lines],
        }

    def _make_notes(self):
        """Invoice the charges of the preview.

        :raises UserError: settings are missing, nothing is to be charged, somebody else charges
            right now, or the preview is not what has accrued any more
        """
        self.ensure_one()
        self._check_draft()
        self._check_past()
        company = self.company_id
        company._ar_check_charge_settings()
        if not self.is_computed:
            self.sudo()._compute_charges()
        # One run at a time for a company; invoices may be posted meanwhile.
        company.sudo().lock_for_update(allow_referencing=True)
        charges = self.sudo().charge_ids.filtered(lambda charge: charge.state == "memo")
        if not charges:
            raise UserError(self.env._("There is nothing to charge."))
        charges._check_fresh(company, self.date)
        moves = charges.with_env(self.env)._draft_notes(company, self.date)
        # The user has made the notes; the run is the system's.
        self.sudo().write({"state": "done", "move_ids": [(4, move.id) for move in moves]})

    def _charge_accruals(self, accruals, plan):
        """Draft the debit note of a broken plan.

        :return: the note, empty when it would be too small
        """
        ready, _held = self._select_chargeable({plan.partner_id.id: accruals})
        if not ready:
            self.unlink()
            return self.env["account.move"]
        charges = self.env["ar.late.charge"].create(
            self.env["ar.late.charge"]._prepare_values(
                self.company_id, self.date, ready, run_id=self.id, plan_id=plan.id
            )
        )
        moves = charges._draft_notes(self.company_id, self.date)
        self.write({"state": "done", "is_computed": True, "move_ids": [(6, 0, moves.ids)]})
        return moves
