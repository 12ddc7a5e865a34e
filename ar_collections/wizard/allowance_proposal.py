from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from ..models.credit.credit_grade import RISK_TIERS

MANAGER = "ar_collections.group_credit_manager"
# Pairs of months that a roll rate needs at least.
LEAST_PAIRS = 3


def chain(rolls, loss):
    """Loss rates by bucket, from the rate at which each bucket rolls into the next one.

    :param rolls: share of bucket ``i`` that reaches bucket ``i + 1``, or ``None`` when unknown
    :param loss: share that is lost of what reaches the last bucket
    :return: one rate per bucket, the last one included; ``None`` where the chain is broken

    >>> chain([0.5, 0.5], 0.8)
    [0.2, 0.4, 0.8]
    """
    rates = [loss]
    for roll in reversed(rolls):
        rates.insert(0, None if roll is None or rates[0] is None else roll * rates[0])
    return rates


class ArAllowanceProposal(models.TransientModel):
    """Loss rates out of the company's own month-end snapshots.

    Roll rate = balance of the next bucket one month later / balance of the bucket; the default
    rate is their product up to the last bucket, the loss rate that times the gross loss rate
    (loan loss forecasting by roll rates, as in Oracle LLFP; field notes "Roll rate"). A customer's
    debts that are in both buckets count at most once. A bucket wider than a month is compared
    with the next one after as many months as nothing stays in it.
    """

    _name = "ar.allowance.proposal"
    _description = "Proposed Allowance Rates"

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company.root_id
    )
    date = fields.Date(
        string="Last Month",
        required=True,
        default=lambda self: self.env["ar.allowance.run"]._default_date(),
    )
    months = fields.Integer(default=12, required=True)
    loss = fields.Float(
        string="Lost of the Last Bucket",
        default=1.0,
        required=True,
        help="The share that is never paid of what reaches the last bucket.",
    )
    reason = fields.Char(help="Why the proposed rates become those of the matrix.")
    line_ids = fields.One2many("ar.allowance.proposal.line", "proposal_id")
    has_choice = fields.Boolean(compute="_compute_has_choice")

    _loss = models.Constraint("CHECK(loss >= 0 AND loss <= 1)", "The loss is from 0 to 100 %.")
    _months = models.Constraint("CHECK(months BETWEEN 1 AND 120)", "Choose from 1 to 120 months.")

    @api.depends_context("lang")
    def _compute_display_name(self):
        self.display_name = self.env._("Rates from Own History")

    @api.depends("line_ids.is_chosen")
    def _compute_has_choice(self):
        for wizard in self:
            wizard.has_choice = any(wizard.line_ids.mapped("is_chosen"))

    @api.model
    def action_open(self):
        """The proposal out of the last twelve months."""
        self._check_manager()
        wizard = self.create({})
        wizard.action_compute()
        return wizard._get_window()

    def action_compute(self):
        """Compute the roll rates and what follows from them."""
        self.ensure_one()
        self._check_manager()
        # What was computed is what is taken over: nobody writes or removes it by hand.
        self.line_ids.sudo().unlink()
        cells = self.env["ar.allowance.rate"]._get_matrix(self.company_id)
        cells = {(cell.risk_tier, cell.bucket_id): cell for cell in cells}
        buckets = self.env["ar.ageing.bucket"]._get_buckets(self.company_id)
        rolled = self._get_rolled(buckets)
        values = []
        for tier, _label in RISK_TIERS:
            steps = [rolled.get((tier, bucket.id)) for bucket in buckets[:-1]]
            rolls = [
                step[2] / step[1] if step and step[0] >= LEAST_PAIRS and step[1] else None
                for step in steps
            ]
            rates = chain(rolls, self.loss)
            for index, bucket in enumerate(buckets):
                step = steps[index] if index < len(steps) else None
                known = rates[index] is not None and (
                    index < len(steps) or any(roll is not None for roll in rolls)
                )
                values.append(
                    {
                        "proposal_id": self.id,
                        "rate_id": cells[tier, bucket].id,
                        "pairs": step[0] if step else 0,
                        "balance": step[1] if step else 0,
                        "rolled": step[2] if step else 0,
                        "roll_rate": rolls[index] or 0 if index < len(rolls) else self.loss,
                        "is_known": known,
                        "proposed_rate": rates[index] if known else 0,
                        "calculation": self._get_calculation(rolls[index:]) if known else False,
                    }
                )
        self.env["ar.allowance.proposal.line"].sudo().create(values)
        return self._get_window()

    def _get_calculation(self, rolls):
        return " × ".join(f"{100 * factor:.1f} %" for factor in (*rolls, self.loss))

    def _get_rolled(self, buckets):
        """``{(tier, bucket id): (pairs of months, balance, what of it rolled on)}``."""
        first = self.date - relativedelta(months=self.months)
        steps = SQL(", ").join(
            SQL("(%s, %s, %s)", bucket.id, following.id, bucket._get_whole_months())
            for bucket, following in zip(buckets, buckets[1:], strict=False)
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH month AS (
                    SELECT DISTINCT date FROM ar_ageing_snapshot WHERE company_id = %(company)s
                ), pair AS (
                    SELECT step.*, month.date AS start, later.date AS stop
                      FROM (VALUES %(steps)s) AS step(bucket_id, next_id, months)
                      JOIN month ON month.date BETWEEN %(first)s AND %(last)s
                      JOIN month later ON later.date <= %(last)s
                       AND later.date = (month.date + INTERVAL '1 day'
                           + MAKE_INTERVAL(months => step.months) - INTERVAL '1 day')::date
                )
                SELECT before.risk_tier, pair.bucket_id, COUNT(DISTINCT pair.start),
                       SUM(amount.before)::float8,
                       SUM(LEAST(amount.before, amount.after))::float8
                  FROM pair
                  JOIN ar_ageing_snapshot before
                    ON before.company_id = %(company)s AND before.date = pair.start
                  LEFT JOIN ar_ageing_snapshot after
                    ON after.company_id = %(company)s AND after.date = pair.stop
                   AND after.partner_id = before.partner_id
                 CROSS JOIN LATERAL (
                    SELECT (before.buckets ->> pair.bucket_id::text)::numeric AS before,
                           COALESCE((after.buckets ->> pair.next_id::text)::numeric, 0) AS after
                 ) amount
                 WHERE amount.before > 0
                 GROUP BY before.risk_tier, pair.bucket_id
                """,
                company=self.company_id.id,
                steps=steps,
                first=first,
                last=self.date,
            )
        )
        return {(tier, bucket_id): tuple(values) for tier, bucket_id, *values in rows}

    def action_apply(self):
        """Take the chosen rates over into the matrix, each with its calculation."""
        self.ensure_one()
        self._check_manager()
        chosen = self.line_ids.filtered(lambda line: line.is_chosen and line.is_known)
        if not chosen:
            raise UserError(self.env._("Choose the rates to take over first."))
        if not (self.reason or "").strip():
            raise UserError(self.env._("Write down why these rates are taken over."))
        for line in chosen:
            line.rate_id.rate = line.proposed_rate
        chosen.rate_id._message_log_batch(
            {
                line.rate_id.id: self.env._(
                    "From own roll rates of %(months)s months to %(date)s: %(calculation)s. "
                    "%(reason)s",
                    months=self.months,
                    date=format_date(self.env, self.date),
                    calculation=line.calculation,
                    reason=self.reason.strip(),
                )
                for line in chosen
            }
        )
        return self.env["ar.allowance.rate"].action_open_matrix()

    def _check_manager(self):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Allowance rates are set by a credit manager."))

    def _get_window(self):
        return {
            "type": "ir.actions.act_window",
            "name": self._description,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "current",
        }


class ArAllowanceProposalLine(models.TransientModel):
    _name = "ar.allowance.proposal.line"
    _inherit = ["ar.readonly.mixin"]
    _description = "Proposed Allowance Rate"
    _order = "id"

    proposal_id = fields.Many2one("ar.allowance.proposal", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="proposal_id.company_id.currency_id")
    rate_id = fields.Many2one("ar.allowance.rate", required=True, readonly=True, ondelete="cascade")
    risk_tier = fields.Selection(related="rate_id.risk_tier")
    bucket_id = fields.Many2one(related="rate_id.bucket_id")
    current_rate = fields.Float(related="rate_id.rate", string="Rate Now")
    pairs = fields.Integer(string="Months Compared", readonly=True)
    balance = fields.Monetary(string="Was in the Bucket", readonly=True)
    rolled = fields.Monetary(string="Reached the Next One", readonly=True)
    roll_rate = fields.Float(readonly=True)
    is_known = fields.Boolean(readonly=True)
    calculation = fields.Char(readonly=True)
    proposed_rate = fields.Float(readonly=True)
    is_chosen = fields.Boolean(string="Take Over")
