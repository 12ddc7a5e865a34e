"""Early warning: signals from the ledger, the customer's own rhythm among them."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from .credit_grade import RISK_TIERS

TIERS = [tier for tier, _label in RISK_TIERS]
# Sum of points from which the risk is medium, and high.
MEDIUM, HIGH = 3, 6


class Signal(NamedTuple):
    """Something measured, and the values above which it gives 1, 2 and 3 points."""

    name: str
    measure: SQL
    thresholds: tuple


# Days of delay that nobody calls a change of rhythm, whatever the spread.
_USUAL_SPREAD = SQL("GREATEST(file.late_spread, 3)")
SIGNALS = (
    Signal("overdue_days", SQL("file.days_overdue"), (0, 30, 60)),
    # Overdue amount in months of the customer's own sales.
    Signal(
        "overdue_amount",
        SQL(
            "CASE WHEN file.overdue_amount <= 0 THEN 0"
            " ELSE file.overdue_amount / GREATEST(file.avg_monthly_sales, 1) END"
        ),
        (0.5, 1, 2),
    ),
    # Share of late payments, when there were three at least.
    Signal(
        "late_share",
        SQL("CASE WHEN file.late_count >= 3 THEN 1 - file.on_time_share ELSE 0 END"),
        (0.25, 0.5, 0.75),
    ),
    Signal("broken_promises", SQL("file.broken_promises * 2"), (0, 1, 3)),
    # How many of its usual spreads the customer is later than usual.
    Signal(
        "rhythm",
        SQL(
            "CASE WHEN file.days_overdue > 0 AND file.last_payment_date IS NOT NULL"
            " THEN (file.days_overdue - file.avg_days_late) / %s ELSE 0 END",
            _USUAL_SPREAD,
        ),
        (1, 2, 3),
    ),
)


class ArCreditFile(models.Model):
    """The risk tier: the grade's, or a higher one that the signals of the day give."""

    _inherit = "ar.credit.file"

    risk_tier = fields.Selection(
        RISK_TIERS, compute="_compute_risk_tier", store=True, index=True, tracking=True
    )
    broken_promises = fields.Integer(
        readonly=True, help="Promises to pay that were broken in the last 365 days."
    )
    warning_tier = fields.Selection(
        RISK_TIERS, string="Warning", readonly=True, index=True, help="What the signals say."
    )
    warning_points = fields.Integer(readonly=True, aggregator="max")
    warning_text = fields.Text(string="Signals", compute="_compute_warning_text")
    warning_summary = fields.Text(
        string="Signals in Short", compute="_compute_warning_text", help="For lists."
    )
    warning_since = fields.Date(readonly=True, help="Since when the warning is as it is.")

    @api.depends("grade_id.risk_tier", "warning_tier")
    def _compute_risk_tier(self):
        for file in self:
            tiers = [tier for tier in (file.grade_id.risk_tier, file.warning_tier) if tier]
            file.risk_tier = max(tiers, key=TIERS.index, default=False)

    @api.depends("warning_tier")
    def _compute_warning_text(self):
        signals = self._read_signals()
        for file in self:
            file.warning_text = "\n".join(
                self._signal_text(signal.name, value)
                for signal, value, points in signals.get(file.id, ())
                if points
            )
            file.warning_summary = file.warning_text.replace("\n", "; ")

    def _signal_text(self, name, value):
        if name == "overdue_days":
            return self.env._("%.0f days overdue", value)
        if name == "overdue_amount":
            return self.env._("%.1f months of sales overdue", value)
        if name == "late_share":
            return self.env._("%.0f %% of payments late", 100 * value)
        if name == "broken_promises":
            return self.env._("broken promises to pay: %.0f", value / 2)
        return self.env._("late by %.1f times its usual spread", value)

    @api.model
    def _points_sql(self, signal):
        """0 to 3 points: how many of its thresholds the signal is above."""
        return SQL(" + ").join(
            SQL("(COALESCE(%s, 0) > %s)::int", signal.measure, threshold)
            for threshold in signal.thresholds
        )

    def _read_signals(self):
        """``{file id: [(Signal, value, points)]}``"""
        ids = tuple(self._origin.ids)
        if not ids:
            return {}
        self.env["ar.credit.file"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT file.id, %s FROM ar_credit_file file WHERE file.id IN %s",
                SQL(", ").join(
                    part
                    for signal in SIGNALS
                    for part in (
                        SQL("COALESCE(%s, 0)::float8", signal.measure),
                        self._points_sql(signal),
                    )
                ),
                ids,
            )
        )
        return {
            id_: list(zip(SIGNALS, values[::2], values[1::2], strict=True)) for id_, *values in rows
        }

    @api.model
    def _refresh_warnings(self, company, date):
        """Judge all customers of the company in one statement; tell of those who rise.

        The first judgement of an old ledger tells nothing: everything would be new.
        """
        self.env["ar.credit.file"].flush_model()
        points = SQL(" + ").join(SQL("(%s)", self._points_sql(signal)) for signal in SIGNALS)
        rows = self.env.execute_query(
            SQL(
                """
            WITH judged AS (
                SELECT file.id, file.warning_tier AS former, %(points)s AS points
                  FROM ar_credit_file file
                 WHERE file.company_id = %(company)s
            ), fresh AS (
                SELECT id, former, points,
                       CASE WHEN points >= %(high)s THEN 'high'
                            WHEN points >= %(medium)s THEN 'medium' ELSE 'low' END AS tier
                  FROM judged
            )
            UPDATE ar_credit_file file
               SET warning_points = fresh.points, warning_tier = fresh.tier,
                   warning_since = CASE WHEN fresh.tier IS DISTINCT FROM fresh.former
                                        THEN %(date)s::date ELSE file.warning_since END
              FROM fresh
             WHERE fresh.id = file.id
               AND (file.warning_points, file.warning_tier)
                   IS DISTINCT FROM (fresh.points, fresh.tier::varchar)
         RETURNING file.id, fresh.former, fresh.tier
            """,
                points=points,
                company=company.id,
                medium=MEDIUM,
                high=HIGH,
                date=date,
            )
        )
        changed = self.browse(id_ for id_, former, tier in rows if former != tier)
        self.env["ar.credit.file"].invalidate_model(flush=False)
        if not changed:
            return
        former_tiers = dict(changed._former_risk_tiers())
        self.env.add_to_compute(self._fields["risk_tier"], changed)
        changed.with_context(tracking_disable=True)._recompute_recordset(["risk_tier"])
        moved = changed.filtered(lambda file: file.risk_tier != former_tiers[file.id])
        if not moved:
            return
        moved._record_history(self.env._("Early warning"))
        self.env["ar.collection.case"]._match_policies(moved)
        judged_before = {id_ for id_, former, _tier in rows if former}
        moved.filtered(
            lambda file: (
                file.id in judged_before
                and TIERS.index(file.risk_tier) > TIERS.index(former_tiers[file.id] or "low")
            )
        )._warn(company, date)

    def _former_risk_tiers(self):
        self.env.cr.execute(
            SQL("SELECT id, risk_tier FROM ar_credit_file WHERE id IN %s", tuple(self.ids))
        )
        return self.env.cr.fetchall()

    def _warn(self, company, date):
        """One activity for the credit manager on each file whose risk rose."""
        tiers = dict(self._fields["risk_tier"]._description_selection(self.env))
        for file in self:
            user = company._ar_credit_manager(file)
            if user:
                file.activity_unlink(["ar_collections.activity_risk"])
                file.activity_schedule(
                    "ar_collections.activity_risk",
                    date,
                    summary=self.env._("Credit risk rose to %s", tiers[file.risk_tier]),
                    note=file.warning_text.replace("\n", "<br/>"),
                    user_id=user.id,
                )
