from odoo import SUPERUSER_ID, api
from odoo.tools import convert_file, sql

# What the settings had when nobody had changed them.
DEFAULT_YEARS = 3


def migrate(cr, version):
    """Country packs come; changed years of limitation are kept in a pack of the company."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    if not env.ref("ar_collections.country_rule_neutral", raise_if_not_found=False):
        convert_file(env, "ar_collections", "data/country_rule.xml", {}, mode="init", noupdate=True)
    roots = env["res.company"].search([("parent_id", "=", False)])
    roots.filtered(lambda company: not company.ar_country_rule_id)._ar_choose_country_rule()
    if sql.column_exists(cr, "res_company", "ar_limitation_years"):
        cr.execute(
            "SELECT id, ar_limitation_years FROM res_company"
            " WHERE parent_id IS NULL AND ar_limitation_years <> %s",
            [DEFAULT_YEARS],
        )
        for company_id, years in cr.fetchall():
            company = env["res.company"].browse(company_id)
            rule = company.ar_country_rule_id
            if rule and rule.company_id != company:
                rule = rule._make_own(company)
                rule.limitation_years = years
                rule._use(company)
