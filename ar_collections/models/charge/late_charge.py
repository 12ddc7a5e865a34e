import operator as op

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_amount, format_date

from ..law.country_rule import DAY_COUNTS

# States of a charge that is on a debit note.
NOTED = ("drafted", "posted")
COMPARE = {">": op.gt, ">=": op.ge, "<": op.lt, "<=": op.le}


class ArLateCharge(models.Model):
    """The late charge of some days of one open item: on a debit note, waived, or in preview.

    Days that a charge has are never charged again, waived and reversed ones neither, until a
    credit manager sets them free. Reversing the debit note gives up its charges.

    A payment may overtake a charge: it is dated on or before days that were charged. A charge is
    never rewritten, its debit note has gone to the customer. It shows what is too much until a
    credit note of the debit note gives that back, or all of it, and the days are charged anew.
    """

    _name = "ar.late.charge"
    _inherit = "ar.readonly.mixin"
    _description = "Late Charge"
    _order = "date desc, partner_id, due_date, id"
    _check_company_auto = True

    run_id = fields.Many2one(
        "ar.late.charge.run", string="Charge Run", readonly=True, index=True, ondelete="set null"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal Item",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    name = fields.Char(string="Item", readonly=True)
    due_date = fields.Date(readonly=True)
    date = fields.Date(string="As Of", required=True, readonly=True)
    date_from = fields.Date(string="From", required=True, readonly=True)
    date_to = fields.Date(string="To", required=True, readonly=True)
    days = fields.Integer(readonly=True)
    base = fields.Monetary(
        string="Average Open", readonly=True, aggregator=None, help="On these days."
    )
    rate = fields.Float(string="% a Year", readonly=True, aggregator="avg")
    day_count = fields.Selection(
        DAY_COUNTS,
        string="Days of a Year",
        default="365",
        required=True,
        readonly=True,
    )
    waived_share = fields.Float(
        readonly=True,
        help="A plan was kept that was about this share of the item: the rest of these days is "
        "still to be charged. Zero: all of them.",
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    amount = fields.Monetary(string="Charge", readonly=True, help="Without taxes.")
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    amount_company = fields.Monetary(
        string="In Company Currency", readonly=True, currency_field="company_currency_id"
    )
    state = fields.Selection(
        [
            ("memo", "To charge"),
            ("drafted", "On a draft"),
            ("posted", "Charged"),
            ("waived", "Waived"),
            ("reversed", "Reversed"),
            ("cancelled", "Set free"),
            ("accrued", "Accrued at a month's end"),
        ],
        default="memo",
        required=True,
        readonly=True,
        index=True,
    )
    note_line_id = fields.Many2one(
        "account.move.line", readonly=True, index="btree_not_null", ondelete="set null"
    )
    move_id = fields.Many2one(
        "account.move",
        string="Debit Note",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    reversal_id = fields.Many2one(
        "account.move",
        string="Credit Note",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    plan_id = fields.Many2one(
        "ar.payment.plan",
        string="Payment Plan",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Its end waived or charged these days.",
    )
    reason = fields.Char(string="Reason of Waiving", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Decided By", readonly=True, help="Who waived it or set it free."
    )
    excess = fields.Monetary(
        string="Too High By",
        compute="_compute_excess",
        search="_search_excess",
        help="A payment or credit note that is dated in these days, or before them, was matched "
        "after they were charged. Credit this part of the debit note. Or credit all of it, set "
        "the days free and charge them again.",
    )

    # Two runs at once see the same days free; the database lets one of them have the days.
    _days_once = models.UniqueIndex(
        "(move_line_id, date_from) WHERE state IN ('drafted', 'posted', 'waived', 'reversed')"
        " AND COALESCE(waived_share, 0) = 0",
        "Somebody else has just charged these days. Compute the charges again.",
    )

    @api.depends("amount", "state", "move_line_id", "date_from", "date_to")
    def _compute_excess(self):
        excess = self.env["ar.late.charge.accrual"]._get_excess_by_charge(
            SQL("charge.id IN %s", tuple(self.ids) or (0,))
        )
        for charge in self:
            charge.excess = excess.get(charge._origin.id, 0)

    def _search_excess(self, operator, value):
        if operator not in COMPARE:
            return NotImplemented
        excess, compare = (
            self.env["ar.late.charge.accrual"]._get_excess_by_charge(SQL("TRUE")),
            COMPARE[operator],
        )
        found = Domain("id", "in", [key for key, part in excess.items() if compare(part, value)])
        return found | Domain("id", "not in", list(excess)) if compare(0, value) else found

    # Buttons

    @api.readonly
    def action_waive(self):
        """Ask for the reason."""
        self._check_manager()
        self.check_access("read")
        return self._get_waive_action(default_charge_ids=self.ids)

    def action_free(self):
        """Let the days of waived or reversed charges be charged again."""
        self._check_manager()
        self.check_access("read")
        if any(charge.state not in ("waived", "reversed") for charge in self):
            raise UserError(
                self.env._("Only days of charges that were waived or reversed are set free.")
            )
        # Charges are the system's; who decides was checked.
        self.sudo().write({"state": "cancelled", "user_id": self.env.uid})
        for company, charges in self.grouped("company_id").items():
            self.env["ar.collection.case"].sudo()._refresh_charges(
                company, company._ar_today(), charges.partner_id
            )

    @api.readonly
    def action_open_note(self):
        self.ensure_one()
        return self.move_id._get_records_action()

    # Making charges

    @api.model
    def _prepare_values(self, company, date, accruals, **common):
        """Values of charges for what has accrued."""
        lines = self.env["account.move.line"].sudo().browse(accrual.line_id for accrual in accruals)
        lines.fetch(["move_name", "date_maturity", "date"])
        return [
            {
                "company_id": company.id,
                "partner_id": accrual.partner_id,
                "move_line_id": accrual.line_id,
                "name": line.move_name,
                "due_date": line.date_maturity or line.date,
                "date": date,
                "date_from": accrual.date_from,
                "date_to": accrual.date_to,
                "days": accrual.days,
                "base": accrual.base,
                "rate": accrual.rate,
                "day_count": accrual.day_count,
                "currency_id": accrual.currency_id,
                "amount": accrual.amount,
                "amount_company": accrual.amount_company,
                **common,
            }
            for accrual, line in zip(accruals, lines, strict=True)
        ]

    # Waiving

    def _check_manager(self):
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager waives or frees late charges."))

    @api.model
    def _get_waive_action(self, **context):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Waive Late Charges"),
            "res_model": "ar.late.charge.waive",
            "view_mode": "form",
            "target": "new",
            "context": context,
        }

    def _waive_charges(self, reason):
        """Give up charges that are on no debit note yet.

        :raises UserError: a debit note has one of them
        """
        self._check_manager()
        self.check_access("read")
        noted = self.filtered(lambda charge: charge.state != "memo")
        if noted:
            raise UserError(
                self.env._(
                    "%(item)s is decided already. To give up a charge that is on a debit note, "
                    "cancel the draft or make a credit note.",
                    item=noted[0].name,
                )
            )
        # Charges are the system's; who decides was checked.
        self.sudo().write({"state": "waived", "reason": reason, "user_id": self.env.uid})
        self._tell_cases()

    @api.model
    def _waive_accrued(self, company, date, accruals, reason, shares=None, **common):
        """Give up what has accrued, also of items that are in dispute or in a plan.

        :param shares: ``{journal item id: share of the item}`` of which it is given up; all of
            the others
        :return: the waived charges
        """
        values = self._prepare_values(
            company,
            date,
            accruals,
            state="waived",
            reason=reason,
            user_id=self.env.uid,
            **common,
        )
        for vals, accrual in zip(values, accruals, strict=True):
            share = (shares or {}).get(accrual.line_id, 1)
            if share < 1:
                currency = self.env["res.currency"].browse(accrual.currency_id)
                vals["waived_share"] = share
                vals["amount"] = currency.round(accrual.amount * share)
                vals["amount_company"] = company.currency_id.round(accrual.amount_company * share)
        charges = self.sudo().create(values)
        charges._tell_cases()
        return charges

    def _tell_cases(self):
        """The chatter of the cases keeps who waived how much and why; their memo follows."""
        cases = self.env["ar.collection.case"].sudo()
        for company, charges in self.sudo().grouped("company_id").items():
            known = {
                case.partner_id: case
                for case in cases.search(
                    [
                        ("company_id", "=", company.id),
                        ("partner_id", "in", charges.partner_id.ids),
                        ("state", "!=", "closed"),
                    ]
                )
            }
            for partner, same in charges.grouped("partner_id").items():
                if partner not in known:
                    continue
                known[partner]._message_log(
                    body=self.env._(
                        "Late charges of %(amount)s waived: %(reason)s",
                        amount=company.currency_id.format(sum(same.mapped("amount_company"))),
                        reason=same[0].reason,
                    ),
                    author_id=self.env.user.partner_id.id,
                )
            cases._refresh_charges(company, company._ar_today(), charges.partner_id)

    # Debit notes

    def _check_fresh(self, company, date):
        """The ledger still says what the preview says."""
        accrued = self.env["ar.late.charge.accrual"]._get_accruals(company, date, self.partner_id)
        now = {
            (accrual.line_id, accrual.date_from, accrual.date_to): accrual.amount
            for accruals in accrued.values()
            for accrual in accruals
            if not accrual.held
        }
        for charge in self:
            key = (charge.move_line_id.id, charge.date_from, charge.date_to)
            if charge.currency_id.compare_amounts(now.get(key, 0), charge.amount):
                raise UserError(
                    self.env._(
                        "%(item)s of %(customer)s has changed since the preview: "
                        "compute the charges again.",
                        item=charge.name,
                        customer=charge.partner_id.display_name,
                    )
                )

    def _draft_notes(self, company, date):
        """One draft debit note per customer and currency, made with the rights of the user.

        :param date: invoice date of the notes
        :return: the notes
        """
        groups = list(self.grouped(lambda charge: (charge.partner_id, charge.currency_id)).items())
        moves = (
            self.env["account.move"]
            .with_company(company)
            .create(
                [
                    charges._prepare_note(company, date, partner, currency)
                    for (partner, currency), charges in groups
                ]
            )
        )
        # The marks and links are the system's.
        moves.sudo().ar_is_late_charge = True
        for move, (_key, charges) in zip(moves, groups, strict=True):
            lines = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
            for charge, line in zip(charges.sudo(), lines.sorted("sequence"), strict=True):
                charge.write({"state": "drafted", "move_id": move.id, "note_line_id": line.id})
        self.env["ar.collection.case"].sudo()._refresh_charges(
            company, company._ar_today(), self.partner_id
        )
        return moves

    def _prepare_note(self, company, date, partner, currency):
        recipient = self.env["ar.recipient"]._get_recipients(
            self[:1], lines={self[:1]: self.move_line_id.ids}, own=True
        )[self[:1]]
        term = partner.with_company(company).property_payment_term_id
        words = self.with_context(lang=partner.lang).env
        position = (
            self.env["account.fiscal.position"]
            .with_company(company)
            ._get_fiscal_position(recipient or partner)
        )
        return {
            "move_type": "out_invoice",
            "company_id": company.id,
            "journal_id": company.ar_charge_journal_id.id,
            "partner_id": (recipient or partner).id,
            "currency_id": currency.id,
            "invoice_date": date,
            "fiscal_position_id": position.id,
            "invoice_payment_term_id": term.id,
            **({} if term else {"invoice_date_due": date}),
            "ref": words._("Late charges until %s", format_date(words, date)),
            "narration": self._get_formula_text(words),
            "invoice_line_ids": [
                Command.create(charge._prepare_note_line(company, index, position, words))
                for index, charge in enumerate(self, start=1)
            ],
        }

    def _get_formula_text(self, words):
        """How the charges of a debit note were computed, in the language of an environment."""
        return {
            "365": words._(
                "Simple interest by the day on what was open: amount x rate / 365 x days."
            ),
            "360": words._(
                "Simple interest by the day on what was open: amount x rate / 360 x days."
            ),
            "actual": words._(
                "Simple interest by the day on what was open: amount x rate / days of the year "
                "(365 or 366) x days."
            ),
        }[self[:1].day_count]

    def _prepare_note_line(self, company, index, position, words):
        taxes = position.map_tax(self._get_note_taxes(company))
        no_taxes, no_product = taxes.browse(), self.env["product.product"]
        return {
            "sequence": index,
            "name": self._get_note_line_text(words),
            "account_id": position.map_account(company.ar_charge_account_id).id,
            "quantity": 1,
            # Taxes that prices include come on top of a charge as all others do.
            "price_unit": taxes._adapt_price_unit_to_another_taxes(
                self.amount, no_product, no_taxes, taxes
            ),
            "tax_ids": [Command.set(taxes.ids)],
        }

    def _get_note_taxes(self, company):
        """The taxes of a charge before the fiscal position: those of the settings, or those of
        the sale, of its largest part where the invoice has several."""
        if company.ar_charge_tax_mode != "sale":
            return company.ar_charge_tax_ids
        # Whoever charges need not see all invoices.
        lines = self.sudo().move_line_id.move_id.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        parts = lines.grouped("tax_ids")
        if not parts:
            return company.ar_charge_tax_ids
        taxes = max(parts, key=lambda taxes: abs(sum(parts[taxes].mapped("balance"))))
        return taxes.filtered(lambda tax: tax.type_tax_use == "sale").sudo(False)

    def _get_note_line_text(self, words):
        """The line of the debit note, in the language of an environment."""
        return words._(
            "%(item)s, due %(due)s: %(start)s to %(end)s, %(days)s days on %(base)s at %(rate)s %%",
            item=self.name,
            due=format_date(words, self.due_date),
            start=format_date(words, self.date_from),
            end=format_date(words, self.date_to),
            days=self.days,
            base=format_amount(words, self.base, self.currency_id),
            rate=f"{self.rate:g}",
        )

    # What happens to the debit notes

    @api.model
    def _check_notes(self, moves):
        """The days of a note that was cancelled may be on another note by now."""
        notes = moves.filtered(lambda move: move.ar_is_late_charge and move.state == "draft")
        if not notes:
            return
        free = self.sudo().search([("move_id", "in", notes.ids), ("state", "=", "cancelled")])
        taken = self.sudo().search([("move_id", "in", free.move_id.ids), ("state", "in", NOTED)])
        for move in free.move_id - taken.move_id:
            raise UserError(
                self.env._(
                    "The days on %s were set free: delete it and charge them with a new run.",
                    move.display_name,
                )
            )

    @api.model
    def _notes_posted(self, moves):
        """Charges follow their debit notes as they were posted, and their reversals."""
        notes = moves.filtered("ar_is_late_charge")
        reversals = moves.filtered(
            lambda move: move.move_type == "out_refund" and move.reversed_entry_id.ar_is_late_charge
        )
        charges = self.sudo()
        if notes:
            drafted = charges.search([("move_id", "in", notes.ids), ("state", "=", "drafted")])
            gone = drafted.filtered(lambda charge: not charge.note_line_id)
            gone.write({"state": "cancelled"})
            for charge in drafted - gone:
                line = charge.note_line_id
                charge.write(
                    {
                        "state": "posted",
                        "amount": line.price_subtotal,
                        "amount_company": -line.balance,
                    }
                )
        for reversal in reversals:
            note = reversal.reversed_entry_id
            if note.currency_id.compare_amounts(reversal.amount_total, note.amount_total) >= 0:
                charges.search([("move_id", "=", note.id), ("state", "=", "posted")]).write(
                    {"state": "reversed", "reversal_id": reversal.id}
                )

    @api.model
    def _notes_reset(self, moves):
        """Debit notes are drafts again, and credit notes of them do not count any more."""
        charges = self.sudo().search(
            [
                "|",
                ("reversal_id", "in", moves.ids),
                ("move_id", "in", moves.ids),
                ("state", "in", ("posted", "reversed")),
            ]
        )
        for charge in charges:
            if charge.reversal_id in moves:
                charge.write({"state": "posted", "reversal_id": False})
            elif charge.state == "posted":
                charge.state = "drafted"

    @api.model
    def _notes_dropped(self, moves):
        """The days of debit notes that are cancelled or deleted are free."""
        charges = self.sudo().search([("move_id", "in", moves.ids), ("state", "in", NOTED)])
        charges.write({"state": "cancelled"})
        for company, same in charges.grouped("company_id").items():
            self.env["ar.collection.case"].sudo()._refresh_charges(
                company, company._ar_today(), same.partner_id
            )
