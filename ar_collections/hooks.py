from odoo.tools import SQL

# In the order of their references.
MODELS = (
    "ar.late.charge.rate",
    "ar.late.charge",
    "ar.late.charge.run",
    "ar.allowance.movement",
    "ar.allowance.line",
    "ar.allowance.run",
    "ar.allowance.specific",
    "ar.allowance.rate",
    "ar.ageing.snapshot",
    "ar.ageing.bucket",
    "ar.writeoff.recovery",
    "ar.writeoff.approval",
    "ar.writeoff.evidence",
    "ar.writeoff.request.line",
    "ar.writeoff.request",
    "ar.writeoff.delegation",
    "ar.writeoff.tier",
    "ar.writeoff.risk.rule",
    "ar.writeoff.reason.evidence",
    "ar.writeoff.reason",
    "ar.dispute.line",
    "ar.dispute",
    "ar.payment.promise.line",
    "ar.payment.promise",
    "ar.payment.plan.item",
    "ar.payment.plan.line",
    "ar.payment.plan",
    "ar.debt.acknowledgement.item",
    "ar.debt.acknowledgement",
    "ar.placement.item",
    "ar.placement.cost",
    "ar.placement.report",
    "ar.placement",
    "ar.legal.decision",
    "ar.collection.action.item",
    "ar.collection.action",
    "ar.collection.excuse",
    "ar.collection.assignment",
    "ar.dispute.cause",
    "ar.dispute.reason",
    "ar.collection.run.line",
    "ar.collection.run",
    "ar.collection.case",
    "ar.credit.statement",
    "ar.credit.bank.line",
    "ar.credit.reference",
    "ar.credit.application",
    "ar.credit.review.document",
    "ar.credit.review.line",
    "ar.credit.review",
    "ar.credit.rating",
    "ar.credit.rating.provider",
    "ar.credit.document.type",
    "ar.credit.outlook",
    "ar.credit.criterion.band",
    "ar.credit.criterion",
    "ar.credit.release",
    "ar.credit.cover",
    "ar.credit.history",
    "ar.credit.file",
    "ar.credit.knockout",
    "ar.collection.step",
)


# What we add to the big tables of the ledger. A test holds it against the fields.
LEDGER_COLUMNS = {
    "account_move": {
        "ar_write_off": "bool",
        "ar_remitted": "bool",
        "ar_is_late_charge": "bool",
    },
    "account_move_line": {
        "ar_exclusion_reason": "varchar",
        "ar_exclusion_end": "date",
        "ar_exclusion_user_id": "int4",
        "ar_exclusion_asked": "date",
        "ar_limitation_warned": "date",
    },
}


def pre_init_hook(env):
    """Add our columns to the ledger, each in a moment.

    Odoo would add them in the transaction of the installation, and nobody could read the ledger
    until all our tables are made.
    """
    cursor = env.cr
    for table, columns in LEDGER_COLUMNS.items():
        added = SQL(", ").join(
            SQL("ADD COLUMN IF NOT EXISTS %s %s", SQL.identifier(name), SQL.identifier(kind))
            for name, kind in columns.items()
        )
        cursor.execute(SQL("ALTER TABLE %s %s", SQL.identifier(table), added))
        cursor.commit()


def post_init_hook(env):
    """Fit amounts to the currency, and give every customer of a ledger in use its credit file."""
    refresh = env["ar.credit.refresh"]
    companies = env["res.company"].search([("parent_id", "=", False)], order="id")
    companies._ar_fit_amounts()
    companies._ar_choose_country_rule()
    for company in companies:
        refresh._refresh_figures(company, company._ar_today())
        # Limits of customers who owe nothing yet.
        limited = SQL(
            "SELECT id FROM res_partner WHERE commercial_partner_id = id AND credit_limit ? %s",
            str(company.id),
        )
        refresh._make_files(company, limited)
    if env.ref("base.module_ar_collections").demo:
        from .demo import story  # noqa: PLC0415 - demo databases alone need it

        story.tell(env)


def uninstall_hook(env):
    """Empty our tables first: their references keep Odoo from removing what they point to."""
    env["ar.ledger.index"]._drop(env["ar.ledger.index"]._get_indexes())
    for model in MODELS:
        env.cr.execute(SQL("DELETE FROM %s", SQL.identifier(env[model]._table)))
    env.invalidate_all(flush=False)
