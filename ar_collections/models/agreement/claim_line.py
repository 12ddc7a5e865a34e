from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, float_round, format_amount

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN, is_trade_receivable


class Settled(NamedTuple):
    # What the customer paid of the item in time; may be more than the claim.
    paid: float
    # What of the claim nobody has to pay any more.
    void: float
    # The day of the last of all that came off the item, in time or not.
    last_on: object = None


class ArClaimLine(models.AbstractModel):
    """Part of an open item that is not asked for as long as something else is agreed or open.

    What is left of a promise is its amount less what came off the item since it was made, whatever
    took it off; of a dispute as much as the item has. Amounts are in the currency of the item.
    """

    _name = "ar.claim.line"
    _inherit = "ar.readonly.mixin"
    _description = "Claimed Item"
    _order = "due_date, id"

    # The many2one to the record whose line this is, and the date from which it holds.
    _claim_parent = None
    _claim_start = "date_made"
    # Which figure it is part of, ``disputed`` or ``promised``: none when it holds nothing back.
    _claim_kind = None
    # Whether what comes off the item comes off the claim first, or off the rest.
    _claim_is_paid_first = True

    move_line_id = fields.Many2one(
        "account.move.line",
        string="Journal Item",
        index=True,
        ondelete="set null",
        domain=[
            *TRADE_RECEIVABLE_DOMAIN,
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
        ],
    )
    move_id = fields.Many2one(related="move_line_id.move_id", string="Document")
    # Whose item it is; what the record is about as a whole may be of several customers.
    customer_id = fields.Many2one(
        "res.partner",
        string="Customer of the Item",
        compute="_compute_customer_id",
        store=True,
        precompute=True,
        index=True,
    )
    currency_id = fields.Many2one(
        "res.currency", compute="_compute_item", store=True, precompute=True
    )
    name = fields.Char(string="Number", compute="_compute_item", store=True, precompute=True)
    due_date = fields.Date(compute="_compute_item", store=True, precompute=True)
    amount = fields.Monetary(required=True)
    # Item and ledger as they were when the claim was made.
    residual_before = fields.Monetary(
        string="Open When Made", compute="_compute_item", store=True, precompute=True
    )
    # What was booked by then pays nothing of the claim, matched or not: zero where nobody knew,
    # and what was paid of the item by then is taken off instead.
    booked_before = fields.Integer(compute="_compute_item", store=True, precompute=True)
    settled_before = fields.Monetary(compute="_compute_item", store=True, precompute=True)
    amount_settled = fields.Monetary(
        string="Paid Since",
        compute="_compute_amount_settled",
        help="By money, or by a bill of the customer that was set off.",
    )
    residual = fields.Monetary(
        string="Still Open", related="move_line_id.amount_residual_currency", related_sudo=True
    )

    _positive = models.Constraint(
        "CHECK(amount > 0)", "The claimed amount of an item must be greater than zero."
    )

    @api.depends("move_line_id")
    def _compute_item(self):
        """The item as it is now; it stays so, since only the choice of the item is looked at."""
        last = self.env["ar.settlement"]._get_last_booked()
        # What is claimed is claimed of the ledger, whatever its reader may see.
        net = self.env["ar.position"]._get_net_residuals(self.move_line_id.sudo())
        for line in self:
            item = line.move_line_id.sudo()
            line.currency_id = item.currency_id
            line.name = item.move_name
            line.due_date = item.date_maturity or item.date
            # What credits pay that are there already is no part of the claim, if it can do without.
            residual, left = item.amount_residual_currency, net.get(item._origin.id, 0)
            line.residual_before = left if line.amount and line.amount <= left else residual
            line.booked_before = last
            line.settled_before = 0

    @api.depends("move_line_id")
    def _compute_customer_id(self):
        """The customer of the item; contacts that change hands are followed by the merge."""
        for line in self:
            line.customer_id = line.move_line_id.sudo().partner_id.commercial_partner_id

    @api.model
    def _get_name_in_parent(self):
        """The field of the parent that has the lines."""
        parent = self.env[self._fields[self._claim_parent].comodel_name]
        return next(
            name
            for name, field in parent._fields.items()
            if field.type == "one2many" and field.comodel_name == self._name
        )

    def _compute_amount_settled(self):
        settled = self._get_settled_since()
        for line in self:
            line.amount_settled = min(settled[line.id].paid, line.amount) if line.id else 0

    def _get_settled_since(self, last_days=None):
        """What came off the items of these lines since they were made.

        What was taken off an item without money, by a credit note for example, goes off the end
        of the claim: nobody has to pay more than what is left of the item.

        Whether it came in time is decided by the day of the money, not of the matching.

        :param last_days: ``{line: date}``, the last day on which a payment counts as paid
        :return: ``{line id: Settled}``, in the currency of each item
        """
        lines = self.filtered("id")
        last_days = last_days or {}
        settled = self._get_settled_by([(line.id, last_days.get(line)) for line in lines])
        return {
            id_: settled[id_, last_days.get(line)]
            for id_, line in zip(lines.ids, lines, strict=True)
        }

    @api.model
    def _get_settled_by(self, asked):
        """What came off the items of lines by some days, see ``_get_settled_since``.

        :param asked: ``[(line id, last day or None)]``
        :return: ``{(line id, last day or None): Settled}``
        """
        # The ledger says what was paid, whatever its reader may see.
        lines = {line.id: line for line in self.sudo().browse({id_ for id_, _last_day in asked})}
        keys = {
            (id_, last_day): (
                lines[id_].move_line_id.id or None,
                lines[id_]._get_first_day(),
                last_day,
                lines[id_].booked_before or 0,
            )
            for id_, last_day in asked
        }
        settled = self.env["ar.settlement"]._get_settled(keys.values())
        return {
            (id_, last_day): lines[id_]._get_share_of_claim(settled[key])
            for (id_, last_day), key in keys.items()
        }

    def _get_first_day(self):
        """The day from which money pays the claim, nothing for any that was booked since."""

    def _get_share_of_claim(self, settlement):
        """What of the claim is paid and void, a :class:`Settled`, when that came off its item."""

        def since(amount):
            # Differences of whole cents, without what computers leave over.
            return max(float_round(amount - self.settled_before, precision_digits=6), 0)

        left = float_round(self.amount - since(settlement.ever), precision_digits=6)
        return Settled(
            paid=since(settlement.in_time),
            void=max(float_round(left - settlement.residual, precision_digits=6), 0),
            last_on=settlement.last_on,
        )

    @api.constrains("move_line_id", "amount")
    def _check_item(self):
        for line in self:
            parent, item = line[self._claim_parent].sudo(), line.move_line_id.sudo()
            if not item:
                continue
            if not is_trade_receivable(item) or item.parent_state != "posted":
                raise ValidationError(
                    self.env._("%s is not an open item: choose posted receivables.", line.name)
                )
            if (
                item.partner_id.commercial_partner_id != parent.partner_id
                or item.company_id.root_id != parent.company_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(item)s is not an item of %(customer)s in %(company)s.",
                        item=line.name,
                        customer=parent.partner_id.display_name,
                        company=parent.company_id.display_name,
                    )
                )
            if line.currency_id.compare_amounts(line.amount, line.residual_before) > 0:
                raise ValidationError(
                    self.env._(
                        "Of %(item)s only %(residual)s is open.",
                        item=line.name,
                        residual=format_amount(self.env, line.residual_before, line.currency_id),
                    )
                )

    @api.model
    def _get_claim_models(self):
        """The models whose lines keep their items out of dunning, by name."""
        return [name for name in self._inherit_children if self.env[name]._claim_kind]

    @api.model
    def _get_all_claims_sql(self, date, current, partners):
        """``_get_claims_sql`` of all these models together."""
        lines = [self.env[name] for name in self._get_claim_models()]
        for line in lines:
            line.flush_model()
            self.env[line._fields[line._claim_parent].comodel_name].flush_model()
        return SQL(" UNION ALL ").join(
            [line._get_claims_sql(date, current, partners) for line in lines]
        )

    @api.model
    def _get_claims_sql(self, date, current, partners):
        """SELECT of ``line_id, kind, amount, residual_before`` of the claims that hold at a date.

        :param current: those that hold as things stand, whatever the date
        :param partners: of these customers only, or ``None`` for all
        """
        parent = self.env[self._fields[self._claim_parent].comodel_name]
        start = SQL.identifier("claim", self._claim_start)
        holds = SQL("%s IS NOT NULL AND claim.date_closed IS NULL", start)
        if not current:
            holds = SQL(
                "%s <= %s AND (claim.date_closed IS NULL OR claim.date_closed > %s)",
                start,
                date,
                date,
            )
        return SQL(
            """
            SELECT line.move_line_id AS line_id, %s AS kind, line.amount, %s AS residual_before
              FROM %s line
              JOIN %s claim ON claim.id = line.%s
             WHERE line.move_line_id IS NOT NULL AND %s AND %s %s
            """,
            self._claim_kind,
            SQL("line.residual_before") if self._claim_is_paid_first else SQL("NULL::numeric"),
            SQL.identifier(self._table),
            SQL.identifier(parent._table),
            SQL.identifier(self._claim_parent),
            holds,
            self._claim_holds_sql(),
            SQL()
            if partners is None
            else SQL("AND line.customer_id IN %s", tuple(partners.ids) or (0,)),
        )

    @api.model
    def _claim_holds_sql(self):
        """What else must be so for a claim to keep its item out of dunning."""
        return SQL("TRUE")
