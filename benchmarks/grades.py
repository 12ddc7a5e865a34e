"""Do grades order later payment, and what does scoring cost.

The ledger is put back by 90 days, all customers are scored and warned of as they stood then, and
what they went on to pay late is set against their grades and risk tiers. Runs on the database of
``run_cycle`` or any other and keeps nothing: everything is rolled back.
"""

import argparse
import time
from datetime import date, timedelta

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

from workspace.session import open_session

WINDOW = 90
LATE = 30

#: one row a customer: what fell due until 30 days before the window ends, and how much of it was
#: unpaid 30 days after its due date
OUTCOME = """
SELECT move.commercial_partner_id, SUM(line.balance) AS due,
       COALESCE(SUM(line.balance) FILTER (
           WHERE NOT line.reconciled OR paid.day > line.date_maturity + %(late)s), 0) AS late
  FROM account_move_line line
  JOIN account_move move ON move.id = line.move_id
  JOIN account_account account ON account.id = line.account_id
  LEFT JOIN LATERAL (
    SELECT MAX(max_date) AS day FROM account_partial_reconcile WHERE debit_move_id = line.id
  ) paid ON TRUE
 WHERE account.account_type = 'asset_receivable' AND line.parent_state = 'posted'
   AND move.move_type = 'out_invoice' AND line.company_id = %(company)s
   AND line.date_maturity <= %(end)s::date - %(late)s
   AND (line.date > %(day)s OR NOT line.reconciled OR paid.day > %(day)s)
 GROUP BY move.commercial_partner_id
"""

#: what happened after a day has not happened
REWIND = (
    """
    CREATE TEMP TABLE undone ON COMMIT DROP AS
    SELECT id, debit_move_id, credit_move_id, amount,
           debit_amount_currency, credit_amount_currency
      FROM account_partial_reconcile WHERE max_date > %(day)s
    """,
    "DELETE FROM account_partial_reconcile WHERE id IN (SELECT id FROM undone)",
    """
    UPDATE account_move_line line
       SET amount_residual = amount_residual + undone.amount,
           amount_residual_currency = amount_residual_currency + undone.in_currency,
           reconciled = FALSE, full_reconcile_id = NULL
      FROM (
        SELECT id, SUM(amount) AS amount, SUM(in_currency) AS in_currency
          FROM (
            SELECT debit_move_id AS id, amount, debit_amount_currency AS in_currency FROM undone
            UNION ALL
            SELECT credit_move_id, -amount, -credit_amount_currency FROM undone
          ) side GROUP BY id
      ) undone
     WHERE undone.id = line.id
    """,
    "UPDATE account_move SET state = 'cancel' WHERE date > %(day)s",
    "UPDATE account_move_line SET parent_state = 'cancel' WHERE date > %(day)s",
    "ANALYZE account_move_line",
)

SHARES = """
SELECT COALESCE(label, '-'), COUNT(*), SUM(due), SUM(late), SUM(late) / NULLIF(SUM(due), 0)
  FROM (SELECT %(label)s AS label, %(rank)s AS rank, outcome.due, outcome.late
          FROM ar_credit_file file
          LEFT JOIN ar_credit_grade grade ON grade.id = file.score_grade_id
          LEFT JOIN outcome ON outcome.commercial_partner_id = file.partner_id
         WHERE file.company_id = %(company)s) judged
 GROUP BY label, rank ORDER BY rank
"""


def show_shares(cr, title, label, rank, company):
    cr.execute(SQL(SHARES, label=SQL(label), rank=SQL(rank), company=company.id))
    print(f"\n| {title} | customers | fell due | late by more than {LATE} days | share |")
    print("|---|---|---|---|---|")
    for name, count, due, late, share in cr.fetchall():
        text = "-" if share is None else f"{share:.1%}"
        print(f"| {name} | {count} | {due or 0:,.0f} | {late or 0:,.0f} | {text} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="bench_small")
    options = parser.parse_args()
    with open_session():
        config.parse_config(["-d", options.db, "--log-level=error"])
        with Registry(options.db).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            sold = [("move_type", "=", "out_invoice"), ("state", "=", "posted")]
            ((company, _count),) = env["account.move"]._read_group(
                sold, ["company_id"], ["__count"], order="__count DESC", limit=1
            )
            day = date.today() - timedelta(days=WINDOW)
            values = {"day": day, "late": LATE, "end": date.today(), "company": company.id}
            cr.execute(SQL("CREATE TEMP TABLE outcome ON COMMIT DROP AS " + OUTCOME, **values))
            for statement in REWIND:
                cr.execute(SQL(statement, **values))
            refresh, scoring = env["ar.credit.refresh"], env["ar.credit.scoring"]
            cr.execute("UPDATE res_company SET ar_behaviour_date = NULL")
            env.invalidate_all()
            refresh._refresh_figures(company, day)
            refresh._make_files(company, SQL("SELECT commercial_partner_id AS id FROM outcome"))
            refresh._refresh_behaviour(company, day)
            env.flush_all()
            env.invalidate_all()
            queries, start = cr.sql_log_count, time.perf_counter()
            scoring._score_again(company, day)
            env.flush_all()
            seconds, queries = time.perf_counter() - start, cr.sql_log_count - queries
            env["ar.credit.warning"]._refresh_warnings(company, day)
            env.flush_all()
            count = env["ar.credit.file"].search_count([("company_id", "=", company.id)])
            print(f"scoring {count} files: {seconds:.2f} s, {queries} queries")
            show_shares(cr, "grade", "grade.code", "grade.sequence", company)
            tiers = "ARRAY_POSITION(ARRAY['low', 'medium', 'high'], file.risk_tier::text)"
            show_shares(cr, "risk tier", "file.risk_tier", tiers, company)
            cr.rollback()


if __name__ == "__main__":
    main()
