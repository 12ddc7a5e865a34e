from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class ArLateCharge(models.Model):
    """The late charge of some days of one open item: on a debit note, waived, or in preview.

    Days that a charge has are never charged again, waived and reversed ones neither, until a
    credit manager sets them free. Reversing the debit note gives up its charges.
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

    # Two runs at once see the same days free; the database lets one of them have the days.
    _days_once = models.UniqueIndex(
        "(move_line_id, date_from) WHERE state IN ('drafted', 'posted', 'waived', 'reversed')",
        "Somebody else has just charged these days. Compute the charges again.",
    )

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

    def action_waive(self):
        """Ask for the reason."""
        self._check_manager()
        return self._waive_wizard(default_charge_ids=self.ids)

    @api.model
    def _waive_wizard(self, **context):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Waive Late Charges"),
            "res_model": "ar.late.charge.waive",
            "view_mode": "form",
            "target": "new",
            "context": context,
        }

    def _waive(self, reason):
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
    def _waive_accrued(self, company, date, accruals, reason, **common):
        """Give up what has accrued, also of items that are in dispute or in a plan.

        :return: the waived charges
        """
        charges = self.sudo().create(
            self._prepare_values(
                company,
                date,
                accruals,
                state="waived",
                reason=reason,
                user_id=self.env.uid,
                **common,
            )
        )
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

    # Screens

    def action_open_note(self):
        self.ensure_one()
        return self.move_id._get_records_action()
