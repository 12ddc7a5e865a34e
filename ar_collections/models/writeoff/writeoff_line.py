from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount

from ..common.company_share import get_company_share
from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN, is_trade_receivable
from .writeoff_request import EDITABLE, WAITING


class ArWriteoffRequestLine(models.Model):
    """One open item, or part of it, that is given up."""

    _name = "ar.writeoff.request.line"
    _inherit = "ar.readonly.mixin"
    _description = "Write-off Item"
    _order = "due_date, id"
    _creation_fields = ("request_id",)

    request_id = fields.Many2one(
        "ar.writeoff.request", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="request_id.company_id", store=True, precompute=True, index=True
    )
    state = fields.Selection(related="request_id.state", store=True)
    reason_id = fields.Many2one(related="request_id.reason_id", store=True)
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal Item",
        index=True,
        # An invoice that goes back to draft may get other items.
        ondelete="set null",
        domain=[
            *TRADE_RECEIVABLE_DOMAIN,
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
        ],
    )
    move_id = fields.Many2one(related="move_line_id.move_id", string="Document")
    name = fields.Char(string="Number", compute="_compute_item", store=True, precompute=True)
    partner_id = fields.Many2one(
        "res.partner", string="Customer", compute="_compute_item", store=True, precompute=True
    )
    currency_id = fields.Many2one(
        "res.currency", compute="_compute_item", store=True, precompute=True
    )
    company_currency_id = fields.Many2one(
        string="Company Currency", related="company_id.currency_id"
    )
    due_date = fields.Date(compute="_compute_item", store=True, precompute=True)
    days_overdue = fields.Integer(related="move_line_id.ar_days_overdue", related_sudo=True)
    amount = fields.Monetary(
        string="To Write Off",
        compute="_compute_amount",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    amount_company = fields.Monetary(
        string="In Company Currency",
        compute="_compute_amount_company",
        store=True,
        precompute=True,
        currency_field="company_currency_id",
    )
    residual = fields.Monetary(
        string="Still Open", related="move_line_id.amount_residual_currency", related_sudo=True
    )
    # The item as it was submitted, to notice what changed since.
    residual_submitted = fields.Monetary(string="Open When Submitted", readonly=True, copy=False)

    _positive = models.Constraint("CHECK(amount > 0)", "The amount to write off must be positive.")
    _item_once = models.UniqueIndex(
        "(request_id, move_line_id)", "The item is in this request already."
    )

    @api.depends("move_line_id")
    def _compute_item(self):
        for line in self:
            item = line.move_line_id.sudo()
            line.name = item.move_name
            line.partner_id = item.partner_id.commercial_partner_id
            line.currency_id = item.currency_id
            line.due_date = item.date_maturity or item.date

    @api.depends("move_line_id")
    def _compute_amount(self):
        """What open credits of the customer leave of the item; all of it when they leave nothing:
        who writes off what is paid already has to be told by the request."""
        # The request is about items whose branch its author may not see.
        left = self.env["ar.position"]._get_net_residuals(self.move_line_id.sudo())
        for line in self:
            item = line.move_line_id.sudo()
            line.amount = max(left.get(item._origin.id, 0), 0) or line._get_open(item)

    @api.depends("amount", "move_line_id")
    def _compute_amount_company(self):
        for line in self:
            line.amount_company = line._get_share(line.move_line_id.sudo())

    def _sign(self):
        """Credits of customers are given up as positive amounts, too."""
        return -1 if self.request_id.kind == "credit" else 1

    def _get_open(self, item):
        """What is open of the item, below zero when it is on the other side."""
        return self._sign() * item.amount_residual_currency

    def _get_share(self, item):
        """What the amount is worth in company currency."""
        return self._sign() * get_company_share(item, self._sign() * self.amount)

    @api.constrains("move_line_id", "amount")
    def _check_item(self):
        for line in self:
            request, item = line.request_id.sudo(), line.move_line_id.sudo()
            name = line.name
            if request.state not in EDITABLE:
                continue
            if not item:
                raise ValidationError(self.env._("Choose the item of each line anew."))
            if not is_trade_receivable(item) or item.parent_state != "posted":
                raise ValidationError(
                    self.env._("%s is not an open item: choose posted receivables.", name)
                )
            if item.company_id.root_id != request.company_id or (
                request.kind == "customer"
                and item.partner_id.commercial_partner_id != request.partner_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(item)s is not an item of %(customer)s in %(company)s.",
                        item=name,
                        customer=request.partner_id.display_name,
                        company=request.company_id.display_name,
                    )
                )
            if line.currency_id.compare_amounts(line.amount, line._get_open(item)) > 0:
                raise ValidationError(
                    self.env._(
                        "Of %(item)s only %(residual)s is open.",
                        item=name,
                        residual=format_amount(self.env, line._get_open(item), line.currency_id),
                    )
                )

    def _find_waiting_twin(self):
        """A line of another request about the same items that waits to be decided or posted."""
        return self.sudo().search(
            [
                ("move_line_id", "in", self.move_line_id.ids),
                ("request_id", "not in", self.request_id.ids),
                ("state", "in", WAITING),
            ],
            limit=1,
        )

    def _check_waits_once(self):
        """What waits to be decided or posted in one request is not asked for in another."""
        if twice := self._find_waiting_twin():
            raise UserError(
                self.env._(
                    "%(item)s is in %(request)s already, which waits to be decided or posted.",
                    item=twice.display_name,
                    request=twice.request_id.name,
                )
            )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        requests = self.env["ar.writeoff.request"].browse(
            {vals["request_id"] for vals in vals_list if vals.get("request_id")}
        )
        requests.check_access("write")
        requests._before_change()
        return super().create(vals_list)

    def write(self, vals):
        if not vals.keys().isdisjoint(("move_line_id", "amount", "request_id")):
            self.request_id._before_change()
        result = super().write(vals)
        if "amount" in vals:
            self.env["ar.writeoff.assessment"]._assess_risk(self.request_id)
        return result

    def unlink(self):
        requests = self.request_id
        requests._before_change()
        result = super().unlink()
        self.env["ar.writeoff.assessment"]._assess_risk(requests.exists())
        return result

    # Booking

    def _get_change_text(self):
        """What is not as it was when the request was submitted; empty when all is."""
        self.ensure_one()
        item, request = self.move_line_id, self.request_id
        customer = item.partner_id.commercial_partner_id
        if item.parent_state != "posted":
            return self.env._("%s is not posted any more.", self.display_name)
        if item.currency_id != self.currency_id:
            return self.env._("%s has another currency now.", self.display_name)
        if request.kind == "customer" and customer != request.partner_id:
            return self.env._(
                "%(item)s is of %(customer)s now.",
                item=self.display_name,
                customer=customer.display_name,
            )
        residual = item.amount_residual_currency
        if self.currency_id.compare_amounts(residual, self.residual_submitted):
            return self.env._(
                "Of %(item)s %(now)s is open, and %(then)s was when it was submitted.",
                item=self.display_name,
                now=format_amount(self.env, residual, self.currency_id),
                then=format_amount(self.env, self.residual_submitted, self.currency_id),
            )
        if self.company_currency_id.compare_amounts(self._get_share(item), self.amount_company):
            return self.env._("%s has another value in company currency now.", self.display_name)
        return ""

    def _prepare_credit_values(self):
        """What takes the item off the books, exactly in its own currency."""
        item = self.move_line_id
        return {
            "name": self.env._(
                "Write-off %(request)s: %(item)s",
                request=self.request_id.name,
                item=item.move_name,
            ),
            "account_id": item.account_id.id,
            "partner_id": item.partner_id.id,
            "currency_id": item.currency_id.id,
            "amount_currency": -self._sign() * self.amount,
            "balance": -self._sign() * self.amount_company,
            "date_maturity": False,
        }
