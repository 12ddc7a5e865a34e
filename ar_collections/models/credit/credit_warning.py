"""Early warning: signals from the ledger, the customer's own rhythm among them."""

from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .credit_grade import TIERS


class Signal(NamedTuple):
    """Something measured; it gives a point for each threshold of the company that it is above."""

    name: str
    measure: SQL


# Days of delay that nobody calls a change of rhythm, whatever the spread.
_USUAL_SPREAD = SQL("GREATEST(file.late_spread, 3)")
# Days since the oldest due date to ask for; the file has those of the oldest item.
_DAYS_LATE = SQL("GREATEST(file.days_overdue - (file.demand_due - file.oldest_due), 0)")
SIGNALS = (
    # What may be asked for, and not what a payment on account has paid.
    Signal("overdue_days", _DAYS_LATE),
    # The same amount in months of the customer's own sales.
    Signal(
        "overdue_months",
        SQL(
            "CASE WHEN COALESCE(file.demand_amount, 0) <= 0 THEN 0"
            " ELSE file.demand_amount / GREATEST(file.avg_monthly_sales, 1) END"
        ),
    ),
    # Share of late payments in percent, when there were three at least.
    Signal(
        "late_share",
        SQL("CASE WHEN file.late_count >= 3 THEN 100 * (1 - file.on_time_share) ELSE 0 END"),
    ),
    Signal("broken_promises", SQL("file.broken_promises")),
    # How many of its usual spreads the customer is later than usual.
    Signal(
        "rhythm",
        SQL(
            "CASE WHEN %(late)s > 0 AND file.last_payment_date IS NOT NULL"
            " THEN (%(late)s - file.avg_days_late) / %(spread)s ELSE 0 END",
            late=_DAYS_LATE,
            spread=_USUAL_SPREAD,
        ),
    ),
)


class ArCreditWarning(models.AbstractModel):
    """Judges the signals of the day of all customers, and tells of those whose risk rises."""

    _name = "ar.credit.warning"
    _description = "Early Warning"

    @api.model
    def _refresh_warnings(self, company, date):
        """Judge all customers of the company in one statement; tell of those who rise.

        The first judgement of an old ledger tells nothing: everything would be new.
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
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
                points=SQL(" + ").join(
                    SQL("(%s)", points) for points in self._get_points_sql(company).values()
                ),
                company=company.id,
                medium=company.ar_warning_medium,
                high=company.ar_warning_high,
                date=date,
            )
        )
        changed = files.browse(id_ for id_, former, tier in rows if former != tier)
        files.invalidate_model(flush=False)
        if not changed:
            return
        former_tiers = self._read_former_risk_tiers(changed)
        self.env.add_to_compute(files._fields["risk_tier"], changed)
        changed.with_context(tracking_disable=True)._recompute_recordset(["risk_tier"])
        moved = changed.filtered(lambda file: file.risk_tier != former_tiers[file.id])
        if not moved:
            return
        moved._record_history(self.env._("Early warning"))
        moved._follow_risk_tier()
        judged_before = {id_ for id_, former, _tier in rows if former}
        self._notify_managers(
            moved.filtered(
                lambda file: (
                    file.id in judged_before
                    and TIERS.index(file.risk_tier) > TIERS.index(former_tiers[file.id] or "low")
                )
            ),
            company,
            date,
        )

    @api.model
    def _read_signals(self, files):
        """What is measured of the files: ``{file id: [(Signal, value, points)]}``."""
        files = files._origin
        if not files:
            return {}
        files.flush_model()
        signals = {}
        for company, company_files in files.sudo().grouped("company_id").items():
            points = self._get_points_sql(company)
            rows = self.env.execute_query(
                SQL(
                    "SELECT file.id, %s FROM ar_credit_file file WHERE file.id IN %s",
                    SQL(", ").join(
                        part
                        for signal in SIGNALS
                        for part in (
                            SQL("COALESCE(%s, 0)::float8", signal.measure),
                            points[signal.name],
                        )
                    ),
                    tuple(company_files.ids),
                )
            )
            for id_, *values in rows:
                signals[id_] = list(zip(SIGNALS, values[::2], values[1::2], strict=True))
        return signals

    @api.model
    def _get_points_sql(self, company):
        """The points of each signal, one per threshold of the company: ``{name: SQL}``."""
        thresholds = company.sudo()._ar_warning_thresholds()
        return {
            signal.name: SQL(" + ").join(
                SQL("(COALESCE(%s, 0) > %s)::int", signal.measure, threshold)
                for threshold in thresholds[signal.name]
            )
            if thresholds[signal.name]
            else SQL("0")
            for signal in SIGNALS
        }

    @api.model
    def _get_signal_text(self, name, value):
        """A signal as one reads it."""
        if name == "overdue_days":
            return self.env._("%.0f days overdue", value)
        if name == "overdue_months":
            return self.env._("%.1f months of sales overdue", value)
        if name == "late_share":
            return self.env._("%.0f %% of payments late", value)
        if name == "broken_promises":
            return self.env._("broken promises to pay: %.0f", value)
        return self.env._("late by %.1f times its usual spread", value)

    @api.model
    def _read_former_risk_tiers(self, files):
        """The risk tiers that are stored: ``{file id: tier}``."""
        return dict(
            self.env.execute_query(
                SQL("SELECT id, risk_tier FROM ar_credit_file WHERE id IN %s", tuple(files.ids))
            )
        )

    @api.model
    def _notify_managers(self, files, company, date):
        """One activity for the credit manager on each file whose risk rose."""
        tiers = dict(files._fields["risk_tier"]._description_selection(self.env))
        for file in files:
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
