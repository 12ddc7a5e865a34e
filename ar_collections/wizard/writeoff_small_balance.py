from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from ..models.common.amount_scale import scale
from ..models.writeoff.writeoff_request import WAITING

BATCH = 1000


class ArWriteoffSmallBalance(models.TransientModel):
    """One request per currency over all balances that are not worth a reminder, or a refund."""

    _name = "ar.writeoff.small.balance"
    _description = "Write Off Small Balances"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("small", "What customers owe"), ("credit", "What customers have too much")],
        string="Balances",
        default="small",
        required=True,
    )
    amount_max = fields.Monetary(
        string="Open Amount Up To",
        default=lambda self: scale(5, self.env.company.root_id.ar_amount_factor),
        required=True,
        help="Of each item; items in other currencies by today's rate.",
    )
    older_than = fields.Integer(
        string="Open for at Least (days)",
        default=90,
        required=True,
        help="Since it fell due; credits since they were booked.",
    )
    reason_id = fields.Many2one(
        "ar.writeoff.reason",
        compute="_compute_reason_id",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    item_count = fields.Integer(string="Items", compute="_compute_found")
    amount_total = fields.Monetary(string="Total", compute="_compute_found")

    _amount = models.Constraint("CHECK(amount_max > 0)", "Small balances are above zero.")

    @api.depends("kind", "company_id")
    def _compute_reason_id(self):
        for wizard in self:
            wizard.reason_id = self.env["ar.writeoff.reason"]._get_proposed(
                wizard.company_id, wizard.kind
            )

    @api.depends("kind", "company_id", "amount_max", "older_than")
    def _compute_found(self):
        for wizard in self:
            rows = wizard._find_balances() if wizard.amount_max > 0 and wizard.company_id else []
            wizard.item_count = len(rows)
            wizard.amount_total = sum(row[2] for row in rows)

    def _find_balances(self):
        """Rows of ``(currency id, item id, amount in company currency)``, ready for requests.

        A credit is what a customer has too much when nothing is owed.
        """
        self.check_access("read")
        company = self.company_id.root_id
        if company not in self.env.companies.root_id:
            raise UserError(self.env._("Switch to %s first.", company.display_name))
        today = company._ar_today()
        currencies = self.env["res.currency"].search([("active", "=", True)])
        limits = {
            currency: company.currency_id._convert(self.amount_max, currency, company, today)
            for currency in currencies
        }
        position = self.env["ar.position"]
        self.env["ar.writeoff.request.line"].flush_model()
        return self.env.execute_query(
            SQL(
                """
            SELECT item.currency_id, item.line_id, ABS(item.residual)::float8
              FROM (
                SELECT item.*, BOOL_OR(residual > 0) OVER (
                           PARTITION BY root_id, partner_id) AS is_owing
                  FROM (%(items)s) item
              ) item
              JOIN (VALUES %(limits)s) AS small(currency_id, amount)
                ON small.currency_id = item.currency_id
             WHERE %(condition)s
               AND ABS(item.residual_currency) <= small.amount AND item.due <= %(last_day)s
               AND NOT EXISTS (
                SELECT FROM ar_writeoff_request_line line
                 WHERE line.move_line_id = item.line_id AND line.state IN %(waiting)s)
             ORDER BY item.currency_id, item.due, item.line_id
            """,
                condition=self._get_condition_sql(),
                items=position._claimed_items_sql(company, today, current=True),
                limits=SQL(", ").join(
                    SQL("(%s, %s::numeric)", currency.id, limit)
                    for currency, limit in limits.items()
                ),
                last_day=today - timedelta(days=self.older_than),
                waiting=WAITING,
            )
        )

    def _get_condition_sql(self):
        if self.kind == "credit":
            return SQL(
                "item.residual < 0 AND NOT item.is_owing AND item.partner_id NOT IN %s",
                tuple(self.env["ar.position"]._get_insiders().ids) or (0,),
            )
        return SQL("item.residual > 0 AND item.followup AND item.claimed = 0 AND item.credit = 0")

    def _get_note(self, currency):
        values = {
            "amount": self.currency_id._convert(
                self.amount_max, currency, self.company_id, self.company_id._ar_today()
            ),
            "currency": currency.name,
            "days": self.older_than,
        }
        if self.kind == "credit":
            return self.env._(
                "Credits up to %(amount)s %(currency)s each, open for %(days)s days.", **values
            )
        return self.env._(
            "Balances up to %(amount)s %(currency)s each, overdue for %(days)s days.", **values
        )

    def action_create(self):
        """Make the requests, ready to be submitted.

        :raises UserError: no item is small and old enough
        """
        self.ensure_one()
        by_currency = {}
        for currency_id, line_id, _residual in self._find_balances():
            by_currency.setdefault(currency_id, []).append(line_id)
        if not by_currency:
            raise UserError(self.env._("No open item is that small and that old."))
        requests = self.env["ar.writeoff.request"]
        for currency_id, line_ids in by_currency.items():
            currency = self.env["res.currency"].browse(currency_id)
            request = requests.create(
                {
                    "company_id": self.company_id.id,
                    "kind": self.kind,
                    "reason_id": self.reason_id.id,
                    "note": self._get_note(currency),
                }
            )
            requests |= request
            for ids in split_every(BATCH, line_ids):
                self.env["ar.writeoff.request.line"].create(
                    [{"request_id": request.id, "move_line_id": id_} for id_ in ids]
                )
                self.env.flush_all()
                self.env.invalidate_all(flush=False)
            self.env["ar.writeoff.assessment"]._assess_risk(request)
        return requests._get_records_action(name=self.env._("Small Balances"))
