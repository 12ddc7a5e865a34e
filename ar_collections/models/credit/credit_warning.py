"""Early warning: signals from the ledger, the customer's own rhythm among them."""

from odoo import api, models
from odoo.tools import SQL, format_date

from .credit_grade import TIERS

# Days since the oldest due date to ask for; the file has those of the oldest item.
_DAYS_LATE = SQL("GREATEST(file.days_overdue - (file.demand_due - file.oldest_due), 0)")


class ArCreditWarning(models.AbstractModel):
    """Judges the signals of the day of all customers, and tells of those whose risk rises.

    What a signal measures is a method ``_measure_<signal>`` that gets the thresholds of the
    company, and returns SQL about ``ar_credit_file file``.
    """

    _name = "ar.credit.warning"
    _description = "Early Warning"

    # Signals

    def _measure_overdue_days(self, _scheme):
        """What may be asked for, and not what a payment on account has paid."""
        return _DAYS_LATE

    def _measure_overdue_months(self, scheme):
        """What is asked for in months of the customer's own sales, once it is later than usual."""
        return SQL(
            "CASE WHEN COALESCE(file.demand_amount, 0) <= 0 OR %s <= 1 THEN 0"
            " ELSE file.demand_amount / GREATEST(file.avg_monthly_sales, 1) END",
            self._get_spreads_sql(scheme, SQL("COALESCE(file.avg_days_late, 0)")),
        )

    def _measure_rhythm(self, scheme):
        """How many of its usual spreads a customer who has paid before is later than usual."""
        return SQL(
            "CASE WHEN %s > 0 AND file.last_payment_date IS NOT NULL THEN %s ELSE 0 END",
            _DAYS_LATE,
            self._get_spreads_sql(scheme, SQL("file.avg_days_late")),
        )

    def _measure_usual_delay(self, _scheme):
        """How late the customer pays on average, weighted by amount."""
        return SQL("CASE WHEN file.late_count >= 3 THEN GREATEST(file.avg_days_late, 0) ELSE 0 END")

    def _measure_late_share(self, _scheme):
        """Share of late payments in percent, when there were three at least."""
        return SQL("CASE WHEN file.late_count >= 3 THEN 100 * (1 - file.on_time_share) ELSE 0 END")

    def _measure_broken_promises(self, _scheme):
        return SQL("file.broken_promises")

    @api.model
    def _get_spreads_sql(self, scheme, usual):
        return SQL(
            "(%s - %s) / GREATEST(file.late_spread, %s)", _DAYS_LATE, usual, scheme.least_spread
        )

    # The day

    @api.model
    def _refresh_warnings(self, company, date):
        """Judge all customers of the company in one statement; tell of those who rise.

        A tier rises at once, and falls when its signals have been gone for the days of the
        company. The first judgement of an old ledger tells nothing: everything would be new.
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
        scheme = self.env["ar.credit.warning.scheme"]._get_scheme(company)
        rows = self.env.execute_query(
            SQL(
                """
            WITH judged AS (
                SELECT file.id, file.warning_tier AS former, signal.points, signal.tier,
                       CASE WHEN ARRAY_POSITION(%(tiers)s, signal.tier)
                               < ARRAY_POSITION(%(tiers)s, file.warning_tier::text)
                            THEN COALESCE(file.warning_calm_since, %(date)s) END AS calm_since,
                       CASE WHEN file.last_payment_date IS NULL THEN NULL
                            WHEN %(late)s > 0 THEN %(late)s - file.avg_days_late
                            ELSE 0 END AS beyond
                  FROM ar_credit_file file
                 CROSS JOIN LATERAL (%(signal)s) signal
                 WHERE file.company_id = %(company)s
            ), fresh AS (
                SELECT id, former, points, beyond, held.is_held,
                       CASE WHEN held.is_held THEN former ELSE tier END AS tier,
                       CASE WHEN held.is_held THEN calm_since END AS calm_since
                  FROM judged
                 CROSS JOIN LATERAL (
                    SELECT COALESCE(%(date)s - calm_since < %(calm_days)s, FALSE) AS is_held
                 ) held
            )
            UPDATE ar_credit_file file
               SET warning_points = fresh.points, warning_tier = fresh.tier,
                   warning_calm_since = fresh.calm_since, days_beyond_usual = fresh.beyond,
                   warning_since = CASE WHEN fresh.tier IS DISTINCT FROM fresh.former
                                        THEN %(date)s ELSE file.warning_since END
              FROM fresh
             WHERE fresh.id = file.id
               AND (file.warning_points, file.warning_tier, file.warning_calm_since,
                    file.days_beyond_usual)
                   IS DISTINCT FROM
                   (fresh.points, fresh.tier::varchar, fresh.calm_since, fresh.beyond)
         RETURNING file.id, fresh.former, fresh.tier
            """,
                tiers=TIERS,
                signal=self._get_signal_sql(scheme),
                late=_DAYS_LATE,
                company=company.id,
                calm_days=scheme.calm_days,
                date=SQL("%s::date", date),
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
        moved._follow_risk_tier()
        moved._record_history(self.env._("Early warning"))
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
    def _get_signal_sql(self, scheme):
        """SELECT of ``points, tier`` of an ``ar_credit_file file`` by these thresholds."""
        return SQL(
            """
            SELECT total.points, CASE WHEN total.points >= %(high)s THEN 'high'
                                    WHEN total.points >= %(medium)s THEN 'medium'
                                    ELSE 'low' END AS tier
              FROM (SELECT %(points)s AS points) total
            """,
            points=SQL(" + ").join(
                (SQL("0"), *(points for _measure, points in self._get_points_sql(scheme).values()))
            ),
            medium=scheme.medium_from,
            high=scheme.high_from,
        )

    @api.model
    def _get_points_sql(self, scheme):
        """What each signal of these thresholds measures, and its points: ``{name: (SQL, SQL)}``."""
        measures = {}
        for signal, rules in scheme.rule_ids.grouped("signal").items():
            if not signal:
                continue
            measure = SQL("COALESCE(%s, 0)", getattr(self, f"_measure_{signal}")(scheme))
            measures[signal] = (
                measure,
                SQL(" + ").join(
                    SQL(
                        "CASE WHEN %s > %s THEN %s ELSE 0 END", measure, rule.threshold, rule.points
                    )
                    for rule in rules
                ),
            )
        return measures

    @api.model
    def _get_distribution(self, scheme):
        """How many customers have each warning, and would have by these thresholds.

        :return: ``{tier: (customers now, customers then)}``; not judged yet counts for then alone
        """
        files = self.env["ar.credit.file"]
        files.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT file.warning_tier, signal.tier, COUNT(*)
                  FROM ar_credit_file file
                 CROSS JOIN LATERAL (%s) signal
                 WHERE file.company_id = %s
                 GROUP BY file.warning_tier, signal.tier
                """,
                self._get_signal_sql(scheme),
                scheme.company_id.id,
            )
        )
        return {
            tier: (
                sum(count for now, _then, count in rows if now == tier),
                sum(count for _now, then, count in rows if then == tier),
            )
            for tier in TIERS
        }

    @api.model
    def _write_texts(self, files):
        """What gave points, in words: for the form, and in one line for lists."""
        signals = self._read_signals(files)
        for file in files:
            texts = [
                self._get_signal_text(name, value)
                for name, value, points in signals.get(file._origin.id, ())
                if points
            ]
            if file.warning_calm_since:
                texts.append(
                    self.env._(
                        "less than that since %s; the warning stays for some days",
                        format_date(self.env, file.warning_calm_since),
                    )
                )
            file.warning_text = "\n".join(texts)
            file.warning_summary = "; ".join(texts)

    @api.model
    def _read_signals(self, files):
        """What is measured of the files: ``{file id: [(signal, value, points)]}``."""
        files = files._origin
        if not files:
            return {}
        files.flush_model()
        signals = {}
        for company, company_files in files.sudo().grouped("company_id").items():
            measures = self._get_points_sql(
                self.env["ar.credit.warning.scheme"]._get_scheme(company)
            )
            rows = self.env.execute_query(
                SQL(
                    "SELECT file.id%s FROM ar_credit_file file WHERE file.id IN %s",
                    SQL().join(
                        SQL(", %s::float8, %s", measure, points)
                        for measure, points in measures.values()
                    ),
                    tuple(company_files.ids),
                )
            )
            for id_, *values in rows:
                signals[id_] = list(zip(measures, values[::2], values[1::2], strict=True))
        return signals

    @api.model
    def _get_signal_text(self, name, value):
        """A signal as one reads it."""
        if name == "overdue_days":
            return self.env._("%.0f days overdue", value)
        if name == "overdue_months":
            return self.env._("%.1f months of sales overdue", value)
        if name == "usual_delay":
            return self.env._("pays %.0f days late on average", value)
        if name == "late_share":
            return self.env._("%.0f %% of payments late", value)
        if name == "broken_promises":
            return self.env._("broken promises to pay: %.0f", value)
        if name == "rhythm":
            return self.env._("late by %.1f times its usual spread", value)
        labels = self.env["ar.credit.warning.rule"]._fields["signal"]._description_selection
        return f"{dict(labels(self.env))[name]}: {value:.1f}"

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
