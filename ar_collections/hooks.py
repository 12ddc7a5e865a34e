from odoo.tools import SQL

# In the order of their references.
MODELS = (
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
    "ar.credit.review.document",
    "ar.credit.review.line",
    "ar.credit.review",
    "ar.credit.rating",
    "ar.credit.rating.provider",
    "ar.credit.document.type",
    "ar.credit.criterion.band",
    "ar.credit.criterion",
    "ar.credit.release",
    "ar.credit.cover",
    "ar.credit.history",
    "ar.credit.file",
    "ar.collection.step",
)


def post_init_hook(env):
    """Give every customer of a ledger in use its credit file at once."""
    for company in env["res.company"].search([("parent_id", "=", False)]):
        env["ar.credit.refresh"]._refresh_figures(company, company._ar_today())
        for (partner_id,) in env.execute_query(
            SQL(
                "SELECT id FROM res_partner WHERE parent_id IS NULL AND credit_limit ? %s",
                str(company.id),
            )
        ):
            # Limits of customers who owe nothing yet.
            partner = env["res.partner"].browse(partner_id)
            env["ar.credit.file"]._get_file(partner, company, create=True)
    if env.ref("base.module_ar_collections").demo:
        from .demo import story  # noqa: PLC0415 - demo databases alone need it

        story.tell(env)


def uninstall_hook(env):
    """Empty our tables first: their references keep Odoo from removing what they point to."""
    for model in MODELS:
        env.cr.execute(SQL("DELETE FROM %s", SQL.identifier(env[model]._table)))
    env.invalidate_all(flush=False)
