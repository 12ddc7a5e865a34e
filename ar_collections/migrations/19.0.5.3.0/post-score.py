"""Scores count what is unpaid: figures, criteria and knock-out rules for ledgers in use."""

from odoo import SUPERUSER_ID, api
from odoo.tools import convert_file

# Criterion of the card as it was shipped -> its weight then and now.
WEIGHTS = {
    "avg_days_late": (16, 10),
    "on_time_share": (9, 6),
    "late_count": (5, 3),
    "max_days_late": (7, 5),
    "broken_promises": (8, 5),
    "site_visit": (5, 5),
    "limit_use": (5, 4),
    "sales_trend": (6, 4),
    "years_trading": (5, 4),
    "current_ratio": (8, 7),
    "debt_ratio": (8, 7),
    "profit_margin": (6, 6),
    "bureau_rating": (8, 8),
    "industry_outlook": (4, 4),
}
GRADES = ("d", "e")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.flush_all()
    _forget_zeros(cr)
    env.invalidate_all(flush=False)
    for company in env["res.company"].search([("parent_id", "=", False)]):
        date = company._ar_get_run_date()
        env["ar.credit.refresh"]._refresh_figures(company, date)
        env["ar.credit.refresh"]._adopt_behaviour(company, date)
    if all(_find(env, "credit_grade", grade) for grade in GRADES):
        _load(env, "credit_knockout")
        _load(env, "collection_knockout")
    criteria = {name: _find(env, "credit_criterion", name) for name in WEIGHTS}
    if _is_shipped(env, criteria):
        for name, criterion in criteria.items():
            criterion.weight = WEIGHTS[name][1]
        _load(env, "credit_criterion_arrears")


def _forget_zeros(cr):
    """A score of zero stood for no score as well."""
    cr.execute("UPDATE ar_credit_file SET score = NULL WHERE score_date IS NULL")
    cr.execute("UPDATE ar_credit_review SET score = NULL WHERE COALESCE(coverage, 0) = 0")
    for table in ("ar_credit_file", "ar_credit_review"):
        for name in ("ability_score", "willingness_score"):
            cr.execute(f"UPDATE {table} SET {name} = NULL WHERE score IS NULL AND {name} = 0")
    cr.execute("UPDATE ar_credit_history SET score = NULL WHERE score = 0")


def _is_shipped(env, criteria):
    """Whether nobody has made the scorecard their own: then the new criteria join it."""
    if not all(criteria.values()):
        return False
    shipped = env["ar.credit.criterion"].union(*criteria.values())
    return (
        set(env["ar.credit.criterion"].search([])) == set(shipped)
        and all(criteria[name].weight == former for name, (former, _now) in WEIGHTS.items())
        and all(band.write_date == band.create_date for band in shipped.band_ids)
    )


def _find(env, prefix, name):
    return env.ref(f"ar_collections.{prefix}_{name}", raise_if_not_found=False)


def _load(env, name):
    convert_file(env, "ar_collections", f"data/{name}.xml", {}, "init", noupdate=True)
