from odoo import SUPERUSER_ID, Command, api
from odoo.tools import SQL

# Signal -> its thresholds as they were shipped, one point each.
SHIPPED = {
    "overdue_days": "0, 30, 60",
    "overdue_months": "0.5, 1, 2",
    "late_share": "25, 50, 75",
    "broken_promises": "0, 0, 1",
    "rhythm": "1, 2, 3",
}
POINTS = {"medium": 3, "high": 6}


def migrate(cr, version):
    """Thresholds that a company had changed become its own; all others get the calibrated ones.

    Snapshots of months before the customer's history began carried the risk of the day on which
    they were taken.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    columns = [f"ar_warning_{name}" for name in (*SHIPPED, *POINTS)]
    rows = env.execute_query(
        SQL(
            "SELECT id, %s FROM res_company WHERE parent_id IS NULL",
            SQL(", ").join(map(SQL.identifier, columns)),
        )
    )
    for company_id, *values in rows:
        if values == [*SHIPPED.values(), *POINTS.values()]:
            continue
        *texts, medium, high = values
        thresholds = [
            (signal, float(value))
            for signal, text in zip(SHIPPED, texts, strict=True)
            for value in (text or "").split(",")
            if value.strip()
        ]
        env["ar.credit.warning.scheme"].create(
            {
                "company_id": company_id,
                "medium_from": medium,
                "high_from": high,
                "rule_ids": [
                    Command.create(
                        {
                            "signal": signal,
                            "threshold": threshold,
                            "points": thresholds.count((signal, threshold)),
                        }
                    )
                    for signal, threshold in sorted(set(thresholds))
                ],
            }
        )
    cr.execute(
        """
        UPDATE ar_ageing_snapshot snapshot SET risk_tier = 'unknown', grade_id = NULL
         WHERE NOT EXISTS (
            SELECT FROM ar_credit_history history
             WHERE history.company_id = snapshot.company_id
               AND history.partner_id = snapshot.partner_id
               AND history.date < snapshot.date + 1)
        """
    )
    env.invalidate_all()
