from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class ArDebtAcknowledgement(models.Model):
    """The customer confirms in writing what it owes: proof, and a new start of limitation."""

    _name = "ar.debt.acknowledgement"
    _inherit = ["ar.numbered.mixin", "ar.signable", "ar.case.record"]
    _description = "Debt Acknowledgement"
    _customer_states = ("sent", "signed")
    _page = "acknowledgement"
    _paper = "ar_collections.report_debt_acknowledgement"
    _order = "id desc"
    _number_prefix = "DA"

    date = fields.Date(
        required=True, readonly=True, default=lambda self: self.env.company._ar_today()
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("sent", "Sent"),
            ("signed", "Signed"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    item_ids = fields.One2many(
        "ar.debt.acknowledgement.item", "acknowledgement_id", string="Items", readonly=True
    )
    amount = fields.Monetary(string="Amount Acknowledged", readonly=True, tracking=True)
    contact_id = fields.Many2one("res.partner", string="Signs")
    date_signed = fields.Date(
        readonly=True, copy=False, help="Limitation of the items starts anew on this day."
    )

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        for record in records.sudo():
            record._copy_open_items()
        return records

    def _copy_open_items(self):
        """Keep the customer's open items of today, of all currencies; total in company currency."""
        self.item_ids.unlink()
        items = (
            self.env["ar.position"]
            ._items(self.company_id, self.date, self.partner_id)
            .get((self.company_id.id, self.partner_id.id), [])
        )
        lines = self.env["account.move.line"].browse(item.line_id for item in items)
        self.env["ar.debt.acknowledgement.item"].create(
            [
                {
                    "acknowledgement_id": self.id,
                    "move_line_id": line.id,
                    "name": line.move_name,
                    "date": line.move_id.invoice_date or line.date,
                    "due_date": item.due,
                    "residual": item.residual,
                    "residual_currency": item.residual_currency,
                    "currency_id": item.currency_id,
                }
                for item, line in zip(items, lines, strict=True)
            ]
        )
        total = sum(item.residual for item in items)
        self.write({"amount": total, "currency_id": self.company_id.currency_id.id})
        if self.currency_id.compare_amounts(total, 0) <= 0:
            raise UserError(
                self.env._("%s owes nothing that it could acknowledge.", self.partner_id.name)
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(record.state != "draft" for record in self):
            raise UserError(
                self.env._("An acknowledgement that the customer has seen stays as a record.")
            )

    def action_send(self):
        """Send today's items to the customer to sign, in the portal or on paper."""
        self.check_access("write")
        for record in self.sudo():
            if record.state != "draft":
                raise UserError(self.env._("%s was sent already.", record.name))
            record.date = record.company_id._ar_today()
            record._copy_open_items()
            record.state = "sent"
            record._mail_customer("ar_collections.mail_template_acknowledgement")

    def action_signed(self):
        """The customer signed on paper: the collector has uploaded it."""
        self.check_access("write")
        self._check_signed_document()
        for record in self:
            record._sign(record.contact_id.name or record.partner_id.name)

    def _sign(self, signed_by, signature=None):
        """The customer acknowledges the debt; see ``ar.signable``."""
        for record in self.sudo():
            if record.state not in ("draft", "sent"):
                raise UserError(self.env._("%s cannot be signed any more.", record.name))
            record._record_signature(signed_by, signature)
            record.write({"state": "signed", "date_signed": record.company_id._ar_today()})
            record.message_post(
                body=self.env._("Signed by %s.", record.signed_by), subtype_xmlid="mail.mt_note"
            )

    def action_cancel(self):
        self.check_access("write")
        for record in self:
            if record.state == "signed" and not self.env.user.has_group(
                "ar_collections.group_credit_manager"
            ):
                raise AccessError(
                    self.env._("Only a credit manager cancels a signed acknowledgement.")
                )
        self.sudo().write({"state": "cancelled"})

    # The paper

    def _letter_item_tables(self):
        columns = [
            (self.env._("Document"), "text"),
            (self.env._("Date"), "date"),
            (self.env._("Due Date"), "date"),
            (self.env._("Still Open"), "money"),
        ]
        return self._letter_tables(
            self.env._("Open items"),
            columns,
            [
                (item.currency_id, (item.name, item.date, item.due_date, item.residual_currency))
                for item in self.item_ids
            ],
        )


class ArDebtAcknowledgementItem(models.Model):
    """One item that the customer owes, as it was on the day of the acknowledgement."""

    _name = "ar.debt.acknowledgement.item"
    _inherit = "ar.item.copy"
    _description = "Acknowledged Item"

    acknowledgement_id = fields.Many2one(
        "ar.debt.acknowledgement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="acknowledgement_id.company_id", store=True, precompute=True, index=True
    )
